/* hub_pull.c - a hub's films into a library: a mirror, a backup, or what a worker goes on with.
 *
 * All of it is read in one snapshot of the server; a film comes in one transaction of the library.
 * A hub may hold what somebody wrote there by hand: every row has to match its sum and be what it
 * says, else it is counted, named and left out. */
#include "index/hub_rows.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 4096 }; /* clips a transaction, and more where one film has more */

typedef struct {
    ks_index *x;
    ks_hub *h;
    const ks_hub_roots *roots;
    int what;
    ks_hub_pulled *out;
    ks_library_row library;
    ks_space space;    /* of the hub */
    int64_t had;       /* the revision that x held before */
    int64_t unwritten; /* clips of the transaction under way */
    const char *path;  /* UNFINISHED: where the film lies here */
    const ks_hub_job *job;
    /* the film at work */
    ks_video_row row;
    int64_t finished, made, revision, hash;
    char timecode[16], reel[64];
    char *keys;
} pull;

static void refuse(pull *p, const char *what, int64_t id, const char *why)
{
    if (p->out->refused++ == 0)
        snprintf(p->out->first, sizeof p->out->first, "%s %lld: %s", what, (long long)id, why);
}

/* --- clips --- */
/* Finite and of unit length (invariant 2), or no search may meet it. */
static int is_vector(const uint16_t *half, size_t bytes, int dim)
{
    double length = 0;
    if (bytes != 2 * (size_t)dim) return 0;
    for (int d = 0; d < dim; d++) {
        uint16_t h;
        memcpy(&h, half + d, sizeof h);
        double v = (double)ks_float_from_half(h);
        length += v * v;
    }
    return isfinite(length) && fabs(sqrt(length) - 1) <= 1e-3;
}

/* 1: the row went in; 0: its sum, or another row of that number, is against it. */
static int insert(pull *p, ks_error *e, int code)
{
    (void)e;
    return code < 0 ? code : sqlite3_changes(p->x->db) == 1;
}

static int put_clip(pull *p, const ks_pq_rows *r, ks_error *e)
{
    int64_t id = ks_pq_int(r, 0, 0), start = ks_pq_int(r, 0, 1), stop = ks_pq_int(r, 0, 2),
            frames = ks_pq_int(r, 0, 3), reason = ks_pq_int(r, 0, 4), video = p->row.v.id,
            space = p->library.space;
    size_t n;
    const void *half = ks_pq_bytes(&n, r, 0, 6);
    if (id <= 0 || start > stop || start < -KS_MAX_TICK || stop > KS_MAX_TICK || frames < 0 ||
        frames > INT32_MAX || reason < 0 || reason > INT32_MAX) {
        refuse(p, "clip", id, "its numbers are none");
        return 0;
    }
    if (!half || !is_vector(half, n, p->space.dim)) {
        refuse(p, "clip", id, "its vector is none of unit length");
        return 0;
    }
    int code = insert(p, e,
                      ks_run(p->x, e,
                             "INSERT OR IGNORE INTO clip SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 "
                             "WHERE ks_sum(5, ?1, ?2, ?3, ?4, ?5, ?6, ?7) = ?8",
                             "llllllll", id, video, space, start, stop, frames, reason,
                             ks_pq_int(r, 0, 5)));
    if (code == 0) refuse(p, "clip", id, "it does not match its checksum");
    if (code <= 0) return code;
    code = insert(p, e,
                  ks_run(p->x, e,
                         "INSERT OR IGNORE INTO vector SELECT ?1, ?5, ?6 WHERE ks_sum(6, ?1, ?2, "
                         "?3, ?4, ?5) = ?6",
                         "llllbl", id, space, start, stop, half, n, ks_pq_int(r, 0, 7)));
    if (code < 0) return code;
    if (code > 0) return 1;
    refuse(p, "clip", id, "its vector does not match its checksum");
    code = ks_run(p->x, e, "DELETE FROM clip WHERE id = ?1", "l", id);
    return code < 0 ? code : 0;
}

static int put_blobs(pull *p, const ks_pq_rows *r, ks_error *e)
{
    int64_t id = ks_pq_int(r, 0, 0);
    size_t n;
    int code = 1;
    const void *data = ks_pq_bytes(&n, r, 0, 9);
    if (data) {
        code = insert(p, e,
                      ks_run(p->x, e,
                             "INSERT OR IGNORE INTO frame_vectors SELECT ?1, ?2, ?3, ?4 WHERE "
                             "ks_sum(7, ?1, ?2, ?3) = ?4",
                             "llbl", id, ks_pq_int(r, 0, 8), data, n, ks_pq_int(r, 0, 10)));
        if (code == 0) refuse(p, "frame vectors of clip", id, "they do not match their checksum");
    }
    data = code < 0 ? NULL : ks_pq_bytes(&n, r, 0, 11);
    if (data) {
        code = insert(p, e,
                      ks_run(p->x, e,
                             "INSERT OR IGNORE INTO thumbnail SELECT ?1, ?2, ?3 WHERE ks_sum(8, "
                             "?1, ?2) = ?3",
                             "lbl", id, data, n, ks_pq_int(r, 0, 12)));
        if (code == 0) refuse(p, "thumbnail of clip", id, "it does not match its checksum");
    }
    return code < 0 ? code : 0;
}

static int each_clip(void *arg, const ks_pq_rows *r, ks_error *e)
{
    pull *p = arg;
    ks_totals t;
    int64_t id = ks_pq_int(r, 0, 0);
    int code = put_clip(p, r, e);
    if (code <= 0) return code;
    code = put_blobs(p, r, e);
    if (code >= 0) code = ks_clip_bytes(&t, p->x, id, e);
    if (code < 0) return code;
    ks_totals_add(p->x, &t, 1);
    if (id >= p->library.next_clip) p->library.next_clip = id + 1;
    p->out->clips++;
    p->unwritten++;
    return 0;
}

#define CLIP_COLUMNS "SELECT c.id, c.start, c.stop, c.frames, c.reason, c.sum, v.half, v.sum"
#define CLIP_ROWS    " FROM clip c JOIN vector v ON v.clip = c.id"
#define CLIP_BLOBS                                                                                 \
    ", f.frames, f.data, f.sum, t.jpeg, t.sum" CLIP_ROWS                                           \
    " LEFT JOIN frame_vectors f ON f.clip = c.id LEFT JOIN thumbnail t ON t.clip = c.id"
#define CLIP_WHERE " WHERE c.video = $1 AND c.space = $2 ORDER BY c.start, c.stop"

static int pull_clips(pull *p, ks_error *e)
{
    if (p->job)
        return ks_pq_walk(p->h->pq, each_clip, p, e, "SELECT * FROM job_clips($1, $2, $3, $4)",
                          "btll", p->job->content, sizeof p->job->content, p->job->token,
                          (int64_t)KS_HUB_SCHEMA, p->library.space);
    return ks_pq_walk(p->h->pq, each_clip, p, e,
                      p->what & KS_HUB_BLOBS ? CLIP_COLUMNS CLIP_BLOBS CLIP_WHERE
                                             : CLIP_COLUMNS CLIP_ROWS CLIP_WHERE,
                      "ll", p->row.v.id, p->library.space);
}

/* --- paths --- */
/* Where a root is mounted here; else a place that no film can have. malloc'ed */
static char *here(const pull *p, const char *root, const char *rel, size_t n)
{
    char *path = NULL;
    for (int i = 0; p->roots && i < p->roots->n; i++)
        if (strcmp(p->roots->at[i].name, root) == 0)
            return asprintf(&path, "%s/%.*s", p->roots->at[i].path, (int)n, rel) < 0 ? NULL : path;
    return asprintf(&path, "/%s:/%.*s", root, (int)n, rel) < 0 ? NULL : path;
}

/* Where this machine saw a file only its mirror knows, and without that no walk could tell a film
 * that was deleted from one on a disk that is not mounted here. So what a pull takes away or gives
 * to another film is remembered until its end: two films may have swapped names. */
static int remember_paths(pull *p, const char *path, ks_error *e)
{
    return ks_run(p->x, e,
                  "INSERT OR IGNORE INTO temp.was_path SELECT path, video, size, mtime_ns, device, "
                  "inode FROM path WHERE device <> 0 AND (video = ?1 OR path = ?2)",
                  "lb", path ? (int64_t)0 : p->row.v.id, path ? path : "", path ? strlen(path) : 0);
}

static int put_path(pull *p, const char *path, int64_t size, int64_t mtime_ns, ks_error *e)
{
    int64_t there = 0, device = 0, inode = 0;
    size_t n = strlen(path);
    int code = ks_integer(&there, p->x, e, "SELECT count(*) FROM path WHERE path = ?1", "b", path,
                          n);
    if (code >= 0 && there) code = remember_paths(p, path, e);
    if (code >= 0)
        code = ks_integer(&device, p->x, e,
                          "SELECT coalesce((SELECT device FROM temp.was_path WHERE path = ?1), 0)",
                          "b", path, n);
    if (code >= 0 && device)
        code = ks_integer(&inode, p->x, e,
                          "SELECT coalesce((SELECT inode FROM temp.was_path WHERE path = ?1 AND "
                          "video = ?2 AND size = ?3 AND mtime_ns = ?4), 0)",
                          "blll", path, n, p->row.v.id, size, mtime_ns);
    if (code >= 0)
        code = ks_run(p->x, e,
                      "REPLACE INTO path VALUES(?1, ?2, ?3, ?4, ?5, ?6, ks_sum(4, ?1, ?2, ?3, ?4, "
                      "?5, ?6))",
                      "blllll", path, n, p->row.v.id, size, mtime_ns, device, inode);
    if (code >= 0 && !there) ks_totals_add(p->x, &(ks_totals){.paths = 1}, 1);
    return code;
}

static int drop_paths(pull *p, ks_error *e)
{
    int code = remember_paths(p, NULL, e);
    if (code < 0) return code;
    code = ks_run(p->x, e, "DELETE FROM path WHERE video = ?1", "l", p->row.v.id);
    if (code >= 0) ks_totals_add(p->x, &(ks_totals){.paths = -sqlite3_changes(p->x->db)}, 1);
    return code;
}

static int each_path(void *arg, const ks_pq_rows *r, ks_error *e)
{
    pull *p = arg;
    size_t n, m;
    const char *root = ks_pq_bytes(&n, r, 0, 0), *rel = ks_pq_bytes(&m, r, 0, 1);
    if (!root || !rel || !ks_hub_is_root_name(root, n) || !ks_hub_is_rel(rel, m)) {
        refuse(p, "a path of video", p->row.v.id, "it leads out of its root");
        return 0;
    }
    char *path = here(p, root, rel, m);
    int code = !path ? ks_fail(e, KS_ENOMEM, "no memory for a path")
               : strlen(path) > KS_MAX_PATH
                   ? (refuse(p, "a path of video", p->row.v.id, "it is too long"), 0)
                   : put_path(p, path, ks_pq_int(r, 0, 2), ks_pq_int(r, 0, 3), e);
    free(path);
    return code;
}

static int pull_paths(pull *p, ks_error *e)
{
    int code = drop_paths(p, e);
    if (code < 0) return code;
    code = p->job ? put_path(p, p->path, p->job->size, p->job->mtime_ns, e)
                  : ks_pq_walk(p->h->pq, each_path, p, e,
                               "SELECT root, rel, size, mtime_ns FROM path WHERE video = $1 ORDER "
                               "BY root, rel",
                               "l", p->row.v.id);
    return code < 0 ? code : ks_name_keep(p->x, p->row.v.id, e);
}

/* --- films --- */
#define FILM_COLUMNS                                                                               \
    "SELECT id, content, space, finished, verdict, reason, attempts, tb_num, tb_den, duration, "   \
    "seconds_missing, film_date, date_source, width, height, fps, flags, clips, sum, "             \
    "coalesce(hash, 0), timecode, reel, rate_num, rate_den, keys, made, revision FROM "

static int is_int(const ks_pq_rows *r, int i, int column, int64_t least)
{
    int64_t v = ks_pq_int(r, i, column);
    return v >= least && v <= INT32_MAX;
}

static int text_of(char *to, size_t room, const ks_pq_rows *r, int i, int column)
{
    size_t n;
    const char *text = ks_pq_bytes(&n, r, i, column);
    if (!text || n >= room || memchr(text, 0, n)) return 0;
    memcpy(to, text, n);
    to[n] = 0;
    return 1;
}

/* 1, 0: it is no film */
static int take_film(pull *p, const ks_pq_rows *r, int i, ks_error *e)
{
    ks_video *v = &p->row.v;
    size_t n;
    const void *content = ks_pq_bytes(&n, r, i, 1);
    memset(&p->row, 0, sizeof p->row);
    v->id = ks_pq_int(r, i, 0);
    if (!content || n != sizeof v->content || v->id <= 0 || !is_int(r, i, 4, 0) ||
        ks_pq_int(r, i, 4) > KS_VERDICT_FAILED || !is_int(r, i, 6, 0) || !is_int(r, i, 7, 1) ||
        !is_int(r, i, 8, 1) || !is_int(r, i, 12, 0) || !is_int(r, i, 13, 0) ||
        !is_int(r, i, 14, 0) || !is_int(r, i, 16, 0) || !is_int(r, i, 22, 0) ||
        !is_int(r, i, 23, 0) || !text_of(p->row.reason, sizeof p->row.reason, r, i, 5) ||
        !text_of(v->timecode, sizeof v->timecode, r, i, 20) ||
        !text_of(v->reel, sizeof v->reel, r, i, 21) || !isfinite(ks_pq_double(r, i, 10)) ||
        !isfinite(ks_pq_double(r, i, 15)))
        return 0;
    memcpy(v->content, content, n);
    p->row.space = ks_pq_int(r, i, 2);
    p->finished = ks_pq_int(r, i, 3);
    v->verdict = (ks_verdict)ks_pq_int(r, i, 4);
    v->reason = p->row.reason;
    v->attempts = (int)ks_pq_int(r, i, 6);
    v->tb = (ks_timebase){(int32_t)ks_pq_int(r, i, 7), (int32_t)ks_pq_int(r, i, 8)};
    v->duration = ks_pq_int(r, i, 9);
    v->seconds_missing = ks_pq_double(r, i, 10);
    v->film_date = ks_pq_int(r, i, 11);
    v->date_source = (int)ks_pq_int(r, i, 12);
    v->width = (int)ks_pq_int(r, i, 13);
    v->height = (int)ks_pq_int(r, i, 14);
    v->fps = ks_pq_double(r, i, 15);
    v->flags = (int)ks_pq_int(r, i, 16);
    p->row.clips = ks_pq_int(r, i, 17);
    p->hash = ks_pq_int(r, i, 19);
    v->rate_num = (int)ks_pq_int(r, i, 22);
    v->rate_den = (int)ks_pq_int(r, i, 23);
    v->path = "";
    p->made = ks_pq_int(r, i, 25);
    p->revision = ks_pq_int(r, i, 26);
    int64_t sum = 0;
    if (ks_integer(&sum, p->x, e,
                   "SELECT ks_sum(3, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, "
                   "?15, ?16, ?17, ?18)",
                   "lbllitiiildliiidil", v->id, v->content, sizeof v->content, p->row.space,
                   (int64_t)0, (int)v->verdict, v->reason, v->attempts, v->tb.num, v->tb.den,
                   v->duration, v->seconds_missing, v->film_date, v->date_source, v->width,
                   v->height, v->fps, v->flags, p->row.clips) < 0)
        return e ? e->code : KS_EIO;
    return p->made == 0 || sum == ks_pq_int(r, i, 18);
}

static int put_keys(pull *p, const ks_pq_rows *r, int i, ks_error *e)
{
    size_t n;
    const char *keys = ks_pq_bytes(&n, r, i, 24);
    if (!keys || memchr(keys, 0, n)) return ks_index_put_keys(p->x, p->row.v.id, &(ks_keys){0}, e);
    return ks_run(p->x, e, "REPLACE INTO key_index VALUES(?1, ?2, ks_sum(16, ?1, ?2))", "lt",
                  p->row.v.id, keys);
}

/* 1: its clips are in x as they are in the hub */
static int has_clips(const pull *p, const ks_video_row *old)
{
    return old && old->finished > 0 && p->finished && p->made <= p->had;
}

/* A clip that is gone from the hub, or says that it is another film's, is missed here. */
static int count_clips(pull *p, int64_t said, int64_t refused, ks_error *e)
{
    int64_t here = 0;
    char why[80];
    int code = ks_integer(&here, p->x, e, "SELECT count(*) FROM clip WHERE video = ?1", "l",
                          p->row.v.id);
    snprintf(why, sizeof why, "%lld of its %lld clips are there", (long long)here, (long long)said);
    if (code >= 0 && here != said && p->out->refused == refused)
        refuse(p, "video", p->row.v.id, why);
    return code;
}

static int write_film(pull *p, const ks_pq_rows *r, int i, ks_video_row *old, ks_error *e)
{
    int64_t other = 0, id = p->row.v.id, said = p->row.clips, refused = p->out->refused;
    int same = has_clips(p, old);
    int code = ks_integer(&other, p->x, e, "SELECT id FROM video WHERE content = ?1 AND id <> ?2",
                          "bl", p->row.v.content, sizeof p->row.v.content, id);
    if (code >= 0 && other) {
        refuse(p, "video", id, "another film of the hub has its content");
        return 0;
    }
    if (code >= 0 && same) { /* renamed, or another path: what searches see stays where it is */
        p->row.finished = old->finished;
        p->row.clips = old->clips;
    }
    if (code >= 0 && old && !same) code = ks_video_hide(p->x, &p->library, old, e);
    if (code >= 0 && old && !same) code = ks_clips_delete(p->x, id, 0, e);
    if (code >= 0) code = ks_video_write(&p->row, p->x, e);
    if (code >= 0 && !same && (p->finished || p->what & KS_HUB_UNFINISHED)) code = pull_clips(p, e);
    if (code >= 0 && !same && p->finished) code = count_clips(p, said, refused, e);
    if (code >= 0 && !same && p->finished) {
        p->row.finished = 0;
        p->row.space = p->library.space;
        code = ks_video_show(p->x, &p->library, &p->row, e);
        if (code >= 0) code = ks_video_write(&p->row, p->x, e);
    }
    if (code >= 0 && p->hash) code = ks_index_put_full_hash(p->x, id, (uint64_t)p->hash, e);
    if (code >= 0) code = put_keys(p, r, i, e);
    if (code >= 0) code = pull_paths(p, e);
    if (id >= p->library.next_video) p->library.next_video = id + 1;
    p->out->films++;
    return code < 0 ? code : ks_library_write(&p->library, p->x, e);
}

static int drop_film(pull *p, int64_t video, ks_error *e)
{
    int64_t there = 0;
    int code = ks_integer(&there, p->x, e, "SELECT count(*) FROM video WHERE id = ?1", "l", video);
    if (code < 0 || !there) return code;
    code = ks_video_drop(p->x, video, e);
    if (code >= 0) code = ks_library_read(&p->library, p->x, e);
    p->out->gone++;
    return code;
}

static int pull_film(pull *p, const ks_pq_rows *r, int i, ks_error *e)
{
    ks_video_row old;
    int code = take_film(p, r, i, e);
    if (code == 0)
        refuse(p, "video", p->row.v.id,
               "it is no film's row, or does not match its "
               "checksum");
    if (code <= 0) return code;
    /* taken back, to be made again */
    if (p->row.v.verdict == KS_VERDICT_NONE && !(p->what & KS_HUB_UNFINISHED))
        return drop_film(p, p->row.v.id, e);
    int64_t id = p->row.v.id, paths = 1;
    code = ks_video_read(&old, p->x, id, e);
    if (code >= 0) code = write_film(p, r, i, code > 0 ? &old : NULL, e);
    if (code >= 0 && !p->job)
        code = ks_integer(&paths, p->x, e,
                          "SELECT (SELECT count(*) FROM path WHERE video = ?1) OR NOT EXISTS "
                          "(SELECT 1 FROM video WHERE id = ?1)",
                          "l", id);
    return code < 0 || paths ? code : drop_film(p, id, e); /* none of its paths can be had */
}

/* --- spaces, settings --- */
static int each_space(void *arg, const ks_pq_rows *r, ks_error *e)
{
    pull *p = arg;
    ks_space s = {0};
    char key[40], text[160], model[4096], tokenizer[4096];
    int64_t id = ks_pq_int(r, 0, 0);
    if (id <= 0 || !text_of(s.model, sizeof s.model, r, 0, 1) || !is_int(r, 0, 2, 1) ||
        ks_pq_int(r, 0, 2) > KS_MAX_DIM || !is_int(r, 0, 3, 1) || !is_int(r, 0, 4, 0) ||
        !is_int(r, 0, 5, 0) || !is_int(r, 0, 6, 0) || !text_of(model, sizeof model, r, 0, 7) ||
        !text_of(tokenizer, sizeof tokenizer, r, 0, 8) ||
        strspn(s.model, "0123456789abcdefghijklmnopqrstuvwxyz") != strlen(s.model))
        return ks_fail(e, KS_EDAMAGED, "%s: its space is none", ks_pq_name(p->h->pq));
    s.dim = (int)ks_pq_int(r, 0, 2);
    s.frames = (int)ks_pq_int(r, 0, 3);
    s.sampler = (int)ks_pq_int(r, 0, 4);
    s.resize = (int)ks_pq_int(r, 0, 5);
    s.precision = (int)ks_pq_int(r, 0, 6);
    snprintf(key, sizeof key, "space/%lld", (long long)id);
    int n = snprintf(text, sizeof text, "%s %d %d %d %d %d", s.model, s.dim, s.frames, s.sampler,
                     s.resize, s.precision);
    int code = ks_index_put(p->x, key, text, (size_t)n, e);
    p->space = s;
    p->library.space = p->library.writing = id;
    return code < 0 ? code
                    : ks_run(p->x, e,
                             "INSERT OR IGNORE INTO space VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
                             "?9, ks_sum(2, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9))",
                             "ltiiiiibb", id, s.model, s.dim, s.frames, s.sampler, s.resize,
                             s.precision, model, strlen(model), tokenizer, strlen(tokenizer));
}

static int each_setting(void *arg, const ks_pq_rows *r, ks_error *e)
{
    pull *p = arg;
    char key[64];
    size_t n;
    const void *value = ks_pq_bytes(&n, r, 0, 1);
    if (!text_of(key, sizeof key, r, 0, 0) || !value || n > 4096 ||
        (strcmp(key, "ingest.made") != 0 && strncmp(key, "precision/", 10) != 0)) {
        refuse(p, "a setting", 0, "it is none that a hub keeps");
        return 0;
    }
    return ks_index_put(p->x, key, value, n, e);
}

/* The library's row becomes the hub's where x is new; x may be a mirror of this hub, and no other
 * library. */
static int take_library(pull *p, ks_error *e)
{
    ks_pq_rows r;
    char id[33] = "", mine[33];
    int mirror = ks_hub_mirrored(mine, &p->had, p->x, e);
    int code = mirror < 0 ? mirror : ks_library_read(&p->library, p->x, e);
    if (code < 0) return code;
    code = ks_pq_ask(&r, p->h->pq, e, "SELECT id, revision, created FROM library", "");
    if (code > 0 && text_of(id, sizeof id, &r, 0, 0) && strspn(id, "0123456789abcdef") == 32) {
        p->out->revision = ks_pq_int(&r, 0, 1);
        if (!mirror && !p->job && p->library.next_video > 1)
            code = ks_fail(e, KS_ESPACE, "%s is a library of its own, no mirror of a hub",
                           p->x->dir);
        else if (mirror && strcmp(mine, id) != 0)
            code = ks_fail(e, KS_ESPACE, "%s mirrors another hub", p->x->dir);
        if (code >= 0 && !p->job) memcpy(p->library.id, id, sizeof id);
    } else if (code >= 0)
        code = ks_fail(e, KS_EDAMAGED, "%s: its library row is none", ks_pq_name(p->h->pq));
    ks_pq_free(&r);
    return code < 0 ? code : 0;
}

static int begin(pull *p, ks_error *e)
{
    int code = ks_run(p->x, e,
                      "CREATE TEMP TABLE was_path(path BLOB PRIMARY KEY, video, size, mtime_ns, "
                      "device, inode) WITHOUT ROWID",
                      "");
    if (code >= 0) code = take_library(p, e);
    if (code >= 0)
        code = ks_pq_walk(p->h->pq, each_space, p, e,
                          "SELECT s.id, s.model, s.dim, s.frames, s.sampler, s.resize, "
                          "s.precision, s.model_path, s.tokenizer_path FROM library l JOIN space s "
                          "ON s.id = l.space",
                          "");
    if (code >= 0)
        code = ks_pq_walk(p->h->pq, each_setting, p, e,
                          "SELECT key, value FROM setting WHERE revision > $1", "l", p->had);
    return code < 0 ? code : ks_library_write(&p->library, p->x, e);
}

static int keep_revision(pull *p, int64_t revision, ks_error *e)
{
    char text[64];
    int n = snprintf(text, sizeof text, "%s %lld", p->library.id, (long long)revision);
    return ks_index_put(p->x, KS_HUB_REVISION_KEY, text, (size_t)n, e);
}

int ks_hub_mirrored(char id[33], int64_t *revision, ks_index *x, ks_error *e)
{
    void *data = NULL;
    size_t bytes = 0;
    long long n = 0;
    *revision = 0;
    id[0] = 0;
    int code = ks_index_get(&data, &bytes, x, KS_HUB_REVISION_KEY, e);
    if (code < 0 || !data) return code;
    code = sscanf(data, "%32s %lld", id, &n) == 2;
    *revision = n;
    free(data);
    return code;
}

/* --- all of it --- */
static int pull_gone(pull *p, ks_error *e)
{
    ks_pq_rows r;
    int code = ks_pq_ask(&r, p->h->pq, e, "SELECT video FROM gone WHERE revision > $1", "l",
                         p->had);
    for (int i = 0, n = code; i < n && code >= 0; i++) code = drop_film(p, ks_pq_int(&r, i, 0), e);
    ks_pq_free(&r);
    return code < 0 ? code : 0;
}

/* Between two revisions: what a reader sees then is whole, and the next pull goes on from there. */
static int commit(pull *p, int64_t revision, ks_error *e)
{
    int code = keep_revision(p, revision, e);
    code = ks_end(p->x, code, e);
    if (code >= 0) code = ks_begin(p->x, e);
    p->unwritten = 0;
    return code;
}

/* A list of films first (a film's clips are a question of their own on the same connection). */
static int pull_films(pull *p, ks_error *e)
{
    ks_pq_rows r = {0};
    int64_t from = p->had, id = INT64_MAX, last = p->had;
    int code = 1;
    while (code > 0) {
        code = ks_pq_ask(&r, p->h->pq, e,
                         FILM_COLUMNS
                         "video WHERE revision > 0 AND (revision, id) > ($1, $2) ORDER BY "
                         "revision, id LIMIT 1000",
                         "ll", from, id);
        for (int i = 0, n = code; i < n && code >= 0; i++) {
            from = ks_pq_int(&r, i, 26);
            id = ks_pq_int(&r, i, 0);
            if (from > last && p->unwritten >= AT_ONCE) code = commit(p, last, e);
            if (code >= 0) code = pull_film(p, &r, i, e);
            last = from;
            if (code >= 0) code = 1;
        }
        ks_pq_free(&r);
    }
    return code;
}

/* With other roots than the last time every path is another: 1, and what they are. */
static int other_roots(pull *p, char **now, ks_error *e)
{
    char *text = NULL;
    size_t room = 0, bytes = 0;
    void *was = NULL;
    FILE *f = open_memstream(&text, &room);
    if (!f) return ks_fail(e, KS_ENOMEM, "no memory for the roots");
    for (int i = 0; p->roots && i < p->roots->n; i++)
        fprintf(f, "%s=%s\n", p->roots->at[i].name, p->roots->at[i].path);
    fclose(f);
    int code = text ? ks_index_get(&was, &bytes, p->x, KS_HUB_ROOTS_KEY, e)
                    : ks_fail(e, KS_ENOMEM, "no memory for the roots");
    if (code >= 0) code = !was || bytes != room || memcmp(was, text, bytes) != 0;
    free(was);
    if (now && code > 0) *now = text;
    else free(text);
    return code;
}

static int each_root(void *arg, const ks_pq_rows *r, ks_error *e)
{
    FILE *f = ((void **)arg)[1];
    size_t n;
    const char *name = ks_pq_bytes(&n, r, 0, 0);
    if (!name || !ks_hub_is_root_name(name, n)) return 0;
    char *path = here(((void **)arg)[0], name, "", 0);
    if (!path) return ks_fail(e, KS_ENOMEM, "no memory for the roots");
    path[strlen(path) - 1] = 0; /* the blank rest of a path */
    fwrite(path, 1, strlen(path) + 1, f);
    free(path);
    return 0;
}

/* A film's name begins below its root, on every machine. */
static int note_folders(pull *p, ks_error *e)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&text, &bytes);
    void *arg[2] = {p, f};
    if (!f) return ks_fail(e, KS_ENOMEM, "no memory for the roots");
    int code = ks_pq_walk(p->h->pq, each_root, arg, e, "SELECT name FROM root ORDER BY name", "");
    fclose(f);
    if (code >= 0) code = ks_index_put(p->x, KS_FOLDERS_KEY, text, bytes, e);
    free(text);
    return code;
}

static int note_roots(pull *p, ks_error *e)
{
    char *now = NULL;
    int other = other_roots(p, &now, e);
    int code = now ? ks_index_put(p->x, KS_HUB_ROOTS_KEY, now, strlen(now), e) : other;
    free(now);
    return code < 0 ? code : other;
}

static int all_paths(pull *p, ks_error *e)
{
    ks_pq_rows r = {0};
    int64_t id = 0;
    int code = 1;
    while (code > 0) {
        code = ks_pq_ask(&r, p->h->pq, e,
                         "SELECT id FROM video WHERE id > $1 AND revision > 0 "
                         "ORDER BY id LIMIT 1000",
                         "l", id);
        for (int i = 0, n = code; i < n && code >= 0; i++) {
            int64_t there = 0;
            p->row.v.id = id = ks_pq_int(&r, i, 0);
            code = ks_integer(&there, p->x, e, "SELECT count(*) FROM video WHERE id = ?1", "l", id);
            if (code >= 0 && there) code = pull_paths(p, e);
            if (code >= 0) code = 1;
        }
        ks_pq_free(&r);
    }
    return code;
}

static int pull_all(pull *p, ks_error *e)
{
    int code = begin(p, e), other = 0;
    if (code >= 0) code = other = note_roots(p, e);
    if (code >= 0) code = ks_index_put(p->x, KS_HUB_WHERE_KEY, p->h->where, strlen(p->h->where), e);
    if (code >= 0) code = note_folders(p, e);
    if (code >= 0) code = pull_gone(p, e);
    if (code >= 0) code = pull_films(p, e);
    if (code >= 0 && other > 0 && p->had > 0) code = all_paths(p, e);
    if (code >= 0) code = ks_library_write(&p->library, p->x, e);
    return code < 0 ? code : keep_revision(p, p->out->revision, e);
}

static const char snapshot[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

int ks_hub_pull(ks_hub_pulled *out, ks_index *x, ks_hub *h, const ks_hub_roots *roots, int what,
                ks_error *e)
{
    assert(out && x && h && x->mode != KS_READ);
    pull *p = calloc(1, sizeof *p);
    memset(out, 0, sizeof *out);
    if (!p) return ks_fail(e, KS_ENOMEM, "no memory for a mirror");
    *p = (pull){.x = x, .h = h, .roots = roots, .what = what & KS_HUB_BLOBS, .out = out};
    int code = ks_pq_script(h->pq, snapshot, e);
    if (code >= 0) {
        code = ks_begin(x, e);
        if (code >= 0) {
            code = pull_all(p, e);
            /* a commit on the way may have failed and left none open */
            if (x->inside > 0) code = ks_end(x, code, e);
        }
        code = ks_hub_end(h, code, e);
    }
    free(p);
    return code;
}

int ks_hub_pull_film(ks_index *x, ks_hub *h, const ks_hub_job *job, const char *path, ks_error *e)
{
    assert(x && h && job && path);
    ks_hub_pulled out = {0};
    ks_pq_rows r = {0};
    pull *p = calloc(1, sizeof *p);
    if (!p) return ks_fail(e, KS_ENOMEM, "no memory for a film");
    *p = (pull){.x = x,
                .h = h,
                .what = KS_HUB_BLOBS | KS_HUB_UNFINISHED,
                .out = &out,
                .path = path,
                .job = job};
    int code = ks_pq_script(h->pq, snapshot, e);
    if (code >= 0) {
        code = ks_begin(x, e);
        if (code >= 0) {
            code = begin(p, e);
            if (code >= 0)
                code = ks_pq_ask(&r, h->pq, e, FILM_COLUMNS "job_film($1, $2, $3)", "btl",
                                 job->content, sizeof job->content, job->token,
                                 (int64_t)KS_HUB_SCHEMA);
            if (code > 0) code = pull_film(p, &r, 0, e);
            code = ks_end(x, code, e);
        }
        code = ks_hub_end(h, code, e);
    }
    ks_pq_free(&r);
    free(p);
    return code < 0 ? code : 0;
}

int ks_hub_behind(ks_index *x, ks_hub *h, const ks_hub_roots *roots, ks_error *e)
{
    ks_pq_rows r = {0};
    char id[33];
    pull p = {.x = x, .h = h, .roots = roots};
    int mirror = ks_hub_mirrored(id, &p.had, x, e);
    if (mirror <= 0) return mirror < 0 ? mirror : 1;
    int code = ks_pq_ask(&r, h->pq, e, "SELECT revision FROM library WHERE id = $1", "t", id);
    int behind = code != 1 || ks_pq_int(&r, 0, 0) != p.had;
    ks_pq_free(&r);
    if (code >= 0 && !behind) code = behind = other_roots(&p, NULL, e);
    return code < 0 ? code : behind;
}

int ks_hub_let_go(ks_index *x, ks_error *e)
{
    static const char *const keys[] = {KS_HUB_REVISION_KEY, KS_HUB_WHERE_KEY, KS_HUB_ROOTS_KEY};
    int code = ks_begin(x, e);
    if (code < 0) return code;
    for (int i = 0; i < 3 && code >= 0; i++) code = ks_index_put(x, keys[i], NULL, 0, e);
    return ks_end(x, code, e);
}

int ks_hub_has_no(ks_index *x, const char *what, ks_error *e)
{
    char id[33];
    int64_t revision;
    int mirror = ks_hub_mirrored(id, &revision, x, e);
    if (mirror <= 0) return mirror;
    return ks_fail(e, KS_EUSAGE,
                   "%s mirrors a hub, and a hub has no %s: they are kept in a library folder (-L "
                   "FOLDER; kinoseek backup makes one of a hub)",
                   x->dir, what);
}
