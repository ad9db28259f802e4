/* model_hash.c - who a model is, without reading a gigabyte: names, types, shapes and CRCs. */
#include "encoder/weights.h"

#include <sha2.h>
#include <string.h>

static void finish(SHA2_CTX *sha, char out[KS_HASH_HEX])
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256Final(digest, sha);
    for (size_t i = 0; i < sizeof digest; i++) snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

void ks_weights_hash(char out[KS_HASH_HEX], const ks_checkpoint *cp, const uint32_t *crcs)
{
    SHA2_CTX sha;
    char shape[160], line[KS_NAME_MAX + 200];
    SHA256Init(&sha);
    for (int i = 0; i < cp->n; i++) { /* sorted by name at open */
        const ks_tensor *t = &cp->tensors[i];
        int n = snprintf(line, sizeof line, "%s %s %s %08x\n", t->name, ks_dtype_name(t->dtype),
                         ks_shape_text(shape, t->shape, t->rank), crcs ? crcs[i] : t->crc);
        SHA256Update(&sha, (const uint8_t *)line, (size_t)n);
    }
    finish(&sha, out);
}

void ks_model_hash(char out[KS_HASH_HEX], const char *weights, const char *tokenizer)
{
    SHA2_CTX sha;
    if (!tokenizer || !tokenizer[0]) {
        memmove(out, weights, KS_HASH_HEX);
        return;
    }
    SHA256Init(&sha);
    SHA256Update(&sha, (const uint8_t *)weights, strlen(weights));
    SHA256Update(&sha, (const uint8_t *)"\n", 1);
    SHA256Update(&sha, (const uint8_t *)tokenizer, strlen(tokenizer));
    finish(&sha, out);
}
