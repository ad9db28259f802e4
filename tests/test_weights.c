/* test_weights.c - which files are models: all kinds and sizes, then a valid checkpoint with one
 * fault. */
#include "tests/model_place.h"
#include "tests/suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

static ks_model_place at;

static void setup(void) { ks_model_place_new(&at, "model.npz"); }

static void teardown(void) { ks_remove_folder(at.folder); }

static int open_build(ks_weights **w, const ks_build *b, ks_error *e)
{
    size_t n;
    uint8_t *file = ks_build_bytes(b, &n);
    ks_write_file(at.path, file, n);
    free(file);
    return ks_model_place_open(w, &at, NULL, e);
}

static void same(const ks_build *b, const char *name, const float *got)
{
    const ks_build_member *m = ks_build_find((ks_build *)(uintptr_t)b, name);
    ck_assert_ptr_nonnull(got);
    ck_assert_uint_eq((uintptr_t)got % 64, 0);
    ck_assert_msg(memcmp(got, m->data, m->bytes) == 0, "%s differs", name);
}

#define BLOCK "transformers_stack/x_layers/"
static void same_block(const ks_build *b, const char *prefix, const ks_stack *s, int hybrid)
{
    char name[256];
    const struct {
        const char *name;
        const float *x;
    } rows[] = {
        {hybrid ? "pre_layer_norm/scale" : "layer_norm/scale", s->ln1_scale},
        {hybrid ? "pre_layer_norm/bias" : "layer_norm/bias", s->ln1_bias},
        {hybrid ? "ff_layer/pre_layer_norm/scale" : "ff_layer/layer_norm/scale", s->ln2_scale},
        {hybrid ? "ff_layer/pre_layer_norm/bias" : "ff_layer/layer_norm/bias", s->ln2_bias},
        {"self_attention/query/w", s->wq},
        {"self_attention/query/b", s->bq},
        {"self_attention/key/w", s->wk},
        {"self_attention/key/b", s->bk},
        {"self_attention/value/w", s->wv},
        {"self_attention/value/b", s->bv},
        {"self_attention/post/w", s->wo},
        {"self_attention/post/b", s->bo},
        {"ff_layer/ffn_layer1/linear/kernel", s->w1},
        {"ff_layer/ffn_layer1/linear/bias", s->b1},
        {"ff_layer/ffn_layer2/linear/kernel", s->w2},
        {"ff_layer/ffn_layer2/linear/bias", s->b2},
        {"post_layer_norm/scale", s->ln1_post_scale},
        {"post_layer_norm/bias", s->ln1_post_bias},
        {"ff_layer/post_layer_norm/scale", s->ln2_post_scale},
        {"ff_layer/post_layer_norm/bias", s->ln2_post_bias}};
    for (int i = 0; i < (hybrid ? 20 : 16); i++) {
        snprintf(name, sizeof name, "%s%s", prefix, rows[i].name);
        same(b, name, rows[i].x);
    }
    if (!hybrid)
        ck_assert(!s->ln1_post_scale && !s->ln1_post_bias && !s->ln2_post_scale &&
                  !s->ln2_post_bias);
}

static void same_vision(const ks_build *b, const char *prefix, const ks_weights *w)
{
    char name[256];
    const struct {
        const char *name;
        const float *x;
    } rows[] = {{"patch_projection/linear/kernel", w->patch_w},
                {"patch_projection/linear/bias", w->patch_b},
                {"spatial_pos_emb/emb_var", w->spatial_pos},
                {"temporal_pos_emb/emb_var", w->temporal_pos},
                {"spatial_ln/scale", w->spatial_ln_scale},
                {"spatial_ln/bias", w->spatial_ln_bias},
                {"temporal_ln/scale", w->temporal_ln_scale},
                {"temporal_ln/bias", w->temporal_ln_bias}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(name, sizeof name, "%s%s", prefix, rows[i].name);
        same(b, name, rows[i].x);
    }
    snprintf(name, sizeof name, "%sspatial_encoder/" BLOCK, prefix);
    same_block(b, name, &w->spatial, 0);
    snprintf(name, sizeof name, "%stemporal_encoder/" BLOCK, prefix);
    same_block(b, name, &w->temporal, 0);
}

static void same_pooler(const ks_build *b, const char *prefix, const ks_pooler *p)
{
    char name[256];
    const struct {
        const char *name;
        const float *x;
    } rows[] = {{"_query", p->query},
                {"/query/w", p->wq},
                {"/query/b", p->bq},
                {"/key/w", p->wk},
                {"/key/b", p->bk},
                {"/value/w", p->wv},
                {"/value/b", p->bv},
                {"/per_dim_scale/per_dim_scale", p->per_dim_scale},
                {"/post/w", p->wo},
                {"/post/b", p->bo},
                {"_layer_norm/scale", p->ln_scale},
                {"_layer_norm/bias", p->ln_bias}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(name, sizeof name, "%spooling_attention%s", prefix, rows[i].name);
        same(b, name, rows[i].x);
    }
}

START_TEST(every_kind_binds)
{
    /* encoder, lvt, hybrid, classifier; f4 and f2 deflated */
    for (int form = 0; form < 8; form++) {
        ks_info like;
        ks_error e = {0};
        ks_weights *w;
        ks_kind kind = form % 4 == 0 ? KS_ENCODER : form % 4 == 3 ? KS_CLASSIFIER : KS_LVT;
        ks_build_like(&like, kind, form % 4 == 2);
        ks_build *b = ks_build_toy(&like, 7);
        for (int i = 0; form >= 4 && i < b->n; i++) b->at[i].method = 8;
        ck_assert_msg(open_build(&w, b, &e) == 0, "%s", e.msg);
        ks_model_place_load(w);
        same_vision(b,
                    kind == KS_LVT       ? "params/vision_encoder/"
                    : kind == KS_ENCODER ? "params/"
                                         : "params/encoder/",
                    w);
        if (kind == KS_LVT) {
            same_block(b, "params/auxiliary_encoder/" BLOCK, &w->auxiliary, 0);
            same_block(b, "params/text_encoder/unimodal_transformer/x_layers/", &w->text,
                       like.text_hybrid);
            same_pooler(b, "params/contrastive_vision_pooler/", &w->pooler);
            same(b, "params/text_encoder/token_emb/emb_var", w->token_emb);
            same(b, "params/text_encoder/cls_emb", w->cls_emb);
            same(b, "params/text_encoder/unimodal_ln/scale", w->text_ln_scale);
            same(b, "params/text_encoder/unimodal_ln/bias", w->text_ln_bias);
        }
        if (kind == KS_CLASSIFIER) {
            same_pooler(b, "params/atten_pooler/", &w->pooler);
            same(b, "params/projection/linear/kernel", w->class_w);
            same(b, "params/projection/linear/bias", w->class_b);
        }
        ck_assert_int_eq(w->pooler.hidden, kind == KS_LVT ? 64 : kind == KS_CLASSIFIER ? 16 : 0);
        ck_assert_int_eq(w->text.mlp, kind == KS_LVT ? 64 : 0);
        ck_assert_int_eq(w->spatial.mlp, 24);
        const ks_info *i = &w->info;
        ck_assert(i->kind == kind && i->dim == 16 && i->heads == 2 && i->mlp == 24 &&
                  i->spatial == 2 && i->temporal == 2);
        ck_assert(i->frames == 4 && i->grid == 3 && i->patch == 18 &&
                  i->vocabulary == like.vocabulary && i->classes == like.classes);
        ck_assert(i->auxiliary == like.auxiliary && i->text == like.text &&
                  i->text_hybrid == like.text_hybrid && w->spatial.layers == 2 &&
                  w->text.layers == like.text);
        int64_t parameters = 0;
        for (int k = 0; k < b->n; k++) parameters += (int64_t)b->at[k].bytes / 4;
        ck_assert_int_eq(i->parameters, parameters);
        ck_assert_str_eq(i->dtype, "f4");
        ck_assert_uint_eq(strlen(i->hash), 64);
        ks_weights_close(w);
        ks_build_free(b);
    }
}
END_TEST

START_TEST(any_size_binds)
{
    uint64_t state = 42;
    for (int round = 0; round < 30; round++) {
        ks_info like;
        ks_error e = {0};
        ks_weights *w;
#define PICK(low, high)                                                                            \
    ((low) + (int)((state = state * 6364136223846793005u + 1442695040888963407u) >> 40) %          \
                 ((high) - (low) + 1))
        ks_build_like(&like, PICK(0, 2), 0);
        like.heads = PICK(1, 4), like.dim = like.heads * PICK(1, 9), like.mlp = PICK(1, 40);
        like.spatial = PICK(1, 4), like.temporal = PICK(1, 4), like.frames = PICK(1, 6),
        like.grid = PICK(1, 4), like.patch = PICK(1, 20);
        if (like.kind == KS_LVT)
            like.auxiliary = PICK(0, 2), like.text = PICK(1, 3), like.vocabulary = PICK(1, 50),
            like.text_hybrid = PICK(0, 1);
        if (like.kind == KS_CLASSIFIER) like.classes = PICK(1, 9);
        ck_assert_msg(ks_model_random(at.path, &like, (uint64_t)round, &e) == 0, "%s", e.msg);
        ck_assert_msg(ks_model_place_open(&w, &at, NULL, &e) == 0, "round %d: %s", round, e.msg);
        const ks_info *i = &w->info;
        ck_assert(i->kind == like.kind && i->dim == like.dim && i->heads == like.heads &&
                  i->mlp == like.mlp && i->spatial == like.spatial &&
                  i->temporal == like.temporal && i->auxiliary == like.auxiliary &&
                  i->text == like.text && i->frames == like.frames && i->grid == like.grid &&
                  i->patch == like.patch && i->vocabulary == like.vocabulary &&
                  i->classes == like.classes);
        ks_weights_close(w);
    }
}
END_TEST

START_TEST(halves_bind)
{
    ks_info like;
    ks_error e = {0};
    ks_weights *w;
    ks_build_like(&like, KS_LVT, 0);
    snprintf(like.dtype, sizeof like.dtype, "f2");
    ck_assert_int_eq(ks_model_random(at.path, &like, 3, &e), 0);
    ck_assert_msg(ks_model_place_open(&w, &at, NULL, &e) == 0, "%s", e.msg);
    ck_assert_str_eq(w->info.dtype, "f2");
    /* the same draws as in f4, rounded: within half a unit of the 11th bit */
    snprintf(like.dtype, sizeof like.dtype, "f4");
    ks_build *b = ks_build_toy(&like, 3);
    const float *x = (const float *)(const void *)ks_build_find(
                         b, "params/text_encoder/token_emb/emb_var")
                         ->data;
    for (int i = 0; i < 40 * 16; i++)
        ck_assert(fabsf(x[i] - w->token_emb[i]) <= fabsf(x[i]) * 0x1p-11f + 0x1p-25f);
    ks_build_free(b);
    ks_weights_close(w);
}
END_TEST

/* --- a valid checkpoint with one fault --- */

#define V "params/vision_encoder/"
#define T "params/text_encoder/"
#define X V "spatial_encoder/" BLOCK

typedef struct {
    const char *what;
    void (*spoil)(ks_build *b);
    const char *said;
} fault;

static void reshape(ks_build *b, const char *name, int rank, int64_t a, int64_t c, int64_t d,
                    int64_t f)
{
    ks_build_member *m = ks_build_find(b, name);
    const int64_t dims[4] = {a, c, d, f};
    size_t count = 1;
    m->rank = rank;
    for (int i = 0; i < rank; i++) m->dims[i] = dims[i], count *= (size_t)dims[i];
    m->data = realloc(m->data, count * 4 + 4);
    memset(m->data, 0, count * 4);
    m->bytes = count * 4;
}

static void in_last(ks_build *b, const char *name, float x)
{
    ks_build_member *m = ks_build_find(b, name);
    memcpy(m->data + m->bytes - 4, &x, 4);
}

static void rename_to(ks_build *b, const char *name, const char *other)
{
    ks_build_member *m = ks_build_find(b, name);
    snprintf(m->name, sizeof m->name, "%s", other);
    snprintf(m->local_name, sizeof m->local_name, "%s", other);
}

static void f_missing(ks_build *b) { ks_build_find(b, X "self_attention/post/b")->dropped = 1; }
static void f_missing_text(ks_build *b) { ks_build_find(b, T "cls_emb")->dropped = 1; }
static void f_no_tower(ks_build *b)
{
    for (int i = 0; i < b->n; i++) b->at[i].dropped |= strncmp(b->at[i].name, T, strlen(T)) == 0;
}
static void f_no_pooler(ks_build *b)
{
    ks_build_find(b, "params/contrastive_vision_pooler/pooling_attention_query")->dropped = 1;
}
static void f_extra(ks_build *b)
{
    int64_t n = 3;
    ks_build_add(b, V "spatial_lm/scale", NULL, 1, &n);
}
static void f_renamed(ks_build *b)
{
    rename_to(b, X "self_attention/key/w", X "self_attention/keys/w");
}
static void f_transposed(ks_build *b)
{
    reshape(b, X "ff_layer/ffn_layer1/linear/kernel", 3, 2, 24, 16, 0);
}
static void f_transposed_patch(ks_build *b)
{
    reshape(b, V "patch_projection/linear/kernel", 2, 16, 972, 0, 0);
}
static void f_transposed_pos(ks_build *b)
{
    reshape(b, V "spatial_pos_emb/emb_var", 2, 16, 9, 0, 0);
}
static void f_short(ks_build *b) { reshape(b, V "spatial_ln/scale", 1, 15, 0, 0, 0); }
static void f_wide(ks_build *b) { reshape(b, V "spatial_ln/scale", 1, 1024, 0, 0, 0); }
static void f_rank(ks_build *b) { reshape(b, V "spatial_ln/scale", 2, 1, 16, 0, 0); }
static void f_rank0(ks_build *b) { reshape(b, V "spatial_ln/scale", 0, 0, 0, 0, 0); }
static void f_layers(ks_build *b) { reshape(b, X "layer_norm/scale", 2, 3, 16, 0, 0); }
static void f_text_layers(ks_build *b)
{
    reshape(b, T "unimodal_transformer/x_layers/layer_norm/bias", 2, 1, 16, 0, 0);
}
static void f_heads(ks_build *b) { reshape(b, X "self_attention/query/w", 4, 2, 16, 4, 4); }
static void f_heads_pooler(ks_build *b)
{
    reshape(b, "params/contrastive_vision_pooler/pooling_attention/value/b", 2, 4, 16, 0, 0);
}
static void f_head_width(ks_build *b) { reshape(b, X "self_attention/key/b", 3, 2, 2, 9, 0); }
static void f_pooler_width(ks_build *b)
{
    reshape(b, "params/contrastive_vision_pooler/pooling_attention/per_dim_scale/per_dim_scale", 1,
            8, 0, 0, 0);
}
static void f_text_mlp(ks_build *b)
{
    reshape(b, T "unimodal_transformer/x_layers/ff_layer/ffn_layer1/linear/bias", 2, 2, 24, 0, 0);
}
static void f_grid(ks_build *b) { reshape(b, V "spatial_pos_emb/emb_var", 2, 12, 16, 0, 0); }
static void f_patch(ks_build *b)
{
    reshape(b, V "patch_projection/linear/kernel", 2, 975, 16, 0, 0);
}
static void f_no_frames(ks_build *b) { reshape(b, V "temporal_pos_emb/emb_var", 2, 0, 16, 0, 0); }
static void f_no_vocabulary(ks_build *b) { reshape(b, T "token_emb/emb_var", 2, 0, 16, 0, 0); }
static void f_no_layers(ks_build *b) { reshape(b, X "layer_norm/scale", 2, 0, 16, 0, 0); }
static void f_empty(ks_build *b) { reshape(b, V "spatial_ln/bias", 1, 0, 0, 0, 0); }
static void f_nan(ks_build *b) { in_last(b, T "token_emb/emb_var", NAN); }
static void f_inf(ks_build *b) { in_last(b, V "temporal_ln/bias", INFINITY); }
static void f_crc(ks_build *b) { ks_build_find(b, T "unimodal_ln/scale")->crc_xor = 0x80; }
static void f_f8(ks_build *b)
{
    ks_build_member *m = ks_build_find(b, V "spatial_ln/scale");
    m->data = realloc(m->data, 128);
    memset(m->data, 0, 128);
    m->bytes = 128;
    strcpy(m->descr, "'<f8'");
}
static void f_i4(ks_build *b) { strcpy(ks_build_find(b, V "spatial_ln/scale")->descr, "'<i4'"); }
static void f_big(ks_build *b) { strcpy(ks_build_find(b, V "spatial_ln/scale")->descr, "'>f4'"); }
static void f_fortran(ks_build *b) { ks_build_find(b, X "layer_norm/scale")->fortran = 1; }
static void f_object(ks_build *b) { strcpy(ks_build_find(b, V "spatial_ln/scale")->descr, "'|O'"); }
static void f_all_heads(ks_build *b)
{
    for (int i = 0; i < b->n; i++) /* all of the spatial stack: 3 heads for a width of 16 */
        if (strncmp(b->at[i].name, X "self_attention/", strlen(X "self_attention/")) == 0 &&
            b->at[i].rank > 2)
            b->at[i].dims[b->at[i].rank - 2] = 3, b->at[i].bytes = b->at[i].bytes * 3 / 2,
                                          b->at[i].data = realloc(b->at[i].data, b->at[i].bytes),
                                          memset(b->at[i].data, 0, b->at[i].bytes);
}

static const fault faults[] = {
    {"missing", f_missing, "tensor " X "self_attention/post/b is missing"},
    {"missing in text", f_missing_text, "tensor " T "cls_emb is missing"},
    {"no text tower", f_no_tower, "tensor " T "token_emb/emb_var is missing"},
    {"no pooler query", f_no_pooler, "pooling_attention_query is missing"},
    {"extra", f_extra, "tensor " V "spatial_lm/scale belongs to no part"},
    {"renamed", f_renamed,
     "tensor " X "self_attention/key/w is missing, and " X
     "self_attention/keys/w belongs to no part"},
    {"transposed", f_transposed,
     "tensor " X "ff_layer/ffn_layer1/linear/kernel is [2, 24, 16], this model's width is 16"},
    {"transposed patch", f_transposed_patch,
     "tensor " V "patch_projection/linear/kernel is [16, 972]"},
    {"transposed positions", f_transposed_pos,
     "tensor " V "spatial_pos_emb/emb_var is [16, 9], this model's width is 16"},
    {"short", f_short, "tensor " V "spatial_ln/scale is [15], this model's width is 16"},
    {"wide", f_wide, "tensor " V "spatial_ln/scale is [1024], this model's width is 16"},
    {"rank", f_rank, "tensor " V "spatial_ln/scale is [1, 16], this model needs [16]"},
    {"scalar", f_rank0, "tensor " V "spatial_ln/scale is [], this model needs [16]"},
    {"layers", f_layers,
     "tensor " X "layer_norm/scale is [3, 16], this model's number of spatial layers is 2"},
    {"text layers", f_text_layers, "is [1, 16], this model's number of text layers is 2"},
    {"heads", f_heads,
     "tensor " X "self_attention/query/w is [2, 16, 4, 4], this model's head count is 2"},
    {"pooler heads", f_heads_pooler,
     "pooling_attention/value/b is [4, 16], this model's head count is 2"},
    {"head width", f_head_width,
     "tensor " X "self_attention/key/b is [2, 2, 9], this model's head width is 8"},
    {"pooler width", f_pooler_width, "per_dim_scale is [8], this model's pooler head width is 32"},
    {"text mlp", f_text_mlp, "this model's text mlp width is 64"},
    {"grid", f_grid, "tensor " V "spatial_pos_emb/emb_var has 12 places, which is no square grid"},
    {"patch", f_patch, "tensor " V "patch_projection/linear/kernel has 975 rows"},
    {"no frames", f_no_frames, "tensor " V "temporal_pos_emb/emb_var is [0, 16], it has no frames"},
    {"no vocabulary", f_no_vocabulary,
     "tensor " T "token_emb/emb_var is [0, 16], it has no vocabulary"},
    {"no layers", f_no_layers, "tensor " X "layer_norm/scale is [0, 16], it has no layers"},
    {"empty", f_empty, "tensor " V "spatial_ln/bias is [0], it has no elements"},
    {"nan", f_nan, "tensor " T "token_emb/emb_var holds NaN or Inf"},
    {"inf", f_inf, "tensor " V "temporal_ln/bias holds NaN or Inf"},
    {"crc", f_crc, "tensor " T "unimodal_ln/scale is damaged: its CRC-32"},
    {"f8", f_f8, "tensor " V "spatial_ln/scale has elements '<f8'"},
    {"i4", f_i4, "tensor " V "spatial_ln/scale has elements '<i4'"},
    {"big-endian", f_big, "tensor " V "spatial_ln/scale has elements '>f4'"},
    {"fortran", f_fortran, "tensor " X "layer_norm/scale is in Fortran order"},
    {"objects", f_object, "tensor " V "spatial_ln/scale has elements '|O'"},
    {"heads everywhere", f_all_heads, "this model's head count is 2"},
};

static long peak_kb(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return use.ru_maxrss;
}

START_TEST(one_fault_each)
{
    const fault *f = &faults[_i];
    ks_info like;
    ks_error e = {0};
    ks_weights *w = (ks_weights *)(uintptr_t)1;
    struct timespec from, to;
    ks_build_like(&like, KS_LVT, 0);
    ks_build *b = ks_build_toy(&like, 5);
    f->spoil(b);
    long before = peak_kb();
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    int err = open_build(&w, b, &e);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    ks_model_place_refused(&at, f->what, err, &e, f->said);
    ck_assert_ptr_null(w);
    ck_assert(SANITIZED || (to.tv_sec - from.tv_sec < 1 + (to.tv_nsec < from.tv_nsec) &&
                            peak_kb() - before < 64 << 10));
    /* Nothing of it stays behind: no pack, no vouching. */
    ck_assert_int_ne(ks_model_place_open(&w, &at, NULL, &e), 0);
    ks_build_free(b);
}
END_TEST

START_TEST(forty_truncations)
{
    ks_info like;
    ks_error e = {0};
    ks_weights *w;
    size_t n;
    ks_build_like(&like, KS_LVT, 0);
    ks_build *b = ks_build_toy(&like, 5);
    uint8_t *file = ks_build_bytes(b, &n);
    for (size_t i = 0; i < 40; i++) {
        ks_write_file(at.path, file, n * i / 40 + (i % 3));
        ck_assert_int_eq(ks_model_place_open(&w, &at, NULL, &e), KS_EFORMAT);
        ck_assert(strncmp(e.msg, at.path, strlen(at.path)) == 0);
    }
    free(file);
    ks_build_free(b);
}
END_TEST

START_TEST(hash_knows_the_weights)
{
    ks_info like, a, c;
    ks_error e = {0};
    char with[KS_HASH_HEX], without[KS_HASH_HEX];
    ks_build_like(&like, KS_LVT, 0);
    ck_assert_int_eq(ks_model_random(at.path, &like, 1, &e), 0);
    ck_assert_int_eq(ks_model_info(&a, at.path, &e), 0);
    ck_assert_int_eq(ks_model_random(at.path, &like, 1, &e), 0);
    ck_assert_int_eq(ks_model_info(&c, at.path, &e), 0);
    ck_assert_str_eq(a.hash, c.hash); /* the same wherever and whenever it was written */
    ck_assert_int_eq(ks_model_random(at.path, &like, 2, &e), 0);
    ck_assert_int_eq(ks_model_info(&c, at.path, &e), 0);
    ck_assert_str_ne(a.hash, c.hash);
    ks_model_hash(without, a.hash, NULL);
    ck_assert_str_eq(without, a.hash);
    ks_model_hash(with, a.hash, "1e5036bed065526c3c212dfbe288752391797c4bb1a284aa18c9a0b23fcaf8ec");
    ck_assert_str_ne(with, a.hash);
    ck_assert_uint_eq(strlen(with), 64);
}
END_TEST

/* numpy computed the sizes of the released files (reference: an np.savez of the same keys). */
START_TEST(released_sizes)
{
    ks_info like = {.kind = KS_ENCODER,
                    .dim = 768,
                    .heads = 12,
                    .mlp = 3072,
                    .spatial = 1,
                    .temporal = 1,
                    .frames = 16,
                    .grid = 16,
                    .patch = 18,
                    .dtype = "f4"},
            info;
    ks_error e = {0};
    ck_assert_int_eq(ks_model_random(at.path, &like, 1, &e), 0);
    ck_assert_int_eq(ks_model_info(&info, at.path, &e), 0);
    /* 16 blocks of the released base have 457,475,296 bytes; each block more is 7,087,872
     * parameters. */
    ck_assert_int_eq(info.bytes + 14LL * 7087872 * 4, 457475296);
    ck_assert_int_eq(info.parameters + 14LL * 7087872, 114365184);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("weights");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, every_kind_binds);
    tcase_add_test(t, any_size_binds);
    tcase_add_test(t, halves_bind);
    tcase_add_loop_test(t, one_fault_each, 0, (int)(sizeof faults / sizeof *faults));
    tcase_add_test(t, forty_truncations);
    tcase_add_test(t, hash_knows_the_weights);
    tcase_add_test(t, released_sizes);
    return ks_run_case("weights", t);
}
