/* precision.c - in which arithmetic a library's vectors were made. Its space knows the class
 * alone (fp32 and bf16 are one); a setting a space, "precision/ID", names what the runs that had
 * something to encode used: "bf16", "fp32+bf16". */
#include "ingest/jobs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
    [KS_FP32] = "fp32", [KS_BF16] = "bf16", [KS_INT8] = "int8", [KS_INT16] = "int16"};

static void key_of(char key[40], int64_t space)
{
    snprintf(key, 40, "precision/%lld", (long long)space);
}

int ks_ingest_precision(char text[KS_PRECISION_TEXT], ks_index *x, int64_t space, ks_error *e)
{
    assert(text && x);
    char key[40];
    void *data = NULL;
    size_t bytes = 0;
    int err;

    text[0] = 0;
    key_of(key, space);
    if ((err = ks_index_get(&data, &bytes, x, key, e)) == 0 && data)
        snprintf(text, KS_PRECISION_TEXT, "%.*s", (int)(bytes < KS_PRECISION_TEXT ? bytes : 0),
                 (const char *)data);
    free(data);
    return err;
}

/* In the order of the enum, each once. */
int ks_precision_note(ks_index *x, int64_t space, const ks_embedder *c, ks_error *e)
{
    char key[40], had[KS_PRECISION_TEXT], now[KS_PRECISION_TEXT] = "";
    int err, mine = c->enc ? (int)ks_encoder_info(c->enc)->precision : KS_AUTO;

    if (mine == KS_AUTO || (err = ks_ingest_precision(had, x, space, e)) < 0)
        return mine == KS_AUTO ? 0 : err;
    for (int i = KS_FP32; i <= KS_INT16; i++)
        if (i == mine || strstr(had, names[i]))
            snprintf(now + strlen(now), sizeof now - strlen(now), "%s%s", *now ? "+" : "",
                     names[i]);
    if (strcmp(had, now) == 0) return 0;
    key_of(key, space);
    return ks_index_put(x, key, now, strlen(now), e);
}
