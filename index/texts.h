/* texts.h - films found by words that are written: their names. A part of index.h, which
 * includes it. */
#ifndef KS_INDEX_TEXTS_H
#define KS_INDEX_TEXTS_H

#ifndef KS_INDEX_H
#error "include index/index.h"
#endif

/* The setting that lists the folders named to an ingest, each with its NUL: of a film's path only
 * what lies below them is its name. */
#define KS_FOLDERS_KEY "ingest.folders"

/* Length of the UTF-8 sequence at s (1..4), 0 where it is not one: overlong forms, surrogates, >
 * U+10FFFF. */
int ks_utf8_length(const char *s);

/* What is asked of written words: words that must all stand there, "phrases", -words (or
 * -"phrases") that must not. *out: the same for FTS5, malloc'ed. KS_EUSAGE: `option` and the
 * character that is wrong. */
int ks_match_read(char **out, const char *option, const char *text, ks_error *e);

/* Films that searches see whose name, with the folders it lies in, matches; best first, ties by
 * id. Of the filter what concerns films. video[most]; *n of them. Catalogs older than names have
 * none. */
int ks_index_named(int64_t *video, int *n, int most, ks_index *x, const char *match,
                   const ks_filter *f, ks_error *e);

#endif
