/* hub_blob.c - what a mirror does not keep: frame vectors and thumbnails, nine tenths of a clip's
 * bytes, are asked of the hub when somebody wants one, and kept for a while (blob_cache.h).
 *
 * `serve` connects to nobody once its walls stand: a process beside it (ks_hub_errands) does. What
 * is wanted is a row in the cache, a byte in a named pipe says so. */
#include "index/blob_cache.h"
#include "index/hub_rows.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE = 3, AT_ONCE = 128 };
#define PIPE "wanted"

static const char *const questions[2] = {
    "SELECT clip, jpeg, sum, 0::int8 FROM thumbnail WHERE clip = ANY ($1)",
    "SELECT clip, data, sum, frames FROM frame_vectors WHERE clip = ANY ($1)"};
static const ks_table_tag tags[2] = {KS_T_THUMBNAIL, KS_T_FRAMES};

typedef int ks_got(void *arg, const ks_blob *blob);

/* Each that there is: got(). < 0: the hub did not answer. */
static int ask_hub(ks_hub *h, ks_table_tag tag, const int64_t *clip, int n, ks_got *got, void *arg)
{
    ks_pq_rows r = {0};
    ks_pq_column ids = {0};
    ks_error ignored;
    int bad = 0;
    for (int i = 0; i < n; i++) bad |= ks_pq_put_int(&ids, clip[i]);
    int code = bad ? KS_ENOMEM
                   : ks_pq_ask(&r, h->pq, &ignored, questions[tag == KS_T_FRAMES], "a", &ids);
    for (int i = 0; i < code; i++) {
        ks_blob b = {tag, ks_pq_int(&r, i, 0), ks_pq_int(&r, i, 3), ks_pq_int(&r, i, 2), NULL, 0};
        const void *at = ks_pq_bytes(&b.bytes, &r, i, 1);
        b.data = (void *)(uintptr_t)at;
        if (at) got(arg, &b);
    }
    ks_pq_free(&r);
    ks_pq_column_free(&ids);
    return code;
}

/* --- for one who wants one --- */
/* 1: x is a mirror */
static int is_mirror(char **where, ks_index *x)
{
    void *data = NULL;
    size_t bytes;
    ks_error ignored;
    *where = NULL;
    if (ks_index_get(&data, &bytes, x, KS_HUB_WHERE_KEY, &ignored) < 0) return 0;
    *where = data;
    return data != NULL;
}

static int copy(void *arg, const ks_blob *blob)
{
    ks_blob *out = arg;
    void *data = malloc(blob->bytes + 1);
    if (!data) return 0;
    memcpy(data, blob->data, blob->bytes);
    *out = *blob;
    out->data = data;
    return 0;
}

/* Of the hub itself; one that did not answer is not asked again. */
static int from_hub(ks_blob *out, ks_index *x, const char *where)
{
    ks_error ignored;
    if (!x->hub && !x->hub_asked) ks_hub_open(&x->hub, where, PATIENCE, &ignored);
    x->hub_asked = 1;
    if (!x->hub || ks_pq_dead(x->hub->pq)) return 0;
    ask_hub(x->hub, (ks_table_tag)out->tag, &out->clip, 1, copy, out);
    if (out->data && x->blobs) ks_blobs_put(x->blobs, out);
    return out->data != NULL;
}

/* 1, 0: it is not to be had; -1: nobody runs errands */
static int by_errand(ks_blob *out, ks_index *x)
{
    char path[KS_MAX_PATH + 16];
    const struct timespec nap = {0, 4000000};
    snprintf(path, sizeof path, "%.*s/" PIPE, KS_MAX_PATH, x->dir);
    int fd = x->blobs ? open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (fd < 0) return -1;
    ks_blobs_want(x->blobs, out->tag, out->clip);
    ssize_t told = write(fd, "?", 1);
    (void)told; /* a pipe that is full says as much */
    close(fd);
    for (int i = 0; i < PATIENCE * 250; i++) {
        nanosleep(&nap, NULL);
        int wanted = ks_blobs_is_wanted(x->blobs, out->tag, out->clip);
        if (ks_blobs_get(out, x->blobs)) return 1;
        if (!wanted) return 0;
    }
    return 0;
}

/* 1: its sum is that of its bytes */
static int is_good(int *good, ks_index *x, const ks_blob *b, ks_error *e)
{
    int64_t sum = 0;
    int code = b->tag == KS_T_THUMBNAIL ? ks_integer(&sum, x, e, "SELECT ks_sum(8, ?1, ?2)", "lb",
                                                     b->clip, b->data, b->bytes)
                                        : ks_integer(&sum, x, e, "SELECT ks_sum(7, ?1, ?2, ?3)",
                                                     "llb", b->clip, b->frames, b->data, b->bytes);
    *good = code >= 0 && sum == b->sum;
    return code < 0 ? code : 0;
}

/* Of the cache; one that is spoiled there is none. */
static int kept(ks_blob *out, ks_index *x, ks_error *e)
{
    int good = 0;
    if (!x->blobs_asked) x->blobs = ks_blobs_open(x->dir, KS_BLOBS_MOST);
    x->blobs_asked = 1;
    if (!x->blobs || !ks_blobs_get(out, x->blobs)) return 0;
    int code = is_good(&good, x, out, e);
    if (code >= 0 && good) return 1;
    free(out->data);
    out->data = NULL;
    if (code >= 0) ks_blobs_drop(x->blobs, out->tag, out->clip);
    return code;
}

static int fetch(ks_blob *out, ks_index *x, const char *where, ks_error *e)
{
    int got = kept(out, x, e), good = 0;
    if (got != 0) return got;
    got = by_errand(out, x);
    if (got < 0) got = from_hub(out, x, where);
    int code = got > 0 ? is_good(&good, x, out, e) : 0;
    if (code >= 0 && got > 0 && !good) code = ks_rotten(x, e, (ks_table_tag)out->tag, out->clip);
    return code < 0 ? code : got;
}

int ks_hub_blob(void **data, size_t *bytes, int64_t *frames, ks_index *x, ks_table_tag table,
                int64_t clip, ks_error *e)
{
    char *where;
    ks_blob b = {.tag = table, .clip = clip};
    *data = NULL;
    *bytes = 0;
    *frames = 0;
    if (!is_mirror(&where, x)) return 0;
    int got = fetch(&b, x, where, e);
    free(where);
    if (got <= 0 || b.bytes == 0) {
        free(b.data);
        return got < 0 ? got : 0;
    }
    *data = b.data;
    *bytes = b.bytes;
    *frames = b.frames;
    return 1;
}

/* --- for who runs errands --- */
struct ks_hub_errands {
    ks_blobs *b;
    int fd;
    dev_t device;
    ino_t inode;
    char path[KS_MAX_PATH + 16];
};

void ks_hub_errands_end(ks_hub_errands *w)
{
    if (!w) return;
    if (w->fd >= 0) close(w->fd);
    ks_blobs_close(w->b);
    free(w);
}

int ks_hub_errands_begin(ks_hub_errands **out, const char *mirror, ks_error *e)
{
    struct stat st;
    ks_hub_errands *w = calloc(1, sizeof *w);
    *out = NULL;
    if (!w) return ks_fail(e, KS_ENOMEM, "no memory for a hub");
    snprintf(w->path, sizeof w->path, "%.*s/" PIPE, KS_MAX_PATH, mirror);
    w->fd = -1;
    if (mkfifo(w->path, 0600) == 0 || errno == EEXIST) /* as a writer, too: it never ends */
        w->fd = open(w->path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    if (w->fd >= 0 && fstat(w->fd, &st) == 0 && S_ISFIFO(st.st_mode)) {
        w->device = st.st_dev;
        w->inode = st.st_ino;
        w->b = ks_blobs_open(mirror, KS_BLOBS_MOST);
    }
    if (w->b) {
        *out = w;
        return 0;
    }
    ks_hub_errands_end(w);
    return ks_fail(e, KS_EIO, "%s: pictures cannot be kept there", mirror);
}

static int keep(void *arg, const ks_blob *blob)
{
    ks_blobs_put(arg, blob);
    return 0;
}

int ks_hub_errands_run(ks_hub_errands *w, ks_hub *h, double seconds, ks_error *e)
{
    char bytes[512];
    int64_t clip[AT_ONCE];
    struct stat st;
    struct pollfd p = {w->fd, POLLIN, 0};
    int n;
    poll(&p, 1, (int)(seconds * 1000));
    while (read(w->fd, bytes, sizeof bytes) > 0) continue;
    for (int i = 0; i < 2; i++)
        while ((n = ks_blobs_wanted(clip, AT_ONCE, w->b, tags[i])) > 0) {
            if (h && ask_hub(h, tags[i], clip, n, keep, w->b) < 0)
                return ks_fail(e, KS_ENET, "the hub does not answer");
            ks_blobs_done(w->b, tags[i], clip, n); /* here, or not to be had */
        }
    /* the mirror was made anew */
    if (stat(w->path, &st) != 0 || st.st_dev != w->device || st.st_ino != w->inode)
        return ks_fail(e, KS_ENOTFOUND, "%s is not there any more", w->path);
    return 0;
}

void ks_hub_cached(int64_t *bytes, int64_t *most, const char *mirror)
{
    char path[KS_MAX_PATH + 16];
    snprintf(path, sizeof path, "%.*s/blobs.db", KS_MAX_PATH, mirror);
    ks_blobs *b = access(path, R_OK | W_OK) == 0 ? ks_blobs_open(mirror, KS_BLOBS_MOST) : NULL;
    *bytes = b ? ks_blobs_bytes(b) : 0;
    *most = KS_BLOBS_MOST;
    ks_blobs_close(b);
}
