/* saved_query.c - a search's words and options as text and back, by the option table: an option
 * that search learns can be kept the same day. */
#include "cli/saved.h"

#include <assert.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* How an answer looks is for whoever asks; and a kept query tells by its cut-off. */
static const char *refused(const char *name)
{
    static const char *const looks[] = {
        "json", "csv",  "format", "output", "sidecars", "fps",     "force",   "print",
        "html", "open", "null",   "raw",    "pictures", "explain", "queries", NULL};
    static const char *const no_cut[] = {"all", NULL};

    for (int i = 0; looks[i]; i++)
        if (strcmp(name, looks[i]) == 0)
            return "says how an answer looks; kinoseek ingest --json tells hits of kept queries";
    for (int i = 0; no_cut[i]; i++)
        if (strcmp(name, no_cut[i]) == 0) return "has no cut-off: everything new would be told";
    return NULL;
}

/* "@FILE" and "@FILE@T" of a term, as they are seen from any folder; malloc'ed. */
static char *from_anywhere(const char *value)
{
    char full[PATH_MAX], file[PATH_MAX], *at, *text = NULL;

    if (value[0] != '@' || strlen(value) >= sizeof file) return strdup(value);
    snprintf(file, sizeof file, "%s", value + 1);
    if (realpath(file, full)) return asprintf(&text, "@%s", full) < 0 ? NULL : text;
    if ((at = strrchr(file, '@'))) *at = 0;
    if (at && realpath(file, full))
        return asprintf(&text, "@%s@%s", full, at + 1) < 0 ? NULL : text;
    return strdup(value);
}

/* Its value as text, malloc'ed; NULL: it was not given (or no memory, which the caller's list
 * then lacks). */
static char *value_of(const ks_option *o, const void *fields, int at)
{
    const char *p = (const char *)fields + o->at;
    char *text = NULL, full[PATH_MAX];
    const char *plain;
    double number;
    int count;

    switch (o->type) {
    case KS_OPT_FLAG: return *(const int *)(const void *)p ? strdup("") : NULL;
    case KS_OPT_COUNT:
        count = *(const int *)(const void *)p;
        return count > 0 && asprintf(&text, "%d", count) > 0 ? text : NULL;
    case KS_OPT_NUMBER:
        memcpy(&number, p, sizeof number);
        return (number > 0 || number < 0) && asprintf(&text, "%.15g", number) > 0 ? text : NULL;
    case KS_OPT_LIST:
        plain = ((const ks_opt_list *)(const void *)p)->at[at];
        return strcmp(o->name, "image") == 0 && realpath(plain, full) ? strdup(full)
                                                                      : from_anywhere(plain);
    case KS_OPT_TEXT: break;
    }
    memcpy(&plain, p, sizeof plain);
    /* it will be asked from another folder */
    if (plain && strcmp(o->name, "in") == 0 && realpath(plain, full)) return strdup(full);
    return plain ? strdup(plain) : NULL;
}

static int add_option(json_t *list, const ks_option *o, char *value)
{
    char name[64];
    int bad = !value;

    snprintf(name, sizeof name, "--%s", o->name);
    bad = bad || json_array_append_new(list, json_string(name)) < 0;
    if (!bad && o->type != KS_OPT_FLAG)
        bad = json_array_append_new(list, json_string(value)) < 0; /* not UTF-8: refused */
    free(value);
    return bad ? -1 : 0;
}

/* Options that may be given again stand in the order in which they were given, over all of them. */
static int add_lists(json_t *list, const ks_search_fields *f)
{
    int most = -1;

    for (const ks_option *o = ks_search_options; o->name; o++) {
        const ks_opt_list *l = (const ks_opt_list *)(const void *)((const char *)f + o->at);
        for (int i = 0; o->type == KS_OPT_LIST && i < l->n; i++)
            most = l->order[i] > most ? l->order[i] : most;
    }
    for (int at = 0; at <= most; at++)
        for (const ks_option *o = ks_search_options; o->name; o++) {
            const ks_opt_list *l = (const ks_opt_list *)(const void *)((const char *)f + o->at);
            for (int i = 0; o->type == KS_OPT_LIST && i < l->n; i++)
                if (l->order[i] == at && add_option(list, o, value_of(o, f, i)) < 0) return -1;
        }
    return 0;
}

static int add_options(json_t *list, const ks_search_fields *f, ks_error *e)
{
    for (const ks_option *o = ks_search_options; o->name; o++) {
        char *value = o->type == KS_OPT_LIST ? NULL : value_of(o, f, 0);
        const char *why = value ? refused(o->name) : NULL;
        if (why) free(value);
        if (why) return ks_fail(e, KS_EUSAGE, "--%s %s", o->name, why);
        if (value && add_option(list, o, value) < 0)
            return ks_fail(e, KS_EUSAGE, "--%s: what it says is not UTF-8 text", o->name);
    }
    return add_lists(list, f) < 0 ? ks_fail(e, KS_EUSAGE, "a term is not UTF-8 text") : 0;
}

int ks_saved_write(char **text, const ks_search_fields *f, const char *words, ks_error *e)
{
    assert(text && f);
    json_t *list = json_array(), *query = json_object(), *said = json_string(words);
    int err = list && query ? 0 : ks_fail(e, KS_ENOMEM, "no memory for a query");

    *text = NULL;
    if (err == 0 && !said) err = ks_fail(e, KS_EUSAGE, "the words are not UTF-8 text");
    if (err == 0) err = add_options(list, f, e);
    if (err == 0 &&
        (json_object_set(query, "words", said) < 0 || json_object_set(query, "options", list) < 0 ||
         !(*text = json_dumps(query, JSON_COMPACT | JSON_PRESERVE_ORDER))))
        err = ks_fail(e, KS_ENOMEM, "no memory for a query");
    json_decref(said);
    json_decref(list);
    json_decref(query);
    return err;
}

static int take(ks_saved_query *q, const json_t *query, ks_error *e)
{
    const json_t *list = json_object_get(query, "options");
    const char *words = json_string_value(json_object_get(query, "words"));
    int n = 0, count = (int)json_array_size(list);

    if (!words || !json_is_array(list))
        return ks_fail(e, KS_EFORMAT, "it has no words or no options");
    q->argv = calloc((size_t)count + 1, sizeof *q->argv);
    q->args = calloc((size_t)count + 1, sizeof *q->args);
    q->words = strdup(words);
    if (!q->argv || !q->args || !q->words) return ks_fail(e, KS_ENOMEM, "no memory for a query");
    for (; q->argc < count; q->argc++) {
        const char *word = json_string_value(json_array_get(list, (size_t)q->argc));
        if (!word || !(q->argv[q->argc] = strdup(word)))
            return ks_fail(e, KS_EFORMAT, "an option of it is no text");
    }
    return ks_parse(&q->f, ks_search_options, NULL, NULL, q->argc, q->argv, q->args, &n, e);
}

int ks_saved_read(ks_saved_query *q, const char *name, const char *text, ks_error *e)
{
    assert(q && name && text);
    json_t *query = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    ks_error why;
    int err;

    *q = (ks_saved_query){0};
    err = query ? take(q, query, &why) : ks_fail(&why, KS_EFORMAT, "it is no JSON");
    json_decref(query);
    return err < 0 ? ks_fail(e, err == KS_ENOMEM ? err : KS_EFORMAT, "the kept query %s: %s", name,
                             why.msg)
                   : 0;
}

void ks_saved_query_free(ks_saved_query *q)
{
    if (q->argv) ks_parse_free(&q->f, ks_search_options);
    for (int i = 0; i < q->argc; i++) free(q->argv[i]);
    free(q->argv);
    free(q->args);
    free(q->words);
    *q = (ks_saved_query){0};
}
