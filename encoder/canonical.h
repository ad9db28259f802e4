/* canonical.h - a sentence as the text tower's training saw it. Private. */
#ifndef KS_CANONICAL_H
#define KS_CANONICAL_H

#include "encoder/encoder.h"

/* The reference's canonical form of words (UTF-8): ASCII punctuation becomes a space, everything
 * lower case, runs of white space one space, none at the ends, a period at the end: Python's
 * str.lower() and str.split() to the letter, for all of Unicode as libunistring knows it.
 * *out is malloc'ed UTF-8. KS_EUSAGE: not UTF-8, or longer than KS_WORDS_MAX. */
int ks_canonical(char **out, const char *words, ks_error *e);

#endif
