/* tokens.c - see tokens.h. */
#include "encoder/tokens.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "encoder/arena.h"

/* Idle buffers kept: two LvT-B clips. 25 MB at most for it, 33 MB for LvT-L's width. */
enum { IDLE_MAX = 32 };

struct ks_tokens {
    atomic_int references;
    ks_token_store *store;
    ks_tokens *next; /* while idle */
    int grid, dim, masked;
    uint64_t serial;
    float *x; /* [grid * grid, dim], KS_ALIGN-aligned */
};

struct ks_token_store {
    pthread_mutex_t lock;
    ks_tokens *idle;
    int n_idle, live, open; /* tokens in use; 1 until the encoder closes */
    uint64_t serial;        /* of the newest */
};

int ks_token_store_open(ks_token_store **store, ks_error *e)
{
    *store = calloc(1, sizeof **store);
    if (!*store) return ks_fail(e, KS_ENOMEM, "no memory for frame tokens");
    pthread_mutex_init(&(*store)->lock, NULL);
    (*store)->open = 1;
    return 0;
}

static void discard(ks_tokens *tokens)
{
    free(tokens->x);
    free(tokens);
}

/* With the lock held; lets it go. */
static void end_if_last(ks_token_store *store)
{
    int last = !store->open && store->live == 0;
    while (!store->open && store->idle) {
        ks_tokens *next = store->idle->next;
        discard(store->idle);
        store->idle = next;
    }
    pthread_mutex_unlock(&store->lock);
    if (last) {
        pthread_mutex_destroy(&store->lock);
        free(store);
    }
}

void ks_token_store_close(ks_token_store *store)
{
    if (!store) return;
    pthread_mutex_lock(&store->lock);
    store->open = 0;
    end_if_last(store);
}

/* An idle buffer of this size, or NULL; buffers of another size go. */
static ks_tokens *reuse(ks_token_store *store, int grid, int dim)
{
    ks_tokens *found = NULL;
    while (store->idle && !found) {
        ks_tokens *first = store->idle;
        store->idle = first->next;
        store->n_idle--;
        if (first->grid == grid && first->dim == dim) found = first;
        else discard(first);
    }
    return found;
}

static ks_tokens *allocate(ks_token_store *store, int grid, int dim)
{
    ks_tokens *tokens = calloc(1, sizeof *tokens);
    if (!tokens) return NULL;
    tokens->x = aligned_alloc(KS_ALIGN,
                              ks_slice((size_t)grid * (size_t)grid * (size_t)dim, sizeof(float)));
    if (!tokens->x) {
        free(tokens);
        return NULL;
    }
    tokens->store = store;
    tokens->grid = grid;
    tokens->dim = dim;
    return tokens;
}

int ks_tokens_new(ks_tokens **out, ks_token_store *store, int grid, int dim, ks_error *e)
{
    pthread_mutex_lock(&store->lock);
    ks_tokens *tokens = reuse(store, grid, dim);
    if (!tokens) tokens = allocate(store, grid, dim);
    store->live += tokens != NULL;
    if (tokens) tokens->serial = ++store->serial;
    pthread_mutex_unlock(&store->lock);
    *out = tokens;
    if (!tokens)
        return ks_fail(e, KS_ENOMEM, "no memory for the tokens of a frame (%d x %d places)", grid,
                       grid);
    tokens->masked = 0;
    atomic_store(&tokens->references, 1);
    return 0;
}

ks_tokens *ks_tokens_keep(ks_tokens *tokens)
{
    assert(tokens);
    atomic_fetch_add(&tokens->references, 1);
    return tokens;
}

void ks_tokens_free(ks_tokens *tokens)
{
    if (!tokens || atomic_fetch_sub(&tokens->references, 1) != 1) return;
    ks_token_store *store = tokens->store;
    pthread_mutex_lock(&store->lock);
    store->live--;
    if (store->open && store->n_idle < IDLE_MAX) {
        tokens->next = store->idle;
        store->idle = tokens;
        store->n_idle++;
    } else {
        discard(tokens);
    }
    end_if_last(store);
}

float *ks_tokens_x(ks_tokens *tokens) { return tokens->x; }

int ks_tokens_grid(const ks_tokens *tokens) { return tokens->grid; }

int ks_tokens_dim(const ks_tokens *tokens) { return tokens->dim; }

int ks_tokens_masked(const ks_tokens *tokens) { return tokens->masked; }

void ks_tokens_mask(ks_tokens *tokens, int masked) { tokens->masked = masked; }

uint64_t ks_tokens_serial(const ks_tokens *tokens) { return tokens->serial; }
