/* clip_rows.c - clips with what belongs to them: vector, frame vectors, thumbnail. */
#include "index/catalog.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *ks_reason_name(ks_reason reason)
{
    static const char *const names[] = {"window", "shot", "tail", "still", "survey"};
    return (unsigned)reason < 5 ? names[reason] : "unknown";
}

const char *ks_verdict_name(ks_verdict verdict)
{
    static const char *const names[] = {"unfinished", "indexed", "partly", "skipped", "failed"};
    return (unsigned)verdict < 5 ? names[verdict] : "unknown";
}

/* half[D] = v[D]; the stored vector must be finite and of unit length (invariant 2). */
static int to_half(uint16_t *half, const float *v, int dim, int64_t start, ks_error *e)
{
    double length = 0;
    for (int d = 0; d < dim; d++) {
        half[d] = ks_half_from_float(v[d]);
        double stored = (double)ks_float_from_half(half[d]);
        length += stored * stored;
    }
    if (!isfinite(length))
        return ks_fail(e, KS_EFORMAT, "the vector of the clip at tick %lld is not finite",
                       (long long)start);
    if (fabs(sqrt(length) - 1) > 1e-3)
        return ks_fail(e, KS_EFORMAT,
                       "the vector of the clip at tick %lld has length %.4f instead of 1",
                       (long long)start, sqrt(length));
    return 0;
}

/* data = float scale[T], int8 value[T, D]: frame vector t is value * scale. */
static void pack_frames(unsigned char *data, const float *v, int frames, int dim)
{
    for (int t = 0; t < frames; t++) {
        const float *row = v + (size_t)t * (size_t)dim;
        float top = 0;
        for (int d = 0; d < dim; d++) top = fmaxf(top, fabsf(row[d]));
        float scale = top > 0 ? top / 127 : 1;
        memcpy(data + 4 * (size_t)t, &scale, 4);
        signed char *out = (signed char *)data + 4 * (size_t)frames + (size_t)t * (size_t)dim;
        for (int d = 0; d < dim; d++)
            out[d] = (signed char)fmaxf(-127, fminf(127, rintf(row[d] / scale)));
    }
}

static int add_frames(ks_index *x, int64_t id, const ks_clip_data *c, int dim, ks_error *e)
{
    size_t bytes = (size_t)c->clip.frames * (4 + (size_t)dim);
    unsigned char *data = malloc(bytes ? bytes : 1);
    if (!data) return ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
    pack_frames(data, c->frame_vectors, c->clip.frames, dim);
    int code = ks_run(x, e, "INSERT INTO frame_vectors VALUES(?1, ?2, ?3, ks_sum(7, ?1, ?2, ?3))",
                      "lib", id, c->clip.frames, data, bytes);
    free(data);
    return code;
}

static int count_clip(ks_index *x, int64_t id, int times, ks_error *e)
{
    ks_totals t;
    int code = ks_clip_bytes(&t, x, id, e);
    if (code >= 0) ks_totals_add(x, &t, times);
    return code;
}

int ks_clip_delete(ks_index *x, int64_t clip, ks_error *e)
{
    int code = count_clip(x, clip, -1, e);
    if (code >= 0) code = ks_run(x, e, "DELETE FROM thumbnail WHERE clip = ?1", "l", clip);
    if (code >= 0) code = ks_run(x, e, "DELETE FROM frame_vectors WHERE clip = ?1", "l", clip);
    if (code >= 0) code = ks_run(x, e, "DELETE FROM vector WHERE clip = ?1", "l", clip);
    if (code >= 0) code = ks_run(x, e, "DELETE FROM clip WHERE id = ?1", "l", clip);
    return code;
}

static int add_clip(ks_index *x, ks_library_row *library, int64_t video, const ks_clip_data *c,
                    int dim, ks_error *e)
{
    uint16_t half[KS_MAX_DIM];
    const ks_clip *k = &c->clip;
    int64_t there = 0;
    if (k->start > k->end || k->start < -KS_MAX_TICK || k->end > KS_MAX_TICK || k->frames < 0)
        return ks_fail(e, KS_EFORMAT, "a clip from tick %lld to %lld is none", (long long)k->start,
                       (long long)k->end);
    int code = ks_integer(
        &there, x, e,
        "SELECT CASE WHEN reason = ?5 THEN -id ELSE id END FROM clip WHERE video = ?1 AND space = "
        "?2 AND start = ?3 AND stop = ?4",
        "lllli", video, library->writing, k->start, k->end,
        k->reason == KS_REASON_SURVEY ? -1 : (int)KS_REASON_SURVEY);
    if (code < 0 || there > 0) return code;             /* a resumed film: this one is in already */
    if (there < 0) code = ks_clip_delete(x, -there, e); /* a picture of just these seconds */
    if (code < 0) return code;
    code = to_half(half, c->vector, dim, k->start, e);
    if (code < 0) return code;
    int64_t id = library->next_clip++;
    code = ks_run(x, e,
                  "INSERT INTO clip VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ks_sum(5, ?1, ?2, ?3, ?4, "
                  "?5, ?6, ?7))",
                  "lllllii", id, video, library->writing, k->start, k->end, k->frames,
                  (int)k->reason);
    if (code >= 0)
        code = ks_run(x, e, "INSERT INTO vector VALUES(?1, ?5, ks_sum(6, ?1, ?2, ?3, ?4, ?5))",
                      "llllb", id, library->writing, k->start, k->end, half,
                      (size_t)dim * sizeof *half);
    if (code >= 0 && c->frame_vectors) code = add_frames(x, id, c, dim, e);
    if (code >= 0 && c->jpeg && c->jpeg_bytes)
        code = ks_run(x, e, "INSERT INTO thumbnail VALUES(?1, ?2, ks_sum(8, ?1, ?2))", "lb", id,
                      c->jpeg, c->jpeg_bytes);
    return code < 0 ? code : count_clip(x, id, 1, e);
}

static int add_clips(ks_index *x, int64_t video, const ks_clip_data *clips, int n, ks_error *e)
{
    ks_library_row library;
    ks_space space;
    ks_video_row row;
    int code = ks_library_read(&library, x, e);
    if (code < 0) return code;
    assert(library.writing != 0); /* ks_index_set_space comes first */
    code = ks_space_read(&space, x, library.writing, e);
    if (code < 0) return code;
    code = ks_video_read(&row, x, video, e);
    if (code == 0)
        return ks_fail(e, KS_ENOTFOUND, "%s: video %lld is not there", x->dir, (long long)video);
    /* Clips of a video that searches see: it moves to a new generation with them. */
    int seen = code > 0 && row.finished > 0 && library.writing == library.space;
    if (code >= 0 && seen) code = ks_video_hide(x, &library, &row, e);
    for (int i = 0; i < n && code >= 0; i++)
        code = add_clip(x, &library, video, &clips[i], space.dim, e);
    if (code >= 0 && seen) code = ks_video_show(x, &library, &row, e);
    if (code >= 0 && seen) code = ks_video_write(&row, x, e);
    return code < 0 ? code : ks_library_write(&library, x, e);
}

int ks_index_add_clips(ks_index *x, int64_t video, const ks_clip_data *clips, int n, ks_error *e)
{
    assert(x && video > 0 && n >= 0 && (clips || n == 0));
    int code = ks_begin(x, e);
    if (code < 0) return code;
    return ks_end(x, add_clips(x, video, clips, n, e), e);
}

int ks_clips_delete(ks_index *x, int64_t video, int64_t space, ks_error *e)
{
    for (;;) {
        int64_t clip = 0;
        int code = ks_integer(
            &clip, x, e, "SELECT id FROM clip WHERE video = ?1 AND (?2 = 0 OR space = ?2) LIMIT 1",
            "ll", video, space);
        if (code < 0 || clip == 0) return code;
        code = ks_clip_delete(x, clip, e);
        if (code < 0) return code;
    }
}

typedef struct {
    const int64_t *clips; /* [n] */
    int n;
    const char *reason;
} ks_doomed;

/* Clips of one video go, clips[0] and those after it; *n: how many. It stays in, marked partly
 * and lost, until it is encoded again; searches see it change once. */
static int drop_of_one(int *n, ks_index *x, const ks_doomed *d, ks_error *e)
{
    const int64_t *clips = d->clips;
    ks_library_row library;
    ks_video_row row;
    int64_t video = 0, next = 0;
    int code = ks_integer(&video, x, e, "SELECT video FROM clip WHERE id = ?1", "l", clips[0]);
    if (code >= 0) code = ks_library_read(&library, x, e);
    if (code < 0) return code;
    code = ks_video_read(&row, x, video, e);
    if (code < 0) return code;
    int seen = code > 0 && row.finished > 0;
    code = seen ? ks_video_hide(x, &library, &row, e) : 0;
    for (*n = 0, next = video; code >= 0 && next == video;) {
        code = ks_clip_delete(x, clips[(*n)++], e);
        if (*n == d->n) break;
        if (code >= 0)
            code = ks_integer(&next, x, e, "SELECT video FROM clip WHERE id = ?1", "l", clips[*n]);
    }
    if (code >= 0 && seen) {
        row.v.verdict = KS_VERDICT_PARTLY;
        row.v.flags |= KS_VIDEO_LOST;
        row.v.reason = d->reason;
        code = ks_video_show(x, &library, &row, e);
        if (code >= 0) code = ks_video_write(&row, x, e);
    }
    return code < 0 ? code : ks_library_write(&library, x, e);
}

static int drop_clips(ks_index *x, const ks_doomed *d, ks_error *e)
{
    int code = ks_begin(x, e);
    if (code < 0) return code;
    for (int i = 0, k = 0; i < d->n && code >= 0; i += k)
        code = drop_of_one(&k, x, &(ks_doomed){d->clips + i, d->n - i, d->reason}, e);
    return ks_end(x, code, e);
}

int ks_index_drop_clips(ks_index *x, const int64_t *clips, int n, ks_error *e)
{
    assert(x && n >= 0 && (clips || n == 0));
    return drop_clips(
        x, &(ks_doomed){clips, n, "clips were lost to damage; the next ingest encodes them again"},
        e);
}

int ks_index_next_clip(int64_t *id, ks_index *x, ks_error *e)
{
    ks_library_row library;
    int code = ks_library_read(&library, x, e);
    if (code >= 0) *id = library.next_clip;
    return code < 0 ? code : 0;
}

enum { DROPPED = 1024 }; /* at once */

int ks_index_drop_since(int64_t *n, ks_index *x, int64_t id, const char *reason, ks_error *e)
{
    int64_t clips[DROPPED];
    int code = ks_begin(x, e), some = DROPPED;
    *n = 0;
    if (code < 0) return code;
    for (; code >= 0 && some == DROPPED; *n += some) {
        sqlite3_stmt *s = ks_bound(
            x, e, "SELECT id FROM clip WHERE id >= ?1 ORDER BY video, id LIMIT 1024", "l", id);
        if (!s) code = e ? e->code : KS_EIO;
        for (some = 0; s && some < DROPPED && (code = ks_step(s, x, e)) == 1;)
            clips[some++] = sqlite3_column_int64(s, 0);
        if (s) sqlite3_reset(s);
        if (code >= 0) code = drop_clips(x, &(ks_doomed){clips, some, reason}, e);
    }
    return ks_end(x, code, e);
}

int ks_clip_from_row(ks_clip *out, int64_t *space, sqlite3_stmt *s, int at)
{
    if (!ks_row_ok(s, KS_T_CLIP, at, 7)) return 0;
    out->id = sqlite3_column_int64(s, at);
    out->video = sqlite3_column_int64(s, at + 1);
    *space = sqlite3_column_int64(s, at + 2);
    out->start = sqlite3_column_int64(s, at + 3);
    out->end = sqlite3_column_int64(s, at + 4);
    out->frames = sqlite3_column_int(s, at + 5);
    out->reason = (ks_reason)sqlite3_column_int(s, at + 6);
    /* A checksum can be made for any numbers; these have to be times. */
    return out->id > 0 && out->video > 0 && out->frames >= 0 && out->start <= out->end &&
           out->start >= -KS_MAX_TICK && out->end <= KS_MAX_TICK;
}

/* half[KS_MAX_DIM] NULL: the vector is not asked for. */
static int read_clip(ks_clip *out, int64_t *space, uint16_t *half, int *dim, ks_index *x,
                     int64_t id, ks_error *e)
{
    sqlite3_stmt *s = ks_bound(
        x, e,
        "SELECT c.id, c.video, c.space, c.start, c.stop, c.frames, c.reason, c.sum, v.half, v.sum "
        "FROM clip c LEFT JOIN vector v ON v.clip = c.id WHERE c.id = ?1",
        "l", id);
    if (!s) return e ? e->code : KS_EIO;
    int code = ks_step(s, x, e);
    if (code < 0) return code;
    if (code == 0)
        return ks_fail(e, KS_ENOTFOUND, "%s: clip %lld is not there", x->dir, (long long)id);
    code = 0;
    if (!ks_clip_from_row(out, space, s, 0)) code = ks_rotten(x, e, KS_T_CLIP, id);
    else if (half) {
        int bytes = sqlite3_column_bytes(s, 8);
        if (!ks_vector_row_ok(s, id, *space, out->start, out->end, 8) || bytes < 2 ||
            bytes > 2 * KS_MAX_DIM || bytes % 2)
            code = ks_rotten(x, e, KS_T_VECTOR, id);
        else {
            *dim = bytes / 2;
            memcpy(half, sqlite3_column_blob(s, 8), (size_t)bytes);
        }
    }
    sqlite3_reset(s);
    return code;
}

int ks_index_clip(ks_clip *out, ks_index *x, int64_t id, ks_error *e)
{
    int64_t space;
    assert(out && x);
    return read_clip(out, &space, NULL, NULL, x, id, e);
}

int ks_clip_half(uint16_t *half, int *dim, ks_clip *clip, ks_index *x, int64_t id, ks_error *e)
{
    int64_t space;
    return read_clip(clip, &space, half, dim, x, id, e);
}

/* 1 = searches see this space, 0 = it is of another model: a switch is under way. */
static int is_searched(ks_index *x, int64_t space, ks_error *e)
{
    ks_library_row library;
    int code = ks_library_read(&library, x, e);
    return code < 0 ? code : library.space == space;
}

int ks_index_clip_vector(float *v, int dim, ks_index *x, int64_t id, ks_error *e)
{
    assert(v && x && dim > 0 && dim <= KS_MAX_DIM);
    uint16_t half[KS_MAX_DIM];
    ks_clip clip;
    int64_t space;
    int have = 0;
    int code = ks_snapshot(x, e);
    if (code < 0) return code;
    code = read_clip(&clip, &space, half, &have, x, id, e);
    if (code >= 0) code = is_searched(x, space, e);
    code = ks_end(x, code, e);
    if (code == 0)
        return ks_fail(e, KS_ESPACE,
                       "%s: clip %lld is of another model than the one that searches see", x->dir,
                       (long long)id);
    if (code > 0 && have != dim) code = ks_rotten(x, e, KS_T_VECTOR, id);
    for (int d = 0; d < dim && code >= 0; d++) v[d] = ks_float_from_half(half[d]);
    return code < 0 ? code : 0;
}

static int far_thumbnail(uint8_t **jpeg, size_t *bytes, ks_index *x, int64_t id, ks_error *e)
{
    void *data;
    int64_t frames;
    int code = ks_hub_blob(&data, bytes, &frames, x, KS_T_THUMBNAIL, id, e);
    *jpeg = data;
    return code < 0 ? code : 0;
}

int ks_index_thumbnail(uint8_t **jpeg, size_t *bytes, ks_index *x, int64_t id, ks_error *e)
{
    assert(jpeg && bytes && x);
    *jpeg = NULL;
    *bytes = 0;
    sqlite3_stmt *s = ks_bound(x, e, "SELECT clip, jpeg, sum FROM thumbnail WHERE clip = ?1", "l",
                               id);
    if (!s) return e ? e->code : KS_EIO;
    int code = ks_step(s, x, e);
    if (code <= 0) return code < 0 ? code : far_thumbnail(jpeg, bytes, x, id, e);
    code = 0;
    size_t n = (size_t)sqlite3_column_bytes(s, 1);
    if (!ks_row_ok(s, KS_T_THUMBNAIL, 0, 2)) code = ks_rotten(x, e, KS_T_THUMBNAIL, id);
    else if (n > 0) {
        *jpeg = malloc(n);
        if (!*jpeg) code = ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
        else {
            memcpy(*jpeg, sqlite3_column_blob(s, 1), n);
            *bytes = n;
        }
    }
    sqlite3_reset(s);
    return code;
}

static int unpack_frames(float **v, int frames, size_t dim, const unsigned char *data, size_t bytes)
{
    if (frames < 1 || bytes % (size_t)frames || bytes / (size_t)frames != dim + 4) return 0;
    *v = malloc((size_t)frames * dim * sizeof **v);
    if (!*v) return KS_ENOMEM;
    for (size_t t = 0; t < (size_t)frames; t++) {
        float scale;
        memcpy(&scale, data + 4 * t, 4);
        const signed char *row = (const signed char *)data + 4 * (size_t)frames + t * dim;
        for (size_t d = 0; d < dim; d++) (*v)[t * dim + d] = (float)row[d] * scale;
    }
    return 1;
}

static int far_frames(float **v, int *frames, int dim, ks_index *x, int64_t id, ks_error *e)
{
    void *data;
    size_t bytes;
    int64_t n;
    int code = ks_hub_blob(&data, &bytes, &n, x, KS_T_FRAMES, id, e);
    if (code <= 0) return code;
    code = n > 0 && n <= INT32_MAX ? unpack_frames(v, (int)n, (size_t)dim, data, bytes) : 0;
    free(data);
    if (code == 0) return ks_rotten(x, e, KS_T_FRAMES, id);
    if (code < 0) return ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
    *frames = (int)n;
    return 0;
}

int ks_index_frame_vectors(float **v, int *frames, int dim, ks_index *x, int64_t id, ks_error *e)
{
    assert(v && frames && x && dim > 0 && dim <= KS_MAX_DIM);
    *v = NULL;
    *frames = 0;
    sqlite3_stmt *s = ks_bound(
        x, e, "SELECT clip, frames, data, sum FROM frame_vectors WHERE clip = ?1", "l", id);
    if (!s) return e ? e->code : KS_EIO;
    int code = ks_step(s, x, e);
    if (code <= 0) return code < 0 ? code : far_frames(v, frames, dim, x, id, e);
    int n = sqlite3_column_int(s, 1);
    if (!ks_row_ok(s, KS_T_FRAMES, 0, 3)) code = 0;
    else
        code = unpack_frames(v, n, (size_t)dim, sqlite3_column_blob(s, 2),
                             (size_t)sqlite3_column_bytes(s, 2));
    sqlite3_reset(s);
    if (code == 0) return ks_rotten(x, e, KS_T_FRAMES, id);
    if (code < 0) return ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
    *frames = n;
    return 0;
}
