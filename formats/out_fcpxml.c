/* out_fcpxml.c - FCPXML 1.10: Final Cut Pro, Resolve. One project, the moments in a row, each
 * with a marker.
 *
 * Times are rational seconds and multiples of a frame's duration: an asset-clip's start of the
 * film's, counted from its timecode; offset and duration of the sequence's. A file that breaks
 * Apple's DTD is rejected whole: media-rep holds the place of the film (1.10 has no asset/@src),
 * markers come last in a clip. */
#include "formats/out.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    int64_t at; /* next frame of the sequence */
} fcpxml;

static void put_time(ks_xml *x, const char *name, int64_t frames, ks_rate rate)
{
    char text[64];

    if (frames == 0) snprintf(text, sizeof text, "0s");
    else snprintf(text, sizeof text, "%lld/%ds", (long long)frames * rate.den, rate.num);
    ks_xml_attribute(x, name, text);
}

/* The first entry at that rate names the format; w->n is the sequence's where no film runs at
 * it. */
static int format_of(const ks_writer *w, ks_rate rate)
{
    int i = 0;

    for (; i < w->n; i++) {
        ks_rate other = ks_clip_rate(w, &w->at[i], 0);
        if (other.num == rate.num && other.den == rate.den) break;
    }
    return i;
}

static void put_ref(ks_xml *x, const char *name, const char *kind, int i)
{
    char id[24];

    snprintf(id, sizeof id, "%s%d", kind, i + 1);
    ks_xml_attribute(x, name, id);
}

static void put_format(ks_writer *w, ks_rate rate)
{
    ks_xml_open(&w->xml, "format");
    put_ref(&w->xml, "id", "r", format_of(w, rate));
    put_time(&w->xml, "frameDuration", 1, rate);
    ks_xml_close(&w->xml);
}

static int asset_of(const ks_writer *w, const ks_moment *k)
{
    int i = 0;

    while (!ks_same_film(&w->at[i], k)) i++;
    return i;
}

static int put_asset(ks_writer *w, const ks_moment *k)
{
    ks_xml *x = &w->xml;
    ks_rate rate = ks_clip_rate(w, k, 0);
    int64_t in, out, length = ks_frames_of(k, rate);
    int drop;
    char *url = ks_url_of_path(k->path);

    for (const ks_moment *o = k; o < w->at + w->n; o++) /* of a length that is not known */
        if (ks_same_film(o, k)) {
            ks_entry_frames(&in, &out, o, rate);
            length = out > length ? out : length;
        }
    ks_xml_open(x, "asset");
    put_ref(x, "id", "a", asset_of(w, k));
    ks_xml_attribute(x, "name", ks_base_name(k->path));
    put_time(x, "start", ks_start_frame(&drop, k, rate), rate);
    put_time(x, "duration", length, rate);
    ks_xml_attribute(x, "hasVideo", "1");
    put_ref(x, "format", "r", format_of(w, rate));
    ks_xml_open(x, "media-rep");
    ks_xml_attribute(x, "kind", "original-media");
    ks_xml_attribute(x, "src", url ? url : "");
    ks_xml_close(x);
    ks_xml_close(x);
    free(url);
    return url ? 0 : ks_fail(w->e, KS_ENOMEM, "no memory for a path");
}

static int put_resources(ks_writer *w)
{
    int err = 0;

    ks_xml_open(&w->xml, "resources");
    for (int i = 0; i < w->n; i++)
        if (format_of(w, ks_clip_rate(w, &w->at[i], 0)) == i)
            put_format(w, ks_clip_rate(w, &w->at[i], 0));
    if (format_of(w, w->rate) == w->n) put_format(w, w->rate);
    for (int i = 0; i < w->n && err == 0; i++)
        if (asset_of(w, &w->at[i]) == i) err = put_asset(w, &w->at[i]);
    ks_xml_close(&w->xml);
    return err;
}

static int fcpxml_begin(ks_writer *w)
{
    const char *name = w->options->command ? w->options->command : "kinoseek";
    ks_xml *x = &w->xml;
    int64_t length = 0;
    int err;

    for (int i = 0; i < w->n; i++) length += ks_sequence_frames(w, &w->at[i], 0);
    ks_xml_start(x, w->f);
    fputs("<!DOCTYPE fcpxml>\n", w->f);
    ks_xml_open(x, "fcpxml");
    ks_xml_attribute(x, "version", "1.10");
    err = put_resources(w);
    ks_xml_open(x, "library");
    ks_xml_open(x, "event");
    ks_xml_attribute(x, "name", "kinoseek");
    ks_xml_open(x, "project");
    ks_xml_attribute(x, "name", name);
    ks_xml_open(x, "sequence");
    put_ref(x, "format", "r", format_of(w, w->rate));
    put_time(x, "duration", length, w->rate);
    ks_xml_attribute(x, "tcStart", "0s");
    ks_xml_attribute(x, "tcFormat", w->drop ? "DF" : "NDF");
    ks_xml_open(x, "spine");
    return err;
}

/* What Final Cut calls the rates that it conforms from; NULL: none of them. */
static const char *conform_name(ks_rate r)
{
    static const struct {
        int num, den;
        const char *name;
    } names[] = {{24000, 1001, "23.98"}, {24, 1, "24"}, {25, 1, "25"},
                 {30000, 1001, "29.97"}, {30, 1, "30"}, {48000, 1001, "47.95"},
                 {48, 1, "48"},          {50, 1, "50"}, {60000, 1001, "59.94"},
                 {60, 1, "60"}};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].num == r.num && names[i].den == r.den) return names[i].name;
    return NULL;
}

static int fcpxml_entry(ks_writer *w, const ks_moment *k)
{
    fcpxml *m = w->own;
    ks_xml *x = &w->xml;
    ks_rate rate = ks_clip_rate(w, k, 0);
    int64_t in, out, n = ks_sequence_frames(w, k, 0), first;
    int drop, same = rate.num == w->rate.num && rate.den == w->rate.den;
    char note[48];

    first = ks_start_frame(&drop, k, rate);
    ks_entry_frames(&in, &out, k, rate);
    ks_xml_open(x, "asset-clip");
    put_ref(x, "ref", "a", asset_of(w, k));
    put_time(x, "offset", m->at, w->rate);
    ks_xml_attribute(x, "name", ks_base_name(k->path));
    put_time(x, "start", first + in, rate);
    put_time(x, "duration", n, w->rate);
    put_ref(x, "format", "r", format_of(w, rate));
    ks_xml_attribute(x, "tcFormat", drop ? "DF" : "NDF");
    if (!same && conform_name(rate)) {
        ks_xml_open(x, "conform-rate");
        ks_xml_attribute(x, "srcFrameRate", conform_name(rate));
        ks_xml_close(x);
    }
    ks_xml_open(x, "marker");
    put_time(x, "start", first + ks_best_frame(k, rate), rate);
    put_time(x, "duration", 1, rate);
    ks_xml_attribute(x, "value", k->title);
    snprintf(note, sizeof note, "kinoseek %.3f", k->score);
    ks_xml_attribute(x, "note", note);
    ks_xml_close(x);
    ks_xml_close(x);
    m->at += n;
    return 0;
}

const ks_format ks_format_fcpxml = {
    .name = "fcpxml",
    .ending = ".fcpxml",
    .brief = "FCPXML 1.10: Final Cut Pro, Resolve",
    .flags = KS_KEEPS | KS_NEEDS_RATE,
    .own = sizeof(fcpxml),
    .begin = fcpxml_begin,
    .entry = fcpxml_entry,
    .end = ks_end_xml,
};
