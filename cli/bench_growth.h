/* bench_growth.h - what whole commands cost as a library grows: `bench query --made`. */
#ifndef KS_BENCH_GROWTH_H
#define KS_BENCH_GROWTH_H

#include "cli/commands.h"

/* sizes: "1000,10000": clips of libraries that are made in the temporary folder, one after the
 * other, and go again. Prints a table, or with json a line for each size and command. KS_EUSAGE,
 * and what making a library may give. */
int ks_bench_growth(const ks_globals *g, const char *sizes, int rounds, int json, ks_error *e);

/* made_library.c: a library of `clips` made vectors, calibrated and published. Films of
 * KS_MADE_FILM clips of 8 s; clips of a film are nearer to each other than to others, as in
 * films. Film i is /made/I%100/I.mp4. */
enum { KS_MADE_FILM = 100 };
int ks_make_library(const char *dir, int64_t clips, ks_encoder *enc, ks_error *e);
/* Film `film` of it alone, n clips, as a file of that content; vectors [KS_MADE_FILM, dim] is
 * room. */
int ks_made_film(ks_index *x, int64_t film, uint64_t content, int n, float *vectors, int dim,
                 ks_error *e);

#endif
