/* device.h - which device computes: this CPU, or a GPU that has proven itself here.
 *
 * First use of a GPU with a model runs a seeded clip and five sentences on it and on this CPU in
 * fp32, stage by stage (device_proof.c), and times both; the answer is kept in the cache as
 * HASH.gpu-KEY and holds for this driver and these shaders. From then on a frame and a clip in a
 * thousand, at random, are computed by the CPU in fp32, too. Whatever a GPU fails at, the CPU
 * does over: the caller sees a notice and the right answer. */
#ifndef KS_DEVICE_H
#define KS_DEVICE_H

#include "encoder/gpu.h"

typedef struct {
    int known; /* 0: never tried */
    int good;
    double seconds, cpu_seconds; /* a clip */
    double gflops;
    char stage[64]; /* where it failed */
} ks_gpu_proof;

/* By options->device; see encoder.h. KS_EUSAGE: no such word; KS_ENOTFOUND: a GPU was asked for
 * and none is there. */
int ks_device_open(ks_encoder *enc, const ks_encoder_options *o, ks_error *e);
void ks_device_close(ks_encoder *enc);
/* The GPU in use with its driver, in one word; "" where the CPU computes. */
const char *ks_device_name(const ks_encoder *enc);

/* --- device_proof.c --- enc->gpu is open. A GPU that fails is no error: proof->good is 0. */
int ks_gpu_prove(ks_gpu_proof *proof, ks_encoder *enc, const ks_encoder_options *o, ks_error *e);
/* 1 - cos; 2 where one is not finite or has no length */
double ks_apart(const float *a, const float *b, int64_t n);
/* What vectors of the bf16 class may be from fp32, and rows of a stage. (Two runs in bf16 on real
 * clips may be further apart than that: a GPU is compared with fp32 alone.) */
#define KS_APART 1e-3

#endif
