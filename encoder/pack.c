/* pack.c - the cache of packs; pack.h says what lies in the folder.
 *
 * Invariants: (1) a file named H.suffix is whole: it is written as H.suffix.part under a lock,
 * synced, then renamed. (2) A map is handed out only of a pack whose payload was once compared
 * with its CRC-32 and whose identity (device, inode, size, mtime, ctime) has not changed since.
 * (3) Nothing that goes wrong with the cache stops anybody: weights then live in memory, with
 * one notice. */
#include "encoder/pack.h"

#include "encoder/checkpoint.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { HEADER = 4096, PATH_ROOM = 4096, WRITE = 1 << 24 };
static const char MAGIC[8] = "KSPACK1\n";

struct ks_cache {
    char *folder; /* NULL: nowhere */
    void (*notice)(void *, const char *);
    void *notice_arg;
    int noticed;
};

struct ks_pack_sink {
    int fd; /* -1: memory */
    uint8_t *memory;
    size_t bytes;
    const char *path; /* as it is called while it grows */
    int broken;       /* errno of a write that failed: the file's fault, not the fill's */
};

typedef struct {
    char magic[8];
    uint32_t one;   /* byte order of whoever wrote it */
    uint32_t crc;   /* CRC-32 of the payload */
    uint64_t bytes; /* of the payload */
    char hash[72], suffix[24];
} pack_header;

/* --- the folder --- */

static char *default_folder(void)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char path[PATH_ROOM];
    if (xdg && xdg[0] == '/') snprintf(path, sizeof path, "%s/kinoseek", xdg);
    else if (home && home[0] == '/') snprintf(path, sizeof path, "%s/.cache/kinoseek", home);
    else return strdup("");
    return strdup(path);
}

int ks_cache_open(ks_cache **out, const char *folder, void (*notice)(void *, const char *),
                  void *notice_arg, ks_error *e)
{
    *out = NULL;
    ks_cache *c = calloc(1, sizeof *c);
    char *name = folder ? strdup(folder) : default_folder();
    if (!c || !name) {
        free(c);
        free(name);
        return ks_fail(e, KS_ENOMEM, "no memory to open the cache of packs");
    }
    c->notice = notice;
    c->notice_arg = notice_arg;
    c->folder = name[0] ? name : NULL;
    if (!c->folder) free(name);
    *out = c;
    return 0;
}

void ks_cache_close(ks_cache *c)
{
    if (!c) return;
    free(c->folder);
    free(c);
}

char *ks_pack_path(const ks_cache *c, const char *hash, const char *suffix)
{
    char path[PATH_ROOM];
    if (!c->folder) return NULL;
    int n = snprintf(path, sizeof path, "%s/%s.%s", c->folder, hash, suffix);
    return n < 0 || n >= (int)sizeof path - 16 ? NULL : strdup(path);
}

/* mkdir -p; best effort, what follows will say what is wrong. */
static void make_folder(const ks_cache *c)
{
    char path[PATH_ROOM];
    if (snprintf(path, sizeof path, "%s", c->folder) >= (int)sizeof path) return;
    for (char *slash = path + 1; *slash; slash++) {
        if (*slash != '/') continue;
        *slash = 0;
        mkdir(path, 0700);
        *slash = '/';
    }
    mkdir(path, 0700);
}

static int write_all(int fd, const void *data, size_t n, off_t at)
{
    for (size_t done = 0; done < n;) {
        size_t part = n - done < WRITE ? n - done : WRITE;
        ssize_t put = pwrite(fd, (const char *)data + done, part, at + (off_t)done);
        if (put < 0 && errno == EINTR) continue;
        if (put == 0) errno = ENOSPC;
        if (put <= 0) return -1;
        done += (size_t)put;
    }
    return 0;
}

/* --- who was checked --- */

static void identity(char line[256], const struct stat *st, const char *note)
{
    snprintf(line, 256, "%llu %llu %lld %lld.%09ld %lld.%09ld %s\n", (unsigned long long)st->st_dev,
             (unsigned long long)st->st_ino, (long long)st->st_size, (long long)st->st_mtim.tv_sec,
             st->st_mtim.tv_nsec, (long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec, note);
}

enum { REMEMBERED = 16384, LINES = 48 }; /* bytes read of a list; files remembered of one model */

/* The list `key` of the cache into text[REMEMBERED], terminated; "" when there is none. */
static void read_list(const ks_cache *c, const char *key, char *text)
{
    char *path = ks_pack_path(c, key, "files");
    /* a pipe of that name must not hold us */
    int fd = path ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
    ssize_t n = fd >= 0 ? read(fd, text, REMEMBERED - 1) : 0;
    text[n > 0 ? n : 0] = 0;
    if (fd >= 0) close(fd);
    free(path);
}

int ks_cache_vouches(ks_cache *c, const char *key, const struct stat *st, char note[96])
{
    char text[REMEMBERED], mine[256];
    identity(mine, st, "");
    size_t length = strlen(mine) - 1; /* without the newline: with the space before the note */
    read_list(c, key, text);
    for (const char *line = text; *line;) {
        const char *end = strchr(line, '\n');
        if (!end) break; /* an unfinished line vouches for nothing */
        if ((size_t)(end - line) >= length && memcmp(line, mine, length) == 0) {
            if (note)
                snprintf(note, 96, "%.*s", (int)(end - line - (ptrdiff_t)length), line + length);
            return 1;
        }
        line = end + 1;
    }
    return 0;
}

void ks_cache_put_text(const char *path, const char *text)
{
    char part[PATH_ROOM];
    if (snprintf(part, sizeof part, "%s.%ld", path, (long)getpid()) >= (int)sizeof part) return;
    /* of a process of that number that was killed; never through a link that somebody laid there */
    unlink(part);
    int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return;
    int bad = write_all(fd, text, strlen(text), 0);
    bad |= close(fd);
    if (bad || rename(part, path) != 0) unlink(part);
}

void ks_cache_vouch(ks_cache *c, const char *key, const struct stat *st, const char *note)
{
    char text[REMEMBERED + 256], *path = ks_pack_path(c, key, "files");
    if (!path) return;
    make_folder(c);
    identity(text, st, note);
    read_list(c, key, text + strlen(text)); /* newest first */
    char *end = text;
    for (int i = 0; i < LINES && end; i++) {
        char *newline = strchr(end, '\n');
        end = newline ? newline + 1 : NULL;
        if (end && *end == 0) break;
    }
    if (end) *end = 0;
    ks_cache_put_text(path, text);
    free(path);
}

void ks_cache_settle(const struct stat *st)
{
    struct timespec now, wait = {0, 0};
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t age = ((int64_t)now.tv_sec - st->st_ctim.tv_sec) * 1000000000 +
                  (now.tv_nsec - st->st_ctim.tv_nsec);
    /* The kernel stamps files by its tick, 10 ms at worst. */
    if (age < 0 || age >= 50000000) return;
    wait.tv_nsec = (long)(50000000 - age);
    nanosleep(&wait, NULL);
}

/* --- mapping --- */

static void say_once(ks_cache *c, const char *why, size_t bytes)
{
    char text[PATH_ROOM + 200];
    if (c->noticed || !c->notice) return;
    c->noticed = 1;
    snprintf(text, sizeof text,
             "%s: %zu MB of prepared weights cannot be kept there (%s); they stay in memory, and "
             "every start prepares them anew",
             c->folder ? c->folder : "XDG_CACHE_HOME and HOME are not set",
             (bytes + 999999) / 1000000, why);
    c->notice(c->notice_arg, text);
}

static int map_file(ks_pack *p, int fd, size_t bytes)
{
    void *base = mmap(NULL, HEADER + bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED) return -1;
    *p = (ks_pack){.data = (const uint8_t *)base + HEADER,
                   .bytes = bytes,
                   .base = base,
                   .mapped = HEADER + bytes};
    return 0;
}

void ks_pack_close(ks_pack *p)
{
    if (p->base) munmap(p->base, p->mapped);
    *p = (ks_pack){0};
}

static int header_fits(const pack_header *h, const ks_pack_name *name)
{
    return memcmp(h->magic, MAGIC, sizeof MAGIC) == 0 && h->one == 1 && h->bytes == name->bytes &&
           strncmp(h->hash, name->hash, sizeof h->hash) == 0 &&
           strncmp(h->suffix, name->suffix, sizeof h->suffix) == 0;
}

/* The list that knows this pack's own identity. */
static void own_key(char key[128], const ks_pack_name *name)
{
    snprintf(key, 128, "%s.%s.ok", name->hash, name->suffix);
}

/* Its own identity vouches for it, or its payload is compared with its CRC once more. */
static int pack_is_whole(const ks_pack_name *name, const ks_pack *p, int fd)
{
    struct stat st;
    char key[128], note[96];
    const pack_header *h = p->base;
    if (fstat(fd, &st) != 0) return 0;
    own_key(key, name);
    if (ks_cache_vouches(name->cache, key, &st, note)) return 1;
    if (ks_crc32(0, p->data, p->bytes) != h->crc) return 0;
    ks_cache_vouch(name->cache, key, &st, "");
    return 1;
}

int ks_pack_find(ks_pack *p, const ks_pack_name *name, ks_error *e)
{
    struct stat st;
    char *path = ks_pack_path(name->cache, name->hash, name->suffix);
    int good = 0, fd = path ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
    *p = (ks_pack){0};
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
        st.st_size == (off_t)(HEADER + name->bytes) && map_file(p, fd, name->bytes) == 0) {
        good = header_fits(p->base, name) && pack_is_whole(name, p, fd);
        if (!good) ks_pack_close(p);
    }
    if (fd >= 0) close(fd);
    free(path);
    return good ? 0 : ks_fail(e, KS_ENOTFOUND, "no pack %s.%s", name->hash, name->suffix);
}

/* --- making --- */

int ks_pack_put(ks_pack_sink *s, size_t at, const void *data, size_t n, ks_error *e)
{
    assert(at <= s->bytes && n <= s->bytes - at);
    if (s->fd < 0) {
        memcpy(s->memory + at, data, n);
        return 0;
    }
    if (write_all(s->fd, data, n, (off_t)(HEADER + at)) == 0) return 0;
    s->broken = errno;
    return ks_fail(e, KS_EIO, "%s: cannot be written: %s", s->path, strerror(errno));
}

static int make_in_memory(ks_pack *p, size_t bytes, ks_pack_fill *fill, void *arg, ks_error *e)
{
    void *base = mmap(NULL, bytes > 0 ? bytes : 1, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED)
        return ks_fail(e, KS_ENOMEM, "no memory for %zu bytes of weights", bytes);
    ks_pack_sink sink = {.fd = -1, .memory = base, .bytes = bytes, .path = "memory"};
    *p = (ks_pack){.data = base,
                   .bytes = bytes,
                   .base = base,
                   .mapped = bytes > 0 ? bytes : 1,
                   .in_memory = 1};
    int err = fill(arg, &sink, e);
    if (err) ks_pack_close(p);
    else mprotect(base, p->mapped, PROT_READ);
    return err;
}

/* steps: two seconds for somebody else who prepares the same weights */
enum { PATIENCE = 200, STEP_MS = 10 };

/* 0, or -1 with errno: EWOULDBLOCK where it was held all the time. A process that is stopped may
 * hold it for ever. */
static int lock_soon(int fd, int *steps)
{
    const struct timespec step = {0, STEP_MS * 1000000L};
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EINTR && (errno != EWOULDBLOCK || *steps >= PATIENCE)) return -1;
        nanosleep(&step, NULL);
        ++*steps;
    }
    return 0;
}

/* Open path.part and lock it; whoever holds the lock of the file that has this name may write
 * it. */
static int open_part(const char *part)
{
    struct stat mine, named;
    for (int tries = 0, steps = 0; tries < 100; tries++) {
        int fd = open(part, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
        if (fd < 0) return -1;
        /* a pipe, or somebody's file */
        if (fstat(fd, &mine) != 0 || !S_ISREG(mine.st_mode) || mine.st_nlink > 1) errno = EEXIST;
        else if (lock_soon(fd, &steps) == 0) {
            if (lstat(part, &named) == 0 && mine.st_ino == named.st_ino &&
                mine.st_dev == named.st_dev)
                return fd;
            close(fd); /* renamed or removed while we waited */
            continue;
        }
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    errno = EBUSY;
    return -1;
}

static int reserve(int fd, size_t bytes)
{
    if (ftruncate(fd, 0) != 0) return -1;
    if (fallocate(fd, 0, 0, (off_t)(HEADER + bytes)) == 0) return 0;
    if (errno != EOPNOTSUPP && errno != ENOSYS) return -1;
    return ftruncate(fd, (off_t)(HEADER + bytes));
}

/* Header, sync, rename, and the identity of what was just checked. 0 or -1 with errno. */
static int publish(ks_pack *p, const ks_pack_name *name, const ks_pack_sink *s, const char *path)
{
    struct stat st;
    char key[128];
    pack_header h = {.one = 1, .bytes = s->bytes};
    memcpy(h.magic, MAGIC, sizeof MAGIC);
    snprintf(h.hash, sizeof h.hash, "%s", name->hash);
    snprintf(h.suffix, sizeof h.suffix, "%s", name->suffix);
    if (map_file(p, s->fd, s->bytes) != 0) return -1;
    h.crc = ks_crc32(0, p->data, p->bytes);
    int why = write_all(s->fd, &h, sizeof h, 0) != 0 ? errno : ks_give_name(s->fd, s->path, path);
    if (why) {
        ks_pack_close(p);
        errno = why;
        return -1;
    }
    own_key(key, name);
    if (fstat(s->fd, &st) == 0) ks_cache_vouch(name->cache, key, &st, "");
    return 0;
}

typedef struct {
    ks_pack_fill *fill;
    void *arg;
    int why; /* errno of a cache that could not take it, which is no error */
} filling;

/* 0; an error of fill; or 1 with f->why. s->path is where it grows, path what it shall be
 * called. */
static int make_in_file(ks_pack *p, const ks_pack_name *name, ks_pack_sink *s, const char *path,
                        filling *f, ks_error *e)
{
    make_folder(name->cache);
    s->fd = open_part(s->path);
    if (s->fd < 0) {
        f->why = errno;
        return 1;
    }
    int err = 0;
    if (ks_pack_find(p, name, NULL) == 0) { /* made by somebody else meanwhile */
        unlink(s->path);
    } else if (reserve(s->fd, s->bytes) != 0) {
        f->why = errno, err = 1;
    } else {
        err = f->fill(f->arg, s, e);
        if (err && s->broken) f->why = s->broken, err = 1;
        if (!err && publish(p, name, s, path) != 0) f->why = errno, err = 1;
    }
    if (err) unlink(s->path);
    close(s->fd);
    return err;
}

int ks_pack_open(ks_pack *p, const ks_pack_name *name, ks_pack_fill *fill, void *arg, ks_error *e)
{
    int err = 1;
    char part[PATH_ROOM];
    filling f = {fill, arg, ENOENT};
    assert(strlen(name->hash) < 72 && strlen(name->suffix) < 24);
    if (ks_pack_find(p, name, NULL) == 0) return 0;
    char *path = ks_pack_path(name->cache, name->hash, name->suffix);
    if (path) {
        snprintf(part, sizeof part, "%s.part", path);
        ks_pack_sink sink = {.fd = -1, .bytes = name->bytes, .path = part};
        err = make_in_file(p, name, &sink, path, &f, e);
    }
    free(path);
    if (err <= 0) return err;
    if (e) *e = (ks_error){0};
    err = make_in_memory(p, name->bytes, fill, arg, e);
    const char *why = f.why == EWOULDBLOCK ? "another kinoseek has been preparing them for 2 s"
                                           : strerror(f.why);
    if (!err) say_once(name->cache, name->cache->folder ? why : "nowhere to put them", name->bytes);
    return err;
}
