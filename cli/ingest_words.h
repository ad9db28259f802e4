/* ingest_words.h - the command line of an `ingest` that another command starts. */
#ifndef KS_INGEST_WORDS_H
#define KS_INGEST_WORDS_H

#include "cli/commands.h"

typedef struct {
    const char *program, *library;
    const char *survey, *notify, *encoder; /* NULL: not said */
    const ks_globals *g; /* model, arithmetic, device and threads as given there */
    char threads[24];    /* room of ours */
} ks_ingest_call;

enum { KS_INGEST_WORDS = 20 }; /* at most */

/* The program's name and the options that take a value; how many words. All borrowed. */
int ks_ingest_words(const char **out, ks_ingest_call *call);

#endif
