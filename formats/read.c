/* read.c - labels from other tools' files: which format it is, and the list that all readers
 * fill. */
#include "formats/read.h"

#include "formats/text_out.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_BYTES = 1 << 30 };

int ks_bad_file(const ks_reader *r, const char *what)
{
    return ks_fail(r->e, KS_EFORMAT, "%s: %s", r->file, what);
}

int ks_add_span(ks_reader *r, const char *film, const char *label, double start, double end,
                double score, int yes)
{
    ks_spans *s = r->out;
    ks_span *at;

    if (!isfinite(start) || !isfinite(end) || start < 0 || (end >= 0 && end < start))
        return ks_fail(r->e, KS_EFORMAT, "%s: a span of %s is from %.3f to %.3f", r->file, film,
                       start, end);
    if (s->n == s->room) {
        int room = s->room * 2 + 64;
        ks_span *more = realloc(s->at, (size_t)room * sizeof *more);
        if (!more) return ks_fail(r->e, KS_ENOMEM, "%s: no memory for its labels", r->file);
        s->at = more;
        s->room = room;
    }
    at = &s->at[s->n++];
    *at = (ks_span){.film = strdup(film),
                    .label = strdup(label ? label : ""),
                    .start = start,
                    .end = end,
                    .yes = yes,
                    .score = score};
    return at->film && at->label
               ? 0
               : ks_fail(r->e, KS_ENOMEM, "%s: no memory for its labels", r->file);
}

int ks_name_film(ks_reader *r, const char *film)
{
    if (r->n_named == r->named_room) {
        int room = r->named_room * 2 + 64;
        char **more = realloc(r->named, (size_t)room * sizeof *more);
        if (!more) return ks_fail(r->e, KS_ENOMEM, "%s: no memory for its films", r->file);
        r->named = more;
        r->named_room = room;
    }
    if (!(r->named[r->n_named] = strdup(film)))
        return ks_fail(r->e, KS_ENOMEM, "%s: no memory for its films", r->file);
    r->n_named++;
    return 0;
}

int ks_add_url_span(ks_reader *r, const char *url, const char *label, double start, double end,
                    double score, int yes)
{
    char *film = ks_path_of_url(url);
    int err = film ? ks_add_span(r, film, label, start, end, score, yes)
                   : ks_fail(r->e, KS_ENOMEM, "%s: no memory for its labels", r->file);

    free(film);
    return err;
}

int ks_name_url(ks_reader *r, const char *url)
{
    char *film = ks_path_of_url(url);
    int err = film ? ks_name_film(r, film)
                   : ks_fail(r->e, KS_ENOMEM, "%s: no memory for its films", r->file);

    free(film);
    return err;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Films of spans and films that are named, each once; every span learns its film's place. */
static int gather(ks_spans *s, ks_reader *r)
{
    int err = 0;

    for (int i = 0; i < s->n && err == 0; i++)
        if (i == 0 || strcmp(s->at[i].film, s->at[i - 1].film) != 0)
            err = ks_name_film(r, s->at[i].film);
    if (err < 0 || r->n_named == 0) return err;
    qsort(r->named, (size_t)r->n_named, sizeof *r->named, by_bytes);
    for (int i = 0; i < r->n_named; i++) {
        if (s->n_films && strcmp(r->named[s->n_films - 1], r->named[i]) == 0) free(r->named[i]);
        else r->named[s->n_films++] = r->named[i];
    }
    s->films = r->named;
    r->named = NULL;
    r->n_named = 0;
    for (int i = 0; i < s->n; i++) {
        char **at = bsearch(&s->at[i].film, s->films, (size_t)s->n_films, sizeof *at, by_bytes);
        s->at[i].of = (int)(at - s->films);
    }
    return 0;
}

void ks_spans_free(ks_spans *s)
{
    for (int i = 0; i < s->n; i++) {
        free(s->at[i].film);
        free(s->at[i].label);
    }
    for (int i = 0; i < s->n_films; i++) free(s->films[i]);
    free(s->films);
    free(s->at);
    *s = (ks_spans){0};
}

int ks_json_pair(double *start, double *end, const json_t *pair)
{
    const json_t *a = json_array_get(pair, 0), *b = json_array_get(pair, 1);

    if (json_array_size(pair) != 2 || !json_is_number(a) || !json_is_number(b)) return -1;
    *start = json_number_value(a);
    *end = json_number_value(b);
    return 0;
}

double ks_json_score(const json_t *of, const char *key)
{
    const json_t *score = json_object_get(of, key);

    return json_is_number(score) ? json_number_value(score) : NAN;
}

/* The whole text, a NUL behind it. */
static int slurp(char **text, size_t *n, const char *file, ks_error *e)
{
    FILE *f = strcmp(file, "-") == 0 ? stdin : fopen(file, "rb");
    size_t room = 0, got = 0;
    int err = 0;

    *text = NULL;
    *n = 0;
    if (!f)
        return ks_fail(e, errno == ENOENT || errno == ENOTDIR ? KS_ENOTFOUND : KS_EIO, "%s: %s",
                       file, strerror(errno));
    do {
        char *more = *n < MOST_BYTES ? realloc(*text, (room = room * 2 + 65536) + 1) : NULL;
        if (!more) {
            err = *n < MOST_BYTES ? ks_fail(e, KS_ENOMEM, "%s: no memory to read it", file)
                                  : ks_fail(e, KS_EFORMAT,
                                            "%s: larger than a gigabyte: no list of labels", file);
            break;
        }
        *text = more;
        *n += got = fread(*text + *n, 1, room - *n, f);
    } while (*n == room);
    if (err == 0 && ferror(f)) err = ks_fail(e, KS_EIO, "%s: %s", file, strerror(errno));
    if (err == 0) (*text)[*n] = 0;
    if (f != stdin) fclose(f);
    return err;
}

/* One JSON text: which of the known ones. */
static int read_root(ks_reader *r, const json_t *root)
{
    static const struct {
        const char *member, *format;
        int (*read)(ks_reader *r, const json_t *root);
    } kinds[] = {{"database", "activitynet-truth", ks_read_activitynet},
                 {"results", "activitynet", ks_read_activitynet},
                 {"labels", "fiftyone", ks_read_fiftyone},
                 {"project", "via", ks_read_via},
                 {"path", "jsonl", ks_read_hit}};

    if (json_is_array(root)) {
        r->out->format = "label-studio";
        return ks_read_label_studio(r, root);
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (json_object_get(root, kinds[i].member)) {
            r->out->format = kinds[i].format;
            return kinds[i].read(r, root);
        }
    return ks_bad_file(r, "JSON, but of no tool that is known here: ActivityNet, FiftyOne, Label "
                          "Studio, VIA or --json");
}

static int read_json(ks_reader *r, const char *text, size_t n)
{
    json_error_t why;
    json_t *root = json_loadb(text, n, 0, &why);
    int err;

    if (root) {
        err = read_root(r, root);
        json_decref(root);
        return err;
    }
    if (*text == '{' && json_error_code(&why) == json_error_end_of_input_expected) {
        r->out->format = "jsonl";
        return ks_read_json_lines(r, text, n);
    }
    return ks_fail(r->e, KS_EFORMAT, "%s: not JSON: line %d: %s", r->file, why.line, why.text);
}

static int read_text(ks_reader *r, char *text, size_t n)
{
    char *start = text;

    if (strncmp(start, "\xef\xbb\xbf", 3) == 0) start += 3;
    start += strspn(start, " \t\r\n");
    if (strncmp(text, "\xff\xfe", 2) == 0 || strncmp(text, "\xfe\xff", 2) == 0)
        return ks_bad_file(r, "it is UTF-16; save it as UTF-8");
    if (strlen(start) != n - (size_t)(start - text)) return ks_bad_file(r, "not a text file");
    if (!*start) { /* what search --json says where it finds nothing */
        r->out->format = "jsonl";
        return 0;
    }
    if (*start == '{' || *start == '[') return read_json(r, start, strlen(start));
    r->out->format = *start == '<' ? "elan" : "csv";
    return *start == '<' ? ks_read_elan(r, start, strlen(start)) : ks_read_csv(r, start);
}

/* An export of FiftyOne, or of Label Studio, is a folder: the file of it that holds the labels;
 * *path NULL: `file` is none. */
static int file_of_folder(char **path, const char *file, ks_error *e)
{
    static const char *const names[] = {"labels.json", "tasks.json"};
    struct stat st;

    *path = NULL;
    if (stat(file, &st) != 0 || !S_ISDIR(st.st_mode)) return 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        free(*path);
        if (asprintf(path, "%s/%s", file, names[i]) < 0) {
            *path = NULL;
            return ks_fail(e, KS_ENOMEM, "%s: no memory to read it", file);
        }
        if (stat(*path, &st) == 0) return 0;
    }
    free(*path);
    *path = NULL;
    return ks_fail(e, KS_ENOTFOUND,
                   "%s: a folder without labels.json (FiftyOne) and tasks.json (Label Studio)",
                   file);
}

int ks_spans_read(ks_spans *out, const char *file, double fps, ks_error *e)
{
    assert(out && file);
    ks_reader r = {.file = file, .fps = fps, .out = out, .e = e};
    char *text = NULL, *labels = NULL;
    size_t n = 0;
    int err;

    *out = (ks_spans){0};
    if ((err = file_of_folder(&labels, file, e)) < 0) return err;
    if (labels) r.file = labels;
    err = slurp(&text, &n, r.file, e);
    if (err == 0) err = read_text(&r, text, n);
    if (err == 0) err = gather(out, &r);
    for (int i = 0; i < r.n_named; i++) free(r.named[i]);
    free(r.named);
    if (err < 0) {
        const char *format = out->format;
        ks_spans_free(out);
        out->format = format;
        /* what it quotes of the file may hold anything */
        for (char *c = e ? e->msg : NULL; c && *c; c++)
            if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
    }
    free(text);
    free(labels);
    return err;
}
