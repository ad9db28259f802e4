/* out_xmeml.c - Final Cut Pro 7 XML (xmeml 4): Premiere, Resolve. One sequence, the moments in a
 * row, each with a marker.
 *
 * A clip's in and out count from the file's first frame at the file's rate, start and end at the
 * sequence's; the file's own timecode and reel stand in its <timecode>. An empty <format> is
 * kept: Resolve needs it. */
#include "formats/out.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    int64_t at; /* next frame of the sequence */
} xmeml;

static void put_rate(ks_xml *x, ks_rate rate)
{
    ks_xml_open(x, "rate");
    ks_xml_leaf_number(x, "timebase", (rate.num + rate.den - 1) / rate.den);
    ks_xml_leaf(x, "ntsc", rate.den == 1001 ? "TRUE" : "FALSE");
    ks_xml_close(x);
}

static void put_timecode(ks_xml *x, int64_t frame, ks_rate rate, int drop, const char *reel)
{
    char text[24];

    ks_timecode(text, frame, rate, drop);
    ks_xml_open(x, "timecode");
    put_rate(x, rate);
    ks_xml_leaf(x, "string", text);
    ks_xml_leaf_number(x, "frame", frame);
    ks_xml_leaf(x, "displayformat", drop ? "DF" : "NDF");
    if (*reel) {
        ks_xml_open(x, "reel");
        ks_xml_leaf(x, "name", reel);
        ks_xml_close(x);
    }
    ks_xml_close(x);
}

static int xmeml_begin(ks_writer *w)
{
    ks_xml *x = &w->xml;
    int64_t length = 0, first = 0;
    int drop;

    for (int i = 0; i < w->n; i++) length += ks_sequence_frames(w, &w->at[i], KS_TIMECODE_RATE);
    ks_timecode_read(&first, &drop, w->drop ? "01:00:00;00" : "01:00:00:00", w->rate);
    ks_xml_start(x, w->f);
    fputs("<!DOCTYPE xmeml>\n", w->f);
    ks_xml_open(x, "xmeml");
    ks_xml_attribute(x, "version", "4");
    ks_xml_open(x, "sequence");
    ks_xml_attribute(x, "id", "sequence-1");
    ks_xml_leaf(x, "name", w->options->command ? w->options->command : "kinoseek");
    ks_xml_leaf_number(x, "duration", length);
    put_rate(x, w->rate);
    put_timecode(x, first, w->rate, w->drop, "");
    ks_xml_open(x, "media");
    ks_xml_open(x, "video");
    ks_xml_open(x, "format");
    ks_xml_close(x);
    ks_xml_open(x, "track");
    return 0;
}

/* The file whole at its first clip, by its id at the others. */
static int put_file(ks_writer *w, const ks_moment *k, ks_rate rate, int64_t length)
{
    ks_xml *x = &w->xml;
    char id[24], *url = ks_url_of_path(k->path);
    int first = 0, drop;
    int64_t start = ks_start_frame(&drop, k, rate);

    while (!ks_same_film(&w->at[first], k)) first++;
    snprintf(id, sizeof id, "file-%d", first + 1);
    ks_xml_open(x, "file");
    ks_xml_attribute(x, "id", id);
    if (first == w->i) {
        ks_xml_leaf(x, "name", ks_base_name(k->path));
        ks_xml_leaf(x, "pathurl", url ? url : "");
        put_rate(x, rate);
        ks_xml_leaf_number(x, "duration", length);
        put_timecode(x, start, rate, drop, k->reel);
        ks_xml_open(x, "media");
        ks_xml_open(x, "video");
        ks_xml_close(x);
        ks_xml_close(x);
    }
    ks_xml_close(x);
    free(url);
    return url ? 0 : ks_fail(w->e, KS_ENOMEM, "no memory for a path");
}

static void put_marker(ks_xml *x, const ks_moment *k, int64_t at)
{
    char score[48];

    snprintf(score, sizeof score, "kinoseek %.3f", k->score);
    ks_xml_open(x, "marker");
    ks_xml_leaf(x, "name", k->title);
    ks_xml_leaf(x, "comment", score);
    ks_xml_leaf_number(x, "in", at);
    ks_xml_leaf_number(x, "out", -1);
    ks_xml_close(x);
}

static int xmeml_entry(ks_writer *w, const ks_moment *k)
{
    xmeml *m = w->own;
    ks_xml *x = &w->xml;
    ks_rate rate = ks_clip_rate(w, k, KS_TIMECODE_RATE);
    int64_t in, out, length = ks_frames_of(k, rate);
    char id[24];
    int err;

    ks_entry_frames(&in, &out, k, rate);
    snprintf(id, sizeof id, "clipitem-%d", w->i + 1);
    ks_xml_open(x, "clipitem");
    ks_xml_attribute(x, "id", id);
    ks_xml_leaf(x, "name", ks_base_name(k->path));
    ks_xml_leaf_number(x, "duration", length > out ? length : out);
    put_rate(x, rate);
    ks_xml_leaf_number(x, "start", m->at);
    m->at += ks_sequence_frames(w, k, KS_TIMECODE_RATE);
    ks_xml_leaf_number(x, "end", m->at);
    ks_xml_leaf_number(x, "in", in);
    ks_xml_leaf_number(x, "out", out);
    err = put_file(w, k, rate, length > out ? length : out);
    put_marker(x, k, ks_best_frame(k, rate));
    ks_xml_close(x);
    return err;
}

const ks_format ks_format_xmeml = {
    .name = "xmeml",
    .ending = ".xml",
    .brief = "Final Cut Pro 7 XML: Premiere, Resolve",
    .flags = KS_KEEPS | KS_NEEDS_RATE | KS_TIMECODE_RATE,
    .own = sizeof(xmeml),
    .begin = xmeml_begin,
    .entry = xmeml_entry,
    .end = ks_end_xml,
};
