/* words.c - see words.h. */
#include "ingest/words.h"

#include "ingest/ingest.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void ks_words_free(ks_words *w)
{
    free(w->text);
    free(w->at);
    *w = (ks_words){0};
}

static int words_index(ks_words *w, ks_error *e)
{
    int n = 0;
    free(w->at);
    for (size_t i = 0; i < w->bytes; i++) n += w->text[i] == 0;
    w->at = calloc((size_t)n + 1, sizeof *w->at);
    if (!w->at) return ks_fail(e, KS_ENOMEM, "no memory for the list of folders");
    w->n = n;
    size_t at = 0;
    for (int i = 0; i < n; i++) {
        w->at[i] = w->text + at;
        at += strlen(w->at[i]) + 1;
    }
    return 0;
}

int ks_words_read(ks_words *w, ks_index *x, const char *key, ks_error *e)
{
    void *data = NULL;
    *w = (ks_words){0};
    int err = ks_index_get(&data, &w->bytes, x, key, e);
    if (err < 0) return err;
    w->text = data;
    if (w->bytes > 0 && w->text[w->bytes - 1] != 0)
        return ks_fail(e, KS_EDAMAGED, "the list %s of the library is damaged", key);
    return words_index(w, e);
}

int ks_words_add(ks_words *w, const char *word, ks_error *e)
{
    size_t n = strlen(word) + 1;
    for (int i = 0; i < w->n; i++)
        if (strcmp(w->at[i], word) == 0) return 0;
    char *text = realloc(w->text, w->bytes + n);
    if (!text) return ks_fail(e, KS_ENOMEM, "no memory for the list of folders");
    memcpy(text + w->bytes, word, n);
    w->text = text;
    w->bytes += n;
    int err = words_index(w, e);
    return err < 0 ? err : 1;
}

int ks_ingest_folders(char **text, size_t *bytes, ks_index *x, ks_error *e)
{
    assert(text && bytes && x);
    ks_words w;
    int err = ks_words_read(&w, x, KS_FOLDERS_KEY, e);
    *text = NULL;
    *bytes = 0;
    if (err >= 0) {
        *text = w.text;
        *bytes = w.bytes;
        w.text = NULL;
    }
    ks_words_free(&w);
    return err;
}

int ks_is_folder_of(const char *folder, const char *path)
{
    size_t n = strlen(folder);
    return strncmp(folder, path, n) == 0 && (path[n] == '/' || path[n] == 0 || n == 1);
}
