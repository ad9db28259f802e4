/* records.c - see records.h. */
#include "eval/records_make.h"
#include "eval/lines_file.h"

#include <stdlib.h>
#include <string.h>

static int no_memory(const char *file, ks_error *e)
{
    return ks_fail(e, KS_ENOMEM, "%s: no memory to read it", file);
}

/* --- a record --- */

const ks_record_field *ks_record_find(const ks_record *r, const char *name)
{
    for (int i = 0; i < r->n; i++)
        if (strcmp(r->field[i].name, name) == 0) return &r->field[i];
    return NULL;
}

void ks_record_clear(ks_record *r)
{
    for (int i = 0; i < r->n; i++) {
        for (int k = 0; k < r->field[i].n; k++) free(r->field[i].at[k]);
        free((void *)r->field[i].at);
        free(r->field[i].name);
    }
    r->n = 0;
}

void ks_record_free(ks_record *r)
{
    ks_record_clear(r);
    free(r->field);
    *r = (ks_record){0};
}

int ks_record_value(ks_record_field *f, const char *text, size_t bytes)
{
    if (f->n == f->room) {
        int room = f->room ? 2 * f->room : 1;
        char **at = (char **)realloc((void *)f->at, (size_t)room * sizeof *at);
        if (!at) return -1;
        f->at = at;
        f->room = room;
    }
    char *copy = strndup(text, bytes);
    if (!copy) return -1;
    f->at[f->n++] = copy;
    return 0;
}

ks_record_field *ks_record_field_add(ks_record *r, const char *name, size_t bytes)
{
    if (r->n == r->room) {
        int room = r->room ? 2 * r->room : 16;
        ks_record_field *field = realloc(r->field, (size_t)room * sizeof *field);
        if (!field) return NULL;
        r->field = field;
        r->room = room;
    }
    char *copy = strndup(name, bytes);
    if (!copy) return NULL;
    r->field[r->n] = (ks_record_field){.name = copy};
    return &r->field[r->n++];
}

static int add(ks_record *r, const char *name, size_t name_bytes, const char *text, size_t bytes)
{
    ks_record_field *f = ks_record_field_add(r, name, name_bytes);
    return f ? ks_record_value(f, text, bytes) : -1;
}

int ks_record_give(ks_record *r, ks_on_record *each, void *arg, ks_error *e)
{
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)r->number);
    if (add(r, "@row", 4, number, strlen(number)) < 0) return no_memory(r->at.file, e);
    int err = each(arg, r, e);
    r->number++;
    ks_record_clear(r);
    return err;
}

/* --- CSV --- */

typedef struct {
    ks_lines lines;
    char **cell; /* [n] of the row */
    int n, room;
    char *rest;   /* of the line at hand; NULL: the row is through */
    int64_t line; /* where the row began */
} table;

static void row_clear(table *t)
{
    for (int i = 0; i < t->n; i++) free(t->cell[i]);
    t->n = 0;
}

static int cell_add(table *t, char *owned)
{
    if (t->n == t->room) {
        int room = t->room ? 2 * t->room : 16;
        char **cell = (char **)realloc((void *)t->cell, (size_t)room * sizeof *cell);
        if (!cell) {
            free(owned);
            return -1;
        }
        t->cell = cell;
        t->room = room;
    }
    t->cell[t->n++] = owned;
    return 0;
}

/* Text from *at up to its closing quote joins *cell. 1: it closed, *at behind the quote; 0: the
 * line ended before. */
static int unquote(char **cell, size_t *length, char **at)
{
    char *grown = realloc(*cell, *length + strlen(*at) + 2), *from = *at;
    if (!grown) return -1;
    *cell = grown;
    for (; *from; from++) {
        if (*from != '"') grown[(*length)++] = *from;
        else if (from[1] == '"') grown[(*length)++] = *from++;
        else break;
    }
    int closed = *from == '"';
    if (!closed) grown[(*length)++] = '\n';
    grown[*length] = 0;
    *at = from + closed;
    return closed;
}

/* A quoted cell, perhaps over several lines; *at stands on its first quote and is left behind
 * the last one. */
static int quoted(char **cell, char **at, table *t, ks_error *e)
{
    size_t length = 0;
    int closed;
    *cell = NULL;
    ++*at;
    while ((closed = unquote(cell, &length, at)) == 0) {
        int got = ks_lines_next(at, &t->lines, e);
        if (got < 0) return got;
        if (got == 0)
            return ks_fail(e, KS_EFORMAT, "%s:%lld: a quote is not closed", t->lines.path,
                           (long long)t->line);
    }
    return closed < 0 ? no_memory(t->lines.path, e) : 0;
}

/* 1: a row; 0: the end. */
static int row_next(table *t, ks_error *e)
{
    char *at;
    int got;
    row_clear(t);
    do got = ks_lines_next(&at, &t->lines, e);
    while (got == 1 && *at == 0);
    if (got != 1) return got;
    t->line = t->lines.line;
    for (;;) {
        char *cell = NULL;
        int err = 0;
        if (*at == '"') err = quoted(&cell, &at, t, e);
        else {
            size_t n = strcspn(at, ",");
            if (!(cell = strndup(at, n))) err = no_memory(t->lines.path, e);
            at += n;
        }
        if (err) {
            free(cell);
            return err;
        }
        if (cell_add(t, cell) < 0) return no_memory(t->lines.path, e);
        if (*at == 0) return 1;
        if (*at++ != ',')
            return ks_fail(e, KS_EFORMAT, "%s:%lld: text behind a closing quote", t->lines.path,
                           (long long)t->lines.line);
    }
}

static int csv_row(ks_record *r, const table *t, char *const *names, int columns, ks_error *e)
{
    if (t->n != columns)
        return ks_fail(e, KS_EFORMAT, "%s:%lld: %d fields, the header has %d", t->lines.path,
                       (long long)t->line, t->n, columns);
    for (int i = 0; i < columns; i++)
        if (add(r, names[i], strlen(names[i]), t->cell[i], strlen(t->cell[i])) < 0)
            return no_memory(t->lines.path, e);
    r->at = (ks_eval_at){t->lines.path, t->line};
    return 0;
}

static int read_csv(const char *file, ks_on_record *each, void *arg, ks_error *e)
{
    table t = {.n = 0};
    ks_record r = {0};
    char **names = NULL;
    int columns = 0, err = ks_lines_open(&t.lines, file, e), got;
    if (!err && (err = row_next(&t, e)) == 1) {
        names = t.cell; /* the header row is the names' */
        columns = t.n;
        t.cell = NULL;
        t.n = t.room = 0;
        while ((got = row_next(&t, e)) == 1 && (err = csv_row(&r, &t, names, columns, e)) == 0 &&
               (err = ks_record_give(&r, each, arg, e)) == 0) {}
        if (got <= 0) err = got;
    }
    row_clear(&t);
    free((void *)t.cell);
    for (int i = 0; i < columns; i++) free(names[i]);
    free((void *)names);
    ks_record_free(&r);
    ks_lines_close(&t.lines);
    return err;
}

/* --- lines --- */

/* "{film} {from}##{text}" against a line: every field goes on until the text that follows it in
 * the pattern, the last one to the end. 1: it fits, 0: not, -1: no memory. */
static int match(ks_record *r, const char *pattern, const char *line)
{
    while (*pattern) {
        if (*pattern != '{') {
            if (*line++ != *pattern++) return 0;
            continue;
        }
        size_t name = strcspn(pattern, "}") - 1;
        const char *after = pattern + name + 2, *end;
        size_t gap = strcspn(after, "{");
        char between[16];
        if (gap == 0) end = line + strlen(line);
        else {
            snprintf(between, sizeof between, "%.*s", (int)gap, after);
            end = strstr(line, between);
        }
        if (!end || end == line) return 0;
        if (add(r, pattern + 1, name, line, (size_t)(end - line)) < 0) return -1;
        pattern = after;
        line = end;
    }
    return *line == 0;
}

static int read_lines(const char *file, const char *pattern, ks_on_record *each, void *arg,
                      ks_error *e)
{
    ks_lines f;
    ks_record r = {0};
    char *text;
    int err = ks_lines_open(&f, file, e), got = 0;
    while (!err && (got = ks_lines_next(&text, &f, e)) == 1) {
        size_t n = strlen(text);
        while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t')) text[--n] = 0;
        if (*text == 0 || *text == '#') continue;
        r.at = (ks_eval_at){file, f.line};
        int fits = match(&r, pattern, text);
        err = fits < 0    ? no_memory(file, e)
              : fits == 0 ? ks_fail(e, KS_EFORMAT, "%s:%lld: a line is %s here", file,
                                    (long long)f.line, pattern)
                          : ks_record_give(&r, each, arg, e);
        ks_record_clear(&r);
    }
    if (got < 0) err = got;
    ks_record_free(&r);
    ks_lines_close(&f);
    return err;
}

int ks_records_is_json(int *json, const char *file, ks_error *e)
{
    ks_lines f;
    char *text;
    int err = ks_lines_open(&f, file, e), got = 0;
    *json = 0;
    while (!err && (got = ks_lines_next(&text, &f, e)) == 1) {
        text += strspn(text, " \t");
        if (*text == 0) continue;
        *json = *text == '[' || *text == '{';
        break;
    }
    /* One line of JSON may be longer than any line of text: that it is one is seen by its first
     * byte. */
    if (!err && got < 0 && f.text && (f.text[0] == '[' || f.text[0] == '{')) {
        *json = 1;
        got = 0;
    }
    ks_lines_close(&f);
    return err ? err : got < 0 ? got : 0;
}

int ks_records_read(const char *file, ks_records_form form, const char *pattern, ks_on_record *each,
                    void *arg, ks_error *e)
{
    if (form == KS_RECORDS_CSV) return read_csv(file, each, arg, e);
    return form == KS_RECORDS_JSON ? ks_records_json(file, each, arg, e)
                                   : read_lines(file, pattern, each, arg, e);
}
