/* records.h - the annotation files of data sets, whatever their form, as records of named
 * fields. */
#ifndef KS_EVAL_RECORDS_H
#define KS_EVAL_RECORDS_H

#include "eval/set.h"

typedef enum {
    /* a header, then rows; quoted fields may hold commas and line ends (RFC 4180) */
    KS_RECORDS_CSV,
    /* an array of objects, or an object of objects: their member's name is the field "@key" */
    KS_RECORDS_JSON,
    /* a pattern a line, "{film} {from} {to}##{text}"; '#' begins a comment, blank lines are none */
    KS_RECORDS_LINES
} ks_records_form;

typedef struct {
    char *name;
    char **at; /* [n] a JSON array has several values, all else one */
    int n, room;
} ks_record_field;

typedef struct {
    ks_record_field *field;
    int n, room;
    ks_eval_at at;  /* where it begins */
    int64_t number; /* from 0; also the field "@row" */
} ks_record;

/* A field, NULL: the record has none of that name. */
const ks_record_field *ks_record_find(const ks_record *r, const char *name);

/* each gets every record, valid during the call; non-zero ends the reading with that code.
 * KS_ENOTFOUND, KS_EIO, KS_EFORMAT name file and line. Members of JSON that are neither texts,
 * numbers nor arrays of them are left out. */
typedef int ks_on_record(void *arg, const ks_record *r, ks_error *e);
int ks_records_read(const char *file, ks_records_form form, const char *pattern, ks_on_record *each,
                    void *arg, ks_error *e);
/* The form that a file may have: 1 JSON, by its first character; 0 another. */
int ks_records_is_json(int *json, const char *file, ks_error *e);

#endif
