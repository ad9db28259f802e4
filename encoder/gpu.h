/* gpu.h - what the rest of encoder/ sees of a GPU, whether this build has one or not
 * (vulkan_*.c, or no_gpu.c). */
#ifndef KS_GPU_H
#define KS_GPU_H

#include "encoder/tower.h"

typedef struct ks_gpu ks_gpu;

typedef struct {
    char name[256];
    /* name, driver version and build, device, in one word: what a proof holds for */
    char key[400];
    int is_cpu;                      /* no GPU at all: a driver that computes on this CPU */
    int place;                       /* in the driver's list */
    uint32_t vendor, device, driver; /* numbers of Vulkan's; driver: its version */
} ks_gpu_facts;

/* What is here, in the driver's order; 0 with a sentence where nothing is. */
int ks_gpu_list(ks_gpu_facts *facts, int max, ks_error *e);
/* Weights and shaders onto GPU `which` of that list, -1: the best of them, one of a CPU last.
 * enc's CPU towers are open. KS_ENOTFOUND, KS_ENOMEM, KS_EIO. */
int ks_gpu_open(ks_gpu **gpu, ks_encoder *enc, int which, ks_error *e);
void ks_gpu_close(ks_gpu *gpu); /* NULL is fine */
const ks_gpu_facts *ks_gpu_is(const ks_gpu *gpu);
ks_precision ks_gpu_precision(const ks_gpu *gpu);
int ks_gpu_measure(ks_gpu_limits *limits, ks_gpu *gpu, ks_error *e); /* but the name */
/* What it was measured at, so that no dispatch takes longer than 20 ms. */
void ks_gpu_set_rate(ks_gpu *gpu, double gflops);
/* 1: a pass over rows of this model fits into buffers that every device takes */
int ks_gpu_takes(const ks_encoder *enc, int64_t rows);
/* changes whenever a shader does */
uint32_t ks_gpu_code(void);
extern const ks_towers ks_gpu_towers; /* of enc->gpu, which is open */

#endif
