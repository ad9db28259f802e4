/* out_edl.c - edit lists: mpv's EDL v0 to play the hits in a row, CMX 3600 for editing programs. */
#include "formats/formats.h"

#include <math.h>
#include <string.h>

/* mpv, DOCS/edl-mpv.rst: %N% before a value of N bytes, so that any path is right. */
static void mpv_begin(ks_out *o) { fputs("# mpv EDL v0\n", o->f); }

/* mpv shows the frames of [start, end) and compares exactly: a start of 13.267 would lose the frame at 13.26667, an end
 * would show the first frame of the next scene. So both are a microsecond early. */
static double early(double seconds) { return fmax(floor(seconds * 1e6) - 1, 0) / 1e6; }

static void mpv_entry(ks_out *o, const ks_entry *k)
{
    double start = early(ks_seconds(k->start, k->tb)), end = early(ks_seconds(k->end, k->tb));

    fprintf(o->f, "%%%zu%%%s,%.6f,%.6f,title=%%%zu%%%s\n", strlen(k->path), k->path, start, end - start, strlen(k->title), k->title);
}

const ks_out_format ks_format_mpv_edl = {"mpv-edl", 0, 0, mpv_begin, mpv_entry, NULL};

/* CMX 3600: one rate a file (the first film's), at most 999 events, reel names of 8 characters; the
 * record side starts at 01:00:00:00, as editing programs expect. */
enum { MOST_EVENTS = 999 };

static void line_text(FILE *f, const char *s)
{
    while (*s) {
        int control = (unsigned char)*s < 0x20;
        s += ks_put_utf8(f, control ? " " : s);
    }
}

static void cmx_begin(ks_out *o)
{
    o->rate = ks_rate_of(o->n ? o->kept[0].fps : 25);
    o->record = (o->rate.num + o->rate.den - 1) / o->rate.den * 3600LL;
    if (ks_drops(o->rate))
        o->record -= 108 * ((o->rate.num + 1000) / 30030); /* 01:00:00;00 is frame 107892, or 215784 at 60 */
    fputs("TITLE: ", o->f);
    line_text(o->f, o->options->command ? o->options->command : "kinoseek");
    fprintf(o->f, "\nFCM: %s\n", ks_drops(o->rate) ? "DROP FRAME" : "NON-DROP FRAME");
}

static void cmx_entry(ks_out *o, const ks_entry *k)
{
    int64_t in = ks_frame_number(k->start, k->tb, o->rate), out = ks_frame_number(k->end, k->tb, o->rate);
    char a[24], b[24], c[24], d[24];

    if (o->count >= MOST_EVENTS)
        return;
    out = out > in ? out : in + 1;
    ks_timecode(a, in, o->rate);
    ks_timecode(b, out, o->rate);
    ks_timecode(c, o->record, o->rate);
    o->record += out - in;
    ks_timecode(d, o->record, o->rate);
    fprintf(o->f, "\n%03d  AX       V     C        %s %s %s %s\n* FROM CLIP NAME: ", o->count + 1, a, b, c, d);
    line_text(o->f, ks_base_name(k->path));
    fputs("\n* SOURCE FILE: ", o->f);
    line_text(o->f, k->path);
    fprintf(o->f, "\n* COMMENT: ");
    line_text(o->f, k->title);
    fprintf(o->f, " (%.2f)\n", k->score);
}

static void cmx_end(ks_out *o)
{
    if (o->count > MOST_EVENTS)
        fprintf(stderr, "kinoseek: CMX 3600 holds %d events; %d were left out\n", MOST_EVENTS, o->count - MOST_EVENTS);
}

const ks_out_format ks_format_cmx3600 = {"cmx3600", 0, 1, cmx_begin, cmx_entry, cmx_end};
