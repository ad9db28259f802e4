/* prog_made.c - a large library without films, and a writer that never rests.
 *
 *   make DIR CLIPS MODEL             made_library.c's
 *   replace DIR FILMS LEFT [LEFT...] films 0..FILMS-1 but those LEFT are replaced, one after the
 *     other, by files of other
 *                                    content and the same clips, until standard input ends; says
 *                                      how many were. Every
 *                                    hundredth time the search copies follow. */
#include "cli/bench_growth.h"
#include "index/index.h"
#include "tests/library_maker.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fail(const ks_error *e)
{
    fprintf(stderr, "prog_made: %s\n", e->msg);
    return e->code == KS_EDAMAGED ? 6 : 5;
}

static int make(const char *dir, int64_t clips, const char *model)
{
    ks_encoder *enc = NULL;
    ks_error e = {0};
    int err = ks_encoder_open(
        &enc, &(ks_encoder_options){.model = model, .precision = KS_FP32, .threads = 1}, &e);
    if (err >= 0) err = ks_make_library(dir, clips, enc, &e);
    ks_encoder_close(enc);
    return err < 0 ? fail(&e) : 0;
}

static int is_left(int64_t film, int n, char **left)
{
    for (int i = 0; i < n; i++)
        if (atoll(left[i]) == film) return 1;
    return 0;
}

/* Forgotten and there again in one transaction: no reader ever misses it. */
static int replace_one(ks_index *x, int64_t film, uint64_t content, float *room, int dim,
                       ks_error *e)
{
    char path[64];
    snprintf(path, sizeof path, "/made/%lld/%lld.mp4", (long long)film % 100, (long long)film);
    int err = ks_index_begin(x, e);
    if (err < 0) return err;
    err = ks_index_drop_path(x, path, e);
    if (err >= 0) err = ks_made_film(x, film, content, KS_MADE_FILM, room, dim, e);
    return ks_index_end(x, err < 0 ? err : 0, e);
}

static int replace(const char *dir, int64_t films, int n, char **left)
{
    ks_index *x = NULL;
    ks_error e = {0};
    ks_library library;
    uint64_t seed = 16, content = 1u << 30, done = 0;
    struct pollfd end = {0, POLLIN, 0};
    int err = ks_index_open(&x, dir, KS_WRITE, &e);
    if (err >= 0) err = ks_index_library(&library, x, &e);
    float *room = err >= 0 ? malloc((size_t)KS_MADE_FILM * (size_t)library.space.dim * sizeof *room)
                           : NULL;
    while (err >= 0 && room && poll(&end, 1, 0) == 0) {
        int64_t film = (int64_t)(lib_random(&seed) % (uint64_t)films);
        if (is_left(film, n, left)) continue;
        err = replace_one(x, film, content++, room, library.space.dim, &e);
        if (err >= 0 && ++done % 100 == 0) err = ks_index_publish(x, 0, &e);
        usleep(2000); /* else nobody else on two cores moves */
    }
    free(room);
    ks_index_close(x);
    printf("%llu\n", (unsigned long long)done);
    return err < 0 ? fail(&e) : 0;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "make") == 0) return make(argv[2], atoll(argv[3]), argv[4]);
    if (argc >= 5 && strcmp(argv[1], "replace") == 0)
        return replace(argv[2], atoll(argv[3]), argc - 4, argv + 4);
    fprintf(stderr, "prog_made make DIR CLIPS MODEL | replace DIR FILMS LEFT...\n");
    return 2;
}
