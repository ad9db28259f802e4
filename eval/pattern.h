/* pattern.h - the text that a pattern of a recipe makes of a record. */
#ifndef KS_EVAL_PATTERN_H
#define KS_EVAL_PATTERN_H

#include "eval/records.h"

/* *out malloc'ed; `which` value of a field that has several; {@option} is `option`. KS_EFORMAT:
 * the record lacks a field, or it is not what the pattern makes of it; with file and line. */
int ks_pattern_fill(char **out, const char *pattern, const ks_record *r, int which,
                    const char *option, ks_error *e);
/* How many values the pattern has: those of its field that has not one; 1 where none has. */
int ks_pattern_values(const char *pattern, const ks_record *r);

#endif
