/* tensor_table.c - names and symbolic shapes; see tensor_table.h for the letters. */
#include "encoder/tensor_table.h"

#include "encoder/weights.h"

#define W(field) offsetof(ks_weights, field)
#define B(field) offsetof(ks_stack, field)

static const ks_row vision[] = {
    {"patch_projection/linear/kernel", "PD",
     "spatial_embeddings.patch_embeddings.projection.weight", "D31qq", KS_CONV, W(patch_w)},
    {"patch_projection/linear/bias", "D", "spatial_embeddings.patch_embeddings.projection.bias",
     "D", KS_AS_IS, W(patch_b)},
    {"spatial_pos_emb/emb_var", "GD", "spatial_embeddings.position_embeddings", "1GD", KS_AS_IS,
     W(spatial_pos)},
    {"temporal_pos_emb/emb_var", "TD", "temporal_embeddings.position_embeddings", "1TD", KS_AS_IS,
     W(temporal_pos)},
    {"spatial_ln/scale", "D", "layernorm1.weight", "D", KS_AS_IS, W(spatial_ln_scale)},
    {"spatial_ln/bias", "D", "layernorm1.bias", "D", KS_AS_IS, W(spatial_ln_bias)},
    {"temporal_ln/scale", "D", "layernorm2.weight", "D", KS_AS_IS, W(temporal_ln_scale)},
    {"temporal_ln/bias", "D", "layernorm2.bias", "D", KS_AS_IS, W(temporal_ln_bias)},
    {0},
};

/* "4H" pieces: theirs is [4D, D] where ours is [D, H, 4D/H]. */
static const ks_row pooler[] = {
    {"pooling_attention_query", "1D", "head.pooling_attention_query", "11D", KS_AS_IS,
     W(pooler.query)},
    {"pooling_attention/query/w", "DHp", "head.q_proj.weight", "4D", KS_TRANSPOSED, W(pooler.wq)},
    {"pooling_attention/query/b", "Hp", "head.q_proj.bias", "4", KS_AS_IS, W(pooler.bq)},
    {"pooling_attention/key/w", "DHp", "head.k_proj.weight", "4D", KS_TRANSPOSED, W(pooler.wk)},
    {"pooling_attention/key/b", "Hp", "head.k_proj.bias", "4", KS_AS_IS, W(pooler.bk)},
    {"pooling_attention/value/w", "DHp", "head.v_proj.weight", "4D", KS_TRANSPOSED, W(pooler.wv)},
    {"pooling_attention/value/b", "Hp", "head.v_proj.bias", "4", KS_AS_IS, W(pooler.bv)},
    {"pooling_attention/per_dim_scale/per_dim_scale", "p", "head.per_dim_scale", "p", KS_AS_IS,
     W(pooler.per_dim_scale)},
    {"pooling_attention/post/w", "DHp", "head.o_proj.weight", "D4", KS_AS_IS, W(pooler.wo)},
    {"pooling_attention/post/b", "D", "head.o_proj.bias", "D", KS_AS_IS, W(pooler.bo)},
    {"pooling_attention_layer_norm/scale", "D", "head_layernorm.weight", "D", KS_AS_IS,
     W(pooler.ln_scale)},
    {"pooling_attention_layer_norm/bias", "D", "head_layernorm.bias", "D", KS_AS_IS,
     W(pooler.ln_bias)},
    {0},
};

static const ks_row text[] = {
    {"token_emb/emb_var", "VD", "embeddings.token_embedding.weight", "VD", KS_AS_IS, W(token_emb)},
    {"cls_emb", "11D", "embeddings.cls_emb", "11D", KS_AS_IS, W(cls_emb)},
    {"unimodal_ln/scale", "D", "layernorm.weight", "D", KS_AS_IS, W(text_ln_scale)},
    {"unimodal_ln/bias", "D", "layernorm.bias", "D", KS_AS_IS, W(text_ln_bias)},
    {0},
};

static const ks_row classifier[] = {
    {"projection/linear/kernel", "DC", NULL, NULL, KS_AS_IS, W(class_w)},
    {"projection/linear/bias", "C", NULL, NULL, KS_AS_IS, W(class_b)},
    {0},
};

/* What both kinds of block share. The mlp's letter F stands for the stack's own. */
/* clang-format off */
#define BLOCK \
    {"self_attention/query/w", "LDHh", "attention.q_proj.weight", "DD", KS_TRANSPOSED, B(wq)}, \
    {"self_attention/query/b", "LHh", "attention.q_proj.bias", "D", KS_AS_IS, B(bq)}, \
    {"self_attention/key/w", "LDHh", "attention.k_proj.weight", "DD", KS_TRANSPOSED, B(wk)}, \
    {"self_attention/key/b", "LHh", "attention.k_proj.bias", "D", KS_AS_IS, B(bk)}, \
    {"self_attention/value/w", "LDHh", "attention.v_proj.weight", "DD", KS_TRANSPOSED, B(wv)}, \
    {"self_attention/value/b", "LHh", "attention.v_proj.bias", "D", KS_AS_IS, B(bv)}, \
    {"self_attention/post/w", "LDHh", "attention.o_proj.weight", "DD", KS_AS_IS, B(wo)}, \
    {"self_attention/post/b", "LD", "attention.o_proj.bias", "D", KS_AS_IS, B(bo)}, \
    {"ff_layer/ffn_layer1/linear/kernel", "LDF", "mlp.fc1.weight", "FD", KS_TRANSPOSED, B(w1)}, \
    {"ff_layer/ffn_layer1/linear/bias", "LF", "mlp.fc1.bias", "F", KS_AS_IS, B(b1)}, \
    {"ff_layer/ffn_layer2/linear/kernel", "LFD", "mlp.fc2.weight", "DF", KS_TRANSPOSED, B(w2)}, \
    {"ff_layer/ffn_layer2/linear/bias", "LD", "mlp.fc2.bias", "D", KS_AS_IS, B(b2)}
/* clang-format on */

static const ks_row block_pre[] = {
    {"layer_norm/scale", "LD", "layernorm_before.weight", "D", KS_AS_IS, B(ln1_scale)},
    {"layer_norm/bias", "LD", "layernorm_before.bias", "D", KS_AS_IS, B(ln1_bias)},
    {"ff_layer/layer_norm/scale", "LD", "layernorm_after.weight", "D", KS_AS_IS, B(ln2_scale)},
    {"ff_layer/layer_norm/bias", "LD", "layernorm_after.bias", "D", KS_AS_IS, B(ln2_bias)},
    BLOCK,
    {0},
};

static const ks_row block_hybrid[] = {
    {"pre_layer_norm/scale", "LD", NULL, NULL, KS_AS_IS, B(ln1_scale)},
    {"pre_layer_norm/bias", "LD", NULL, NULL, KS_AS_IS, B(ln1_bias)},
    {"post_layer_norm/scale", "LD", NULL, NULL, KS_AS_IS, B(ln1_post_scale)},
    {"post_layer_norm/bias", "LD", NULL, NULL, KS_AS_IS, B(ln1_post_bias)},
    {"ff_layer/pre_layer_norm/scale", "LD", NULL, NULL, KS_AS_IS, B(ln2_scale)},
    {"ff_layer/pre_layer_norm/bias", "LD", NULL, NULL, KS_AS_IS, B(ln2_bias)},
    {"ff_layer/post_layer_norm/scale", "LD", NULL, NULL, KS_AS_IS, B(ln2_post_scale)},
    {"ff_layer/post_layer_norm/bias", "LD", NULL, NULL, KS_AS_IS, B(ln2_post_bias)},
    BLOCK,
    {0},
};

static const ks_stack_row stacks[KS_STACKS] = {
    {'s', "spatial", "spatial_encoder/transformers_stack/x_layers/", "spatial_layers.",
     KS_PART_VISION, W(spatial), 'F'},
    {'t', "temporal", "temporal_encoder/transformers_stack/x_layers/", "temporal_layers.",
     KS_PART_VISION, W(temporal), 'F'},
    {'a', "auxiliary", "params/auxiliary_encoder/transformers_stack/x_layers/",
     "video_model.auxiliary_layers.", KS_PART_COUNT, W(auxiliary), 'F'},
    {'u', "text", "unimodal_transformer/x_layers/", "layers.", KS_PART_TEXT, W(text), '4'},
};

const ks_row *ks_part_rows(ks_part part)
{
    static const ks_row *const parts[KS_PART_COUNT] = {vision, pooler, text, classifier};
    return parts[part];
}

const ks_row *ks_block_rows(int hybrid) { return hybrid ? block_hybrid : block_pre; }

const ks_stack_row *ks_stack_rows(void) { return stacks; }
