/* out_resolve.c - markers for DaVinci Resolve (Timelines, Import, Timeline Markers from EDL):
 * one film that lies at the start of a timeline, which begins at 01:00:00:00 as Resolve makes
 * them.
 *
 * Resolve keeps one marker a frame: what begins at the same frame is one, all its names. */
#include "formats/out.h"

#include <string.h>

enum { HOUR = 3600 };

static int resolve_begin(ks_writer *w)
{
    fputs("TITLE: ", w->f);
    ks_put_line(w->f, w->options->command ? w->options->command : "kinoseek", NULL);
    fprintf(w->f, "\nFCM: %s\n\n", w->drop ? "DROP FRAME" : "NON-DROP FRAME");
    return 0;
}

static int64_t first_frame(const ks_writer *w)
{
    int64_t frame = 0;
    int drop;

    ks_timecode_read(&frame, &drop, w->drop ? "01:00:00;00" : "01:00:00:00", w->rate);
    return frame;
}

static int resolve_entry(ks_writer *w, const ks_moment *k)
{
    int64_t in, out, other_in, other_out, first = first_frame(w);
    const ks_moment *last = w->at + w->n, *next;
    char a[24], b[24];

    ks_entry_frames(&in, &out, k, w->rate);
    if (w->i > 0) {
        ks_entry_frames(&other_in, &other_out, k - 1, w->rate);
        if (other_in == in) return 0;
    }
    ks_timecode(a, first + in, w->rate, w->drop);
    ks_timecode(b, first + in + 1, w->rate, w->drop);
    fprintf(w->f, "%03d  001      V     C        %s %s %s %s  \n |C:ResolveColorBlue |M:", w->i + 1,
            a, b, a, b);
    ks_put_line(w->f, k->title, "|");
    for (next = k + 1; next < last; next++) {
        ks_entry_frames(&other_in, &other_out, next, w->rate);
        if (other_in != in) break;
        fputs(", ", w->f);
        ks_put_line(w->f, next->title, "|");
        out = other_out > out ? other_out : out;
    }
    fprintf(w->f, " |D:%lld\n\n", (long long)(out - in));
    return 0;
}

const ks_format ks_format_resolve_edl = {
    .name = "resolve-edl",
    .ending = ".edl",
    .brief = "timeline markers for DaVinci Resolve",
    .flags = KS_KEEPS | KS_ONE_FILM | KS_NEEDS_RATE | KS_TIMECODE_RATE,
    .longest = 23 * HOUR,
    .most = 0,
    .begin = resolve_begin,
    .entry = resolve_entry,
};
