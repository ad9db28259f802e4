"""Compares an exported model here and in the official JAX code: parity.py ours …; then parity.py official ….

The two steps may run in two environments (PyTorch, JAX). The official code's need for TensorFlow is met by a stub.
"""
import argparse
import sys
import types

import numpy as np


def inputs(grid, frames, vocabulary):
    rng = np.random.default_rng(7)
    video = rng.integers(0, 256, (3, frames, grid * 18, grid * 18, 3), dtype=np.uint8)
    video[1] = video[1, :1]                                   # a still
    video[2] = np.linspace(0, 255, frames * video[2, 0].size).reshape(video[2].shape).astype(np.uint8)
    ids = rng.integers(3, vocabulary, (3, 64))
    for row, n in zip(ids, (5, 12, 64)):
        row[n:] = 0
    return video, ids


def ours(args):
    import torch
    from export import read
    lvt = read(args.model).eval()
    video, ids = inputs(lvt.cfg.grid, lvt.cfg.frames, lvt.cfg.vocabulary)
    with torch.no_grad():
        np.savez(args.vectors, video=lvt.video(torch.from_numpy(video)).numpy(), text=lvt.words(torch.from_numpy(ids)).numpy())


def stub_tensorflow():
    tf, io = types.ModuleType('tensorflow'), types.ModuleType('tensorflow.io')
    tf.Tensor = tf.RaggedTensor = tf.Variable = type('Nothing', (), {})
    io.gfile = types.SimpleNamespace(GFile=open)
    tf.io = io
    sys.modules.update({'tensorflow': tf, 'tensorflow.io': io})


def official(args):
    stub_tensorflow()
    sys.path.insert(0, args.code)
    import jax.numpy as jnp
    from videoprism import encoders, utils
    flat = {k: np.asarray(v, np.float32) for k, v in np.load(args.model).items()}
    count = lambda s: len(flat[f'params/{s}/x_layers/layer_norm/bias'])
    grid = round(len(flat['params/vision_encoder/spatial_pos_emb/emb_var']) ** .5)
    frames = len(flat['params/vision_encoder/temporal_pos_emb/emb_var'])
    vocabulary, width = flat['params/text_encoder/token_emb/emb_var'].shape
    heads = flat['params/vision_encoder/spatial_encoder/transformers_stack/x_layers/self_attention/query/w'].shape[2]
    mlp = flat['params/vision_encoder/spatial_encoder/transformers_stack/x_layers/ff_layer/ffn_layer1/linear/bias'].shape[1]
    model = encoders.FactorizedVideoCLIP(
        patch_size=18, pos_emb_shape=(frames, grid, grid), num_spatial_layers=count('vision_encoder/spatial_encoder/transformers_stack'),
        num_temporal_layers=count('vision_encoder/temporal_encoder/transformers_stack'), mlp_dim=mlp,
        num_auxiliary_layers=count('auxiliary_encoder/transformers_stack'), vocabulary_size=vocabulary,
        num_unimodal_layers=count('text_encoder/unimodal_transformer'), model_dim=width, num_heads=heads, atten_logit_cap=50.0,
        norm_policy='pre', enable_causal_atten=True, scan=True)
    tree = utils.load_checkpoint({k: jnp.asarray(v) for k, v in flat.items()})
    video, ids = inputs(grid, frames, vocabulary)
    v, t, _ = model.apply(tree, jnp.asarray(video, jnp.float32) / 255, jnp.asarray(ids), jnp.asarray(ids == 0, jnp.float32), train=False)
    mine = np.load(args.vectors)
    worst = max(np.abs(np.asarray(v) - mine['video']).max(), np.abs(np.asarray(t) - mine['text']).max())
    print(f'largest difference of a unit vector\'s component: video {np.abs(np.asarray(v) - mine["video"]).max():.2e}, '
          f'text {np.abs(np.asarray(t) - mine["text"]).max():.2e}')
    return 0 if worst < 1e-5 else 1


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('step', choices=['ours', 'official'])
    parser.add_argument('model')
    parser.add_argument('--vectors', default='vectors.npz')
    parser.add_argument('--code', help='folder of the official repository')
    args = parser.parse_args()
    sys.exit(ours(args) if args.step == 'ours' else official(args))
