"""Probes on clips rendered with held-out seeds, in PyTorch: how far the training is. The eval folder has the proof.

python probe.py MODEL --sprites … --tokenizer …     (MODEL: an exported .npz or a checkpoint .pt)
"""
import argparse
import json

import numpy as np
import sentencepiece as spm
import torch

from data import World
from scenes import CAMERAS, OPPOSITE, PAIR, SINGLE


def wilson(k, n, z=1.96):
    p = k / n
    mid, half = p + z * z / 2 / n, z * (p * (1 - p) / n + z * z / 4 / n / n) ** .5
    return (mid - half) / (1 + z * z / n), (mid + half) / (1 + z * z / n)


def model_of(path):
    from export import from_checkpoint, read
    if path.endswith('.npz'):
        return read(path)
    learner, _ = from_checkpoint(path)
    learner.lvt.set_cap(50.)
    return learner.lvt


class Probe:
    def __init__(self, lvt, world):
        self.lvt, self.world = lvt.eval(), world

    @torch.no_grad()
    def videos(self, frames, times=None):
        with torch.autocast('cpu', torch.bfloat16):
            return torch.cat([self.lvt.video(torch.from_numpy(frames[i:i + 50]), times) for i in range(0, len(frames), 50)]).numpy()

    @torch.no_grad()
    def texts(self, texts):
        ids = self.world.encode(texts)
        return self.lvt.words(torch.from_numpy(ids)).numpy()

    def clips(self, scenes, frames=8):
        blank = [[-1] * 3 for _ in scenes], [[-1]] * len(scenes)
        batch = self.world.render(scenes, frames, [''] * len(scenes), *blank)
        return self.videos(batch.frames, batch.times)

    def retrieval(self, scenes, sentences, v):
        """R@1 and R@5 from text to clip, and R@1 back."""
        s = self.texts(sentences) @ v.T
        rank = (s > np.diag(s)[:, None]).sum(1)
        return dict(r1=float((rank == 0).mean()), r5=float((rank < 5).mean()), back=float((s.argmax(0) == np.arange(len(s))).mean()),
                    r1_of_200=float(np.mean([(s[i, i] >= s[i, i - i % 200:i - i % 200 + 200].max()) for i in range(len(s))])))

    def pairs(self, n, frames=8):
        """Two clips and two captions that differ in the event alone; right when both captions choose their clip."""
        chooser, writer, out = self.world.chooser, self.world.writer, {}
        kinds = [(e, OPPOSITE[e]) for e in ('left', 'up', 'grow', 'appear', 'left_back', 'up_back')] + \
            [(e, 'still') for e in ('bounce', 'spin', 'wobble', 'circle', 'blink')] + [('one_left', 'one_right'), ('one_up', 'one_down'),
             ('one_appears', 'one_vanishes'), ('collide', 'part'), ('order', None), ('become', None), ('beside', None), ('over', None),
             ('swap', 'beside')] + [('pan_left', 'pan_right'), ('pan_up', 'pan_down'), ('zoom_in', 'zoom_out')]
        for first, second in kinds:
            scenes = []
            for _ in range(n):
                scenes += make_pair(chooser, first, second)
            need = ('camera',) if first in CAMERAS else ('event',)
            texts = [writer.sentence(s, .1, need)[0] for s in scenes]
            s = np.einsum('nid,njd->nij', self.texts(texts).reshape(n, 2, -1), self.clips(scenes, frames).reshape(n, 2, -1))
            right = np.concatenate([s[:, 0, 0] > s[:, 0, 1], s[:, 1, 1] > s[:, 1, 0]])
            out[f'{first}/{second or "roles"}'] = float(right.mean())
        return out


def make_pair(chooser, first, second):
    if first in CAMERAS:
        a = chooser.single('still', first)
        return [a, chooser.single('still', second, ground=a.ground, actor=a.actors[0])]
    if first in SINGLE:
        a = chooser.single(first)
        return [a, chooser.single(second, ground=a.ground, actor=a.actors[0])]
    a = chooser.pair(first)
    actors = a.actors if second else a.actors[::-1]
    return [a, chooser.pair(second or first, ground=a.ground, actors=actors)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('model')
    parser.add_argument('--sprites', required=True)
    parser.add_argument('--tokenizer', required=True)
    parser.add_argument('--clips', type=int, default=1000)
    parser.add_argument('--pairs', type=int, default=60)
    parser.add_argument('--frames', type=int, default=8)
    parser.add_argument('--seed', type=int, default=990001)
    args = parser.parse_args()
    torch.set_num_threads(1)
    tokenizer = spm.SentencePieceProcessor(model_file=args.tokenizer)
    world = World(np.load(args.sprites, mmap_mode='r')[:, :4], tokenizer, args.seed, pool=200, pool_seed=args.seed, hold_out=False, strength=.5)
    probe = Probe(model_of(args.model), world)
    scenes = [world.chooser.scene() for _ in range(args.clips)]
    v = probe.clips(scenes, args.frames)
    out = dict(natural=probe.retrieval(scenes, [world.writer.sentence(s, .4, event=.95)[0] for s in scenes], v),
               full=probe.retrieval(scenes, [world.writer.full(s)[0] for s in scenes], v))
    names = [world.writer.sentence(s, 0., event=0.)[0] for s in scenes]
    out['names'] = probe.retrieval(scenes, names, v)
    if args.pairs:
        out['pairs'] = probe.pairs(args.pairs, args.frames)
    print(json.dumps(out, indent=1))


if __name__ == '__main__':
    main()
