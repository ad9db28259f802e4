/* arena.h - the one scratch block of an encoder: sized before a pass, sliced during it.
 *
 * A pass says what it needs (ks_arena_reserve), then takes slices; nothing is freed singly. The
 * block only grows, so a warm pass allocates nothing. */
#ifndef KS_ARENA_H
#define KS_ARENA_H

#include "ks.h"

typedef struct {
    char *block;
    size_t size, used;
} ks_arena;

enum { KS_ALIGN = 64 }; /* one cache line, one AVX-512 register */

/* Forget all slices; make room for `bytes` in all (each slice is rounded up to KS_ALIGN: count
 * that). KS_ENOMEM. */
int ks_arena_reserve(ks_arena *arena, size_t bytes, ks_error *e);
/* Uninitialised, KS_ALIGN-aligned. Asserts that it was reserved. */
void *ks_arena_take(ks_arena *arena, size_t bytes);
void ks_arena_free(ks_arena *arena);
/* What a slice of count * size bytes takes of the arena; SIZE_MAX / 4 on overflow (never
 * granted). */
size_t ks_slice(size_t count, size_t size);

#endif
