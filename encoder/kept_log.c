/* kept_log.c - vectors kept one by one, each in the file before the next is begun: for work of
 * hours that may be killed.
 *
 * H.NAME of the cache folder is a header and records as kept.h has them, only ever added to. A
 * record that was cut short by a kill is written over by the next; one that was damaged has
 * another sum and counts as not there. Several programs may add to one file: the end is found
 * and written under its lock. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "encoder/kept.h"

enum { SYNC_SECONDS = 5 };

typedef struct {
    uint8_t key[KS_KEPT_KEY];
    int64_t at; /* of its record in the file; 0: the slot is free */
} slot;

struct ks_kept_log {
    ks_encoder *enc;
    char *path;
    int fd;        /* -1: there is no cache to write to */
    int why;       /* then: an errno */
    int64_t known; /* bytes of the file whose records are in slots */
    slot *slots;   /* [room], a power of two */
    size_t n, room;
    uint8_t *record; /* one */
    time_t synced;
};

/* The slot of a key, or the free one where it belongs. A key is a digest: its first bytes
 * spread. */
static slot *slot_of(const ks_kept_log *log, const uint8_t *key)
{
    uint64_t h;
    memcpy(&h, key, sizeof h);
    for (size_t i = (size_t)h & (log->room - 1);; i = (i + 1) & (log->room - 1))
        if (log->slots[i].at == 0 || memcmp(log->slots[i].key, key, KS_KEPT_KEY) == 0)
            return &log->slots[i];
}

static int grow(ks_kept_log *log)
{
    slot *old = log->slots;
    size_t room = log->room;
    log->slots = calloc(room ? 2 * room : 1024, sizeof *log->slots);
    if (!log->slots) {
        log->slots = old;
        return -1;
    }
    log->room = room ? 2 * room : 1024;
    for (size_t i = 0; i < room; i++)
        if (old[i].at) *slot_of(log, old[i].key) = old[i];
    free(old);
    return 0;
}

static int note(ks_kept_log *log, const uint8_t *key, int64_t at)
{
    if (2 * log->n >= log->room && grow(log) < 0) return -1;
    slot *s = slot_of(log, key);
    log->n += s->at == 0;
    memcpy(s->key, key, KS_KEPT_KEY);
    s->at = at; /* of equal keys the newest: an older one may be the damaged one */
    return 0;
}

/* The records that came since the last look. */
static int look(ks_kept_log *log)
{
    int64_t each = (int64_t)ks_kept_record_bytes(log->enc);
    struct stat st;
    if (log->fd < 0 || fstat(log->fd, &st) != 0) return 0;
    for (; log->known + each <= st.st_size; log->known += each) {
        uint8_t key[KS_KEPT_KEY];
        if (pread(log->fd, key, sizeof key, log->known) != (ssize_t)sizeof key) return 0;
        if (note(log, key, log->known) < 0) return -1;
    }
    return 0;
}

/* A file of ours, made where there is none; -1: it cannot be had. What has another header is
 * begun anew. */
static int open_file(const char *path, const ks_encoder *enc)
{
    ks_kept_header want = ks_kept_header_of(enc), is = {0};
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600), why;
    struct stat st;
    if (fd < 0) return -1;
    errno = 0;
    if (flock(fd, LOCK_EX) != 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) goto no;
    if (pread(fd, &is, sizeof is, 0) != (ssize_t)sizeof is ||
        memcmp(&is, &want, sizeof want) != 0) {
        if (ftruncate(fd, 0) != 0 || pwrite(fd, &want, sizeof want, 0) != (ssize_t)sizeof want)
            goto no;
    }
    flock(fd, LOCK_UN);
    return fd;
no:
    why = errno ? errno : ENOTSUP; /* no regular file */
    close(fd);
    errno = why;
    return -1;
}

int ks_kept_log_open(ks_kept_log **out, ks_encoder *enc, const char *name, ks_error *e)
{
    ks_kept_log *log = calloc(1, sizeof *log);
    *out = log;
    if (!log) return ks_fail(e, KS_ENOMEM, "no memory for the vectors that are kept");
    log->enc = enc;
    log->fd = -1;
    log->known = sizeof(ks_kept_header);
    log->record = malloc(ks_kept_record_bytes(enc));
    log->path = ks_pack_path(enc->weights->cache, enc->weights->info.hash, name);
    if (log->record && grow(log) == 0) {
        log->why = ENOENT;
        if (log->path && (log->fd = open_file(log->path, enc)) < 0) log->why = errno;
        if (look(log) == 0) return 0;
    }
    ks_kept_log_close(log);
    *out = NULL;
    return ks_fail(e, KS_ENOMEM, "no memory for the vectors that are kept");
}

void ks_kept_log_close(ks_kept_log *log)
{
    if (!log) return;
    if (log->fd >= 0) close(log->fd);
    free(log->path);
    free(log->slots);
    free(log->record);
    free(log);
}

int ks_kept_log_find(float *v, ks_kept_log *log, const char *how, const char *what)
{
    size_t each = ks_kept_record_bytes(log->enc), head = KS_KEPT_KEY + sizeof(uint32_t);
    uint8_t key[KS_KEPT_KEY];
    uint32_t crc;
    ks_kept_key(key, log->enc, how, what);
    const slot *s = slot_of(log, key);
    if (s->at == 0 || pread(log->fd, log->record, each, s->at) != (ssize_t)each) return 0;
    memcpy(&crc, log->record + KS_KEPT_KEY, sizeof crc);
    if (memcmp(log->record, key, sizeof key) != 0 ||
        crc != ks_kept_sum(key, log->record + head, each - head))
        return 0;
    memcpy(v, log->record + head, each - head);
    return 1;
}

static int not_kept(const ks_kept_log *log, int errnum, ks_error *e)
{
    return ks_fail(e, KS_EIO, "%s: vectors cannot be kept: %s",
                   log->path ? log->path : "no cache folder", strerror(errnum));
}

/* At the end of whole records: what lies behind them was cut short. */
static int append(ks_kept_log *log)
{
    int64_t each = (int64_t)ks_kept_record_bytes(log->enc), head = sizeof(ks_kept_header);
    struct stat st;
    if (flock(log->fd, LOCK_EX) != 0 || fstat(log->fd, &st) != 0) return errno;
    int64_t at = st.st_size < head ? head : head + (st.st_size - head) / each * each;
    ssize_t done = pwrite(log->fd, log->record, (size_t)each, at);
    int errnum = done == each ? 0 : done < 0 ? errno : ENOSPC;
    flock(log->fd, LOCK_UN);
    return errnum;
}

int ks_kept_log_put(ks_kept_log *log, const char *how, const char *what, const float *v,
                    ks_error *e)
{
    size_t head = KS_KEPT_KEY + sizeof(uint32_t), bytes = ks_kept_record_bytes(log->enc) - head;
    struct timespec now;
    if (log->fd < 0) return not_kept(log, log->why, e);
    ks_kept_key(log->record, log->enc, how, what);
    uint32_t crc = ks_kept_sum(log->record, v, bytes);
    memcpy(log->record + KS_KEPT_KEY, &crc, sizeof crc);
    memcpy(log->record + head, v, bytes);
    int errnum = append(log);
    if (errnum) return not_kept(log, errnum, e);
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec - log->synced >= SYNC_SECONDS) {
        fdatasync(log->fd);
        log->synced = now.tv_sec;
    }
    return look(log) == 0 ? 0 : ks_fail(e, KS_ENOMEM, "no memory for the vectors that are kept");
}
