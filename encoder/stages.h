/* stages.h - what a tower computes on the way, how fast, and a head on it: a part of encoder.h,
 * which includes it. */
#ifndef KS_ENCODER_STAGES_H
#define KS_ENCODER_STAGES_H

#ifndef KS_ENCODER_H
#error "include encoder/encoder.h"
#endif

/* --- the stage tap (features, verify, fixtures) --- */
typedef enum {
    KS_STAGE_SPATIAL,        /* [T*G*G, D] frame-major, after spatial_ln */
    KS_STAGE_SPATIOTEMPORAL, /* [T*G*G, D] after temporal_ln */
    KS_STAGE_AUXILIARY,      /* [T*G*G, D] */
    KS_STAGE_FRAMES,         /* [T, D] pooled, normalised frame vectors */
    KS_STAGE_GLOBAL,         /* [D] video vector */
    KS_STAGE_LOGITS          /* [classes] */
} ks_stage;

/* *out is malloc'ed [dims[0], dims[1]]. KS_EUSAGE: a stage that this model does not have. */
int ks_features(float **out, int64_t dims[2], ks_encoder *enc, ks_stage stage,
                const ks_clip_pixels *clip, ks_error *e);

/* Called with every named intermediate of the following calls: "patches", "spatial.0" ... (residual
 * stream after block i), "spatial_ln", "temporal.0", "temporal_ln", "auxiliary.0", "text.0", ...
 * x[rows, cols] is valid during the call. NULL switches it off. */
typedef void ks_tap(void *arg, const char *name, const float *x, int64_t rows, int64_t cols);
void ks_encoder_tap(ks_encoder *enc, ks_tap *tap, void *arg);

/* The GPU that computes, and what it can at most: multiplications and additions in fp32, bytes
 * brought to it. KS_ENOTFOUND: this CPU computes. */
typedef struct {
    char name[256];
    double gflops, gbytes; /* a second */
} ks_gpu_limits;
int ks_gpu_limits_of(ks_gpu_limits *limits, ks_encoder *enc, ks_error *e);

/* A GPU's clips are compared with this CPU's by samples, and are to be believed once a later sample
 * holds. One that does not is the end of the GPU's part, and what it made since the last that did
 * (tokens, too) is to be made again: by the caller, who has the pictures. */
typedef struct {
    int on_gpu;       /* 1: a GPU computes */
    int missed;       /* 1: a sample did not hold; this CPU computes */
    int64_t held;     /* samples that did */
    int64_t unproven; /* clips since */
} ks_gpu_trust;
void ks_gpu_trusted(ks_gpu_trust *t, ks_encoder *enc);
/* The newest clip is the sample, whatever chance says. An error: of the CPU's. */
int ks_gpu_sample(ks_encoder *enc, ks_error *e);

/* Where no one GPU was asked for and there are several: an encoder of the same model's video tower
 * on each of the others that is worth it, for the caller to close; returns how many. Before
 * anything else is at work on enc. */
int ks_encoders_beside(ks_encoder **more, int max, ks_encoder *enc);

/* Rate of this machine's library at the model's own GEMM shapes, weighted by their work:
 * GFLOP/s. KS_INT16: its rate in float. */
int ks_gemm_rate(double *gflops, ks_encoder *enc, ks_precision precision, ks_error *e);
double ks_clip_gflop(const ks_info *info, int T, int side); /* counted work of one clip */

/* --- a head of one's own on the video encoder --- */
/* "atten_pooler/...", "projection/linear/bias" */
typedef struct {
    const char *name;
    const float *x;
} ks_head_tensor;
/* The official classifier, float32: enc's video encoder, and all tensors of the head. What
 * fails, to's error flag says. */
int ks_classifier_write(FILE *to, ks_encoder *enc, int classes, const ks_head_tensor *head, int n,
                        ks_error *e);
/* work(arg, task, worker) for every task, worker < ks_encoder_threads, on enc's threads; it
 * calls nothing of enc. */
void ks_encoder_work(ks_encoder *enc, int tasks, void (*work)(void *arg, int task, int worker),
                     void *arg);

#endif
