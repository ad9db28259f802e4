/* places.h - where models, libraries and programs are, and how they are opened: a part of
 * session.h, which includes it. */
#ifndef KS_SESSION_PLACES_H
#define KS_SESSION_PLACES_H

#ifndef KS_SESSION_H
#error "include session/session.h"
#endif

/* --- where things are (locate.c) --- malloc'ed paths; KS_ENOTFOUND with the sentence.
 * A name of `model list` or a path -> the checkpoint, and the tokenizer that goes with it:
 * setup's, else STEM.spm or tokenizer.model beside the model, else *tokenizer NULL. */
int ks_locate_model(char **path, char **tokenizer, const ks_setup *setup, const char *name_or_path,
                    ks_error *e);
/* The checkpoint NAME/FILE is gone from `path`: where a model of that name is now; malloc'ed,
 * NULL: nowhere. */
char *ks_locate_again(const ks_setup *setup, const char *path);
int ks_locate_decoder(char **path, const ks_setup *setup, ks_error *e);
/* "models/demo": beside the build or in PREFIX/share/kinoseek. */
int ks_locate_data(char **path, const ks_setup *setup, const char *relative, ks_error *e);
/* Where `model pull NAME` keeps its files: $XDG_DATA_HOME/kinoseek/models/NAME. KS_ENOMEM,
 * KS_EUSAGE (no home). */
int ks_locate_pulled(char **folder, const char *name, ks_error *e);
int ks_locate_library(char **folder, ks_error *e); /* the default library */
/* The model of a new library: setup's default_model, else "lvt-base" where it was pulled, else
 * "demo". */
const char *ks_default_model(const ks_setup *setup);
/* Whether a film is where it was: 0 it is, 1 it is missing; disk: the name of the one under
 * /media, /mnt ... that is not there, "" where the file alone is missing. */
int ks_missing(char *disk, size_t room, const char *path);

/* The released models (models/released.tsv): what they are called, weigh and hash to. */
typedef struct {
    char name[32]; /* "lvt-base"; "-" for the clip */
    char part[16]; /* "model", "tokenizer", "clip" */
    char file[96];
    int64_t bytes;
    char sha256[65]; /* "" where nobody published one */
    char url[256];
} ks_release;
typedef struct {
    ks_release *at;
    int n;
} ks_releases;
int ks_releases_read(ks_releases *r, const ks_setup *setup, ks_error *e);
void ks_releases_free(ks_releases *r);
/* NULL: none */
const ks_release *ks_release_find(const ks_releases *r, const char *name, const char *part);

/* The encoder that setup, else model_or_null (the library's last path), else the default names.
 * towers: ks_tower; fallback: precision where setup names none. */
int ks_open_encoder(ks_encoder **enc, const ks_setup *setup, const char *model_or_null, int towers,
                    ks_precision fallback, ks_error *e);
/* The encoder of an existing library, for queries; setup's model must have the library's hash
 * (KS_ESPACE). */
int ks_open_library_encoder(ks_encoder **enc, const ks_setup *setup, ks_index *x, int towers,
                            ks_error *e);

/* A decoder in *d, NULL or one of before: started where there is none or its program is gone.
 * The caller stops it. */
int ks_open_decoder(ks_decoder **d, const ks_setup *setup, ks_error *e);

#endif
