/* pixels.h - pictures and films as pixels for the encoder: a part of session.h, which includes
 * it. */
#ifndef KS_SESSION_PIXELS_H
#define KS_SESSION_PIXELS_H

#ifndef KS_SESSION_H
#error "include session/session.h"
#endif

/* --- pictures and films as pixels for the encoder --- */
typedef struct {
    const ks_setup *setup;
    ks_decoder **decoder; /* by ks_open_decoder when first needed; the caller stops it */
    int frames;           /* T */
    int side;             /* S */
    ks_fit fit;
    /* what is to be known of a film beside its frames: partly readable, ends before it was asked
     * to; without its name. NULL: a notice, with its name */
    void (*remark)(void *arg, const char *words);
    void *remark_arg;
} ks_clip_how;
/* Each fills *clip, uint8 [T,S,S,3], for ks_clip_free; on an error nothing is left to free. */
/* T equal frames */
int ks_clip_image(ks_clip_pixels *clip, const ks_clip_how *how, const char *path, ks_error *e);
/* Seconds [from, to) of a film; to < 0: to the end. Frame i of T is number floor(i * N / T) of
 * the N there. */
int ks_clip_film(ks_clip_pixels *clip, const ks_clip_how *how, const char *file, double from,
                 double to, ks_error *e);
/* `seconds` of a film around `at` (>= 0), sampled likewise; KS_ENOTFOUND: the film ends before
 * `at`. */
int ks_clip_around(ks_clip_pixels *clip, const ks_clip_how *how, const char *file, double at,
                   double seconds, ks_error *e);
void ks_clip_free(ks_clip_pixels *clip);
/* v[D], unit length */
int ks_clip_encode(float *v, ks_encoder *enc, const ks_clip_pixels *clip, ks_error *e);

#endif
