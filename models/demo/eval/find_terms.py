"""Questions of several terms: draws films with known moments, asks kinoseek, counts right and wrong answers.

    python find_terms.py draw --sprites SPRITES OUT --seed 9300001 [--films 100]
    kinoseek -L OUT/sequences/lib ingest OUT/sequences/films ; the same for OUT/algebra
    python find_terms.py ask --kinoseek build/kinoseek OUT [--set sequences|algebra]

sequences: films of 20 to 24 moments; A then B, A then B then C, A unless B, half of them false: the parts are there, in
another order or too far apart. Right: the first answer overlaps the true span by half of both. algebra: every shape in every
colour; a red star, less red, plus blue, from words and from a moment of a film; and answers that show what --not names.
"""
import argparse
import json
import pathlib
import subprocess

import numpy as np

from films import Camera, encode, finish
from captions import Writer, true_of
from ground import choose
from render import Drawer
from scenes import COLOUR_NAMES, N_THINGS, SHAPES, SIZE_RANGES, Actor, Chooser, INK, apart

SIZE, FPS = (256, 144), 12


def shoot(drawer, path, scenes, rng, moments):
    camera, at = Camera(drawer, SIZE, FPS, grain=float(rng.choice([0, 0, 2])), seed=len(moments)), 0
    process = encode(path, SIZE, FPS, 26, 'ultrafast')
    for scene in scenes:
        n = int(rng.integers(int(2.5 * FPS), int(3.6 * FPS)))
        for frames in camera.shoot(scene, n / FPS):
            process.stdin.write(frames.tobytes())
        moments.append(dict(file=path.name, start=at / FPS, end=(at + n) / FPS))
        at += n
    finish(process)


# --- sequences ---
class Sequences:
    def __init__(self, seed, films):
        self.rng = np.random.default_rng(seed)
        chooser, self.writer = Chooser(seed, [choose(self.rng) for _ in range(400)]), Writer(seed)
        self.films = [[chooser.scene() for _ in range(int(self.rng.integers(20, 25)))] for _ in range(films)]
        scenes = [s for film in self.films for s in film]
        self.things, self.facts = np.array([s.things() for s in scenes]), np.array([s.facts() for s in scenes])
        self.first = np.cumsum([0] + [len(f) for f in self.films])
        self.moments = []

    def sentence(self, film, i):
        """True of this moment alone in all films, of six words or more; None where chance gives none."""
        for _ in range(30):
            text, said, claim = self.writer.sentence(self.films[film][i], float(self.rng.choice([.4, .7])), event=.95)
            if len(text.split()) > 5 and true_of(np.array([said]), np.array([claim]), self.things, self.facts)[0].sum() == 1:
                return text
        return None

    def span(self, film, i, j):
        a, b = self.moments[self.first[film] + i], self.moments[self.first[film] + j]
        return dict(file=a['file'], start=a['start'], end=b['end'])

    def places(self, parts):
        """Moments of one film in order, each within the next five."""
        film = int(self.rng.integers(len(self.films)))
        at = [int(self.rng.integers(0, len(self.films[film]) - 5 * (parts - 1)))]
        while len(at) < parts:
            at.append(at[-1] + int(self.rng.integers(1, 6)))
        return film, at

    def then(self, parts, true):
        film, at = self.places(parts)
        text = [self.sentence(film, i) for i in at]
        if None in text:
            return None
        kind, far = 'a then b' if parts == 2 else 'a then b then c', not true and parts == 2 and self.rng.random() < .5
        if true:
            ask = [text[0]] + [x for t in text[1:] for x in ('--then', t)]
        elif far:
            between = self.span(film, at[0], at[1])
            gap = self.moments[self.first[film] + at[1]]['start'] - self.moments[self.first[film] + at[0]]['end']
            if gap < 5 or between['end'] < 0:
                return None
            ask = [text[0], '--then', text[1], '--within', '2']
        else:
            order = [1, 0] if parts == 2 else [[1, 0, 2], [0, 2, 1], [2, 1, 0], [2, 0, 1]][int(self.rng.integers(4))]
            ask = [text[order[0]]] + [x for o in order[1:] for x in ('--then', text[o])]
        return dict(kind=kind, true=true, args=ask, **self.span(film, at[0], at[-1]))

    def unless(self, true):
        film, at = self.places(2)
        text = [self.sentence(film, i) for i in at]
        if None in text:
            return None
        if true:   # what must not follow comes before
            return dict(kind='a unless b', true=True, args=[text[1], '--unless', text[0]], **self.span(film, at[1], at[1]))
        return dict(kind='a unless b', true=False, args=[text[0], '--unless', text[1]], **self.span(film, at[0], at[0]))

    def questions(self, n):
        out = []
        for make in (lambda t: self.then(2, t), lambda t: self.then(3, t), self.unless):
            for true in (True, False):
                have = []
                while len(have) < n // 6:
                    q = make(true)
                    if q:
                        have.append(q)
                out += have
        return out


def draw_sequences(drawer, out, seed, films):
    (out / 'films').mkdir(parents=True, exist_ok=True)
    s = Sequences(seed, films)
    for k, film in enumerate(s.films):
        shoot(drawer, out / 'films' / f'film{k:03d}.mp4', film, s.rng, s.moments)
    (out / 'questions.json').write_text(json.dumps(s.questions(300), indent=0))
    print('sequences', len(s.films), 'films', len(s.moments), 'moments', flush=True)


# --- algebra ---
def draw_algebra(drawer, out, seed):
    (out / 'films').mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed + 1)
    chooser, scenes, which, moments = Chooser(seed + 1, [choose(rng) for _ in range(400)]), [], [], []
    for shape in range(len(SHAPES)):
        for colour in range(len(COLOUR_NAMES)):
            while True:
                ground = chooser.ground()
                if ground[0] in ('plain', 'gradient', 'checks', 'stripes') and apart(colour, ground[1], ground[2]):
                    break
            actor = Actor(N_THINGS + shape * len(COLOUR_NAMES) + colour, INK, colour, 2, float(rng.uniform(*SIZE_RANGES[2])), .5, .5)
            scenes.append(chooser.single('still', ground=ground, actor=actor))
            which.append((shape, colour))
    order = rng.permutation(len(scenes))
    for k in range(10):
        shoot(drawer, out / 'films' / f'film{k:03d}.mp4', [scenes[i] for i in order[k::10]], rng, moments)
    place = {which[i]: m for i, m in zip([i for k in range(10) for i in order[k::10]], moments)}
    asked = []
    for k in range(300):
        shape, (a, b) = int(rng.integers(len(SHAPES))), rng.permutation(len(COLOUR_NAMES))[:2]
        old, new, name = COLOUR_NAMES[a], COLOUR_NAMES[b], SHAPES[shape]
        m = place[shape, int(a)]
        if k % 3 == 0:
            asked.append(dict(kind='words - old + new', args=[f'a {old} {name}', '--minus', old, '--plus', new], **place[shape, int(b)]))
        elif k % 3 == 1:
            asked.append(dict(kind='words - old words + new words', args=[f'a {old} {name}', '--minus', f'a {old} circle', '--plus', f'a {new} circle'],
                              **place[shape, int(b)]))
        else:
            at = (m['start'] + m['end']) / 2
            asked.append(dict(kind='moment - old + new', args=['--plus', f'@{(out / "films" / m["file"]).resolve()}@{at:.2f}', '--minus', f'a {old} {name}',
                                                               '--plus', f'a {new} {name}'], **place[shape, int(b)]))
    for k in range(100):
        shape, a = int(rng.integers(len(SHAPES))), int(rng.integers(len(COLOUR_NAMES)))
        asked.append(dict(kind='not', words=f'a {SHAPES[shape]}', against=f'a {COLOUR_NAMES[a]} {SHAPES[shape]}',
                          others=[place[shape, c] for c in range(len(COLOUR_NAMES)) if c != a], **place[shape, a]))
    (out / 'questions.json').write_text(json.dumps(asked, indent=0))
    print('algebra', len(moments), 'moments', len(asked), 'questions', flush=True)


# --- asking ---
def answers(program, library, args, k):
    run = subprocess.run([program, '-q', '-L', library, 'search', '--json', '-k', str(k), *args], capture_output=True, text=True)
    if run.returncode > 1:
        raise SystemExit(f'{args}: {run.stderr}')
    return [json.loads(line) for line in run.stdout.splitlines()]


def shows(hit, q):
    over = min(hit['end'], q['end']) - max(hit['start'], q['start'])
    return hit['path'].endswith('/' + q['file']) and over >= .5 * (hit['end'] - hit['start']) and over >= .5 * (q['end'] - q['start'])


def ask_sequences(program, out):
    counts = {}
    for q in json.loads((out / 'questions.json').read_text()):
        hits = answers(program, str(out / 'lib'), q['args'], 3)
        c = counts.setdefault(q['kind'], [0, 0, 0, 0])
        if q['true']:
            c[0] += 1
            c[1] += bool(hits) and shows(hits[0], q)
        else:
            c[2] += 1
            c[3] += bool(hits)
    for kind, (n, right, false, answered) in counts.items():
        print(f'{kind:18s} right first {100 * right / n:5.1f} % of {n}, false ones answered {100 * answered / false:5.1f} % of {false}')
    n, right, false, answered = np.sum(list(counts.values()), axis=0)
    print(f'{"all":18s} right first {100 * right / n:5.1f} % of {n}, false ones answered {100 * answered / false:5.1f} % of {false}')


def ask_algebra(program, out):
    right, nots = {}, {}
    for q in json.loads((out / 'questions.json').read_text()):
        if q['kind'] != 'not':
            hits = answers(program, str(out / 'lib'), q['args'] + ['--all'], 1)
            right.setdefault(q['kind'], []).append(bool(hits) and shows(hits[0], q))
            continue
        for design, more in (('left out (--not)', ['--not', q['against']]), ('half taken away (--minus 0.5:)', ['--minus', '0.5:' + q['against']]),
                             ('both', ['--minus', '0.5:' + q['against'], '--not', q['against']]), ('neither', [])):
            hits = answers(program, str(out / 'lib'), [q['words'], *more], 10)
            good = sum(any(shows(h, o) for o in q['others']) for h in hits)
            nots.setdefault(design, []).append((len(hits), sum(shows(h, q) for h in hits), good))
    for kind, r in right.items():
        print(f'{kind:32s} right first {100 * np.mean(r):5.1f} % of {len(r)}')
    print(f'{"all":32s} right first {100 * np.mean(sum(right.values(), [])):5.1f} %')
    for design, rows in nots.items():
        n, bad, good = np.sum(rows, axis=0)
        print(f'{design:32s} {bad} of {n} answers show it ({100 * np.mean([b > 0 for _, b, _ in rows]):.0f} % of {len(rows)} questions); {good} of {10 * len(rows)} others of the shape')


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('what', choices=['draw', 'ask'])
    parser.add_argument('--sprites')
    parser.add_argument('--seed', type=int, default=9300001)
    parser.add_argument('--films', type=int, default=100)
    parser.add_argument('--kinoseek', default='build/kinoseek')
    parser.add_argument('--set', default='sequences,algebra')
    parser.add_argument('out', type=pathlib.Path)
    args = parser.parse_args()
    if args.what == 'draw':
        drawer = Drawer(np.load(args.sprites, mmap_mode='r')[:, :4])
        if 'algebra' in args.set:
            draw_algebra(drawer, args.out / 'algebra', args.seed)
        if 'sequences' in args.set:
            draw_sequences(drawer, args.out / 'sequences', args.seed, args.films)
    if args.what == 'ask':
        if 'algebra' in args.set:
            ask_algebra(args.kinoseek, args.out / 'algebra')
        if 'sequences' in args.set:
            ask_sequences(args.kinoseek, args.out / 'sequences')


if __name__ == '__main__':
    main()
