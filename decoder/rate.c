/* rate.c - how fast films are decoded on this machine, with and without isolation. */
#include <string.h>
#include <sys/resource.h>

#include "decoder/decoder.h"

/* Processor seconds of children that have ended, and of theirs. */
static double spent(void)
{
    struct rusage u;
    getrusage(RUSAGE_CHILDREN, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

static int one_film(ks_decode_rate *out, ks_decoder *d, const char *path, ks_error *e)
{
    ks_film *film;
    ks_film_frame f;
    int r = ks_film_open(&film, d, path, NULL, e);
    if (r) return r;
    while ((r = ks_film_next(&f, film, e)) == 1) ks_film_keep(film, f.number);
    if (r == 0) {
        const ks_outcome *o = ks_film_outcome(film);
        out->files++;
        out->frames += o->frames;
        if (o->frames > 0) out->video_seconds += ks_seconds(o->last_end, ks_film_media(film)->tb);
        if (o->verdict >= KS_VERDICT_SKIPPED) r = ks_fail(e, KS_EFORMAT, "%s: %s", path, o->reason);
    }
    ks_film_close(film);
    return r;
}

int ks_measure_decode(ks_decode_rate *out, const char *decoder, const char *const *paths, int n,
                      int sandbox, const char *hwaccel, ks_error *e)
{
    ks_decoder_how how = {.hwaccel = hwaccel, .no_sandbox = !sandbox};
    ks_decoder *d = NULL;
    double begin = ks_monotonic(), cpu = spent();
    int r;

    memset(out, 0, sizeof *out);
    if ((r = ks_decoder_start(&d, decoder, &how, e))) return r;
    out->start_seconds = ks_monotonic() - begin;
    snprintf(out->sandbox, sizeof out->sandbox, "%s", ks_decoder_sandbox(d));
    begin = ks_monotonic();
    for (int i = 0; i < n && !r; i++) r = one_film(out, d, paths[i], e);
    out->wall_seconds = ks_monotonic() - begin;
    ks_decoder_stop(d);
    out->cpu_seconds = spent() - cpu;
    return r;
}
