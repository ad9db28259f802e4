/* kept.h - the record of a kept vector, as both of its files have it (kept.c, kept_log.c). */
#ifndef KS_KEPT_H
#define KS_KEPT_H

#include "encoder/tower.h"

/* A file is this header and records of key[KS_KEPT_KEY], uint32 CRC-32 of key and vector, float
 * v[D], in the writer's byte order. */
enum { KS_KEPT_KEY = 32 };
typedef struct {
    char magic[8];
    uint32_t one, dim;
} ks_kept_header;

ks_kept_header ks_kept_header_of(const ks_encoder *enc);
size_t ks_kept_record_bytes(const ks_encoder *enc);
/* SHA-256 of all that a vector's bits come from; every part ends with its NUL, so that no two
 * lists of parts are the same bytes. */
void ks_kept_key(uint8_t key[KS_KEPT_KEY], const ks_encoder *enc, const char *how,
                 const char *what);
uint32_t ks_kept_sum(const uint8_t *key, const void *v, size_t bytes);

#endif
