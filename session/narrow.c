/* narrow.c - what narrows an answer and orders it: folders as patterns, the filter that nothing
 * passes, --sort. */
#include "session/session.h"

#include "session/open.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* 1: some film has clips that pass. */
static int passes(ks_index *x, const ks_filter *f, ks_error *e)
{
    ks_cursor *c = NULL;
    ks_clip clip;
    int err = ks_index_clips(&c, x, f, e);

    if (err >= 0) err = ks_clips_next(&clip, c, e);
    ks_cursor_close(c);
    return err;
}

/* All that lies below folder[n], as a pattern; malloc'ed. */
static char *below(const char *folder, size_t n)
{
    char *pattern = malloc(2 * n + 3), *to = pattern;

    if (!pattern) return NULL;
    for (size_t i = 0; i < n; i++) {
        if (strchr("*?[\\", folder[i])) *to++ = '\\';
        *to++ = folder[i];
    }
    strcpy(to, "/*");
    return pattern;
}

/* A folder on this disk, or a name that ends in '/': films below it. A name that no film has,
 * and that is none of a pattern: a folder that was there when its films were read. */
int ks_question_path(ks_filter *f, ks_session *s, const char *path, ks_error *e)
{
    size_t n = strlen(path);
    ks_filter one = {.path_glob = path};
    char full[PATH_MAX];
    int err;

    f->path_glob = path;
    if (n == 0) return ks_fail(e, KS_EUSAGE, "--path: the pattern is empty");
    if (is_folder(path) && realpath(path, full)) {
        path = full;
        n = strlen(full);
    } else if (path[n - 1] != '/') {
        if (strpbrk(path, "*?[") || (err = passes(s->x, &one, e)) > 0) return 0;
        if (err < 0) return err;
    }
    while (n > 0 && path[n - 1] == '/') n--;
    free(s->folder);
    if (!(s->folder = below(path, n))) return ks_fail(e, KS_ENOMEM, "no memory for a query");
    f->path_glob = s->folder;
    return 0;
}

/* --- orientation, size --- */
int ks_question_shape(ks_filter *f, const ks_question *q, ks_error *e)
{
    static const char *const names[] = {"landscape", "portrait", "square"};

    f->film_longer = q->film_longer;
    f->film_shorter = q->film_shorter;
    f->min_height = q->min_height;
    for (int i = 0; q->orientation && i < 3; i++)
        if (strcmp(names[i], q->orientation) == 0) f->orientation = i + 1;
    return !q->orientation || f->orientation
               ? 0
               : ks_fail(e, KS_EUSAGE,
                         "--orientation takes landscape, portrait or square, not \"%s\"",
                         q->orientation);
}

/* --- a filter that nothing passes --- */
int ks_name_empty_filter(char *out, size_t room, ks_index *x, const ks_filter *f, ks_error *e)
{
    const struct {
        const char *name;
        int asked;
        ks_filter alone;
    } parts[] = {{"--path", f->path_glob != NULL, {.path_glob = f->path_glob}},
                 {"--after", f->after != 0, {.after = f->after}},
                 {"--before", f->before != 0, {.before = f->before}},
                 {"--longer", f->longer > 0, {.longer = f->longer}},
                 {"--shorter", f->shorter > 0, {.shorter = f->shorter}},
                 {"--label", f->label != NULL, {.label = f->label}},
                 {"--said", f->said != NULL, {.said = f->said}},
                 {"--in", f->video != 0, {.video = f->video}},
                 {"--film-longer", f->film_longer > 0, {.film_longer = f->film_longer}},
                 {"--film-shorter", f->film_shorter > 0, {.film_shorter = f->film_shorter}},
                 {"--min-height", f->min_height > 0, {.min_height = f->min_height}},
                 {"--orientation", f->orientation != 0, {.orientation = f->orientation}}};
    int asked = 0, err;

    snprintf(out, room, "no clip here passes all of");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!parts[i].asked) continue;
        if ((err = passes(x, &parts[i].alone, e)) < 0) return err;
        if (err == 0) {
            snprintf(out, room, "no clip here passes %s", parts[i].name);
            return 1;
        }
        snprintf(out + strlen(out), room - strlen(out), "%s %s", asked++ ? "," : "", parts[i].name);
    }
    return asked > 1;
}

/* --- order --- */
static int by_film(const ks_hit *x, const ks_hit *y)
{
    int order = strcmp(x->path, y->path);

    if (order) return order;
    return x->start != y->start ? (x->start < y->start ? -1 : 1) : x->rank - y->rank;
}

static int by_date(const void *a, const void *b)
{
    const ks_hit *x = a, *y = b;

    return x->film_date != y->film_date ? (x->film_date < y->film_date ? -1 : 1) : by_film(x, y);
}

static int by_path(const void *a, const void *b) { return by_film(a, b); }

void ks_sort_hits(ks_hits *hits, const char *sort)
{
    if (!sort || strcmp(sort, "score") == 0 || hits->count == 0) return;
    qsort(hits->at, (size_t)hits->count, sizeof *hits->at,
          strcmp(sort, "date") == 0 ? by_date : by_path);
    for (int i = 0; i < hits->count; i++) hits->at[i].rank = i + 1;
}
