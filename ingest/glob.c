/* glob.c - see glob.h. */
#include "ingest/glob.h"

#include <stdlib.h>
#include <string.h>

/* Pattern after a '[': sets *rest behind the ']'; 1 if c is in the set, -1 if it never closes. */
static int in_set(const char **rest, const char *p, unsigned char c)
{
    int not = *p == '!' || *p == '^', found = 0;
    if (not) p++;
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
    return found != not;
}

/* One pattern element against one byte: sets *rest; 0 no match. */
static int one(const char **rest, const char *p, char c)
{
    *rest = p + 1;
    if (*p == '?') return c != '/';
    if (*p == '[' && c != '/') {
        int in = in_set(rest, p + 1, (unsigned char)c);
        if (in >= 0) return in;
    }
    if (*p == '\\' && p[1]) {
        *rest = p + 2;
        return p[1] == c;
    }
    return *p == c;
}

/* Backtracks to the last '*' within a name and to the last '**' across names: time is O(pattern * text). */
int ks_glob(const char *p, const char *t)
{
    const char *star = NULL, *star_at = NULL, *wide = NULL, *wide_at = NULL;
    for (;;) {
        if (p[0] == '*' && p[1] == '*') {
            while (*p == '*') p++;
            if (*p == '/' && (wide == NULL || p > wide)) {
                if (ks_glob(p + 1, t)) return 1; /* a / ** / b matches a/b too */
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
        if (*t ? *p && one(&rest, p, *t) : !*p) {
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

int ks_glob_path(const char *pattern, const char *relative, int is_folder)
{
    size_t n = strlen(pattern);
    int folder_only = n > 1 && pattern[n - 1] == '/';
    if (folder_only && !is_folder) return 0;
    char *copy = NULL;
    if (folder_only) {
        copy = strndup(pattern, n - 1);
        if (!copy) return 0;
        pattern = copy;
    }
    int anchored = strchr(pattern, '/') != NULL, found;
    if (anchored) {
        found = ks_glob(pattern[0] == '/' ? pattern + 1 : pattern, relative);
    } else {
        const char *name = strrchr(relative, '/');
        found = ks_glob(pattern, name ? name + 1 : relative);
    }
    free(copy);
    return found;
}
