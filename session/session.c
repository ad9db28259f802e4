/* session.c - an open library and what questions need of it, each opened once. */
#include "session/session.h"

#include "session/open.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int ks_session_open(ks_session **out, const char *library, const ks_setup *setup, ks_error *e)
{
    assert(out && library && setup);
    ks_session *s = calloc(1, sizeof *s);
    int err;

    assert(library && setup);
    *out = s;
    if (!s) return ks_fail(e, KS_ENOMEM, "no memory");
    s->setup = setup;
    err = (s->path = strdup(library)) ? ks_index_open(&s->x, library, KS_READ, e)
                                      : ks_fail(e, KS_ENOMEM, "no memory");
    if (err < 0) {
        ks_session_close(s);
        *out = NULL;
    }
    return err;
}

void ks_session_close(ks_session *s)
{
    if (!s) return;
    ks_scale_close(s->scale);
    ks_decoder_stop(s->decoder);
    ks_encoder_close(s->enc);
    ks_index_close(s->x);
    free(s->path);
    free(s->folder);
    free(s->said);
    free(s->shown);
    free(s);
}

ks_index *ks_session_index(const ks_session *s) { return s->x; }

const ks_setup *ks_session_setup(const ks_session *s) { return s->setup; }

int ks_session_encoder(ks_encoder **enc, ks_session *s, int towers, ks_error *e)
{
    assert(enc && s && towers);
    int err = 0;

    assert(towers);
    if (!s->enc || (s->towers & towers) != towers) {
        ks_encoder_close(s->enc);
        s->towers |= towers;
        if ((err = ks_open_library_encoder(&s->enc, s->setup, s->x, s->towers, e)) < 0) {
            s->enc = NULL;
            s->towers = 0;
        }
    }
    *enc = s->enc;
    return err;
}

int ks_session_decoder(ks_decoder **d, ks_session *s, ks_error *e)
{
    assert(d && s);
    int err = ks_open_decoder(&s->decoder, s->setup, e);

    *d = s->decoder;
    return err;
}

static int read_generation(int64_t *generation, ks_index *x, ks_error *e)
{
    ks_library *library = malloc(sizeof *library); /* 16 KiB of paths: not on the stack */
    int err = library ? ks_index_library(library, x, e) : ks_fail(e, KS_ENOMEM, "no memory");

    if (err == 0) *generation = library->generation;
    free(library);
    return err;
}

int ks_session_scale(const ks_scale **scale, ks_session *s, ks_error *e)
{
    assert(scale && s);
    int64_t generation = 0;
    int texts = (s->towers & KS_TOWER_TEXT) != 0, err = read_generation(&generation, s->x, e);

    if (err < 0) return err;
    /* Without a text tower no background can be made where the library keeps none: once there is
     * one, anew. */
    if (s->scale && (s->scale_of != generation || s->scale_texts < texts)) {
        ks_scale_close(s->scale);
        s->scale = NULL;
    }
    if (!s->scale && (err = ks_scale_open(&s->scale, s->x, texts ? s->enc : NULL, e)) < 0)
        return err;
    s->scale_of = generation;
    s->scale_texts = texts;
    *scale = s->scale;
    return 0;
}

/* Of the whole run, guessed from the bytes that are done; 0 while nothing is. */
static double part_done(const ks_progress *p)
{
    double part = p->bytes_total > 0 ? (double)p->bytes / (double)p->bytes_total : 0;

    return part > 1 ? 1 : part;
}

static int read_status(ks_session_state *out, ks_session *s, ks_error *e)
{
    const ks_scale *scale;
    int err;

    if ((err = ks_index_library(&out->library, s->x, e)) < 0 ||
        (err = ks_index_status(&out->state, s->x, e)) < 0 ||
        (err = ks_ingest_progress(&out->progress, s->x, e)) < 0 ||
        (err = ks_session_scale(&scale, s, e)) < 0)
        return err;
    if ((err = ks_ingest_precision(out->precision, s->x, out->library.space_id, e)) < 0) return err;
    if (!out->precision[0])
        snprintf(out->precision, sizeof out->precision, "%s",
                 out->library.space.precision ? "int8" : "fp32/bf16");
    out->at_work = out->state.writer_pid != 0 && out->progress.pid == out->state.writer_pid;
    out->part_done = part_done(&out->progress);
    ks_scale_about(&out->scale, scale);
    return 0;
}

int ks_session_status(ks_session_state *out, ks_session *s, ks_error *e)
{
    assert(out && s);
    int err = ks_index_snapshot(s->x, e);

    if (err < 0) return err;
    err = read_status(out, s, e);
    ks_index_release(s->x);
    return err;
}
