/* glob.c - the one language of patterns: of --include, --exclude and ignore files, and of
 * filters by path. */
#include "index/catalog.h"

#include <string.h>

/* Pattern after a '[': sets *rest behind the ']'; 1 if c is in the set, 0 if not, -1 if it never
 * closes. */
static int in_set(const char **rest, const char *p, unsigned char c)
{
    int not = *p == '!' || *p == '^', found = 0;
    if (not ) p++;
    for (int first = 1; *p && (first || *p != ']'); first = 0) {
        if (*p == '\\' && p[1]) p++;
        unsigned char low = (unsigned char)*p++, high = low;
        if (*p == '-' && p[1] && p[1] != ']') {
            p++;
            if (*p == '\\' && p[1]) p++;
            high = (unsigned char)*p++;
        }
        if (c >= low && c <= high) found = 1;
    }
    if (!*p) return -1;
    *rest = p + 1;
    return found != not ;
}

/* One pattern element against one byte: sets *rest; 0 no match. */
static int one(const char **rest, const char *p, char c, int wide)
{
    *rest = p + 1;
    if (*p == '?') return wide || c != '/';
    if (*p == '[' && (wide || c != '/')) {
        int in = in_set(rest, p + 1, (unsigned char)c);
        if (in >= 0) return in;
    }
    if (*p == '\\' && p[1]) {
        *rest = p + 2;
        return p[1] == c;
    }
    return *p == c;
}

/* Backtracks to the last '*' within a name and to the last '**' across names: time is O(pattern
 * * text). */
int ks_glob(const char *p, const char *t, int any_folder)
{
    const char *star = NULL, *star_at = NULL, *wide = NULL, *wide_at = NULL;
    for (;;) {
        if (p[0] == '*' && (any_folder || p[1] == '*')) {
            int twice = p[1] == '*';
            while (*p == '*') p++;
            if (twice && *p == '/' && (wide == NULL || p > wide)) {
                if (ks_glob(p + 1, t, any_folder)) return 1; /* a / ** / b matches a/b too */
            }
            wide = p;
            wide_at = t;
            star = NULL;
            continue;
        }
        if (*p == '*') {
            star = ++p;
            star_at = t;
            continue;
        }
        const char *rest = p;
        if (*t ? *p && one(&rest, p, *t, any_folder) : !*p) {
            if (!*t) return 1;
            p = rest;
            t++;
            continue;
        }
        if (star && *star_at && *star_at != '/') {
            p = star;
            t = ++star_at;
        } else if (wide && *wide_at) {
            p = wide;
            t = ++wide_at;
            star = NULL;
        } else {
            return 0;
        }
    }
}

int ks_path_matches(const char *glob, const char *path)
{
    const char *name = strrchr(path, '/');
    size_t n = strlen(glob), all = strlen(path);
    /* A pattern is a name first: "Holiday [dQw4w9WgXcQ].mp4" is that film, whatever its brackets
     * could mean. */
    if (n > 0 && n <= all && strcmp(path + all - n, glob) == 0 &&
        (n == all || path[all - n - 1] == '/'))
        return 1;
    if (!strchr(glob, '/')) return ks_glob(glob, name ? name + 1 : path, 1);
    if (ks_glob(glob, path, 1)) return 1;
    if (glob[0] == '/') return 0;
    /* "2019/\*.mp4": any folder's 2019 */
    for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/'))
        if (ks_glob(glob, p + 1, 1)) return 1;
    return 0;
}
