"""Makes the demo films, the list of their moments, the questions and the labels, from one seed.

    python demo_films.py --sprites SPRITES ../        writes films/*.mp4, films/moments.tsv, questions.txt, labels.txt
"""
import argparse
import dataclasses
import pathlib

import numpy as np

from films import Camera, encode, finish
from captions import Writer, true_of
from ground import choose
from render import Drawer
from scenes import CAMERAS, PAIR, SINGLE, Chooser
from things import THINGS

SEED = 7_700_001                    # never used in training
# name, categories of things, moments, uncut, size, frames a second, crf, grain, bars
FILMS = [
    ('animals', 'animal', 6, False, (384, 288), 30, 24, 0, 0), ('fruit_bowl', 'fruit vegetable', 6, False, (384, 288), 25, 24, 0, 0),
    ('street', 'transport sign', 6, False, (448, 252), 30, 24, 0, 0), ('kitchen', 'food drink kitchen', 6, False, (384, 288), 24, 24, 2, 0),
    ('weather', 'sky nature', 6, False, (448, 252), 30, 26, 0, 0), ('sports_day', 'sport person', 6, False, (384, 288), 60, 26, 0, 0),
    ('shapes', 'shape', 6, False, (288, 288), 30, 24, 0, 0), ('band', 'music game', 6, False, (384, 288), 30, 38, 0, 0),
    ('wardrobe', 'clothes', 6, False, (384, 288), 30, 24, 0, .1), ('office', 'office tool house', 6, False, (384, 288), 30, 24, 5, 0),
    ('harbour', 'transport animal', 3, True, (384, 288), 30, 24, 0, 0), ('night_walk', 'person animal place', 3, True, (384, 288), 25, 26, 0, 0),
    ('fair', 'place game', 3, True, (448, 252), 30, 24, 0, 0)]
KINDS = ['still', 'left', 'right', 'up', 'down', 'grow', 'shrink', 'bounce', 'spin', 'appear', 'vanish', 'recolour', 'up_back', 'blink', 'circle',
         'beside', 'over', 'collide', 'swap', 'order', 'become', 'one_left', 'one_appears', 'many', 'many_left', 'row', 'zoom_in', 'pan_left', 'zoom_out']


class Director(Chooser):
    """A chooser whose things come from some categories."""

    def cast(self, categories):
        self.cast_of = [i for i, t in enumerate(THINGS) if t.category in categories]
        self.used = set()

    def actor(self, ground, avoid=(), sizes=(.1, .5, .4)):
        while True:
            actor = super().actor(ground, avoid, sizes)
            shape = actor.cls >= len(THINGS)
            if shape == bool(self.cast_of):
                continue
            if not shape:
                actor.cls = int(self.rng.choice(self.cast_of))
            if actor.cls in self.used:
                continue
            self.used.add(actor.cls)
            return actor

    def moment(self, kind, ground=None):
        if kind in CAMERAS:
            return self.single('still', kind, ground=ground)
        if kind in PAIR:
            return self.pair(kind, ground=ground)
        return self.single(kind, ground=ground) if kind in SINGLE else self.many(kind, ground=ground)


def script(director, rng):
    """(film, [(scene, start, end)]) for every film; in an uncut film all share one ground."""
    kinds = [k for _ in range(3) for k in rng.permutation(KINDS)]
    out = []
    for film in FILMS:
        name, categories, n, uncut, *_ = film
        director.cast(categories.split())
        shared, at, moments = director.ground() if uncut else None, 0., []
        for _ in range(n):
            scene = director.moment(str(kinds.pop()), shared)
            seconds = float(rng.integers(28, 33)) / 4 if uncut else float(rng.integers(14, 23)) / 4
            moments.append((scene, at, at + seconds))
            at += seconds + (1. if uncut else 0.)
        out.append((film, moments))
    return out


def shoot(drawer, film, moments, path):
    name, _, _, uncut, size, fps, crf, grain, bars = film
    camera = Camera(drawer, size, fps, grain, bars, seed=len(name))
    process = encode(path, size, fps, crf)
    backdrop = camera.backdrop(moments[0][0]) if uncut else None
    for scene, start, end in moments:
        for frames in camera.shoot(scene, end - start, backdrop):
            process.stdin.write(frames.tobytes())
        if uncut:
            for frames in camera.shoot(dataclasses.replace(scene, actors=[], event='still'), 1., backdrop):
                process.stdin.write(frames.tobytes())
    finish(process)


def questions(writer, scenes, each):
    """Sentences that are true of one moment only, with its number."""
    things, facts = np.array([s.things() for s in scenes]), np.array([s.facts() for s in scenes])
    out = []
    for i, scene in enumerate(scenes):
        texts = []
        for _ in range(60):
            text, said, claim = writer.sentence(scene, float(writer.rng.choice([.05, .3, .6])), event=.9)
            alone = true_of(np.array([said]), np.array([claim]), things, facts)[0].sum() == 1
            if alone and text not in texts and len(texts) < each:
                texts.append(text)
        out += [(t, i) for t in texts]
    return out


def labels():
    """What `label` is asked with: every kind of event and a choice of things."""
    events = ['something moves left', 'something moves right', 'something moves up', 'something moves down', 'something gets bigger',
              'something gets smaller', 'something bounces', 'something spins', 'something appears', 'something disappears',
              'something changes colour', 'two things collide', 'two things swap places', 'the camera zooms in', 'the camera pans left']
    return events + ['a ' + t.names[0] if t.names[0][0] not in 'aeiou' else 'an ' + t.names[0] for t in THINGS[::8]]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--sprites', required=True)
    parser.add_argument('out')
    args = parser.parse_args()
    out = pathlib.Path(args.out)
    (out / 'films').mkdir(exist_ok=True)
    drawer = Drawer(np.load(args.sprites, mmap_mode='r')[:, :4])
    rng = np.random.default_rng(SEED)
    director = Director(SEED, [choose(rng) for _ in range(400)])
    writer = Writer(SEED)
    films = script(director, rng)
    scenes = [s for _, moments in films for s, _, _ in moments]
    places = [(film[0] + '.mp4', start, end) for film, moments in films for _, start, end in moments]
    for film, moments in films:
        shoot(drawer, film, moments, out / 'films' / (film[0] + '.mp4'))
    with open(out / 'films' / 'moments.tsv', 'w') as f:
        f.write('# file\tstart\tend\tevent\tcaption (everything that is shown)\n')
        for (name, start, end), scene in zip(places, scenes):
            f.write(f'{name}\t{start:.3f}\t{end:.3f}\t{scene.event if scene.camera == "none" else scene.camera}\t{writer.full(scene)[0]}\n')
    asked = questions(writer, scenes, 2)
    shown = set(list(range(0, len(asked), max(1, len(asked) // 10)))[:10])
    with open(out / 'questions.txt', 'w') as f:
        f.write('# question\tfile\tstart\tend\tshown by the demo\n')
        for k, (text, i) in enumerate(asked):
            name, start, end = places[i]
            f.write(f'{text}\t{name}\t{start:.3f}\t{end:.3f}\t{"demo" if k in shown else ""}\n')
    (out / 'labels.txt').write_text('\n'.join(labels()) + '\n')
    print(len(scenes), 'moments,', len(asked), 'questions')


if __name__ == '__main__':
    main()
