/* read.h - reading labels back: what the readers of each format share; private to formats/. */
#ifndef KS_READ_H
#define KS_READ_H

#include <jansson.h>

#include "formats/formats.h"

/* One file being read. */
typedef struct {
    const char *file; /* for sentences */
    double fps;       /* ks_spans_read's */
    ks_spans *out;
    char **named; /* [n_named] as the file has them */
    int n_named, named_room;
    ks_error *e;
} ks_reader;

/* Copies what is given; label NULL: "". KS_ENOMEM; KS_EFORMAT where end < start or a time is not
 * finite. */
int ks_add_span(ks_reader *r, const char *film, const char *label, double start, double end,
                double score, int yes);
/* The film has no span, or may have none. Copies; KS_ENOMEM. */
int ks_name_film(ks_reader *r, const char *film);
/* The same of a film that a URL, a path or an id names. */
int ks_add_url_span(ks_reader *r, const char *url, const char *label, double start, double end,
                    double score, int yes);
int ks_name_url(ks_reader *r, const char *url);
int ks_bad_file(const ks_reader *r, const char *what); /* KS_EFORMAT: "FILE: what" */

/* Each reads the whole text; 0 or an error in r->e. */
int ks_read_csv(ks_reader *r, char *text); /* changes the text */
int ks_read_json_lines(ks_reader *r, const char *text, size_t n);
int ks_read_elan(ks_reader *r, const char *text, size_t n);
int ks_read_activitynet(ks_reader *r, const json_t *root); /* truth and predictions */
/* data.json is looked for beside r->file */
int ks_read_fiftyone(ks_reader *r, const json_t *root);
int ks_read_label_studio(ks_reader *r, const json_t *tasks);
int ks_read_via(ks_reader *r, const json_t *root);
int ks_read_hit(ks_reader *r, const json_t *hit); /* an object of --json */

/* [start, end] in seconds as JSON; -1: not that. */
int ks_json_pair(double *start, double *end, const json_t *pair);
double ks_json_score(const json_t *of, const char *key); /* NaN: none */

#endif
