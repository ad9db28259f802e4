/* forget.c - paths of the library that are given up, or are elsewhere now. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/jobs.h"
#include "ingest/words.h"

int ks_forget(int64_t *files, ks_index *x, const char *path, ks_error *e)
{
    assert(files && x && path);
    ks_cursor *cursor = NULL;
    ks_filter filter = {0};
    ks_video v;
    ks_words list = {0};
    char *absolute = NULL;
    *files = 0;
    int err = ks_scan_absolute(&absolute, path, e);
    if (err >= 0) err = ks_index_files(&cursor, x, &filter, e);
    while (err >= 0 && (err = ks_files_next(&v, cursor, e)) != 0) {
        if (err < 0 && err != KS_EDAMAGED) break;
        if (err == 1 && ks_is_folder_of(absolute, v.path)) {
            size_t n = strlen(v.path) + 1;
            char *text = realloc(list.text, list.bytes + n);
            if (!text) {
                err = ks_fail(e, KS_ENOMEM, "no memory for the list of files");
                break;
            }
            list.text = text;
            memcpy(text + list.bytes, v.path, n);
            list.bytes += n;
            list.n++;
        }
        err = 0;
    }
    ks_cursor_close(cursor);
    if (err >= 0) err = ks_index_begin(x, e);
    if (err >= 0) {
        const char *at = list.text;
        for (int i = 0; i < list.n && err >= 0; i++, at += strlen(at) + 1)
            err = ks_index_drop_path(x, at, e);
        err = ks_index_end(x, err, e);
    }
    if (err >= 0) *files = list.n;
    free(list.text);
    free(absolute);
    return err < 0 ? err : 0;
}

/* The folders named to earlier ingests follow: below `from` they are now below `to`. */
static int relocate_folders(ks_index *x, const char *from, const char *to, ks_error *e)
{
    ks_words old = {0}, new = {0};
    int err = ks_words_read(&old, x, KS_FOLDERS_KEY, e);
    for (int i = 0; i < old.n && err >= 0; i++) {
        char *path = NULL;
        if (!ks_is_folder_of(from, old.at[i])) err = ks_words_add(&new, old.at[i], e);
        else if (asprintf(&path, "%s%s", to, old.at[i] + strlen(from)) < 0)
            err = ks_fail(e, KS_ENOMEM, "no memory for the list of folders");
        else err = ks_words_add(&new, path, e);
        free(path);
    }
    if (err >= 0 && new.n > 0) err = ks_index_put(x, KS_FOLDERS_KEY, new.text, new.bytes, e);
    ks_words_free(&old);
    ks_words_free(&new);
    return err;
}

int ks_ingest_relocate(int64_t *changed, ks_index *x, const char *from, const char *to, ks_error *e)
{
    assert(changed && x && from && to);
    int err = ks_index_begin(x, e);
    if (err < 0) return err;
    err = ks_index_relocate(changed, x, from, to, e);
    if (err >= 0) err = relocate_folders(x, from, to, e);
    return ks_index_end(x, err, e);
}
