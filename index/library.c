/* library.c - the library's own row, its spaces, its settings. */
#include "index/catalog.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void copy_text(char *out, size_t size, sqlite3_stmt *s, int column)
{
    const void *bytes = sqlite3_column_blob(s, column);
    size_t n = (size_t)sqlite3_column_bytes(s, column);
    if (n >= size) n = size - 1;
    if (n) memcpy(out, bytes, n);
    out[n] = 0;
}

/* What is counted on from: the generation, the next ids (from 1), videos and clips, all far from
 * the limits of int64. */
static int counts_fit(sqlite3_stmt *s)
{
    for (int i = 5; i <= 10; i++) {
        int64_t least = i >= 6 && i <= 8;
        if (sqlite3_column_int64(s, i) < least || sqlite3_column_int64(s, i) > INT64_MAX / 4)
            return 0;
    }
    return 1;
}

int ks_library_read(ks_library_row *out, ks_index *x, ks_error *e)
{
    memset(out, 0, sizeof *out);
    sqlite3_stmt *s = ks_statement(
        x,
        "SELECT one, id, created, space, writing, generation, next_video, next_clip, "
        "next_segment, videos, clips, sum FROM library",
        e);
    if (!s) return e ? e->code : KS_EIO;
    int code = ks_step(s, x, e);
    if (code < 0) return code;
    if (code == 0 || !ks_row_ok(s, KS_T_LIBRARY, 0, 11) || !counts_fit(s)) {
        sqlite3_reset(s);
        return ks_rotten(x, e, KS_T_LIBRARY, 1);
    }
    copy_text(out->id, sizeof out->id, s, 1);
    out->created = sqlite3_column_int64(s, 2);
    out->space = sqlite3_column_int64(s, 3);
    out->writing = sqlite3_column_int64(s, 4);
    out->generation = sqlite3_column_int64(s, 5);
    out->next_video = sqlite3_column_int64(s, 6);
    out->next_clip = sqlite3_column_int64(s, 7);
    out->next_segment = sqlite3_column_int64(s, 8);
    out->videos = sqlite3_column_int64(s, 9);
    out->clips = sqlite3_column_int64(s, 10);
    sqlite3_reset(s);
    return 0;
}

int ks_library_write(const ks_library_row *r, ks_index *x, ks_error *e)
{
    return ks_run(x, e,
                  "REPLACE INTO library VALUES(1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
                  "ks_sum(1, 1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10))",
                  "tlllllllll", r->id, r->created, r->space, r->writing, r->generation,
                  r->next_video, r->next_clip, r->next_segment, r->videos, r->clips);
}

int ks_space_again(ks_space *out, ks_index *x, int64_t id, ks_error *e)
{
    char key[40];
    void *text;
    size_t bytes;
    memset(out, 0, sizeof *out);
    snprintf(key, sizeof key, "space/%lld", (long long)id);
    int code = ks_index_get(&text, &bytes, x, key, e);
    if (code < 0 || !text) return code;
    int fields = sscanf(text, "%64s %d %d %d %d %d", out->model, &out->dim, &out->frames,
                        &out->sampler, &out->resize, &out->precision);
    free(text);
    return fields == 6 && out->dim > 0 && out->dim <= KS_MAX_DIM;
}

/* model_path and tokenizer_path may be NULL: 4096 bytes each. Of a rotten row a reader believes
 * them all the same: whether the model is the right one its hash says. */
static int read_space(ks_space *out, char *model_path, char *tokenizer_path, ks_index *x,
                      int64_t id, ks_error *e)
{
    memset(out, 0, sizeof *out);
    if (model_path) model_path[0] = tokenizer_path[0] = 0;
    if (id == 0) return 0;
    sqlite3_stmt *s = ks_bound(
        x, e,
        "SELECT id, model, dim, frames, sampler, resize, precision, model_path, tokenizer_path, "
        "sum FROM space WHERE id = ?1",
        "l", id);
    if (!s) return e ? e->code : KS_EIO;
    int code = ks_step(s, x, e);
    if (code < 0) return code;
    int sound = code > 0 && ks_row_ok(s, KS_T_SPACE, 0, 9);
    if (!sound) code = ks_rotten(x, e, KS_T_SPACE, id);
    if (code < 0 && x->mode != KS_READ) {
        sqlite3_reset(s);
        return code;
    }
    copy_text(out->model, sizeof out->model, s, 1);
    out->dim = sqlite3_column_int(s, 2);
    out->frames = sqlite3_column_int(s, 3);
    out->sampler = sqlite3_column_int(s, 4);
    out->resize = sqlite3_column_int(s, 5);
    out->precision = sqlite3_column_int(s, 6);
    if (model_path) {
        copy_text(model_path, 4096, s, 7);
        copy_text(tokenizer_path, 4096, s, 8);
    }
    sqlite3_reset(s);
    if (!sound) return ks_space_again(out, x, id, e) > 0 ? 0 : ks_rotten(x, e, KS_T_SPACE, id);
    for (const char *c = out->model; *c; c++) /* hex; it is printed, and names files */
        if (!((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z')))
            return ks_rotten(x, e, KS_T_SPACE, id);
    if (out->dim < 1 || out->dim > KS_MAX_DIM) return ks_rotten(x, e, KS_T_SPACE, id);
    return 0;
}

int ks_space_read(ks_space *out, ks_index *x, int64_t id, ks_error *e)
{
    return read_space(out, NULL, NULL, x, id, e);
}

static int library(ks_library *out, ks_index *x, ks_error *e)
{
    ks_library_row row;
    int code = ks_library_read(&row, x, e);
    if (code < 0) return code;
    memset(out, 0, sizeof *out);
    memcpy(out->id, row.id, sizeof out->id);
    out->generation = row.generation;
    out->space_id = row.space;
    out->next_id = row.writing;
    out->switching = row.writing != row.space;
    code = read_space(&out->space, out->model_path, out->tokenizer_path, x, row.space, e);
    if (code >= 0)
        code = read_space(&out->next, out->next_model_path, out->next_tokenizer_path, x,
                          row.writing, e);
    out->videos = row.videos;
    out->clips = row.clips;
    return code;
}

int ks_index_library(ks_library *out, ks_index *x, ks_error *e)
{
    assert(out && x);
    int code = ks_snapshot(x, e);
    if (code < 0) return code;
    return ks_end(x, library(out, x, e), e);
}

int ks_same_space(const ks_space *a, const ks_space *b)
{
    return strcmp(a->model, b->model) == 0 && a->dim == b->dim && a->frames == b->frames &&
           a->sampler == b->sampler && a->resize == b->resize && a->precision == b->precision;
}

static int short_frames(const ks_space *s) { return s->sampler / 10 ? s->sampler / 10 : s->frames; }

static int differs(ks_index *x, const ks_space *have, const ks_space *want, ks_error *e)
{
    if (strcmp(have->model, want->model) != 0)
        return ks_fail(e, KS_ESPACE, "%s holds vectors of model %.12s, these are of model %.12s",
                       x->dir, have->model, want->model);
    return ks_fail(e, KS_ESPACE,
                   "%s holds vectors of D %d, %d frames (short shots %d), sampler %d, resize %d, "
                   "%s; these are D %d, %d frames (short shots %d), sampler %d, resize %d, %s",
                   x->dir, have->dim, have->frames, short_frames(have), have->sampler % 10,
                   have->resize, have->precision ? "int8" : "fp32/bf16", want->dim, want->frames,
                   short_frames(want), want->sampler % 10, want->resize,
                   want->precision ? "int8" : "fp32/bf16");
}

static int write_space(ks_index *x, int64_t id, const ks_space *s, const char *model_path,
                       const char *tokenizer_path, ks_error *e)
{
    const char *m = model_path ? model_path : "", *t = tokenizer_path ? tokenizer_path : "";
    char key[40], text[160];
    /* Said twice, on two pages: without this row no vector of the library means anything
     * (repair.c). */
    snprintf(key, sizeof key, "space/%lld", (long long)id);
    int n = snprintf(text, sizeof text, "%s %d %d %d %d %d", s->model, s->dim, s->frames,
                     s->sampler, s->resize, s->precision);
    int code = ks_index_put(x, key, text, (size_t)n, e);
    return code < 0 ? code
                    : ks_run(x, e,
                             "REPLACE INTO space VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
                             "ks_sum(2, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9))",
                             "ltiiiiibb", id, s->model, s->dim, s->frames, s->sampler, s->resize,
                             s->precision, m, strlen(m), t, strlen(t));
}

static int set_space(ks_index *x, const ks_space *space, const char *model_path,
                     const char *tokenizer_path, int change, ks_error *e)
{
    ks_library_row row;
    ks_space have;
    int code = ks_library_read(&row, x, e);
    if (code < 0) return code;
    code = ks_space_read(&have, x, row.writing, e);
    if (code < 0) return code;
    int64_t id = row.writing;
    if (row.writing == 0 || !ks_same_space(&have, space)) {
        if (row.writing != 0 && !change) return differs(x, &have, space, e);
        code = ks_space_read(&have, x, row.space, e);
        if (code < 0) return code;
        if (row.space != 0 && ks_same_space(&have, space))
            id = row.space; /* a switch is called off */
        else {
            code = ks_integer(&id, x, e, "SELECT 1 + coalesce(max(id), 0) FROM space", "");
            if (code < 0) return code;
        }
        row.writing = id;
        if (row.space == 0) row.space = id;
        code = write_space(x, id, space, model_path, tokenizer_path, e);
        return code < 0 ? code : ks_library_write(&row, x, e);
    }
    return model_path ? write_space(x, id, space, model_path, tokenizer_path, e) : 0;
}

int ks_index_set_space(ks_index *x, const ks_space *space, const char *model_path,
                       const char *tokenizer_path, ks_error *e)
{
    assert(x && space && space->dim > 0 && space->dim <= KS_MAX_DIM);
    int code = ks_begin(x, e);
    if (code < 0) return code;
    return ks_end(x, set_space(x, space, model_path, tokenizer_path, 0, e), e);
}

int ks_index_switch_space(ks_index *x, const ks_space *space, const char *model_path,
                          const char *tokenizer_path, ks_error *e)
{
    assert(x && space && space->dim > 0 && space->dim <= KS_MAX_DIM);
    int code = ks_begin(x, e);
    if (code < 0) return code;
    return ks_end(x, set_space(x, space, model_path, tokenizer_path, 1, e), e);
}

int ks_finish_switch(int *done, ks_index *x, ks_error *e)
{
    ks_library_row row;
    int64_t left = 0;
    int code = ks_library_read(&row, x, e);
    if (code < 0) return code;
    *done = 0;
    if (row.writing == row.space) return 0;
    code = ks_integer(&left, x, e, "SELECT count(*) FROM video WHERE finished > 0 AND space <> ?1",
                      "l", row.writing);
    if (code < 0 || left > 0) return code;
    static const char *const steps[] = {
        "DELETE FROM thumbnail WHERE clip IN (SELECT id FROM clip WHERE space <> ?1)",
        "DELETE FROM frame_vectors WHERE clip IN (SELECT id FROM clip WHERE space <> ?1)",
        "DELETE FROM vector WHERE clip IN (SELECT id FROM clip WHERE space <> ?1)",
        "DELETE FROM clip WHERE space <> ?1",
        "DELETE FROM segment WHERE space <> ?1",
        "DELETE FROM space WHERE id <> ?1",
        "DELETE FROM setting WHERE key GLOB 'space/*' AND key <> 'space/' || ?1",
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps && code >= 0; i++)
        code = ks_run(x, e, steps[i], "l", row.writing);
    row.space = row.writing;
    row.generation++;
    if (code >= 0)
        code = ks_integer(
            &row.clips, x, e,
            "SELECT count(*) FROM clip c JOIN video v ON v.id = c.video WHERE v.finished > 0", "");
    if (code >= 0) code = ks_library_write(&row, x, e);
    if (code >= 0) code = ks_totals_count(x, e);
    if (code >= 0) *done = 1;
    return code;
}

int ks_index_finish_switch(int *done, ks_index *x, ks_error *e)
{
    assert(done && x);
    int code = ks_begin(x, e);
    if (code < 0) return code;
    return ks_end(x, ks_finish_switch(done, x, e), e);
}

int ks_index_put(ks_index *x, const char *key, const void *data, size_t bytes, ks_error *e)
{
    assert(x && key);
    if (!data) return ks_run(x, e, "DELETE FROM setting WHERE key = ?1", "t", key);
    return ks_run(x, e, "REPLACE INTO setting VALUES(?1, ?2, ks_sum(9, ?1, ?2))", "tb", key, data,
                  bytes);
}

int ks_index_get(void **data, size_t *bytes, ks_index *x, const char *key, ks_error *e)
{
    assert(data && bytes && x && key);
    *data = NULL;
    *bytes = 0;
    sqlite3_stmt *s = ks_bound(x, e, "SELECT key, value, sum FROM setting WHERE key = ?1", "t",
                               key);
    if (!s) return e ? e->code : KS_EIO;
    int code = ks_step(s, x, e);
    if (code <= 0) return code;
    code = 0;
    if (!ks_row_ok(s, KS_T_SETTING, 0, 2)) {
        ks_note_rotten(x, KS_T_SETTING, 0);
        code = ks_fail(e, KS_EDAMAGED,
                       "%s/catalog.db: setting %s does not match its "
                       "checksum: run kinoseek repair",
                       x->dir, key);
    } else {
        size_t n = (size_t)sqlite3_column_bytes(s, 1);
        *data = malloc(n + 1);
        if (!*data) code = ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
        else {
            if (n) memcpy(*data, sqlite3_column_blob(s, 1), n);
            ((char *)*data)[n] = 0;
            *bytes = n;
        }
    }
    sqlite3_reset(s);
    return code;
}
