/* curve_plot.c - see curve_plot.h. A cell shows the best of its frames; one without any, the
 * frame before it. */
#include "cli/curve_plot.h"

#include "formats/formats.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 8, MARGIN = 5, LEAST = 20, MOST = 400 };

static double length_of(const ks_curve *c)
{
    double last = ks_seconds(c->at[c->n - 1].at, c->tb);

    return fmax(fmax(ks_seconds(c->duration, c->tb), last), 1e-3);
}

static void fill_cells(double *cell, int cells, const ks_curve *c)
{
    double seconds = length_of(c);
    int at = 0;

    for (int i = 0; i < cells; i++) {
        double most = -1;
        for (; at < c->n &&
               (i == cells - 1 || ks_seconds(c->at[at].at, c->tb) < seconds * (i + 1) / cells);
             at++)
            most = fmax(most, c->at[at].score);
        cell[i] = most >= 0 ? most : i > 0 ? cell[i - 1] : c->at[0].score;
    }
}

/* How much of a cell in this row (0: the lowest) is filled, in eighths. */
static void put_cell(FILE *f, double score, int row, const ks_terminal *t)
{
    static const char *const eighths[] = {" ",
                                          "\xe2\x96\x81",
                                          "\xe2\x96\x82",
                                          "\xe2\x96\x83",
                                          "\xe2\x96\x84",
                                          "\xe2\x96\x85",
                                          "\xe2\x96\x86",
                                          "\xe2\x96\x87",
                                          "\xe2\x96\x88"};
    int eights = (int)lround(fmin(fmax(score, 0), 1) * ROWS * 8) - row * 8;

    eights = eights < 0 ? 0 : eights > 8 ? 8 : eights;
    if (eights == 0 && row == ROWS / 2) fputs(t->utf8 ? "\xe2\x94\x84" : "-", f); /* the cut-off */
    else if (t->utf8) fputs(eighths[eights], f);
    else fputc(eights >= 4 ? '#' : ' ', f);
}

static void put_row(FILE *f, const double *cell, int cells, int row, const ks_terminal *t)
{
    int was = -1;

    fprintf(f, "%*s ", MARGIN - 1,
            row == ROWS - 1   ? "1.0"
            : row == ROWS / 2 ? "0.5"
            : row == 0        ? "0.0"
                              : "");
    for (int i = 0; i < cells; i++) {
        int good = cell[i] >= 0.5;
        if (t->colour && good != was) fputs(good ? "\033[32m" : "\033[33m", f);
        was = good;
        put_cell(f, cell[i], row, t);
    }
    fputs(t->colour ? "\033[0m\n" : "\n", f);
}

static void put_times(FILE *f, double seconds, int cells)
{
    char from[24], middle[24], to[24];
    int half;

    ks_clock(from, 0);
    ks_clock(middle, seconds / 2);
    ks_clock(to, seconds);
    half = (cells - (int)strlen(middle)) / 2 - (int)strlen(from);
    fprintf(f, "%*s%s%*s%s%*s%s\n", MARGIN, "", from, half, "", middle,
            cells - half - (int)(strlen(from) + strlen(middle) + strlen(to)), "", to);
}

int ks_plot_curve(FILE *f, const ks_curve *c, const ks_terminal *t, ks_error *e)
{
    assert(f && c && t);
    int cells = (t->columns ? t->columns : 80) - MARGIN - 1;
    double *cell;

    cells = cells < LEAST ? LEAST : cells > MOST ? MOST : cells;
    if (c->n == 0) return 0;
    if (!(cell = malloc((size_t)cells * sizeof *cell)))
        return ks_fail(e, KS_ENOMEM, "no memory for a curve");
    fill_cells(cell, cells, c);
    for (int row = ROWS; row-- > 0;) put_row(f, cell, cells, row, t);
    put_times(f, length_of(c), cells);
    free(cell);
    return 0;
}

static void put_span(FILE *f, double from, double to, const char *dash)
{
    char a[24], b[24];

    ks_clock(a, from);
    ks_clock(b, to);
    if (strcmp(a, b) == 0) fputs(a, f);
    else fprintf(f, "%s %s %s", a, dash, b);
}

void ks_say_peaks(FILE *f, const ks_curve *c, const ks_terminal *t)
{
    assert(f && c && t);
    enum { SHOWN = 8 };
    const char *dash = t->utf8 ? "\xe2\x80\x93" : "-";
    int best = 0, spans = 0;
    char at[24];

    for (int i = 0; i < c->n; i++)
        if (c->at[i].score > c->at[best].score) best = i;
    ks_clock(at, ks_seconds(c->at[best].at, c->tb));
    fprintf(f, "Best at %s (%.2f). ", at, c->at[best].score);
    for (int i = 0, to; i < c->n; i = to) {
        for (to = i + 1; to < c->n && (c->at[to].score >= 0.5) == (c->at[i].score >= 0.5); to++)
            continue;
        if (c->at[i].score < 0.5 || ++spans > SHOWN) continue;
        fputs(spans == 1 ? "Above the cut-off: " : ", ", f);
        put_span(f, ks_seconds(c->at[i].at, c->tb),
                 to < c->n ? ks_seconds(c->at[to].at, c->tb) : length_of(c), dash);
    }
    if (spans > SHOWN) fprintf(f, " and %d more", spans - SHOWN);
    fputs(spans ? ".\n" : "Nothing here clearly looks like that.\n", f);
}
