/* lookup.c - see lookup.h. */
#include "ingest/lookup.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The low bits choose the slot: a hash whose low bits are poor (an inode) is spread first. */
static size_t first_slot(uint64_t hash, size_t room)
{
    return (size_t)(hash * 0x9e3779b97f4a7c15u >> 20) & (room - 1);
}

static void put(ks_lookup *t, uint64_t hash, size_t number)
{
    size_t at = first_slot(hash, t->room);

    while (t->slot[at].number) at = (at + 1) & (t->room - 1);
    t->slot[at].hash = hash;
    t->slot[at].number = number + 1;
    t->n++;
}

static int grow(ks_lookup *t)
{
    ks_lookup more = {.room = t->room ? 2 * t->room : 256};

    if (!(more.slot = calloc(more.room, sizeof *more.slot))) return -1;
    for (size_t i = 0; i < t->room; i++)
        if (t->slot[i].number) put(&more, t->slot[i].hash, t->slot[i].number - 1);
    free(t->slot);
    *t = more;
    return 0;
}

int ks_lookup_put(ks_lookup *t, uint64_t hash, size_t number)
{
    assert(number < SIZE_MAX);
    if (2 * (t->n + 1) > t->room && grow(t) < 0) return -1;
    put(t, hash, number);
    return 0;
}

int ks_lookup_next(size_t *number, size_t *at, const ks_lookup *t, uint64_t hash)
{
    for (; *at < t->room; ++*at) {
        size_t slot = (first_slot(hash, t->room) + *at) & (t->room - 1);
        if (!t->slot[slot].number) return 0;
        if (t->slot[slot].hash != hash) continue;
        *number = t->slot[slot].number - 1;
        ++*at;
        return 1;
    }
    return 0;
}

void ks_lookup_free(ks_lookup *t)
{
    free(t->slot);
    *t = (ks_lookup){0};
}
