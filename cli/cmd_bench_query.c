/* cmd_bench_query.c - `bench query [WORDS]`: one search taken apart, beside the bare scan of as
 * many vectors. */
#include "cli/bench_growth.h"
#include "cli/commands.h"
#include "formats/formats.h"
#include "query/query.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    int json, rounds, k, exact, ann;
    const char *made;
} bench_fields;

static const ks_option options[] = {
    {0, "json", KS_OPT_FLAG, offsetof(bench_fields, json), NULL, "one JSON line"},
    {0, "rounds", KS_OPT_COUNT, offsetof(bench_fields, rounds), "N",
     "searches; the fastest of each part counts (10)"},
    {'k', "top", KS_OPT_COUNT, offsetof(bench_fields, k), "N", "moments to find (10)"},
    {0, "exact", KS_OPT_FLAG, offsetof(bench_fields, exact), NULL, "look at every clip"},
    {0, "ann", KS_OPT_FLAG, offsetof(bench_fields, ann), NULL, "let the FAISS index choose"},
    {0, "made", KS_OPT_TEXT, offsetof(bench_fields, made), "N,N...",
     "whole commands, on made libraries of N clips"},
    {0},
};

static void defaults(void *fields)
{
    *(bench_fields *)fields = (bench_fields){.rounds = 10, .k = 10};
}

typedef struct {
    double library, encoder, scale; /* seconds to open each, once */
    double words, moments;          /* fastest of the rounds: words to vector, vector to moments */
    int64_t clips;
    int dim, found, approximate;
    ks_scan_bench bare; /* as many made vectors, nothing but the scan */
} figures;

static double since(double *began)
{
    double then = *began;

    *began = ks_monotonic();
    return *began - then;
}

typedef struct {
    ks_index *x;
    ks_encoder *enc;
    ks_scale *scale;
    float *q;
} parts;

static int open_parts(parts *p, figures *f, const ks_globals *g, ks_error *e)
{
    ks_index_state state;
    double began = ks_monotonic();
    int err;

    if ((err = ks_index_open(&p->x, g->library, KS_READ, e)) < 0) return err;
    ks_index_threads(p->x, g->setup.threads);
    f->library = since(&began);
    if ((err = ks_open_library_encoder(&p->enc, &g->setup, p->x, KS_TOWER_TEXT, e)) < 0) return err;
    f->encoder = since(&began);
    if ((err = ks_scale_open(&p->scale, p->x, p->enc, e)) < 0) return err;
    f->scale = since(&began);
    if ((err = ks_index_status(&state, p->x, e)) < 0) return err;
    f->dim = ks_encoder_info(p->enc)->dim;
    f->clips = state.clips;
    if (state.clips == 0) return ks_fail(e, KS_EUSAGE, "%s: no clips to search", g->library);
    return (p->q = malloc((size_t)f->dim * sizeof *p->q))
               ? 0
               : ks_fail(e, KS_ENOMEM, "no memory for a query");
}

static int measure(figures *f, parts *p, const bench_fields *o, const char *words, ks_error *e)
{
    ks_query_options how = {.k = o->k,
                            .all = 1,
                            .how = o->exact ? KS_SEARCH_EXACT
                                   : o->ann ? KS_SEARCH_ANN
                                            : KS_SEARCH_AUTO};
    int err = 0;

    for (int i = 0; i < o->rounds && err == 0; i++) {
        ks_hits hits = {0};
        double began = ks_monotonic(), words_took, moments_took;
        if ((err = ks_query_words(p->q, NULL, p->enc, words, e)) < 0) break;
        words_took = since(&began);
        err = ks_query_run(&hits, p->x, p->scale, p->q, f->dim, &how, e);
        moments_took = since(&began);
        f->words = i == 0 || words_took < f->words ? words_took : f->words;
        f->moments = i == 0 || moments_took < f->moments ? moments_took : f->moments;
        f->found = hits.count;
        f->approximate = hits.approximate;
        ks_hits_free(&hits);
    }
    return err;
}

static void print_json(const figures *f)
{
    const ks_scan_bench *b = &f->bare;
    ks_json j;

    ks_json_start(&j, stdout);
    ks_json_open(&j, NULL, '{');
    ks_json_text(&j, "bench", "query");
    ks_json_int(&j, "clips", f->clips);
    ks_json_int(&j, "dim", f->dim);
    ks_json_int(&j, "found", f->found);
    ks_json_bool(&j, "approximate", f->approximate);
    ks_json_number(&j, "open_library_seconds", f->library);
    ks_json_number(&j, "open_encoder_seconds", f->encoder);
    ks_json_number(&j, "open_scale_seconds", f->scale);
    ks_json_number(&j, "words_seconds", f->words);
    ks_json_number(&j, "seconds", f->moments);
    ks_json_number(&j, "gigabytes_per_second", b->bytes / f->moments / 1e9);
    ks_json_number(&j, "limit_seconds", b->seconds);
    ks_json_number(&j, "limit_gigabytes_per_second", b->limit / 1e9);
    ks_json_number(&j, "ratio", f->moments / b->seconds);
    ks_json_close(&j);
}

static void print_people(const figures *f)
{
    printf("opening: library %.1f ms, encoder %.1f ms, scale of scores %.1f ms\n", f->library * 1e3,
           f->encoder * 1e3, f->scale * 1e3);
    printf("words to vector: %.2f ms\n", f->words * 1e3);
    printf("vector to moments: %.2f ms over %lld clips of %d dimensions%s; a bare scan of as many "
           "vectors: %.2f ms (%.2f x)\n",
           f->moments * 1e3, (long long)f->clips, f->dim, f->approximate ? ", approximate" : "",
           f->bare.seconds * 1e3, f->moments / f->bare.seconds);
}

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    const bench_fields *o = fields;
    figures f = {0};
    parts p = {0};
    int err;

    if (n > 1)
        return ks_fail(
            e, KS_EUSAGE,
            "put the words between quotes: kinoseek bench query \"a dog jumping into water\"");
    if (o->rounds < 1 || o->k < 1 || (o->exact && o->ann))
        return ks_fail(e, KS_EUSAGE,
                       "bench query needs at least one round and moment, and one of --exact and "
                       "--ann at most");
    if (o->made) return ks_bench_growth(g, o->made, o->rounds, o->json, e);
    err = open_parts(&p, &f, g, e);
    if (err == 0) err = measure(&f, &p, o, n ? args[0] : "a dog jumping into water", e);
    if (err == 0) {
        f.bare = (ks_scan_bench){.rows = f.clips,
                                 .dim = f.dim,
                                 .k = o->k,
                                 .threads = g->setup.threads,
                                 .rounds = o->rounds};
        err = ks_index_bench_scan(&f.bare, e);
    }
    if (err == 0 && o->json) print_json(&f);
    else if (err == 0) print_people(&f);
    free(p.q);
    ks_scale_close(p.scale);
    ks_encoder_close(p.enc);
    ks_index_close(p.x);
    return err;
}

extern const ks_command ks_cmd_bench_query;
const ks_command ks_cmd_bench_query = {
    .name = "bench query",
    .usage = "[WORDS]",
    .brief = "Time of one search of this library, part by part",
    .more = "  kinoseek bench query \"a dog jumping into water\"\n"
            "The limit is the bare scan of as many vectors, made in memory, in the same run.\n"
            "  kinoseek bench query --made 1000,10000,100000,1000000\n"
            "Processes from start to last byte, as a library grows; $TMPDIR holds it (a\n"
            "million clips of 768 numbers: 4.3 GB). Each goes again when it is measured.",
    .options = options,
    .fields = sizeof(bench_fields),
    .defaults = defaults,
    .run = run,
};
