/* protocol.h - how a protocol's files become rows: the `read` lines of its table. */
#ifndef KS_EVAL_PROTOCOL_H
#define KS_EVAL_PROTOCOL_H

#include "eval/records.h"

typedef enum {
    KS_ROLE_PAIRS,   /* a film and its texts */
    KS_ROLE_LABELS,  /* a film and its class; right 0: the class is there and is not the film's */
    KS_ROLE_ACTIONS, /* a film and its classes, "c092 11.9 21.2;c147 0 12.6" */
    KS_ROLE_OPTIONS, /* a question about a film, its options, which one is right */
    /* a segment of a film and its sentence; the options are all sentences of the film */
    KS_ROLE_MOMENTS,
    KS_ROLE_SPLIT,  /* films of the set: others are let be */
    KS_ROLE_ROWS,   /* the same by the number of their record, from 0 */
    KS_ROLE_CLASSES /* classes by id and name: others are let be */
} ks_role;

/* Patterns: text with {field}, {field:stem} (a name without folder and a film's ending),
 * {field:06} (a number with zeros), {field:quoted} (what stands between its quotes). NULL where
 * the line does not say it. */
struct ks_eval_recipe {
    ks_records_form form;
    ks_role role;
    char *variant;
    char *pattern; /* of LINES */
    char *film, *text, *class_, *name, *classes, *question, *options, *right, *from, *to;
    char *split; /* "field:a,b": another value is another split, and refused */
    char *only;  /* "field:a": another value is let be */
    /* "7010-9999": the digits of a film's id lie there, else it is another split's */
    char *number;
    char *rows; /* the list of ROWS numbers the records of this file */
    char *many; /* a film may stand several times */
    char *join; /* the texts of a film are one, with blanks between */
    char *skip; /* films of a class that is not in the list are let be */
};

/* The first recipe of the variant whose fields the file's first record has; *out NULL: none. A
 * file that another variant reads as data is no list of this one. KS_EFORMAT: JSON that is none;
 * KS_EIO ... */
int ks_recipe_find(const ks_eval_recipe **out, const ks_eval_protocol *p, const char *variant,
                   const char *file, ks_error *e);
/* KS_EFORMAT: no recipe reads the file, with the first line that the nearest one cannot take. */
int ks_recipe_none(const ks_eval_protocol *p, const char *file, ks_error *e);
/* 1: some variant reads the file, 0: none does. */
int ks_recipe_any(const ks_eval_protocol *p, const char *file, ks_error *e);
/* KS_EFORMAT: by its name the file is of another split. */
int ks_recipe_check_name(const ks_eval_protocol *p, const char *file, ks_error *e);

#endif
