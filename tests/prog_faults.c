/* prog_faults.c - each allocation and each file operation of the checkpoint, pack and kept
 * vectors' code fails once.
 *
 *   build/tests/prog_faults FOLDER [SCENE]   TAP; FOLDER is scratch
 *
 * This program defines malloc, open, pread ... itself, so the library's calls come here. Every
 * call of every function fails in turn, alone and with all later ones (reads and writes also by
 * half, and by a signal): the answer must be the right one or an error with a sentence, nothing
 * may leak, and the same call without a fault must give the right answer afterwards. */
#undef _FORTIFY_SOURCE
#include "encoder/checkpoint.h"
#include "encoder/tower.h"
#include "tests/npz_build.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
int main(void)
{
    puts("ok - runs in the ordinary build only: a sanitizer has an allocator of its own");
    return 0;
}
#else

enum {
    MALLOC,
    OPEN,
    READ,
    WRITE,
    FSYNC,
    RENAME,
    UNLINK,
    FTRUNCATE,
    FALLOCATE,
    MMAP,
    STAT,
    FLOCK,
    MKDIR,
    CLOSE,
    LINK,
    FUNCTIONS
};
static const char *const names[FUNCTIONS] = {
    "malloc",    "open", "read", "write", "fsync", "rename", "unlink", "ftruncate",
    "fallocate", "mmap", "stat", "flock", "mkdir", "close",  "linkat"};
static struct {
    int armed, function, sticky, number, halves;
    long at, seen;
} fault;

static int hit(int function)
{
    if (!fault.armed || fault.function != function) return 0;
    fault.seen++;
    if (fault.at == 0 || (fault.seen != fault.at && !(fault.sticky && fault.seen > fault.at)))
        return 0;
    errno = fault.number;
    return 1;
}

#define REAL(type, name, ...)                                                                      \
    static type (*real)(__VA_ARGS__);                                                              \
    if (!real) {                                                                                   \
        void *symbol = dlsym(RTLD_NEXT, name);                                                     \
        memcpy(&real, &symbol, sizeof symbol);                                                     \
    }
#define HALF(n) (fault.halves && (n) > 1 ? (n) / 2 : 0)

ssize_t read(int fd, void *b, size_t n)
{
    REAL(ssize_t, "read", int, void *, size_t)
    if (hit(READ)) return HALF(n) ? real(fd, b, HALF(n)) : -1;
    return real(fd, b, n);
}
ssize_t pread(int fd, void *b, size_t n, off_t o)
{
    REAL(ssize_t, "pread", int, void *, size_t, off_t)
    if (hit(READ)) return HALF(n) ? real(fd, b, HALF(n), o) : -1;
    return real(fd, b, n, o);
}
ssize_t pwrite(int fd, const void *b, size_t n, off_t o)
{
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t)
    if (hit(WRITE)) return HALF(n) ? real(fd, b, HALF(n), o) : -1;
    return real(fd, b, n, o);
}
ssize_t __read_chk(int fd, void *b, size_t n, size_t room);
ssize_t __pread_chk(int fd, void *b, size_t n, off_t o, size_t room);
ssize_t __read_chk(int fd, void *b, size_t n, size_t room)
{
    (void)room;
    return read(fd, b, n);
}
ssize_t __pread_chk(int fd, void *b, size_t n, off_t o, size_t room)
{
    (void)room;
    return pread(fd, b, n, o);
}
/* really syncing 10,000 times would be all that this test does */
int fsync(int fd)
{
    (void)fd;
    return hit(FSYNC) ? -1 : 0;
}
int ftruncate(int fd, off_t n)
{
    REAL(int, "ftruncate", int, off_t) return hit(FTRUNCATE) ? -1 : real(fd, n);
}
int fallocate(int fd, int mode, off_t a, off_t n)
{
    REAL(int, "fallocate", int, int, off_t, off_t)
    return hit(FALLOCATE) ? -1 : real(fd, mode, a, n);
}
int rename(const char *a, const char *b)
{
    REAL(int, "rename", const char *, const char *) return hit(RENAME) ? -1 : real(a, b);
}
int linkat(int x, const char *a, int y, const char *b, int flags)
{
    REAL(int, "linkat", int, const char *, int, const char *, int)
    return hit(LINK) ? -1 : real(x, a, y, b, flags);
}
int unlink(const char *a) { REAL(int, "unlink", const char *) return hit(UNLINK) ? -1 : real(a); }
int mkdir(const char *a, mode_t m)
{
    REAL(int, "mkdir", const char *, mode_t) return hit(MKDIR) ? -1 : real(a, m);
}
int flock(int fd, int op) { REAL(int, "flock", int, int) return hit(FLOCK) ? -1 : real(fd, op); }
int close(int fd)
{
    REAL(int, "close", int) if (hit(CLOSE))
    {
        real(fd);
        errno = fault.number;
        return -1;
    }
    return real(fd);
}
int fstat(int fd, struct stat *st)
{
    REAL(int, "fstat", int, struct stat *) return hit(STAT) ? -1 : real(fd, st);
}
int stat(const char *p, struct stat *st)
{
    REAL(int, "stat", const char *, struct stat *) return hit(STAT) ? -1 : real(p, st);
}
int open(const char *p, int flags, ...)
{
    REAL(int, "open", const char *, int, ...)
    va_list list;
    va_start(list, flags);
    int mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(list, int) : 0;
    va_end(list);
    return hit(OPEN) ? -1 : real(p, flags, mode);
}
void *mmap(void *a, size_t n, int prot, int flags, int fd, off_t o)
{
    REAL(void *, "mmap", void *, size_t, int, int, int, off_t)
    return hit(MMAP) ? MAP_FAILED : real(a, n, prot, flags, fd, o);
}

/* glibc's own entry points: dlsym would allocate. */
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
void *malloc(size_t n) { return hit(MALLOC) ? NULL : __libc_malloc(n); }
void *calloc(size_t a, size_t b) { return hit(MALLOC) ? NULL : __libc_calloc(a, b); }
void *realloc(void *p, size_t n) { return hit(MALLOC) ? NULL : __libc_realloc(p, n); }

/* --- what is called --- */

typedef struct {
    const char *name, *mode;
    char file[128];
    /* 0: gone, 1: a pack that vouches for another copy, 2: one that vouches for this file */
    int cache;
} scene;

static char folder[64], cache[80];
static long faults, calls;
static int harms;

/* Vectors are put twice and found. *sum 1: every one that is found is right; some may be lost. */
static int keep(uint32_t *sum, ks_error *e)
{
    ks_weights weights = {.info = {.hash = "aa"}};
    ks_encoder enc = {.weights = &weights,
                      .info = {.dim = 3, .precision = KS_FP32},
                      .kernels = ks_kernels_plain()};
    const char *const what[2] = {"red", "green"};
    const float v[6] = {1, 2, 3, 4, 5, 6};
    float got[6];
    uint8_t found[2];
    mkdir(cache, 0700);
    int err = ks_cache_open(&weights.cache, cache, NULL, NULL, e);
    if (err) return err;
    ks_kept_put(&enc, &(ks_kept){"how", what, 2}, v);
    ks_kept_put(&enc, &(ks_kept){"how", what + 1, 1}, v + 3);
    ks_kept_find(got, found, &enc, &(ks_kept){"how", what, 2});
    *sum = 1;
    for (int i = 0; i < 2; i++)
        if (found[i] && memcmp(got + 3 * i, v + 3 * i, 3 * sizeof *v) != 0) *sum = 2;
    if (!fault.armed || fault.at == 0) *sum += found[0] && found[1] ? 0 : 4;
    ks_cache_close(weights.cache);
    return 0;
}

static int run(uint32_t *sum, const scene *s, ks_error *e)
{
    int err;
    if (strcmp(s->mode, "keep") == 0) return keep(sum, e);
    if (strcmp(s->mode, "open") == 0) {
        ks_weights *w = NULL;
        err = ks_weights_open(&w, &(ks_weights_options){.model = s->file, .cache = cache}, e);
        if (!err) *sum = ks_crc32(0, w->pack.data, w->pack.bytes);
        ks_weights_close(w);
        return err;
    }
    *sum = 1;
    if (strcmp(s->mode, "check") == 0) return ks_model_check(s->file, NULL, NULL, e);
    ks_info like;
    ks_build_like(&like, KS_ENCODER, 0);
    err = ks_model_random(s->file, &like, 1, e);
    if (err) return err;
    fault.armed = 0;
    size_t n;
    uint8_t *file = ks_read_file(s->file, &n);
    *sum = ks_crc32(0, file, n);
    free(file);
    return 0;
}

static void copy_file(const char *to, const char *from)
{
    size_t n;
    uint8_t *data = ks_read_file(from, &n);
    ks_write_file(to, data, n);
    free(data);
}

static void prepare(const scene *s)
{
    char other[160];
    ks_weights *w;
    ks_error e;
    ks_remove_folder(cache);
    if (strcmp(s->mode, "random") == 0) unlink(s->file);
    snprintf(other, sizeof other, "%s/other.npz", folder);
    if (s->cache &&
        ks_weights_open(
            &w, &(ks_weights_options){.model = s->cache == 1 ? other : s->file, .cache = cache},
            &e) == 0)
        ks_weights_close(w);
}

static int descriptors(void)
{
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir)) n++;
    if (dir) closedir(dir);
    return n;
}

/* One call under `fault` as it is set. wanted: the right sum, 0 = whatever; may_fail: an error
 * is fine. */
static uint32_t judge(const scene *s, uint32_t wanted, int may_fail)
{
    ks_error e = {0};
    uint32_t sum = 0;
    int open_before = descriptors();
    size_t used = mallinfo2().uordblks;
    fault.seen = 0;
    fault.armed = 1;
    int err = run(&sum, s, &e);
    fault.armed = 0;
    size_t left = mallinfo2().uordblks - used;
    int good = left == 0 && descriptors() == open_before;
    /* KS_ESHAPE and KS_EFORMAT: jansson 2.14 drops the rest of a long key when its buffer cannot
     * grow, and says nothing; a tensor or the head count is then missing, which is an error, if
     * not the true one. */
    if (err)
        good &= may_fail && e.code == err && strlen(e.msg) > 8 &&
                (err == KS_ENOMEM || err == KS_EIO || err == KS_EFORMAT || err == KS_ESHAPE);
    else good &= wanted == 0 || sum == wanted;
    if (!good && harms++ < 20)
        printf("# %s, %s %ld errno %d%s%s: %d \"%s\" sum %08x for %08x, %zd bytes and %d "
               "descriptors left\n",
               s->name, names[fault.function], fault.at, fault.number,
               fault.sticky ? " and later" : "", fault.halves ? " half" : "", err, e.msg, sum,
               wanted, (ssize_t)left, descriptors() - open_before);
    return sum;
}

static void one(const scene *s, uint32_t wanted, int number, int sticky, int halves)
{
    faults++;
    prepare(s);
    fault.number = number, fault.sticky = sticky, fault.halves = halves;
    judge(s, wanted, number != EINTR && !halves);
    long at = fault.at;
    fault.at = 0;
    judge(s, wanted, 0); /* as if nothing had been */
    fault.at = at;
}

static void sweep(const scene *s)
{
    int before = harms;
    long first = faults;
    fault.at = 0;
    prepare(s);
    judge(s, 0, 0); /* what is allocated once and kept (stdio, zlib tables) is allocated now */
    prepare(s);
    uint32_t wanted = judge(s, 0, 0);
    for (int f = 0; f < FUNCTIONS; f++) {
        fault.function = f;
        fault.at = 0;
        prepare(s);
        judge(s, wanted, 0);
        long seen = fault.seen;
        calls += seen;
        /* Without FULL every third of many; jansson alone allocates two thousand times. */
        long step = getenv("FULL") || seen < 60 ? 1 : seen < 1000 ? 3 : 29;
        for (long at = 1; at <= seen; at += step) {
            fault.at = at;
            one(s, wanted, f == MALLOC || f == MMAP ? ENOMEM : EIO, 0, 0);
            one(s, wanted, f == MALLOC || f == MMAP ? ENOMEM : EIO, 1, 0);
            if (f == WRITE || f == OPEN || f == FALLOCATE) one(s, wanted, ENOSPC, 1, 0);
            if (f == READ || f == WRITE) one(s, wanted, EINTR, 0, 0), one(s, wanted, 0, 0, 1);
        }
    }
    printf("%sok - %s: %ld faults\n", harms == before ? "" : "not ", s->name, faults - first);
}

int main(int argc, char **argv)
{
    char other[160];
    if (argc > 1) snprintf(folder, sizeof folder, "%s", argv[1]);
    else ks_temp_folder(folder);
    snprintf(cache, sizeof cache, "%s/cache", folder);
    snprintf(other, sizeof other, "%s/other.npz", folder);
    setvbuf(stdout, NULL, _IONBF, 0);
    scene scenes[] = {
        {"npz, first time", "open", "tests/fixtures/encoder.npz", 0},
        {"npz, pack of another copy", "open", "tests/fixtures/encoder.npz", 1},
        {"npz, mapped", "open", "tests/fixtures/encoder.npz", 2},
        {"f2", "check", "tests/fixtures/small_f2.npz", 0},
        {"deflated, first time", "open", "", 0},
        {"safetensors, first time", "open", "tests/fixtures/small_hf/model.safetensors", 0},
        {"check", "check", "tests/fixtures/encoder.npz", 0},
        {"random", "random", "", 0},
        {"kept vectors", "keep", "", 0}};
    copy_file(other, "tests/fixtures/encoder.npz");
    snprintf(scenes[4].file, sizeof scenes[4].file, "%s/deflated.npz", folder);
    snprintf(scenes[7].file, sizeof scenes[7].file, "%s/random.npz", folder);
    ks_build *b = ks_build_load("tests/fixtures/encoder.npz");
    for (int i = 0; i < b->n; i++) b->at[i].method = 8;
    size_t n;
    uint8_t *deflated = ks_build_bytes(b, &n);
    ks_write_file(scenes[4].file, deflated, n);
    free(deflated);
    ks_build_free(b);
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
        if (argc < 3 || strcmp(argv[2], scenes[i].name) == 0) sweep(&scenes[i]);
    printf("# %ld calls, %ld faults, each followed by a call without\n", calls, faults);
    return harms ? 1 : 0;
}
#endif
