/* key_rows.c - table `key_index`: where a film's key frames lie, how each looks (ks.h). One row
 * a film, as JSON, for an hour has some thousand of them and any SQL tool reads them so:
 * [[ticks, shift, offset, look], ...]. */
#include "index/catalog.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* four numbers and their signs; a film of 48 days at one a second */
enum { KEY_TEXT = 80, KEYS_MOST = 1 << 22 };

int ks_index_put_keys(ks_index *x, int64_t video, const ks_keys *keys, ks_error *e)
{
    assert(x && video > 0 && keys && keys->n >= 0);
    if (keys->n == 0 || keys->n > KEYS_MOST)
        return ks_run(x, e, "DELETE FROM key_index WHERE video = ?1", "l", video);
    char *text = malloc((size_t)keys->n * KEY_TEXT + 3), *at = text;
    if (!text) return ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
    for (int i = 0; i < keys->n; i++) {
        const ks_key *k = &keys->at[i];
        at += sprintf(at, "%c[%lld,%lld,%lld,%u]", i > 0 ? ',' : '[', (long long)k->ticks,
                      (long long)k->shift, (long long)k->offset, (unsigned)k->look);
    }
    memcpy(at, "]", 2);
    int code = ks_run(x, e, "REPLACE INTO key_index VALUES(?1, ?2, ks_sum(16, ?1, ?2))", "lt",
                      video, text);
    free(text);
    return code;
}

static int number(long long *out, const char **at, char end)
{
    char *after;
    *out = strtoll(*at, &after, 10);
    int good = after > *at && *after == end;
    *at = after + good;
    return good;
}

/* 1, or 0: this is not how we write it, or the times do not grow. */
static int parse(ks_key *out, int *n, const char *at)
{
    long long ticks, shift, offset, look;
    for (*n = 0; *at == (*n > 0 ? ',' : '[') && at[1] == '['; ++*n) {
        at += 2;
        if (!number(&ticks, &at, ',') || !number(&shift, &at, ',') || !number(&offset, &at, ',') ||
            !number(&look, &at, ']'))
            return 0;
        if (ticks < 0 || ticks > KS_MAX_TICK || (*n > 0 && ticks <= out[*n - 1].ticks) ||
            shift > KS_MAX_TICK || shift < -KS_MAX_TICK || offset < KS_KEY_BREAK || look < 0 ||
            look > UINT32_MAX)
            return 0;
        out[*n] = (ks_key){ticks, shift, offset, (uint32_t)look};
    }
    return strcmp(at, "]") == 0;
}

/* The row that s stands on; a rotten one is as good as none: check names it. */
static int take(ks_key **at, int *n, sqlite3_stmt *s, ks_index *x, ks_error *e)
{
    const char *text = (const char *)sqlite3_column_text(s, 1);
    size_t bytes = (size_t)sqlite3_column_bytes(s, 1);
    if (!text || !ks_row_ok(s, KS_T_KEY_INDEX, 0, 2)) return 0;
    *at = malloc((bytes / 9 + 1) * sizeof **at); /* "[0,0,0,0]" at least, and a comma */
    if (!*at) return ks_fail(e, KS_ENOMEM, "%s: out of memory", x->dir);
    if (parse(*at, n, text)) return 0;
    free(*at);
    *at = NULL;
    *n = 0;
    return 0;
}

int ks_index_keys(ks_key **at, int *n, ks_index *x, int64_t video, ks_error *e)
{
    assert(at && n && x);
    *at = NULL;
    *n = 0;
    if (x->version < 6) return 0;
    sqlite3_stmt *s = ks_bound(x, e, "SELECT video, frames, sum FROM key_index WHERE video = ?1",
                               "l", video);
    if (!s) return e ? e->code : KS_EIO;
    int code = ks_step(s, x, e);
    if (code > 0) {
        code = take(at, n, s, x, e);
        sqlite3_reset(s);
    }
    return code;
}
