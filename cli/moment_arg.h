/* moment_arg.h - a moment of a film in the library, as it is typed: FILE@START-END, FILE@AT,
 * #CLIP. */
#ifndef KS_MOMENT_ARG_H
#define KS_MOMENT_ARG_H

#include "cli/commands.h"

typedef struct {
    ks_video film;      /* its text is not kept: path, reason are "" */
    int64_t start, end; /* ticks, start < end */
} ks_typed_moment;

/* FILE is a path, a name or a number, as --in takes it. FILE@AT is the stored clip whose centre
 * is nearest. KS_EUSAGE: not a moment, or beyond the film's end; KS_ENOTFOUND: no such film or
 * clip. */
int ks_read_moment(ks_typed_moment *m, ks_index *x, const char *text, ks_error *e);
/* [from, to) seconds of film number `video`, called `film` in sentences; to < 0: to its end.
 * KS_ENOTFOUND: it is not wholly in the library. */
int ks_take_span(ks_typed_moment *m, ks_index *x, int64_t video, const char *film, double from,
                 double to, ks_error *e);

#endif
