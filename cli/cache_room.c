/* cache_room.c - see cache_room.h. Ours are known by their names: of a model's hash
 * ("H.suffix"), cpu.choice, and in tokens/ sixteen hex digits. A program that is at work has
 * what it needs open or mapped, and makes the rest anew. */
#include "cli/cache_room.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t hex_digits(const char *name) { return strspn(name, "0123456789abcdef"); }

static int is_pack(const char *name)
{
    return (hex_digits(name) == 64 && name[64] == '.') || strncmp(name, "cpu.choice", 10) == 0;
}

static int is_token(const char *name)
{
    return hex_digits(name) == 16 && (name[16] == 0 || name[16] == '.');
}

typedef struct {
    ks_cache_room *room;
    const char *folder; /* for sentences */
    int remove;
} look;

static int cannot(const look *l, const char *what, ks_error *e)
{
    return ks_fail(e, KS_EIO, "%s/%s: %s", l->folder, what, strerror(errno));
}

static int one_file(const look *l, int at, const char *name, int (*ours)(const char *), ks_error *e)
{
    struct stat st;
    if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? 0 : cannot(l, name, e);
    if (!S_ISREG(st.st_mode) || !ours(name)) {
        l->room->others++;
        return 0;
    }
    if (l->remove && unlinkat(at, name, 0) != 0 && errno != ENOENT) return cannot(l, name, e);
    l->room->files++;
    l->room->bytes += (int64_t)st.st_blocks * 512;
    return 0;
}

/* at: an open folder, closed here. within: the folder tokens may lie in it. */
static int one_folder(const look *l, int at, int (*ours)(const char *), int within, ks_error *e)
{
    int err = 0;
    DIR *d = fdopendir(at);
    if (!d) {
        close(at);
        return cannot(l, ".", e);
    }
    for (const struct dirent *entry; !err && (entry = readdir(d)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        int tokens = within && strcmp(entry->d_name, "tokens") == 0
                         ? openat(dirfd(d), "tokens",
                                  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                         : -1;
        err = tokens >= 0 ? one_folder(l, tokens, is_token, 0, e)
                          : one_file(l, dirfd(d), entry->d_name, ours, e);
        /* stays where it is not empty */
        if (!err && tokens >= 0 && l->remove) unlinkat(dirfd(d), "tokens", AT_REMOVEDIR);
    }
    closedir(d);
    return err;
}

int ks_cache_look(ks_cache_room *room, const char *folder, int remove, ks_error *e)
{
    assert(room && folder);
    look l = {room, folder, remove};
    *room = (ks_cache_room){0};
    int at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (at < 0 && (errno == ENOENT || errno == ENOTDIR)) return 0;
    return at < 0 ? cannot(&l, ".", e) : one_folder(&l, at, is_pack, 1, e);
}
