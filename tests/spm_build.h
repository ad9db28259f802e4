/* spm_build.h - writes sentencepiece models by hand, sound or with one fault, for tests. */
#ifndef KS_SPM_BUILD_H
#define KS_SPM_BUILD_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint8_t *at;
    size_t n, room;
} ks_buffer;

void ks_buffer_add(ks_buffer *b, const void *data, size_t n);
void ks_buffer_free(ks_buffer *b);

/* protobuf: a key with a varint, four bytes, or bytes behind it */
void ks_proto_varint(ks_buffer *b, unsigned field, uint64_t value);
void ks_proto_float(ks_buffer *b, unsigned field, float value);
void ks_proto_bytes(ks_buffer *b, unsigned field, const void *data, size_t n);

/* One piece of a model. type: 1 normal, 2 unknown, 3 control, 4 user-defined. */
void ks_spm_piece(ks_buffer *model, const void *text, size_t n, float score, unsigned type);
/* "<unk>", then single letters: a sound model of 27 pieces, without trainer and normalizer. */
void ks_spm_sound(ks_buffer *model);
/* A normalizer with this character map: units[n] and outputs. */
void ks_spm_map(ks_buffer *model, const uint32_t *units, size_t n, const void *outputs,
                size_t bytes);

/* Three blocks of 256 units: the root (unit 0) leads to base 256, all else is empty. */
enum { KS_TRIE_UNITS = 768, KS_TRIE_ROOT = 256, KS_TRIE_NEXT = 512 };
void ks_trie_empty(uint32_t *units, size_t n);
/* From base `from`, byte c leads to base `to`; value >= 0: a rule ends there. */
void ks_trie_edge(uint32_t *units, uint32_t from, uint8_t c, uint32_t to, int value);

#endif
