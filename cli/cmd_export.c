/* cmd_export.c - `export vectors`: what the model made of the clips, for NumPy and all that
 * reads its files. */
#include "cli/commands.h"
#include "formats/formats.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *output, *dtype, *path;
    int force, json;
} export_fields;

#define AT(field) offsetof(export_fields, field)
static const ks_option options[] = {
    {'o', "output", KS_OPT_TEXT, AT(output), "FILE", "a .npy (ids beside it) or an .npz"},
    {0, "dtype", KS_OPT_TEXT, AT(dtype), "f2|f4", "half floats as they are stored, or floats (f2)"},
    {0, "path", KS_OPT_TEXT, AT(path), "GLOB", "only of files that match"},
    {0, "force", KS_OPT_FLAG, AT(force), NULL, "replace files that are there"},
    {0, "json", KS_OPT_FLAG, AT(json), NULL, "one JSON line: rows, dim, model"},
    {0},
};

/* A rotten row is left out and counted. */
static int add_clips(int64_t *rows, int64_t *lost, ks_vectors *v, ks_index *x,
                     const ks_filter *filter, int dim, ks_error *e)
{
    ks_cursor *cursor = NULL;
    ks_video film = {0};
    ks_clip c;
    float *vector = malloc((size_t)dim * sizeof *vector);
    int err = vector ? ks_index_clips(&cursor, x, filter, e)
                     : ks_fail(e, KS_ENOMEM, "no memory for a vector");

    while (err >= 0 && (err = ks_clips_next(&c, cursor, e)) != 0) {
        if (err > 0 && c.video != film.id) err = ks_index_video(&film, x, c.video, e);
        if (err >= 0) err = ks_index_clip_vector(vector, dim, x, c.id, e);
        if (err >= 0 && (err = ks_vectors_add(v, &c, film.tb, vector, e)) == 0) ++*rows;
        /* a film whose path is gone, too: the cursor's rows are one state */
        if (err == KS_EDAMAGED || err == KS_ENOTFOUND) ++*lost, err = 0, film.id = 0;
    }
    ks_cursor_close(cursor);
    free(vector);
    return err;
}

static void say(const export_fields *f, const ks_library *l, int64_t rows)
{
    ks_json j;

    if (!f->json) {
        printf("%lld vectors of %d numbers in %s.\n", (long long)rows, l->space.dim, f->output);
        return;
    }
    ks_json_start(&j, stdout);
    ks_json_open(&j, NULL, '{');
    ks_json_path(&j, "file", f->output);
    ks_json_int(&j, "rows", rows);
    ks_json_int(&j, "dim", l->space.dim);
    ks_json_text(&j, "model", l->space.model);
    ks_json_close(&j);
}

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    const export_fields *f = fields;
    ks_filter filter = {.path_glob = f->path};
    ks_index *x = NULL;
    ks_vectors *v = NULL;
    ks_library l;
    int64_t rows = 0, lost = 0;
    int err, held = 0;

    if (n > 0) return ks_fail(e, KS_EUSAGE, "%s: it takes no words; --path names files", args[0]);
    if (!f->output)
        return ks_fail(e, KS_EUSAGE, "say where to: kinoseek export vectors -o vectors.npz");
    if ((err = ks_index_open(&x, g->library, KS_READ, e)) < 0 ||
        (err = ks_index_snapshot(x, e)) < 0 || !(held = 1) ||
        (err = ks_index_library(&l, x, e)) < 0 ||
        (err = ks_vectors_open(&v, f->output, !f->dtype || strcmp(f->dtype, "f2") == 0, l.space.dim,
                               l.space.model, f->force, e)) < 0 ||
        (err = add_clips(&rows, &lost, v, x, &filter, l.space.dim, e)) < 0 ||
        (err = ks_vectors_end(v, e)) < 0)
        goto out;
    say(f, &l, rows);
    if (lost > 0)
        err = ks_fail(e, KS_EDAMAGED, "%s: damaged in %lld place%s, left out: run kinoseek repair",
                      g->library, (long long)lost, lost == 1 ? "" : "s");
out:
    ks_vectors_close(v);
    if (held) ks_index_release(x);
    ks_index_close(x);
    return err < 0 ? err : rows > 0 ? 0 : 1;
}

extern const ks_command ks_cmd_export_vectors;
const ks_command ks_cmd_export_vectors = {
    .name = "export vectors",
    .brief = "Write the clips' vectors for NumPy",
    .more = "  kinoseek export vectors -o v.npz\n"
            "  python3 -c \"import numpy as n; z = n.load('v.npz'); print(z['vectors'].shape)\"\n"
            "An .npz holds vectors, ids, videos, start, end and model; beside FILE.npy stand\n"
            "FILE.ids.npy and FILE.json. Rows are in order of film and time, of unit length;\n"
            "ids are those of `clips`.",
    .options = options,
    .fields = sizeof(export_fields),
    .hub = KS_HUB_MIRROR,
    .run = run,
};
