"""The last stage: the text tower alone, on clips whose vectors are kept, and what it must not find.

    python words.py RAW.npz OUT.npz --sprites … --tokenizer …

RAW.npz comes from export.py. The video tower no longer changes, so a step costs only sentences: batches are larger, each
clip gets a new sentence every time, and a sixth of the sentences are strange ones (strange.py), which must be near no clip.
In its first 50 steps a strange sentence's nearest clip has a cosine of 0.23 on average, in the last ones of 0.
What is written lies on the line from RAW to that, at SHARE: all of it answers 0 of the 40 absent sentences but makes labels in CLIP's
templates strange, too (22 of 34 moments labelled rightly; at 0.8 2 of 40 and 32; at 0.6 7 and 33; RAW 13 and 34).
"""
import argparse
import math

import numpy as np
import sentencepiece as spm
import torch
from torch.nn import functional as F

import strange
from captions import true_of
from data import World
from export import read, write

BATCH, STRANGE, RATE, FAR, SHARE = 256, 48, 3e-4, 2., .8     # FAR: scaled cosine that a strange sentence may have for nothing


class Clips:
    """Scenes of seeds that neither the earlier stages nor the evaluation use, and their vectors."""

    def __init__(self, world, lvt, n):
        self.scenes, self.groups, vectors = [], [], []       # a group: clips that differ in one thing, and what must be said of them
        while len(self.scenes) < n:
            part = []
            while len(part) < 50:
                group, need = world.group(8)
                group = [s for s in group if world.chooser.allowed(s)]
                self.groups.append((range(len(self.scenes) + len(part), len(self.scenes) + len(part) + len(group)), need))
                part += group
            none = [''] * len(part), [[-1] * 3] * len(part), [[-1]] * len(part)
            batch = world.render(part, 8, *none)
            with torch.no_grad(), torch.autocast('cpu', torch.bfloat16):
                vectors.append(lvt.video(torch.from_numpy(batch.frames), batch.times).float())
            self.scenes += part
        self.vectors = torch.cat(vectors)
        self.things = np.array([s.things() for s in self.scenes])
        self.facts = np.array([s.facts() for s in self.scenes])


def draw(world, clips, rng):
    """Which clips, the sentences' ids (strange ones last), and the pairs that are true by chance [text, clip]."""
    at, said = [], []
    for group, need in (clips.groups[g] for g in rng.permutation(len(clips.groups))):
        level = rng.choice([.1, .35, .7, 1.])
        said += [world.writer.sentence(clips.scenes[i], level, need) for i in group]
        at += group
        if len(at) >= BATCH:
            break
    at, said = np.array(at[:BATCH]), said[:BATCH]
    ids = world.encode([s[0] for s in said] + [strange.sentence(rng) for _ in range(STRANGE)])
    others = true_of(np.array([s[1] for s in said]), np.array([s[2] for s in said]), clips.things[at], clips.facts[at])
    np.fill_diagonal(others, False)
    return torch.from_numpy(at), ids, torch.from_numpy(others)


def loss_of(words, vectors, others, scale):
    """Symmetric InfoNCE, strange sentences among the wrong answers of a clip, and their distance from all clips."""
    wanted = torch.arange(BATCH)
    all_pairs = scale * words @ vectors.T
    pairs, far = all_pairs[:BATCH].masked_fill(others, -1e4), all_pairs[BATCH:]
    marks = [float((pairs.argmax(1) == wanted).float().mean()), float(far.detach().max(1).values.mean() / scale.detach())]
    both = F.cross_entropy(pairs, wanted) + F.cross_entropy(torch.cat([pairs, far]).T, wanted)
    return both / 2 + .5 * F.softplus(far - FAR).mean(), marks


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('raw')
    parser.add_argument('out')
    parser.add_argument('--sprites', required=True)
    parser.add_argument('--tokenizer', required=True)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--clips', type=int, default=12_000)
    parser.add_argument('--steps', type=int, default=600)
    args = parser.parse_args()
    torch.set_num_threads(1)
    lvt = read(args.raw).eval()
    world = World(np.load(args.sprites, mmap_mode='r')[:, :4], spm.SentencePieceProcessor(model_file=args.tokenizer), 31_337_000 + args.seed)
    clips, rng = Clips(world, lvt, args.clips), np.random.default_rng(args.seed)
    print(f'{len(clips.scenes)} clips', flush=True)
    learned = [lvt.token, lvt.cls] + [p for m in (lvt.text, lvt.text_ln) for p in m.parameters()]
    log_scale = torch.nn.Parameter(torch.tensor(math.log(25.)))
    optimizer = torch.optim.AdamW(learned + [log_scale], betas=(.9, .98), weight_decay=.02)
    mean, first, marks = [p.detach().clone() for p in learned], [p.detach().clone() for p in learned], []
    for step in range(args.steps):
        optimizer.param_groups[0]['lr'] = RATE * min(1, (step + 20) / 100) * (1 - step / args.steps)
        at, ids, others = draw(world, clips, rng)
        with torch.autocast('cpu', torch.bfloat16):
            words = lvt.sentences(ids)
        loss, mark = loss_of(words, clips.vectors[at], others, log_scale.exp())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learned, 1.)
        optimizer.step()
        marks.append([float(loss.detach())] + mark)
        with torch.no_grad():
            for m, p in zip(mean, learned):
                m.lerp_(p, 1 - min(.99, (1 + step) / (10 + step)))
        if step % 50 == 49:
            print(step + 1, 'loss %.3f, right %.3f, nearest clip of a strange sentence %.3f' % tuple(np.mean(marks[-50:], 0)), flush=True)
    with torch.no_grad():
        for m, p, raw in zip(mean, learned, first):
            p.copy_(raw.lerp(m, SHARE))
    write(lvt, args.out)


if __name__ == '__main__':
    main()
