/* cmd_bench_decode.c - `bench decode FILE...`: times real time, with and without the sandbox, in
 * turns. */
#include "cli/commands.h"
#include "formats/formats.h"
#include "ingest/ingest.h"

#include <stdlib.h>

typedef struct {
    int json, rounds;
    const char *hwaccel;
} bench_fields;

static const ks_option options[] = {
    {0, "json", KS_OPT_FLAG, offsetof(bench_fields, json), NULL, "one JSON line"},
    {0, "rounds", KS_OPT_COUNT, offsetof(bench_fields, rounds), "N",
     "rounds of both; the best of each counts (3)"},
    {0, "hwaccel", KS_OPT_TEXT, offsetof(bench_fields, hwaccel), "NAME",
     "none, auto or a name of libav's (none)"},
    {0},
};

static void defaults(void *fields) { ((bench_fields *)fields)->rounds = 3; }

static void keep_best(ks_decode_rate *best, const ks_decode_rate *r, int round)
{
    if (round == 0 || r->cpu_seconds < best->cpu_seconds) *best = *r;
}

/* Both ways in turns, so that a busy machine is busy for both. */
static int measure(ks_decode_rate *boxed, ks_decode_rate *bare, const char *decoder,
                   const bench_fields *f, int n, char **files, ks_error *e)
{
    ks_decode_rate r;
    int err;

    for (int i = 0; i < f->rounds; i++) {
        if ((err = ks_measure_decode(&r, decoder, (const char *const *)files, n, 1, f->hwaccel, e)))
            return err;
        keep_best(boxed, &r, i);
        if ((err = ks_measure_decode(&r, decoder, (const char *const *)files, n, 0, f->hwaccel, e)))
            return err;
        keep_best(bare, &r, i);
    }
    return 0;
}

static void print_json(const ks_decode_rate *a, const ks_decode_rate *b)
{
    ks_json j;
    ks_json_start(&j, stdout);
    ks_json_open(&j, NULL, '{');
    ks_json_text(&j, "bench", "decode");
    ks_json_int(&j, "files", a->files);
    ks_json_int(&j, "frames", a->frames);
    ks_json_seconds(&j, "video_seconds", a->video_seconds);
    ks_json_number(&j, "seconds", a->wall_seconds);
    ks_json_number(&j, "x_realtime", a->video_seconds / a->wall_seconds);
    ks_json_text(&j, "sandbox", a->sandbox);
    /* the same decoder without isolation, same run */
    ks_json_number(&j, "limit_seconds", b->wall_seconds);
    ks_json_number(&j, "cpu_seconds", a->cpu_seconds);
    ks_json_number(&j, "limit_cpu_seconds", b->cpu_seconds);
    ks_json_number(&j, "ratio", a->cpu_seconds / b->cpu_seconds);
    ks_json_number(&j, "start_seconds", a->start_seconds);
    ks_json_close(&j);
}

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    bench_fields *f = fields;
    ks_decode_rate boxed = {0}, bare = {0};
    char *decoder = NULL;
    int err;

    if (n < 1)
        return ks_fail(e, KS_EUSAGE, "name one film or more: kinoseek bench decode lake.mp4");
    if (f->rounds < 1) f->rounds = 1;
    if ((err = ks_locate_decoder(&decoder, &g->setup, e))) return err;
    err = measure(&boxed, &bare, decoder, f, n, args, e);
    free(decoder);
    if (err) return err;
    if (f->json) {
        print_json(&boxed, &bare);
        return 0;
    }
    printf("%lld files, %lld frames, %.1f s of film\n", (long long)boxed.files,
           (long long)boxed.frames, boxed.video_seconds);
    printf("isolated (%s)  %.3f s, %.3f s of processor  %.1f x real time\n", boxed.sandbox,
           boxed.wall_seconds, boxed.cpu_seconds, boxed.video_seconds / boxed.wall_seconds);
    printf("not isolated  %.3f s, %.3f s of processor  %.1f x real time\n", bare.wall_seconds,
           bare.cpu_seconds, bare.video_seconds / bare.wall_seconds);
    printf("isolation costs %.1f %% of the processor's time; starting the decoder took %.3f s\n",
           100 * (boxed.cpu_seconds / bare.cpu_seconds - 1), boxed.start_seconds);
    return 0;
}

extern const ks_command ks_cmd_bench_decode;
const ks_command ks_cmd_bench_decode = {
    .name = "bench decode",
    .usage = "FILE...",
    .brief = "How fast films are decoded here, and what isolation costs",
    .more = "  kinoseek bench decode lake.mp4\n"
            "Decodes every frame of every file, in turns with and without seccomp and\n"
            "landlock.",
    .options = options,
    .fields = sizeof(bench_fields),
    .defaults = defaults,
    .alone = 1,
    .run = run,
};
