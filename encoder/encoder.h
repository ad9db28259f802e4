/* encoder.h - pixels and words to vectors: the VideoPrism and LvT towers.
 *
 *   ks_encoder_open(&enc, &options, &e);
 *   ks_text_vector(v, enc, "a dog jumping", &e);                      words  -> v[D]
 *   for each frame: ks_resize(px, side, &image, KS_SQUASH, &e);       image  -> uint8 [S,S,3]
 *                   ks_frame_tokens(&tok[i], enc, px, side, &e);      frame  -> spatial tokens
 *   ks_clip_vector(v, NULL, enc, tok, T, &e);                         tokens -> v[D]
 *   ks_encoder_close(enc);
 *
 * An encoder is usable from several threads: calls on it are served one after the other, each with
 * all of the encoder's threads. Same input, same bits: a result depends on neither thread count nor
 * batch (within a precision and CPU class). Source of the mathematics: MODEL.md (arXiv
 * 2402.13217). */
#ifndef KS_ENCODER_H
#define KS_ENCODER_H

#include "ks.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ks_encoder ks_encoder;
typedef struct ks_tokens ks_tokens; /* spatial tokens [G*G, D] of one frame; reference counted */

typedef enum { KS_TOWER_VIDEO = 1, KS_TOWER_TEXT = 2 } ks_tower; /* may be or-ed */
/* KS_INT16: 13 bits of integers, what KS_BF16 becomes where the CPU has AVX2 and no bf16 */
typedef enum { KS_AUTO = 0, KS_FP32 = 1, KS_BF16 = 2, KS_INT8 = 3, KS_INT16 = 4 } ks_precision;
typedef enum { KS_ENCODER = 0, KS_LVT = 1, KS_CLASSIFIER = 2 } ks_kind;
typedef enum { KS_SQUASH = 0, KS_CROP = 1, KS_PAD = 2 } ks_fit;

enum { KS_TEXT_MAX = 64 }; /* tokens a sentence is cut at */
enum { KS_RESIZE_VERSION = 1, KS_SAMPLER_VERSION = 1 };

typedef struct {
    const char *model; /* path of .npz or .safetensors */
    /* path of the sentencepiece model; NULL: STEM.spm or tokenizer.model beside the model */
    const char *tokenizer;
    int towers;             /* ks_tower, or-ed; 0 = all the model has */
    ks_precision precision; /* KS_AUTO: the fastest class of DESIGN 4 this CPU has */
    /* "auto", "cpu", "gpu", "gpu:N" (N of ks_gpu_about); NULL: KINOSEEK_DEVICE, else auto: a GPU
     * that has proven itself and is faster than this CPU, for what opens the video tower */
    const char *device;
    int threads;       /* 0 = one per core this process may run on */
    const char *cache; /* folder of packs; NULL = $XDG_CACHE_HOME/kinoseek */
    void (*notice)(void *arg, const char *sentence); /* warnings worth a line; may be NULL */
    void *notice_arg;
} ks_encoder_options;

typedef struct {
    ks_kind kind;
    int dim, heads, mlp;                    /* D, H, F of the vision stacks */
    int spatial, temporal, auxiliary, text; /* layers of each stack; text 0 without a text tower */
    int frames, grid, patch;                /* trained T, G (G*G tokens a frame), 18 */
    int vocabulary, classes;                /* 0 where the model has none */
    int text_hybrid;                        /* 1: primer_hybrid norms in the text tower */
    int64_t parameters, bytes;              /* counted from the tensors; of the file */
    char dtype[8];                          /* "f4", "f2", "bf16" */
    /* model hash (DESIGN 2); includes the tokenizer's where one is used */
    char hash[KS_HASH_HEX];
    ks_precision precision; /* the one in force (KS_AUTO from ks_model_info) */
} ks_info;

/* Read and judge a checkpoint's directory without loading a weight. KS_EFORMAT, KS_ESHAPE,
 * KS_EIO, KS_ENOTFOUND. */
int ks_model_info(ks_info *info, const char *model, ks_error *e);
/* The hash that an encoder of this model with this tokenizer (NULL: none) has, and so a library:
 * info.hash, of the weights alone, where no tokenizer is used. KS_ENOTFOUND, KS_EIO, KS_EFORMAT,
 * KS_ESHAPE: the tokenizer. */
int ks_model_identity(char hash[KS_HASH_HEX], const ks_info *info, const char *tokenizer,
                      ks_error *e);

/* One tensor of a file while it is read in full. */
typedef struct {
    const char *name, *dtype; /* valid during the call */
    char shape[160];          /* "[2, 768]" */
    int64_t count;
    uint32_t crc;
    float first[3], last[3]; /* elements; fewer than three: zeros */
} ks_tensor_facts;
/* Read every byte of a checkpoint: CRCs, finiteness, shapes, whatever the cache says about it. each
 * (may be NULL) sees every tensor that proved sound, in file order; returns non-zero to stop
 * (KS_ESTOP). */
int ks_model_check(const char *model, int (*each)(void *arg, const ks_tensor_facts *t), void *arg,
                   ks_error *e);

/* Write an npz of the layout that `like` describes (kind, sizes, layers, text_hybrid; dtype
 * "f4"|"f2"), weights drawn from seed: the official names and shapes, the same bytes everywhere,
 * scaled so that activations stay sane and attention is sharp. Named when it is whole. KS_EIO,
 * KS_EUSAGE. */
int ks_model_random(const char *path, const ks_info *like, uint64_t seed, ks_error *e);

/* Open towers. First use of a file checks all of it (CRCs, finiteness, shapes) and writes a
 * pack. */
int ks_encoder_open(ks_encoder **enc, const ks_encoder_options *options, ks_error *e);
void ks_encoder_close(ks_encoder *enc);                /* NULL is fine */
const ks_info *ks_encoder_info(const ks_encoder *enc); /* valid until close */
int ks_encoder_threads(const ks_encoder *enc);
/* trained picture side: grid * patch (288) */
int ks_side(const ks_info *info);

/* --- text (LvT) --- */
enum { KS_WORDS_MAX = 65536 }; /* bytes of a sentence; 64 tokens are read of it anyway */
typedef struct {
    int32_t ids[KS_TEXT_MAX]; /* what the tower sees: BOS if any, no padding, no class token */
    int count;                /* 0..64; 0 is an empty sentence and works */
    int cut;                  /* tokens lost at 64; 0 = none */
    char lost[128];           /* the first words that were cut, UTF-8; "" if none */
} ks_sentence;

/* Canonicalise as the reference and tokenize; what is cut at 64 goes to the notice too.
 * KS_EUSAGE: invalid UTF-8, over KS_WORDS_MAX bytes; no tokenizer was found. */
int ks_text_tokens(ks_sentence *out, ks_encoder *enc, const char *words, ks_error *e);
/* v[D], unit length; KS_EFORMAT where the weights give none. KS_EUSAGE: an id outside the
 * vocabulary, or count over 64. */
int ks_ids_vector(float *v, ks_encoder *enc, const int32_t *ids, int count, ks_error *e);
int ks_text_vector(float *v, ks_encoder *enc, const char *words, ks_error *e);
/* v[n, D]: many sentences, the same bits as one by one; the weights are read once for some 20 of
 * them. cut[n]: the tokens each lost at 64, or NULL. */
int ks_text_vectors(float *v, int *cut, ks_encoder *enc, const char *const *words, int n,
                    ks_error *e);

#include "encoder/kept_vectors.h"

/* --- pictures ---
 * image -> out[side,side,3] by Pillow's two-pass fixed-point Lanczos, bit for bit.
 * KS_SQUASH: both axes stretched; KS_CROP: short side fits, centre; KS_PAD: long side fits, black.
 * KS_EUSAGE: an empty picture. */
int ks_resize(uint8_t *out, int side, const ks_image *image, ks_fit fit, ks_error *e);

/* --- video ---
 * Spatial tower of one frame px[side,side,3] (uint8; side divisible by the patch; /255 happens
 * inside). The tokens are the caller's: ks_tokens_free drops one reference, ks_tokens_keep adds
 * one. Several frames at once where that fills the machine: n frames at px[i]. Bit-equal frames
 * are computed once. */
int ks_frame_tokens(ks_tokens **out, ks_encoder *enc, const uint8_t *px, int side, ks_error *e);
int ks_frames_tokens(ks_tokens **out, ks_encoder *enc, const uint8_t *const *px, int n, int side,
                     ks_error *e);

/* A clip as pixels: T frames [T,side,side,3], uint8, or float32 in [0,1]. A padded frame is
 * masked in the spatial and the temporal attention, and its feed-forward sums are zero there, as
 * the reference does; the auxiliary stack and the pooler see all tokens. So padding changes a
 * frame's own tokens, and tokens remember it. */
typedef struct {
    const void *px;
    int is_float, T, side;
    /* [T], 0 or 1 (1 = padded frame), else KS_EUSAGE; NULL: none is padded */
    const float *paddings;
} ks_clip_pixels;
/* uint8 ('|u1') [T,S,S,3] of an .npy as they are, or float32 ('<f4') in [0,1]; px malloc'ed.
 * Errors as of any file of arrays. */
int ks_npy_frames(ks_clip_pixels *clip, const char *path, ks_error *e);
/* out[T]: spatial tokens of every frame of the clip. */
int ks_pixels_tokens(ks_tokens **out, ks_encoder *enc, const ks_clip_pixels *clip, ks_error *e);

ks_tokens *ks_tokens_keep(ks_tokens *tokens);
void ks_tokens_free(ks_tokens *tokens); /* NULL is fine */

/* Temporal stack, auxiliary stack and pooler over T frames (all of one side): v[D], unit length;
 * frame_vectors[T,D] too unless NULL. LvT only (else KS_EUSAGE). Any T >= 1. KS_EFORMAT: the
 * weights give no unit length. */
int ks_clip_vector(float *v, float *frame_vectors, ks_encoder *enc, ks_tokens *const *frames, int T,
                   ks_error *e);
/* Each of n frames as a clip of its own, T = 1: v[n,D], the bits of ks_clip_vector, n at once. */
int ks_frames_vectors(float *v, ks_encoder *enc, ks_tokens *const *frames, int n, ks_error *e);

#include "encoder/stages.h"

/* --- vectors from elsewhere --- */
typedef struct {
    /* x [rows, dim], as the file has them: f2, f4 and f8 widen exactly */
    double *x;
    int64_t rows, dim;
    char **ids; /* [rows] UTF-8, of an npz with an array "ids"; NULL: the file names none */
} ks_named_rows;
/* An .npy [n, D], or an .npz with one such array and, if it likes, "ids" [n] (texts or whole
 * numbers) beside it. KS_ENOTFOUND, KS_EIO, KS_ESHAPE, KS_ENOMEM, KS_EFORMAT: also where names are
 * called otherwise. ks_named_rows_free in any case. */
int ks_named_rows_read(ks_named_rows *out, const char *path, ks_error *e);
void ks_named_rows_free(ks_named_rows *v);

#include "encoder/npz_write.h"

int ks_encoder_about(ks_fact *facts, int max); /* libraries, versions, CPU path; returns how many */
/* The GPUs here, one a line, and what is known of each with the model of this hash (ks_info of
 * ks_model_info; NULL: none); returns how many lines. */
int ks_gpu_about(ks_fact *facts, int max, const char *hash);

#ifdef __cplusplus
}
#endif
#endif
