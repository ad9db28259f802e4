/* json_read.h - JSON of a model's files. */
#ifndef KS_JSON_READ_H
#define KS_JSON_READ_H

#include <jansson.h>

#include "encoder/checkpoint.h"

/* n bytes at `at` as JSON without duplicate keys; *root a new reference. KS_EIO, KS_EFORMAT,
 * KS_ENOMEM. */
int ks_json_read(json_t **root, const ks_bytes *bytes, const char *path, uint64_t at, size_t n,
                 ks_error *e);

#endif
