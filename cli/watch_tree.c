/* watch_tree.c - see watch_tree.h. */
#include "cli/watch_tree.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEEPEST = 128 };
#define CHANGES                                                                                    \
    (IN_CLOSE_WRITE | IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB)
#define HOW (IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK)

struct ks_watch_tree {
    int fd;
    char **path; /* [room] by watch descriptor; NULL: none */
    size_t room;
    int64_t unheard;
};

int ks_watch_tree_open(ks_watch_tree **out, ks_error *e)
{
    ks_watch_tree *t = calloc(1, sizeof *t);
    *out = t;
    if (!t) return ks_fail(e, KS_ENOMEM, "no memory to watch");
    t->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (t->fd >= 0) return 0;
    free(t);
    *out = NULL;
    return ks_fail(e, KS_EIO, "folders cannot be watched: %s", strerror(errno));
}

void ks_watch_tree_close(ks_watch_tree *t)
{
    if (!t) return;
    for (size_t i = 0; i < t->room; i++) free(t->path[i]);
    free(t->path);
    close(t->fd);
    free(t);
}

int ks_watch_tree_fd(const ks_watch_tree *t) { return t->fd; }
int64_t ks_watch_tree_unheard(const ks_watch_tree *t) { return t->unheard; }

/* 0, or -1: this folder is not heard of. */
static int listen_to(ks_watch_tree *t, const char *path)
{
    int wd = inotify_add_watch(t->fd, path, CHANGES | HOW);
    if (wd < 0) {
        t->unheard += errno != ENOENT && errno != ENOTDIR;
        return -1;
    }
    if ((size_t)wd >= t->room) {
        size_t room = 2 * (size_t)wd + 64;
        char **more = reallocarray(t->path, room, sizeof *more);
        if (!more) return -1;
        memset(more + t->room, 0, (room - t->room) * sizeof *more);
        t->path = more;
        t->room = room;
    }
    char *mine = strdup(path);
    if (!mine) return -1;
    free(t->path[wd]);
    t->path[wd] = mine;
    return 0;
}

/* A library's own writes are no news of films. */
static int is_library(const char *path)
{
    char file[PATH_MAX];
    return snprintf(file, sizeof file, "%s/catalog.db", path) < (int)sizeof file &&
           access(file, F_OK) == 0;
}

static void add_below(ks_watch_tree *t, const char *path, int depth)
{
    if (depth == DEEPEST || is_library(path) || listen_to(t, path) < 0) return;
    DIR *d = opendir(path);
    for (struct dirent *f; d && (f = readdir(d));) {
        char below[PATH_MAX];
        struct stat st;
        if (f->d_name[0] == '.') continue;
        if (f->d_type != DT_DIR && f->d_type != DT_UNKNOWN) continue;
        if (snprintf(below, sizeof below, "%s/%s", path, f->d_name) >= (int)sizeof below) continue;
        if (f->d_type == DT_UNKNOWN && (lstat(below, &st) != 0 || !S_ISDIR(st.st_mode))) continue;
        add_below(t, below, depth + 1);
    }
    if (d) closedir(d);
}

void ks_watch_tree_add(ks_watch_tree *t, const char *root)
{
    assert(t && root);
    struct stat st;
    char folder[PATH_MAX];
    if (snprintf(folder, sizeof folder, "%s", root) >= (int)sizeof folder) return;
    char *slash = strrchr(folder, '/');
    if (stat(root, &st) == 0 && !S_ISDIR(st.st_mode))
        snprintf(slash ? slash + (slash == folder) : folder, 2, slash ? "" : ".");
    add_below(t, folder, 0);
}

static void new_folder(ks_watch_tree *t, const struct inotify_event *v)
{
    char path[PATH_MAX];
    const char *in = v->wd >= 0 && (size_t)v->wd < t->room ? t->path[v->wd] : NULL;
    if (in && snprintf(path, sizeof path, "%s/%s", in, v->name) < (int)sizeof path)
        add_below(t, path, 0);
}

int ks_watch_tree_read(ks_watch_tree *t)
{
    assert(t);
    _Alignas(struct inotify_event) char room[16384];
    int news = 0;
    for (ssize_t n; (n = read(t->fd, room, sizeof room)) > 0;)
        for (char *at = room; at < room + n;) {
            const struct inotify_event *v = (const void *)at;
            at += sizeof *v + v->len;
            if (v->mask & IN_IGNORED) { /* the folder is gone, and its number may come again */
                if ((size_t)v->wd < t->room) {
                    free(t->path[v->wd]);
                    t->path[v->wd] = NULL;
                }
                continue;
            }
            const char *in = v->wd >= 0 && (size_t)v->wd < t->room ? t->path[v->wd] : NULL;
            if (in && is_library(in)) { /* it was made after its folder was */
                inotify_rm_watch(t->fd, v->wd);
                continue;
            }
            if (v->len > 0 && v->name[0] == '.') continue;
            if ((v->mask & IN_ISDIR) && (v->mask & (IN_CREATE | IN_MOVED_TO)) && v->len > 0)
                new_folder(t, v);
            news = 1;
        }
    return news;
}
