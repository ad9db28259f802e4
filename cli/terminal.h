/* terminal.h - what a person's terminal can show, and text made safe and short for it. */
#ifndef KS_TERMINAL_H
#define KS_TERMINAL_H

#include "ks.h"

typedef enum { KS_PICTURES_NONE, KS_PICTURES_KITTY, KS_PICTURES_SIXEL } ks_pictures;

typedef struct {
    int columns;          /* 0: not a terminal, no bound */
    int colour;           /* NO_COLOR, TERM=dumb and pipes switch it off */
    int utf8;             /* of the locale */
    ks_pictures pictures; /* guessed from the environment; none where stdout is no terminal */
} ks_terminal;

void ks_terminal_of(ks_terminal *t, FILE *f);

/* A path as a person standing in the working directory writes it, control characters as '?', cut in
 * the middle to `columns` (0: not at all). */
void ks_show_path(char *out, size_t room, const char *path, int columns, int utf8);
void ks_harmless(char *text); /* control characters, C1 ones of UTF-8 too, become '?' in place */
int ks_columns_of(const char *text, int utf8); /* cells it takes */
/* as shown, with spaces up to `cells` */
void ks_put_path(FILE *f, const char *path, int cells, int utf8);
/* "146,900" */
const char *ks_thousands(char out[32], int64_t n);
const char *ks_counted(char out[64], int64_t n, const char *noun); /* "1 clip", "146,900 clips" */
/* "163 h", "9 h 12 min", "12 min", "40 s" */
const char *ks_bytes(char out[32], int64_t bytes); /* "942 kB", "1.2 GB": powers of 1000 */
const char *ks_duration(char out[32], double seconds);
/* "12 Jul 2019", local time */
const char *ks_date(char out[32], int64_t seconds);
/* An RGB picture [height, width, 3] in the terminal's own way, about `rows` lines high. */
void ks_show_picture(FILE *f, ks_pictures how, const ks_image *image, int rows);

#endif
