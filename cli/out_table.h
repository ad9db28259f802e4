/* out_table.h - moments for people. */
#ifndef KS_OUT_TABLE_H
#define KS_OUT_TABLE_H

#include "cli/terminal.h"
#include "formats/formats.h"

typedef struct {
    int raw; /* score and cosine as numbers too */
    /* shows its thumbnail before the line; may be NULL */
    void (*picture)(void *arg, const ks_moment *k);
    void *picture_arg;
} ks_table_options;

void ks_show_moments(FILE *f, const ks_moment *k, int n, const ks_terminal *t,
                     const ks_table_options *o);
void ks_show_times(char out[64], const ks_moment *k, int utf8); /* "4:12 - 4:19" */

#endif
