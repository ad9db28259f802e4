/* figures.h - known intermediate values of a model (models/figures.tsv), held against a run. */
#ifndef KS_FIGURES_H
#define KS_FIGURES_H

#include "cli/commands.h"

enum { KS_FIGURE_VALUES = 16 };

typedef struct {
    char model[32], input[1024], stage[200];
    int64_t row; /* of weights: 0 the first, 1 the last elements */
    double tolerance;
    int n;
    double v[KS_FIGURE_VALUES];
    /* after the run */
    int seen, wrong;
    int at;          /* worst element */
    double got, far; /* its value and distance */
} ks_figure;

typedef struct {
    ks_figure *at;
    int n;
} ks_figures;

/* Those of one model, in the file's order. KS_ENOTFOUND, KS_EIO, KS_EFORMAT. */
int ks_figures_read(ks_figures *f, const char *path, const char *model, ks_error *e);
void ks_figures_free(ks_figures *f);
/* Hold x[rows, cols], stage `stage` of `input`, against all figures of it. */
void ks_figures_hold(ks_figures *f, const char *input, const char *stage, const float *x,
                     int64_t rows, int64_t cols);
/* The first that is wrong or was not seen among those of input (NULL: of all); NULL: none. */
const ks_figure *ks_figures_first_wrong(const ks_figures *f, const char *input);

#endif
