/* cmd_saved.c - `save NAME search ...`, `saved`, `forget-saved`: queries that are kept and asked
 * of what is new. */
#include "cli/hub_library.h"
#include "cli/commands.h"
#include "cli/saved.h"
#include "cli/terminal.h"
#include "formats/formats.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 100 }; /* bytes of a name */

static int check_name(const char *name, ks_error *e)
{
    char plain[LONGEST + 1];

    if (!*name || strlen(name) > LONGEST || !ks_is_utf8(name))
        return ks_fail(e, KS_EUSAGE, "a name is UTF-8 text of 1 to %d bytes", LONGEST);
    snprintf(plain, sizeof plain, "%s", name);
    ks_harmless(plain);
    return strcmp(plain, name) == 0
               ? 0
               : ks_fail(e, KS_EUSAGE, "the name %s holds control characters", plain);
}

/* Asked once, for one moment: what is wrong with it is said now, not by every ingest. */
static int try_query(const ks_globals *g, const ks_search_fields *f, const char *words, ks_error *e)
{
    ks_session *s = NULL;
    ks_question q = f->ask;
    ks_query_options o;
    ks_answer a = {0};
    ks_terms terms;
    int err = ks_search_terms(&terms, f, 1, e);

    q.words = words;
    q.terms = &terms;
    if (err == 0) err = ks_session_open(&s, g->library, &g->setup, e);
    if (err == 0) err = ks_question_options(&o, s, &q, e);
    o.k = 1;
    if (err == 0 && (err = ks_ask(&a, s, &q, &o, e)) == 0) ks_answer_free(&a);
    ks_terms_free(&terms);
    ks_session_close(s);
    return err;
}

static int keep(const ks_globals *g, const ks_search_fields *f, const char *name, const char *words,
                ks_error *e)
{
    ks_index *x = NULL;
    char *text = NULL;
    int err = ks_saved_write(&text, f, words, e);

    if (err == 0) err = try_query(g, f, words, e);
    if (err == 0) err = ks_keep_open(&x, g, e);
    if (err == 0) err = ks_index_save(x, name, text, e);
    if (x) ks_say_damage(x, g, err);
    err = ks_keep_close(x, g, err, e);
    if (err == 0 && !g->quiet)
        printf("Kept. What it finds in films that are ingested from now on is told once.\n");
    free(text);
    return err;
}

static int save(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    char *words;
    int err;

    if (n < 3 || strcmp(args[1], "search") != 0)
        return ks_fail(e, KS_EUSAGE,
                       "name it and say what to look for: kinoseek save dogs search a dog jumping");
    if ((err = check_name(args[0], e)) < 0) return err;
    if (!(words = ks_join_words(n - 2, args + 2)))
        return ks_fail(e, KS_ENOMEM, "no memory for a query");
    err = ks_is_blank(words)
              ? ks_fail(e, KS_EUSAGE,
                        "the words are empty: kinoseek save dogs search a dog jumping")
              : keep(g, fields, args[0], words, e);
    free(words);
    return err;
}

extern const ks_command ks_cmd_save, ks_cmd_saved, ks_cmd_forget_saved;
const ks_command ks_cmd_save = {
    .name = "save",
    .usage = "NAME search WORDS...",
    .brief = "Keep a query: ingest says what is new of it",
    .more = "  kinoseek save dogs search a dog jumping into water --path 'holidays/*'\n"
            "  kinoseek ingest --notify my-mailer\n"
            "Options are those of search that say what is looked for. kinoseek saved.",
    .options = ks_search_options,
    .fields = sizeof(ks_search_fields),
    .hub = KS_HUB_MIRROR,
    .run = save,
};

typedef struct {
    int json;
} saved_fields;

static const ks_option saved_options[] = {
    {0, "json", KS_OPT_FLAG, offsetof(saved_fields, json), NULL, "a JSON line a query"},
    {0},
};

static void print_json(const ks_saved *v, const char *words, const json_t *options)
{
    ks_json j;

    ks_json_start(&j, stdout);
    ks_json_open(&j, NULL, '{');
    ks_json_text(&j, "name", v->name);
    ks_json_text(&j, "words", words);
    ks_json_open(&j, "options", '[');
    for (size_t i = 0; i < json_array_size(options); i++)
        ks_json_text(&j, NULL, json_string_value(json_array_get(options, i)));
    ks_json_close(&j);
    ks_json_int(&j, "told", v->told);
    ks_json_int(&j, "waiting", v->waiting);
    ks_json_close(&j);
}

static void print_row(const ks_saved *v, const char *words, const json_t *options)
{
    char shown[256];

    snprintf(shown, sizeof shown, "%s", v->name);
    ks_harmless(shown);
    printf("%-12s  ", shown);
    snprintf(shown, sizeof shown, "%s", words);
    ks_harmless(shown);
    fputs(shown, stdout);
    for (size_t i = 0; i < json_array_size(options); i++) {
        snprintf(shown, sizeof shown, "%s", json_string_value(json_array_get(options, i)));
        ks_harmless(shown);
        printf(" %s", shown);
    }
    printf("  (%lld told", (long long)v->told);
    printf(v->waiting ? ", %lld waiting)\n" : ")\n", (long long)v->waiting);
}

/* A row whose text is not ours passed its checksum: somebody else wrote it. */
static int print_one(const ks_saved *v, int json, ks_error *e)
{
    ks_saved_query q;
    int err = ks_saved_read(&q, v->name, v->query, e);
    json_t *query = err == 0 ? json_loads(v->query, 0, NULL) : NULL;

    if (query && json) print_json(v, q.words, json_object_get(query, "options"));
    else if (query) print_row(v, q.words, json_object_get(query, "options"));
    json_decref(query);
    ks_saved_query_free(&q);
    return err;
}

static int saved(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    ks_saved_list list = {0};
    ks_index *x = NULL;
    int err, shown = 0;

    (void)args;
    if (n > 0) return ks_fail(e, KS_EUSAGE, "it takes no words");
    if ((err = ks_index_open(&x, g->library, KS_READ, e)) == 0) err = ks_index_saved(&list, x, e);
    for (; err == 0 && shown < list.n; shown++)
        err = print_one(&list.at[shown], ((const saved_fields *)fields)->json, e);
    if (err == 0 && shown == 0 && !((const saved_fields *)fields)->json && !g->quiet)
        puts("No query is kept: kinoseek save NAME search WORDS");
    ks_close_library(x, g, err);
    ks_saved_free(&list);
    return err < 0 ? err : shown == 0;
}

const ks_command ks_cmd_saved = {
    .name = "saved",
    .brief = "List the kept queries",
    .options = saved_options,
    .fields = sizeof(saved_fields),
    .hub = KS_HUB_MIRROR,
    .run = saved,
};

static int forget_saved(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    ks_index *x = NULL;
    int err, gone = 0;

    (void)fields;
    if (n == 0) return ks_fail(e, KS_EUSAGE, "name a kept query: kinoseek saved lists them");
    err = ks_keep_open(&x, g, e);
    for (int i = 0; i < n && err >= 0; i++) {
        err = ks_index_forget_saved(x, args[i], e);
        if (err == 0) fprintf(stderr, "kinoseek: %s: no query of that name is kept\n", args[i]);
        gone += err > 0;
    }
    if (x) ks_say_damage(x, g, err < 0 ? err : 0);
    err = ks_keep_close(x, g, err < 0 ? err : 0, e);
    return err < 0 ? err : gone == 0;
}

const ks_command ks_cmd_forget_saved = {
    .name = "forget-saved",
    .usage = "NAME...",
    .brief = "Keep a query no longer",
    .hub = KS_HUB_MIRROR,
    .run = forget_saved,
};
