/* protocol_read.c - annotation files become a set, as the protocol's recipes say. */
#include "eval/pattern.h"
#include "eval/protocol.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int64_t question, video, text, film; /* of MOMENTS: film is a number of `named` */
    ks_eval_at at;
} moment;

typedef struct {
    int64_t n, line;
} row_number;

typedef struct {
    const ks_eval_protocol *p;
    const ks_eval_recipe *r; /* of the file being read */
    ks_eval_builder b;
    ks_eval_index
        films; /* of the split; a row's `from` is its line, `to` 1 once the film was met */
    const char *films_file;
    ks_eval_index classes; /* id and name; from: line, to: 1 a film has it */
    const char *classes_file;
    /* of classes that choose among the films of the annotations; NULL: none do */
    const char *chosen_file;
    row_number *rows;
    int64_t n_rows, row_room;
    int64_t rows_of, rows_met; /* records of files that they number; of them, numbered */
    const char *rows_file;
    ks_eval_index seen;  /* questions without an id of their own: all that their rows say */
    ks_eval_index named; /* films of MOMENTS */
    moment *moments;
    int64_t n_moments, moment_room;
} reading;

static int wrong(const ks_record *r, const char *what, const char *which, ks_error *e)
{
    return ks_fail(e, KS_EFORMAT, "%s:%lld: %s '%.200s'", r->at.file, (long long)r->at.line, what,
                   which);
}

static int no_memory(ks_error *e) { return ks_fail(e, KS_ENOMEM, "no memory for a data set"); }

/* --- which records count --- */

/* "field:a,b": 1 the field is one of them, 0 not; < 0 there is no such field. *value: what it
 * is. */
static int is_one_of(const char **value, const ks_record *r, const char *rule, ks_error *e)
{
    char field[64];
    const char *colon = strchr(rule, ':'), *at = colon + 1;
    snprintf(field, sizeof field, "%.*s", (int)(colon - rule), rule);
    const ks_record_field *f = ks_record_find(r, field);
    if (!f || f->n == 0) return wrong(r, "no", field, e);
    *value = f->at[0];
    for (size_t n; *at; at += n + (at[n] == ',')) {
        n = strcspn(at, ",");
        if (strlen(*value) == n && strncmp(at, *value, n) == 0) return 1;
    }
    return 0;
}

static int by_number(const void *a, const void *b)
{
    const row_number *x = a, *y = b;
    return (x->n > y->n) - (x->n < y->n);
}

/* 1: this record counts; 0: it is let be; < 0: it is of another split. */
static int counts(reading *g, const ks_record *r, ks_error *e)
{
    const char *value;
    int is;
    if (g->r->split && (is = is_one_of(&value, r, g->r->split, e)) != 1)
        return is < 0 ? is : wrong(r, "a record of another split,", value, e);
    if (g->r->only && (is = is_one_of(&value, r, g->r->only, e)) != 1) return is;
    if (!g->r->rows || g->n_rows == 0) return 1;
    row_number key = {.n = r->number};
    int is_row = bsearch(&key, g->rows, (size_t)g->n_rows, sizeof *g->rows, by_number) != NULL;
    g->rows_of++;
    g->rows_met += is_row;
    return is_row;
}

/* "7010-9999": the first number in the id lies there. */
static int is_in_range(const char *id, const char *range)
{
    const char *digits = id + strcspn(id, "0123456789"), *dash = strchr(range, '-');
    long long n = strtoll(digits, NULL, 10);
    return isdigit((unsigned char)*digits) && n >= strtoll(range, NULL, 10) &&
           n <= strtoll(dash + 1, NULL, 10);
}

/* --- rows --- */

/* 1: *video is the film's row; 0: it is not in the list of the split; < 0. */
static int film_row(int64_t *video, reading *g, const ks_record *r, char *film, ks_error *e)
{
    if (g->films.list.n) {
        int64_t in = ks_eval_find(&g->films, film);
        if (in < 0) return 0;
        g->films.list.at[in].to = 1;
    }
    if (g->r->number && !is_in_range(film, g->r->number))
        return wrong(r, "a caption of another split:", film, e);
    *video = ks_eval_find(&g->b.videos, film);
    if (*video >= 0 && (g->r->many || g->r->role == KS_ROLE_OPTIONS)) return 1;
    int err = ks_eval_add(video, &g->b.videos, film, film, r->at, e);
    char *to = NULL;
    if (!err && g->r->to) err = ks_pattern_fill(&to, g->r->to, r, 0, NULL, e);
    if (to) g->b.videos.list.at[*video].to = strtod(to, NULL);
    free(to);
    return err ? err : 1;
}

static int append(ks_eval_row *row, const char *text, ks_error *e)
{
    char *both = NULL;
    if (asprintf(&both, "%s %s", row->value, text) < 0) return no_memory(e);
    free(row->value);
    row->value = both;
    return 0;
}

static int add_text(reading *g, const ks_record *r, int64_t video, const char *text, ks_error *e)
{
    const char *film = g->b.videos.list.at[video].id;
    char *id = NULL;
    ks_eval_pair pair = {.video = video, .right = 1, .file = r->at.file, .line = r->at.line};
    if (g->r->join) {
        pair.text = ks_eval_find(&g->b.texts, film);
        if (pair.text >= 0) return append(&g->b.texts.list.at[pair.text], text, e);
    }
    int n = g->r->join ? asprintf(&id, "%s", film)
                       : asprintf(&id, "%s#%lld", film, (long long)g->b.texts.list.n);
    if (n < 0) return no_memory(e);
    int err = ks_eval_add(&pair.text, &g->b.texts, id, text, r->at, e);
    free(id);
    return err ? err : ks_eval_pair_add(&g->b, pair, e);
}

static int take_pairs(reading *g, const ks_record *r, char *film, ks_error *e)
{
    int64_t video;
    int in = film_row(&video, g, r, film, e), n = ks_pattern_values(g->r->text, r), err = 0;
    if (in != 1) return in;
    int taken = 0;
    for (int i = 0; i < n && !err; i++) {
        char *text;
        err = ks_pattern_fill(&text, g->r->text, r, i, NULL, e);
        int blank = !err && ks_eval_is_blank(text) && (g->r->join || g->r->many);
        if (blank && !g->r->join && g->b.blank.n++ == 0) g->b.blank.at = r->at;
        if (!err && !blank) {
            err = add_text(g, r, video, text, e);
            taken++;
        }
        free(text);
    }
    return err || taken || g->r->many ? err : wrong(r, "no text for film", film, e);
}

/* Films whose texts stand in several records: one at least has words. */
static int check_texts(const reading *g, ks_error *e)
{
    const ks_eval_builder *b = &g->b;
    uint8_t *has = b->blank.n ? calloc((size_t)b->videos.list.n + 1, 1) : NULL;
    int err = !b->blank.n || has ? 0 : no_memory(e);
    for (int64_t i = 0; has && i < b->n_pairs; i++) has[b->pairs[i].video] = 1;
    for (int64_t i = 0; has && i < b->videos.list.n && !err; i++)
        if (!has[i])
            err = ks_fail(e, KS_EFORMAT, "%s:%lld: no text for film '%.200s'",
                          b->videos.list.at[i].file, (long long)b->videos.list.at[i].line,
                          b->videos.list.at[i].id);
    free(has);
    return err;
}

/* --- classes --- */

/* The row of a class; -1: it is not in the list. */
static int class_row(int64_t *text, reading *g, const ks_record *r, const char *class_, ks_error *e)
{
    *text = ks_eval_find(&g->b.texts, class_);
    if (*text >= 0 || g->classes.list.n) return 0;
    return ks_eval_add(text, &g->b.texts, class_, class_, r->at, e);
}

static int take_label(reading *g, const ks_record *r, char *film, ks_error *e)
{
    char *class_ = NULL, *right = NULL;
    ks_eval_pair pair = {.right = 1, .file = r->at.file, .line = r->at.line};
    int err = ks_pattern_fill(&class_, g->r->class_, r, 0, NULL, e);
    if (!err && g->r->right) err = ks_pattern_fill(&right, g->r->right, r, 0, NULL, e);
    if (right && strcmp(right, "0") != 0 && strcmp(right, "1") != 0)
        err = wrong(r, "neither right (1) nor wrong (0):", right, e);
    if (!err) err = class_row(&pair.text, g, r, class_, e);
    if (!err && pair.text < 0 && !g->r->skip) err = wrong(r, "no class of the list:", class_, e);
    int64_t listed = err ? -1 : ks_eval_find(&g->classes, class_);
    if (listed >= 0) g->classes.list.at[listed].to = 1;
    if (g->classes.list.n && g->r->skip) g->chosen_file = g->classes_file;
    if (!err && pair.text >= 0) {
        int in = film_row(&pair.video, g, r, film, e);
        err = in < 0 ? in : 0;
        if (in == 1 && (!right || strcmp(right, "1") == 0)) err = ks_eval_pair_add(&g->b, pair, e);
    }
    free(class_);
    free(right);
    return err;
}

static int is_paired(const ks_eval_builder *b, int64_t video, int64_t text)
{
    for (int64_t i = b->n_pairs; i > 0 && b->pairs[i - 1].video == video; i--)
        if (b->pairs[i - 1].text == text) return 1;
    return 0;
}

/* "c092 11.90 21.20;c147 0.00 12.60"; an action may stand several times. */
static int take_actions(reading *g, const ks_record *r, char *film, ks_error *e)
{
    char *list = NULL, *rest, *one;
    ks_eval_pair pair = {.right = 1, .file = r->at.file, .line = r->at.line};
    int in = film_row(&pair.video, g, r, film, e), err;
    if (in != 1) return in;
    err = ks_pattern_fill(&list, g->r->classes, r, 0, NULL, e);
    for (rest = list; !err && (one = strsep(&rest, ";"));) {
        one[strcspn(one, " ")] = 0;
        if (!*one) continue;
        pair.text = ks_eval_find(&g->b.texts, one);
        if (pair.text < 0) err = wrong(r, "no class of the list:", one, e);
        else if (!is_paired(&g->b, pair.video, pair.text)) err = ks_eval_pair_add(&g->b, pair, e);
    }
    free(list);
    return err;
}

/* --- choices --- */

static int take_option(reading *g, const ks_record *r, ks_eval_pair pair, int k, const char *field,
                       ks_error *e)
{
    char *text = NULL, *id = NULL;
    const ks_record_field *f = ks_record_find(r, field);
    if (!f || f->n == 0) return wrong(r, "no", field, e);
    int err = ks_pattern_fill(&text, g->r->text, r, 0, f->at[0], e);
    if (!err && asprintf(&id, "%s/%d", g->b.questions.list.at[pair.question].id, k) < 0)
        err = no_memory(e);
    if (!err) err = ks_eval_add(&pair.text, &g->b.texts, id, text, r->at, e);
    free(text);
    free(id);
    return err ? err : ks_eval_pair_add(&g->b, pair, e);
}

/* A question known by its row alone may stand once: a second row that says all the same is the
 * first one again. */
static int check_again(reading *g, const ks_record *r, ks_error *e)
{
    char *all = NULL;
    size_t bytes;
    FILE *f = strstr(g->r->question, "{@row}") ? open_memstream(&all, &bytes) : NULL;
    int64_t row = -1;
    if (!f) return strstr(g->r->question, "{@row}") ? no_memory(e) : 0;
    for (int i = 0; i < r->n; i++)
        for (int k = 0; k < r->field[i].n && r->field[i].name[0] != '@'; k++)
            fprintf(f, "%s\x1f", r->field[i].at[k]);
    if (fclose(f) != 0) {
        free(all);
        return no_memory(e);
    }
    int64_t first = ks_eval_find(&g->seen, all);
    int err = first >= 0 ? ks_fail(e, KS_EFORMAT, "%s:%lld: the row stands in line %.0f already",
                                   r->at.file, (long long)r->at.line, g->seen.list.at[first].from)
                         : ks_eval_add(&row, &g->seen, all, NULL, r->at, e);
    if (row >= 0) g->seen.list.at[row].from = (double)r->at.line;
    free(all);
    return err;
}

static int take_options(reading *g, const ks_record *r, char *film, ks_error *e)
{
    char *question = NULL, *right = NULL, field[32], *end = NULL;
    ks_eval_pair pair = {.file = r->at.file, .line = r->at.line};
    const char *at = g->r->options;
    int in = film_row(&pair.video, g, r, film, e);
    if (in != 1) return in;
    int err = check_again(g, r, e);
    if (!err) err = ks_pattern_fill(&question, g->r->question, r, 0, NULL, e);
    if (!err) err = ks_pattern_fill(&right, g->r->right, r, 0, NULL, e);
    if (!err) err = ks_eval_add(&pair.question, &g->b.questions, question, NULL, r->at, e);
    long best = err ? 0 : strtol(right, &end, 10);
    int k = 0;
    for (; *at && !err; k++) {
        size_t n = strcspn(at, ",");
        snprintf(field, sizeof field, "%.*s", (int)n, at);
        pair.right = k == best;
        err = take_option(g, r, pair, k, field, e);
        at += n + (at[n] == ',');
    }
    if (!err && (end == right || *end || best < 0 || best >= k))
        err = wrong(r, "no option of that number:", right, e);
    free(question);
    free(right);
    return err;
}

static int number(double *out, const ks_record *r, const char *pattern, ks_error *e)
{
    char *text, *end;
    int err = ks_pattern_fill(&text, pattern, r, 0, NULL, e);
    if (err) return err;
    *out = strtod(text, &end);
    if (end == text || *end || !(*out >= 0) || *out > 1e9)
        err = wrong(r, "no time in seconds:", text, e);
    free(text);
    return err;
}

static int moment_add(reading *g, moment m, ks_error *e)
{
    if (g->n_moments == g->moment_room) {
        int64_t room = g->moment_room ? 2 * g->moment_room : 256;
        moment *grown = realloc(g->moments, (size_t)room * sizeof *grown);
        if (!grown) return no_memory(e);
        g->moments = grown;
        g->moment_room = room;
    }
    g->moments[g->n_moments++] = m;
    return 0;
}

/* The segment, its sentence and its question; which sentences are its options is known at the
 * end. */
static int take_moment(reading *g, const ks_record *r, char *film, ks_error *e)
{
    moment m = {.at = r->at};
    double from, to;
    char *text = NULL, *id = NULL, *question = NULL;
    int err = number(&from, r, g->r->from, e);
    if (!err) err = number(&to, r, g->r->to, e);
    if (!err) err = ks_pattern_fill(&text, g->r->text, r, 0, NULL, e);
    if (!err && (asprintf(&id, "%s %.10g-%.10g", film, from, to) < 0 ||
                 asprintf(&question, "%s#%lld", id, (long long)r->number) < 0))
        err = no_memory(e);
    if (!err && (m.film = ks_eval_find(&g->named, film)) < 0)
        err = ks_eval_add(&m.film, &g->named, film, NULL, r->at, e);
    if (!err && (m.video = ks_eval_find(&g->b.videos, id)) < 0) {
        err = ks_eval_add(&m.video, &g->b.videos, id, film, r->at, e);
        if (!err) g->b.videos.list.at[m.video].from = from;
        if (!err) g->b.videos.list.at[m.video].to = to;
    }
    if (!err) err = ks_eval_add(&m.text, &g->b.texts, question, text, r->at, e);
    if (!err) err = ks_eval_add(&m.question, &g->b.questions, question, NULL, r->at, e);
    if (!err) err = moment_add(g, m, e);
    free(text);
    free(id);
    free(question);
    return err;
}

static int by_film(const void *a, const void *b)
{
    const moment *x = a, *y = b;
    return x->film != y->film ? (x->film > y->film) - (x->film < y->film)
                              : (x->text > y->text) - (x->text < y->text);
}

static int pair_moments(reading *g, ks_error *e)
{
    int err = 0;
    if (g->n_moments) qsort(g->moments, (size_t)g->n_moments, sizeof *g->moments, by_film);
    for (int64_t i = 0, j; i < g->n_moments && !err; i = j) {
        for (j = i; j < g->n_moments && g->moments[j].film == g->moments[i].film;) j++;
        for (int64_t q = i; q < j && !err; q++)
            for (int64_t t = i; t < j && !err; t++)
                err = ks_eval_pair_add(&g->b,
                                       (ks_eval_pair){.question = g->moments[q].question,
                                                      .video = g->moments[q].video,
                                                      .text = g->moments[t].text,
                                                      .right = q == t,
                                                      .file = g->moments[q].at.file,
                                                      .line = g->moments[q].at.line},
                                       e);
    }
    return err;
}

/* --- lists --- */

static int take_split(reading *g, const ks_record *r, char *film, ks_error *e)
{
    int64_t row;
    int err = ks_eval_add(&row, &g->films, film, NULL, r->at, e);
    if (!err) g->films.list.at[row].from = (double)r->at.line;
    g->films_file = r->at.file;
    return err;
}

static int take_row(reading *g, const ks_record *r, char *row, ks_error *e)
{
    char *end;
    errno = 0;
    int64_t n = strtoll(row, &end, 10);
    if (end == row || *end || n < 0 || errno) return wrong(r, "no number of a row:", row, e);
    if (g->n_rows == g->row_room) {
        int64_t room = g->row_room ? 2 * g->row_room : 1024;
        row_number *grown = realloc(g->rows, (size_t)room * sizeof *grown);
        if (!grown) return no_memory(e);
        g->rows = grown;
        g->row_room = room;
    }
    g->rows[g->n_rows++] = (row_number){n, r->at.line};
    g->rows_file = r->at.file;
    return 0;
}

static int take_class(reading *g, const ks_record *r, char *unused, ks_error *e)
{
    char *class_ = NULL, *name = NULL;
    (void)unused;
    int err = ks_pattern_fill(&class_, g->r->class_, r, 0, NULL, e);
    if (!err) err = ks_pattern_fill(&name, g->r->name, r, 0, NULL, e);
    int64_t row = 0;
    if (!err) err = ks_eval_add(&row, &g->classes, class_, name, r->at, e);
    if (!err) g->classes.list.at[row].from = (double)r->at.line;
    if (!err) g->classes.list.at[row].to = 0;
    g->classes_file = r->at.file;
    if (!err) err = ks_eval_add(NULL, &g->b.texts, class_, name, r->at, e);
    free(class_);
    free(name);
    return err;
}

static int take_record(void *arg, const ks_record *r, ks_error *e)
{
    static int (*const take[])(reading *, const ks_record *, char *, ks_error *) = {
        [KS_ROLE_PAIRS] = take_pairs,     [KS_ROLE_LABELS] = take_label,
        [KS_ROLE_ACTIONS] = take_actions, [KS_ROLE_OPTIONS] = take_options,
        [KS_ROLE_MOMENTS] = take_moment,  [KS_ROLE_SPLIT] = take_split,
        [KS_ROLE_ROWS] = take_row,        [KS_ROLE_CLASSES] = take_class,
    };
    reading *g = arg;
    char *film = NULL;
    int err = g->r->role < KS_ROLE_SPLIT ? counts(g, r, e) : 1;
    if (err != 1) return err;
    err = g->r->film ? ks_pattern_fill(&film, g->r->film, r, 0, NULL, e) : 0;
    if (!err) err = take[g->r->role](g, r, film, e);
    free(film);
    return err;
}

/* --- the files --- */

/* Lists first: they say which of the other records count. */
static int read_files(reading *g, const char *variant, const char *const *files, int n_files,
                      int lists, ks_error *e)
{
    int err = 0;
    for (int i = 0; i < n_files && !err; i++) {
        if ((err = ks_recipe_check_name(g->p, files[i], e)) < 0 ||
            (err = ks_recipe_find(&g->r, g->p, variant, files[i], e)) < 0)
            return err;
        if (!g->r && (err = ks_recipe_any(g->p, files[i], e)) <= 0)
            return err < 0 ? err : ks_recipe_none(g->p, files[i], e);
        err = 0;
        if (g->r && (g->r->role >= KS_ROLE_SPLIT) == lists)
            err = ks_records_read(files[i], g->r->form, g->r->pattern, take_record, g, e);
    }
    if (lists && g->n_rows) qsort(g->rows, (size_t)g->n_rows, sizeof *g->rows, by_number);
    return err;
}

static int check_split(const reading *g, ks_error *e)
{
    for (int64_t i = 0; i < g->films.list.n; i++) {
        const ks_eval_row *row = &g->films.list.at[i];
        if (row->to < 0)
            return ks_fail(
                e, KS_EFORMAT,
                "%s:%.0f: film '%.200s' has no caption in the annotations: of another split?",
                g->films_file, row->from, row->id);
    }
    for (int64_t i = 0; g->chosen_file && i < g->classes.list.n; i++)
        if (g->classes.list.at[i].to <= 0)
            return ks_fail(e, KS_EFORMAT,
                           "%s:%.0f: no film of the annotations has the class '%.200s'",
                           g->chosen_file, g->classes.list.at[i].from, g->classes.list.at[i].id);
    for (int64_t i = 1; i < g->n_rows; i++) {
        const row_number *x = &g->rows[i - 1], *y = &g->rows[i];
        if (x->n == y->n)
            return ks_fail(e, KS_EFORMAT, "%s:%lld: row %lld stands in line %lld already",
                           g->rows_file, (long long)(x->line > y->line ? x : y)->line,
                           (long long)x->n, (long long)(x->line > y->line ? y : x)->line);
    }
    if (g->rows_of && g->rows_met < g->n_rows)
        return ks_fail(e, KS_EFORMAT,
                       "%s:%lld: numbers row %lld, the annotations have fewer: it is not of that "
                       "file",
                       g->rows_file, (long long)g->rows[g->n_rows - 1].line,
                       (long long)g->rows[g->n_rows - 1].n);
    return 0;
}

static int needs_classes(const reading *g, const char *file, ks_error *e)
{
    for (int i = 0; i < g->p->n_recipes; i++)
        if (g->p->recipes[i].role == KS_ROLE_ACTIONS && !g->classes.list.n)
            return ks_fail(e, KS_EFORMAT, "%s: the list of classes is needed too: %s", file,
                           g->p->needs);
    return 0;
}

int ks_eval_read_protocol(ks_eval_set *set, const ks_eval_protocol *p, const char *variant,
                          const char *const *files, int n_files, ks_error *e)
{
    reading g = {.p = p,
                 .films.what = "film",
                 .classes.what = "class",
                 .named.what = "film",
                 .seen.what = "row"};
    *set = (ks_eval_set){0};
    ks_eval_begin(&g.b, p->task);
    int err = read_files(&g, variant, files, n_files, 1, e);
    if (!err) err = needs_classes(&g, files[0], e);
    if (!err) err = read_files(&g, variant, files, n_files, 0, e);
    if (!err) err = pair_moments(&g, e);
    if (!err) err = check_split(&g, e);
    if (!err) err = check_texts(&g, e);
    if (!err) err = ks_eval_finish(set, &g.b, files[0], e);
    ks_eval_drop(&g.b);
    ks_eval_index_free(&g.films);
    ks_eval_index_free(&g.classes);
    ks_eval_index_free(&g.named);
    ks_eval_index_free(&g.seen);
    free(g.rows);
    free(g.moments);
    return err;
}
