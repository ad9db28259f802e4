/* protocol.c - the table of a protocol, models/protocols/NAME.tsv: "key TAB value ...". */
#include "eval/protocol.h"
#include "eval/lines_file.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS = 24 };

typedef struct {
    const char *file;
    int64_t line;
    char *cell[CELLS];
    int n;
} line;

static int wrong(const line *l, const char *what, ks_error *e)
{
    return ks_fail(e, KS_EFORMAT, "%s:%lld: %s", l->file, (long long)l->line, what);
}

static int no_memory(ks_error *e) { return ks_fail(e, KS_ENOMEM, "no memory for a protocol"); }

static int copy_to(char **to, const char *text, ks_error *e)
{
    free(*to);
    *to = strdup(text);
    return *to ? 0 : no_memory(e);
}

static int list_add(char ***list, int *n, const char *text, ks_error *e)
{
    char **grown = (char **)realloc((void *)*list, (size_t)(*n + 1) * sizeof *grown);
    if (!grown) return no_memory(e);
    *list = grown;
    grown[*n] = strdup(text);
    return grown[*n] ? (++*n, 0) : no_memory(e);
}

static int number_of_word(const char *const *words, int n, const char *word)
{
    for (int i = 0; i < n; i++)
        if (strcmp(words[i], word) == 0) return i;
    return -1;
}

static const char *const task_names[] = {"retrieval", "classify", "multilabel", "choice"};

static int take_published(ks_eval_protocol *p, const line *l, ks_error *e)
{
    ks_eval_published *grown = realloc(p->published, (size_t)(p->n_published + 1) * sizeof *grown);
    if (!grown) return no_memory(e);
    p->published = grown;
    if (l->n != 4) return wrong(l, "published: a model, a figure, a percentage", e);
    ks_eval_published *one = &grown[p->n_published++];
    snprintf(one->model, sizeof one->model, "%s", l->cell[1]);
    snprintf(one->figure, sizeof one->figure, "%s", l->cell[2]);
    one->percent = strtod(l->cell[3], NULL);
    return 0;
}

/* --- read lines --- */

#define KS_AT_RECIPE(field) offsetof(ks_eval_recipe, field)
static const struct {
    const char *key;
    size_t at;
} recipe_keys[] = {
    {"variant", KS_AT_RECIPE(variant)}, {"pattern", KS_AT_RECIPE(pattern)},
    {"film", KS_AT_RECIPE(film)},       {"text", KS_AT_RECIPE(text)},
    {"class", KS_AT_RECIPE(class_)},    {"name", KS_AT_RECIPE(name)},
    {"classes", KS_AT_RECIPE(classes)}, {"question", KS_AT_RECIPE(question)},
    {"options", KS_AT_RECIPE(options)}, {"right", KS_AT_RECIPE(right)},
    {"from", KS_AT_RECIPE(from)},       {"to", KS_AT_RECIPE(to)},
    {"split", KS_AT_RECIPE(split)},     {"only", KS_AT_RECIPE(only)},
    {"number", KS_AT_RECIPE(number)},   {"rows", KS_AT_RECIPE(rows)},
    {"many", KS_AT_RECIPE(many)},       {"join", KS_AT_RECIPE(join)},
    {"skip", KS_AT_RECIPE(skip)},
};
enum { RECIPE_KEYS = sizeof recipe_keys / sizeof *recipe_keys };

static char **member(ks_eval_recipe *r, int key)
{
    return (char **)((char *)r + recipe_keys[key].at);
}

static int take_key(ks_eval_recipe *r, const line *l, char *cell, ks_error *e)
{
    static const char *const roles[] = {"pairs",   "labels", "actions", "options",
                                        "moments", "split",  "rows",    "classes"};
    char *value = strchr(cell, '=');
    if (!value) return wrong(l, "read: key=value", e);
    *value++ = 0;
    if (strcmp(cell, "role") == 0) {
        int role = number_of_word(roles, 8, value);
        if (role < 0) return wrong(l, "read: no such role", e);
        r->role = (ks_role)role;
        return 0;
    }
    for (int k = 0; k < RECIPE_KEYS; k++)
        if (strcmp(recipe_keys[k].key, cell) == 0) return copy_to(member(r, k), value, e);
    return wrong(l, "read: no such key", e);
}

static int take_recipe(ks_eval_protocol *p, const line *l, ks_error *e)
{
    static const char *const forms[] = {"csv", "json", "lines"};
    int form = l->n > 1 ? number_of_word(forms, 3, l->cell[1]) : -1;
    ks_eval_recipe *grown = realloc(p->recipes, (size_t)(p->n_recipes + 1) * sizeof *grown);
    if (!grown) return no_memory(e);
    p->recipes = grown;
    if (form < 0) return wrong(l, "read: csv, json or lines", e);
    ks_eval_recipe *r = &grown[p->n_recipes++];
    *r = (ks_eval_recipe){.form = (ks_records_form)form};
    r->role = p->task == KS_EVAL_CLASSIFY ? KS_ROLE_LABELS
              : p->task == KS_EVAL_CHOICE ? KS_ROLE_OPTIONS
                                          : KS_ROLE_PAIRS;
    for (int i = 2; i < l->n; i++) {
        int err = take_key(r, l, l->cell[i], e);
        if (err) return err;
    }
    if (r->form == KS_RECORDS_LINES && !r->pattern) return copy_to(&r->pattern, "{film}", e);
    return 0;
}

/* --- the file --- */

static int take_line(ks_eval_protocol *p, const line *l, ks_error *e)
{
    const struct {
        const char *key;
        char **text;
        int64_t *number;
    } plain[] = {
        {"title", &p->title, NULL},         {"needs", &p->needs, NULL},
        {"templates", &p->templates, NULL}, {"prefix", &p->prefix, NULL},
        {"other", &p->other, NULL},         {"films", NULL, &p->films},
        {"texts", NULL, &p->texts},         {"questions", NULL, &p->questions},
    };
    const char *key = l->cell[0];
    if (strcmp(key, "published") == 0) return take_published(p, l, e);
    if (strcmp(key, "read") == 0) return take_recipe(p, l, e);
    if (l->n != 2) return wrong(l, "a key and a value", e);
    if (strcmp(key, "open") == 0) return list_add(&p->open, &p->n_open, l->cell[1], e);
    if (strcmp(key, "chosen") == 0) return list_add(&p->chosen, &p->n_chosen, l->cell[1], e);
    if (strcmp(key, "also") == 0) return p->also_multilabel = 1, 0;
    if (strcmp(key, "task") == 0) {
        int task = number_of_word(task_names, 4, l->cell[1]);
        if (task < 0) return wrong(l, "no such task", e);
        p->task = (ks_eval_task)task;
        return 0;
    }
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        if (strcmp(plain[i].key, key) != 0) continue;
        if (plain[i].text) return copy_to(plain[i].text, l->cell[1], e);
        *plain[i].number = strtoll(l->cell[1], NULL, 10);
        return 0;
    }
    return wrong(l, "no such key", e);
}

static int read_table(ks_eval_protocol *p, const char *path, ks_error *e)
{
    ks_lines f;
    char *text;
    int err = ks_lines_open(&f, path, e), got = 0;
    while (!err && (got = ks_lines_next(&text, &f, e)) == 1) {
        line l = {.file = path, .line = f.line};
        if (*text == 0 || *text == '#') continue;
        for (char *at = text; at && l.n < CELLS; l.n++) {
            l.cell[l.n] = at;
            at = strchr(at, '\t');
            if (at) *at++ = 0;
        }
        err = take_line(p, &l, e);
    }
    ks_lines_close(&f);
    if (!err && got < 0) err = got;
    if (!err && (!p->title || !p->needs || !p->templates || !p->n_recipes))
        err = ks_fail(e, KS_EFORMAT, "%s: lacks title, needs, templates or read", path);
    return err;
}

int ks_eval_protocol_open(ks_eval_protocol *p, const ks_setup *setup, const char *name, ks_error *e)
{
    char relative[80], *path = NULL;
    *p = (ks_eval_protocol){0};
    if (strchr(name, '/') || strlen(name) > 40 ||
        snprintf(relative, sizeof relative, "models/protocols/%s.tsv", name) < 0)
        return ks_fail(e, KS_EUSAGE, "--protocol %.60s: no such protocol", name);
    int err = ks_locate_data(&path, setup, relative, e);
    if (err == KS_ENOTFOUND)
        err = ks_fail(e, KS_EUSAGE, "--protocol %.60s: no such protocol (%s is not there)", name,
                      relative);
    if (!err) err = copy_to(&p->name, name, e);
    if (!err) err = read_table(p, path, e);
    free(path);
    if (err) ks_eval_protocol_close(p);
    return err;
}

static void list_free(char **list, int n)
{
    for (int i = 0; i < n; i++) free(list[i]);
    free((void *)list);
}

void ks_eval_protocol_close(ks_eval_protocol *p)
{
    for (int i = 0; i < p->n_recipes; i++)
        for (int k = 0; k < RECIPE_KEYS; k++) free(*member(&p->recipes[i], k));
    list_free(p->open, p->n_open);
    list_free(p->chosen, p->n_chosen);
    free(p->recipes);
    free(p->published);
    free(p->name);
    free(p->title);
    free(p->needs);
    free(p->templates);
    free(p->prefix);
    free(p->other);
    *p = (ks_eval_protocol){0};
}
