/* out_cvat.c - "CVAT for images 1.1", which loads into video tasks too: a tag on every frame of
 * a moment, frames counted from 0. The task's labels must be there before. */
#include "formats/out.h"

#include <string.h>

static int is_shown(const ks_writer *w, int i, int lo, int64_t frame)
{
    int64_t in, out;

    ks_entry_frames(&in, &out, &w->at[i], w->rate);
    if (frame < in || frame >= out) return 0;
    for (int j = lo; j < i; j++) { /* a label once a frame */
        ks_entry_frames(&in, &out, &w->at[j], w->rate);
        if (frame >= in && frame < out && strcmp(w->at[j].title, w->at[i].title) == 0) return 0;
    }
    return 1;
}

static void put_frame(ks_writer *w, int64_t frame, int lo, int hi)
{
    ks_xml *x = &w->xml;
    char name[40];

    ks_xml_open(x, "image");
    ks_xml_number(x, "id", frame);
    snprintf(name, sizeof name, "frame_%06lld", (long long)frame);
    ks_xml_attribute(x, "name", name);
    for (int i = lo; i < hi; i++) {
        if (!is_shown(w, i, lo, frame)) continue;
        ks_xml_open(x, "tag");
        ks_xml_attribute(x, "label", w->at[i].title);
        ks_xml_attribute(x, "source", "auto");
        ks_xml_close(x);
    }
    ks_xml_close(x);
}

/* Frame after frame; at[lo..hi) may hold it: what begins before it, from the first that is not
 * over. */
static int cvat_begin(ks_writer *w)
{
    int64_t in, out, frame = 0, last = 0;
    int lo = 0, hi = 0;

    ks_xml_start(&w->xml, w->f);
    ks_xml_open(&w->xml, "annotations");
    ks_xml_leaf(&w->xml, "version", "1.1");
    for (;;) {
        for (; hi < w->n; hi++) {
            ks_entry_frames(&in, &out, &w->at[hi], w->rate);
            if (in > frame) break;
            last = out > last ? out : last;
        }
        for (; lo < hi; lo++) {
            ks_entry_frames(&in, &out, &w->at[lo], w->rate);
            if (out > frame) break;
        }
        if (frame < last) {
            put_frame(w, frame++, lo, hi);
        } else if (hi < w->n) {
            ks_entry_frames(&frame, &out, &w->at[hi], w->rate);
        } else {
            break;
        }
    }
    ks_xml_close(&w->xml);
    return 0;
}

const ks_format ks_format_cvat = {
    .name = "cvat",
    .ending = ".xml",
    .brief = "CVAT tags, frame by frame",
    .flags = KS_KEEPS | KS_ONE_FILM | KS_NEEDS_RATE,
    .begin = cvat_begin,
};
