/* out_mpv.c - mpv's EDL v0: the moments in a row, to play. */
#include "formats/out.h"

#include <math.h>
#include <string.h>

/* mpv shows the frames of [start, end) and compares exactly: a start of 13.267 would lose the
 * frame at 13.26667, an end would show the first frame of the next scene. So both are a
 * microsecond early. */
static double early(double seconds) { return fmax(floor(seconds * 1e6) - 1, 0) / 1e6; }

/* mpv, DOCS/edl-mpv.rst: %N% before a value of N bytes, so that any path is right. */
static int mpv_entry(ks_writer *w, const ks_moment *k)
{
    double start = early(ks_seconds(k->start, k->tb)), end = early(ks_seconds(k->end, k->tb));

    if (w->i == 0) fputs("# mpv EDL v0\n", w->f);
    fprintf(w->f, "%%%zu%%%s,%.6f,%.6f,title=%%%zu%%%s\n", strlen(k->path), k->path, start,
            end - start, strlen(k->title), k->title);
    return 0;
}

const ks_format ks_format_mpv_edl = {.name = "mpv-edl",
                                     .ending = ".edl",
                                     .brief = "the moments in a row, for mpv",
                                     .flags = KS_SOMETHING,
                                     .entry = mpv_entry};
