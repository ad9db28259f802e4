"""Writes a checkpoint as an official-style .npz of float16 tensors, and reads such a file back.

The scaling of the input used in training, (byte - 128) / 64, is folded into the patch projection: the official
code feeds byte / 255.
"""
import argparse

import numpy as np
import torch

from model import Config, LvT

VISION = 'params/vision_encoder/'
STACKS = [('spatial', VISION + 'spatial_encoder/transformers_stack/x_layers/'),
          ('temporal', VISION + 'temporal_encoder/transformers_stack/x_layers/'),
          ('auxiliary', 'params/auxiliary_encoder/transformers_stack/x_layers/'),
          ('text', 'params/text_encoder/unimodal_transformer/x_layers/')]
NORMS = [('spatial_ln', VISION + 'spatial_ln/'), ('temporal_ln', VISION + 'temporal_ln/'),
         ('text_ln', 'params/text_encoder/unimodal_ln/'), ('pooler.ln', 'params/contrastive_vision_pooler/pooling_attention_layer_norm/')]
POOL = 'params/contrastive_vision_pooler/pooling_attention/'


def block_arrays(block):
    """One block's tensors by their official names (without the layer axis)."""
    n, d = block.heads, block.post.weight.shape[0]
    w, b = block.qkv.weight.view(3, n, d // n, d), block.qkv.bias.view(3, n, d // n)
    out = {}
    for k, name in enumerate(('query', 'key', 'value')):
        out[f'self_attention/{name}/w'] = w[k].permute(2, 0, 1)
        out[f'self_attention/{name}/b'] = b[k]
    out['self_attention/post/w'] = block.post.weight.view(d, n, d // n)
    out['self_attention/post/b'] = block.post.bias
    for norm, name in ((block.ln1, 'layer_norm'), (block.ln2, 'ff_layer/layer_norm')):
        out[name + '/scale'], out[name + '/bias'] = norm.scale, norm.bias
    for linear, name in ((block.up, 'ffn_layer1'), (block.down, 'ffn_layer2')):
        out[f'ff_layer/{name}/linear/kernel'], out[f'ff_layer/{name}/linear/bias'] = linear.weight.T, linear.bias
    return out


def arrays(lvt):
    """All tensors by name. Those of the blocks are views of the model, so that load() can write through them."""
    out = {}
    for name, prefix in STACKS:
        layers = [block_arrays(b) for b in getattr(lvt, name)]
        for key in layers[0]:
            out[prefix + key] = [layer[key] for layer in layers]
    for name, prefix in NORMS:
        norm = lvt.get_submodule(name)
        out[prefix + 'scale'], out[prefix + 'bias'] = norm.scale, norm.bias
    out[VISION + 'patch_projection/linear/kernel'] = lvt.patch.weight.T
    out[VISION + 'patch_projection/linear/bias'] = lvt.patch.bias
    out[VISION + 'spatial_pos_emb/emb_var'] = lvt.spatial_pos
    out[VISION + 'temporal_pos_emb/emb_var'] = lvt.temporal_pos
    p = lvt.pooler
    for name, w, b in (('query', p.wq, p.bq), ('key', p.wk, p.bk), ('value', p.wv, p.bv), ('post', p.post_w, p.post_b)):
        out[POOL + name + '/w'], out[POOL + name + '/b'] = w, b
    out[POOL + 'per_dim_scale/per_dim_scale'] = p.per_dim
    out['params/contrastive_vision_pooler/pooling_attention_query'] = p.query
    out['params/text_encoder/cls_emb'] = lvt.cls
    out['params/text_encoder/token_emb/emb_var'] = lvt.token
    return out


def folded(tensors, undo=False):
    """From the scale of training to byte / 255, or back."""
    kernel, bias = VISION + 'patch_projection/linear/kernel', VISION + 'patch_projection/linear/bias'
    w, b = tensors[kernel].astype(np.float64), tensors[bias].astype(np.float64)
    if undo:
        tensors[kernel] = w * 64 / 255
        tensors[bias] = b + 2 * tensors[kernel].sum(0)
    else:
        tensors[kernel] = w * 255 / 64
        tensors[bias] = b - 2 * w.sum(0)
    return tensors


def to_numpy(lvt):
    get = lambda x: x.detach().double().numpy()
    return folded({k: np.stack([get(x) for x in v]) if isinstance(v, list) else get(v) for k, v in arrays(lvt).items()})


def write(lvt, path):
    tensors = {k: np.ascontiguousarray(v, np.float16) for k, v in sorted(to_numpy(lvt).items())}
    assert all(np.isfinite(v).all() for v in tensors.values())
    np.savez(path, **tensors)


def read(path, cap=50.):
    """The model of an exported file, in float32."""
    tensors = dict(np.load(path))
    layers = {name: len(tensors[prefix + 'layer_norm/bias']) for name, prefix in STACKS}
    width, heads, _ = tensors[STACKS[0][1] + 'self_attention/query/w'].shape[1:]
    cfg = Config(width=width, heads=heads, mlp=tensors[STACKS[0][1] + 'ff_layer/ffn_layer1/linear/bias'].shape[1],
                 frames=len(tensors[VISION + 'temporal_pos_emb/emb_var']),
                 grid=round(len(tensors[VISION + 'spatial_pos_emb/emb_var']) ** .5),
                 vocabulary=len(tensors['params/text_encoder/token_emb/emb_var']), cap=cap, **layers)
    lvt = LvT(cfg)
    load(lvt, tensors)
    return lvt


def load(lvt, tensors):
    tensors = folded(dict(tensors), undo=True)
    with torch.no_grad():
        for key, place in arrays(lvt).items():
            value = torch.from_numpy(np.asarray(tensors[key], np.float32))
            for x, v in zip(place, value) if isinstance(place, list) else [(place, value)]:
                x.copy_(v)


def from_checkpoint(path, averaged=False):
    """The model of a training checkpoint: the last weights, or their average (better while the rate is constant)."""
    from train import Learner
    state = torch.load(path, map_location='cpu')
    learner = Learner(Config(**state['cfg']))
    weights = state['state']['ema' if averaged else 'value']
    with torch.no_grad():
        for name, p in learner.named_parameters():
            p.copy_(weights[name].view_as(p))
    return learner, state


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('checkpoint')
    parser.add_argument('out')
    parser.add_argument('--averaged', action='store_true')
    args = parser.parse_args()
    learner, state = from_checkpoint(args.checkpoint, args.averaged)
    write(learner.lvt, args.out)
    print('samples seen:', state['seen'])
