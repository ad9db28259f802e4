/* out_via.c - VIA 3 (VGG Image Annotator for video): a project with one attribute, whose options
 * are the labels. */
#include "formats/out.h"

#include <stdlib.h>
#include <string.h>

enum { SELECT = 4, VIDEO = 4, URIFILE = 3 }; /* _via_attribute.js, _via_file.js */

static void project(ks_json *j, const ks_writer *w)
{
    char fid[24];
    int films = 0;

    ks_json_open(j, "project", '{');
    ks_json_text(j, "pid", "__VIA_PROJECT_ID__");
    ks_json_text(j, "rev", "__VIA_PROJECT_REV_ID__");
    ks_json_text(j, "rev_timestamp", "__VIA_PROJECT_REV_TIMESTAMP__");
    ks_json_text(j, "pname", w->options->command ? w->options->command : "kinoseek");
    ks_json_text(j, "data_format_version", "3.1.1");
    ks_json_text(j, "creator", "kinoseek " KS_VERSION);
    ks_json_int(j, "created", 0);
    ks_json_open(j, "vid_list", '[');
    for (int i = 0; i < w->n; i++)
        if (ks_first_of_film(w, i)) {
            snprintf(fid, sizeof fid, "%d", ++films);
            ks_json_text(j, NULL, fid);
        }
    ks_json_close(j);
    ks_json_close(j);
}

static void config(ks_json *j)
{
    static const char *const places[] = {"1", "2", "3", "4"};

    ks_json_open(j, "config", '{');
    ks_json_open(j, "file", '{');
    ks_json_open(j, "loc_prefix", '{');
    for (int i = 0; i < 4; i++) ks_json_text(j, places[i], "");
    ks_json_close(j);
    ks_json_close(j);
    ks_json_open(j, "ui", '{');
    ks_json_text(j, "file_content_align", "center");
    ks_json_bool(j, "file_metadata_editor_visible", 1);
    ks_json_bool(j, "spatial_metadata_editor_visible", 1);
    ks_json_text(j, "spatial_region_label_attribute_id", "");
    ks_json_close(j);
    ks_json_close(j);
}

/* The first entry with this one's label. */
static int option_of(const ks_writer *w, int i)
{
    for (int j = 0; j < i; j++)
        if (strcmp(w->at[j].title, w->at[i].title) == 0) return j;
    return i;
}

static void attribute(ks_json *j, const ks_writer *w)
{
    char oid[24];

    ks_json_open(j, "attribute", '{');
    ks_json_open(j, "1", '{');
    ks_json_text(j, "aname", "label");
    ks_json_text(j, "anchor_id", "FILE1_Z2_XY0");
    ks_json_int(j, "type", SELECT);
    ks_json_text(j, "desc", "");
    ks_json_open(j, "options", '{');
    for (int i = 0; i < w->n; i++)
        if (option_of(w, i) == i) {
            snprintf(oid, sizeof oid, "%d", i);
            ks_json_text(j, oid, w->at[i].title);
        }
    ks_json_close(j);
    ks_json_text(j, "default_option_id", "");
    ks_json_close(j);
    ks_json_close(j);
}

static int files(ks_json *j, const ks_writer *w)
{
    char fid[24];
    int films = 0, err = 0;

    ks_json_open(j, "file", '{');
    for (int i = 0; i < w->n && err == 0; i++) {
        if (!ks_first_of_film(w, i)) continue;
        snprintf(fid, sizeof fid, "%d", ++films);
        ks_json_open(j, fid, '{');
        ks_json_text(j, "fid", fid);
        ks_json_text(j, "fname", ks_base_name(w->at[i].path));
        ks_json_int(j, "type", VIDEO);
        ks_json_int(j, "loc", URIFILE);
        err = ks_json_url(j, "src", w->at[i].path, w->e);
        ks_json_close(j);
    }
    ks_json_close(j);
    return err;
}

static void views(ks_json *j, const ks_writer *w)
{
    char fid[24];
    int films = 0;

    ks_json_open(j, "view", '{');
    for (int i = 0; i < w->n; i++) {
        if (!ks_first_of_film(w, i)) continue;
        snprintf(fid, sizeof fid, "%d", ++films);
        ks_json_open(j, fid, '{');
        ks_json_open(j, "fid_list", '[');
        ks_json_text(j, NULL, fid);
        ks_json_close(j);
        ks_json_close(j);
    }
    ks_json_close(j);
}

static void metadata(ks_json *j, const ks_writer *w)
{
    char id[24];
    int films = 0;

    ks_json_open(j, "metadata", '{');
    for (int i = 0; i < w->n; i++) {
        const ks_moment *k = &w->at[i];
        films += ks_first_of_film(w, i);
        snprintf(id, sizeof id, "ks%d", i + 1);
        ks_json_open(j, id, '{');
        snprintf(id, sizeof id, "%d", films);
        ks_json_text(j, "vid", id);
        ks_json_int(j, "flg", 0);
        ks_json_open(j, "z", '[');
        ks_json_seconds(j, NULL, ks_seconds(k->start, k->tb));
        ks_json_seconds(j, NULL, ks_seconds(k->end, k->tb));
        ks_json_close(j);
        ks_json_open(j, "xy", '[');
        ks_json_close(j);
        ks_json_open(j, "av", '{');
        snprintf(id, sizeof id, "%d", option_of(w, i));
        ks_json_text(j, "1", id);
        ks_json_close(j);
        ks_json_close(j);
    }
    ks_json_close(j);
}

static int via_begin(ks_writer *w)
{
    ks_json *j = &w->json;
    int err;

    ks_json_open(j, NULL, '{');
    project(j, w);
    config(j);
    attribute(j, w);
    err = files(j, w);
    views(j, w);
    metadata(j, w);
    ks_json_close(j);
    return err;
}

const ks_format ks_format_via = {
    .name = "via",
    .ending = ".json",
    .brief = "VIA 3 project",
    .flags = KS_KEEPS | KS_BY_FILM,
    .begin = via_begin,
};
