/* clip_input.h - what the command line names as a clip, as pixels for the encoder. */
#ifndef KS_CLIP_INPUT_H
#define KS_CLIP_INPUT_H

#include "cli/commands.h"

/* FILE, FILE@START or FILE@START-END: frame i of T is number floor(i * N / T) of the N in
 * [START, END). */
int ks_clip_video(ks_clip_pixels *clip, const ks_clip_how *how, const char *file_at, ks_error *e);
/* Frames [T,S,S,3] of an .npy; paddings: "0,0,1", NULL: none. For ks_clip_free. */
int ks_clip_npy(ks_clip_pixels *clip, const char *paddings, const char *path, ks_error *e);

/* "squash", "crop", "pad" (NULL: squash). */
ks_fit ks_fit_named(const char *name);
#define KS_FIT_NAMES "squash|crop|pad"

#endif
