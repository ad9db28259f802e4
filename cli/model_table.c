/* model_table.c - reads models/released.tsv; the layouts that random models can have. */
#include "cli/model_table.h"

#include <errno.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>

static int take_line(ks_release *row, char *line)
{
    char *field[6], *save = NULL;
    int n = 0;
    for (char *f = strtok_r(line, "\t\n", &save); f && n < 6; f = strtok_r(NULL, "\t\n", &save)) field[n++] = f;
    if (n != 6) return -1;
    snprintf(row->name, sizeof row->name, "%s", field[0]);
    snprintf(row->part, sizeof row->part, "%s", field[1]);
    snprintf(row->file, sizeof row->file, "%s", field[2]);
    row->bytes = strtoll(field[3], NULL, 10);
    snprintf(row->sha256, sizeof row->sha256, "%s", strcmp(field[4], "-") == 0 ? "" : field[4]);
    snprintf(row->url, sizeof row->url, "%s", field[5]);
    return 0;
}

int ks_releases_read(ks_releases *r, const ks_globals *g, ks_error *e)
{
    char line[1024], *path = NULL;
    *r = (ks_releases){0};
    int err = ks_locate_data(&path, g, "models/released.tsv", e);
    if (err) return err;
    FILE *f = fopen(path, "r");
    if (!f) err = ks_fail(e, KS_EIO, "%s: %s", path, strerror(errno));
    while (!err && fgets(line, sizeof line, f)) {
        if (line[0] == '#' || line[0] == '\n') continue;
        ks_release *more = realloc(r->at, (size_t)(r->n + 1) * sizeof *more);
        if (!more) {
            err = ks_fail(e, KS_ENOMEM, "%s: no memory to read it", path);
            break;
        }
        r->at = more;
        if (take_line(&more[r->n], line) == 0) r->n++;
        else err = ks_fail(e, KS_EFORMAT, "%s: a line has not six fields", path);
    }
    if (f) fclose(f);
    free(path);
    if (err) ks_releases_free(r);
    return err;
}

void ks_releases_free(ks_releases *r)
{
    free(r->at);
    *r = (ks_releases){0};
}

const ks_release *ks_release_find(const ks_releases *r, const char *name, const char *part)
{
    for (int i = 0; i < r->n; i++)
        if (strcmp(r->at[i].name, name) == 0 && strcmp(r->at[i].part, part) == 0) return &r->at[i];
    return NULL;
}

int ks_file_sha256(char out[65], const char *path, ks_error *e)
{
    enum { BLOCK = 1 << 20 };
    SHA2_CTX sha;
    uint8_t digest[SHA256_DIGEST_LENGTH], *block = malloc(BLOCK);
    if (!block) return ks_fail(e, KS_ENOMEM, "%s: no memory to read it", path);
    FILE *f = fopen(path, "rb");
    int err = f ? 0 : ks_fail(e, errno == ENOENT ? KS_ENOTFOUND : KS_EIO, "%s: %s", path, strerror(errno));
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
static const struct { const char *name; ks_info info; } likes[] = {
    {"lvt-base", {.kind = KS_LVT, .dim = 768, .heads = 12, .mlp = 3072, .spatial = 12, .temporal = 4, .auxiliary = 2, .text = 12, .frames = 16, .grid = 16, .patch = 18, .vocabulary = 32000, .dtype = "f4"}},
    {"lvt-large", {.kind = KS_LVT, .dim = 1024, .heads = 16, .mlp = 4096, .spatial = 24, .temporal = 4, .auxiliary = 2, .text = 12, .frames = 8, .grid = 16, .patch = 18, .vocabulary = 32000, .dtype = "f4"}},
    {"lvt-giant", {.kind = KS_LVT, .dim = 1408, .heads = 16, .mlp = 6144, .spatial = 40, .temporal = 4, .auxiliary = 2, .text = 16, .frames = 8, .grid = 16, .patch = 18, .vocabulary = 32000, .text_hybrid = 1, .dtype = "f4"}},
    {"base", {.kind = KS_ENCODER, .dim = 768, .heads = 12, .mlp = 3072, .spatial = 12, .temporal = 4, .frames = 16, .grid = 16, .patch = 18, .dtype = "f4"}},
    {"large", {.kind = KS_ENCODER, .dim = 1024, .heads = 16, .mlp = 4096, .spatial = 24, .temporal = 4, .frames = 8, .grid = 16, .patch = 18, .dtype = "f4"}},
    {"giant", {.kind = KS_ENCODER, .dim = 1408, .heads = 16, .mlp = 6144, .spatial = 40, .temporal = 4, .frames = 8, .grid = 16, .patch = 18, .dtype = "f4"}},
    {"classifier-base", {.kind = KS_CLASSIFIER, .dim = 768, .heads = 12, .mlp = 3072, .spatial = 12, .temporal = 4, .frames = 16, .grid = 16, .patch = 18, .classes = 400, .dtype = "f4"}},
    {"lvt-toy", {.kind = KS_LVT, .dim = 32, .heads = 4, .mlp = 64, .spatial = 2, .temporal = 1, .auxiliary = 1, .text = 2, .frames = 4, .grid = 3, .patch = 18, .vocabulary = 1000, .dtype = "f4"}},
    {"lvt-toy-hybrid", {.kind = KS_LVT, .dim = 32, .heads = 4, .mlp = 64, .spatial = 2, .temporal = 1, .auxiliary = 1, .text = 2, .frames = 4, .grid = 3, .patch = 18, .vocabulary = 1000, .text_hybrid = 1, .dtype = "f4"}},
    {"toy", {.kind = KS_ENCODER, .dim = 32, .heads = 4, .mlp = 64, .spatial = 2, .temporal = 1, .frames = 4, .grid = 3, .patch = 18, .dtype = "f4"}},
    {"classifier-toy", {.kind = KS_CLASSIFIER, .dim = 32, .heads = 4, .mlp = 64, .spatial = 2, .temporal = 1, .frames = 4, .grid = 3, .patch = 18, .classes = 5, .dtype = "f4"}},
};

const ks_info *ks_like_find(const char *name)
{
    for (size_t i = 0; i < sizeof likes / sizeof *likes; i++)
        if (strcmp(likes[i].name, name) == 0) return &likes[i].info;
    return NULL;
}

const char *ks_like_names(void)
{
    return "lvt-base|lvt-large|lvt-giant|base|large|giant|classifier-base|lvt-toy|lvt-toy-hybrid|toy|classifier-toy";
}
