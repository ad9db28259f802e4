/* device.h - which device computes: this CPU, or a GPU that has proven itself here.
 *
 * First use of a GPU with a model runs a seeded clip and five sentences on it and on this CPU in
 * fp32, stage by stage (device_proof.c), and times both; the answer is kept in the cache as
 * HASH.gpu-KEY and holds for this driver and these shaders. From then on a frame and a clip in a
 * thousand, at random, are computed by the CPU in fp32, too (device_sample.c), and of every call's
 * sentences one. Whatever a GPU fails at, the CPU does over: the caller sees a notice and the right
 * answer. What came before a sample that does not hold, ks_gpu_trusted tells of: it is the caller's
 * to do over. */
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

/* --- device_known.c --- What was proven with enc's model, by way of the cache. */
void ks_gpu_recall(ks_gpu_proof *p, const ks_encoder *enc, const ks_gpu_facts *f,
                   ks_precision precision);
void ks_gpu_remember(const ks_gpu_proof *p, const ks_encoder *enc); /* of enc->gpu */

/* --- device_proof.c --- enc->gpu is open. A GPU that fails is no error: proof->good is 0. */
int ks_gpu_prove(ks_gpu_proof *proof, ks_encoder *enc, const ks_encoder_options *o, ks_error *e);
/* 1 - cos; 2 where one is not finite or has no length */
double ks_apart(const float *a, const float *b, int64_t n);

/* --- device_sample.c --- The newest frame and clip of a GPU's are kept, to be compared at any
 * time. */
typedef struct {
    int64_t held, unproven; /* as in ks_gpu_trust */
    uint64_t random;
    int clip, frame;    /* how many from now the next one is that is checked */
    ks_encoder *exact;  /* this model on the CPU in fp32, from the first check on */
    char *cache;        /* its folder of packs; NULL: the usual one */
    ks_picture picture; /* of the newest frame: px is `pixels`; NULL: it was compared */
    void *pixels;
    size_t room; /* bytes of pixels */
    int masked;
    ks_tokens *tokens;       /* what was made of it */
    ks_tokens **clip_frames; /* [T] of the newest clip; T 0: it was compared */
    int T, room_clip;
    float *vector; /* [D] what was made of them */
} ks_samples;

int ks_samples_open(ks_samples *s, const char *cache, int dim, ks_error *e);
void ks_samples_close(ks_samples *s); /* also after a failed open */
/* Both return 1 where this is one of those to be compared: ks_sample_holds. KS_ENOMEM. */
int ks_sample_frames(ks_samples *s, ks_tokens *const *tokens, const ks_picture *pictures,
                     const uint8_t *masked, int n, ks_error *e);
int ks_sample_clip(ks_samples *s, ks_tokens *const *frames, int T, const float *v, int dim,
                   ks_error *e);
/* The newest frame, and with `clip` the newest clip, again on the CPU. 1: they hold; 0: one does
 * not, why says so; or an error of the CPU's. */
int ks_sample_holds(ks_encoder *enc, ks_samples *s, int clip, ks_error *why);

/* One of the sentences of v[t->n, D], again on the CPU; as ks_sample_holds. */
int ks_sample_text(ks_encoder *enc, ks_samples *s, const ks_sentences *t, const float *v,
                   ks_error *why);

/* What vectors of the bf16 class may be from fp32, and rows of a stage. (Two runs in bf16 on real
 * clips may be further apart than that: a GPU is compared with fp32 alone.) */
#define KS_APART 1e-3

#endif
