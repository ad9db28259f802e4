/* out_labelstudio.c - Label Studio: tasks.json with predictions, and config.xml, the labelling
 * interface they are for.
 *
 * A range counts frames from 1 and holds its last one (TimelineRegion.js); data.fps is what the
 * interface counts with. The video's place is that of Label Studio's local files:
 * LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED, its root a folder above. */
#include "formats/out.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int tasks_begin(ks_writer *w)
{
    ks_json_open(&w->json, NULL, '[');
    return 0;
}

static ks_rate rate_of(const ks_writer *w, const ks_moment *k)
{
    return w->options->fps.num ? w->options->fps : ks_entry_rate(k);
}

/* Its frames are the player's clock times fps (VideoCanvas.jsx), from time 0, wherever the first
 * picture is. */
static void clock_frames(int64_t *in, int64_t *out, const ks_moment *k, ks_rate rate)
{
    int64_t last = k->duration > 0 ? llround(fmin(k->duration * rate.num / rate.den, 1e15)) - 1
                                   : -1;

    *in = ks_frame_number(k->start, k->tb, rate);
    if (last >= 0 && *in > last) *in = last;
    *out = ks_frame_number(k->end, k->tb, rate);
    if (*out <= *in) *out = *in + 1;
}

static int begin_task(ks_writer *w, const ks_moment *k)
{
    ks_json *j = &w->json;
    ks_rate rate = rate_of(w, k);
    size_t size;
    char *place = NULL;
    FILE *f = open_memstream(&place, &size);

    if (!f) return ks_fail(w->e, KS_ENOMEM, "no memory for a path");
    fputs("/data/local-files/?d=", f);
    ks_put_url_path(f, *k->path == '/' ? k->path + 1 : k->path);
    fclose(f);
    ks_json_open(j, NULL, '{');
    ks_json_open(j, "data", '{');
    ks_json_text(j, "video", place);
    ks_json_rate(j, "fps", (double)rate.num / rate.den);
    ks_json_close(j);
    free(place);
    ks_json_open(j, "predictions", '[');
    ks_json_open(j, NULL, '{');
    ks_json_text(j, "model_version", w->options->model ? w->options->model : "kinoseek");
    ks_json_open(j, "result", '[');
    return 0;
}

static int tasks_entry(ks_writer *w, const ks_moment *k)
{
    ks_json *j = &w->json;
    int64_t in, out;
    char id[24];
    int err = ks_first_of_film(w, w->i) ? begin_task(w, k) : 0;

    if (err < 0) return err;
    clock_frames(&in, &out, k, rate_of(w, k));
    snprintf(id, sizeof id, "ks%d", w->i + 1);
    ks_json_open(j, NULL, '{');
    ks_json_text(j, "id", id);
    ks_json_text(j, "from_name", "timelineLabels");
    ks_json_text(j, "to_name", "video");
    ks_json_text(j, "type", "timelinelabels");
    ks_json_number(j, "score", k->score);
    ks_json_open(j, "value", '{');
    ks_json_open(j, "ranges", '[');
    ks_json_open(j, NULL, '{');
    ks_json_int(j, "start", in + 1);
    ks_json_int(j, "end", out);
    ks_json_close(j);
    ks_json_close(j);
    ks_json_open(j, "timelinelabels", '[');
    ks_json_text(j, NULL, k->title);
    for (int close = 0; close < 3; close++) /* the names, the value, the region */
        ks_json_close(j);
    /* result, prediction, predictions, task */
    for (int close = 0; close < 4 && ks_last_of_film(w, w->i); close++) ks_json_close(j);
    return 0;
}

static int tasks_end(ks_writer *w)
{
    ks_json_close(&w->json);
    return 0;
}

/* --- the interface --- */
static int config_begin(ks_writer *w)
{
    /* without a declaration: label-studio-sdk refuses text that has one */
    w->xml = (ks_xml){.f = w->f};
    ks_xml_open(&w->xml, "View");
    ks_xml_open(&w->xml, "TimelineLabels");
    ks_xml_attribute(&w->xml, "name", "timelineLabels");
    ks_xml_attribute(&w->xml, "toName", "video");
    return 0;
}

static int config_entry(ks_writer *w, const ks_moment *k)
{
    for (int i = 0; i < w->i; i++)
        if (strcmp(w->at[i].title, k->title) == 0) return 0;
    ks_xml_open(&w->xml, "Label");
    ks_xml_attribute(&w->xml, "value", k->title);
    ks_xml_close(&w->xml);
    return 0;
}

static int config_end(ks_writer *w)
{
    ks_xml_close(&w->xml);
    ks_xml_open(&w->xml, "Video");
    ks_xml_attribute(&w->xml, "name", "video");
    ks_xml_attribute(&w->xml, "value", "$video");
    ks_xml_attribute(&w->xml, "frameRate", "$fps");
    ks_xml_attribute(&w->xml, "timelineHeight", "120");
    ks_xml_close(&w->xml);
    ks_xml_close(&w->xml);
    return 0;
}

static const ks_format config_file = {.name = "label-studio",
                                      .file = "config.xml",
                                      .begin = config_begin,
                                      .entry = config_entry,
                                      .end = config_end};
const ks_format ks_format_label_studio = {
    .name = "label-studio",
    .ending = "",
    .brief = "Label Studio tasks with predictions",
    .flags = KS_KEEPS | KS_BY_FILM | KS_FOLDER | KS_NEEDS_RATE,
    .file = "tasks.json",
    .also = &config_file,
    .begin = tasks_begin,
    .entry = tasks_entry,
    .end = tasks_end,
};
