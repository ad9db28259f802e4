/* saved_run.c - kept queries over what is new: ask, keep, tell. */
#include "cli/saved.h"

#include "cli/terminal.h"
#include "formats/formats.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const ks_saved_ways *ways;
    ks_index *x; /* writes */
    ks_setup setup;
    ks_session *s; /* asks; NULL until there is something to ask */
    int64_t generation, told;
    ks_program program; /* the notified one; pid 0: none */
} saved_run;

static void complain(const ks_error *e, const char *name)
{
    char text[sizeof e->msg];

    snprintf(text, sizeof text, "%s", e->msg);
    ks_harmless(text);
    fprintf(stderr, "kinoseek: kept query %s: %s\n", name, text);
}

/* --- what is found --- */
static char *json_of(const ks_moment *m, ks_error *e)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&text, &bytes);
    ks_out_options options = {.rows = KS_ROWS_MOMENTS};
    ks_out *o = NULL;
    int err = f ? ks_out_open(&o, &(ks_out_target){.stream = f}, ks_find_format("jsonl"), &options,
                              e)
                : ks_fail(e, KS_ENOMEM, "no memory for a hit");

    if (err == 0) err = ks_out_entry(o, m, e);
    if (err == 0) err = ks_out_end(o, e);
    ks_out_close(o);
    if (f) fclose(f);
    if (err < 0) {
        free(text);
        return NULL;
    }
    for (size_t n = strlen(text); n > 0 && text[n - 1] == '\n'; n--) text[n - 1] = 0;
    return text;
}

static int keep(saved_run *r, const ks_saved *v, const ks_answer *a, ks_error *e)
{
    int n = a->hits.count, err = 0, made = 0;
    ks_saved_hit *hits = calloc((size_t)n + 1, sizeof *hits);
    char **texts = calloc((size_t)n + 1, sizeof *texts);

    if (!hits || !texts) err = ks_fail(e, KS_ENOMEM, "no memory for hits");
    for (; made < n && err == 0; made++) {
        const ks_moment *m = &a->at[made];
        if (!(texts[made] = json_of(m, e))) err = e->code;
        hits[made] = (ks_saved_hit){m->video, m->start, m->end, texts[made]};
    }
    if (err == 0) err = ks_index_saved_add(r->x, v->name, r->generation, hits, n, e);
    for (int i = 0; texts && i < made; i++) free(texts[i]);
    free(texts);
    free(hits);
    return err;
}

/* Without -k all that lies above the cut-off. */
static int ask_all(ks_answer *a, saved_run *r, const ks_saved *v, const ks_saved_query *q,
                   ks_error *e)
{
    enum { FIRST = 256, MOST = 131072 };
    ks_question question = q->f.ask;
    ks_query_options o;
    ks_terms terms;
    int err = ks_search_terms(&terms, &q->f, 1, e);

    question.words = q->words;
    question.terms = &terms;
    if (err == 0) err = ks_question_options(&o, r->s, &question, e);
    o.filter.newer = v->seen;
    for (o.k = q->f.ask.k > 0 ? q->f.ask.k : FIRST; err == 0; o.k *= 8) {
        if ((err = ks_ask(a, r->s, &question, &o, e)) < 0 || q->f.ask.k > 0 ||
            a->hits.count < o.k || o.k >= MOST)
            break;
        ks_answer_free(a);
    }
    ks_terms_free(&terms);
    return err;
}

static int ask_one(saved_run *r, const ks_saved *v, ks_error *e)
{
    ks_saved_query q = {0};
    ks_answer a = {0};
    int err = ks_saved_read(&q, v->name, v->query, e);

    if (err == 0 && (err = ask_all(&a, r, v, &q, e)) == 0) {
        err = keep(r, v, &a, e);
        ks_answer_free(&a);
    }
    ks_saved_query_free(&q);
    return err;
}

/* The generation and the answers are of a handle that reads; nobody else writes meanwhile. */
static int open_asking(saved_run *r, ks_error *e)
{
    ks_library *library = malloc(sizeof *library);
    int err = library ? ks_index_library(library, r->x, e) : ks_fail(e, KS_ENOMEM, "no memory");

    if (err == 0) r->generation = library->generation;
    free(library);
    r->setup = r->ways->g->setup;
    /* the library's own: -m may name another, with --switch */
    r->setup.model = r->setup.tokenizer = NULL;
    return err;
}

static int ask_each(saved_run *r, const ks_saved_list *list, ks_error *e)
{
    int err = list->n ? open_asking(r, e) : 0;

    for (int i = 0; i < list->n && err == 0; i++) {
        if (list->at[i].seen >= r->generation) continue;
        if (!r->s) err = ks_session_open(&r->s, r->ways->g->library, &r->setup, e);
        if (err == 0 && (err = ask_one(r, &list->at[i], e)) < 0 && err != KS_ENOMEM &&
            err != KS_EIO) {
            complain(e, list->at[i].name); /* it is asked again by the next run */
            err = 0;
        }
    }
    ks_session_close(r->s);
    r->s = NULL;
    return err;
}

/* --- telling --- */
static void end_program(saved_run *r)
{
    enum { PATIENCE = 60 };
    ks_error e;

    if (r->program.pid && ks_program_end(NULL, &r->program, PATIENCE, &e) < 0)
        complain(&e, "--notify");
}

static void say(const saved_run *r, const char *name, const ks_saved_hit *hit)
{
    char path[4096 + 16], from[24], to[24], shown[256];
    ks_terminal t;
    ks_error ignored;
    ks_video v;

    ks_terminal_of(&t, stdout);
    snprintf(shown, sizeof shown, "%s", name);
    ks_harmless(shown);
    if (ks_index_video(&v, r->x, hit->video, &ignored) < 0) /* forgotten, or rotten, since */
        v = (ks_video){.path = "?", .tb = {1, 1}};
    ks_show_path(path, sizeof path, v.path, 0, t.utf8);
    ks_clock(from, ks_seconds(hit->start, v.tb));
    ks_clock(to, ks_seconds(hit->end, v.tb));
    printf("%s: %s  %s %s %s\n", shown, path, from, t.utf8 ? "\xe2\x80\x93" : "-", to);
}

/* The hit is an object already. */
static void say_json(const char *name, const ks_saved_hit *hit)
{
    ks_json j;

    ks_json_start(&j, stdout);
    ks_json_open(&j, NULL, '{');
    ks_json_text(&j, "event", "saved");
    ks_json_text(&j, "name", name);
    ks_json_raw(&j, "hit", hit->text);
    ks_json_close(&j);
}

static int tell(void *arg, const char *name, const ks_saved_hit *hit, ks_error *e)
{
    saved_run *r = arg;
    int err = 0;

    end_program(r);
    if (r->ways->notify) err = ks_program_start(&r->program, r->ways->notify, hit->text, 0, e);
    if (err < 0) return err;
    if (r->ways->json) say_json(name, hit);
    else say(r, name, hit);
    r->told++;
    return fflush(stdout) == 0
               ? 0
               : ks_fail(
                     e, KS_EIO,
                     "standard output: what was found cannot be told; the next ingest tells it");
}

int ks_saved_run(int64_t *told, ks_index *x, const ks_saved_ways *ways, ks_error *e)
{
    assert(x && ways);
    saved_run r = {.ways = ways, .x = x};
    ks_saved_list list;
    int err = ks_index_saved(&list, x, e);

    if (err == 0) err = ask_each(&r, &list, e);
    if (err == 0 && list.n > 0)
        err = fflush(stdout) == 0 ? ks_index_saved_tell(x, tell, &r, e)
                                  : ks_fail(e, KS_EIO, "standard output cannot be written");
    end_program(&r);
    ks_saved_free(&list);
    if (told) *told = r.told;
    return err;
}
