#!/usr/bin/env python3
"""Loads a classifier of `kinoseek eval probe` in the official code and compares its logits with ours on random pictures.

  python3 classifier.py SOURCE KINOSEEK CLASSIFIER.npz [FRAMES]

SOURCE: a checkout of google-deepmind/videoprism; KINOSEEK: the program. Needs jax, flax, einshape, einops and numpy.
"""
import os
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
from make_fixtures import PATCH, official                              # noqa: E402


def main(source, program, path, frames=None):
    import jax
    jax.config.update("jax_platforms", "cpu")
    import jax.numpy as jnp
    encoders, _ = official(source)
    from videoprism import models
    files = np.load(path)
    shape = {k: files[k].shape for k in files}
    stack = "params/encoder/%s_encoder/transformers_stack/x_layers/"
    depth = {s: shape[stack % s + "layer_norm/bias"][0] for s in ("spatial", "temporal")}
    places, width = shape["params/encoder/spatial_pos_emb/emb_var"]
    time, grid = shape["params/encoder/temporal_pos_emb/emb_var"][0], round(places ** .5)
    net = encoders.FactorizedVideoClassifier(num_classes=shape["params/projection/linear/bias"][0], encoder_params=dict(
        patch_size=PATCH, pos_emb_shape=(time, grid, grid), model_dim=width, num_spatial_layers=depth["spatial"],
        num_temporal_layers=depth["temporal"], num_heads=shape["params/atten_pooler/pooling_attention/query/w"][1],
        mlp_dim=shape[stack % "spatial" + "ff_layer/ffn_layer1/linear/bias"][1], atten_logit_cap=50.0, scan=True))
    weights = models.load_pretrained_weights(None, checkpoint_path=path)     # the official loader
    worst = 0.0
    with tempfile.TemporaryDirectory() as d:
        for seed in range(5):
            rng = np.random.default_rng(seed)
            low = rng.integers(0, 256, (int(frames or time), grid, grid, 3), dtype=np.uint8)
            clip = low.repeat(PATCH, 1).repeat(PATCH, 2) // 2 + rng.integers(0, 128, (len(low), grid * PATCH, grid * PATCH, 3), dtype=np.uint8)
            np.save(d + "/clip.npy", clip)
            subprocess.run([program, "-q", "-m", path, "features", "--stage", "logits", "--npy", d + "/clip.npy", "-o", d + "/logits.npy", "--force"], check=True)
            want = np.asarray(net.apply(weights, jnp.asarray(clip[None], jnp.float32) / 255, train=False)[0][0])
            far = float(np.abs(np.load(d + "/logits.npy") - want).max())
            worst = max(worst, far / float(np.abs(want).max()))
            print("seed %d: largest logit %.3f, largest difference %.2e" % (seed, np.abs(want).max(), far))
    print("largest difference, of the largest logit: %.2e" % worst)


if __name__ == "__main__":
    main(*sys.argv[1:])
