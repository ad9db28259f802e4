/* safetensors.c (fuzz) - header, binding, every element of a safetensors file. The first 8 bytes
 * are set right for half of the inputs, so that the JSON is reached. */
#include "encoder/weights.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one(const uint8_t *data, size_t size)
{
    ks_checkpoint *cp;
    ks_binding b;
    ks_error e = {0};
    int err = ks_checkpoint_open_memory(&cp, "f.safetensors", data, size, &e);
    if (err) {
        if (e.code != err || strncmp(e.msg, "f.safetensors: ", 15) != 0) abort();
        return;
    }
    for (int i = 0; i < cp->n; i++) {
        const ks_tensor *t = &cp->tensors[i];
        if (t->offset + t->stored > size || t->bytes != t->stored) abort();
        ks_tensor_read(cp, t, NULL, NULL, NULL, &e);
    }
    if (ks_bind(&b, cp, &e) == 0) {
        ks_bind_read(&b, cp, NULL, NULL, &e);
        ks_binding_free(&b);
    }
    ks_checkpoint_close(cp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    one(data, size);
    /* The header ends where the last '}' is. */
    size_t end = size;
    while (end > 8 && data[end - 1] != '}') end--;
    if (end <= 8) return 0;
    uint8_t *copy = malloc(size);
    uint64_t length = end - 8;
    if (!copy) abort();
    memcpy(copy, data, size);
    memcpy(copy, &length, 8);
    one(copy, size);
    free(copy);
    return 0;
}
