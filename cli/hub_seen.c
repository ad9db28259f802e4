/* hub_seen.c - see hub_seen.h. What waits is a setting of the mirror: size, mtime_ns, device,
 * inode, then the path with its NUL. */
#include "cli/hub_seen.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/hub_library.h"

static const char key[] = "hub.seen";
enum { MOST = 1 << 20 };

int ks_seen_add(ks_seen *s, const ks_video *at, ks_error *e)
{
    assert(s && at && at->path);
    if (s->n == s->room) {
        int room = s->room ? 2 * s->room : 64;
        ks_video *more = reallocarray(s->at, (size_t)room, sizeof *more);
        if (!more) return ks_fail(e, KS_ENOMEM, "no memory for the list of files");
        s->at = more;
        s->room = room;
    }
    char *path = strdup(at->path);
    if (!path) return ks_fail(e, KS_ENOMEM, "no memory for the list of files");
    s->at[s->n] = (ks_video){.path = path, .stat = at->stat, .id = s->n};
    s->n++;
    return 0;
}

void ks_seen_free(ks_seen *s)
{
    for (int i = 0; i < s->n; i++) free((char *)(uintptr_t)s->at[i].path);
    free(s->at);
    *s = (ks_seen){0};
}

/* 1: it has its row, 0: not yet */
static int place(ks_index *x, const ks_video *seen, ks_error *e)
{
    ks_video v;
    int err = ks_index_find(&v, x, seen->path, e);
    if (err != 1) return err == KS_EDAMAGED ? 1 : err;
    if (!ks_stat_untouched(v.stat, seen->stat)) return 0;
    if (ks_stat_one_file(v.stat, seen->stat)) return 1;
    v.path = seen->path;
    v.stat = seen->stat;
    err = ks_index_set_path(x, &v, e);
    return err < 0 ? err : 1;
}

static int by_path(const void *a, const void *b)
{
    const ks_video *x = a, *y = b;
    int order = strcmp(x->path, y->path);
    return order ? order : (x->id > y->id) - (x->id < y->id);
}

static int keep(const ks_seen *s, ks_index *x, FILE *waiting, ks_error *e)
{
    int left = 0;
    for (int i = 0; i < s->n; i++) {
        const ks_video *v = &s->at[i];
        if (i + 1 < s->n && strcmp(v->path, v[1].path) == 0) continue; /* met later too */
        const int64_t number[4] = {v->stat.size, v->stat.mtime_ns, (int64_t)v->stat.device,
                                   (int64_t)v->stat.inode};
        int err = place(x, v, e);
        if (err < 0) return err;
        /* neither a row nor a file: it was moved since, or forgotten */
        if (err > 0 || access(v->path, F_OK) != 0 || left++ >= MOST) continue;
        fwrite(number, sizeof number, 1, waiting);
        fwrite(v->path, strlen(v->path) + 1, 1, waiting);
    }
    return 0;
}

int ks_seen_keep(const ks_seen *s, const char *mirror, ks_error *e)
{
    assert(s && mirror);
    ks_index *x = NULL;
    char *text = NULL;
    size_t bytes = 0;
    if (s->n == 0) return 0;
    int err = ks_hub_open_mirror(&x, mirror, e);
    FILE *f = err == 0 ? open_memstream(&text, &bytes) : NULL;
    if (err == 0 && !f) err = ks_fail(e, KS_ENOMEM, "no memory for the list of files");
    if (err == 0 && (err = ks_index_begin(x, e)) == 0) {
        qsort(s->at, (size_t)s->n, sizeof *s->at, by_path);
        err = keep(s, x, f, e);
        fflush(f);
        if (err == 0) err = ks_index_put(x, key, bytes > 0 ? text : NULL, bytes, e);
        err = ks_index_end(x, err, e);
    }
    if (f) fclose(f);
    free(text);
    ks_index_close(x);
    return err == KS_EBUSY ? 0 : err; /* they are looked at again next time, and that is all */
}

int ks_seen_waiting(ks_seen *s, const char *mirror, ks_error *e)
{
    assert(s && mirror);
    ks_index *x = NULL;
    void *data = NULL;
    size_t bytes = 0;
    int err = ks_index_open(&x, mirror, KS_READ, e);
    if (err == 0) err = ks_index_get(&data, &bytes, x, key, e);
    const char *at = data, *end = at ? at + bytes : NULL;
    while (err >= 0 && at && end - at > 32 && memchr(at + 32, 0, (size_t)(end - at) - 32)) {
        int64_t number[4];
        memcpy(number, at, sizeof number);
        ks_video v = {.path = at + 32,
                      .stat = {number[0], number[1], (uint64_t)number[2], (uint64_t)number[3]}};
        err = ks_seen_add(s, &v, e);
        at += 32 + strlen(at + 32) + 1;
    }
    free(data);
    ks_index_close(x);
    return err < 0 ? err : 0;
}
