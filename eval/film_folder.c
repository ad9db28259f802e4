/* film_folder.c - see film_folder.h. */
#include "eval/film_folder.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
    char *path;
    const char *name; /* within path */
    size_t stem;      /* bytes of name */
} film_file;

struct ks_film_folder {
    char *folder;
    char *unread;  /* the first folder in it that cannot be read; NULL: none */
    film_file *at; /* [n] by stem, then path */
    size_t n, room;
};

size_t ks_stem_length(const char *name)
{
    static const char *const endings[] = {"mp4",  "mkv", "webm", "avi", "mov", "m4v",
                                          "flv",  "mpg", "mpeg", "3gp", "wmv", "ts",
                                          "m2ts", "mts", "ogv",  "gif"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && dot > name && i < sizeof endings / sizeof *endings; i++)
        if (ks_same_word(dot + 1, endings[i])) return (size_t)(dot - name);
    return strlen(name);
}

static int compare(const char *a, size_t na, const char *b, size_t nb)
{
    int o = memcmp(a, b, na < nb ? na : nb);
    return o ? o : (na > nb) - (na < nb);
}

static int by_stem(const void *a, const void *b)
{
    const film_file *x = a, *y = b;
    int o = compare(x->name, x->stem, y->name, y->stem);
    return o ? o : strcmp(x->path, y->path);
}

static int add(ks_film_folder *m, const char *path, ks_error *e)
{
    if (m->n == m->room) {
        size_t room = m->room ? 2 * m->room : 256;
        film_file *at = realloc(m->at, room * sizeof *at);
        if (!at) return ks_fail(e, KS_ENOMEM, "%s: no memory for its files", m->folder);
        m->at = at;
        m->room = room;
    }
    char *copy = strdup(path);
    if (!copy) return ks_fail(e, KS_ENOMEM, "%s: no memory for its files", m->folder);
    const char *slash = strrchr(copy, '/'), *name = slash ? slash + 1 : copy;
    m->at[m->n++] = (film_file){copy, name, ks_stem_length(name)};
    return 0;
}

static int walk(ks_film_folder *m, ks_error *e)
{
    char *roots[] = {m->folder, NULL};
    FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    int err = tree ? 0 : ks_fail(e, KS_EIO, "%s: %s", m->folder, strerror(errno));
    for (FTSENT *at; !err && (at = fts_read(tree));) {
        if (at->fts_info == FTS_F) err = add(m, at->fts_path, e);
        if ((at->fts_info == FTS_DNR || at->fts_info == FTS_ERR) && !m->unread &&
            !(m->unread = strdup(at->fts_path)))
            err = ks_fail(e, KS_ENOMEM, "%s: no memory for its files", m->folder);
    }
    if (tree) fts_close(tree);
    return err;
}

int ks_film_folder_open(ks_film_folder **out, const char *folder, ks_error *e)
{
    struct stat st;
    ks_film_folder *m = *out = calloc(1, sizeof *m);
    if (!m) return ks_fail(e, KS_ENOMEM, "no memory for a folder");
    if (!folder) return 0;
    m->folder = strdup(folder);
    int err = m->folder ? 0 : ks_fail(e, KS_ENOMEM, "no memory for a folder");
    if (!err && stat(folder, &st) != 0)
        err = ks_fail(e, errno == ENOENT ? KS_ENOTFOUND : KS_EIO, "%s: %s", folder,
                      strerror(errno));
    if (!err && !S_ISDIR(st.st_mode))
        err = ks_fail(e, KS_EUSAGE, "--media %s: is no folder", folder);
    if (!err) err = walk(m, e);
    if (!err && m->n) qsort(m->at, m->n, sizeof *m->at, by_stem);
    if (!err) return 0;
    ks_film_folder_close(m);
    *out = NULL;
    return err;
}

void ks_film_folder_close(ks_film_folder *m)
{
    if (!m) return;
    for (size_t i = 0; i < m->n; i++) free(m->at[i].path);
    free(m->at);
    free(m->folder);
    free(m->unread);
    free(m);
}

const char *ks_film_folder_unread(const ks_film_folder *m) { return m->unread; }

/* The first file of that stem, m->n where there is none. */
static size_t first_of(const ks_film_folder *m, const char *stem, size_t bytes)
{
    size_t low = 0, high = m->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(m->at[middle].name, m->at[middle].stem, stem, bytes) < 0) low = middle + 1;
        else high = middle;
    }
    return low < m->n && compare(m->at[low].name, m->at[low].stem, stem, bytes) == 0 ? low : m->n;
}

static int is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static int by_name(char **path, const ks_film_folder *m, const char *name, ks_error *e)
{
    size_t bytes = ks_stem_length(name), i = first_of(m, name, bytes);
    if (i == m->n) return 0;
    if (i + 1 < m->n && compare(m->at[i + 1].name, m->at[i + 1].stem, name, bytes) == 0)
        return ks_fail(e, KS_EFORMAT, "%s: '%.100s' has two films, %.150s and %.150s", m->folder,
                       name, m->at[i].path, m->at[i + 1].path);
    *path = strdup(m->at[i].path);
    return *path ? 0 : ks_fail(e, KS_ENOMEM, "no memory for a path");
}

int ks_film_folder_find(char **path, const ks_film_folder *m, const char *name, const char *prefix,
                        ks_error *e)
{
    size_t length = prefix ? strlen(prefix) : 0;
    *path = NULL;
    if (*name == '/' || !m->folder) *path = strdup(name);
    else if (asprintf(path, "%s/%s", m->folder, name) < 0) *path = NULL;
    if (!*path) return ks_fail(e, KS_ENOMEM, "no memory for a path");
    if (is_file(*path)) return 0;
    free(*path);
    *path = NULL;
    const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
    int err = m->folder ? by_name(path, m, base, e) : 0;
    if (!err && !*path && length && m->folder && strncmp(base, prefix, length) == 0)
        err = by_name(path, m, base + length, e);
    return err;
}
