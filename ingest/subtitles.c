/* subtitles.c - what is said: of films that are in and were not looked into yet, and of the files
 * of subtitles beside them.
 *
 * Apart from the films' own way (jobs, queue, indexer): a film that is in gets its lines without
 * being decoded again, and a line that cannot be read costs no picture. A film's own subtitles are
 * read once, as its content never changes; a file beside it where its size or time is another. Each
 * place is one transaction, so a run that is stopped goes on with the next. */
#include "ingest/jobs.h"
#include "ingest/subtitles.h"
#include "ingest/words.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

typedef struct { /* a path of a film that is in */
    char *path;
    size_t folder, stem; /* bytes of it: the folder without '/', all but the ending */
    int64_t video;
    ks_stat stat;
    int here; /* below what this run was given */
} place;

typedef struct { /* a row of subtitle_file */
    char *path;
    int64_t video;
    ks_stat stat;
    int met;
} known;

typedef struct {
    ks_index *x;
    const ks_ingest_options *o;
    const ks_words *roots;
    ks_decoder *d;
    place *film; /* [films] by folder, then stem */
    size_t films, films_room;
    known *have; /* [haves] by video, path */
    size_t haves, haves_room;
    ks_subtitle_line *line; /* [lines] of the place being read; texts are owned */
    int lines, lines_room;
    int late; /* its memory is gone */
} subtitles;

static int no_memory(ks_error *e) { return ks_fail(e, KS_ENOMEM, "no memory for subtitles"); }

/* --- what there is --- */
static int by_stem(const void *a, const void *b)
{
    const place *p = a, *q = b;
    size_t n = p->stem < q->stem ? p->stem : q->stem;
    int c = memcmp(p->path, q->path, n);
    return c ? c : p->stem != q->stem ? (p->stem < q->stem ? -1 : 1) : strcmp(p->path, q->path);
}

static int by_row(const void *a, const void *b)
{
    const known *p = a, *q = b;
    return p->video != q->video ? (p->video < q->video ? -1 : 1) : strcmp(p->path, q->path);
}

static int add_film(subtitles *s, const ks_video *v)
{
    const char *slash = strrchr(v->path, '/'), *dot = strrchr(v->path, '.');
    if (v->finished == 0 || !slash) return 0;
    if (s->films == s->films_room) {
        size_t room = 2 * s->films_room + 256;
        place *more = reallocarray(s->film, room, sizeof *more);
        if (!more) return -1;
        s->film = more;
        s->films_room = room;
    }
    place *p = &s->film[s->films];
    *p = (place){.path = strdup(v->path),
                 .folder = (size_t)(slash - v->path),
                 .stem = dot > slash + 1 ? (size_t)(dot - v->path) : strlen(v->path),
                 .video = v->id,
                 .stat = v->stat};
    if (!p->path) return -1;
    for (int i = 0; i < s->roots->n; i++) p->here |= ks_is_folder_of(s->roots->at[i], v->path);
    s->films++;
    return 0;
}

static int list_films(subtitles *s, ks_error *e)
{
    ks_cursor *c = NULL;
    ks_filter all = {0};
    ks_video v;
    int err = ks_index_files(&c, s->x, &all, e), r = 0;
    while (err >= 0 && ((r = ks_files_next(&v, c, e)) == 1 || r == KS_EDAMAGED))
        if (r == 1 && add_film(s, &v) < 0) err = no_memory(e);
    ks_cursor_close(c);
    if (s->films) qsort(s->film, s->films, sizeof *s->film, by_stem);
    return err < 0 ? err : r < 0 ? r : 0;
}

static int add_known(void *arg, const ks_subtitle_file *f)
{
    subtitles *s = arg;
    if (s->haves == s->haves_room) {
        size_t room = 2 * s->haves_room + 256;
        known *more = reallocarray(s->have, room, sizeof *more);
        if (!more) return KS_ENOMEM;
        s->have = more;
        s->haves_room = room;
    }
    known *k = &s->have[s->haves];
    *k = (known){.path = strdup(f->path), .video = f->video, .stat = f->stat};
    s->haves += k->path != NULL;
    return k->path ? 0 : KS_ENOMEM;
}

static known *find_known(const subtitles *s, int64_t video, const char *path)
{
    known key = {.path = (char *)(uintptr_t)path, .video = video};
    return s->haves ? bsearch(&key, s->have, s->haves, sizeof key, by_row) : NULL;
}

/* --- reading one place --- */
static int take_line(void *arg, const ks_text_line *line)
{
    subtitles *s = arg;
    if (ks_asked_to_stop(s->o->stop)) return 1;
    if (s->lines == s->lines_room) {
        int room = 2 * s->lines_room + 256;
        ks_subtitle_line *more = reallocarray(s->line, (size_t)room, sizeof *more);
        if (!more) return s->late = 1;
        s->line = more;
        s->lines_room = room;
    }
    ks_subtitle_line *to = &s->line[s->lines];
    *to = (ks_subtitle_line){
        .start_us = line->start_us, .end_us = line->end_us, .text = strdup(line->text)};
    if (!to->text) return s->late = 1;
    s->lines++;
    return 0;
}

static void forget_lines(subtitles *s)
{
    for (int i = 0; i < s->lines; i++) free((char *)(uintptr_t)s->line[i].text);
    s->lines = 0;
}

/* A program that is gone is started again, once. */
static int read_lines(char note[200], subtitles *s, const char *path, int beside, ks_error *e)
{
    const ks_decoder_how how = {.require_sandbox = s->o->require_sandbox};
    int err = 0;
    for (int i = 0; i < 2; i++) {
        if (s->d && ks_decoder_gone(s->d)) {
            ks_decoder_stop(s->d);
            s->d = NULL;
        }
        if (!s->d && (err = ks_decoder_start(&s->d, s->o->decoder, &how, e)) < 0) return err;
        forget_lines(s);
        err = ks_texts(note, s->d, path, beside, take_line, s, e);
        if (err != KS_EIO) break;
    }
    return s->late ? no_memory(e) : err;
}

/* What is wrong with it stays as its note: it is not read again until it is another. */
static int read_place(subtitles *s, int64_t video, const char *film, const char *beside,
                      const struct stat *st, ks_error *e)
{
    ks_subtitle_file f = {.video = video, .path = beside ? beside : ""};
    const char *path = beside ? beside : film;
    char note[200] = "";
    ks_error why;
    if (beside) f.stat = ks_stat_of(st);
    int err = read_lines(note, s, path, beside != NULL, &why), failed = err == KS_EFORMAT;
    if (err == KS_ENOTFOUND || err == KS_EIO) return 0; /* gone, or not to be opened now */
    if (err < 0 && !failed) return ks_fail(e, err, "%s", why.msg);
    if (failed) {
        const char *what = strstr(why.msg, path) == why.msg ? why.msg + strlen(path) + 2 : why.msg;
        snprintf(note, sizeof note, "%.199s", what);
        forget_lines(s);
    }
    f.note = note;
    err = ks_index_put_subtitles(s->x, &f, s->line, s->lines, e);
    if (err >= 0 && (s->lines > 0 || failed))
        ks_say(s->o, &(ks_event){.kind = KS_EVENT_SUBTITLES,
                                 .u.subtitles = {path, note, s->lines, failed}});
    return err;
}

/* --- beside films --- */
static int has_ending(const char *name)
{
    static const char *const endings[] = {".srt", ".vtt", ".ass", ".ssa"};
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (n > 4 && strcasecmp(name + n - 4, endings[i]) == 0) return 1;
    return 0;
}

/* The first of film[first .. end) with the stem of n bytes, a whole path; end: none. */
static size_t find_stem(const subtitles *s, size_t first, size_t end, const char *path, size_t n)
{
    for (size_t low = first, high = end;;) {
        if (low == high)
            return low < end && s->film[low].stem == n && memcmp(s->film[low].path, path, n) == 0
                       ? low
                       : end;
        size_t middle = low + (high - low) / 2;
        const place *p = &s->film[middle];
        int c = memcmp(p->path, path, p->stem < n ? p->stem : n);
        if (c < 0 || (c == 0 && p->stem < n)) low = middle + 1;
        else high = middle;
    }
}

/* ".en", ".pt-BR", ".forced": what may stand between a film's name and the ending. */
static int is_mark(const char *dot, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (!((dot[i] >= '0' && dot[i] <= '9') || ((dot[i] | 32) >= 'a' && (dot[i] | 32) <= 'z') ||
              dot[i] == '-' || dot[i] == '_'))
            return 0;
    return n > 1 && n <= 13;
}

/* A file of subtitles: to each film whose name it has, longest first, up to two marks less. */
static int beside_films(subtitles *s, size_t first, size_t end, const char *path, ks_error *e)
{
    size_t n = strlen(path) - 4, at = end;
    struct stat st;
    for (int marks = 0; (at = find_stem(s, first, end, path, n)) == end && marks < 2; marks++) {
        size_t dot = n;
        while (dot > s->film[first].folder + 1 && path[dot - 1] != '.') dot--;
        if (dot <= s->film[first].folder + 2 || !is_mark(path + dot - 1, n - dot + 1)) break;
        n = dot - 1;
    }
    if (at == end || stat(path, &st) || !S_ISREG(st.st_mode)) return 0;
    int err = 0;
    for (; at < end && err >= 0 && s->film[at].stem == n && memcmp(s->film[at].path, path, n) == 0;
         at++) {
        known *k = find_known(s, s->film[at].video, path);
        if (k) k->met = 1;
        if (k && ks_stat_untouched(k->stat, ks_stat_of(&st))) continue;
        if (ks_asked_to_stop(s->o->stop)) return ks_fail(e, KS_ESTOP, "interrupted");
        err = read_place(s, s->film[at].video, s->film[at].path, path, &st, e);
    }
    return err;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* *names [*n], whole paths, sorted. 0; 1: the folder cannot be read now. */
static int list_folder(char ***names, size_t *n, const char *folder, size_t bytes, ks_error *e)
{
    char *name = strndup(folder, bytes ? bytes : 1);
    DIR *d = name ? opendir(name) : NULL;
    struct dirent *f;
    size_t room = 0;
    int err = 0;
    *names = NULL;
    *n = 0;
    errno = 0;
    while (d && err == 0 && (f = readdir(d))) {
        char *path = NULL;
        if (!has_ending(f->d_name) || f->d_name[0] == '.') continue;
        if (*n == room) {
            char **more = reallocarray(*names, room = 2 * room + 16, sizeof *more);
            if (more) *names = more;
            else err = no_memory(e);
        }
        if (err == 0 && asprintf(&path, "%.*s/%s", (int)bytes, folder, f->d_name) < 0)
            err = no_memory(e);
        else if (err == 0) (*names)[(*n)++] = path;
    }
    if (d) closedir(d);
    free(name);
    if (*n) qsort(*names, *n, sizeof **names, by_name);
    return err < 0 ? err : d == NULL;
}

/* Rows of places in that folder that were not met are of files that are gone. */
static int drop_unmet(subtitles *s, const char *folder, size_t bytes, ks_error *e)
{
    int err = 0;
    for (size_t i = 0; i < s->haves && err >= 0; i++) {
        known *k = &s->have[i];
        const char *slash = strrchr(k->path, '/');
        if (k->met || !slash || (size_t)(slash - k->path) != bytes ||
            memcmp(folder, k->path, bytes) != 0)
            continue;
        k->met = 1;
        err = ks_index_drop_subtitles(s->x, k->video, k->path, e);
    }
    return err;
}

/* film[first .. end): of one folder. */
static int look_beside(subtitles *s, size_t first, size_t end, ks_error *e)
{
    char **name;
    size_t n;
    int err = list_folder(&name, &n, s->film[first].path, s->film[first].folder, e),
        closed = err > 0;
    for (size_t i = 0; i < n && err == 0; i++) err = beside_films(s, first, end, name[i], e);
    if (err >= 0 && !closed) err = drop_unmet(s, s->film[first].path, s->film[first].folder, e);
    for (size_t i = 0; i < n; i++) free(name[i]);
    free(name);
    return err < 0 ? err : 0;
}

static int same_folder(const place *p, const place *q)
{
    return p->folder == q->folder && memcmp(p->path, q->path, p->folder) == 0;
}

static int look_beside_all(subtitles *s, ks_error *e)
{
    int err = 0;
    for (size_t first = 0, end; first < s->films && err >= 0; first = end) {
        int here = 0;
        for (end = first; end < s->films && same_folder(&s->film[first], &s->film[end]); end++)
            here |= s->film[end].here;
        if (here) err = look_beside(s, first, end, e);
    }
    return err;
}

/* Beside a film that lies in that folder no more. */
static int drop_moved(subtitles *s, ks_error *e)
{
    int err = 0;
    for (size_t i = 0; i < s->haves && err >= 0; i++) {
        known *k = &s->have[i];
        const char *slash = strrchr(k->path, '/');
        int there = k->met || !slash;
        for (size_t f = 0; f < s->films && !there; f++)
            there = s->film[f].video == k->video &&
                    s->film[f].folder == (size_t)(slash - k->path) &&
                    memcmp(s->film[f].path, k->path, s->film[f].folder) == 0;
        if (!there) err = ks_index_drop_subtitles(s->x, k->video, k->path, e);
    }
    return err;
}

/* --- inside films --- */
static int look_inside(subtitles *s, ks_error *e)
{
    int err = 0;
    for (size_t i = 0; i < s->films && err >= 0; i++) {
        const place *p = &s->film[i];
        struct stat st;
        if (!p->here || find_known(s, p->video, "")) continue;
        /* what is another film by now is triage's to see */
        if (stat(p->path, &st) || !ks_stat_untouched(ks_stat_of(&st), p->stat)) continue;
        if (ks_asked_to_stop(s->o->stop)) return ks_fail(e, KS_ESTOP, "interrupted");
        err = read_place(s, p->video, p->path, NULL, &st, e);
    }
    return err;
}

int ks_subtitles_read(ks_index *x, const ks_ingest_options *o, const ks_words *roots, ks_error *e)
{
    subtitles *s = calloc(1, sizeof *s);
    if (!s) return no_memory(e);
    *s = (subtitles){.x = x, .o = o, .roots = roots};
    int err = list_films(s, e);
    if (err >= 0) err = ks_index_subtitle_files(x, add_known, s, e);
    if (s->haves) qsort(s->have, s->haves, sizeof *s->have, by_row);
    if (err >= 0) err = look_beside_all(s, e);
    if (err >= 0) err = drop_moved(s, e);
    if (err >= 0) err = look_inside(s, e);
    forget_lines(s);
    for (size_t i = 0; i < s->films; i++) free(s->film[i].path);
    for (size_t i = 0; i < s->haves; i++) free(s->have[i].path);
    free(s->film);
    free(s->have);
    free(s->line);
    ks_decoder_stop(s->d);
    free(s);
    return err < 0 ? err : 0;
}

int ks_ingest_subtitles(ks_index *x, const ks_ingest_options *o, ks_error *e)
{
    ks_words roots = {0};
    int err = 0;
    for (int i = 0; i < o->n && err >= 0; i++) {
        char *path;
        err = ks_scan_absolute(&path, o->paths[i], e);
        if (err >= 0) err = ks_words_add(&roots, path, e);
        free(path);
    }
    if (err >= 0) err = ks_subtitles_read(x, o, &roots, e);
    ks_words_free(&roots);
    return err < 0 ? err : 0;
}
