/* clip_input.h - what the command line names as a clip, as pixels for the encoder. */
#ifndef KS_CLIP_INPUT_H
#define KS_CLIP_INPUT_H

#include "cli/commands.h"

typedef struct {
    const ks_globals *g;
    int frames;            /* T of pictures and films */
    int side;              /* of pictures and films */
    ks_fit fit;
    const char *paddings;  /* "0,0,1" of an npy's frames; NULL: none */
} ks_clip_how;

/* Each fills *clip, whose pixels and paddings ks_clip_free frees; on an error nothing is left to free. */
int ks_clip_image(ks_clip_pixels *clip, const ks_clip_how *how, const char *path, ks_error *e); /* T equal frames */
/* FILE, FILE@START or FILE@START-END: frame i of T is number floor(i * N / T) of the N in [START, END). */
int ks_clip_video(ks_clip_pixels *clip, const ks_clip_how *how, const char *file_at, ks_error *e);
/* The same of seconds [from, to); to < 0: to the end. */
int ks_clip_film(ks_clip_pixels *clip, const ks_clip_how *how, const char *file, double from, double to, ks_error *e);
int ks_clip_npy(ks_clip_pixels *clip, const ks_clip_how *how, const char *path, ks_error *e);
void ks_clip_free(ks_clip_pixels *clip);
int ks_clip_encode(float *v, ks_encoder *enc, const ks_clip_pixels *clip, ks_error *e); /* v[D], unit length */

/* "squash", "crop", "pad" (NULL: squash). */
ks_fit ks_fit_named(const char *name);
#define KS_FIT_NAMES "squash|crop|pad"

/* A file of that whole name first, then the last '@' and its times. file[strlen(file_at) + 1]; *from 0
 * and *to -1 where none is given. KS_EUSAGE: times that are none, or end before they begin. */
int ks_split_times(char *file, double *from, double *to, const char *file_at, ks_error *e);

#endif
