/* out_files.c - kept entries into files: their order, the names of their films, which file each
 * goes to. */
#include "formats/out_run.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- order and names --- */
static int by_time(const void *a, const void *b)
{
    const ks_moment *x = a, *y = b;
    double s = ks_seconds(x->start, x->tb), t = ks_seconds(y->start, y->tb);

    if (s != t) return s < t ? -1 : 1;
    return x->rank - y->rank;
}

static int by_film(const void *a, const void *b)
{
    const ks_moment *x = a, *y = b;
    int order = x->video != y->video ? (x->video < y->video ? -1 : 1) : strcmp(x->path, y->path);

    return order ? order : by_time(a, b);
}

/* The file's name without its ending, as UTF-8; malloc'ed. */
static char *stem_of(const char *path)
{
    const char *name = ks_base_name(path), *dot = strrchr(name, '.');
    size_t n = dot && dot > name ? (size_t)(dot - name) : strlen(name), size;
    char *out = NULL, *cut = strndup(name, n);
    FILE *f = cut ? open_memstream(&out, &size) : NULL;

    if (f) {
        ks_put_line(f, cut, NULL);
        fclose(f);
    }
    free(cut);
    return out;
}

static int is_taken(char *const *names, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0) return 1;
    return 0;
}

/* Films of one name are told apart by their number in the library: lake, lake (17). Sorted by
 * film. */
static int name_films(ks_out *o)
{
    o->ids = calloc((size_t)o->n + 1, sizeof *o->ids);
    o->names = calloc((size_t)o->n + 1, sizeof *o->names);
    for (int i = 0; o->ids && o->names && i < o->n; i++) {
        if (i == 0 || !ks_same_film(&o->kept[i - 1], &o->kept[i])) {
            char *name = stem_of(o->kept[i].path);
            while (name && is_taken(o->names, o->n_names, name)) {
                char *other = NULL;
                int err = asprintf(&other, "%s (%lld)", name, (long long)o->kept[i].video);
                free(name);
                name = err < 0 ? NULL : other;
            }
            if (!(o->names[o->n_names++] = name)) return -1;
        }
        o->ids[i] = o->names[o->n_names - 1];
    }
    return o->ids && o->names ? 0 : -1;
}

void ks_forget_names(ks_out *o)
{
    for (int i = 0; o->names && i < o->n_names; i++) free(o->names[i]);
    free(o->names);
    free((void *)o->ids);
}

/* --- the end --- */
int ks_out_is_folder(const char *path)
{
    struct stat st;
    size_t n = strlen(path);

    return (n > 0 && path[n - 1] == '/') || (stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

/* Another film lies beside it whose name differs in the ending alone: c.mp4 and c.mov. */
static int has_twin(const char *film, int stem)
{
    const char *slash = strrchr(film, '/'), *base = slash ? slash + 1 : film;
    char *folder = strndup(film, (size_t)(base - film)), *path = NULL;
    DIR *d = folder ? opendir(*folder ? folder : ".") : NULL;
    size_t n = (size_t)(film + stem - base);
    int twin = 0;

    for (struct dirent *at; d && !twin && (at = readdir(d));) {
        if (strncmp(at->d_name, base, n) != 0 || at->d_name[n] != '.' ||
            strchr(at->d_name + n + 1, '.') || strcmp(at->d_name, base) == 0)
            continue;
        if (asprintf(&path, "%s%s", folder, at->d_name) < 0) break;
        twin = ks_is_film_file(path);
        free(path);
    }
    if (d) closedir(d);
    free(folder);
    return twin;
}

/* FOLDER/NAME, or the film's own path with the format's ending in place of its own. malloc'ed. */
static char *path_of(const ks_out *o, const char *name, const char *film, const char *ending)
{
    const char *folder = o->to.path, *dot = strrchr(film, '.'), *slash = strrchr(film, '/');
    char *path = NULL;
    int stem = dot && dot > (slash ? slash + 1 : film) ? (int)(dot - film) : (int)strlen(film), err;

    /* FILM.mov.srt where FILM.srt would be of two films; FILM.mov.xmp also where some program
     * keeps that */
    if (o->to.beside) {
        int kept = o->format->flags & KS_BESIDE;
        err = asprintf(&path, "%s%s", film, ending);
        if (err >= 0 && ((kept && access(path, F_OK) == 0) || has_twin(film, stem))) return path;
        free(err < 0 ? NULL : path);
        path = NULL;
    }
    if (o->to.beside) err = asprintf(&path, "%.*s%s", stem, film, ending);
    else
        err = asprintf(&path, "%s%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/",
                       name, ending);
    return err < 0 ? NULL : path;
}

/* The writer of one film's entries, from entry `from` on. */
static ks_writer film_writer(const ks_out *o, int from, ks_error *e)
{
    ks_writer w = {
        .at = o->kept + from, .ids = o->ids + from, .options = o->options, .e = e, .n = 1};

    while (from + w.n < o->n && ks_same_film(w.at, w.at + w.n)) w.n++;
    return w;
}

/* Everything that can be known before the first of the files is written. */
static int check_films(char **paths, ks_out *o, ks_error *e)
{
    int err = 0, n = 0;

    for (int i = 0; i < o->n && err == 0; n++) {
        ks_writer w = film_writer(o, i, e);
        struct stat st;
        if (!(paths[n] = path_of(o, o->ids[i], o->kept[i].path, o->format->ending)))
            return ks_fail(e, KS_ENOMEM, "no memory for a path");
        if (is_taken(paths, n, paths[n]))
            err = ks_fail(e, KS_EUSAGE, "%s: two films of that name would share it", paths[n]);
        else if (!(o->format->flags & KS_BESIDE) && !o->to.force && lstat(paths[n], &st) == 0)
            err = ks_fail(e, KS_EUSAGE, "%s: it is there already (--force replaces it)", paths[n]);
        else err = ks_check_format(o->format, &w);
        i += w.n;
    }
    return err;
}

/* Each film's entries into a file of their own; one file open at a time, whatever the number of
 * films. */
static int write_films(ks_out *o, ks_error *e)
{
    char **paths = calloc((size_t)o->n_names + 1, sizeof *paths);
    int err = paths ? check_films(paths, o, e) : ks_fail(e, KS_ENOMEM, "no memory for paths"),
        merges = !!(o->format->flags & KS_BESIDE);

    if (err == 0 && o->n && !o->to.beside) err = ks_make_folder(o->to.path, e);
    for (int i = 0, n = 0; i < o->n && err == 0; n++) {
        FILE *f = NULL;
        ks_writer w = film_writer(o, i, e);
        w.path = merges && access(paths[n], F_OK) == 0 ? paths[n] : NULL;
        if ((err = ks_check_format(o->format, &w)) == 0 &&
            (err = ks_out_new_file(&f, o, paths[n], o->to.force || merges, e)) == 0 &&
            (err = ks_write_kept(&w, o, o->format, f, e)) == 0)
            err = ks_out_publish(o, e);
        free(w.own);
        i += w.n;
    }
    for (int i = 0; paths && i < o->n_names; i++) free(paths[i]);
    free(paths);
    return err;
}

static int write_folder(ks_out *o, ks_writer *w, ks_error *e)
{
    int err = ks_make_folder(o->to.path, e);

    for (const ks_format *f = o->format; f && err == 0; f = f->also) {
        FILE *to = NULL;
        char *path = path_of(o, f->file, "", "");
        err = path ? ks_out_new_file(&to, o, path, o->to.force, e)
                   : ks_fail(e, KS_ENOMEM, "no memory for a path");
        if (err == 0) err = ks_write_kept(w, o, f, to, e);
        free(path);
    }
    return err;
}

static int write_target(ks_out *o, ks_writer *w, ks_error *e)
{
    int err;
    FILE *f = o->to.stream;

    if (o->format->flags & (KS_ONE_FILM | KS_BESIDE) &&
        (o->to.beside || (o->to.path && ks_out_is_folder(o->to.path))))
        return write_films(o, e);
    w->path = o->format->flags & KS_FOLDER ? o->to.path : NULL;
    if ((err = ks_check_format(o->format, w)) < 0) return err;
    if (o->format->flags & KS_FOLDER) return write_folder(o, w, e);
    if (o->to.path && (err = ks_out_new_file(&f, o, o->to.path, o->to.force, e)) < 0) return err;
    return ks_write_kept(w, o, o->format, f, e);
}

int ks_write_all(ks_out *o, ks_error *e)
{
    ks_writer w = {.options = o->options, .e = e};
    int err = 0, flags = o->format->flags;

    if (o->n > 1 && flags & (KS_BY_FILM | KS_ONE_FILM | KS_BESIDE))
        qsort(o->kept, (size_t)o->n, sizeof *o->kept, by_film);
    else if (o->n > 1 && flags & KS_BY_TIME) qsort(o->kept, (size_t)o->n, sizeof *o->kept, by_time);
    if (flags & (KS_BY_FILM | KS_ONE_FILM | KS_BESIDE) && name_films(o) < 0)
        return ks_fail(e, KS_ENOMEM, "no memory for names");
    w.at = o->kept;
    w.ids = o->ids;
    w.n = o->n;
    err = write_target(o, &w, e);
    free(w.own);
    return err;
}
