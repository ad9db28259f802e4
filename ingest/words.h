/* words.h - the folders and patterns that a library was ingested with: lists of strings, each
 * kept as one blob. */
#ifndef KS_WORDS_H
#define KS_WORDS_H

#include "index/index.h"

#define KS_EXCLUDES_KEY "ingest.excludes"
#define KS_INCLUDES_KEY "ingest.includes"

typedef struct {
    char *text; /* each string with its NUL, one after the other */
    size_t bytes;
    const char **at; /* [n], and NULL */
    int n;
} ks_words;

/* empty where the key is not there */
int ks_words_read(ks_words *w, ks_index *x, const char *key, ks_error *e);
/* 1 added, 0 it was in */
int ks_words_add(ks_words *w, const char *word, ks_error *e);
void ks_words_free(ks_words *w);
int ks_is_folder_of(const char *folder, const char *path); /* or the path itself */

#endif
