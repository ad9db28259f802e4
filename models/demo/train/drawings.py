"""The first stage: the spatial tower learns to tell the drawings apart, on crops of three or four patches a side.

    python drawings.py --out DIR --sprites … --tokenizer … --samples N       then train.py goes on from DIR/last.pt

A crop costs a tenth of a frame, and its patches are labelled: this is where most of the names come from.
"""
import argparse
import json
import math
import os
import pathlib
import time

import numpy as np
import torch
import torch.distributed as dist
from PIL import Image
from torch import nn
from torch.nn import functional as F

import ground
from film import Conditions
from model import Config
from render import Drawer, paste
from scenes import COLOUR_NAMES, COLOURS, EASY_SHARE, N_CLASSES, N_THINGS, STYLE_SHARE, Actor
from train import Flat, Learner, save


class Crops:
    """Random drawings on random pieces of ground."""

    def __init__(self, sprites, seed):
        self.rng = np.random.default_rng(seed)
        self.drawer = Drawer(sprites)
        _, self.images = ground.pool(1, 500, 189)
        self.light = Conditions(seed).light
        self.inks = np.array([COLOURS[n] for n in COLOUR_NAMES], np.float32)

    @classmethod
    def like(cls, other, seed):
        """The same material with another generator (the same one in all processes)."""
        crops = cls.__new__(cls)
        crops.__dict__.update(other.__dict__, rng=np.random.default_rng(seed))
        return crops

    def one(self, frame, share):
        """Draws into frame (S x S); returns the class and which pixels' box it took."""
        rng, side = self.rng, len(frame)
        image = self.images[rng.integers(len(self.images))]
        y, x = rng.integers(0, image.shape[0] - side, 2)
        frame[:] = image[y:y + side, x:x + side]
        colour = int(rng.integers(len(self.inks)))
        if np.abs(frame.mean((0, 1)) - self.inks[colour]).sum() < 150:
            colour = (colour + 5) % len(self.inks)
        if rng.random() < .1:
            cls, style = N_THINGS + int(rng.integers((N_CLASSES - N_THINGS) // len(self.inks))) * len(self.inks) + colour, 1
        else:
            cls, style = int(rng.integers(N_THINGS)), int(rng.choice(4, p=share))
        ph = int(side * rng.uniform(.5, 1.05))
        pw = int(ph / rng.choice([1., 1., 1.333, 1.778]))
        sprite = self.drawer.sprite(Actor(cls, style, colour, 1, 1., 0., 0.), self.inks[colour], ph).resize((pw, ph), Image.BILINEAR)
        free = np.maximum(np.array([side - pw, side - ph]), side * .12) / 2
        cx, cy = side / 2 + rng.uniform(-1, 1, 2) * free
        paste(frame, sprite, cx, cy, 1.)
        return cls, (cx, cy, max(pw * .46, 9), max(ph * .46, 9))

    def batch(self, n, g, share):
        side, rng = g * 18, self.rng
        frames, owner = np.empty((n, side, side, 3), np.uint8), np.full((n, g, g), -1)
        middle = (np.arange(g) + .5) * 18
        for i in range(n):
            cls, (cx, cy, rx, ry) = self.one(frames[i], share)
            owner[i][np.ix_(abs(middle - cy) <= ry, abs(middle - cx) <= rx)] = cls
            if rng.random() < .5:
                frames[i] = self.light(frames[i])
        noise = rng.normal(0, 1, frames.shape[1:]).astype(np.float32)
        frames = np.clip(frames + noise * rng.uniform(0, 9, (n, 1, 1, 1)).astype(np.float32), 0, 255).astype(np.uint8)
        return frames, owner.reshape(n, -1)


def whitened(crops, lvt, n=2500):
    """The patch projection starts as the main directions of real patches, each at the same strength."""
    frames, _ = crops.batch(n, 4, EASY_SHARE)
    x = lvt.patches(torch.from_numpy(frames[:, None])).float().flatten(0, 1).numpy()
    mean = x.mean(0)
    values, vectors = np.linalg.eigh((x - mean).T @ (x - mean) / len(x))
    d = lvt.cfg.width
    w = .5 * vectors[:, -d:] / np.sqrt(values[-d:] + .25)
    with torch.no_grad():
        lvt.patch.weight.copy_(torch.from_numpy(w.T.copy()))
        lvt.patch.bias.copy_(torch.from_numpy(-mean @ w))


class Eye(nn.Module):
    """The parts of the learner that this stage trains."""

    def __init__(self, learner):
        super().__init__()
        v = learner.lvt
        self.patch, self.blocks, self.ln, self.head = v.patch, v.spatial, v.spatial_ln, learner.heads['patch_thing']
        self.pos, self.lvt = v.spatial_pos, [v]

    def forward(self, frames, places):
        x = self.patch(self.lvt[0].patches(frames[:, None])).float() + self.pos[places]
        for block in self.blocks:
            x = block(x)
        return self.ln(x)


def loss_of(eye, frames, owner, places):
    with torch.autocast('cpu', torch.bfloat16):
        x = eye(torch.from_numpy(frames), places)
        at = torch.from_numpy(np.flatnonzero(owner.ravel() >= 0))
        logits = eye.head(x.reshape(-1, x.shape[-1])[at])
    wanted = torch.from_numpy(owner.ravel())[at]
    return F.cross_entropy(logits.float(), wanted), float((logits.argmax(-1) == wanted).float().mean())


def work(rank, world, args):
    torch.set_num_threads(1)
    dist.init_process_group('gloo', init_method=f'file://{args.meet}', rank=rank, world_size=world)
    out = pathlib.Path(args.out)
    import sentencepiece as spm
    cfg = Config(vocabulary=spm.SentencePieceProcessor(model_file=args.tokenizer).vocab_size())
    torch.manual_seed(args.seed)
    learner = Learner(cfg)
    whole, state = Flat(learner), dict(seen=0, count=0)
    if (out / 'last.pt').exists():
        state = torch.load(out / 'last.pt')
        whole.load(state['flat'])
    crops = Crops(np.load(args.sprites, mmap_mode='r')[:, :4], args.seed * 77 + rank + state.get('crops', (0, 0))[0])
    if args.whiten and not state['count']:
        whitened(Crops.like(crops, args.seed), learner.lvt)
    eye = Eye(learner)
    flat = Flat(eye)                                   # takes these parameters over
    seen, count = state.get('crops', (0, 0))
    marks, began, saved = [], time.time(), time.time()
    while seen < args.samples:
        g = 3 if count % 2 else 4
        share = EASY_SHARE if args.easy else STYLE_SHARE
        frames, owner = crops.batch(args.batch * (1 if g == 4 else 16) // (1 if g == 4 else 9), g, share / share.sum())
        r, c = np.random.default_rng(count).integers(0, 8 - g, 2)
        places = torch.from_numpy(((np.arange(g)[:, None] + r) * 7 + np.arange(g) + c).ravel())
        loss, right = loss_of(eye, frames, owner, places)
        flat.grad.zero_()
        (loss / world).backward()
        dist.all_reduce(flat.grad)
        u = seen / args.samples
        flat.step(args.lr * min(1, (count + 1) / 100) * (.1 + .9 * .5 * (1 + math.cos(math.pi * u))), count + 1)
        seen, count = seen + len(frames) * world, count + 1
        marks.append((float(loss.detach()), right))
        if rank == 0 and count % 100 == 0:
            mean = np.mean(marks, 0)
            with open(out / 'log.jsonl', 'a') as f:
                f.write(json.dumps(dict(drawings=seen, patch=round(mean[0], 3), right=round(mean[1], 4), rate=round(len(marks) and 100 * args.batch * 1.39 * world / (time.time() - began), 1))) + '\n')
            marks, began = [], time.time()
        if rank == 0 and (seen >= args.samples or time.time() - saved > 60):
            merged = Flat(learner)                     # all parameters again, with what they are now
            merged.m.zero_()
            merged.v.zero_()
            save(out / 'last.pt', learner, merged, 0, 1, cfg, args, crops=(seen, count))
            flat = rebind(eye, flat)
            saved = time.time()
    dist.barrier()


def rebind(eye, old):
    """Flat again over the eye's parameters, with the optimiser's state kept."""
    new = Flat(eye)
    new.m, new.v, new.ema = old.m, old.v, old.ema
    return new


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', required=True)
    parser.add_argument('--sprites', required=True)
    parser.add_argument('--tokenizer', required=True)
    parser.add_argument('--samples', type=int, default=600_000)
    parser.add_argument('--batch', type=int, default=40)
    parser.add_argument('--lr', type=float, default=1.5e-3)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--processes', type=int, default=2)
    parser.add_argument('--whiten', action='store_true', help='tried once: 2.9 %% of patches named after 78,000 crops')
    parser.add_argument('--easy', action='store_true', help='mostly the colour drawings')
    args = parser.parse_args()
    os.environ.setdefault('OMP_NUM_THREADS', '1')
    os.environ.setdefault('GLIBC_TUNABLES', 'glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=68719476736:glibc.malloc.top_pad=268435456')
    pathlib.Path(args.out).mkdir(parents=True, exist_ok=True)
    args.meet = str(pathlib.Path(args.out).resolve() / f'meet.{os.getpid()}')
    torch.multiprocessing.spawn(work, (args.processes, args), nprocs=args.processes)
    pathlib.Path(args.meet).unlink(missing_ok=True)
