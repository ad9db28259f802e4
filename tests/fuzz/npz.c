/* npz.c (fuzz) - a whole npz: directory, headers, binding, every element. Whatever the bytes: an
 * answer, a sentence naming the file for every error, and never more memory than the input
 * allows. */
#include "encoder/weights.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ks_checkpoint *cp;
    ks_binding b;
    ks_error e = {0};
    int err = ks_checkpoint_open_memory(&cp, "f", data, size, &e);
    if (err) {
        if (e.code != err || strncmp(e.msg, "f: ", 3) != 0) abort();
        return 0;
    }
    for (int i = 0; i < cp->n; i++) {
        const ks_tensor *t = &cp->tensors[i];
        if (t->count < 0 || (uint64_t)t->count > 1032 * (uint64_t)size + 4096) abort();
        if (!t->deflated && t->offset + t->stored > size) abort();
        if (t->bytes < 1 << 20 && t->dtype <= KS_DTYPE_BF16)
            ks_tensor_read(cp, t, NULL, NULL, NULL, &e);
    }
    if (ks_bind(&b, cp, &e) == 0) {
        ks_bind_read(&b, cp, NULL, NULL, &e);
        ks_binding_free(&b);
    } else if (strncmp(e.msg, "f: ", 3) != 0) {
        abort();
    }
    ks_checkpoint_close(cp);
    return 0;
}
