/* download.c - see download.h. The order of things: lock, resume or start, transfer (again and again while
 * it gets further), length, SHA-256, the caller's check, fsync, rename. */
#include "cli/download.h"

#include "cli/http.h"
#include "cli/model_table.h"

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

enum { TRIES = 5 }; /* in a row without a byte more */

int ks_is_address(const char *from)
{
    return strstr(from, "://") != NULL;
}

static int disk_error(const char *path, ks_error *e)
{
    return ks_fail(e, KS_EIO, "%s: %s", path, strerror(errno));
}

static char *with_ending(const char *path, const char *ending)
{
    char *s = NULL;
    return asprintf(&s, "%s%s", path, ending) < 0 ? NULL : s;
}

/* --- the note beside the part: address, newline, validator, newline --- */

static void read_note(const char *path, const char *from, char validator[KS_VALIDATOR_MAX])
{
    char address[4096] = "";
    FILE *f = fopen(path, "r");
    validator[0] = 0;
    if (f && fgets(address, sizeof address, f) && fgets(validator, KS_VALIDATOR_MAX, f)) {
        address[strcspn(address, "\n")] = 0;
        validator[strcspn(validator, "\n")] = 0;
        if (strcmp(address, from) != 0) validator[0] = 0;
    } else {
        validator[0] = 0;
    }
    if (f) fclose(f);
}

typedef struct {
    const char *path, *from;
} note_place;

/* Written when the body starts, so that a kill a second later can still be resumed. */
static void write_note(void *arg, const char *validator)
{
    const note_place *note = arg;
    FILE *f = fopen(note->path, "w");
    if (!f) return; /* the next try then starts over */
    fprintf(f, "%s\n%s\n", note->from, validator);
    fclose(f);
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
    return ks_fail(e, KS_EIO, "%s: %.0f MB are missing and the disk has room for %.0f MB", d->path, (double)missing / 1e6, (double)room / 1e6);
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

static int from_network(const ks_download *d, int fd, const char *note, ks_error *e)
{
    const char *slash = strrchr(d->path, '/');
    note_place place = {note, d->from};
    ks_http_get get = {.url = d->from, .fd = fd, .most = d->bytes, .quiet = d->quiet, .name = slash ? slash + 1 : d->path,
                       .option = d->option, .starts = write_note, .starts_arg = &place};
    int failed = 0, err;
    for (;;) {
        struct stat st;
        if (fstat(fd, &st) != 0) return disk_error(d->path, e);
        get.have = st.st_size;
        read_note(note, d->from, get.validator);
        if (d->bytes > 0 && get.have == d->bytes && get.validator[0]) return 0;
        if (get.have > 0 && (!get.validator[0] || (d->bytes > 0 && get.have > d->bytes))) {
            if (ftruncate(fd, 0) != 0) return disk_error(d->path, e);
            get.have = 0;
        }
        err = check_room(d, d->bytes - get.have, e);
        if (!err) err = ks_http_fetch(&get, e);
        if (err != KS_ENET || get.final) return err;
        if (fstat(fd, &st) == 0 && st.st_size > get.have) failed = 0;
        if (++failed >= TRIES) return err;
        wait_before(failed);
    }
}

static int from_disk(const ks_download *d, int fd, ks_error *e)
{
    enum { BLOCK = 1 << 20 };
    char *block = malloc(BLOCK);
    FILE *in = fopen(strncmp(d->from, "file://", 7) == 0 ? d->from + 7 : d->from, "rb");
    int err = 0;
    if (!block) err = ks_fail(e, KS_ENOMEM, "%s: no memory to copy it", d->from);
    else if (!in) err = ks_fail(e, errno == ENOENT ? KS_ENOTFOUND : KS_EIO, "%s: %s", d->from, strerror(errno));
    else if (ftruncate(fd, 0) != 0) err = disk_error(d->path, e);
    for (size_t n; !err && (n = fread(block, 1, BLOCK, in)) > 0;)
        for (size_t done = 0; !err && done < n;) {
            ssize_t put = write(fd, block + done, n - done);
            if (put < 0 && errno != EINTR) err = disk_error(d->path, e);
            if (put > 0) done += (size_t)put;
        }
    if (!err && ferror(in)) err = disk_error(d->from, e);
    if (in) fclose(in);
    free(block);
    return err;
}

/* --- is it the file? --- */

static int is_right(const ks_download *d, const char *part, ks_error *e)
{
    struct stat st;
    char sha[65];
    int err = 0;
    if (stat(part, &st) != 0) return disk_error(part, e);
    if (d->bytes > 0 && st.st_size != d->bytes)
        return ks_fail(e, KS_EFORMAT, "%s: has %" PRId64 " bytes, the released file has %" PRId64, d->from, (int64_t)st.st_size, d->bytes);
    if (d->sha256[0]) err = ks_file_sha256(sha, part, e);
    if (err) return err;
    if (d->sha256[0] && strcmp(sha, d->sha256) != 0)
        return ks_fail(e, KS_EFORMAT, "%s: its SHA-256 is %s, the released file's is %s", d->from, sha, d->sha256);
    return d->check ? d->check(d->check_arg, part, e) : 0;
}

static int publish(const ks_download *d, int fd, const char *part, ks_error *e)
{
    char folder[PATH_MAX];
    if (fsync(fd) != 0 || rename(part, d->path) != 0) return disk_error(d->path, e);
    snprintf(folder, sizeof folder, "%s", d->path);
    int dir = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir >= 0) {
        fsync(dir);
        close(dir);
    }
    return 0;
}

int ks_download_file(const ks_download *d, ks_error *e)
{
    char *part = with_ending(d->path, ".part"), *note = with_ending(d->path, ".part.from");
    struct stat st;
    int err = 0, fd = -1;
    if (!part || !note) err = ks_fail(e, KS_ENOMEM, "%s: no memory", d->path);
    if (!err) fd = open(part, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (!err && fd < 0) err = disk_error(part, e);
    if (!err && flock(fd, LOCK_EX | LOCK_NB) != 0) err = ks_fail(e, KS_EBUSY, "%s: another kinoseek is fetching it", d->path);
    if (err) goto out;
    int by_network = ks_is_address(d->from) && strncmp(d->from, "file://", 7) != 0;
    err = by_network ? from_network(d, fd, note, e) : from_disk(d, fd, e);
    if (!err) {
        err = is_right(d, part, e);
        if (err == KS_EFORMAT || err == KS_ESHAPE) unlink(part), unlink(note);
    } else if (!by_network || (fstat(fd, &st) == 0 && st.st_size == 0)) {
        unlink(part);
    }
    if (!err) err = publish(d, fd, part, e);
    if (!err) unlink(note);
out:
    if (fd >= 0) close(fd);
    free(part);
    free(note);
    return err;
}
