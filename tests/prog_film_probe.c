/* prog_film_probe DECODER FILE... - what comes out of a file, one TSV row: name, verdict,
 * frames, first and last time, end, seconds missing, breaks, size, rotation, clock, reason.
 * Clock: the corpus draws floor(4 t) as eight bars over the top half; here "a..b" is the range
 * of (frame's time - time in the picture) over all frames, "/" starts a new one after each
 * break: a right file has 0..0.25.
 * KS_PATIENCE: seconds. KS_PROBE=frames: every frame's time too. KS_PROBE=raw: first frame as
 * RGB to stdout, nothing else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoder/decoder.h"

static const char *const verdicts[] = {"none", "indexed", "partly", "skipped", "failed"};

/* The clock in a picture that was turned by `rotation`. */
static int clock_of(const ks_image *p, int rotation)
{
    int v = 0;
    for (int i = 0; i < 8; i++) {
        double x = (i + 0.5) / 8, y = 0.25, X, Y;
        if (rotation >= 1000) x = 1 - x;
        switch (rotation % 1000) {
        case 0: X = x, Y = y; break;
        case 90: X = 1 - y, Y = x; break;
        case 180: X = 1 - x, Y = 1 - y; break;
        default: X = y, Y = 1 - x; break;
        }
        const uint8_t *s = p->rgb + (size_t)(Y * p->height) * p->stride +
                           3 * (size_t)(X * p->width);
        if (s[0] + s[1] + s[2] > 330) v |= 1 << i;
    }
    return v;
}

static void raw(const ks_image *p)
{
    for (int y = 0; y < p->height; y++)
        fwrite(p->rgb + (size_t)y * p->stride, 3, (size_t)p->width, stdout);
}

static void probe(ks_decoder *d, const char *path)
{
    const char *mode = getenv("KS_PROBE");
    ks_film *film;
    ks_film_frame f;
    ks_error e = {0, ""};
    ks_image image;
    int r, breaks = 0, any = 0, stills = getenv("KS_STILLS") != NULL;
    double first = 0, last = 0, lo = 1e9, hi = -1e9;
    char clock[400] = "";
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    ks_film_options o = {.stills = stills,
                         .hold = getenv("KS_HOLD") ? (size_t)atol(getenv("KS_HOLD")) : 0};

    if (ks_film_open(&film, d, path, &o, &e)) {
        printf("%s\terror\t%s\n", name, e.msg);
        return;
    }
    const ks_media *m = ks_film_media(film);
    while ((r = ks_film_next(&f, film, &e)) == 1) {
        double t = ks_seconds(f.ticks, m->tb);
        if (!any++) first = t;
        last = t;
        if (f.flags & KS_FRAME_BREAK) {
            breaks++;
            if (strlen(clock) < 300) snprintf(clock + strlen(clock), 60, "%.3f..%.3f/", lo, hi);
            lo = 1e9, hi = -1e9;
        }
        if (ks_film_pixels(&image, film, f.number, &e) == 0) {
            double diff = t - clock_of(&image, m->rotation) * 0.25;
            if (diff < lo) lo = diff;
            if (diff > hi) hi = diff;
            if (mode && !strcmp(mode, "raw")) {
                raw(&image);
                break;
            }
            if (mode && !strcmp(mode, "all")) raw(&image);
            if (mode && !strcmp(mode, "frames"))
                printf("%lld\t%.4f\t%d\t%d\n", (long long)f.number, t,
                       clock_of(&image, m->rotation), f.flags);
        } else printf("pixels: %s\n", e.msg);
        ks_film_keep(film, f.number);
    }
    if (any) snprintf(clock + strlen(clock), 60, "%.3f..%.3f", lo, hi);
    const ks_outcome *u = ks_film_outcome(film);
    if (!mode || !strcmp(mode, "frames"))
        printf("%s\t%s\t%lld\t%.3f\t%.3f\t%.3f\t%.2f\t%d\t%dx%d\t%d\t%s\t%s\n", name,
               verdicts[u->verdict], (long long)u->frames, first, last,
               any ? ks_seconds(u->last_end, m->tb) : 0, u->seconds_missing, breaks, m->width,
               m->height, m->rotation, clock, u->reason);
    ks_film_close(film);
}

int main(int argc, char **argv)
{
    ks_decoder *d = NULL;
    ks_error e;
    ks_decoder_how how = {.no_sandbox = getenv("KS_NO_SANDBOX") != NULL,
                          .patience = getenv("KS_PATIENCE") ? atof(getenv("KS_PATIENCE")) : 5};
    if (argc < 3) return 2;
    for (int i = 2; i < argc; i++) {
        if (!d && ks_decoder_start(&d, argv[1], &how, &e)) {
            fprintf(stderr, "%s\n", e.msg);
            return 1;
        }
        probe(d, argv[i]);
        fflush(stdout);
    }
    ks_decoder_stop(d);
    return 0;
}
