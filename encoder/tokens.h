/* tokens.h - spatial tokens of frames, shared by all clips that hold the frame.
 *
 * A store keeps freed buffers for the next frames, so that a warm pass allocates nothing. Tokens
 * may outlive their encoder: the store goes with the last of them. Any thread may keep and free. */
#ifndef KS_TOKENS_H
#define KS_TOKENS_H

#include "encoder/encoder.h"

typedef struct ks_token_store ks_token_store;

int ks_token_store_open(ks_token_store **store, ks_error *e);
void ks_token_store_close(ks_token_store *store); /* NULL is fine */
/* One reference; x uninitialised. KS_ENOMEM. */
int ks_tokens_new(ks_tokens **out, ks_token_store *store, int grid, int dim, ks_error *e);

float *ks_tokens_x(ks_tokens *tokens); /* [G*G, D] */
int ks_tokens_grid(const ks_tokens *tokens);
int ks_tokens_dim(const ks_tokens *tokens);
int ks_tokens_masked(const ks_tokens *tokens); /* 1: of a padded frame */
uint64_t ks_tokens_serial(
    const ks_tokens *tokens); /* no other of its encoder's has or had it; > 0 */
void ks_tokens_mask(ks_tokens *tokens, int masked);

#endif
