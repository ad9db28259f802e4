/* probe_tokens.c - tokens of films, computed once: a file a film in the folder kinoseek/tokens
 * of the cache.
 *
 *   kept_head, its key as text (all that the tokens' bits come from), zeros up to HEAD bytes, f2
 *     [rows, D], and what was said of the film
 * A file is written under a name of its own and renamed when it is whole, so that a run which
 * was killed goes on where it stood. Its name is a digest of the key; what decides is the key
 * inside, and the sum over all of it. f2: a clip of LvT-B takes 6.3 MB, and rounds to 2^-11 of a
 * token, below bf16. */
#include "eval/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD = 512, REMARK = 400 };

typedef struct {
    char magic[8];
    uint32_t one, dim;
    int64_t rows;
    uint64_t sum; /* of key and payload */
    char key[HEAD - 32];
} kept_head;

_Static_assert(sizeof(kept_head) == HEAD, "no padding");

static int no_memory(ks_error *e)
{
    return ks_fail(e, KS_ENOMEM, "no memory for the tokens of a film");
}

/* FNV-1a over words of eight bytes; enough against damage, and its name is no secret. */
static uint64_t digest(uint64_t h, const void *data, size_t bytes)
{
    const char *at = data;
    for (uint64_t word = 0; bytes > 0; word = 0) {
        size_t n = bytes < sizeof word ? bytes : sizeof word;
        memcpy(&word, at, n);
        h = (h ^ word) * 0x100000001b3u;
        h ^= h >> 29;
        at += n;
        bytes -= n;
    }
    return h;
}

static const uint64_t START = 0xcbf29ce484222325u;

/* --- f2 --- */

/* Round to the nearest (ties to even); |x| < 65504. */
static uint16_t to_half(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t sign = bits >> 16 & 0x8000, rest = bits & 0x7fffffff;
    if (rest < 0x38800000) return (uint16_t)(sign | (uint32_t)lrintf(fabsf(x) * 0x1p24f));
    rest += 0xfff + (rest >> 13 & 1);
    return (uint16_t)(sign | (rest - 0x38000000) >> 13);
}

/* Exact: exponent and mantissa move to their place, 2^112 mends the exponent, of small numbers
 * too. */
static void widen(float *x, const uint16_t *half, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = (uint32_t)(half[i] & 0x7fff) << 13, sign = (uint32_t)(half[i] & 0x8000)
                                                                   << 16;
        float y;
        memcpy(&y, &bits, sizeof y);
        y *= 0x1p112f;
        memcpy(&bits, &y, sizeof bits);
        bits |= sign;
        memcpy(&x[i], &bits, sizeof bits);
    }
}

/* --- a file of tokens --- */

static int read_at(int fd, void *to, size_t bytes, off_t at)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t got = pread(fd, (char *)to + done, bytes - done, at + (off_t)done);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return -1;
        done += (size_t)got;
    }
    return 0;
}

/* 1: half[rows, dim] is what was kept under this key; 0: it is not there, or not sound. key
 * NULL: any. */
static int read_kept(uint16_t *half, const char *path, const ks_probe_shape *shape, const char *key)
{
    kept_head head;
    size_t bytes = (size_t)shape->rows * (size_t)shape->dim * sizeof *half;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return 0;
    int good = read_at(fd, &head, sizeof head, 0) == 0 && memcmp(head.magic, "KSTOKEN1", 8) == 0 &&
               head.one == 1 && head.dim == (uint32_t)shape->dim && head.rows == shape->rows &&
               read_at(fd, half, bytes, HEAD) == 0 &&
               head.sum == digest(digest(START, head.key, sizeof head.key), half, bytes) &&
               (!key || strncmp(head.key, key, sizeof head.key) == 0);
    close(fd);
    return good;
}

/* What was said of the film while its tokens were made, behind them. */
static void read_remark(char remark[REMARK], const char *path, const ks_probe_shape *shape)
{
    size_t bytes = (size_t)shape->rows * (size_t)shape->dim * sizeof(uint16_t);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd < 0 ? 0 : pread(fd, remark, REMARK - 1, (off_t)(HEAD + bytes));
    remark[n > 0 ? n : 0] = 0;
    if (fd >= 0) close(fd);
}

static int write_kept(const char *path, const uint16_t *half, const ks_probe_shape *shape,
                      const char *key, const char *remark, ks_error *e)
{
    kept_head head = {
        .magic = "KSTOKEN1", .one = 1, .dim = (uint32_t)shape->dim, .rows = shape->rows};
    size_t bytes = (size_t)shape->rows * (size_t)shape->dim * sizeof *half;
    char *part = NULL;
    if (asprintf(&part, "%s.%d", path, (int)getpid()) < 0) return no_memory(e);
    snprintf(head.key, sizeof head.key, "%s", key);
    head.sum = digest(digest(START, head.key, sizeof head.key), half, bytes);
    FILE *f = fopen(part, "wbe");
    int bad = !f || fwrite(&head, sizeof head, 1, f) != 1 || fwrite(half, 1, bytes, f) != bytes ||
              fputs(remark, f) < 0;
    if (f && fclose(f) != 0) bad = 1;
    if (!bad && rename(part, path) != 0) bad = 1;
    int why = errno;
    if (bad && f) unlink(part);
    int err = bad ? ks_fail(e, KS_EIO, "%s: tokens cannot be kept there: %s", path, strerror(why))
                  : 0;
    free(part);
    return err;
}

int ks_probe_tokens(float *x, uint16_t *half, const ks_probe_film *film,
                    const ks_probe_shape *shape, ks_error *e)
{
    if (!read_kept(half, film->kept, shape, NULL))
        return ks_fail(e, KS_EIO, "%s: the tokens of %s are gone or damaged since this run began",
                       film->kept, film->name);
    widen(x, half, (size_t)shape->rows * (size_t)shape->dim);
    return 0;
}

/* --- the films of a run --- */

typedef struct {
    const ks_probe_options *o;
    const ks_probe_shape *shape;
    char *folder;
    uint16_t *half;       /* [rows, dim] */
    int64_t told, untold; /* notices about missing films */
    char remark[REMARK];  /* of the film at work; "": none */
} keeper;

static void take_remark(void *arg, const char *words)
{
    keeper *k = arg;
    size_t n = strlen(k->remark);
    snprintf(k->remark + n, sizeof k->remark - n, "%s%s", n ? "; " : "", words);
}

static void say_remark(const keeper *k, const char *path)
{
    char text[REMARK + 320];
    if (!*k->remark || !k->o->notice) return;
    snprintf(text, sizeof text, "%.300s: %s", path, k->remark);
    k->o->notice(k->o->arg, text);
}

/* kinoseek/tokens of the cache, made; malloc'ed. */
static int find_folder(char **folder, ks_error *e)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = xdg && xdg[0] == '/'     ? asprintf(folder, "%s/kinoseek/tokens", xdg)
            : home && home[0] == '/' ? asprintf(folder, "%s/.cache/kinoseek/tokens", home)
                                     : 0;
    if (n <= 0) *folder = NULL;
    if (n < 0) return no_memory(e);
    if (n == 0)
        return ks_fail(e, KS_EUSAGE,
                       "there is no place to keep tokens: neither XDG_CACHE_HOME nor HOME is set");
    for (char *at = *folder + 1; *at; at++) {
        if (*at != '/') continue;
        *at = 0;
        mkdir(*folder, 0700);
        *at = '/';
    }
    if (mkdir(*folder, 0700) == 0 || errno == EEXIST) return 0;
    return ks_fail(e, KS_EIO, "%s: cannot be made: %s", *folder, strerror(errno));
}

static int round_tokens(uint16_t *half, const float *x, size_t n, const char *name, ks_error *e)
{
    for (size_t i = 0; i < n; i++) {
        if (!(fabsf(x[i]) < 65504))
            return ks_fail(e, KS_EFORMAT, "%s: its tokens are not finite or beyond 65504", name);
        half[i] = to_half(x[i]);
    }
    return 0;
}

static int compute(keeper *k, const ks_probe_film *film, const char *key, ks_error *e)
{
    const ks_probe_options *o = k->o;
    ks_clip_pixels clip = {0};
    float *x = NULL;
    int64_t dims[2] = {0};
    ks_clip_how how = o->how;
    how.remark = take_remark;
    how.remark_arg = k;
    int err = ks_clip_film(&clip, &how, film->path, film->from, film->to, e);
    if (err) return err;
    err = ks_features(&x, dims, o->enc, KS_STAGE_SPATIOTEMPORAL, &clip, e);
    if (!err && (dims[0] != k->shape->rows || dims[1] != k->shape->dim))
        err = ks_fail(e, KS_ESHAPE, "%s: it gives other tokens", film->name);
    if (!err) err = round_tokens(k->half, x, (size_t)dims[0] * (size_t)dims[1], film->name, e);
    if (!err) err = write_kept(film->kept, k->half, k->shape, key, k->remark, e);
    free(x);
    ks_clip_free(&clip);
    return err;
}

/* What the tokens' bits come from: model, arithmetic, film, segment, frames, picture. */
static void key_of(char key[HEAD - 32], const ks_probe_options *o, const ks_probe_film *film,
                   const char *content)
{
    const ks_info *info = ks_encoder_info(o->enc);
    snprintf(key, HEAD - 32,
             "tokens 1 %s model %s precision %d film %s from %.17g to %.17g frames %d side %d fit "
             "%d resize %d sampler %d",
             KS_VERSION, info->hash, (int)info->precision, content, film->from, film->to,
             o->how.frames, o->how.side, (int)o->how.fit, KS_RESIZE_VERSION, KS_SAMPLER_VERSION);
}

static int keep_one(keeper *k, ks_probe_film *film, ks_error *e)
{
    char content[KS_CONTENT_HEX], key[HEAD - 32];
    int err = ks_content_of(content, film->path, e);
    if (err) return err;
    key_of(key, k->o, film, content);
    free(film->kept);
    if (asprintf(&film->kept, "%s/%016llx", k->folder,
                 (unsigned long long)digest(START, key, strlen(key))) < 0)
        film->kept = NULL;
    if (!film->kept) return no_memory(e);
    k->remark[0] = 0;
    if (read_kept(k->half, film->kept, k->shape, key)) read_remark(k->remark, film->kept, k->shape);
    else err = compute(k, film, key, e);
    say_remark(k, film->path);
    return err;
}

enum { TOLD = 20 };

static void say_missing(keeper *k, const char *sentence)
{
    char text[640];
    if (!k->o->notice) return;
    if (k->told++ >= TOLD) {
        k->untold++;
        return;
    }
    snprintf(text, sizeof text, "missing: %s", sentence);
    k->o->notice(k->o->arg, text);
}

/* A film that cannot be had is missing; a machine that cannot is the end. */
static int keep_list(keeper *k, ks_probe_list *list, int64_t before, int64_t of, ks_error *e)
{
    for (int64_t i = 0; i < list->n; i++) {
        ks_error why = {0};
        ks_probe_film *film = &list->at[i];
        int err = keep_one(k, film, &why);
        int ours = film->kept && err == KS_EIO &&
                   strncmp(why.msg, film->kept, strlen(film->kept)) == 0;
        if (err == KS_ENOMEM || err == KS_ESTOP || ours) return ks_fail(e, err, "%s", why.msg);
        film->missing = err != 0;
        if (err) say_missing(k, why.msg);
        if (k->o->progress) k->o->progress(k->o->arg, "films", before + i + 1, of);
    }
    return 0;
}

int ks_probe_keep(ks_probe_shape *shape, ks_probe_lists *l, const ks_probe_options *o, ks_error *e)
{
    const ks_info *info = ks_encoder_info(o->enc);
    int64_t grid = o->how.side / info->patch, of = l->train.n + l->test.n;
    keeper k = {.o = o, .shape = shape};
    char text[96];
    *shape = (ks_probe_shape){.rows = o->how.frames * grid * grid, .dim = info->dim};
    int err = find_folder(&k.folder, e);
    if (!err && !(k.half = malloc((size_t)shape->rows * (size_t)shape->dim * sizeof *k.half)))
        err = no_memory(e);
    if (!err) err = keep_list(&k, &l->train, 0, of, e);
    if (!err) err = keep_list(&k, &l->test, l->train.n, of, e);
    if (k.untold > 0) {
        snprintf(text, sizeof text, "missing: %lld films more", (long long)k.untold);
        o->notice(o->arg, text);
    }
    free(k.half);
    free(k.folder);
    return err;
}
