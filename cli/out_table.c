/* out_table.c - moments as a person reads them: rank, bar, file, times, date. */
#include "cli/out_table.h"

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BAR = 8 };

/* Eighths of a cell where the locale can write them. */
static void bar(FILE *f, double score, const ks_terminal *t)
{
    static const char *const eighths[] = {"",
                                          "\xe2\x96\x8f",
                                          "\xe2\x96\x8e",
                                          "\xe2\x96\x8d",
                                          "\xe2\x96\x8c",
                                          "\xe2\x96\x8b",
                                          "\xe2\x96\x8a",
                                          "\xe2\x96\x89"};
    int full = (int)lround(fmin(fmax(score, 0), 1) * BAR * (t->utf8 ? 8 : 1)), rest = 0, used;

    if (t->utf8) {
        rest = full % 8;
        full /= 8;
    }
    used = full + (rest > 0);
    if (t->colour) fputs(score >= 0.5 ? "\033[32m" : "\033[33m", f);
    for (int i = 0; i < full; i++) fputs(t->utf8 ? "\xe2\x96\x88" : "#", f);
    fputs(eighths[rest], f);
    if (t->colour) fputs("\033[0m", f);
    fprintf(f, "%*s", BAR - used, "");
}

/* What is not seen has no score. */
static void put_bar(FILE *f, const ks_moment *k, const ks_terminal *t)
{
    if (k->by) fprintf(f, "%-*s", BAR, k->by);
    else bar(f, k->score, t);
}

void ks_show_times(char out[64], const ks_moment *k, int utf8)
{
    char from[24], to[24];

    ks_clock(from, ks_seconds(k->start, k->tb));
    ks_clock(to, ks_seconds(k->end, k->tb));
    if (strcmp(from, to) == 0) snprintf(out, 64, "%s", from);
    else snprintf(out, 64, "%s %s %s", from, utf8 ? "\xe2\x80\x93" : "-", to);
}

/* Copies and a missing disk, in words; "" where there is nothing to say. */
static void remark(char *out, size_t room, const ks_moment *k)
{
    char disk[256];

    *out = 0;
    int gone = k->missing && ks_missing(disk, sizeof disk, k->path);
    if (gone) ks_harmless(disk);
    if (gone)
        snprintf(out, room, *disk ? "  (on the disk %s, which is not here)" : "  (no longer there)",
                 disk);
    if (k->surveyed) snprintf(out + strlen(out), room - strlen(out), "  (surveyed)");
    if (k->sharpened) snprintf(out + strlen(out), room - strlen(out), "  (sharpened)");
    if (k->n_copies)
        snprintf(out + strlen(out), room - strlen(out), "  (+%lld %s)",
                 (long long)(k->n_copies + k->more_copies), k->n_copies == 1 ? "copy" : "copies");
}

/* A remark that has no room beside the moment goes under it. */
static void put_remark(FILE *f, const char *note, int used, const ks_terminal *t)
{
    int apart = *note && t->columns && used + ks_columns_of(note, t->utf8) > t->columns;

    fprintf(f, "%s%s\n", apart ? "\n    " : "", note);
}

static int most(int a, int b) { return a > b ? a : b; }

/* Where its score comes from, and what each frame gives, best of a cell. */
static void put_why(FILE *f, const ks_moment *k, const ks_terminal *t)
{
    static const char *const blocks[] = {"\xe2\x96\x81", "\xe2\x96\x82", "\xe2\x96\x83",
                                         "\xe2\x96\x84", "\xe2\x96\x85", "\xe2\x96\x86",
                                         "\xe2\x96\x87", "\xe2\x96\x88"};
    const ks_curve *c = k->why;
    int cells = c->n < 32 ? c->n : 32;

    fprintf(f, "      cosine %.3f, %.2f deviations of %.3f above level %.3f", k->cosine,
            (k->cosine - c->level) / c->unit, c->unit, c->level);
    if (c->cut > 0) fprintf(f, "; cut-off at %.2f", c->cut);
    fputs(cells ? "; frames " : "", f);
    for (int i = 0, at = 0; i < cells; i++) {
        double most = 0;
        for (; at < (int64_t)(i + 1) * c->n / cells; at++) most = fmax(most, c->at[at].score);
        if (t->utf8) fputs(blocks[(int)fmin(7, floor(most * 8))], f);
        else fprintf(f, "%d", (int)fmin(9, floor(most * 10)));
    }
    putc('\n', f);
}

/* What is said there, under it; text of a file's is harmless to a terminal. */
static void put_line(FILE *f, const ks_line *line, const ks_terminal *t)
{
    char at[24], *text = strdup(line->text);

    if (!text) return;
    ks_harmless(text);
    ks_clock(at, line->start);
    fprintf(f, t->utf8 ? "      %s  \xe2\x80\x9c%s\xe2\x80\x9d\n" : "      %s  \"%s\"\n", at, text);
    free(text);
}

void ks_show_moments(FILE *f, const ks_moment *k, int n, const ks_terminal *t,
                     const ks_table_options *o)
{
    assert(f && (k || n == 0) && n >= 0 && t);
    char path[PATH_MAX + 16], times[64], date[32], note[320];
    int wide = 0, wide_times = 0, digits = n >= 100 ? 3 : 2, bound = 0, dated = 1;

    for (int i = 0; i < n; i++) {
        ks_show_times(times, &k[i], t->utf8);
        wide_times = most(wide_times, ks_columns_of(times, t->utf8));
    }
    /* what the other columns leave; where that is no name of 16, the date goes first */
    if (t->columns) {
        bound = t->columns - digits - 2 - BAR - 2 - 2 - wide_times - 2 - 11 - (o->raw ? 18 : 0);
        dated = bound >= 16;
        bound = most(dated ? bound : bound + 13, 10);
    }
    for (int i = 0; i < n; i++) {
        ks_show_path(path, sizeof path, k[i].path, bound, t->utf8);
        wide = most(wide, ks_columns_of(path, t->utf8));
    }
    for (int i = 0; i < n; i++) {
        if (o->picture) o->picture(o->picture_arg, &k[i]);
        ks_show_path(path, sizeof path, k[i].path, bound, t->utf8);
        ks_show_times(times, &k[i], t->utf8);
        remark(note, sizeof note, &k[i]);
        fprintf(f, "%*d  ", digits, k[i].rank);
        put_bar(f, &k[i], t);
        fprintf(f, "  %s%*s  %*s%s", path, wide - ks_columns_of(path, t->utf8), "",
                wide_times - ks_columns_of(times, t->utf8), "", times);
        if (dated) fprintf(f, "  %s", ks_date(date, k[i].film_date));
        if (o->raw && !k[i].by) fprintf(f, "  %.3f  %.4f", k[i].score, k[i].cosine);
        put_remark(
            f, note,
            digits + 2 + BAR + 2 + wide + 2 + wide_times + (dated ? 13 : 0) + (o->raw ? 18 : 0), t);
        for (int l = 0; l < k[i].n_lines; l++) put_line(f, &k[i].lines[l], t);
        if (k[i].why) put_why(f, &k[i], t);
    }
}
