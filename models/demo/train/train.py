"""Trains the demo model: python train.py --out DIR. The same command goes on from the last checkpoint.

Two processes of one thread each share a batch: embeddings are gathered, gradients added as one flat vector.
"""
import argparse
import json
import math
import os
import pathlib
import time

import numpy as np
import sentencepiece as spm
import torch
import torch.distributed as dist
from torch import nn
from torch.nn import functional as F

from data import HEADS, World, targets, true_of, without_time
from model import Config, LvT

# (frames, patches looked at (0: all), samples, batch of one process, peak lr) in their order; lr falls by a cosine
# within the last stage. Leaving out patches of plain ground halves the cost of a step.
# MIXED: every fourth step has 8 frames and 3/7 of the batch, the others have 2 frames.
MIXED = 28
STAGES = [(1, 26, 50_000, 56, 1e-3), (2, 26, 250_000, 64, 1e-3), (MIXED, 26, 600_000, 112, 1e-3), (8, 0, 150_000, 48, 7e-4)]


class Learner(nn.Module):
    """The model, the temperature and the linear heads that are dropped at export."""

    def __init__(self, cfg):
        super().__init__()
        self.lvt = LvT(cfg)
        self.log_scale = nn.Parameter(torch.tensor(math.log(10.)))
        self.heads = nn.ModuleDict({k: nn.Linear(cfg.width, n) for k, n in HEADS.items()})
        self.heads['patch_thing'] = nn.Linear(cfg.width, HEADS['thing'])
        self.heads['patch_event'] = nn.Linear(cfg.width, HEADS['event'])
        for head in self.heads.values():
            nn.init.normal_(head.weight, std=.05)
            nn.init.zeros_(head.bias)

    def head_loss(self, vectors, things, facts, with_time):
        thing, rest = targets(things, facts)
        h = vectors * 12
        loss = -(torch.from_numpy(thing) * F.log_softmax(self.heads['thing'](h), -1)).sum(-1).mean()
        for name, wanted in rest.items():
            if not with_time and name in ('event', 'camera', 'colour2'):
                continue
            wanted = torch.from_numpy(wanted.astype(np.int64))
            if (wanted >= 0).any():
                loss = loss + .4 * F.cross_entropy(self.heads[name](h), wanted.clamp(min=-1), ignore_index=-1, reduction='sum') / len(wanted)
        return loss


    def patch_loss(self, batch, with_time, most=1500):
        """What is in a patch and what it does: the things are learned from here long before they are from captions."""
        owner = batch.owner
        b, t, n = owner.shape
        if batch.kept is not None:
            owner = np.take_along_axis(owner, np.repeat(batch.kept[:, None], t, 1), 2)
            n = owner.shape[2]
        at = np.flatnonzero(owner.ravel() >= 0)
        at = at if len(at) <= most else np.random.default_rng(len(at)).choice(at, most, replace=False)
        wanted = torch.from_numpy(owner.ravel()[at])
        loss = F.cross_entropy(self.heads['patch_thing'](self.lvt.seen.reshape(b * t * n, -1)[at]), wanted)
        if with_time:
            events = batch.facts[:, 0][at // (t * n)]
            loss = loss + .4 * F.cross_entropy(self.heads['patch_event'](self.lvt.understood.reshape(b * t * n, -1)[at]), torch.from_numpy(events))
        return loss


class Flat:
    """Parameters, gradients and AdamW state as flat vectors."""

    def __init__(self, module):
        self.params = list(module.parameters())
        n = sum(p.numel() for p in self.params)
        self.value, self.grad = torch.empty(n), torch.zeros(n)
        self.m, self.v, self.ema = torch.zeros(n), torch.zeros(n), torch.empty(n)
        self.lr, self.wd = torch.ones(n), torch.zeros(n)
        at = 0
        for name, p in module.named_parameters():
            part = slice(at, at + p.numel())
            self.value[part] = p.data.flatten()
            p.data = self.value[part].view_as(p)
            p.grad = self.grad[part].view_as(p)
            if name.startswith('lvt.patch'):
                self.lr[part] = .1
            elif p.dim() > 1 and 'pos' not in name and 'heads' not in name:
                self.wd[part] = .05
            at += p.numel()
        self.ema.copy_(self.value)

    def step(self, lr, count, decay=.998):
        norm = float(self.grad.norm())
        if not math.isfinite(norm):
            return norm
        self.grad.mul_(min(1., 1. / (norm + 1e-6)))
        self.m.lerp_(self.grad, .1)
        self.v.mul_(.98).addcmul_(self.grad, self.grad, value=.02)
        update = (self.m / (1 - .9 ** count)) / ((self.v / (1 - .98 ** count)).sqrt_().add_(1e-8))
        self.value.sub_(lr * self.lr * (update + self.wd * self.value))
        self.ema.lerp_(self.value, 1 - min(decay, (1 + count) / (10 + count)))
        return norm

    def state(self):
        return {k: getattr(self, k) for k in ('value', 'm', 'v', 'ema')}

    def load(self, state):
        for k, x in state.items():
            getattr(self, k).copy_(x)


def gathered(x, rank, world):
    """All processes' rows; only our own carry a gradient."""
    parts = [torch.empty_like(x) for _ in range(world)]
    dist.all_gather(parts, x.detach().contiguous())
    parts[rank] = x
    return torch.cat(parts)


def gather_numbers(a, world):
    x = torch.from_numpy(np.ascontiguousarray(a).astype(np.int64))
    parts = [torch.empty_like(x) for _ in range(world)]
    dist.all_gather(parts, x)
    return torch.cat(parts).numpy()


def contrast(v, t, scale, others):
    """Symmetric InfoNCE; `others` marks pairs that are true by chance and must not be pushed apart."""
    logits = (scale * v @ t.T).masked_fill(others, -1e4)
    wanted = torch.arange(len(v))
    return (F.cross_entropy(logits, wanted) + F.cross_entropy(logits.T, wanted)) / 2, logits


def chance_pairs(batch, world, with_time):
    said = batch.said if with_time else without_time(batch.facts, batch.said)
    things, facts = gather_numbers(batch.things, world), gather_numbers(batch.facts, world)
    true = true_of(gather_numbers(batch.said_things, world), gather_numbers(said, world), things, facts).T
    np.fill_diagonal(true, False)
    return torch.from_numpy(true)


def learning_rate(stages, seen):
    """Warm-up over 8,000 samples, constant, a cosine to nothing in the last stage."""
    start = 0
    for k, (frames, keep, samples, batch, lr) in enumerate(stages):
        if seen < start + samples or k == len(stages) - 1:
            u = (seen - start) / samples
            fall = .5 * (1 + math.cos(math.pi * min(u, 1))) if k == len(stages) - 1 else 1.
            return frames, keep, batch, lr * max(fall, .01) * min(1, (seen + 500) / 8000)
        start += samples


def one_step(learner, flat, batch, rank, world, lr, count, args):
    with_time = batch.frames.shape[1] > 1
    with torch.autocast('cpu', torch.bfloat16):
        v = learner.lvt.video(torch.from_numpy(batch.frames), batch.times, None if batch.kept is None else torch.from_numpy(batch.kept))
        t = learner.lvt.words(torch.from_numpy(batch.ids))
    scale = learner.log_scale.exp()
    others = chance_pairs(batch, world, with_time)
    loss, logits = contrast(gathered(v, rank, world), gathered(t, rank, world), scale, others)
    heads = learner.head_loss(v, batch.things, batch.facts, with_time) + \
        learner.head_loss(t, batch.said_things, batch.said, True)
    patch = learner.patch_loss(batch, with_time)
    flat.grad.zero_()
    (loss + (args.heads * heads + args.patches * patch) / world).backward()
    dist.all_reduce(flat.grad)
    learner.log_scale.grad.div_(world)
    norm = flat.step(lr, count)
    learner.log_scale.data.clamp_(0, math.log(args.max_scale))
    right = float((logits.argmax(1) == torch.arange(len(logits))).float().mean())
    return float(loss.detach()), float(heads.detach()), float(patch.detach()), right, norm


def save(path, learner, flat, seen, count, cfg, args, **more):
    state = dict(flat=flat.state(), seen=seen, count=count, cfg=vars(cfg), seed=args.seed, **more)
    torch.save(state, str(path) + '.new')
    os.replace(str(path) + '.new', path)


def work(rank, world, args):
    torch.set_num_threads(1)
    dist.init_process_group('gloo', init_method=f'file://{args.meet}', rank=rank, world_size=world)
    out = pathlib.Path(args.out)
    tokenizer = spm.SentencePieceProcessor(model_file=args.tokenizer)
    cfg = Config(vocabulary=tokenizer.vocab_size())
    torch.manual_seed(args.seed)
    learner = Learner(cfg)
    if args.weights:
        import export
        export.load(learner.lvt, dict(np.load(args.weights)))
    flat = Flat(learner)
    seen = count = 0
    path = out / 'last.pt'
    if path.exists():
        state = torch.load(path)
        flat.load(state['flat'])
        seen, count = state['seen'], state['count']
    learner.lvt.set_cap(args.cap)
    sprites = np.load(args.sprites, mmap_mode='r')[:, :4]
    data = World(sprites, tokenizer, args.seed * 1000 + rank + 100 * (count + 1), pool_seed=args.seed)
    if args.easy:
        data.chooser.easy()
        data.strength = .4
    stages = STAGES if not args.stages else [tuple(float(x) if i == 4 else int(x) for i, x in enumerate(s.split(':'))) for s in args.stages.split(',')]
    saved, began, marks, busy = time.time(), time.time(), [], 0.
    total = sum(s[2] for s in stages)
    while seen < total:
        frames, keep, size, lr = learning_rate(stages, seen)
        if frames == MIXED:
            frames, size = (8, size * 3 // 7) if count % 4 == 3 else (2, size)
        t0 = time.time()
        batch = data.batch(size, frames, keep)
        busy += time.time() - t0
        marks.append(one_step(learner, flat, batch, rank, world, lr, count + 1, args))
        seen, count = seen + size * world, count + 1
        if rank == 0 and count % 50 == 0:
            loss, heads, patch, right, norm = np.mean(marks, 0)
            line = dict(seen=seen, frames=frames, lr=lr, loss=round(loss, 4), heads=round(heads, 3), patch=round(patch, 3), right=round(right, 4), norm=round(norm, 2),
                        scale=round(float(learner.log_scale.exp()), 2), patch_rms=round(learner.lvt.patch_rms, 2),
                        rate=round(50 * size * world / (time.time() - began), 1), draw=round(busy / (time.time() - began), 3))
            began, marks, busy = time.time(), [], 0.
            with open(out / 'log.jsonl', 'a') as f:
                f.write(json.dumps(line) + '\n')
        if rank == 0 and (time.time() - saved > 120 or seen >= total or count == 200):
            save(path, learner, flat, seen, count, cfg, args)
            saved = time.time()
        if rank == 0 and seen // 100_000 != (seen - size * world) // 100_000:
            save(out / f'{seen // 100_000}00k.pt', learner, flat, seen, count, cfg, args)
    dist.barrier()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', required=True, help='folder for checkpoints and the log')
    parser.add_argument('--sprites', required=True, help='made by art.py')
    parser.add_argument('--tokenizer', required=True, help='made by tokenizer.py')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--processes', type=int, default=2)
    parser.add_argument('--heads', type=float, default=.3, help='weight of the auxiliary heads')
    parser.add_argument('--patches', type=float, default=1., help='weight of the heads on single patches')
    parser.add_argument('--max-scale', type=float, default=40.)
    parser.add_argument('--from', dest='weights', help='an exported .npz to start from')
    parser.add_argument('--easy', action='store_true', help='large things in colour, to begin with')
    parser.add_argument('--cap', type=float, default=0.)
    parser.add_argument('--stages', help='frames:patches:samples:batch:lr,… instead of the usual ones')
    args = parser.parse_args()
    pathlib.Path(args.out).mkdir(parents=True, exist_ok=True)
    args.meet = str(pathlib.Path(args.out).resolve() / f'meet.{os.getpid()}')
    torch.multiprocessing.spawn(work, (args.processes, args), nprocs=args.processes)
    pathlib.Path(args.meet).unlink(missing_ok=True)


if __name__ == '__main__':
    os.environ.setdefault('OMP_NUM_THREADS', '1')
    # memory that is freed stays in the process: a quarter faster, for there are fewer page faults
    os.environ.setdefault('GLIBC_TUNABLES', 'glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=68719476736:'
                          'glibc.malloc.top_pad=268435456:glibc.malloc.hugetlb=1')
    main()
