/* prog_damage DECODER PLAIN FILM... - what is shown of damaged copies of PLAIN, and what is said
 * of it.
 *
 * Each frame that comes out of FILM is compared with PLAIN's of the same time by the small
 * pictures (64 x 36 means): it differs visibly where a hundredth of the cells are off by more
 * than SEEN of 255. One TSV row a film: name, verdict, frames of PLAIN, frames of FILM, those
 * that differ, 1 where some differ and the verdict says that all is whole, seconds missing,
 * reason. Nothing is judged here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoder/decoder.h"

enum { CELLS = KS_SMALL_W * KS_SMALL_H, SEEN = 20, MOST = CELLS / 100 };

typedef struct {
    double at;
    uint8_t small[KS_SMALL];
} picture;

typedef struct {
    picture *of;
    size_t n;
    ks_outcome outcome;
} pictures;

static const char *const verdicts[] = {"none", "indexed", "partly", "skipped", "failed"};

static void take(pictures *out, ks_decoder **d, const char *program, const char *path)
{
    const ks_decoder_how how = {.patience = 20};
    ks_film *film;
    ks_film_frame f;
    ks_error e = {0, ""};
    memset(out, 0, sizeof *out);
    if ((!*d && ks_decoder_start(d, program, &how, &e)) ||
        ks_film_open(&film, *d, path, NULL, &e)) {
        fprintf(stderr, "%s\n", e.msg);
        exit(2);
    }
    while (ks_film_next(&f, film, &e) == 1) {
        out->of = realloc(out->of, (out->n + 1) * sizeof *out->of);
        if (!out->of) exit(2);
        out->of[out->n].at = ks_seconds(f.ticks, ks_film_media(film)->tb);
        memcpy(out->of[out->n++].small, f.small, KS_SMALL);
        ks_film_keep(film, f.number);
    }
    out->outcome = *ks_film_outcome(film);
    ks_film_close(film);
}

static int differs(const picture *a, const picture *b)
{
    int off = 0;
    for (int i = 0; i < KS_SMALL; i++) off += abs(a->small[i] - b->small[i]) > SEEN;
    return off > MOST;
}

/* The frame of p at that time, give or take 5 ms; NULL none. */
static const picture *at_time(const pictures *p, double at)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->of[i].at > at - 0.005 && p->of[i].at < at + 0.005) return &p->of[i];
    return NULL;
}

int main(int argc, char **argv)
{
    ks_decoder *d = NULL;
    pictures plain, film;
    if (argc < 4) return 2;
    take(&plain, &d, argv[1], argv[2]);
    for (int i = 3; i < argc; i++) {
        const char *slash = strrchr(argv[i], '/');
        int wrong = 0;
        take(&film, &d, argv[1], argv[i]);
        for (size_t k = 0; k < film.n; k++) {
            const picture *right = at_time(&plain, film.of[k].at);
            wrong += !right || differs(right, &film.of[k]);
        }
        const ks_outcome *o = &film.outcome;
        printf("%s\t%s\t%zu\t%zu\t%d\t%d\t%.2f\t%s\n", slash ? slash + 1 : argv[i],
               verdicts[o->verdict], plain.n, film.n, wrong,
               wrong > 0 && o->verdict == KS_VERDICT_INDEXED, o->seconds_missing, o->reason);
        fflush(stdout);
        free(film.of);
    }
    free(plain.of);
    ks_decoder_stop(d);
    return 0;
}
