/* lines_file.h - the lines of a UTF-8 file. */
#ifndef KS_EVAL_LINES_H
#define KS_EVAL_LINES_H

#include "ks.h"

#include <stdio.h>

typedef struct {
    FILE *in;
    const char *path; /* borrowed */
    int64_t line;     /* number of the line that was read last, from 1 */
    char *text;       /* [room] of that line */
    size_t room;
} ks_lines;

/* KS_ENOTFOUND, KS_EIO. ks_lines_close in any case. */
int ks_lines_open(ks_lines *f, const char *path, ks_error *e);
/* 1: *line without its end (LF or CRLF) or the file's byte order mark, until the next call, the
 * caller's to cut up;
 * 0: the end. KS_EFORMAT: not UTF-8, a NUL, longer than 1 MiB. */
int ks_lines_next(char **line, ks_lines *f, ks_error *e);
void ks_lines_close(ks_lines *f);

#endif
