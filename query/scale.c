/* scale.c - the scale as a library keeps it: loaded for a search, refreshed after an ingest.
 *
 * Two settings: "background" (sentence vectors, a megabyte) and "calibration" (unit, level,
 * cut-off). Both are measured again when the library has grown or shrunk by a tenth. */
#include "query/calibrate.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The setting "calibration": this header, level[dim]. Little-endian, as all of ours. */
typedef struct {
    char magic[8];
    int32_t version, dim, sentences, held_out;
    int64_t measured, generation;
    double median, cut, false_positives, pair_mean, pair_deviation;
    char space[112]; /* which vectors it was measured on */
} header;
static const char magic[8] = "kscal 2";

static void name_space(char out[112], const ks_space *space)
{
    memset(out, 0, 112);
    snprintf(out, 112, "%.64s %d %d %d %d %d", space->model, space->dim, space->frames,
             space->sampler, space->resize, space->precision);
}

static int unpack(ks_scale *s, const header *h, const char *data)
{
    size_t dim = (size_t)h->dim;

    if (!(s->level = malloc(dim * sizeof *s->level))) return -1;
    memcpy(s->level, data, dim * sizeof *s->level);
    s->sentences = h->sentences;
    s->held_out = h->held_out;
    s->median = h->median;
    s->cut = h->cut;
    s->false_positives = h->false_positives;
    s->measured = h->measured;
    s->pair_mean = h->pair_mean;
    s->pair_deviation = h->pair_deviation;
    return 0;
}

/* 1 loaded, 0 there is none that fits (absent, older, of another space, damaged). */
static int load(ks_scale *s, int64_t *generation, const ks_library *library, ks_error *e)
{
    void *data = NULL;
    size_t bytes = 0;
    header h;
    char space[112];
    int err = ks_index_get(&data, &bytes, s->x, "calibration", e);

    *generation = -1;
    if (err < 0 || !data) return err == KS_EDAMAGED ? 0 : err;
    name_space(space, &library->space);
    if (bytes >= sizeof h) {
        memcpy(&h, data, sizeof h);
        if (memcmp(h.magic, magic, sizeof magic) == 0 && h.version == KS_BACKGROUND_VERSION &&
            h.dim == s->dim && memcmp(h.space, space, sizeof space) == 0 &&
            bytes == sizeof h + (size_t)h.dim * 4 && h.median > 0 && h.cut > 0 && isfinite(h.cut) &&
            h.pair_mean < 1) {
            err = unpack(s, &h, (const char *)data + sizeof h) < 0
                      ? ks_fail(e, KS_ENOMEM, "no memory for calibration")
                      : 1;
            *generation = h.generation;
        }
    }
    free(data);
    return err;
}

static int save(const ks_scale *s, const ks_library *library, ks_error *e)
{
    size_t dim = (size_t)s->dim, bytes = sizeof(header) + dim * 4;
    header h = {.version = KS_BACKGROUND_VERSION,
                .dim = s->dim,
                .sentences = s->sentences,
                .held_out = s->held_out,
                .measured = s->measured,
                .generation = library->generation,
                .median = s->median,
                .cut = s->cut,
                .false_positives = s->false_positives,
                .pair_mean = s->pair_mean,
                .pair_deviation = s->pair_deviation};
    char *data = malloc(bytes);
    int err;

    if (!data) return ks_fail(e, KS_ENOMEM, "no memory for calibration");
    memcpy(h.magic, magic, sizeof magic);
    name_space(h.space, &library->space);
    memcpy(data, &h, sizeof h);
    memcpy(data + sizeof h, s->level, dim * 4);
    err = ks_index_put(s->x, "calibration", data, bytes, e);
    free(data);
    return err;
}

/* The sentence vectors that the library keeps; 1 loaded, 0 none that fit. */
static int load_background(ks_scale *s, ks_error *e)
{
    int n = ks_background_count(0), held = ks_background_count(1), err;
    void *data = NULL;
    size_t bytes = 0;

    if ((err = ks_index_get(&data, &bytes, s->x, "background", e)) < 0 || !data)
        return err == KS_EDAMAGED ? 0 : err;
    if (bytes != (size_t)(n + held) * (size_t)s->dim * 4) {
        free(data);
        return 0;
    }
    s->vectors = data;
    s->sentences = n;
    s->held_out = held;
    return 1;
}

static int begin(ks_scale **out, ks_library **library, ks_index *x, ks_error *e)
{
    int err;

    *out = calloc(1, sizeof **out);
    *library = malloc(sizeof **library);
    if (!*out || !*library) return ks_fail(e, KS_ENOMEM, "no memory for calibration");
    if ((err = ks_index_library(*library, x, e)) < 0) return err;
    (*out)->x = x;
    (*out)->dim = (*library)->space.dim;
    (*out)->median = 1;
    (*out)->gain = KS_SURVEY_GAIN;
    return 0;
}

int ks_scale_open(ks_scale **s, ks_index *x, ks_encoder *enc, ks_error *e)
{
    assert(s && x);
    ks_library *library = NULL;
    int64_t generation;
    int err = begin(s, &library, x, e);

    if (err < 0 || (*s)->dim == 0) goto out;
    if ((err = load(*s, &generation, library, e)) < 0) goto out;
    if (err == 0 && library->clips > 0) {
        if (enc && (err = ks_scale_encode(*s, enc, e)) == 0) err = ks_scale_measure(*s, e);
        if (err >= 0) err = ks_scale_pairs(*s, e);
    }
    err = err > 0 ? 0 : err;
out:
    free(library);
    if (err < 0) {
        ks_scale_close(*s);
        *s = NULL;
    }
    return err;
}

int ks_calibrate(int *changed, ks_index *x, ks_encoder *enc, ks_error *e)
{
    assert(x);
    ks_library *library = NULL;
    ks_scale *s = NULL;
    int64_t generation;
    int err = begin(&s, &library, x, e), loaded, kept = 0, again;

    if (changed) *changed = 0;
    if (err < 0 || s->dim == 0 || library->clips == 0) goto out;
    if (enc && strcmp(ks_encoder_info(enc)->hash, library->space.model) != 0)
        enc = NULL; /* during a switch: searches go on with the other model */
    if ((err = loaded = load(s, &generation, library, e)) < 0 || generation == library->generation)
        goto out;
    if ((err = kept = load_background(s, e)) < 0) goto out;
    /* another model's background may have the same size: only a fitting scale vouches for it */
    if (!loaded || !kept) {
        free(s->vectors);
        s->vectors = NULL;
        if (!enc) goto out;
        if ((err = ks_scale_encode(s, enc, e)) < 0 ||
            (err = ks_index_put(x, "background", s->vectors,
                                (size_t)(s->sentences + s->held_out) * (size_t)s->dim * 4, e)) < 0)
            goto out;
    }
    again = !loaded || library->clips * 10 > s->measured * 11 ||
            library->clips * 11 < s->measured * 10;
    if (again && ((err = ks_scale_measure(s, e)) < 0 || (err = ks_scale_pairs(s, e)) < 0)) goto out;
    if ((err = save(s, library, e)) == 0 && changed) *changed = 1;
out:
    free(library);
    ks_scale_close(s);
    return err > 0 ? 0 : err;
}

void ks_scale_close(ks_scale *s)
{
    if (!s) return;
    free(s->vectors);
    free(s->level);
    free(s->clips.id);
    free(s->clips.mean);
    free(s->clips.deviation);
    free(s);
}

void ks_scale_about(ks_scale_facts *out, const ks_scale *s)
{
    *out = (ks_scale_facts){.sentences = s->level ? s->sentences : 0,
                            .held_out = s->level ? s->held_out : 0,
                            .clips = s->measured,
                            .cut = s->cut,
                            .false_positives = s->false_positives,
                            .pair_mean = s->pair_mean,
                            .pair_deviation = s->pair_deviation};
}
