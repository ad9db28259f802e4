/* opts.c - options by table: one walk over argv for every command. */
#include "cli/opts.h"

#include "session/session.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_MAX = 40 }; /* longer words are not compared by distance */

/* --- what was meant --- */
static int least(int a, int b) { return a < b ? a : b; }

/* Of ASCII: a locale may make another letter of an I. */
static int small(char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; }

static int begins(const char *name, const char *word)
{
    while (*word && small(*word) == small(*name)) word++, name++;
    return *word == 0;
}

/* Edits between a and b, whose case does not count: insert, delete, replace, swap of neighbours
 * (optimal string alignment). */
static int edits(const char *a, const char *b)
{
    int rows[3][WORD_MAX + 1]; /* the last two rows and the one being filled */
    int n = (int)strlen(a), m = (int)strlen(b);

    if (n > WORD_MAX || m > WORD_MAX) return INT_MAX;
    for (int j = 0; j <= m; j++) rows[0][j] = j;
    for (int i = 1; i <= n; i++) {
        int *row = rows[i % 3], *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            row[j] = least(least(up[j], row[j - 1]) + 1,
                           up[j - 1] + (small(a[i - 1]) != small(b[j - 1])));
            if (i > 1 && j > 1 && small(a[i - 1]) == small(b[j - 2]) &&
                small(a[i - 2]) == small(b[j - 1]))
                row[j] = least(row[j], up2[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

const char *ks_nearest_name(const char *word, const char *const *names, int n)
{
    assert(word && names && n >= 0);
    const char *best = NULL, *starts = NULL;
    int far = INT_MAX, beginnings = 0;
    size_t length = strlen(word);

    for (int i = 0; i < n; i++) {
        int d = edits(word, names[i]);
        if (d < far) {
            far = d;
            best = names[i];
        }
        if (length > 0 && begins(names[i], word)) {
            beginnings++;
            starts = names[i];
        }
    }
    if (beginnings == 1) return starts;
    return far <= (int)(length + 2) / 3 ? best : NULL;
}

/* --- values --- */
static int one_of(const char *value, const char *choices)
{
    size_t n = strlen(value);

    for (const char *at = choices; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (strncmp(at, value, n) == 0 && (at[n] == 0 || at[n] == '|')) return n > 0;
    return 0;
}

/* --- the walk --- */
typedef struct {
    void *fields[2];
    const ks_option *tables[2];
    int lists;        /* list options seen so far */
    uint64_t seen[2]; /* of the command's table: those that were given */
} parser;

static int append(ks_opt_list *list, const char *value, int order, ks_error *e)
{
    size_t n = (size_t)list->n + 1;
    const char **at = realloc(list->at, n * sizeof *at);
    int *places;

    if (!at) return ks_fail(e, KS_ENOMEM, "no memory for options");
    list->at = at;
    places = realloc(list->order, n * sizeof *places);
    if (!places) return ks_fail(e, KS_ENOMEM, "no memory for options");
    list->order = places;
    list->at[list->n] = value;
    list->order[list->n++] = order;
    return 0;
}

/* Options of the command that take one value, given again. */
static int again(parser *p, const void *fields, const ks_option *o, ks_error *e)
{
    size_t i = p->tables[0] ? (size_t)(o - p->tables[0]) : 0;
    uint64_t bit = (uint64_t)1 << i % 64;

    if (fields != p->fields[0] || o->type == KS_OPT_FLAG || o->type == KS_OPT_LIST || i >= 128)
        return 0;
    if (p->seen[i / 64] & bit) return ks_fail(e, KS_EUSAGE, "--%s was given twice", o->name);
    p->seen[i / 64] |= bit;
    return 0;
}

/* No frames, epochs or moments are nothing to ask for, nor what an option that was left away
 * means; a seed may be 0, and so many threads are those of the machine. */
static int may_be_none(const ks_option *o)
{
    static const char *const names[] = {"seed", "threads", "workers", NULL};
    for (const char *const *n = names; *n; n++)
        if (strcmp(o->name, *n) == 0) return 1;
    return 0;
}

static int store(parser *p, void *fields, const ks_option *o, const char *value, ks_error *e)
{
    void *field = (char *)fields + o->at;
    char *end;
    long count;

    if (again(p, fields, o, e) < 0) return KS_EUSAGE;
    if (o->arg && strchr(o->arg, '|') && !one_of(value, o->arg))
        return ks_fail(e, KS_EUSAGE, "--%s takes %s, not \"%s\"", o->name, o->arg, value);
    switch (o->type) {
    case KS_OPT_FLAG: *(int *)field = 1; return 0;
    case KS_OPT_TEXT: *(const char **)field = value; return 0;
    case KS_OPT_COUNT:
        errno = 0;
        count = strtol(value, &end, 10);
        if (*value < '0' || *value > '9' || *end != 0 || errno || count > INT_MAX)
            return ks_fail(e, KS_EUSAGE, "--%s takes a whole number, not \"%s\"", o->name, value);
        if (count == 0 && !may_be_none(o))
            return o->letter ? ks_fail(e, KS_EUSAGE, "-%c is 1 at least", o->letter)
                             : ks_fail(e, KS_EUSAGE, "--%s is 1 at least", o->name);
        *(int *)field = (int)count;
        return 0;
    case KS_OPT_NUMBER:
        if (ks_parse_seconds(field, value) < 0)
            return ks_fail(e, KS_EUSAGE, "--%s takes a number or a time (90, 1:30, 4h), not \"%s\"",
                           o->name, value);
        return 0;
    case KS_OPT_LIST: return append(field, value, p->lists++, e);
    }
    return 0;
}

static const ks_option *by_letter(parser *p, char letter, void **fields)
{
    for (int t = 0; t < 2; t++)
        for (const ks_option *o = p->tables[t]; o && o->name; o++)
            if (o->letter == letter) {
                *fields = p->fields[t];
                return o;
            }
    return NULL;
}

static const ks_option *by_name(parser *p, const char *name, size_t n, void **fields)
{
    for (int t = 0; t < 2; t++)
        for (const ks_option *o = p->tables[t]; o && o->name; o++)
            if (strlen(o->name) == n && strncmp(o->name, name, n) == 0) {
                *fields = p->fields[t];
                return o;
            }
    return NULL;
}

static int unknown(parser *p, const char *name, size_t n, ks_error *e)
{
    const char *names[128], *meant;
    char word[64];
    int count = 0;

    for (int t = 0; t < 2; t++)
        for (const ks_option *o = p->tables[t]; o && o->name && count < 128; o++)
            names[count++] = o->name;
    snprintf(word, sizeof word, "%.*s", (int)(n < 60 ? n : 60), name);
    meant = ks_nearest_name(word, names, count);
    return ks_fail(e, KS_EUSAGE,
                   meant ? "there is no option --%s (did you mean --%s?)"
                         : "there is no option --%s",
                   word, meant);
}

/* --name, --name=value, --name value; *i moves past a value taken. */
static int long_option(parser *p, int argc, char **argv, int *i, ks_error *e)
{
    const char *name = argv[*i] + 2, *equals = strchr(name, '='), *value = NULL;
    size_t n = equals ? (size_t)(equals - name) : strlen(name);
    void *fields;
    const ks_option *o = by_name(p, name, n, &fields);

    if (!o) return unknown(p, name, n, e);
    if (o->type == KS_OPT_FLAG) {
        if (equals) return ks_fail(e, KS_EUSAGE, "--%s takes no value", o->name);
    } else if (equals) {
        value = equals + 1;
    } else {
        if (*i + 1 >= argc)
            return ks_fail(e, KS_EUSAGE, "--%s needs %s", o->name, o->arg ? o->arg : "a value");
        value = argv[++*i];
    }
    return store(p, fields, o, value, e);
}

/* -k 5, -k5, -qv, -vk5. */
static int short_options(parser *p, int argc, char **argv, int *i, ks_error *e)
{
    for (const char *at = argv[*i] + 1; *at; at++) {
        const char *value = NULL;
        void *fields;
        const ks_option *o = by_letter(p, *at, &fields);
        int err;

        if (!o) {
            char other = (char)(*at ^ 0x20); /* of the other case */
            int meant = small(*at) >= 'a' && small(*at) <= 'z' &&
                        by_letter(p, other, &fields) != NULL;
            return ks_fail(e, KS_EUSAGE,
                           meant ? "there is no option -%c (did you mean -%c?)"
                                 : "there is no option -%c",
                           *at, other);
        }
        if (o->type != KS_OPT_FLAG) {
            if (at[1]) value = at + 1;
            else if (*i + 1 < argc) value = argv[++*i];
            else return ks_fail(e, KS_EUSAGE, "-%c needs %s", *at, o->arg ? o->arg : "a value");
        }
        if ((err = store(p, fields, o, value, e)) < 0) return err;
        if (value) break;
    }
    return 0;
}

static int is_option(const char *word) { return word[0] == '-' && word[1] != 0; }

int ks_parse(void *fields, const ks_option *table, void *global_fields, const ks_option *globals,
             int argc, char **argv, char **args, int *n_args, ks_error *e)
{
    assert(fields || !table);
    parser p = {.fields = {fields, global_fields}, .tables = {table, globals}};
    int err = 0, n = 0;

    for (int i = 0; i < argc && err == 0; i++) {
        if (strcmp(argv[i], "--") == 0) {
            while (++i < argc) args[n++] = argv[i];
        } else if (!is_option(argv[i])) {
            args[n++] = argv[i];
        } else if (argv[i][1] == '-') {
            err = long_option(&p, argc, argv, &i, e);
        } else {
            err = short_options(&p, argc, argv, &i, e);
        }
    }
    *n_args = n;
    return err;
}

int ks_parse_leading(void *fields, const ks_option *table, int argc, char **argv, int *used,
                     ks_error *e)
{
    parser p = {.fields = {NULL, fields}, .tables = {NULL, table}};
    int err = 0, i;

    for (i = 0; i < argc && err == 0 && is_option(argv[i]) && strcmp(argv[i], "--") != 0; i++)
        err = argv[i][1] == '-' ? long_option(&p, argc, argv, &i, e)
                                : short_options(&p, argc, argv, &i, e);
    *used = i;
    return err;
}

void ks_parse_free(void *fields, const ks_option *table)
{
    assert(fields || !table);
    for (const ks_option *o = table; o && o->name; o++)
        if (o->type == KS_OPT_LIST) {
            ks_opt_list *list = (void *)((char *)fields + o->at);
            free((void *)list->at);
            free(list->order);
            *list = (ks_opt_list){0};
        }
}
