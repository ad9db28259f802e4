/* spm_build.c - see spm_build.h. */
#include "tests/spm_build.h"

#include <stdlib.h>
#include <string.h>

void ks_buffer_add(ks_buffer *b, const void *data, size_t n)
{
    if (b->n + n > b->room) {
        b->room = 2 * (b->n + n) + 64;
        b->at = realloc(b->at, b->room);
        if (!b->at) abort();
    }
    if (n) memcpy(b->at + b->n, data, n);
    b->n += n;
}

void ks_buffer_free(ks_buffer *b)
{
    free(b->at);
    memset(b, 0, sizeof *b);
}

static void varint(ks_buffer *b, uint64_t v)
{
    uint8_t byte;
    for (; v > 127; v >>= 7) ks_buffer_add(b, (byte = (uint8_t)(v | 128), &byte), 1);
    ks_buffer_add(b, (byte = (uint8_t)v, &byte), 1);
}

void ks_proto_varint(ks_buffer *b, unsigned field, uint64_t value)
{
    varint(b, field << 3);
    varint(b, value);
}

void ks_proto_float(ks_buffer *b, unsigned field, float value)
{
    varint(b, field << 3 | 5);
    ks_buffer_add(b, &value, 4);
}

void ks_proto_bytes(ks_buffer *b, unsigned field, const void *data, size_t n)
{
    varint(b, field << 3 | 2);
    varint(b, n);
    ks_buffer_add(b, data, n);
}

void ks_spm_piece(ks_buffer *model, const void *text, size_t n, float score, unsigned type)
{
    ks_buffer piece = {0};
    ks_proto_bytes(&piece, 1, text, n);
    ks_proto_float(&piece, 2, score);
    if (type != 1) ks_proto_varint(&piece, 3, type);
    ks_proto_bytes(model, 1, piece.at, piece.n);
    ks_buffer_free(&piece);
}

void ks_spm_sound(ks_buffer *model)
{
    ks_spm_piece(model, "<unk>", 5, 0.0f, 2);
    for (char c = 'a'; c <= 'z'; c++) ks_spm_piece(model, &c, 1, -2.0f - (float)(c - 'a'), 1);
}

void ks_spm_map(ks_buffer *model, const uint32_t *units, size_t n, const void *outputs,
                size_t bytes)
{
    ks_buffer map = {0}, normalizer = {0};
    uint32_t size = (uint32_t)(4 * n);
    ks_buffer_add(&map, &size, 4);
    ks_buffer_add(&map, units, 4 * n);
    ks_buffer_add(&map, outputs, bytes);
    ks_proto_bytes(&normalizer, 2, map.at, map.n);
    ks_proto_bytes(model, 3, normalizer.at, normalizer.n);
    ks_buffer_free(&map);
    ks_buffer_free(&normalizer);
}

/* A unit's offset so that p ^ offset == to: below 2^21 it stands in the bits from 10 on. */
static uint32_t offset_bits(uint32_t p, uint32_t to) { return (p ^ to) << 10; }

void ks_trie_empty(uint32_t *units, size_t n)
{
    for (size_t i = 0; i < n; i++) units[i] = 0x80000001u; /* a value: no byte matches it */
    units[0] = offset_bits(0, KS_TRIE_ROOT);
}

void ks_trie_edge(uint32_t *units, uint32_t from, uint8_t c, uint32_t to, int value)
{
    uint32_t p = from ^ c;
    units[p] = offset_bits(p, to) | c | (value >= 0 ? 0x100 : 0);
    if (value >= 0) units[to] = 0x80000000u | (uint32_t)value;
}
