"""Draws libraries of films with questions of each length, and with sentences about known things that no film shows.

    python find_sets.py --sprites SPRITES OUT --seeds 9100001,9100002 [--films 11]

OUT/SEED/films/*.mp4, OUT/SEED/moments.json (file, start, end, facts) and OUT/SEED/questions.json: kind is names (1 or 2
words), middle (3 to 5) or long; a moment's number, or -1 where no moment shows it. A question is true of one moment only.
"""
import argparse
import json
import pathlib

import numpy as np

from films import Camera, encode, finish
from captions import Writer, true_of
from ground import choose
from render import Drawer
from scenes import N_CLASSES, Chooser

SHAPES = [((256, 192), 24), ((256, 144), 30), ((192, 192), 24)]
KINDS = ['names', 'middle', 'long']


def kind_of(text):
    n = len(text.split())
    return 'names' if n < 3 else 'middle' if n < 6 else 'long'


class Library:
    """Films of a few moments, each with a cut between, drawn from one seed."""

    def __init__(self, drawer, seed, films, moments=6):
        self.rng = np.random.default_rng(seed)
        self.chooser = Chooser(seed, [choose(self.rng) for _ in range(400)])
        self.writer, self.drawer = Writer(seed), drawer
        self.films = [[self.chooser.scene() for _ in range(moments)] for _ in range(films)]
        self.scenes = [s for film in self.films for s in film]
        self.moments = []

    def shoot(self, out):
        out.mkdir(parents=True, exist_ok=True)
        for k, film in enumerate(self.films):
            size, fps = SHAPES[int(self.rng.integers(3))]
            camera = Camera(self.drawer, size, fps, grain=float(self.rng.choice([0, 0, 2])), seed=k)
            name, at = f'film{k:03d}.mp4', 0
            process = encode(out / name, size, fps, int(self.rng.choice([23, 26, 30])), 'veryfast')
            for scene in film:
                n = int(self.rng.integers(int(2.5 * fps), 5 * fps))
                for frames in camera.shoot(scene, n / fps):
                    process.stdin.write(frames.tobytes())
                self.moments.append(dict(file=name, start=at / fps, end=(at + n) / fps, things=scene.things(), facts=scene.facts()))
                at += n
            finish(process)

    def name(self, scene):
        """A bare name: the thing alone, sometimes with an article."""
        actor = scene.actors[int(self.rng.integers(len(scene.actors)))]
        noun = self.writer.noun(actor)
        if len(noun.split()) == 1 and self.rng.random() < .4:
            noun = ('an ' if noun[0] in 'aeiou' else 'a ') + noun
        return noun, [actor.cls, -1, -1], [-1] * 10

    def ask(self, scene, kind):
        if kind == 'names':
            return self.name(scene)
        level = float(self.rng.choice([.05, .2] if kind == 'middle' else [.3, .6]))
        return self.writer.sentence(scene, level, event=.9)

    def true(self, said, claim):
        return true_of(np.array([said]), np.array([claim]), self.things, self.facts)[0]

    def questions(self, each):
        """`each` a kind and moment, as many absent ones."""
        self.things, self.facts = np.array([s.things() for s in self.scenes]), np.array([s.facts() for s in self.scenes])
        shown, out = set(self.things.ravel()), []
        for kind in KINDS:
            for i, scene in enumerate(self.scenes):
                texts = []
                for _ in range(40):
                    text, said, claim = self.ask(scene, kind)
                    if len(texts) < each and text not in texts and kind_of(text) == kind and self.true(said, claim).sum() == 1:
                        texts.append(text)
                out += [dict(kind=kind, text=t, moment=i) for t in texts]
            absent = set()
            while len(absent) < each * len(self.scenes):
                scene = self.chooser.scene()
                text, said, claim = self.ask(scene, kind)
                known = [t for t in said if t >= 0]
                if kind_of(text) == kind and known and not any(t in shown for t in known) and not self.called(text, shown):
                    absent.add(text)
                if kind == 'names' and len(absent) >= .8 * len(set(range(N_CLASSES)) - shown):
                    break
            out += [dict(kind=kind, text=t, moment=-1) for t in sorted(absent)]
        return out

    def called(self, text, shown):
        """A word of two things ("ring") is no proof of absence."""
        words = f' {text} '
        return any(f' {n} ' in words for t in shown for n in names_of(t))


def names_of(cls):
    from scenes import N_THINGS
    from things import THINGS
    return THINGS[cls].names if 0 <= cls < N_THINGS else []


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--sprites', required=True)
    parser.add_argument('--seeds', required=True)
    parser.add_argument('--films', type=int, default=11)
    parser.add_argument('--each', type=int, default=1)
    parser.add_argument('out', type=pathlib.Path)
    args = parser.parse_args()
    drawer = Drawer(np.load(args.sprites, mmap_mode='r')[:, :4])
    for seed in args.seeds.split(','):
        library = Library(drawer, int(seed), args.films)
        library.shoot(args.out / seed / 'films')
        (args.out / seed / 'moments.json').write_text(json.dumps(library.moments))
        asked = library.questions(args.each)
        (args.out / seed / 'questions.json').write_text(json.dumps(asked, indent=0))
        print(seed, len(library.moments), 'moments', {k: [sum(q['kind'] == k and (q['moment'] >= 0) == t for q in asked) for t in (1, 0)]
                                                     for k in KINDS}, flush=True)


if __name__ == '__main__':
    main()
