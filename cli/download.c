/* download.c - see download.h. The order of things: lock, resume or start, transfer (again and
 * again while it gets further), length, SHA-256, the caller's check, fsync, rename.
 *
 * What lies in PATH.part when a run begins is only ever made longer: a transfer that starts over
 * grows in PATH.part.new and takes its place once it is longer; a copy grows in PATH.copy; and
 * what turns out not to be the file is cut back to what was there, without the note, so that
 * nobody continues it. */
#include "cli/download.h"

#include "cli/http.h"
#include "cli/model_table.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum {
    TRIES = 5,          /* in a row that got no further */
    FURTHER = 64 << 10, /* bytes: less is no step (a server may give one byte more each time) */
    TRIES_EVER = 1000
};

int ks_is_address(const char *from) { return strstr(from, "://") != NULL; }

static int disk_error(const char *path, ks_error *e)
{
    return ks_fail(e, KS_EIO, "%s: %s", path, strerror(errno));
}

static char *with_ending(const char *path, const char *ending)
{
    char *s = NULL;
    return asprintf(&s, "%s%s", path, ending) < 0 ? NULL : s;
}

/* --- files of ours: never through a link, never a pipe --- */

static int own_file(const char *path, int flags, ks_error *e)
{
    struct stat st;
    int fd = open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    if (fd < 0)
        return errno == ELOOP ? ks_fail(e, KS_EIO, "%s: is a link; remove it", path)
                              : disk_error(path, e);
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1) return fd;
    close(fd);
    return ks_fail(e, KS_EIO,
                   "%s: is no file of ours (a pipe, or it has another name too); remove it", path);
}

static int is_named(int fd, const char *path)
{
    struct stat mine, named;
    return fstat(fd, &mine) == 0 && lstat(path, &named) == 0 && mine.st_ino == named.st_ino &&
           mine.st_dev == named.st_dev;
}

/* The file of that name, ours alone until it is closed: it may have been published or replaced
 * while we waited for it. */
static int locked_file(const char *path, ks_error *e)
{
    for (int tries = 0; tries < 10; tries++) {
        int fd = own_file(path, O_RDWR | O_CREAT, e);
        if (fd < 0) return fd;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0 && is_named(fd, path)) return fd;
        close(fd);
    }
    return ks_fail(e, KS_EBUSY, "%s: another kinoseek is fetching it", path);
}

/* --- one file on its way --- */

typedef struct {
    const ks_download *d;
    char *part, *note, *fresh, *copy; /* PATH.part, .part.from, .part.new, .copy */
    int fd;                           /* of the part, locked */
    int64_t before, longest;          /* bytes of the part: when this run began, ever since */
    int fresh_fd;                     /* a transfer that started over; -1: none */
    char validator[KS_VALIDATOR_MAX]; /* of it */
} fetching;

static int64_t length_of(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? (int64_t)st.st_size : 0;
}

/* The note beside the part: address, newline, validator, newline. */
static void read_note(const fetching *t, char validator[KS_VALIDATOR_MAX])
{
    char address[4096] = "";
    int fd = own_file(t->note, O_RDONLY, NULL);
    FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
    validator[0] = 0;
    if (f && fgets(address, sizeof address, f) && fgets(validator, KS_VALIDATOR_MAX, f)) {
        address[strcspn(address, "\n")] = 0;
        validator[strcspn(validator, "\n")] = 0;
        if (strcmp(address, t->d->from) != 0) validator[0] = 0;
    } else {
        validator[0] = 0;
    }
    if (f) fclose(f);
    else if (fd >= 0) close(fd);
}

/* Written when the body starts, so that a kill a second later can still be resumed. */
static void write_note(const fetching *t, const char *validator)
{
    unlink(t->note); /* whatever it is */
    int fd = own_file(t->note, O_WRONLY | O_CREAT | O_EXCL, NULL);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!f) {
        if (fd >= 0) close(fd);
        return; /* the next try then starts over */
    }
    fprintf(f, "%s\n%s\n", t->d->from, validator);
    fclose(f);
}

static int starts(void *arg, const char *validator, int over)
{
    fetching *t = arg;
    if (!over) return t->fd;
    snprintf(t->validator, sizeof t->validator, "%s", validator);
    if (length_of(t->fd) == 0) {
        write_note(t, validator);
        return t->fd;
    }
    unlink(t->fresh);
    t->fresh_fd = own_file(t->fresh, O_RDWR | O_CREAT | O_EXCL, NULL);
    if (t->fresh_fd >= 0 && flock(t->fresh_fd, LOCK_EX | LOCK_NB) != 0) return -1;
    return t->fresh_fd;
}

/* What started over is the part from here on. */
static int promote(fetching *t)
{
    /* a kill between here and the next note starts over, and never continues one with the
     * other's */
    unlink(t->note);
    if (rename(t->fresh, t->part) != 0) return -1;
    close(t->fd);
    t->fd = t->fresh_fd;
    t->fresh_fd = -1;
    write_note(t, t->validator);
    return 0;
}

/* It is, once it is longer than what was there. */
static int grows(void *arg, int64_t at)
{
    fetching *t = arg;
    return t->fresh_fd < 0 || at <= length_of(t->fd) ? 0 : promote(t);
}

static void drop_fresh(fetching *t)
{
    if (t->fresh_fd < 0) return;
    close(t->fresh_fd);
    t->fresh_fd = -1;
    unlink(t->fresh);
}

/* --- room and time --- */

static int check_room(const ks_download *d, int64_t missing, ks_error *e)
{
    struct statvfs fs;
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", d->path);
    if (missing <= 0 || statvfs(dirname(folder), &fs) != 0) return 0;
    int64_t room = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
    if (room >= missing) return 0;
    return ks_fail(e, KS_EIO, "%s: %.0f MB are missing and the disk has room for %.0f MB", d->path,
                   (double)missing / 1e6, (double)room / 1e6);
}

/* 0.2, 0.4, ... 3.2 s: a server that cuts is back soon, one that is down is not worth a minute. */
static void wait_before(int failed)
{
    struct timespec t = {0, 200000000};
    for (int i = 1; i < failed; i++) t.tv_nsec *= 2;
    t.tv_sec = t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    nanosleep(&t, NULL);
}

/* --- transfers --- */

/* Tries go on while each gets further, and never for more than the file three times. */
static int from_network(fetching *t, ks_error *e)
{
    const ks_download *d = t->d;
    const char *slash = strrchr(d->path, '/');
    ks_http_get get = {.url = d->from,
                       .most = d->bytes,
                       .quiet = d->quiet,
                       .name = slash ? slash + 1 : d->path,
                       .option = d->option,
                       .starts = starts,
                       .grows = grows,
                       .arg = t};
    int64_t received = 0;
    for (int failed = 0, tries = 1;; tries++) {
        get.fd = t->fd;
        get.have = length_of(t->fd);
        read_note(t, get.validator);
        if (d->bytes > 0 && get.have == d->bytes && get.validator[0]) return 0;
        /* it grows beside what is there */
        if (!get.validator[0] || (d->bytes > 0 && get.have > d->bytes)) get.have = 0;
        int err = check_room(d, d->bytes - get.have, e);
        if (!err) err = ks_http_fetch(&get, e);
        /* whole, and shorter than what was there */
        if (!err && t->fresh_fd >= 0 && promote(t) != 0) err = disk_error(t->part, e);
        int64_t now = length_of(t->fd);
        drop_fresh(t);
        if (!get.validator[0] && err) unlink(t->note);
        if (err != KS_ENET || get.final) return err;
        received += get.received;
        failed = now >= t->longest + FURTHER ? 0 : failed;
        if (now > t->longest) t->longest = now;
        if (++failed >= TRIES || tries >= TRIES_EVER ||
            (d->bytes > 0 && received > 3 * d->bytes + TRIES_EVER * FURTHER))
            return err;
        wait_before(failed);
    }
}

/* One's own copy, opened: a regular file of the right length, before anything is touched. */
static int open_source(const ks_download *d, ks_error *e)
{
    const char *path = strncmp(d->from, "file://", 7) == 0 ? d->from + 7 : d->from;
    struct stat st;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return ks_fail(e, errno == ENOENT ? KS_ENOTFOUND : KS_EIO, "%s: %s", d->from,
                       strerror(errno));
    int err = fstat(fd, &st) != 0   ? disk_error(d->from, e)
              : S_ISREG(st.st_mode) ? 0
                                    : ks_fail(e, KS_EFORMAT, "%s: not a regular file", d->from);
    if (!err && d->bytes > 0 && st.st_size != d->bytes)
        err = ks_fail(e, KS_EFORMAT, "%s: has %" PRId64 " bytes, the released file has %" PRId64,
                      d->from, (int64_t)st.st_size, d->bytes);
    if (!err) return fd;
    close(fd);
    return err;
}

static int copy_all(int to, int from, const char *name, const char *to_name, ks_error *e)
{
    enum { BLOCK = 1 << 20 };
    char *block = malloc(BLOCK);
    int err = block ? 0 : ks_fail(e, KS_ENOMEM, "%s: no memory to copy it", name);
    /* as it was opened: a file that grows while it is read has an end */
    int64_t left = length_of(from);
    while (!err && left > 0) {
        ssize_t n = read(from, block, left < BLOCK ? (size_t)left : BLOCK);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0)
            err = n < 0 ? disk_error(name, e)
                        : ks_fail(e, KS_EIO, "%s: became shorter while it was read", name);
        for (ssize_t done = 0; !err && done < n;) {
            ssize_t put = write(to, block + done, (size_t)(n - done));
            if (put < 0 && errno != EINTR) err = disk_error(to_name, e);
            if (put > 0) done += put;
        }
        left -= n > 0 ? n : 0;
    }
    free(block);
    return err;
}

/* --- is it the file? --- */

static int is_right(const ks_download *d, const char *path, const char *name, ks_error *e)
{
    struct stat st;
    char sha[65];
    int err = 0;
    if (lstat(path, &st) != 0) return disk_error(path, e);
    if (!S_ISREG(st.st_mode)) return ks_fail(e, KS_EFORMAT, "%s: not a regular file", name);
    if (d->bytes > 0 && st.st_size != d->bytes)
        return ks_fail(e, KS_EFORMAT, "%s: has %" PRId64 " bytes, the released file has %" PRId64,
                       name, (int64_t)st.st_size, d->bytes);
    if (d->sha256[0]) err = ks_file_sha256(sha, path, e);
    if (err) return err;
    if (d->sha256[0] && strcmp(sha, d->sha256) != 0)
        return ks_fail(e, KS_EFORMAT, "%s: its SHA-256 is %s, the released file's is %s", name, sha,
                       d->sha256);
    return d->check ? d->check(d->check_arg, path, e) : 0;
}

int ks_download_is_right(const ks_download *d, ks_error *e)
{
    assert(d);
    char *part = with_ending(d->path, ".part"), *note = with_ending(d->path, ".part.from");
    int err = is_right(d, d->path, d->path, e);
    /* of a run that was killed between name and note */
    if (!err && part && note && access(part, F_OK) != 0) unlink(note);
    free(part);
    free(note);
    return err;
}

/* What was checked gets its name, if it still is what was checked. */
static int publish(const ks_download *d, int fd, const char *grown, ks_error *e)
{
    if (!is_named(fd, grown)) return ks_fail(e, KS_EIO, "%s: was replaced under our hands", grown);
    int why = ks_give_name(fd, grown, d->path);
    return why ? ks_fail(e, KS_EIO, "%s: %s", d->path, strerror(why)) : 0;
}

/* What of it came so far is needed no more, unless somebody is fetching the rest. */
static void drop_part(fetching *t)
{
    int fd = own_file(t->part, O_RDWR, NULL);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && is_named(fd, t->part))
        unlink(t->part), unlink(t->note);
    if (fd >= 0) close(fd);
    else if (access(t->part, F_OK) != 0) unlink(t->note);
}

/* A copy of one's own grows beside the part. */
static int take_copy(fetching *t, ks_error *e)
{
    int fd = -1, from = open_source(t->d, e), err = from < 0 ? from : 0;
    if (!err) err = check_room(t->d, length_of(from), e);
    if (!err) fd = locked_file(t->copy, e), err = fd < 0 ? fd : 0;
    if (!err && ftruncate(fd, 0) != 0) err = disk_error(t->copy, e);
    if (!err) err = copy_all(fd, from, t->d->from, t->copy, e);
    if (!err) err = is_right(t->d, t->copy, t->d->from, e);
    if (!err) err = publish(t->d, fd, t->copy, e);
    if (!err) drop_part(t);
    if (err && fd >= 0) unlink(t->copy);
    if (fd >= 0) close(fd);
    if (from >= 0) close(from);
    return err;
}

/* What came is not the file. What was there before may have been right, and is kept, but nobody
 * continues it. */
static void cut_back(fetching *t)
{
    unlink(t->note);
    if (t->before == 0) unlink(t->part);
    else if (ftruncate(t->fd, (off_t)t->before) != 0) unlink(t->part);
}

/* The same, said: what came so far is kept for the next run, if it is. */
static void say_kept(const fetching *t, ks_error *e)
{
    char validator[KS_VALIDATOR_MAX];
    size_t n = strlen(e->msg);
    read_note(t, validator);
    if (validator[0] && length_of(t->fd) > 0)
        snprintf(e->msg + n, sizeof e->msg - n,
                 "; what came is kept (%.1f MB), the same command goes on",
                 (double)length_of(t->fd) / 1e6);
}

static int take_transfer(fetching *t, ks_error *e)
{
    t->before = t->longest = length_of(t->fd);
    int err = from_network(t, e);
    if (err == KS_ENET) say_kept(t, e);
    if (err && length_of(t->fd) == 0) unlink(t->part), unlink(t->note);
    if (err) return err;
    err = is_right(t->d, t->part, t->d->from, e);
    if (err == KS_EFORMAT || err == KS_ESHAPE) cut_back(t);
    if (!err) err = publish(t->d, t->fd, t->part, e);
    if (!err) unlink(t->note);
    return err;
}

int ks_download_file(const ks_download *d, ks_error *e)
{
    assert(d);
    fetching t = {.d = d,
                  .part = with_ending(d->path, ".part"),
                  .note = with_ending(d->path, ".part.from"),
                  .fresh = with_ending(d->path, ".part.new"),
                  .copy = with_ending(d->path, ".copy"),
                  .fd = -1,
                  .fresh_fd = -1};
    int by_network = ks_is_address(d->from) && strncmp(d->from, "file://", 7) != 0, err = 0;
    if (!t.part || !t.note || !t.fresh || !t.copy)
        err = ks_fail(e, KS_ENOMEM, "%s: no memory", d->path);
    if (!err && by_network) t.fd = locked_file(t.part, e), err = t.fd < 0 ? t.fd : 0;
    if (!err) err = by_network ? take_transfer(&t, e) : take_copy(&t, e);
    drop_fresh(&t);
    if (t.fd >= 0) close(t.fd);
    free(t.part);
    free(t.note);
    free(t.fresh);
    free(t.copy);
    return err;
}
