#!/usr/bin/env python3
"""One of the others as a server: it loads a checkpoint, warms up, says "ready", then answers lines.

  python3 peers.py jax|torch-fp32|torch-bf16|torch-fp64 VARIANT CHECKPOINT [SOURCE]

jax: the official code (jit, fp32; SOURCE: checkout of google-deepmind/videoprism; XLA_FLAGS limits its
instructions). torch-*: transformers' port (eager, the only attention it has for the capped logits) with the
same weights. A line is `clip FILE.npy [ANSWER.npy]` (uint8 [T,288,288,3]) or `ids N,N,...`; the reply is the
seconds that it took, without reading the file.
"""
import os
import sys
import time

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "fixtures"))
OFFICIAL = {"lvt-base": "videoprism_lvt_v1_base", "lvt-large": "videoprism_lvt_v1_large"}
SHAPE = {"lvt-base": (16, 768, 12, 3072, 12), "lvt-large": (8, 1024, 16, 4096, 24)}  # T, D, heads, F, spatial layers
TEXT_MAX = 64


def padded(ids):
    return ids + [0] * (TEXT_MAX - len(ids)), [0.0] * len(ids) + [1.0] * (TEXT_MAX - len(ids))


def jax_peer(variant, checkpoint, source):
    import jax
    jax.config.update("jax_platforms", "cpu")
    import jax.numpy as jnp
    import make_fixtures as official_side
    encoders, _ = official_side.official(source)
    from videoprism import models
    net = encoders.FactorizedVideoCLIP(**dict(models.CONFIGS[OFFICIAL[variant]], vocabulary_size=32000))
    with np.load(checkpoint) as z:
        tree = official_side.tree({k: jnp.asarray(z[k]) for k in z.files})
    video = jax.jit(lambda t, x: net.apply(t, x, train=False)[0])
    text = jax.jit(lambda t, i, p: net.apply(t, None, i, p, train=False)[1])

    def say(ids):
        i, p = padded(ids)
        return jax.block_until_ready(text(tree, jnp.asarray([i], jnp.int32), jnp.asarray([p], jnp.float32)))
    return lambda x: np.asarray(video(tree, jnp.asarray(x[None]))).ravel(), say


def torch_names(z):
    """The port's names and layouts, from the official ones."""
    def dense(name):
        w = z[name + "/w"]
        return w.reshape(w.shape[0], -1), z[name + "/b"].ravel()

    def attention(out, to, w, b, name):
        out[to + name + ".weight"], out[to + name + ".bias"] = w, b
    one = np.ascontiguousarray
    out = {}
    stacks = [("params/vision_encoder/spatial_encoder/transformers_stack/x_layers/", "video_model.vision_model.spatial_layers."),
              ("params/vision_encoder/temporal_encoder/transformers_stack/x_layers/", "video_model.vision_model.temporal_layers."),
              ("params/auxiliary_encoder/transformers_stack/x_layers/", "video_model.auxiliary_layers."),
              ("params/text_encoder/unimodal_transformer/x_layers/", "text_model.layers.")]
    for here, there in stacks:
        t = {k[len(here):]: z[k] for k in z.files if k.startswith(here)}
        for i in range(t["layer_norm/scale"].shape[0]):
            to = there + "%d." % i
            for a, b in (("layer_norm", "layernorm_before"), ("ff_layer/layer_norm", "layernorm_after")):
                out[to + b + ".weight"], out[to + b + ".bias"] = t[a + "/scale"][i], t[a + "/bias"][i]
            for a, b in (("query", "q_proj"), ("key", "k_proj"), ("value", "v_proj")):
                w = t["self_attention/%s/w" % a][i]
                attention(out, to, one(w.reshape(w.shape[0], -1).T), t["self_attention/%s/b" % a][i].ravel(), "attention." + b)
            w = t["self_attention/post/w"][i]
            attention(out, to, one(w.reshape(w.shape[0], -1)), t["self_attention/post/b"][i], "attention.o_proj")
            for a, b in (("ffn_layer1", "mlp.fc1"), ("ffn_layer2", "mlp.fc2")):
                attention(out, to, one(t["ff_layer/%s/linear/kernel" % a][i].T), t["ff_layer/%s/linear/bias" % a][i], b)
    vision, pool = "video_model.vision_model.", "params/contrastive_vision_pooler/"
    k = z["params/vision_encoder/patch_projection/linear/kernel"]
    out[vision + "spatial_embeddings.patch_embeddings.projection.weight"] = one(k.reshape(18, 18, 3, -1).transpose(3, 2, 0, 1)[:, :, None])
    out[vision + "spatial_embeddings.patch_embeddings.projection.bias"] = z["params/vision_encoder/patch_projection/linear/bias"]
    out[vision + "spatial_embeddings.position_embeddings"] = z["params/vision_encoder/spatial_pos_emb/emb_var"][None]
    out[vision + "temporal_embeddings.position_embeddings"] = z["params/vision_encoder/temporal_pos_emb/emb_var"][None]
    for a, b in (("vision_encoder/spatial_ln", vision + "layernorm1"), ("vision_encoder/temporal_ln", vision + "layernorm2"),
                 ("contrastive_vision_pooler/pooling_attention_layer_norm", "video_model.head_layernorm"),
                 ("text_encoder/unimodal_ln", "text_model.layernorm")):
        out[b + ".weight"], out[b + ".bias"] = z["params/%s/scale" % a], z["params/%s/bias" % a]
    for a, b in (("query", "q_proj"), ("key", "k_proj"), ("value", "v_proj")):
        w, bias = dense(pool + "pooling_attention/" + a)
        attention(out, "video_model.head.", one(w.T), bias, b)
    w, bias = dense(pool + "pooling_attention/post")
    attention(out, "video_model.head.", w, bias, "o_proj")
    out["video_model.head.per_dim_scale"] = z[pool + "pooling_attention/per_dim_scale/per_dim_scale"]
    out["video_model.head.pooling_attention_query"] = z[pool + "pooling_attention_query"][None]
    out["text_model.embeddings.token_embedding.weight"] = z["params/text_encoder/token_emb/emb_var"]
    out["text_model.embeddings.cls_emb"] = z["params/text_encoder/cls_emb"]
    return out


def torch_peer(variant, checkpoint, kind):
    import torch
    from transformers import VideoPrismClipModel, VideoPrismConfig
    T, D, heads, F, layers = SHAPE[variant]
    vision = dict(num_frames=T, hidden_size=D, num_attention_heads=heads, intermediate_size=F, num_spatial_layers=layers)
    text = dict(hidden_size=D, num_attention_heads=heads, intermediate_size=F)
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    with torch.device("meta"):
        model = VideoPrismClipModel(VideoPrismConfig(vision_config=vision, text_config=text))
    with np.load(checkpoint) as z:
        weights = {k: torch.from_numpy(v) for k, v in torch_names(z).items()}
    model = model.to_empty(device="cpu")
    missing = model.load_state_dict(weights, strict=False)
    left = set(missing.missing_keys) - {"text_model.embeddings.position_embedding", "text_model.embeddings.position_ids"}
    assert not missing.unexpected_keys and not left, (missing.unexpected_keys, left)
    from transformers.models.videoprism.modeling_videoprism import create_sinusoidal_positions
    model.text_model.embeddings.position_embedding.copy_(create_sinusoidal_positions(TEXT_MAX, D))
    model.text_model.embeddings.position_ids.copy_(torch.arange(TEXT_MAX)[None])
    real = {"torch-fp32": torch.float32, "torch-bf16": torch.bfloat16, "torch-fp64": torch.float64}[kind]
    model = model.to(real).eval()
    if kind == "torch-bf16":  # torch has no antialiased bilinear in bf16: needed where T is not the trained one
        resize = torch.nn.functional.interpolate
        torch.nn.functional.interpolate = lambda x, *a, **k: resize(x.float(), *a, **k).to(x.dtype)

    def video(x):
        with torch.inference_mode():
            pixels = torch.from_numpy(x).permute(0, 3, 1, 2)[None].to(real)
            return model.get_video_features(pixels, interpolate_pos_encoding=True).pooler_output.double().numpy().ravel()

    def say(ids):
        i, p = padded(ids)
        with torch.inference_mode():
            return model.get_text_features(input_ids=torch.tensor([i]), attention_mask=1 - torch.tensor([p]).long()).pooler_output
    return video, say


def serve(video, say):
    for line in sys.stdin:
        kind, *words = line.split()
        x = np.load(words[0]).astype(np.float32) / np.float32(255) if kind == "clip" else [int(i) for i in words[0].split(",")]
        start = time.time()
        answer = (video if kind == "clip" else say)(x)
        took = time.time() - start
        if len(words) > 1:
            np.save(words[1], answer)
        print("%.4f" % took, flush=True)


def main(kind, variant, checkpoint, source=None):
    video, say = jax_peer(variant, checkpoint, source) if kind == "jax" else torch_peer(variant, checkpoint, kind)
    video(np.random.default_rng(0).random((SHAPE[variant][0], 288, 288, 3), np.float32))
    say([262, 266, 768, 259])
    print("ready", flush=True)
    serve(video, say)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
