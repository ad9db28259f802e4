/* frame_set.c - see frame_set.h. */
#include "encoder/frame_set.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void ks_frame_set_free(ks_frame_set *s)
{
    free(s->pictures);
    free(s->masked);
    free(s->tokens);
    free(s->prints);
    free(s->which);
    *s = (ks_frame_set){0};
}

int ks_frame_set_start(ks_frame_set *s, int n, ks_error *e)
{
    size_t count = (size_t)n;
    s->n = s->unique = 0;
    if (n <= s->room) return 0;
    ks_frame_set_free(s);
    s->pictures = calloc(count, sizeof *s->pictures);
    s->masked = calloc(count, 1);
    s->tokens = calloc(count, sizeof(ks_tokens *));
    s->prints = calloc(count, sizeof *s->prints);
    s->which = calloc(count, sizeof *s->which);
    if (!s->pictures || !s->masked || !s->tokens || !s->prints || !s->which) {
        ks_frame_set_free(s);
        return ks_fail(e, KS_ENOMEM, "no memory for %d frames", n);
    }
    s->room = n;
    return 0;
}

static size_t bytes_of(const ks_picture *picture)
{
    size_t side = (size_t)picture->G * (size_t)picture->P;
    return side * side * 3 * (picture->is_float ? sizeof(float) : 1);
}

/* Finds candidates; equality is memcmp's word. */
static uint64_t fingerprint(const void *px, size_t bytes)
{
    const unsigned char *p = px;
    uint64_t h = bytes, word;
    for (size_t i = 0; i + sizeof word <= bytes; i += sizeof word) {
        memcpy(&word, p + i, sizeof word);
        h = (h ^ word) * 0x9E3779B97F4A7C15u;
        h ^= h >> 29;
    }
    return h;
}

void ks_frame_set_add(ks_frame_set *s, const ks_picture *picture, int masked, int share)
{
    size_t bytes = bytes_of(picture);
    uint64_t print = fingerprint(picture->px, bytes);
    assert(s->n < s->room);
    int k = share ? 0 : s->unique;
    while (k < s->unique && (s->prints[k] != print || s->masked[k] != masked ||
                             memcmp(s->pictures[k].px, picture->px, bytes) != 0))
        k++;
    if (k == s->unique) {
        s->pictures[k] = *picture;
        s->masked[k] = (uint8_t)masked;
        s->prints[k] = print;
        s->unique++;
    }
    s->which[s->n++] = k;
}
