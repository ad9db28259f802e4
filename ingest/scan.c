/* scan.c - the walk. Folders wait in a stack of paths and are opened one at a time (a chain of
 * ten thousand folders needs one descriptor); each is opened once by device and inode, so that
 * links and bind mounts end. */
#include "ingest/scan.h"

#include "index/index.h"
#include "ingest/ignored.h"
#include "ingest/lookup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Patterns of one ignore file; they hold below its folder, the last that matches decides. */
typedef struct rules {
    const struct rules *above;
    struct rules *made_before; /* all of a walk, for freeing */
    size_t folder_length;      /* bytes of the folder's path, with its '/' */
    char *text;
    char **line;
    int n;
} rules;

typedef struct {
    char *path;
    const rules *rules;
} waiting;

typedef struct {
    ks_met_list *list;
    const ks_scan_options *o;
    size_t root_length; /* bytes of the root's path, with its '/' */
    waiting *stack;
    size_t n, room;
    ks_lookup by_inode; /* of the folders that were here: into seen */
    uint64_t *seen;     /* [n_seen] their devices */
    size_t n_seen, seen_room;
    rules *all_rules;
} walk;

static int no_memory(ks_error *e) { return ks_fail(e, KS_ENOMEM, "no memory to list the files"); }

static int add(ks_met_list *list, ks_met_kind kind, char *path, const struct stat *st, int error,
               ks_error *e)
{
    if (!path) return no_memory(e);
    if (list->n == list->room) {
        size_t room = list->room ? 2 * list->room : 1024;
        ks_met *at = reallocarray(list->at, room, sizeof *at);
        if (!at) {
            free(path);
            return no_memory(e);
        }
        list->at = at;
        list->room = room;
    }
    ks_met *f = &list->at[list->n++];
    *f = (ks_met){.path = path, .kind = kind, .error = error};
    if (st) {
        f->stat = ks_stat_of(st);
        f->folder = S_ISDIR(st->st_mode);
    }
    return 0;
}

void ks_met_list_free(ks_met_list *list)
{
    for (size_t i = 0; i < list->n; i++) free(list->at[i].path);
    free(list->at);
    *list = (ks_met_list){0};
}

/* 1: this folder was not here before; -1: no memory. */
static int first_time(walk *w, const struct stat *st)
{
    uint64_t device = (uint64_t)st->st_dev, inode = (uint64_t)st->st_ino;
    for (size_t at = 0, i; ks_lookup_next(&i, &at, &w->by_inode, inode);)
        if (w->seen[i] == device) return 0;
    if (w->n_seen == w->seen_room) {
        size_t room = w->seen_room ? 2 * w->seen_room : 256;
        uint64_t *seen = reallocarray(w->seen, room, sizeof *seen);
        if (!seen) return -1;
        w->seen = seen;
        w->seen_room = room;
    }
    w->seen[w->n_seen] = device;
    return ks_lookup_put(&w->by_inode, inode, w->n_seen++) < 0 ? -1 : 1;
}

static int push(walk *w, char *path, const rules *r)
{
    if (w->n == w->room) {
        size_t room = w->room ? 2 * w->room : 64;
        waiting *stack = reallocarray(w->stack, room, sizeof *stack);
        if (!stack) return -1;
        w->stack = stack;
        w->room = room;
    }
    w->stack[w->n++] = (waiting){path, r};
    return 0;
}

static char *joined(const char *folder, const char *name)
{
    size_t a = strlen(folder), b = strlen(name);
    if (a > 0 && folder[a - 1] == '/') a--;
    char *path = malloc(a + b + 2);
    if (!path) return NULL;
    memcpy(path, folder, a);
    path[a] = '/';
    memcpy(path + a + 1, name, b + 1);
    return path;
}

/* Reads the folder's ignore file, if any. Unreadable ones count as absent. At most 1 MiB. */
static const rules *read_rules(walk *w, int folder, const char *path, const rules *above)
{
    int fd = openat(folder, ".kinoseekignore", O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return above;
    struct stat st;
    rules *r = NULL;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > 1 << 20) goto out;
    size_t n = (size_t)st.st_size, got = 0;
    r = calloc(1, sizeof *r);
    if (!r || !(r->text = malloc(n + 1)) || !(r->line = calloc(n / 2 + 1, sizeof *r->line)))
        goto out;
    for (ssize_t k; got < n && (k = read(fd, r->text + got, n - got)) > 0;) got += (size_t)k;
    r->text[got] = 0;
    char *rest = r->text;
    for (char *line; (line = strsep(&rest, "\n"));) {
        size_t length = strlen(line);
        while (length > 0 && (line[length - 1] == '\r' || line[length - 1] == ' '))
            line[--length] = 0;
        if (length > 0 && line[0] != '#') r->line[r->n++] = line;
    }
    size_t folder_length = strlen(path);
    r->folder_length = folder_length + (folder_length == 0 || path[folder_length - 1] != '/');
    r->above = above;
    r->made_before = w->all_rules;
    w->all_rules = r;
    close(fd);
    return r;
out:
    close(fd);
    if (r) free(r->text);
    free(r);
    return above;
}

static int ruled_out(const rules *r, const char *path, int folder)
{
    for (; r; r = r->above)
        for (int i = r->n; i-- > 0;) {
            const char *line = r->line[i];
            int back = line[0] == '!';
            if (ks_glob_path(line + back, path + r->folder_length, folder)) return !back;
        }
    return 0;
}

static int any_glob(const char *const *globs, const char *relative, const char *path, int folder)
{
    for (; globs && *globs; globs++)
        if (ks_glob_path(*globs, relative, folder) ||
            ((*globs)[0] == '/' && ks_glob(*globs, path, 0)))
            return 1;
    return 0;
}

static int rubbish(const char *name)
{
    /* ext4; Windows; Synology; QNAP; macOS; Samba; ZFS, btrfs and NetApp, where they are shown
     * at all */
    static const char *const names[] = {"lost+found",
                                        "$RECYCLE.BIN",
                                        "RECYCLER",
                                        "RECYCLED",
                                        "System Volume Information",
                                        "@eaDir",
                                        "#recycle",
                                        "#snapshot",
                                        "@sharesnap",
                                        "@Recycle",
                                        "@Recently-Snapshot",
                                        "@Transcode",
                                        "@tmp",
                                        "Network Trash Folder",
                                        "Temporary Items",
                                        "TheVolumeSettingsFolder",
                                        "TheFindByContentFolder",
                                        ".Trashes",
                                        ".Trash",
                                        ".recycle",
                                        ".zfs",
                                        ".snapshots",
                                        ".snapshot",
                                        "~snapshot",
                                        ".btrfs",
                                        ".MobileBackups",
                                        "Backups.backupdb",
                                        ".TemporaryItems",
                                        ".DocumentRevisions-V100",
                                        ".fseventsd",
                                        "timeshift-btrfs"};
    if (strncasecmp(name, ".Trash-", 7) == 0) return 1;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (ks_same_word(name, names[i])) return 1;
    return 0;
}

/* A file that a library of kinoseek consists of; films may lie beside it. */
static int is_of_library(const char *name)
{
    if (ks_video_name(name)) return 0;
    return strncmp(name, "catalog.db", 10) == 0 || strncmp(name, "vectors.", 8) == 0 ||
           strcmp(name, "writer.lock") == 0;
}

static int left_out(walk *w, const char *path, const char *name, int folder, const rules *r)
{
    if (!w->o->hidden && name[0] == '.') return 1;
    if (strncmp(name, "._", 2) == 0) return 1; /* AppleDouble: attributes of the file beside it */
    if (folder && rubbish(name)) return 1;
    if (ruled_out(r, path, folder)) return 1;
    const char *relative = path + w->root_length;
    if (any_glob(w->o->excludes, relative, path, folder)) return 1;
    return !folder && w->o->includes && w->o->includes[0] &&
           !any_glob(w->o->includes, relative, path, 0);
}

/* One entry of an open folder. */
static int meet(walk *w, int folder, const char *folder_path, const char *name, const rules *r,
                ks_error *e)
{
    struct stat st;
    char *path = joined(folder_path, name);
    if (!path) return no_memory(e);
    if (strlen(path) >= PATH_MAX) return add(w->list, KS_MET_LONG, path, NULL, ENAMETOOLONG, e);
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno != ENOENT) return add(w->list, KS_MET_DENIED, path, NULL, errno, e);
        free(path); /* went away between readdir and now */
        return 0;
    }
    int link = S_ISLNK(st.st_mode);
    if (left_out(w, path, name, S_ISDIR(st.st_mode), r)) {
        w->list->hidden++;
        free(path);
        return 0;
    }
    if (link && !w->o->follow) return add(w->list, KS_MET_LINK, path, &st, 0, e);
    if (link && fstatat(folder, name, &st, 0) < 0)
        return add(w->list, KS_MET_LINK, path, NULL, errno, e);
    /* under its own name, so that it is one path however it is reached */
    if (link && S_ISREG(st.st_mode)) {
        char *real = realpath(path, NULL);
        free(path);
        path = real;
        if (!path) return 0;
    }
    if (S_ISDIR(st.st_mode)) {
        if (push(w, path, r) == 0) return 0;
        free(path);
        return no_memory(e);
    }
    return add(w->list, S_ISREG(st.st_mode) ? KS_MET_FILE : KS_MET_SPECIAL, path, &st, 0, e);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_names(char **names, size_t n)
{
    for (size_t i = 0; i < n; i++) free(names[i]);
    free(names);
}

/* All names of an open folder, sorted; where the disk fails in the middle, those before, and
 * *error. */
static int read_names(char ***out, size_t *count, int *error, DIR *dir)
{
    char **names = NULL;
    size_t n = 0, room = 0;
    for (struct dirent *d; errno = 0, (d = readdir(dir));) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0) continue;
        if (n == room) {
            room = room ? 2 * room : 64;
            char **more = reallocarray(names, room, sizeof *more);
            if (!more) goto fail;
            names = more;
        }
        if (!(names[n] = strdup(d->d_name))) goto fail;
        n++;
    }
    *error = errno;
    if (n > 1) qsort(names, n, sizeof *names, by_name);
    *out = names;
    *count = n;
    return 0;
fail:
    free_names(names, n);
    return -1;
}

/* This folder, or a part of it, cannot be read. */
static int denied_folder(walk *w, const waiting *at, size_t *entries, int error, ks_error *e)
{
    struct stat st = {.st_mode = S_IFDIR};
    ++*entries; /* it is not known to be empty */
    return add(w->list, KS_MET_DENIED, strdup(at->path), &st, error, e);
}

static int walk_folder(walk *w, const waiting *at, size_t *entries, ks_error *e)
{
    struct stat st;
    char **names = NULL;
    size_t n = 0;
    int err = 0, broken = 0;
    int fd = open(at->path, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC |
                                (w->o->follow ? 0 : O_NOFOLLOW));
    if (fd < 0 || fstat(fd, &st) < 0) {
        int error = errno;
        if (fd >= 0) close(fd);
        if (error == ENOENT) return 0;
        return denied_folder(w, at, entries, error, e);
    }
    int first = first_time(w, &st);
    DIR *dir = first > 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        close(fd);
        return first == 0 ? 0 : no_memory(e);
    }
    w->list->folders++;
    if (read_names(&names, &n, &broken, dir) < 0) {
        err = no_memory(e);
        goto out;
    }
    *entries += n;
    if (broken) err = denied_folder(w, at, entries, broken, e);
    const rules *r = read_rules(w, fd, at->path, at->rules);
    int library = faccessat(fd, "catalog.db", F_OK, 0) == 0 &&
                  faccessat(fd, "writer.lock", F_OK, 0) == 0;
    size_t below = w->n;
    for (size_t i = 0; i < n && err == 0; i++)
        if (library && is_of_library(names[i])) w->list->hidden++;
        else err = meet(w, fd, at->path, names[i], r, e);
    for (size_t a = below, b = w->n; a + 1 < b; a++) { /* the first name is popped first */
        waiting t = w->stack[a];
        w->stack[a] = w->stack[--b];
        w->stack[b] = t;
    }
out:
    free_names(names, n);
    closedir(dir);
    return err;
}

static void end_walk(walk *w)
{
    while (w->n > 0) free(w->stack[--w->n].path);
    free(w->stack);
    free(w->seen);
    ks_lookup_free(&w->by_inode);
    while (w->all_rules) {
        rules *r = w->all_rules;
        w->all_rules = r->made_before;
        free(r->text);
        free(r->line);
        free(r);
    }
}

int ks_scan(ks_met_list *list, int *root, const char *path, const ks_scan_options *o, ks_error *e)
{
    struct stat st;
    *root = KS_ROOT_FILE;
    if (stat(path, &st) < 0) {
        if (errno == ENOENT || errno == ENOTDIR) {
            *root = KS_ROOT_MISSING;
            if (lstat(path, &st) < 0) return 0;
            *root = KS_ROOT_FILE; /* a link to nothing */
            return add(list, KS_MET_LINK, strdup(path), NULL, ENOENT, e);
        }
        int err = add(list, KS_MET_DENIED, strdup(path), NULL, errno, e);
        if (err == 0) list->at[list->n - 1].named = 1;
        return err;
    }
    if (!S_ISDIR(st.st_mode)) {
        int err = add(list, S_ISREG(st.st_mode) ? KS_MET_FILE : KS_MET_SPECIAL, strdup(path), &st,
                      0, e);
        if (err == 0) list->at[list->n - 1].named = 1;
        return err;
    }
    *root = KS_ROOT_FOLDER;
    walk w = {.list = list, .o = o};
    size_t length = strlen(path), entries = 0;
    w.root_length = length + (length == 0 || path[length - 1] != '/');
    char *first = strdup(path);
    int err = first && push(&w, first, NULL) == 0 ? 0 : no_memory(e);
    if (err < 0) free(first);
    while (err == 0 && w.n > 0) {
        waiting at = w.stack[--w.n];
        err = ks_asked_to_stop(o->stop) ? ks_fail(e, KS_ESTOP, "interrupted")
                                        : walk_folder(&w, &at, &entries, e);
        free(at.path);
    }
    end_walk(&w);
    if (entries == 0) *root = KS_ROOT_EMPTY;
    return err;
}

static char *not_there(const char *path, size_t n)
{
    char *here = path[0] == '/' ? NULL : getcwd(NULL, 0), *rest = strndup(path, n);
    char *out = path[0] == '/' || !rest ? rest : here ? joined(here, rest) : NULL;
    if (out != rest) free(rest);
    free(here);
    return out;
}

int ks_scan_absolute(char **out, const char *path, ks_error *e)
{
    *out = NULL;
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') n--;
    char *copy = strndup(path, n), *folder = NULL;
    if (!copy) return no_memory(e);
    char *name = strrchr(copy, '/');
    name = name ? name + 1 : copy;
    int whole = strcmp(name, "") == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
    struct stat st;
    if (whole || (stat(copy, &st) == 0 && (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)))) {
        *out = realpath(copy, NULL);
    } else {
        char *kept = strdup(name);
        *name = 0;
        folder = realpath(*copy ? copy : ".", NULL);
        if (kept && folder) *out = joined(folder, kept);
        /* the disk may not be mounted, the folder be gone meanwhile */
        if (kept && !folder) *out = not_there(path, n);
        free(kept);
    }
    free(folder);
    free(copy);
    if (*out) return 0;
    return ks_fail(e, KS_ENOTFOUND, "%s: %s", path, strerror(errno));
}
