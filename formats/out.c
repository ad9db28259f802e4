/* out.c - the table of formats; entries are written as they come, or kept until the format can
 * be checked. */
#include "formats/out_run.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const ks_format *const formats[] = {
    &ks_format_jsonl,       &ks_format_csv,
    &ks_format_vtt,         &ks_format_srt,
    &ks_format_ffmetadata,  &ks_format_mkv_chapters,
    &ks_format_youtube,     &ks_format_kodi_edl,
    &ks_format_mpv_edl,     &ks_format_cmx3600,
    &ks_format_resolve_edl, &ks_format_otio,
    &ks_format_xmeml,       &ks_format_fcpxml,
    &ks_format_activitynet, &ks_format_activitynet_truth,
    &ks_format_fiftyone,    &ks_format_label_studio,
    &ks_format_elan,        &ks_format_via,
    &ks_format_cvat,        &ks_format_hf,
    &ks_format_xmp,         &ks_format_html,
    &ks_format_print,       NULL,
};

const ks_format *ks_find_format(const char *name)
{
    for (const ks_format *const *f = formats; *f; f++)
        if (strcmp((*f)->name, name) == 0) return *f;
    return NULL;
}

int ks_format_about(ks_format_facts *out, int i)
{
    const ks_format *f;

    for (int j = 0; j <= i; j++)
        if (!formats[j]) return 0;
    f = formats[i];
    *out = (ks_format_facts){f->name, f->ending, f->brief, ""};
    snprintf(out->holds, sizeof out->holds, "%s%s%s",
             f->flags & KS_ONE_FILM ? "one film a file"
             : f->flags & KS_FOLDER ? "a folder"
                                    : "any films",
             f->flags & KS_TIMECODE_RATE ? ", at a rate that timecode counts"
             : f->flags & KS_NEEDS_RATE  ? ", at an even rate"
                                         : "",
             f->flags & KS_ONE_RATE ? ", one for all" : "");
    if (f->joins)
        snprintf(out->holds + strlen(out->holds), sizeof out->holds - strlen(out->holds),
                 ", joins %s", f->joins);
    if (f->longest > 0)
        snprintf(out->holds + strlen(out->holds), sizeof out->holds - strlen(out->holds),
                 ", to %.0f hours", f->longest / 3600);
    if (f->flags & KS_SOMETHING)
        snprintf(out->holds + strlen(out->holds), sizeof out->holds - strlen(out->holds),
                 ", no file for nothing");
    if (f->most)
        snprintf(out->holds + strlen(out->holds), sizeof out->holds - strlen(out->holds),
                 ", %d entries", f->most);
    return 1;
}

const char *ks_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

int ks_same_film(const ks_moment *a, const ks_moment *b)
{
    return a->video == b->video && strcmp(a->path, b->path) == 0;
}

int ks_first_of_film(const ks_writer *w, int i)
{
    return i == 0 || !ks_same_film(&w->at[i - 1], &w->at[i]);
}

int ks_last_of_film(const ks_writer *w, int i)
{
    return i + 1 == w->n || !ks_same_film(&w->at[i], &w->at[i + 1]);
}

int ks_end_json(ks_writer *w)
{
    while (w->json.depth > 0) ks_json_close(&w->json);
    return 0;
}

int ks_end_xml(ks_writer *w)
{
    while (w->xml.depth > 0) ks_xml_close(&w->xml);
    return 0;
}

/* --- keeping --- */
static void forget(ks_moment *k)
{
    for (int i = 0; i < k->n_copies; i++) free((void *)k->copies[i]);
    free((void *)k->copies);
    free((void *)k->path);
    free((void *)k->title);
    free((void *)k->clips);
}

static int keep(ks_out *o, const ks_moment *entry)
{
    ks_moment *k;

    if (o->n == o->room) {
        int room = o->room * 2 + 16;
        ks_moment *more = realloc(o->kept, (size_t)room * sizeof *more);
        if (!more) return -1;
        o->kept = more;
        o->room = room;
    }
    k = &o->kept[o->n++];
    *k = *entry;
    k->copies = NULL; /* no kept format writes them */
    k->n_copies = 0;
    k->more_copies = 0;
    k->path = strdup(entry->path);
    k->title = strdup(entry->title);
    k->clips = malloc(((size_t)entry->n_clips + 1) * sizeof *k->clips);
    if (!k->path || !k->title || !k->clips) return -1;
    if (entry->n_clips)
        memcpy((void *)k->clips, entry->clips, (size_t)entry->n_clips * sizeof *k->clips);
    return 0;
}

/* --- one file --- */
static int start_writer(ks_writer *w, ks_out *o, const ks_format *f, FILE *to, ks_error *e)
{
    w->f = to;
    w->options = o->options;
    w->i = 0;
    w->e = e;
    ks_json_start(&w->json, to);
    free(w->own);
    w->own = NULL;
    if (f->own && !(w->own = calloc(1, f->own)))
        return ks_fail(e, KS_ENOMEM, "no memory for %s", f->name);
    return f->begin ? f->begin(w) : 0;
}

int ks_write_kept(ks_writer *w, ks_out *o, const ks_format *f, FILE *to, ks_error *e)
{
    int err = start_writer(w, o, f, to, e);

    for (; err >= 0 && f->entry && w->i < w->n; w->i++) err = f->entry(w, &w->at[w->i]);
    if (err >= 0 && f->end) err = f->end(w);
    return err;
}

int ks_out_new_file(FILE **f, ks_out *o, const char *path, int force, ks_error *e)
{
    int err;

    assert(o->n_files < (int)(sizeof o->files / sizeof *o->files));
    if ((err = ks_user_file_open(&o->files[o->n_files], path, force, e)) < 0) return err;
    *f = o->files[o->n_files++].f;
    return 0;
}

int ks_out_publish(ks_out *o, ks_error *e)
{
    int err = 0;

    for (int i = 0; i < o->n_files && err == 0; i++) err = ks_user_file_publish(&o->files[i], e);
    if (err == 0) o->n_files = 0;
    return err;
}

int ks_out_open(ks_out **out, const ks_out_target *to, const ks_format *format,
                const ks_out_options *options, ks_error *e)
{
    assert(out && to && format && options);
    ks_out *o = calloc(1, sizeof *o);
    FILE *f = to->stream;
    int err = 0;

    *out = o;
    if (!o) return ks_fail(e, KS_ENOMEM, "no memory for results");
    *o = (ks_out){.to = *to, .format = format, .options = options};
    if (format == &ks_format_print && (err = ks_check_template(options->form, e)) < 0) return err;
    if (to->beside && !(format->flags & (KS_ONE_FILM | KS_BESIDE)))
        return ks_fail(e, KS_EUSAGE, "--sidecars: %s is no file a film", format->name);
    if (format->flags & KS_BESIDE && !to->beside)
        return ks_fail(e, KS_EUSAGE, "%s goes beside the films: say --sidecars", format->name);
    if (format->flags & KS_FOLDER && !to->path)
        return ks_fail(e, KS_EUSAGE, "%s is a folder of files: say where with -o FOLDER",
                       format->name);
    if (to->path && !(format->flags & (KS_ONE_FILM | KS_BESIDE | KS_FOLDER)) &&
        ks_out_is_folder(to->path))
        return ks_fail(e, KS_EUSAGE, "%s: %s is one file for all films: name a file", to->path,
                       format->name);
    if (format->flags & KS_KEEPS) return 0;
    if (to->path && (err = ks_out_new_file(&f, o, to->path, to->force, e)) < 0) return err;
    return start_writer(&o->w, o, format, f, e);
}

int ks_out_entry(ks_out *o, const ks_moment *entry, ks_error *e)
{
    assert(o && entry);
    int err;

    if (o->format->flags & KS_KEEPS)
        return keep(o, entry) < 0 ? ks_fail(e, KS_ENOMEM, "no memory for results") : 0;
    o->w.e = e;
    if ((err = o->format->entry(&o->w, entry)) < 0) return err;
    o->w.i++;
    return 0;
}

int ks_out_end(ks_out *o, ks_error *e)
{
    assert(o);
    int err = 0;

    o->w.e = e;
    if (o->format->flags & KS_SOMETHING && o->n + o->w.i == 0) return 0;
    if (o->format->flags & KS_KEEPS) err = ks_write_all(o, e);
    else if (o->format->end) err = o->format->end(&o->w);
    return err < 0 ? err : ks_out_publish(o, e);
}

void ks_out_close(ks_out *o)
{
    if (!o) return;
    for (int i = 0; i < o->n_files; i++) ks_user_file_drop(&o->files[i]);
    ks_forget_names(o);
    for (int i = 0; i < o->n; i++) forget(&o->kept[i]);
    free(o->kept);
    free(o->w.own);
    free(o);
}
