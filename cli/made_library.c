/* made_library.c - a library of any size without a film, for measuring. Seeded: the same on
 * every machine. */
#include "cli/bench_growth.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Near enough to normal, from one step of splitmix64. */
static float draw(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (float)((z & 0xffff) + (z >> 16 & 0xffff) + (z >> 32 & 0xffff) + (z >> 48)) / 65536 - 2;
}

/* v[dim] of unit length: common to all, the film's own, the clip's own; cosines of about 0.2
 * between films, 0.5 within. */
static void make_vector(float *v, int dim, uint64_t film, uint64_t clip)
{
    uint64_t all = 1, of_film = 1000003 * film + 77,
             own = (film * KS_MADE_FILM + clip) * 2654435761u + 5;
    double length = 0;

    for (int d = 0; d < dim; d++) {
        v[d] = 0.45f * draw(&all) + 0.55f * draw(&of_film) + 0.7f * draw(&own);
        length += (double)v[d] * (double)v[d];
    }
    for (int d = 0; d < dim; d++) v[d] = (float)(v[d] / sqrt(length));
}

int ks_made_film(ks_index *x, int64_t film, uint64_t content, int n, float *vectors, int dim,
                 ks_error *e)
{
    char path[64];
    ks_clip_data clips[KS_MADE_FILM];
    ks_video v = {.path = path,
                  .stat.size = 1,
                  .reason = "",
                  .verdict = KS_VERDICT_INDEXED,
                  .tb = {1, 1000},
                  .film_date = 86400 * (film + 1),
                  .duration = n * 4000 + 4000,
                  .width = 640,
                  .height = 360,
                  .fps = 25};
    int err;

    snprintf(path, sizeof path, "/made/%lld/%lld.mp4", (long long)film % 100, (long long)film);
    memcpy(v.content, &content, sizeof content);
    for (int i = 0; i < n; i++) {
        make_vector(vectors + (size_t)i * (size_t)dim, dim, (uint64_t)film, (uint64_t)i);
        clips[i] = (ks_clip_data){.clip = {.start = i * 4000, .end = i * 4000 + 8000, .frames = 1},
                                  .vector = vectors + (size_t)i * (size_t)dim};
    }
    if ((err = ks_index_add_video(&v.id, x, &v, e)) < 0 ||
        (err = ks_index_add_clips(x, v.id, clips, n, e)) < 0)
        return err;
    return ks_index_end_video(x, &v, e);
}

static int add_films(ks_index *x, int64_t clips, int dim, ks_error *e)
{
    enum { AT_ONCE = 64 }; /* films a transaction: 1.3 s of fsync for a thousand, else */
    float *vectors = malloc((size_t)KS_MADE_FILM * (size_t)dim * sizeof *vectors);
    int err = vectors ? 0 : ks_fail(e, KS_ENOMEM, "no memory for vectors");

    for (int64_t film = 0; film * KS_MADE_FILM < clips && err >= 0;) {
        if ((err = ks_index_begin(x, e)) < 0) break;
        for (int i = 0; i < AT_ONCE && film * KS_MADE_FILM < clips && err >= 0; i++, film++) {
            int64_t left = clips - film * KS_MADE_FILM;
            err = ks_made_film(x, film, (uint64_t)film,
                               left < KS_MADE_FILM ? (int)left : KS_MADE_FILM, vectors, dim, e);
        }
        err = ks_index_end(x, err, e);
    }
    free(vectors);
    return err < 0 ? err : 0;
}

int ks_make_library(const char *dir, int64_t clips, ks_encoder *enc, ks_error *e)
{
    assert(dir && clips > 0 && enc);
    const ks_info *info = ks_encoder_info(enc);
    ks_space space = {.dim = info->dim,
                      .frames = info->frames,
                      .sampler = KS_SAMPLER_VERSION,
                      .resize = 10 * KS_RESIZE_VERSION,
                      .precision = info->precision == KS_INT8};
    ks_index *x = NULL;
    int err = ks_index_open(&x, dir, KS_CREATE, e);

    memcpy(space.model, info->hash, sizeof space.model);
    if (err >= 0) err = ks_index_set_space(x, &space, "", "", e);
    if (err >= 0) err = add_films(x, clips, info->dim, e);
    if (err >= 0) err = ks_index_publish(x, 1, e);
    if (err >= 0) err = ks_calibrate(NULL, x, enc, e);
    ks_index_close(x);
    return err;
}
