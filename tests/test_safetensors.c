/* test_safetensors.c - the Hugging Face files: the same weights as the npz, then each way to be
 * wrong. */
#include "tests/model_place.h"
#include "tests/suite.h"

#include <check.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* tests/fixtures: made from the same flat weights by make_fixtures.py. */
static const char npz_file[] = "tests/fixtures/small.npz",
                  port_file[] = "tests/fixtures/small_hf/model.safetensors";

static ks_model_place at;

static void setup(void) { ks_model_place_new(&at, "model.safetensors"); }

static void teardown(void) { ks_remove_folder(at.folder); }

static int open_path(ks_weights **w, const char *file, ks_error *e)
{
    return ks_model_place_open(w, &at, file, e);
}

static void write_config(const char *text)
{
    char config[96];
    snprintf(config, sizeof config, "%s/config.json", at.folder);
    if (text) ks_write_file(config, text, strlen(text));
    else unlink(config);
}

/* Header text and data of a file; the header is taken apart with string functions below. */
typedef struct {
    char *header;
    uint8_t *data;
    size_t bytes;
} parts;

static parts take_apart(const char *file)
{
    size_t n;
    uint8_t *all = ks_read_file(file, &n);
    uint64_t length;
    memcpy(&length, all, 8);
    parts p = {malloc(length + 4096), malloc(n), n - 8 - (size_t)length};
    memcpy(p.header, all + 8, (size_t)length);
    p.header[length] = 0;
    memcpy(p.data, all + 8 + length, p.bytes);
    free(all);
    return p;
}

static uint8_t *together(const parts *p, size_t *n)
{
    uint64_t length = strlen(p->header);
    uint8_t *all = malloc(8 + (size_t)length + p->bytes);
    memcpy(all, &length, 8);
    memcpy(all + 8, p->header, (size_t)length);
    memcpy(all + 8 + length, p->data, p->bytes);
    *n = 8 + (size_t)length + p->bytes;
    return all;
}

static void free_parts(parts *p)
{
    free(p->header);
    free(p->data);
}

static void replace(parts *p, const char *from, const char *to)
{
    char *here = strstr(p->header, from), *rest;
    ck_assert_msg(here != NULL, "no %s in the header", from);
    rest = strdup(here + strlen(from));
    strcpy(here, to);
    strcat(here, rest);
    free(rest);
}

#define D12 "{\"num_attention_heads\": 3}"

static void same_bytes(const float *a, const float *b, size_t n)
{
    ck_assert_ptr_nonnull(a);
    ck_assert_ptr_nonnull(b);
    ck_assert_mem_eq(a, b, n * sizeof *a);
}

static void same_stack(const ks_stack *a, const ks_stack *b, size_t d)
{
    size_t layers = (size_t)a->layers, f = (size_t)a->mlp;
    ck_assert(a->layers == b->layers && a->mlp == b->mlp);
    same_bytes(a->ln1_scale, b->ln1_scale, layers * d),
        same_bytes(a->ln1_bias, b->ln1_bias, layers * d);
    same_bytes(a->ln2_scale, b->ln2_scale, layers * d),
        same_bytes(a->ln2_bias, b->ln2_bias, layers * d);
    same_bytes(a->wq, b->wq, layers * d * d), same_bytes(a->bq, b->bq, layers * d);
    same_bytes(a->wk, b->wk, layers * d * d), same_bytes(a->bk, b->bk, layers * d);
    same_bytes(a->wv, b->wv, layers * d * d), same_bytes(a->bv, b->bv, layers * d);
    same_bytes(a->wo, b->wo, layers * d * d), same_bytes(a->bo, b->bo, layers * d);
    same_bytes(a->w1, b->w1, layers * d * f), same_bytes(a->b1, b->b1, layers * f);
    same_bytes(a->w2, b->w2, layers * d * f), same_bytes(a->b2, b->b2, layers * d);
}

START_TEST(equals_the_npz)
{
    ks_weights *a, *b;
    ks_error e = {0};
    ck_assert_msg(open_path(&a, npz_file, &e) == 0, "%s", e.msg);
    ks_model_place_load(a);
    for (int round = 0; round < 2; round++) { /* read, then mapped */
        ck_assert_msg(open_path(&b, port_file, &e) == 0, "%s", e.msg);
        ks_model_place_load(b);
        size_t d = (size_t)a->info.dim, g = (size_t)(a->info.grid * a->info.grid), i = 4 * d;
        ck_assert(a->info.heads == b->info.heads && a->info.grid == b->info.grid &&
                  a->info.frames == b->info.frames && a->info.patch == b->info.patch);
        ck_assert(a->info.vocabulary == b->info.vocabulary &&
                  a->info.parameters == b->info.parameters && b->info.kind == KS_LVT);
        same_bytes(a->patch_w, b->patch_w, 972 * d), same_bytes(a->patch_b, b->patch_b, d);
        same_bytes(a->spatial_pos, b->spatial_pos, g * d),
            same_bytes(a->temporal_pos, b->temporal_pos, (size_t)a->info.frames * d);
        same_bytes(a->spatial_ln_scale, b->spatial_ln_scale, d),
            same_bytes(a->spatial_ln_bias, b->spatial_ln_bias, d);
        same_bytes(a->temporal_ln_scale, b->temporal_ln_scale, d),
            same_bytes(a->temporal_ln_bias, b->temporal_ln_bias, d);
        same_stack(&a->spatial, &b->spatial, d), same_stack(&a->temporal, &b->temporal, d);
        same_stack(&a->auxiliary, &b->auxiliary, d), same_stack(&a->text, &b->text, d);
        same_bytes(a->pooler.query, b->pooler.query, d);
        same_bytes(a->pooler.wq, b->pooler.wq, d * i), same_bytes(a->pooler.bq, b->pooler.bq, i);
        same_bytes(a->pooler.wk, b->pooler.wk, d * i), same_bytes(a->pooler.bk, b->pooler.bk, i);
        same_bytes(a->pooler.wv, b->pooler.wv, d * i), same_bytes(a->pooler.bv, b->pooler.bv, i);
        same_bytes(a->pooler.wo, b->pooler.wo, d * i), same_bytes(a->pooler.bo, b->pooler.bo, d);
        same_bytes(a->pooler.per_dim_scale, b->pooler.per_dim_scale, i / (size_t)a->info.heads);
        same_bytes(a->pooler.ln_scale, b->pooler.ln_scale, d),
            same_bytes(a->pooler.ln_bias, b->pooler.ln_bias, d);
        same_bytes(a->token_emb, b->token_emb, (size_t)a->info.vocabulary * d),
            same_bytes(a->cls_emb, b->cls_emb, d);
        same_bytes(a->text_ln_scale, b->text_ln_scale, d),
            same_bytes(a->text_ln_bias, b->text_ln_bias, d);
        ck_assert_str_ne(a->info.hash, b->info.hash);
        ks_weights_close(b);
    }
    ks_weights_close(a);
}
END_TEST

/* One tensor, [4], in both short types, against numbers written down by hand. */
START_TEST(element_types)
{
    const uint16_t bf[] = {0x3f80, 0xc000, 0x0000, 0x4049},
                   half[] = {0x3c00, 0xc000, 0x0001, 0x3555};
    const float bf_want[] = {1.0f, -2.0f, 0.0f, 3.140625f},
                half_want[] = {1.0f, -2.0f, 0x1p-24f, 0.333251953125f};
    for (int i = 0; i < 2; i++) {
        char file[200] = {0};
        ks_checkpoint *cp;
        ks_error e = {0};
        float x[4];
        const char *text =
            i ? "{\"x\":{\"dtype\":\"F16\",\"shape\":[4],\"data_offsets\":[0,8]}}    "
              : "{\"x\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[0,8]}}   ";
        uint64_t length = strlen(text);
        memcpy(file, &length, 8);
        memcpy(file + 8, text, (size_t)length);
        memcpy(file + 8 + length, i ? half : bf, 8);
        ck_assert_msg(ks_checkpoint_open_memory(&cp, "x.safetensors", (uint8_t *)file,
                                                16 + (size_t)length, &e) == 0,
                      "%s", e.msg);
        ck_assert_int_eq(ks_tensor_load(x, cp, &cp->tensors[0], &e), 0);
        ck_assert_mem_eq(x, i ? half_want : bf_want, sizeof x);
        ks_checkpoint_close(cp);
    }
}
END_TEST

START_TEST(heads_from_config)
{
    ks_weights *w;
    ks_error e = {0};
    parts p = take_apart(port_file);
    size_t n;
    uint8_t *all = together(&p, &n);
    ks_write_file(at.path, all, n);
    write_config(NULL);
    ck_assert_int_eq(open_path(&w, at.path, &e), KS_ESHAPE);
    ck_assert_msg(strstr(e.msg, "head count of a model of width 12 is not known") != NULL, "%s",
                  e.msg);
    const char *good[] = {D12,
                          "{\"vision_config\": {\"num_attention_heads\": 3}, \"text_config\": {}}"};
    for (int i = 0; i < 2; i++) {
        write_config(good[i]);
        ck_assert_msg(open_path(&w, at.path, &e) == 0, "%s", e.msg);
        ck_assert_int_eq(w->info.heads, 3);
        ks_weights_close(w);
    }
    /* it divides the width, but the pooler's scale has 4 * 12 / 3 numbers */
    write_config("{\"num_attention_heads\": 4}");
    ck_assert_int_eq(open_path(&w, at.path, &e), KS_ESHAPE);
    ck_assert_msg(strstr(e.msg, "tensor video_model.head.per_dim_scale is [16], this model's "
                                "pooler head width is 12") != NULL,
                  "%s", e.msg);
    const char *bad[] = {"{\"num_attention_heads\": 5}",
                         "{\"num_attention_heads\": 0}",
                         "{\"num_attention_heads\": \"3\"}",
                         "{",
                         "",
                         "[]",
                         "{\"num_attention_heads\": 99999999999}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_config(bad[i]);
        int err = open_path(&w, at.path, &e);
        ck_assert_msg(err == KS_ESHAPE || err == KS_EFORMAT, "%s: %d", bad[i], err);
        ck_assert(strstr(e.msg, at.folder) != NULL);
    }
    free(all);
    free_parts(&p);
}
END_TEST

/* --- one fault each; S is the spelling that the fixture's writer uses --- */

#define LN "\"video_model.vision_model.layernorm1.bias\""
typedef struct {
    const char *from, *to, *said;
} fault;

static const fault faults[] = {
    {LN, "\"video_model.vision_model.layernorm3.bias\"",
     "tensor video_model.vision_model.layernorm1.bias is missing, and "
     "video_model.vision_model.layernorm3.bias belongs"},
    {LN, "\"video_model.vision_model.layernorm1.weight\"", "a tensor is there twice"},
    {LN, "\"\"", "no name"},
    {LN, "\"\\u0007\"", "not plain ASCII"},
    {"\"F32\"", "\"F64\"", "is [1, 1, 12] of F64"},
    {"\"F32\"", "\"I32\"", "elements that are no weights"},
    {"\"F32\"", "\"Q4\"", "unknown type"},
    {"\"F32\"", "5", "damaged entry"},
    {"\"shape\"", "\"shapes\"", "damaged entry"},
    {"\"dtype\"", "\"dtype\":\"F32\",\"more\"", "damaged entry"},
    {"[0,", "[4,", "the header gives it"},
    {"[0,", "[-1,", "lies outside"},
    {"[0,", "[1e3,", "lies outside"},
    {"[0,", "[9223372036854775807,", "lies outside"},
    {"[48,3120]", "[0,3072]", "overlaps the one before it"},
    {"[48,3120]", "[52,3124]", "comes after a gap"},
    {"\"shape\":[64,12]", "\"shape\":[4294967296,4294967296]",
     "[4294967296, 4294967296] of F32, the header gives it 3072"},
    /* 12 of them wrap to 8 */
    {"\"shape\":[64,12]", "\"shape\":[6148914691236517206,12]", "the header gives it 3072"},
    {"\"shape\":[64,12]", "\"shape\":[-64,-12]", "damaged entry"},
    {"\"shape\":[64,12]", "\"shape\":[1,1,1,1,1,1,1,64,12]", "damaged entry"},
    {"[0,", "[99999999999999999999999999,", "JSON is damaged"},
    {"{", "[", "JSON is damaged"},
    {"}", "", "JSON is damaged"},
};

START_TEST(one_fault_each)
{
    const fault *f = &faults[_i];
    parts p = take_apart(port_file);
    ks_error e = {0};
    ks_weights *w;
    size_t n;
    write_config(D12);
    replace(&p, f->from, f->to);
    uint8_t *all = together(&p, &n);
    ks_write_file(at.path, all, n);
    int err = open_path(&w, at.path, &e);
    ks_model_place_refused(&at, f->to, err, &e, f->said);
    free(all);
    free_parts(&p);
}
END_TEST

/* --- a whole file, but of another model: one tensor of another shape, twice under two names, or
 * gone --- */

#define V "video_model.vision_model."
typedef struct {
    const char *tensor, *shape, *also, *said; /* neither shape nor also: it is left out */
} other_shape;

static const other_shape shapes[] = {
    {V "layernorm1.bias", NULL, NULL, "tensor " V "layernorm1.bias is missing"},
    {"text_model.embeddings.cls_emb", NULL, NULL,
     "tensor text_model.embeddings.cls_emb is missing"},
    {V "layernorm1.bias", NULL, V "layernorm3.bias",
     "tensor " V "layernorm3.bias belongs to no part"},
    {V "spatial_layers.0.mlp.fc2.bias", NULL, V "spatial_layers.1.mlp.fc2.bias",
     V "spatial_layers.1."},
    {V "spatial_layers.0.mlp.fc2.bias", NULL, V "spatial_layers.2.mlp.fc2.bias",
     "tensor " V "spatial_layers.2.mlp.fc2.bias belongs to no part"},
    {V "spatial_layers.0.mlp.fc1.weight", "[12,20]", NULL,
     "tensor " V "spatial_layers.0.mlp.fc1.weight is [12, 20], this model's"},
    {V "spatial_embeddings.position_embeddings", "[1,12,4]", NULL,
     "position_embeddings is [1, 12, 4], this model's width is 12"},
    {V "layernorm1.bias", "[11]", NULL,
     "tensor " V "layernorm1.bias is [11], this model's width is 12"},
    {V "layernorm1.bias", "[1024]", NULL,
     "tensor " V "layernorm1.bias is [1024], this model's width is 12"},
    {V "layernorm1.bias", "[1,12]", NULL,
     "tensor " V "layernorm1.bias is [1, 12], this model needs [12]"},
    {V "layernorm1.bias", "[0]", NULL, "tensor " V "layernorm1.bias is [0], it has no elements"},
    {V "spatial_embeddings.position_embeddings", "[1,3,12]", NULL,
     "position_embeddings has 3 places, which is no square grid"},
    {V "temporal_embeddings.position_embeddings", "[1,0,12]", NULL,
     "position_embeddings is [1, 0, 12], it has no frames"},
    {"text_model.embeddings.token_embedding.weight", "[0,12]", NULL,
     "token_embedding.weight is [0, 12], it has no vocabulary"},
    {V "spatial_embeddings.patch_embeddings.projection.weight", "[12,3,1,18,17]", NULL,
     "this model's patch side is"},
    {"video_model.head.per_dim_scale", "[15]", NULL,
     "tensor video_model.head.per_dim_scale is [15], this model's pooler head width is 16"},
};

static size_t elements(const json_t *shape)
{
    size_t n = 1;
    for (size_t i = 0; i < json_array_size(shape); i++)
        n *= (size_t)json_integer_value(json_array_get(shape, i));
    return n;
}

/* Appends one tensor of `bytes` zeros, or of what stands at `from`. */
static void append(parts *to, json_t *header, const char *name, json_t *shape, const uint8_t *from,
                   size_t bytes)
{
    json_object_set_new(header, name,
                        json_pack("{s:s, s:O, s:[I, I]}", "dtype", "F32", "shape", shape,
                                  "data_offsets", (json_int_t)to->bytes,
                                  (json_int_t)(to->bytes + bytes)));
    if (from) memcpy(to->data + to->bytes, from, bytes);
    else memset(to->data + to->bytes, 0, bytes);
    to->bytes += bytes;
}

static parts with(const parts *p, const other_shape *o)
{
    json_t *from = json_loads(p->header, 0, NULL), *to = json_object(), *value;
    parts q = {NULL, malloc(p->bytes + 8192), 0};
    const char *name;
    int found = 0;
    json_object_foreach(from, name, value) {
        json_t *shape = json_object_get(value, "shape");
        if (strcmp(name, "__metadata__") == 0 ||
            strcmp(json_string_value(json_object_get(value, "dtype")), "F32") != 0)
            continue;
        const uint8_t *data =
            p->data + json_integer_value(json_array_get(json_object_get(value, "data_offsets"), 0));
        if (strcmp(name, o->tensor) != 0) {
            append(&q, to, name, shape, data, 4 * elements(shape));
            continue;
        }
        found++;
        json_t *other = o->shape ? json_loads(o->shape, 0, NULL) : json_incref(shape);
        if (o->shape || o->also) append(&q, to, name, other, NULL, 4 * elements(other));
        if (o->also) append(&q, to, o->also, other, NULL, 4 * elements(other));
        json_decref(other);
    }
    ck_assert_int_eq(found, 1);
    q.header = json_dumps(to, JSON_COMPACT);
    json_decref(from);
    json_decref(to);
    return q;
}

START_TEST(other_shapes)
{
    const other_shape *o = &shapes[_i];
    parts p = take_apart(port_file), q = with(&p, o);
    ks_error e = {0};
    ks_weights *w;
    size_t n;
    write_config(D12);
    uint8_t *all = together(&q, &n);
    ks_write_file(at.path, all, n);
    ks_model_place_refused(&at, o->said, open_path(&w, at.path, &e), &e, o->said);
    free(all);
    free_parts(&p);
    free_parts(&q);
}
END_TEST

/* Nothing of a header is guarded by a checksum: a flipped bit is refused, or it lies where
 * nothing of the model stands. */
START_TEST(header_bit_flips)
{
    parts p = take_apart(port_file);
    size_t n, taken = 0, tried = 0, head = 8 + strlen(p.header);
    uint8_t *all = together(&p, &n);
    ks_checkpoint *cp;
    ks_error e = {0};
    write_config(D12);
    for (size_t bit = 0; bit < 8 * head; bit += 37) {
        ks_binding b = {0};
        all[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ks_write_file(at.path, all, n);
        int err = ks_checkpoint_open(&cp, at.path, &e);
        if (!err) err = ks_bind(&b, cp, &e);
        if (err) ks_model_place_refused(&at, "a flipped bit", err, &e, "");
        else
            taken++, ck_assert(b.info.dim == 12 && b.info.heads == 3 && b.info.vocabulary == 24 &&
                               b.info.frames == 3 && b.info.grid == 2);
        tried++;
        ks_binding_free(&b);
        ks_checkpoint_close(cp);
        all[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    /* metadata, the padding behind the JSON */
    ck_assert_msg(taken * 50 < tried, "%zu of %zu taken", taken, tried);
    free(all);
    free_parts(&p);
}
END_TEST

START_TEST(data_faults)
{
    parts p = take_apart(port_file);
    ks_error e = {0};
    ks_weights *w;
    size_t n;
    write_config(D12);
    for (int i = 0; i < 5; i++) {
        parts q = p;
        uint8_t *all = together(&q, &n);
        uint64_t length;
        memcpy(&length, all, 8);
        if (i == 0) n -= 1;                       /* truncated */
        if (i == 1) memset(all + n - 4, 0xff, 4); /* NaN in the last element */
        if (i == 4) memcpy(all + n - 4, &(float){-INFINITY}, 4);
        if (i == 2) length = 1ull << 62, memcpy(all, &length, 8);
        if (i == 3) length += 1ull << 21, memcpy(all, &length, 8);
        ks_write_file(at.path, all, n);
        int err = open_path(&w, at.path, &e);
        ck_assert_msg(err == KS_EFORMAT, "fault %d: %d", i, err);
        ks_model_place_refused(&at, "data", err, &e,
                               i == 1 || i == 4 ? V
                                   "temporal_layers.0.mlp.fc2.weight holds NaN or Inf"
                               : i == 0 ? V "temporal_layers.0.mlp.fc2.weight lies outside"
                                        : "header");
        free(all);
    }
    uint8_t *all = together(&p, &n);
    for (size_t i = 0; i < 40; i++) {
        ks_write_file(at.path, all, n * i / 40);
        ck_assert_int_eq(open_path(&w, at.path, &e), KS_EFORMAT);
    }
    ks_write_file(at.path, all, n); /* and whole again: right again */
    ck_assert_msg(open_path(&w, at.path, &e) == 0, "%s", e.msg);
    ks_weights_close(w);
    free(all);
    free_parts(&p);
}
END_TEST

START_TEST(hash_follows_the_data)
{
    parts p = take_apart(port_file);
    ks_error e = {0};
    ks_weights *w;
    size_t n;
    char first[KS_HASH_HEX];
    write_config(D12);
    uint8_t *all = together(&p, &n);
    ks_write_file(at.path, all, n);
    ck_assert_int_eq(open_path(&w, at.path, &e), 0);
    memcpy(first, w->info.hash, sizeof first);
    float was = w->spatial_ln_bias[0];
    ks_weights_close(w);
    unsigned from;
    char *here = strstr(strstr(p.header, LN), "data_offsets");
    ck_assert(sscanf(here, "data_offsets\":[%u", &from) == 1 ||
              sscanf(here, "data_offsets\": [%u", &from) == 1);
    /* the least bit of an element, same size, written in place */
    all[8 + strlen(p.header) + from] ^= 1;
    ks_write_file(at.path, all, n);
    ck_assert_int_eq(open_path(&w, at.path, &e), 0);
    ck_assert_str_ne(first, w->info.hash);
    ck_assert(w->spatial_ln_bias[0] != was);
    ks_weights_close(w);
    free(all);
    free_parts(&p);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("safetensors");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, equals_the_npz);
    tcase_add_test(t, element_types);
    tcase_add_test(t, heads_from_config);
    tcase_add_loop_test(t, one_fault_each, 0, (int)(sizeof faults / sizeof *faults));
    tcase_add_loop_test(t, other_shapes, 0, (int)(sizeof shapes / sizeof *shapes));
    tcase_add_test(t, header_bit_flips);
    tcase_add_test(t, data_faults);
    tcase_add_test(t, hash_follows_the_data);
    return ks_run_case("safetensors", t);
}
