/* model_table.h - the released models (models/released.tsv): what they are called, weigh and hash to. */
#ifndef KS_MODEL_TABLE_H
#define KS_MODEL_TABLE_H

#include "cli/commands.h"

typedef struct {
    char name[32];       /* "lvt-base"; "-" for the clip */
    char part[16];       /* "model", "tokenizer", "clip" */
    char file[96];
    int64_t bytes;
    char sha256[65];     /* "" where nobody published one */
    char url[256];
} ks_release;

typedef struct {
    ks_release *at;
    int n;
} ks_releases;

int ks_releases_read(ks_releases *r, const ks_globals *g, ks_error *e);
void ks_releases_free(ks_releases *r);
const ks_release *ks_release_find(const ks_releases *r, const char *name, const char *part); /* NULL: none */

/* SHA-256 of a file in hex. KS_ENOTFOUND, KS_EIO. */
int ks_file_sha256(char out[65], const char *path, ks_error *e);

/* Layouts that `model random --like` knows. NULL: no such name. */
const ks_info *ks_like_find(const char *name);
const char *ks_like_names(void); /* for help: "lvt-base|..." */

#endif
