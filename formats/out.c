/* out.c - the table of formats, and keeping entries for those that need all of them. */
#include "formats/formats.h"

#include <stdlib.h>
#include <string.h>

const ks_out_format *const ks_out_formats[] = {
    &ks_format_jsonl, &ks_format_csv, &ks_format_vtt, &ks_format_ffmetadata,
    &ks_format_mpv_edl, &ks_format_cmx3600, &ks_format_otio, &ks_format_print, NULL,
};

const ks_out_format *ks_find_format(const char *name)
{
    for (const ks_out_format *const *f = ks_out_formats; *f; f++)
        if (strcmp((*f)->name, name) == 0)
            return *f;
    return NULL;
}

const char *ks_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

int ks_out_begin(ks_out *o, FILE *f, const ks_out_format *format, const ks_out_options *options, ks_error *e)
{
    memset(o, 0, sizeof *o);
    o->f = f;
    o->format = format;
    o->options = options;
    ks_json_start(&o->json, f);
    if (format == &ks_format_print)
        return ks_check_template(options->form, e);
    if (format->begin && !format->keep)
        format->begin(o);
    return 0;
}

static void forget(ks_entry *k)
{
    for (int i = 0; i < k->n_copies; i++)
        free((void *)k->copies[i]);
    free((void *)k->copies);
    free((void *)k->path);
    free((void *)k->title);
    free((void *)k->clips);
}

static int keep(ks_out *o, const ks_entry *entry)
{
    ks_entry *k;

    if (o->n == o->room) {
        int room = o->room * 2 + 16;
        ks_entry *more = realloc(o->kept, (size_t)room * sizeof *more);
        if (!more)
            return -1;
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
    if (!k->path || !k->title || !k->clips)
        return -1;
    if (entry->n_clips)
        memcpy((void *)k->clips, entry->clips, (size_t)entry->n_clips * sizeof *k->clips);
    return 0;
}

int ks_out_entry(ks_out *o, const ks_entry *entry, ks_error *e)
{
    if (o->format->keep) {
        if (keep(o, entry) < 0)
            return ks_fail(e, KS_ENOMEM, "no memory for results");
        return 0;
    }
    o->format->entry(o, entry);
    o->count++;
    return 0;
}

static int by_time(const void *a, const void *b)
{
    const ks_entry *x = a, *y = b;
    double s = ks_seconds(x->start, x->tb), t = ks_seconds(y->start, y->tb);

    if (s != t)
        return s < t ? -1 : 1;
    return x->rank - y->rank;
}

int ks_out_end(ks_out *o, ks_error *e)
{
    int err = 0;

    if (o->format->one_film) {
        for (int i = 1; i < o->n && err == 0; i++)
            if (o->kept[i].video != o->kept[0].video)
                err = ks_fail(e, KS_EUSAGE, "%s describes one film, these are several: name it with --in", o->format->name);
        if (o->n > 1)
            qsort(o->kept, (size_t)o->n, sizeof *o->kept, by_time);
    }
    if (err == 0 && o->format->keep) {
        if (o->format->begin)
            o->format->begin(o);
        for (int i = 0; i < o->n; i++, o->count++)
            o->format->entry(o, &o->kept[i]);
    }
    if (err == 0 && o->format->end)
        o->format->end(o);
    ks_out_drop(o);
    return err;
}

void ks_out_drop(ks_out *o)
{
    for (int i = 0; i < o->n; i++)
        forget(&o->kept[i]);
    free(o->kept);
    o->kept = NULL;
    o->n = 0;
}
