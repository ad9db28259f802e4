/* label_set.c - label sets as people write them: a text file, the class list of a data set,
 * JSON. */
#include "query/query.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_BYTES = 64 << 20 };

/* Everything that a set points into. */
typedef struct {
    void **at;
    size_t n, room;
    ks_label_def *labels; /* [n_labels] */
    int n_labels, room_labels;
} memory;

static void *keep(memory *m, void *p)
{
    if (p && m->n == m->room) {
        void **more = realloc(m->at, (m->room = m->room * 2 + 64) * sizeof *more);
        if (!more) {
            free(p);
            return NULL;
        }
        m->at = more;
    }
    if (p) m->at[m->n++] = p;
    return p;
}

static void free_memory(memory *m)
{
    for (size_t i = 0; m && i < m->n; i++) free(m->at[i]);
    if (m) {
        free(m->at);
        free(m->labels);
    }
    free(m);
}

static int no_memory(const char *file, ks_error *e)
{
    return ks_fail(e, KS_ENOMEM, "%s: no memory for labels", file);
}

static int add_label(memory *m, const ks_label_def *d)
{
    if (m->n_labels == m->room_labels) {
        int room = m->room_labels * 2 + 64;
        ks_label_def *more = realloc(m->labels, (size_t)room * sizeof *more);
        if (!more) return -1;
        m->labels = more;
        m->room_labels = room;
    }
    m->labels[m->n_labels++] = *d;
    return 0;
}

static int read_file(char **text, size_t *n, const char *file, ks_error *e)
{
    FILE *f = strcmp(file, "-") == 0 ? stdin : fopen(file, "rb");
    size_t room = 0, got;
    int err = 0;

    *text = NULL;
    *n = 0;
    if (!f) return ks_fail(e, KS_ENOTFOUND, "%s: %s", file, strerror(errno));
    do {
        char *more = realloc(*text, (room = room * 2 + 65536) + 1);
        if (!more) {
            err = no_memory(file, e);
            break;
        }
        *text = more;
        *n += got = fread(*text + *n, 1, room - *n, f);
        (*text)[*n] = 0;
    } while (*n == room && *n < MOST_BYTES);
    if (err == 0 && ferror(f)) err = ks_fail(e, KS_EIO, "%s: %s", file, strerror(errno));
    if (err == 0 && (*n >= MOST_BYTES || strlen(*text) != *n))
        err = ks_fail(e, KS_EFORMAT, "%s: not a text file of labels", file);
    if (f != stdin) fclose(f);
    return err;
}

static int is_utf8(const char *text, size_t n)
{
    json_t *j = json_stringn(text, n); /* NULL: it is not */

    json_decref(j);
    return j != NULL;
}

/* --- a table --- */
enum { NAME, PROMPTS, NOTS, PARENT, THRESHOLD, COLUMNS };
static const char *const columns[COLUMNS][4] = {{"name", "label", "class", NULL},
                                                {"prompts", "prompt", NULL},
                                                {"not", NULL},
                                                {"parent", NULL},
                                                {"threshold", NULL}};

/* The next cell of a CSV record (RFC 4180, blanks before it left out), unquoted in place; *rest
 * NULL after the last one. */
static char *cell(char **rest)
{
    char *start = *rest + strspn(*rest, " \t"), *from = start, *to = start;

    if (*from != '"') {
        char *comma = strchr(start, ',');
        if (comma) *comma = 0;
        *rest = comma ? comma + 1 : NULL;
        return start;
    }
    for (from++; *from; from++) {
        if (*from == '"' && from[1] != '"') break;
        from += *from == '"';
        *to++ = *from;
    }
    from = *from ? from + 1 : from;
    *rest = *from == ',' ? from + 1 : NULL;
    *to = 0;
    return start;
}

static char *trimmed(char *s)
{
    size_t n;

    while (*s == ' ' || *s == '\t') s++;
    for (n = strlen(s); n > 0 && strchr(" \t\r", s[n - 1]); n--) s[n - 1] = 0;
    return s;
}

/* at[]: the place of each column that the first line names, -1: it does not. 1: it is the head
 * of a table. */
static int take_head(int at[COLUMNS], const char *first_line)
{
    char copy[1024], *rest = copy;

    for (int c = 0; c < COLUMNS; c++) at[c] = -1;
    snprintf(copy, sizeof copy, "%s", first_line);
    if (!strchr(copy, ',')) return 0;
    for (int place = 0; rest; place++) {
        const char *word = trimmed(cell(&rest));
        for (int c = 0; c < COLUMNS; c++)
            for (int i = 0; columns[c][i]; i++)
                if (at[c] < 0 && strcasecmp(word, columns[c][i]) == 0) at[c] = place;
    }
    return at[NAME] >= 0;
}

/* "a dog|a puppy" -> the parts that are not empty; NULL: none, or *failed 1. */
static const char *const *parts(int *n, int *failed, memory *m, char *text)
{
    size_t most = 1;
    const char **at;

    *n = 0;
    for (const char *p = text; *p; p++) most += *p == '|';
    if (!(at = keep(m, malloc(most * sizeof *at)))) {
        *failed = 1;
        return NULL;
    }
    while (text) {
        char *bar = strchr(text, '|'), *word;
        if (bar) *bar++ = 0;
        if (*(word = trimmed(text))) at[(*n)++] = word;
        text = bar;
    }
    return *n ? at : NULL;
}

static int take_threshold(double *out, const char *text, const char *file, int line, ks_error *e)
{
    char *end;

    *out = 0;
    if (!*text) return 0;
    *out = strtod(text, &end);
    if (end == text || *end || !(*out > 0 && *out <= 1))
        return ks_fail(e, KS_EFORMAT,
                       "%s: line %d: a threshold is a score above 0 and up to 1, not \"%s\"", file,
                       line, text);
    return 0;
}

static int take_row(memory *m, const int at[COLUMNS], char *line, const char *file, int number,
                    ks_error *e)
{
    char nothing[1] = "", *of[COLUMNS] = {nothing, nothing, nothing, nothing, nothing};
    ks_label_def d = {0};
    int failed = 0, err;

    for (int place = 0; line; place++) {
        char *word = trimmed(cell(&line));
        for (int c = 0; c < COLUMNS; c++)
            if (at[c] == place) of[c] = word;
    }
    if (!*of[NAME]) return 0;
    d.name = of[NAME];
    d.parent = of[PARENT];
    if ((err = take_threshold(&d.threshold, of[THRESHOLD], file, number, e)) < 0) return err;
    if (*of[PROMPTS]) d.prompts = parts(&d.n_prompts, &failed, m, of[PROMPTS]);
    if (*of[NOTS]) d.nots = parts(&d.n_nots, &failed, m, of[NOTS]);
    return failed || add_label(m, &d) < 0 ? no_memory(file, e) : 0;
}

/* "classes.csv" is a table whatever its first line says. */
static int ends_with(const char *file, const char *ending)
{
    size_t n = strlen(file), m = strlen(ending);
    return n > m && strcasecmp(file + n - m, ending) == 0;
}

static int read_lines(memory *m, char *text, const char *file, ks_error *e)
{
    int at[COLUMNS], table = 0, number = 1, err = 0;
    char *next;

    for (char *line = text; line && err == 0; line = next, number++) {
        next = strchr(line, '\n');
        if (next) *next++ = 0;
        line = trimmed(line);
        if (number == 1 && (table = take_head(at, line))) continue;
        /* a comma may stand in a label, not in a list of one column */
        if (number == 1 && ends_with(file, ".csv") && strchr(line, ','))
            return ks_fail(e, KS_EFORMAT,
                           "%s: its first line names no column 'name', 'label' or 'class'", file);
        if (table) err = take_row(m, at, line, file, number, e);
        else if (*line && add_label(m, &(ks_label_def){.name = line, .parent = ""}) < 0)
            err = no_memory(file, e);
    }
    return err;
}

/* --- JSON --- */
static const char *own(memory *m, const json_t *text)
{
    return keep(m, strdup(json_string_value(text)));
}

/* A list of sentences, or one alone; absent: none. what: "templates", for the sentence of an
 * error. */
static int take_sentences(const char *const **out, int *n, memory *m, const json_t *list,
                          const char *what, const char *file, ks_error *e)
{
    size_t count = json_is_array(list) ? json_array_size(list) : list ? 1 : 0;
    const char **at;

    *out = NULL;
    *n = 0;
    if (count == 0 || json_is_null(list)) return 0;
    if (count > 4096 || !(at = keep(m, malloc(count * sizeof *at))))
        return count > 4096
                   ? ks_fail(e, KS_EFORMAT, "%s: %zu %s are more than 4096", file, count, what)
                   : no_memory(file, e);
    for (size_t i = 0; i < count; i++) {
        const json_t *one = json_is_array(list) ? json_array_get(list, i) : list;
        if (!json_is_string(one))
            return ks_fail(e, KS_EFORMAT, "%s: '%s' is a list of texts", file, what);
        if (!(at[i] = own(m, one))) return no_memory(file, e);
    }
    *out = at;
    *n = (int)count;
    return 0;
}

static int take_object(memory *m, const json_t *one, const char *file, ks_error *e)
{
    const json_t *name = json_is_string(one) ? one : json_object_get(one, "name"),
                 *parent = json_object_get(one, "parent");
    const json_t *threshold = json_object_get(one, "threshold");
    ks_label_def d = {.parent = ""};
    int err;

    if (!json_is_string(name) || !*json_string_value(name))
        return ks_fail(e, KS_EFORMAT, "%s: label %d has no name", file, m->n_labels + 1);
    if ((parent && !json_is_null(parent) && !json_is_string(parent)))
        return ks_fail(e, KS_EFORMAT, "%s: the parent of \"%s\" is no text", file,
                       json_string_value(name));
    d.threshold = json_number_value(threshold);
    if (threshold && !json_is_null(threshold) &&
        !(json_is_number(threshold) && d.threshold > 0 && d.threshold <= 1))
        return ks_fail(e, KS_EFORMAT, "%s: the threshold of \"%s\" is no score above 0 and up to 1",
                       file, json_string_value(name));
    if (!(d.name = own(m, name)) || (json_is_string(parent) && !(d.parent = own(m, parent))))
        return no_memory(file, e);
    if ((err = take_sentences(&d.prompts, &d.n_prompts, m, json_object_get(one, "prompts"),
                              "prompts", file, e)) < 0 ||
        (err = take_sentences(&d.nots, &d.n_nots, m, json_object_get(one, "not"), "not", file, e)) <
            0)
        return err;
    return add_label(m, &d) < 0 ? no_memory(file, e) : 0;
}

static int read_json(ks_label_set *s, memory *m, const char *text, size_t n, const char *file,
                     ks_error *e)
{
    json_error_t why;
    json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
    const json_t *list = json_is_array(root) ? root : json_object_get(root, "labels"),
                 *name = json_object_get(root, "name");
    int err = 0;

    if (!root) return ks_fail(e, KS_EFORMAT, "%s: line %d: %s", file, why.line, why.text);
    if (!json_is_array(list)) err = ks_fail(e, KS_EFORMAT, "%s: it has no list 'labels'", file);
    if (err == 0 && json_is_string(name) && !(s->name = own(m, name))) err = no_memory(file, e);
    if (err == 0)
        err = take_sentences(&s->templates, &s->n_templates, m, json_object_get(root, "templates"),
                             "templates", file, e);
    for (int i = 0; i < s->n_templates && err == 0; i++)
        if (!strstr(s->templates[i], "{}"))
            err = ks_fail(e, KS_EFORMAT, "%s: the template \"%s\" has no {} for the label", file,
                          s->templates[i]);
    for (size_t i = 0; i < json_array_size(list) && err == 0; i++)
        err = take_object(m, json_array_get(list, i), file, e);
    json_decref(root);
    return err;
}

/* --- both --- */
static int by_name(const void *a, const void *b)
{
    const ks_label_def *x = *(const ks_label_def *const *)a, *y = *(const ks_label_def *const *)b;
    int order = strcmp(x->name, y->name);

    return order ? order : (x > y) - (x < y);
}

/* A label that was there before is one label: twice it would be half as likely, and two of the
 * best. */
static int drop_repeats(memory *m)
{
    size_t n = (size_t)m->n_labels;
    ks_label_def **sorted = malloc((n + 1) * sizeof *sorted);
    char *again = calloc(n + 1, 1);
    int kept = 0, failed = !sorted || !again;

    for (size_t i = 0; i < n && !failed; i++) sorted[i] = &m->labels[i];
    if (!failed) qsort(sorted, n, sizeof *sorted, by_name);
    for (size_t i = 1; i < n && !failed; i++)
        again[sorted[i] - m->labels] = strcmp(sorted[i]->name, sorted[i - 1]->name) == 0;
    for (size_t i = 0; i < n && !failed; i++)
        if (!again[i]) m->labels[kept++] = m->labels[i];
    m->n_labels = kept;
    free(sorted);
    free(again);
    return failed ? -1 : 0;
}

int ks_label_set_read(ks_label_set *s, const char *file, ks_error *e)
{
    memory *m = calloc(1, sizeof *m);
    char *text = NULL;
    size_t n = 0;
    int err;

    *s = (ks_label_set){.name = "", .owned = m};
    if (!m) return no_memory(file, e);
    err = read_file(&text, &n, file, e);
    if (text && !keep(m, text)) return no_memory(file, e);
    if (err < 0) return err;
    if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        n -= 3;
    }
    if (!is_utf8(text, n)) return ks_fail(e, KS_EFORMAT, "%s: not UTF-8", file);
    err = ends_with(file, ".json") || text[strspn(text, " \t\r\n")] == '{'
              ? read_json(s, m, text, n, file, e)
              : read_lines(m, text, file, e);
    if (err == 0 && drop_repeats(m) < 0) err = no_memory(file, e);
    s->at = m->labels;
    s->n = m->n_labels;
    return err < 0 ? err : s->n ? 0 : ks_fail(e, KS_EFORMAT, "%s: no label in it", file);
}

void ks_label_set_free(ks_label_set *s)
{
    free_memory(s->owned);
    *s = (ks_label_set){0};
}
