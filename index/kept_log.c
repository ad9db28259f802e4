/* kept_log.c - what is kept, as words: the arguments of each call of index.h in bytes. */
#include "index/kept.h"

#include <stdlib.h>
#include <string.h>

static int note(ks_index *x, const ks_kept *k, ks_bytes *at, ks_bytes *data, ks_error *e)
{
    int code = ks_kept_note(x, k, at, data, e);
    if (at) free(at->at);
    if (data) free(data->at);
    return code;
}

int ks_kept_set(ks_index *x, const ks_stored_set *s, ks_error *e)
{
    ks_bytes b = {0};
    if (!x->keeps) return 0;
    ks_bytes_int(&b, (int64_t)s->hash);
    ks_bytes_text(&b, s->how);
    ks_bytes_int(&b, s->n);
    for (int64_t i = 0; i < s->n; i++) {
        ks_bytes_text(&b, s->labels[i]);
        ks_bytes_text(&b, s->parents[i]);
    }
    return note(x, &(ks_kept){.kind = KS_KEPT_SET, .name = s->name}, NULL, &b, e);
}

/* Names of a label and its set by their numbers; malloc'ed. */
static int name_of(char **name, ks_index *x, int set, int64_t id, ks_error *e)
{
    *name = NULL;
    sqlite3_stmt *s = ks_bound(x, e,
                               set ? "SELECT name FROM label_set WHERE id = ?1"
                                   : "SELECT name FROM label WHERE id = ?1",
                               "l", id);
    if (!s) return e ? e->code : KS_EIO;
    int code = ks_step(s, x, e);
    if (code > 0 && !(*name = strdup((const char *)sqlite3_column_text(s, 0))))
        code = ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
    sqlite3_reset(s);
    return code < 0 ? code : 0;
}

static int put_name(ks_bytes *b, ks_index *x, int64_t label, ks_error *e)
{
    char *name;
    int code = name_of(&name, x, 0, label, e);
    ks_bytes_text(b, name ? name : "");
    free(name);
    return code;
}

int ks_kept_end_set(ks_index *x, int64_t set, const int64_t *ids, int n, ks_error *e)
{
    ks_bytes b = {0};
    char *name;
    if (!x->keeps) return 0;
    int code = name_of(&name, x, 1, set, e);
    ks_bytes_int(&b, n);
    for (int i = 0; i < n && code >= 0; i++) code = put_name(&b, x, ids[i], e);
    if (code >= 0 && name) {
        code = note(x, &(ks_kept){.kind = KS_KEPT_END_SET, .name = name}, NULL, &b, e);
        b.at = NULL;
    }
    free(b.at);
    free(name);
    return code;
}

int ks_kept_drop(ks_index *x, ks_kept_kind kind, const char *name, ks_error *e)
{
    return ks_kept_note(x, &(ks_kept){.kind = kind, .name = name}, NULL, NULL, e);
}

/* The model's spans before a person's word is laid over them. */
int ks_kept_marks(ks_index *x, int64_t set, uint64_t hash, const ks_video *v,
                  const ks_label_mark *m, int n, ks_error *e)
{
    ks_bytes b = {0};
    char *name;
    if (!x->keeps) return 0;
    int code = name_of(&name, x, 1, set, e);
    ks_bytes_int(&b, (int64_t)hash);
    ks_bytes_int(&b, n);
    for (int i = 0; i < n && code >= 0; i++) {
        code = put_name(&b, x, m[i].id, e);
        ks_bytes_int(&b, m[i].start);
        ks_bytes_int(&b, m[i].end);
        ks_bytes_int(&b, m[i].rank);
        ks_bytes_double(&b, m[i].score);
        ks_bytes_double(&b, m[i].cosine);
    }
    if (code >= 0 && name) {
        code = note(x, &(ks_kept){.kind = KS_KEPT_MARKS, .name = name, .content = v->content}, NULL,
                    &b, e);
        b.at = NULL;
    }
    free(b.at);
    free(name);
    return code;
}

/* A moment, and what is said of it. */
static int note_moment(ks_index *x, const ks_kept *k, const char *label, const int64_t span[2],
                       int yes, ks_error *e)
{
    ks_bytes at = {0}, b = {0};
    if (!x->keeps) return 0;
    ks_bytes_text(&at, label);
    ks_bytes_int(&at, span[0]);
    ks_bytes_int(&at, span[1]);
    ks_bytes_int(&b, yes != 0);
    return note(x, k, &at, &b, e);
}

int ks_kept_say(ks_index *x, const char *set, const char *label, const ks_video *v, int64_t start,
                int64_t end, int yes, ks_error *e)
{
    const ks_kept k = {.kind = KS_KEPT_SAY, .name = set, .content = v->content};
    return note_moment(x, &k, label, (const int64_t[]){start, end}, yes, e);
}

int ks_kept_example(ks_index *x, const char *name, const ks_video *v, int64_t start, int64_t end,
                    int yes, ks_error *e)
{
    const ks_kept k = {.kind = KS_KEPT_EXAMPLE, .name = name, .content = v->content};
    return note_moment(x, &k, "", (const int64_t[]){start, end}, yes, e);
}

int ks_kept_learnt(ks_index *x, const ks_learnt_row *row, ks_error *e)
{
    ks_bytes b = {0};
    if (!x->keeps) return 0;
    ks_bytes_int(&b, row->space);
    ks_bytes_put(&b, row->w, (size_t)row->dim * sizeof *row->w);
    ks_bytes_double(&b, row->bias);
    ks_bytes_double(&b, row->ap);
    ks_bytes_double(&b, row->ap_low);
    ks_bytes_double(&b, row->ap_high);
    ks_bytes_int(&b, row->yes);
    ks_bytes_int(&b, row->no);
    ks_bytes_int(&b, row->films);
    return note(x, &(ks_kept){.kind = KS_KEPT_LEARNT, .name = row->name}, NULL, &b, e);
}

int ks_kept_saved(ks_index *x, const char *name, const char *query, ks_error *e)
{
    ks_bytes b = {0};
    if (!x->keeps) return 0;
    ks_bytes_text(&b, query);
    return note(x, &(ks_kept){.kind = KS_KEPT_SAVED, .name = name}, NULL, &b, e);
}

int ks_kept_subtitles(ks_index *x, int64_t video, const char *path, const ks_subtitle_file *f,
                      const ks_subtitle_line *line, int n, ks_error *e)
{
    ks_bytes b = {0};
    ks_video_row row;
    if (!x->keeps) return 0;
    int code = ks_video_read(&row, x, video, e);
    if (code <= 0) return code;
    if (f) {
        ks_bytes_int(&b, f->stat.size);
        ks_bytes_int(&b, f->stat.mtime_ns);
        ks_bytes_text(&b, f->note ? f->note : "");
        ks_bytes_int(&b, n);
        for (int i = 0; i < n; i++) {
            ks_bytes_int(&b, line[i].start_us);
            ks_bytes_int(&b, line[i].end_us);
            ks_bytes_text(&b, line[i].text);
        }
    }
    return note(x, &(ks_kept){.kind = KS_KEPT_SUBTITLES, .name = path, .content = row.v.content},
                NULL, &b, e);
}
