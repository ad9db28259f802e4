/* read_formats.h - what the formats of editing programs and players hold, read by rules of their
 * own: nothing of formats/ is used, so that a mistake there is not made twice. */
#ifndef KS_READ_FORMATS_H
#define KS_READ_FORMATS_H

typedef struct {
    double start, end; /* seconds from the film's start; end < 0: the format has none */
    char label[512];   /* "" where the format has none */
} rf_span;

/* At most `most` spans of the text into out; how many, or -1: the format is broken (why: what).
 * start_tc: the film's timecode ("" none); num / den: the rate that the file counts at. */
int rf_read(rf_span *out, int most, const char *format, const char *text, const char *start_tc,
            int num, int den, char why[200]);

#endif
