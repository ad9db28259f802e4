/* model_table.c - the layouts that random models can have; a file's hash. */
#include "cli/model_table.h"

#include <assert.h>
#include <errno.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>

int ks_file_sha256(char out[65], const char *path, ks_error *e)
{
    assert(out && path);
    enum { BLOCK = 1 << 20 };
    SHA2_CTX sha;
    uint8_t digest[SHA256_DIGEST_LENGTH], *block = malloc(BLOCK);
    if (!block) return ks_fail(e, KS_ENOMEM, "%s: no memory to read it", path);
    FILE *f = fopen(path, "rb");
    int err = f ? 0
                : ks_fail(e, errno == ENOENT ? KS_ENOTFOUND : KS_EIO, "%s: %s", path,
                          strerror(errno));
    SHA256Init(&sha);
    for (size_t n; !err && (n = fread(block, 1, BLOCK, f)) > 0;) SHA256Update(&sha, block, n);
    if (!err && ferror(f)) err = ks_fail(e, KS_EIO, "%s: %s", path, strerror(errno));
    if (f) fclose(f);
    free(block);
    SHA256Final(digest, &sha);
    for (size_t i = 0; i < sizeof digest; i++) snprintf(out + 2 * i, 3, "%02x", digest[i]);
    return err;
}

/* Released and configured upstream (models.py of the official code); toys are ours. */
/* clang-format off */
static const struct { const char *name; ks_info info; } likes[] = {
    {"lvt-base", {.kind = KS_LVT, .dim = 768, .heads = 12, .mlp = 3072, .spatial = 12,
         .temporal = 4, .auxiliary = 2, .text = 12, .frames = 16, .grid = 16, .patch = 18,
         .vocabulary = 32000, .dtype = "f4"}},
    {"lvt-large", {.kind = KS_LVT, .dim = 1024, .heads = 16, .mlp = 4096, .spatial = 24,
         .temporal = 4, .auxiliary = 2, .text = 12, .frames = 8, .grid = 16, .patch = 18,
         .vocabulary = 32000, .dtype = "f4"}},
    {"lvt-giant", {.kind = KS_LVT, .dim = 1408, .heads = 16, .mlp = 6144, .spatial = 40,
         .temporal = 4, .auxiliary = 2, .text = 16, .frames = 8, .grid = 16, .patch = 18,
         .vocabulary = 32000, .text_hybrid = 1, .dtype = "f4"}},
    {"base", {.kind = KS_ENCODER, .dim = 768, .heads = 12, .mlp = 3072, .spatial = 12,
         .temporal = 4, .frames = 16, .grid = 16, .patch = 18, .dtype = "f4"}},
    {"large", {.kind = KS_ENCODER, .dim = 1024, .heads = 16, .mlp = 4096, .spatial = 24,
         .temporal = 4, .frames = 8, .grid = 16, .patch = 18, .dtype = "f4"}},
    {"giant", {.kind = KS_ENCODER, .dim = 1408, .heads = 16, .mlp = 6144, .spatial = 40,
         .temporal = 4, .frames = 8, .grid = 16, .patch = 18, .dtype = "f4"}},
    {"classifier-base", {.kind = KS_CLASSIFIER, .dim = 768, .heads = 12, .mlp = 3072, .spatial = 12,
         .temporal = 4, .frames = 16, .grid = 16, .patch = 18, .classes = 400, .dtype = "f4"}},
    {"lvt-toy", {.kind = KS_LVT, .dim = 32, .heads = 4, .mlp = 64, .spatial = 2, .temporal = 1,
         .auxiliary = 1, .text = 2, .frames = 4, .grid = 3, .patch = 18, .vocabulary = 1000,
         .dtype = "f4"}},
    {"lvt-toy-hybrid", {.kind = KS_LVT, .dim = 32, .heads = 4, .mlp = 64, .spatial = 2,
         .temporal = 1, .auxiliary = 1, .text = 2, .frames = 4, .grid = 3, .patch = 18,
         .vocabulary = 1000, .text_hybrid = 1, .dtype = "f4"}},
    {"toy", {.kind = KS_ENCODER, .dim = 32, .heads = 4, .mlp = 64, .spatial = 2, .temporal = 1,
         .frames = 4, .grid = 3, .patch = 18, .dtype = "f4"}},
    {"classifier-toy", {.kind = KS_CLASSIFIER, .dim = 32, .heads = 4, .mlp = 64, .spatial = 2,
         .temporal = 1, .frames = 4, .grid = 3, .patch = 18, .classes = 5, .dtype = "f4"}},
};
/* clang-format on */

const ks_info *ks_like_find(const char *name)
{
    for (size_t i = 0; i < sizeof likes / sizeof *likes; i++)
        if (strcmp(likes[i].name, name) == 0) return &likes[i].info;
    return NULL;
}

const char *ks_like_names(void)
{
    return "lvt-base|lvt-large|lvt-giant|base|large|giant|classifier-base|lvt-toy|lvt-toy-hybrid|"
           "toy|classifier-toy";
}
