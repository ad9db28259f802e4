/* opener.c - see opener.h. The processes read the catalog themselves: a server that was taken over
 * can ask for films of it, by number, and for nothing else. */
#include "serve/opener.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "index/index.h"
#include "ingest/ingest.h"
#include "serve/confine.h"
#include "formats/formats.h"

enum { PROCESSES = 3 }; /* a disk that sleeps holds up the films on it, not the others */

typedef struct {
    int64_t film;
} question;

typedef struct {
    int32_t status;
    char name[256], why[sizeof((ks_error *)0)->msg];
} answer;

struct ks_opener {
    const char *library, *cache;
    ks_aide_how how;
    ks_aide *aide;
    ks_index *x; /* in a process: of what lies at the path now */
    dev_t device;
    ino_t inode;
};

/* --- in a process --- */
/* No part of the path may be a link, and no pipe or device keeps us. */
static int open_plain(const char *path)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW,
                           .resolve = RESOLVE_NO_SYMLINKS};
    long fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);

    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW); /* before 5.6 */
    return (int)fd;
}

/* One path of a film: 0 it is the film, else the status and why. */
static int open_path(int *fd, ks_index *x, const ks_video *v, ks_error *e)
{
    struct stat st;
    int same = 0, err;

    if ((*fd = open_plain(v->path)) < 0 && errno == ELOOP)
        return ks_fail(e, 409, "the file of film %lld is a symbolic link now", (long long)v->id),
               409;
    if (*fd < 0) {
        err = errno == EACCES || errno == EPERM ? 403 : 404;
        return ks_fail(e, err, "%.400s: %s", ks_base_name(v->path), strerror(errno)), err;
    }
    err = fstat(*fd, &st) < 0 || !S_ISREG(st.st_mode)
              ? 0
              : ks_ingest_same_file(&same, x, *fd, &st, v, e);
    if (err == 0 && same) return 0;
    close(*fd);
    *fd = -1;
    return ks_fail(e, 409,
                   "the file of film %lld is another one now: kinoseek ingest looks at it again",
                   (long long)v->id),
           409;
}

/* The first of a film's paths that is it still; else what became of the last one. */
static int open_film(int *fd, char *name, size_t room, ks_index *x, int64_t id, ks_error *e)
{
    ks_filter f = {.video = id};
    ks_cursor *c = NULL;
    ks_video v;
    int err, status = 404;

    ks_fail(e, 404, "there is no film of this number");
    if (id <= 0) return 404;
    if ((err = ks_index_files(&c, x, &f, e)) < 0) return err;
    while (*fd < 0 && (err = ks_files_next(&v, c, e)) > 0) {
        if (v.id != id) continue;
        status = open_path(fd, x, &v, e);
        snprintf(name, room, "%s", ks_base_name(v.path));
    }
    ks_cursor_close(c);
    return err < 0 ? err : *fd >= 0 ? 0 : status;
}

static int current(ks_opener *o, ks_error *e)
{
    char path[4200];
    struct stat st = {0};
    int err;

    snprintf(path, sizeof path, "%s/catalog.db", o->library);
    if (stat(path, &st) < 0) st.st_ino = 0;
    if (o->x && st.st_ino == o->inode && st.st_dev == o->device && !ks_index_outdated(o->x))
        return 0;
    ks_index_close(o->x);
    if ((err = ks_index_open(&o->x, o->library, KS_READ, e)) < 0) {
        o->x = NULL;
        return err;
    }
    o->device = st.st_dev;
    o->inode = st.st_ino;
    return 0;
}

static void give(void *out, int *fd, const void *in, void *arg)
{
    ks_opener *o = arg;
    answer *a = out;
    ks_error e = {0};

    if ((a->status = current(o, &e)) == 0)
        a->status = open_film(fd, a->name, sizeof a->name, o->x, ((const question *)in)->film, &e);
    if (a->status) memcpy(a->why, e.msg, sizeof a->why);
}

static void begin(void *arg)
{
    const ks_opener *o = arg;
    const ks_walls walls = {.write = {o->library, o->cache}, .read = {"/"}};
    char words[64];

    ks_confine(words, sizeof words, &walls);
}

/* --- in the server --- */
int ks_opener_start(ks_opener **out, const char *library, const char *cache, ks_error *e)
{
    assert(out && library);
    ks_opener *o = *out = calloc(1, sizeof *o);
    int err;

    if (!o) return ks_fail(e, KS_ENOMEM, "no memory");
    o->library = library;
    o->cache = cache;
    o->how = (ks_aide_how){.name = "kinoseek-open",
                           .in = sizeof(question),
                           .out = sizeof(answer),
                           .begin = begin,
                           .answer = give,
                           .arg = o};
    if ((err = ks_aide_start(&o->aide, &o->how, PROCESSES, e)) == 0) return 0;
    free(o);
    *out = NULL;
    return err;
}

void ks_opener_stop(ks_opener *o)
{
    if (!o) return;
    ks_aide_stop(o->aide);
    free(o);
}

int ks_open_film(int *fd, char name[256], ks_opener *o, int64_t id, ks_error *e)
{
    assert(fd && name && o);
    question q = {.film = id};
    answer a;
    int err;

    if ((err = ks_aide_ask(o->aide, &a, fd, &q, e)) < 0) return err;
    memcpy(name, a.name, sizeof a.name);
    name[sizeof a.name - 1] = 0;
    if (a.status == 0 && *fd < 0)
        return ks_fail(e, KS_EIO, "too many files are open here to open another"); /* EMFILE */
    if (a.status) ks_fail(e, a.status, "%.500s", a.why);
    return a.status;
}

void ks_lent_path(char path[KS_LENT_PATH], int fd)
{
    assert(path && fd >= 0);
    snprintf(path, KS_LENT_PATH, "/proc/self/fd/%d", fd);
}

void ks_lent_name(ks_error *e, const char *path, const char *name)
{
    const size_t n = strlen(path);
    ks_error was = *e;

    if (strncmp(was.msg, path, n) == 0)
        snprintf(e->msg, sizeof e->msg, "%.200s%s", name, was.msg + n);
}
