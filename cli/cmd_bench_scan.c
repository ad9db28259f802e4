/* cmd_bench_scan.c - `bench scan`: the exact vector scan beside what this machine's memory
 * gives. */
#include "cli/commands.h"
#include "formats/formats.h"

typedef struct {
    int json, rows, dim, k, rounds, clustered;
} bench_fields;

static const ks_option options[] = {
    {0, "json", KS_OPT_FLAG, offsetof(bench_fields, json), NULL, "one JSON line"},
    {0, "rows", KS_OPT_COUNT, offsetof(bench_fields, rows), "N", "vectors (1000000)"},
    {0, "dim", KS_OPT_COUNT, offsetof(bench_fields, dim), "D", "dimensions (768)"},
    {'k', "count", KS_OPT_COUNT, offsetof(bench_fields, k), "K", "neighbours (10)"},
    {0, "rounds", KS_OPT_COUNT, offsetof(bench_fields, rounds), "N",
     "queries; the fastest counts (10)"},
    {0, "clustered", KS_OPT_FLAG, offsetof(bench_fields, clustered), NULL,
     "vectors in 4,096 clusters instead of random ones"},
    {0},
};

static void defaults(void *fields)
{
    *(bench_fields *)fields = (bench_fields){.rows = 1000000, .dim = 768, .k = 10, .rounds = 10};
}

static void print_json(const ks_scan_bench *b)
{
    ks_json j;
    ks_json_start(&j, stdout);
    ks_json_open(&j, NULL, '{');
    ks_json_text(&j, "bench", "scan");
    ks_json_int(&j, "rows", b->rows);
    ks_json_int(&j, "dim", b->dim);
    ks_json_int(&j, "k", b->k);
    ks_json_bool(&j, "clustered", b->clustered);
    ks_json_text(&j, "cpu", b->cpu);
    ks_json_number(&j, "seconds", b->seconds);
    ks_json_number(&j, "gigabytes_per_second", b->bytes / b->seconds / 1e9);
    ks_json_number(&j, "limit_gigabytes_per_second", b->limit / 1e9);
    ks_json_number(&j, "ratio", b->bytes / b->seconds / b->limit);
    ks_json_number(&j, "seconds_every_row", b->seconds_plain);
    ks_json_int(&j, "rows_scored", b->rescored);
    ks_json_bool(&j, "same_answer", b->same);
    ks_json_close(&j);
}

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    const bench_fields *f = fields;
    ks_scan_bench b = {.rows = f->rows,
                       .dim = f->dim,
                       .k = f->k,
                       .threads = g->setup.threads,
                       .clustered = f->clustered,
                       .rounds = f->rounds};

    (void)args;
    if (n > 0) return ks_fail(e, KS_EUSAGE, "bench scan takes no arguments: it makes its vectors");
    if (f->rows < 1 || f->dim < 1 || f->dim > 8192 || f->k < 1 || f->rounds < 1)
        return ks_fail(
            e, KS_EUSAGE,
            "bench scan needs at least one row, dimension (at most 8192), neighbour and round");
    int err = ks_index_bench_scan(&b, e);
    if (err < 0) return err;
    if (f->json) print_json(&b);
    else {
        printf("%d x %d, top %d, %s: %.2f ms a query, %.1f GB/s of %.1f GB/s that the threads can "
               "read (%.2f)\n",
               f->rows, f->dim, f->k, b.cpu, b.seconds * 1e3, b.bytes / b.seconds / 1e9,
               b.limit / 1e9, b.bytes / b.seconds / b.limit);
        printf("every row from fp16: %.2f ms; rows that the codes left to score: %lld; the same "
               "answer: %s\n",
               b.seconds_plain * 1e3, (long long)b.rescored, b.same ? "yes" : "NO");
    }
    return b.same ? 0
                  : ks_fail(e, KS_EDAMAGED, "bench scan: the fast scan and the plain one differ");
}

extern const ks_command ks_cmd_bench_scan;
const ks_command ks_cmd_bench_scan = {
    .name = "bench scan",
    .usage = "",
    .brief = "Speed of the exact vector search, beside memory's own",
    .more = "Vectors are made in memory (2.1 kB each at D 768). The answer is compared with\n"
            "that of scoring every row.\n",
    .options = options,
    .fields = sizeof(bench_fields),
    .defaults = defaults,
    .alone = 1,
    .run = run,
};
