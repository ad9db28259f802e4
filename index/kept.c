/* kept.c - the bytes of a word that travels, and the notes of those that a hub has not had. */
#include "index/kept.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- bytes --- */
static unsigned char *room_for(ks_bytes *b, size_t n)
{
    if (b->bad) return NULL;
    if (b->n + n > b->room) {
        size_t room = 2 * b->room + n + 64;
        unsigned char *more = realloc(b->at, room);
        if (!more) {
            b->bad = 1;
            return NULL;
        }
        b->at = more;
        b->room = room;
    }
    b->n += n;
    return b->at + b->n - n;
}

/* As they lie in memory: every machine that kinoseek runs on has its low byte first. */
void ks_bytes_int(ks_bytes *b, int64_t v)
{
    unsigned char *to = room_for(b, sizeof v);
    if (to) memcpy(to, &v, sizeof v);
}

void ks_bytes_double(ks_bytes *b, double v)
{
    unsigned char *to = room_for(b, sizeof v);
    if (to) memcpy(to, &v, sizeof v);
}

void ks_bytes_put(ks_bytes *b, const void *data, size_t n)
{
    ks_bytes_int(b, (int64_t)n);
    unsigned char *to = room_for(b, n);
    if (to && n) memcpy(to, data, n);
}

/* with its NUL, so that it is read where it lies */
void ks_bytes_text(ks_bytes *b, const char *text) { ks_bytes_put(b, text, strlen(text) + 1); }

static const void *take(ks_reading *r, size_t n)
{
    const void *at = r->at;
    if (r->bad || n > r->left) {
        r->bad = 1;
        return NULL;
    }
    r->at += n;
    r->left -= n;
    return at;
}

int64_t ks_read_int(ks_reading *r)
{
    int64_t v = 0;
    const void *at = take(r, sizeof v);
    if (at) memcpy(&v, at, sizeof v);
    return v;
}

double ks_read_double(ks_reading *r)
{
    double v = 0;
    const void *at = take(r, sizeof v);
    if (at) memcpy(&v, at, sizeof v);
    r->bad |= !isfinite(v);
    return isfinite(v) ? v : 0;
}

const void *ks_read_bytes(size_t *n, ks_reading *r)
{
    int64_t bytes = ks_read_int(r);
    *n = bytes < 0 ? SIZE_MAX : (size_t)bytes;
    const void *at = take(r, *n);
    if (!at) *n = 0;
    return at;
}

const char *ks_read_text(ks_reading *r)
{
    size_t n;
    const char *text = ks_read_bytes(&n, r);
    if (text && n > 0 && memchr(text, 0, n) == text + n - 1 && ks_is_utf8(text)) return text;
    r->bad = 1;
    return "";
}

/* --- notes: settings of the mirror, numbered --- */
#define NOTES "key >= 'hub.out/' AND key < 'hub.out0'"

int ks_kept_note(ks_index *x, const ks_kept *k, const ks_bytes *at, const ks_bytes *data,
                 ks_error *e)
{
    char key[40];
    int64_t next = 0;
    ks_bytes b = {0};
    if (!x->keeps) return 0;
    ks_bytes_int(&b, k->kind);
    ks_bytes_text(&b, k->name);
    ks_bytes_put(&b, k->content ? k->content : "", k->content ? 24 : 0);
    ks_bytes_put(&b, at ? at->at : NULL, at ? at->n : 0);
    ks_bytes_put(&b, data ? data->at : NULL, data ? data->n : 0);
    int code = b.bad || (at && at->bad) || (data && data->bad)
                   ? ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir)
                   : 0;
    if (code >= 0)
        code = ks_integer(&next, x, e,
                          "SELECT coalesce(max(CAST(substr(key, 9) AS INTEGER)), 0) + 1 FROM "
                          "setting WHERE " NOTES,
                          "");
    snprintf(key, sizeof key, "hub.out/%016lld", (long long)next);
    if (code >= 0) code = ks_index_put(x, key, b.at, b.n, e);
    free(b.at);
    return code;
}

/* A note is our own, under its row's checksum; one that cannot be read is passed over. */
static int read_note(ks_kept *k, sqlite3_stmt *s)
{
    size_t n;
    ks_reading r = {sqlite3_column_blob(s, 1), (size_t)sqlite3_column_bytes(s, 1), 0};
    *k = (ks_kept){.kind = ks_read_int(&r), .name = ks_read_text(&r)};
    k->content = ks_read_bytes(&n, &r);
    if (n != 24) k->content = NULL;
    k->at = ks_read_bytes(&k->n_at, &r);
    k->data = ks_read_bytes(&k->bytes, &r);
    return !r.bad && r.left == 0 && ks_row_ok(s, KS_T_SETTING, 0, 2);
}

int ks_kept_noted(int64_t *last, ks_index *x, int most, ks_each_kept *each, void *arg, ks_error *e)
{
    ks_kept k;
    sqlite3_stmt *s = ks_bound(
        x, e, "SELECT key, value, sum FROM setting WHERE " NOTES " ORDER BY key LIMIT ?1", "i",
        most);
    if (!s) return e ? e->code : KS_EIO;
    int code, n = 0;
    *last = 0;
    while ((code = ks_step(s, x, e)) > 0) {
        *last = atoll((const char *)sqlite3_column_text(s, 0) + 8);
        n++;
        if (!read_note(&k, s)) continue;
        if ((code = each(arg, &k, e)) < 0) break;
    }
    sqlite3_reset(s);
    return code < 0 ? code : n;
}

int ks_kept_sent(ks_index *x, int64_t last, ks_error *e)
{
    char key[40];
    snprintf(key, sizeof key, "hub.out/%016lld", (long long)last);
    return ks_run(x, e, "DELETE FROM setting WHERE " NOTES " AND key <= ?1", "t", key);
}

int ks_hub_kept_waits(ks_index *x, ks_error *e)
{
    int64_t some = 0;
    int code = ks_integer(&some, x, e, "SELECT EXISTS(SELECT 1 FROM setting WHERE " NOTES ")", "");
    return code < 0 ? code : some != 0;
}
