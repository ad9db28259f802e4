/* out_cmx3600.c - CMX 3600 edit lists, for every editing program.
 *
 * The source side counts as the film's own timecode does (from 00:00:00:00 without one), under
 * its reel name; the record side starts at 01:00:00:00, as editing programs expect. A mark (*
 * LOC) stands at the frame that fits best; in drop-frame lists OpenTimelineIO 0.18 does not see
 * it, as it looks for ":" alone. */
#include "formats/out.h"

#include <ctype.h>
#include <string.h>

typedef struct {
    int64_t record; /* next record frame */
} cmx;

/* A label of one kind names another frame in the other, from the first dropped minute on. */
static int cmx_check(ks_writer *w)
{
    int drop, asked = w->options->drop > 0;
    int64_t frame;

    for (int i = 0; i < w->n && w->options->drop; i++) {
        const ks_moment *k = &w->at[i];
        if (*k->timecode && ks_timecode_read(&frame, &drop, k->timecode, ks_entry_rate(k)) == 0 &&
            ks_drops(ks_entry_rate(k)) && drop != asked)
            return ks_fail(w->e, KS_EUSAGE,
                           "%s: its timecode, %s, %s labels, and --fps says %s: leave the %s away",
                           ks_base_name(k->path), k->timecode, drop ? "drops" : "drops no",
                           asked ? "drop-frame" : "non-drop", asked ? "df" : "ndf");
    }
    return 0;
}

static int cmx_begin(ks_writer *w)
{
    cmx *c = w->own;
    int drop = w->drop;

    ks_timecode_read(&c->record, &drop, w->drop ? "01:00:00;00" : "01:00:00:00", w->rate);
    fputs("TITLE: ", w->f);
    ks_put_line(w->f, w->options->command ? w->options->command : "kinoseek", NULL);
    fprintf(w->f, "\nFCM: %s\n", w->drop ? "DROP FRAME" : "NON-DROP FRAME");
    return 0;
}

/* Eight letters and digits; AX (auxiliary) where the film has no name for its reel. */
static void put_reel(FILE *f, const char *reel)
{
    int n = 0;

    for (; *reel && n < 8; reel++)
        if (isalnum((unsigned char)*reel) && n++ >= 0) putc(toupper((unsigned char)*reel), f);
    fprintf(f, "%s%*s", n ? "" : "AX", 8 - (n ? n : 2), "");
}

static int cmx_entry(ks_writer *w, const ks_moment *k)
{
    cmx *c = w->own;
    int drop;
    int64_t in, out, first = ks_start_frame(&drop, k, w->rate);
    char a[24], b[24], from[24], to[24], mark[24];

    drop = w->options->drop ? w->drop : drop;
    ks_entry_frames(&in, &out, k, w->rate);
    ks_timecode(a, first + in, w->rate, drop);
    ks_timecode(b, first + out, w->rate, drop);
    ks_timecode(from, c->record, w->rate, w->drop);
    ks_timecode(mark, c->record + ks_best_frame(k, w->rate) - in, w->rate, w->drop);
    c->record += out - in;
    ks_timecode(to, c->record, w->rate, w->drop);
    fprintf(w->f, "\n%03d  ", w->i + 1);
    put_reel(w->f, k->reel);
    fprintf(w->f, " V     C        %s %s %s %s\n* FROM CLIP NAME: ", a, b, from, to);
    ks_put_line(w->f, ks_base_name(k->path), NULL);
    fputs("\n* SOURCE FILE: ", w->f);
    ks_put_line(w->f, k->path, NULL);
    fprintf(w->f, "\n* LOC: %s GREEN   ", mark);
    ks_put_line(w->f, k->title, NULL);
    fprintf(w->f, "\n* COMMENT: ");
    ks_put_line(w->f, k->title, NULL);
    fprintf(w->f, " (%.2f)\n", k->score);
    return 0;
}

const ks_format ks_format_cmx3600 = {
    .name = "cmx3600",
    .ending = ".edl",
    .brief = "edit list for every editing program",
    .flags = KS_KEEPS | KS_NEEDS_RATE | KS_ONE_RATE | KS_TIMECODE_RATE,
    .longest = 24 * 3600,
    .most = 999,
    .own = sizeof(cmx),
    .check = cmx_check,
    .begin = cmx_begin,
    .entry = cmx_entry,
};
