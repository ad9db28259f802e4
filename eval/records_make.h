/* records_make.h - what the readers of records share. */
#ifndef KS_EVAL_RECORDS_MAKE_H
#define KS_EVAL_RECORDS_MAKE_H

#include "eval/records.h"

void ks_record_clear(ks_record *r);
void ks_record_free(ks_record *r);
/* The new field, valid until the next one; NULL: no memory. Names and values are copied. */
ks_record_field *ks_record_field_add(ks_record *r, const char *name, size_t bytes);
int ks_record_value(ks_record_field *f, const char *text, size_t bytes); /* 0, -1: no memory */
/* The record, whole but for "@row", to `each`; it is empty afterwards. */
int ks_record_give(ks_record *r, ks_on_record *each, void *arg, ks_error *e);

int ks_records_json(const char *file, ks_on_record *each, void *arg, ks_error *e);

#endif
