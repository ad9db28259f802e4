/* hub_roots.c - named folders: what a hub calls a place, and where that is mounted here. */
#include "index/hub_rows.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

static const char marker[] = ".kinoseek-root";
enum { MOST = 64 };

int ks_hub_is_root_name(const char *name, size_t n)
{
    if (n < 1 || n >= KS_HUB_NAME) return 0;
    for (size_t i = 0; i < n; i++) {
        char c = name[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '_' || c == '-'))
            return 0;
    }
    return 1;
}

int ks_hub_is_rel(const char *rel, size_t n)
{
    if (n < 1 || n > KS_MAX_PATH || rel[0] == '/' || memchr(rel, 0, n)) return 0;
    for (size_t at = 0; at < n;) {
        const char *slash = memchr(rel + at, '/', n - at);
        size_t part = slash ? (size_t)(slash - rel) - at : n - at;
        if (part == 0 || (part == 1 && rel[at] == '.') ||
            (part == 2 && rel[at] == '.' && rel[at + 1] == '.'))
            return 0;
        at += part + 1;
        if (slash && at == n) return 0;
    }
    return 1;
}

/* id "" where the file is not there, or is none of ours */
static void read_marker(char id[KS_HUB_ROOT_ID], const char *path)
{
    char file[PATH_MAX], text[KS_HUB_ROOT_ID + 1] = "";
    id[0] = 0;
    if (snprintf(file, sizeof file, "%s/%s", path, marker) >= PATH_MAX) return;
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return;
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    close(fd);
    if (n < KS_HUB_ROOT_ID - 1) return;
    text[KS_HUB_ROOT_ID - 1] = 0;
    if (strspn(text, "0123456789abcdef") == KS_HUB_ROOT_ID - 1) memcpy(id, text, KS_HUB_ROOT_ID);
}

int ks_hub_root_there(const ks_hub_root *root)
{
    char id[KS_HUB_ROOT_ID];
    read_marker(id, root->path);
    return id[0] && strcmp(id, root->id) == 0;
}

void ks_hub_roots_free(ks_hub_roots *roots)
{
    for (int i = 0; i < roots->n; i++) free(roots->at[i].path);
    free(roots->at);
    *roots = (ks_hub_roots){0};
}

/* The file: a line a root, ID NAME=PATH. */
int ks_hub_roots_read(ks_hub_roots *out, const char *folder, ks_error *e)
{
    char file[PATH_MAX], *line = NULL;
    size_t room = 0;
    int code = 0;
    *out = (ks_hub_roots){0};
    snprintf(file, sizeof file, "%s/roots", folder);
    FILE *f = fopen(file, "re");
    if (!f)
        return errno == ENOENT || errno == ENOTDIR
                   ? 0
                   : ks_fail(e, KS_EIO, "%s: %s", file, strerror(errno));
    out->at = calloc(MOST, sizeof *out->at);
    if (!out->at) code = ks_fail(e, KS_ENOMEM, "no memory for the roots");
    while (code >= 0 && out->n < MOST && getline(&line, &room, f) > 0) {
        ks_hub_root *r = &out->at[out->n];
        char *equals = strchr(line, '=');
        line[strcspn(line, "\n")] = 0;
        if (!equals || equals - line < KS_HUB_ROOT_ID) continue;
        *equals = 0;
        line[KS_HUB_ROOT_ID - 1] = 0;
        snprintf(r->id, sizeof r->id, "%s", line);
        snprintf(r->name, sizeof r->name, "%.63s", line + KS_HUB_ROOT_ID);
        r->path = strdup(equals + 1);
        if (!r->path) code = ks_fail(e, KS_ENOMEM, "no memory for the roots");
        else out->n++;
    }
    free(line);
    fclose(f);
    if (code < 0) ks_hub_roots_free(out);
    return code;
}

static int write_roots(const ks_hub_roots *roots, const char *folder, ks_error *e)
{
    char file[PATH_MAX], part[PATH_MAX];
    int bad = snprintf(file, sizeof file, "%s/roots", folder) >= PATH_MAX - 8;
    snprintf(part, sizeof part, "%.4080s.part", file);
    FILE *f = bad ? NULL : fopen(part, "we");
    if (!f) return ks_fail(e, KS_EIO, "%s: %s", part, strerror(errno));
    for (int i = 0; i < roots->n; i++)
        fprintf(f, "%s %s=%s\n", roots->at[i].id, roots->at[i].name, roots->at[i].path);
    bad = fflush(f) != 0 ? errno : ks_give_name(fileno(f), part, file);
    fclose(f);
    if (bad) unlink(part);
    return bad ? ks_fail(e, KS_EIO, "%s: %s", file, strerror(bad)) : 0;
}

static int write_marker(const char *id, const char *path, ks_error *e)
{
    char file[PATH_MAX];
    if (snprintf(file, sizeof file, "%s/%s", path, marker) >= PATH_MAX)
        return ks_fail(e, KS_EUSAGE, "%.200s ...: the path is too long", path);
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    int bad = fd < 0 || dprintf(fd, "%s\n", id) < KS_HUB_ROOT_ID || fsync(fd) != 0;
    int why = errno;
    if (fd >= 0) close(fd);
    return bad ? ks_fail(e, KS_EIO, "%s: %s", file, strerror(why)) : 0;
}

/* id: the root's in the hub; what the folder's file says must be the same. A name that is new
 * takes the folder's id, or both get one. */
static int agree(char id[KS_HUB_ROOT_ID], ks_hub *h, const char *name, const char *path,
                 ks_error *e)
{
    ks_pq_rows r;
    char here[KS_HUB_ROOT_ID];
    size_t n;
    id[0] = 0;
    read_marker(here, path);
    int code = ks_pq_ask(&r, h->pq, e, "SELECT id FROM root WHERE name = $1", "t", name);
    if (code > 0) snprintf(id, KS_HUB_ROOT_ID, "%s", (const char *)ks_pq_bytes(&n, &r, 0, 0));
    ks_pq_free(&r);
    if (code < 0) return code;
    if (code > 0 && !here[0])
        return ks_fail(
            e, KS_EUSAGE,
            "%s has no file %s: it is not the hub's root %s, or nothing is mounted there", path,
            marker, name);
    if (code > 0 && strcmp(id, here) != 0)
        return ks_fail(e, KS_EUSAGE, "%s is another root than the hub's %s (its file %s says so)",
                       path, name, marker);
    if (code > 0) return 0;
    code = ks_pq_ask(&r, h->pq, e,
                     "INSERT INTO root SELECT $1, CASE WHEN $2 <> '' THEN $2 ELSE"
                     " replace(gen_random_uuid()::text, '-', '') END RETURNING id",
                     "tt", name, here);
    if (code > 0) snprintf(id, KS_HUB_ROOT_ID, "%s", (const char *)ks_pq_bytes(&n, &r, 0, 0));
    ks_pq_free(&r);
    return code < 0 || here[0] ? (code < 0 ? code : 0) : write_marker(id, path, e);
}

int ks_hub_name_root(ks_hub *h, const char *folder, const char *name, const char *path, ks_error *e)
{
    assert(h && folder && name && path);
    ks_hub_roots roots;
    char id[KS_HUB_ROOT_ID], *real = realpath(path, NULL);
    struct stat st;
    if (!ks_hub_is_root_name(name, strlen(name))) {
        free(real);
        return ks_fail(e, KS_EUSAGE, "%.100s: a root's name has letters, digits, '.', '_' and '-'",
                       name);
    }
    if (!real || stat(real, &st) != 0 || !S_ISDIR(st.st_mode) || strchr(real, '\n')) {
        free(real);
        return ks_fail(e, KS_ENOTFOUND, "%s is no folder", path);
    }
    int code = ks_hub_begin(h, e);
    if (code >= 0) code = ks_hub_end(h, agree(id, h, name, real, e), e);
    if (code >= 0) code = ks_hub_roots_read(&roots, folder, e);
    if (code < 0) {
        free(real);
        return code;
    }
    int at = 0;
    while (at < roots.n && strcmp(roots.at[at].name, name) != 0) at++;
    if (!roots.at) roots.at = calloc(MOST, sizeof *roots.at);
    if (!roots.at || at == MOST) {
        free(real);
        code = ks_fail(e, KS_EUSAGE, "%s: at most %d roots on one machine", name, MOST);
    } else {
        free(roots.at[at].path);
        roots.at[at].path = real;
        snprintf(roots.at[at].id, sizeof roots.at[at].id, "%s", id);
        snprintf(roots.at[at].name, sizeof roots.at[at].name, "%s", name);
        if (at == roots.n) roots.n++;
        code = write_roots(&roots, folder, e);
    }
    ks_hub_roots_free(&roots);
    return code;
}

const ks_hub_root *ks_hub_place(const char **rel, const ks_hub_roots *roots, const char *path)
{
    const ks_hub_root *best = NULL;
    size_t longest = 0;
    for (int i = 0; i < roots->n; i++) {
        size_t n = strlen(roots->at[i].path);
        if (n < longest || strncmp(path, roots->at[i].path, n) != 0 || path[n] != '/') continue;
        best = &roots->at[i];
        longest = n;
        *rel = path + n + 1;
    }
    return best && ks_hub_is_rel(*rel, strlen(*rel)) ? best : NULL;
}

int ks_hub_folder(char **folder, const char *data, const char *where, ks_error *e)
{
    int n = asprintf(folder, "%s/hubs/%016llx", data,
                     (unsigned long long)XXH64(where, strlen(where), 0));
    if (n < 0) {
        *folder = NULL;
        return ks_fail(e, KS_ENOMEM, "no memory for the hub's folder");
    }
    for (char *slash = *folder; (slash = strchr(slash + 1, '/')) || 1;) {
        if (slash) *slash = 0;
        int bad = mkdir(*folder, 0700) != 0 && errno != EEXIST ? errno : 0;
        if (slash) *slash = '/';
        if (bad && bad != EROFS && bad != EACCES)
            return ks_fail(e, KS_EIO, "%s: %s", *folder, strerror(bad));
        if (!slash) return 0;
    }
}
