/* out_hf.c - metadata.jsonl of a Hugging Face data set folder: file_name is a path below that
 * folder. */
#include "formats/out.h"

#include <stdlib.h>
#include <string.h>

/* The film's path below the folder; NULL: it lies elsewhere. */
static const char *below(const char *folder, const char *path)
{
    size_t n = strlen(folder);

    return strncmp(path, folder, n) == 0 && path[n] == '/' && path[n + 1] ? path + n + 1 : NULL;
}

static int hf_check(ks_writer *w)
{
    char *folder = realpath(w->path, NULL);
    int err = folder ? 0
                     : ks_fail(w->e, KS_EUSAGE,
                               "%s: hf goes into the folder of the films, and that is not there",
                               w->path);

    for (int i = 0; i < w->n && err == 0; i++)
        if (!ks_is_utf8(w->at[i].path))
            err = ks_fail(w->e, KS_EUSAGE, "%s: hf names films as UTF-8, and this name is none",
                          w->at[i].path);
        else if (!below(folder, w->at[i].path))
            err = ks_fail(w->e, KS_EUSAGE,
                          "%s is not below %s: hf names films from the folder that holds them",
                          w->at[i].path, w->path);
    free(folder);
    return err;
}

static int hf_entry(ks_writer *w, const ks_moment *k)
{
    char *folder = realpath(w->path, NULL);
    const char *name = folder ? below(folder, k->path) : NULL;
    ks_json *j = &w->json;

    ks_json_open(j, NULL, '{');
    ks_json_text(j, "file_name", name ? name : k->path);
    ks_json_seconds(j, "start", ks_seconds(k->start, k->tb));
    ks_json_seconds(j, "end", ks_seconds(k->end, k->tb));
    ks_json_text(j, "label", k->title);
    ks_json_number(j, "score", k->score);
    ks_json_close(j);
    free(folder);
    return 0;
}

const ks_format ks_format_hf = {
    .name = "hf",
    .ending = "",
    .brief = "metadata.jsonl of a Hugging Face data set",
    .flags = KS_KEEPS | KS_BY_FILM | KS_FOLDER,
    .file = "metadata.jsonl",
    .check = hf_check,
    .entry = hf_entry,
};
