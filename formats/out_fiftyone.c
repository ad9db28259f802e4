/* out_fiftyone.c - FiftyOne's temporal detections (FiftyOneTemporalDetectionDataset):
 * labels.json and data.json. Seconds, not frames, so that films of uneven rate are right; every
 * id of one is in the other, as the importer needs. It looks for data.json only when told:
 * Dataset.from_dir(..., data_path="data.json") (fiftyone 1.22). A path that is not UTF-8 stands
 * there as a file: URL: the importer takes it, finds no film, and we read the bytes back.
 * (Python's surrogates would name the film, but MongoDB and other readers refuse them.) */
#include "formats/out.h"

#include <stdlib.h>

static int labels_begin(ks_writer *w)
{
    ks_json_open(&w->json, NULL, '{');
    ks_json_open(&w->json, "labels", '{');
    return 0;
}

static int labels_entry(ks_writer *w, const ks_moment *k)
{
    ks_json *j = &w->json;

    if (ks_first_of_film(w, w->i)) ks_json_open(j, w->ids[w->i], '[');
    ks_json_open(j, NULL, '{');
    ks_json_text(j, "label", k->title);
    ks_json_open(j, "timestamps", '[');
    ks_json_seconds(j, NULL, ks_seconds(k->start, k->tb));
    ks_json_seconds(j, NULL, ks_seconds(k->end, k->tb));
    ks_json_close(j);
    ks_json_number(j, "confidence", k->score);
    ks_json_close(j);
    if (ks_last_of_film(w, w->i)) ks_json_close(j);
    return 0;
}

static int data_begin(ks_writer *w)
{
    ks_json_open(&w->json, NULL, '{');
    return 0;
}

static int data_entry(ks_writer *w, const ks_moment *k)
{
    char *path;

    if (!ks_first_of_film(w, w->i)) return 0;
    if (!(path = ks_text_of_path(k->path))) return ks_fail(w->e, KS_ENOMEM, "no memory for a path");
    ks_json_text(&w->json, w->ids[w->i], path);
    free(path);
    return 0;
}

static const ks_format data_file = {.name = "fiftyone",
                                    .file = "data.json",
                                    .begin = data_begin,
                                    .entry = data_entry,
                                    .end = ks_end_json};
const ks_format ks_format_fiftyone = {
    .name = "fiftyone",
    .ending = "",
    .brief = "FiftyOne temporal detections (data_path=\"data.json\")",
    .flags = KS_KEEPS | KS_BY_FILM | KS_FOLDER,
    .file = "labels.json",
    .also = &data_file,
    .begin = labels_begin,
    .entry = labels_entry,
    .end = ks_end_json,
};
