/* cmd_bench_ingest.c - `bench ingest FILE...`: films into a library that is thrown away, beside
 * decoding alone. */
#include "cli/commands.h"
#include "cli/temporary_folder.h"
#include "formats/formats.h"
#include "ingest/ingest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    int json, frames;
    double window, hop;
} bench_fields;

static const ks_option options[] = {
    {0, "json", KS_OPT_FLAG, offsetof(bench_fields, json), NULL, "one JSON line"},
    {0, "window", KS_OPT_NUMBER, offsetof(bench_fields, window), "SECONDS", "longest clip (8)"},
    {0, "hop", KS_OPT_NUMBER, offsetof(bench_fields, hop), "SECONDS",
     "from one clip to the next (half a window)"},
    {0, "frames", KS_OPT_COUNT, offsetof(bench_fields, frames), "N",
     "frames a clip (the model's own)"},
    {0},
};

typedef struct {
    ks_ingest_summary sum;
    ks_decode_rate decode;
    /* counted work of a clip; GFLOP/s of this machine's library at the model's products */
    double gflop_each, limit;
} figures;

static int ingest_all(ks_ingest_summary *sum, const char *folder, ks_encoder *enc,
                      const ks_ingest_options *o, ks_error *e)
{
    ks_index *x = NULL;
    int err = ks_index_open(&x, folder, KS_CREATE, e);

    if (err == 0) err = ks_ingest(sum, x, enc, o, e);
    ks_index_close(x);
    return err;
}

static int measure(figures *r, const ks_globals *g, const bench_fields *f, int n, char **files,
                   ks_error *e)
{
    char *folder = NULL, *decoder = NULL;
    ks_encoder *enc = NULL;
    int err = ks_locate_decoder(&decoder, &g->setup, e);

    if (err == 0) err = ks_temporary_folder(&folder, e);
    if (err == 0) err = ks_open_encoder(&enc, &g->setup, NULL, KS_TOWER_VIDEO, KS_AUTO, e);
    if (err == 0) {
        ks_ingest_options o = {.paths = (const char *const *)files,
                               .n = n,
                               .decoder = decoder,
                               .window = f->window,
                               .hop = f->hop,
                               .frames = f->frames,
                               .shots = 1};
        const ks_info *info = ks_encoder_info(enc);
        r->gflop_each = ks_clip_gflop(info, f->frames ? f->frames : info->frames, ks_side(info));
        err = ingest_all(&r->sum, folder, enc, &o, e);
        if (err == 0) err = ks_gemm_rate(&r->limit, enc, info->precision, e);
        if (err == 0)
            err = ks_measure_decode(&r->decode, decoder, (const char *const *)files, n, 1, NULL, e);
    }
    ks_encoder_close(enc);
    if (folder) ks_remove_files(folder);
    free(folder);
    free(decoder);
    return err;
}

static void print_json(const figures *r)
{
    double gflop = r->gflop_each * (double)r->sum.clips;
    ks_json j;

    ks_json_start(&j, stdout);
    ks_json_open(&j, NULL, '{');
    ks_json_text(&j, "bench", "ingest");
    ks_json_int(&j, "files", r->sum.files);
    ks_json_int(&j, "clips", r->sum.clips);
    ks_json_seconds(&j, "video_seconds", r->sum.video_seconds);
    ks_json_number(&j, "seconds", r->sum.wall_seconds);
    ks_json_number(&j, "x_realtime", r->sum.video_seconds / r->sum.wall_seconds);
    ks_json_number(&j, "gflop_per_second", gflop / r->sum.wall_seconds);
    ks_json_number(&j, "limit_gflop_per_second", r->limit);
    ks_json_number(&j, "ratio", gflop / r->sum.wall_seconds / r->limit);
    ks_json_number(&j, "decode_seconds", r->decode.wall_seconds);
    ks_json_close(&j);
}

static void print_people(const figures *r)
{
    double gflop = r->gflop_each * (double)r->sum.clips;

    printf("%.1f s of video, %lld clips in %.2f s: %.1f x real time\n", r->sum.video_seconds,
           (long long)r->sum.clips, r->sum.wall_seconds,
           r->sum.video_seconds / r->sum.wall_seconds);
    printf("%.0f GFLOP/s, counted as if clips shared no frame, of %.0f that this machine gives to "
           "the model's products (%.2f); "
           "decoding alone takes %.2f s\n",
           gflop / r->sum.wall_seconds, r->limit, gflop / r->sum.wall_seconds / r->limit,
           r->decode.wall_seconds);
}

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    const bench_fields *f = fields;
    figures r = {0};
    int err;

    if (n == 0) return ks_fail(e, KS_EUSAGE, "name the films to ingest");
    for (int i = 0; i < n; i++)
        if (access(args[i], R_OK) != 0)
            return ks_fail(e, KS_ENOTFOUND, "%s: %s", args[i], strerror(errno));
    if ((err = measure(&r, g, f, n, args, e)) < 0) return err;
    if (r.sum.clips == 0) return ks_fail(e, KS_EFORMAT, "%s: no clip came of it", args[0]);
    if (f->json) print_json(&r);
    else print_people(&r);
    return 0;
}

extern const ks_command ks_cmd_bench_ingest;
const ks_command ks_cmd_bench_ingest = {
    .name = "bench ingest",
    .usage = "FILE...",
    .brief = "Times real time of an ingest, beside decoding alone",
    .more = "  kinoseek bench ingest lake.mp4 -m lvt-base\n"
            "The library it fills is a temporary one. Clips that overlap share frames: the\n"
            "ratio to the machine's limit can exceed one.",
    .options = options,
    .fields = sizeof(bench_fields),
    .alone = 1,
    .run = run,
};
