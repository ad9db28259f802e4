"""Renders the test clips as mp4 files with held-out seeds, with a manifest.json of what they show.

    python sets.py --sprites SPRITES OUT [--scale .1] [--only natural,time]      SPRITES made by ../train/art.py (with --foreign for the unseen style)
"""
import argparse
import dataclasses
import json
import pathlib

import numpy as np

from films import Camera, encode, finish
from art import FOREIGN
from captions import Writer
from data import banned
from ground import choose
from probe import make_pair
from render import Drawer
from scenes import N_THINGS, Chooser

# Never used in training. The clips of low and of high quality show the same scenes.
SEEDS = {p: 8_800_001 + 10 * k for k, p in enumerate(('natural', 'time', 'relation', 'seen', 'unseen', 'low', 'foreign', 'long', 'uneven'))}
SEEDS['clean'] = SEEDS['low']
PAIRS = [('left', 'right'), ('up', 'down'), ('grow', 'shrink'), ('appear', 'vanish'), ('left_back', 'right_back'), ('up_back', 'down_back'),
         ('bounce', 'still'), ('spin', 'still'), ('wobble', 'still'), ('circle', 'still'), ('blink', 'still'), ('collide', 'part'),
         ('swap', 'beside'), ('order', None), ('become', None), ('one_left', 'one_right'), ('one_up', 'one_down'),
         ('one_appears', 'one_vanishes'), ('pan_left', 'pan_right'), ('pan_up', 'pan_down'), ('zoom_in', 'zoom_out')]
RELATIONS = [('beside', None), ('over', None)]
SHAPES = [((256, 192), 24), ((256, 144), 30), ((192, 192), 24), ((256, 192), 60)]    # size and frames a second
SECONDS = 2.5


class Set:
    """Writes clips one after another and remembers what they show."""

    def __init__(self, drawer, out, seed):
        rng = np.random.default_rng(seed)
        self.out, self.rng, self.items = out, rng, []
        self.chooser = Chooser(seed, [choose(rng) for _ in range(400)])
        self.writer = Writer(seed)
        self.drawer = drawer
        (out / 'clips').mkdir(parents=True, exist_ok=True)

    def add(self, part, scene, text, full='', crf=23, **more):
        size, fps = SHAPES[int(self.rng.choice(4, p=[.4, .3, .2, .1]))]
        camera = Camera(self.drawer, size, fps, grain=float(self.rng.choice([0, 0, 2, 5])), bars=float(self.rng.choice([0, 0, 0, 0, .08])),
                        seed=len(self.items))
        name = f'clips/{part}_{len(self.items):05d}.mp4'
        camera.clip(self.out / name, scene, SECONDS, crf, 'veryfast')
        self.items.append(dict(part=part, file=name, text=text, full=full, things=scene.things(), facts=scene.facts(), **more))

    def natural(self, part, n, make=None, crf=23):
        for _ in range(n):
            scene = make() if make else self.chooser.scene()
            text, said, claim = self.writer.sentence(scene, .4, event=.95)
            self.add(part, scene, text, self.writer.full(scene)[0], crf, said=said, claim=claim)

    def pairs(self, part, kinds, n):
        for first, second in kinds:
            for k in range(n // 2):
                scenes = make_pair(self.chooser, first, second)
                need = ('camera',) if scenes[0].camera != 'none' else ('event',)
                for scene in scenes:
                    self.add(part, scene, self.writer.sentence(scene, .1, need)[0], kind=f'{first}/{second or "roles"}', pair=k)

    def unseen(self, seen):
        """A move that the thing was never trained with, or one that it was."""
        while True:
            event = str(self.rng.choice(['left', 'right', 'up', 'down', 'grow', 'shrink', 'bounce', 'spin', 'appear', 'vanish']))
            scene = self.chooser.single(event)
            cls = scene.actors[0].cls
            if cls < N_THINGS and banned(cls, event) != seen:
                return scene

    def foreign(self):
        while True:
            scene = self.chooser.scene()
            if all(a.cls < N_THINGS and self.drawer.full[a.cls, FOREIGN, ..., 3].any() for a in scene.actors) and scene.event != 'recolour':
                scene.actors = [dataclasses.replace(a, style=FOREIGN) for a in scene.actors]
                return scene

    def uneven_film(self, n):
        """The same with moments of 3 to 20 seconds."""
        return self.long_film(n, 'uneven', np.random.default_rng(SEEDS['uneven'] + 1).integers(3 * 24, 20 * 24, n) / 24)

    def long_film(self, n, name='long', seconds=None):
        """One film of n moments of nine seconds before one ground that changes every tenth moment by a slow fade."""
        seconds = np.full(n, 9.) if seconds is None else seconds
        camera = Camera(self.drawer, (256, 192), 24, seed=1)
        process = encode(self.out / f'{name}.mp4', camera.size, 24, 24, 'veryfast')
        ground, back, moments = None, None, []
        for k in range(n):
            if k % 10 == 0:
                ground = self.chooser.ground()
                scene = self.chooser.single('still', ground=ground)
                new = camera.backdrop(scene)
                steps = 0 if back is None else 48
                for i in range(steps):
                    mixed = (back + (new.astype(np.float32) - back) * (i / steps)).astype(np.uint8)
                    blank = dataclasses.replace(scene, actors=[])
                    process.stdin.write(next(camera.shoot(blank, 1 / 24, mixed)).tobytes())
                lost, back = steps / 24, new
                start = moments[-1]['end'] + lost if moments else 0.
            while True:
                scene = self.chooser.scene()
                if scene.camera == 'none':
                    break
            scene.ground = ground
            text = self.writer.sentence(scene, .3, ('event',))[0]
            for frames in camera.shoot(scene, seconds[k], back):
                process.stdin.write(frames.tobytes())
            moments.append(dict(start=start, end=start + seconds[k], text=text))
            start += seconds[k]
        finish(process)
        return moments


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--sprites', required=True)
    parser.add_argument('--scale', type=float, default=1., help='of the number of clips')
    parser.add_argument('--only', default='natural,time,relation,seen,unseen,low,clean,foreign,long,uneven')
    parser.add_argument('out', type=pathlib.Path)
    args = parser.parse_args()
    drawer, manifest = Drawer(np.load(args.sprites, mmap_mode='r')), args.out / 'manifest.json'
    n = lambda k: max(2, int(k * args.scale))
    make = dict(natural=lambda s: s.natural('natural', n(1000)), time=lambda s: s.pairs('time', PAIRS, n(100)),
                relation=lambda s: s.pairs('relation', RELATIONS, n(100)), seen=lambda s: s.natural('seen', n(150), lambda: s.unseen(True)),
                unseen=lambda s: s.natural('unseen', n(150), lambda: s.unseen(False)), low=lambda s: s.natural('low', n(150), crf=40),
                clean=lambda s: s.natural('clean', n(150), crf=16), foreign=lambda s: s.natural('foreign', n(150), s.foreign),
                long=lambda s: s.long_film(n(200)), uneven=lambda s: s.uneven_film(n(120)))
    for part in args.only.split(','):
        if part == 'foreign' and drawer.full.shape[1] <= FOREIGN:
            continue
        s = Set(drawer, args.out, SEEDS[part])
        moments = make[part](s)
        done = json.loads(manifest.read_text()) if manifest.exists() else dict(items=[], long=[])
        done['items'] = [x for x in done['items'] if x['part'] != part] + s.items
        if moments:
            done[part] = moments
        manifest.write_text(json.dumps(done))
        print(part, len(s.items), 'clips,', len(moments or []), 'moments', flush=True)


if __name__ == '__main__':
    main()
