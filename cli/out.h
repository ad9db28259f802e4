/* out.h - how results leave: one row of a table a format.
 *
 *   ks_out o; ks_out_begin(&o, stdout, ks_find_format("otio"), &options, &e);
 *   ks_out_entry(&o, &entry, &e);  ks_out_end(&o, &e);
 */
#ifndef KS_OUT_H
#define KS_OUT_H

#include "cli/json_out.h"
#include "cli/timecode.h"
#include "query/query.h"

/* A moment found, or a span with a label. All borrowed for the call. */
typedef struct {
    const char *path;        /* bytes, absolute */
    const char *title;       /* the words asked, or the label */
    int is_label;
    int rank;
    int64_t video;
    ks_timebase tb;
    int64_t start, end, best;
    double score, cosine;
    const int64_t *clips; int n_clips;
    const char *const *copies; int n_copies;
    int64_t film_date;
    double fps, duration;    /* of the film; 0: not known. duration in seconds */
    int missing;             /* the file is not where it was */
} ks_entry;

typedef struct {
    int raw;                 /* cosines too, in what a person reads */
    int several;             /* several queries: each line says which */
    int has_clips;           /* search: best, video, clips; label: label */
    const char *form;        /* --print */
    int nul;                 /* -0 */
    const char *command;     /* "search WORDS", for titles inside files */
} ks_out_options;

typedef struct ks_out ks_out;
typedef struct {
    const char *name;
    int one_film;            /* entries are kept, put in order of time, and must be of one film */
    int keep;                /* entries are kept until the end (the format needs to know them all) */
    void (*begin)(ks_out *o);
    void (*entry)(ks_out *o, const ks_entry *entry); /* for kept ones: called from ks_out_end */
    void (*end)(ks_out *o);
} ks_out_format;

struct ks_out {
    FILE *f;
    const ks_out_format *format;
    const ks_out_options *options;
    ks_json json;
    ks_entry *kept;          /* [n] deep copies */
    int n, room;
    int count;               /* entries written so far */
    ks_rate rate;            /* cmx3600, otio: of the whole file */
    int64_t record;          /* cmx3600: next record frame */
};

extern const ks_out_format *const ks_out_formats[]; /* NULL ends */
const ks_out_format *ks_find_format(const char *name); /* NULL: no such */
int ks_out_begin(ks_out *o, FILE *f, const ks_out_format *format, const ks_out_options *options, ks_error *e);
int ks_out_entry(ks_out *o, const ks_entry *entry, ks_error *e); /* KS_ENOMEM */
int ks_out_end(ks_out *o, ks_error *e);   /* KS_EUSAGE: more films than the format can describe; frees */

void ks_out_drop(ks_out *o);              /* in place of ks_out_end after an error: writes nothing */

extern const ks_out_format ks_format_jsonl, ks_format_csv, ks_format_print, ks_format_vtt, ks_format_ffmetadata, ks_format_mpv_edl,
    ks_format_cmx3600, ks_format_otio;

/* Last part of a path. */
const char *ks_base_name(const char *path);
/* KS_EUSAGE where a --print template names a field that does not exist (out_print.c). */
int ks_check_template(const char *form, ks_error *e);

#endif
