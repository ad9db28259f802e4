/* no_gpu.c - a build without Vulkan's headers or without a compiler of shaders. */
#include "encoder/gpu.h"

static int none(ks_error *e)
{
    return ks_fail(e, KS_ENOTFOUND,
                   "this build has no GPU: libvulkan-dev or glslang-tools was not there");
}

int ks_gpu_list(ks_gpu_facts *facts, int max, ks_error *e)
{
    (void)facts, (void)max;
    none(e);
    return 0;
}

int ks_gpu_open(ks_gpu **gpu, ks_encoder *enc, int which, ks_error *e)
{
    (void)enc, (void)which;
    *gpu = NULL;
    return none(e);
}

void ks_gpu_close(ks_gpu *gpu) { (void)gpu; }

const ks_gpu_facts *ks_gpu_is(const ks_gpu *gpu)
{
    (void)gpu;
    return NULL;
}

ks_precision ks_gpu_precision(const ks_gpu *gpu)
{
    (void)gpu;
    return KS_BF16;
}

int ks_gpu_measure(ks_gpu_limits *limits, ks_gpu *gpu, ks_error *e)
{
    (void)limits, (void)gpu;
    return none(e);
}

void ks_gpu_set_rate(ks_gpu *gpu, double gflops) { (void)gpu, (void)gflops; }

int ks_gpu_takes(const ks_encoder *enc, int64_t rows)
{
    (void)enc, (void)rows;
    return 0;
}

uint32_t ks_gpu_code(void) { return 0; }

const ks_towers ks_gpu_towers = {.name = "none"};
