/* gpu_encoders.h - encoders of the fixtures' models on a GPU (a part of test_gpu*.c): opened,
 * asked, and what they had to say. */
#ifndef KS_GPU_ENCODERS_H
#define KS_GPU_ENCODERS_H

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "encoder/encoder.h"
#include "tests/vulkan_between.h"

enum { SIDE = 54 }; /* pixels */

static char cache[] = "/tmp/ks-gpu-XXXXXX";

static struct {
    int n;
    char last[512];
} notices;

static inline void noticed(void *arg, const char *sentence)
{
    (void)arg;
    notices.n++;
    snprintf(notices.last, sizeof notices.last, "%s", sentence);
}

static inline int open_as(ks_encoder **enc, const char *model, const char *device,
                          ks_precision precision, ks_error *e)
{
    char path[160];
    snprintf(path, sizeof path, "tests/fixtures/%s", model);
    ks_encoder_options o = {.model = path,
                            .precision = precision,
                            .device = device,
                            .threads = 2,
                            .cache = cache,
                            .notice = noticed};
    notices.n = 0;
    return ks_encoder_open(enc, &o, e);
}

/* On the GPU, and it is one: a notice would say that the CPU took over. */
static inline ks_encoder *gpu_of(const char *model, ks_precision precision)
{
    ks_encoder *enc;
    ks_error e = {0};
    ck_assert_msg(open_as(&enc, model, "gpu", precision, &e) == 0, "%s: %s", model, e.msg);
    ck_assert_msg(notices.n == 0, "%s: %s", model, notices.last);
    return enc;
}

static inline ks_encoder *cpu_of(const char *model, ks_precision precision)
{
    ks_encoder *enc;
    ks_error e = {0};
    int err = open_as(&enc, model, "cpu", precision, &e);
    ck_assert_msg(err == 0 || (precision == KS_BF16 && strstr(e.msg, "this CPU lacks")), "%s",
                  e.msg);
    return enc;
}

static inline void tokens_of(ks_tokens **tokens, ks_encoder *enc, const uint8_t *px, int n,
                             int at_once)
{
    const uint8_t *at[64];
    ks_error e = {0};
    for (int i = 0; i < n; i++) at[i] = px + (size_t)i * SIDE * SIDE * 3;
    for (int i = 0; i < n; i += at_once)
        ck_assert_msg(ks_frames_tokens(tokens + i, enc, at + i, n - i < at_once ? n - i : at_once,
                                       SIDE, &e) == 0,
                      "%s", e.msg);
}

static inline void clip_vectors(float *v, float *frames, ks_encoder *enc, const uint8_t *px, int n,
                                int at_once)
{
    ks_tokens *tokens[64];
    ks_error e = {0};
    tokens_of(tokens, enc, px, n, at_once);
    ck_assert_msg(ks_clip_vector(v, frames, enc, tokens, n, &e) == 0, "%s", e.msg);
    for (int i = 0; i < n; i++) ks_tokens_free(tokens[i]);
}

#endif
