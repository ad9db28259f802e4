"""Trains the demo model: python train.py --out DIR. The same command goes on from the last checkpoint.

One process of one thread learns, a second one draws. A step is a batch of clips (contrast, heads) and a batch of
crops (names); the optimizer is Muon with AdamW.
"""
import argparse
import dataclasses
import json
import math
import os
import pathlib
import signal
import sys
import time

import numpy as np
import sentencepiece as spm
import torch
from torch import nn
from torch.nn import functional as F

from data import BASE_OF, BASES, HEADS, targets, true_of, without_time
from feed import Feed
from model import Config, LvT
from optimizer import Optimizer
from scenes import FACTS, N_CLASSES

MIXED = 28            # every third step has 8 frames and a third of the batch, the others have 2 frames


@dataclasses.dataclass
class Stage:
    steps: int
    batch: int
    frames: int = 2
    keep: int = 20        # patches looked at (0: all); leaving out plain ground halves the cost of a step
    crops: int = 160
    lr: float = 1e-3
    end: float = 1e-3     # lr at the stage's end; it falls linearly
    cap: float = 0.       # on the attention's logits; 50 in the released models and in use

    def frames_of(self, step):
        return self.frames if self.frames != MIXED else 8 if step % 3 == 2 else 2

    def batch_of(self, step):
        return self.batch // 3 if self.frames == MIXED and self.frames_of(step) == 8 else self.batch


STAGES = [Stage(300, 128, 1, crops=300), Stage(4200, 160, keep=18, crops=300, end=8e-4),
          Stage(700, 160, MIXED, 18, 300, lr=8e-4, end=2e-4, cap=50.), Stage(250, 96, MIXED, 0, 64, lr=2e-4, end=0., cap=50.)]


def plan(stages):
    """(step, stage, learning rate) of every step."""
    step = 0
    for stage in stages:
        for k in range(stage.steps):
            yield step, stage, stage.lr + (stage.end - stage.lr) * k / stage.steps
            step += 1


class Learner(nn.Module):
    """The model, the temperature and the linear heads that are dropped at export."""

    def __init__(self, cfg):
        super().__init__()
        self.lvt = LvT(cfg)
        self.log_scale = nn.Parameter(torch.tensor(math.log(10.)))
        self.heads = nn.ModuleDict({k: nn.Linear(cfg.width, n) for k, n in HEADS.items()})
        self.heads['patch_thing'] = nn.Linear(cfg.width, N_CLASSES)
        self.heads['patch_event'] = nn.Linear(cfg.width, len(BASES))
        self.heads['patch_role'] = nn.Linear(cfg.width, 2)
        for head in self.heads.values():
            nn.init.normal_(head.weight, std=.05)
            nn.init.zeros_(head.bias)

    def head_loss(self, vectors, things, facts, with_time):
        thing, rest = targets(things, facts)
        h = vectors * 12
        loss = -(torch.from_numpy(thing) * F.log_softmax(self.heads['thing'](h), -1)).sum(-1).mean()
        for name, wanted in rest.items():
            if not with_time and name in ('event', 'camera', 'colour2', 'first', 'second'):
                continue
            wanted = torch.from_numpy(wanted.astype(np.int64))
            if (wanted >= 0).any():
                loss = loss + .4 * F.cross_entropy(self.heads[name](h), wanted.clamp(min=-1), ignore_index=-1, reduction='sum') / len(wanted)
        return loss

    def patch_loss(self, batch, with_time, most=1200):
        """What is in a patch, what it does, and which role it has: learned from here long before it is from captions."""
        owner = batch.owner
        b, t, n = owner.shape
        if batch.kept is not None:
            owner = np.take_along_axis(owner, np.repeat(batch.kept[:, None], t, 1), 2)
            n = owner.shape[2]
        at = np.flatnonzero(owner.ravel() >= 0)
        at = at if len(at) <= most else np.random.default_rng(len(at)).choice(at, most, replace=False)
        classes, clip = owner.ravel()[at], at // (t * n)
        seen = self.heads['patch_thing'](self.lvt.seen.reshape(b * t * n, -1)[at])
        wanted = torch.from_numpy(classes)
        right = float((seen.argmax(-1) == wanted).float().mean())
        loss = F.cross_entropy(seen, wanted)
        if with_time:
            known = self.lvt.understood.reshape(b * t * n, -1)[at]
            events = torch.from_numpy(BASE_OF[batch.facts[:, FACTS.index('event')]][clip])
            loss = loss + .4 * F.cross_entropy(self.heads['patch_event'](known), events)
            _, rest = targets(batch.things, batch.facts)
            role = np.where(rest['first'][clip] == classes, 0, np.where(rest['second'][clip] == classes, 1, -1))
            if (role >= 0).any():
                loss = loss + .4 * F.cross_entropy(self.heads['patch_role'](known), torch.from_numpy(role), ignore_index=-1)
        return loss, right

    def crop_loss(self, frames, owner, places):
        """The class of each labelled patch of a crop, from the spatial tower alone."""
        lvt = self.lvt
        x = lvt.patch(lvt.patches(torch.from_numpy(frames[:, None]))).float() + lvt.spatial_pos[torch.from_numpy(places)]
        for block in lvt.spatial:
            x = block(x)
        at = torch.from_numpy(np.flatnonzero(owner.ravel() >= 0))
        logits = self.heads['patch_thing'](lvt.spatial_ln(x).reshape(-1, x.shape[-1])[at])
        wanted = torch.from_numpy(owner.ravel())[at]
        return F.cross_entropy(logits.float(), wanted), float((logits.argmax(-1) == wanted).float().mean())


def contrast(v, t, scale, others):
    """Symmetric InfoNCE; `others` marks pairs that are true by chance and must not be pushed apart."""
    logits = (scale * v @ t.T).masked_fill(others, -1e4)
    wanted = torch.arange(len(v))
    return (F.cross_entropy(logits, wanted) + F.cross_entropy(logits.T, wanted)) / 2, logits


def chance_pairs(batch, with_time):
    said = batch.said if with_time else without_time(batch.facts, batch.said)
    true = true_of(batch.said_things, said, batch.things, batch.facts).T
    np.fill_diagonal(true, False)
    return torch.from_numpy(true)


def clip_loss(learner, batch, args):
    with_time = batch.frames.shape[1] > 1
    with torch.autocast('cpu', torch.bfloat16):
        v = learner.lvt.video(torch.from_numpy(batch.frames), batch.times, None if batch.kept is None else torch.from_numpy(batch.kept))
        t = learner.lvt.sentences(batch.ids)
        patch, named = learner.patch_loss(batch, with_time)
    loss, logits = contrast(v, t, learner.log_scale.exp(), chance_pairs(batch, with_time))
    heads = learner.head_loss(v, batch.things, batch.facts, with_time) + learner.head_loss(t, batch.said_things, batch.said, True)
    right = float((logits.argmax(1) == torch.arange(len(logits))).float().mean())
    marks = dict(loss=float(loss.detach()), heads=float(heads.detach()), patch=float(patch.detach()), right=right, named=named)
    return loss + args.heads * heads + args.patches * patch, marks


def one_step(learner, optimizer, drawn, lr, count, args):
    clips, crops = drawn
    optimizer.grad.zero_()
    loss, marks = clip_loss(learner, clips, args)
    loss.backward()
    if crops:
        with torch.autocast('cpu', torch.bfloat16):
            loss, marks['crops'] = learner.crop_loss(*crops)
        loss.backward()
    marks['norm'] = optimizer.step(lr, count)
    learner.log_scale.data.clamp_(0, math.log(args.max_scale))
    return marks


def save(path, optimizer, seen, count, cfg, args):
    torch.save(dict(state=optimizer.state(), seen=seen, count=count, cfg=vars(cfg), seed=args.seed), str(path) + '.new')
    os.replace(str(path) + '.new', path)


def restored(path, optimizer):
    if not path.exists():
        return 0, 0
    state = torch.load(path)
    optimizer.load(state['state'])
    return state['seen'], state['count']


class Log:
    """Means over 50 steps, a line each."""

    def __init__(self, path):
        self.path, self.began, self.marks, self.samples, self.waited = path, time.time(), [], 0, 0.

    def add(self, marks, samples, waited, **more):
        self.marks.append(marks)
        self.samples, self.waited = self.samples + samples, self.waited + waited
        if len(self.marks) < 50:
            return
        mean = {k: round(float(np.mean([m[k] for m in self.marks if k in m])), 4) for k in {k: 0 for m in self.marks for k in m}}
        spent = time.time() - self.began
        with open(self.path, 'a') as f:
            f.write(json.dumps({**more, **mean, 'rate': round(self.samples / spent, 1), 'wait': round(self.waited / spent, 3)}) + '\n')
        self.began, self.marks, self.samples, self.waited = time.time(), [], 0, 0.


def train(args, stages):
    torch.set_num_threads(1)
    out = pathlib.Path(args.out)
    cfg = Config(vocabulary=spm.SentencePieceProcessor(model_file=args.tokenizer).vocab_size())
    torch.manual_seed(args.seed)
    learner = Learner(cfg)
    if args.weights:
        import export
        export.load(learner.lvt, dict(np.load(args.weights)))
    optimizer = Optimizer(learner, args.muon)
    seen, count = restored(out / 'last.pt', optimizer)
    steps = [(s, stage) for s, stage, _ in plan(stages)]
    feed = Feed(args.sprites, args.tokenizer, args.seed, steps, count, args.easy)
    log, saved, stop = Log(out / 'log.jsonl'), time.time(), []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    for step, stage, lr in plan(stages):
        if step < count:
            continue
        learner.lvt.set_cap(stage.cap)
        t0 = time.time()
        drawn = feed.next()
        waited = time.time() - t0
        marks = one_step(learner, optimizer, drawn, lr * min(1, (step + 5) / 100), step + 1, args)
        seen, count = seen + len(drawn[0].ids), step + 1
        log.add(marks, len(drawn[0].ids), waited, seen=seen, step=count, frames=stage.frames, lr=round(lr, 7),
                scale=round(float(learner.log_scale.detach().exp()), 2), patch_rms=round(learner.lvt.patch_rms, 2))
        if time.time() - saved > 120 or count == len(steps) or stop:
            save(out / 'last.pt', optimizer, seen, count, cfg, args)
            saved = time.time()
        if stop:
            break
    feed.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', required=True, help='folder for checkpoints and the log')
    parser.add_argument('--sprites', required=True, help='made by art.py')
    parser.add_argument('--tokenizer', required=True, help='made by tokenizer.py')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--heads', type=float, default=.3, help='weight of the auxiliary heads')
    parser.add_argument('--patches', type=float, default=1., help='weight of the heads on single patches')
    parser.add_argument('--muon', type=float, default=2., help="Muon's learning rate over AdamW's")
    parser.add_argument('--max-scale', type=float, default=60.)
    parser.add_argument('--from', dest='weights', help='an exported .npz to start from')
    parser.add_argument('--easy', action='store_true', help='large things in colour, to begin with')
    parser.add_argument('--stages', help='field=value:…,… instead of the usual ones (fields of Stage)')
    args = parser.parse_args()
    pathlib.Path(args.out).mkdir(parents=True, exist_ok=True)
    kinds = {f.name: f.type for f in dataclasses.fields(Stage)}
    stages = STAGES if not args.stages else [
        Stage(**{k: kinds[k](float(v)) for k, _, v in (w.partition('=') for w in s.split(':'))}) for s in args.stages.split(',')]
    train(args, stages)


if __name__ == '__main__':
    os.environ.setdefault('OMP_NUM_THREADS', '1')
    # memory that is freed stays in the process: a quarter faster, for there are fewer page faults. glibc reads this at its
    # start alone, therefore the program starts once more.
    if 'GLIBC_TUNABLES' not in os.environ:
        os.environ['GLIBC_TUNABLES'] = 'glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=68719476736:glibc.malloc.top_pad=268435456:glibc.malloc.hugetlb=1'
        os.execv(sys.executable, [sys.executable, *sys.argv])
    main()
