"""Labels over time: draws films whose events are known, labels them with kinoseek, judges spans and `--none`.

    python label_films.py draw --sprites SPRITES OUT --seed 9600001 [--films 60]
    kinoseek -L OUT/lib ingest OUT/films
    python label_films.py judge OUT [--kinoseek build/kinoseek] [--template '{}'] [label options]

Films of 5 to 10 minutes: scenes of 4 to 12 s, three in ten show two things side by side, others nothing that is asked.
40 things are asked for. judge prints the mean average precision of `label --each --intervals` at a temporal IoU of 0.5 and
0.75 (each label's AP over all films, precision interpolated as ActivityNet does), and of `label --each --none x --merge off`
the share of clips that show something asked and are labelled (kept), and that show nothing of it and are labelled all the same.
A clip counts where one scene fills three quarters of it.
"""
import argparse
import collections
import json
import pathlib
import subprocess

import numpy as np

from films import Camera, encode, finish
from ground import choose
from render import Drawer
from scenes import N_THINGS, Chooser
from things import THINGS

SIZE, FPS, ASKED = (224, 126), 6, 40


class Director(Chooser):
    """A chooser whose things are all of one side: asked for, or not."""

    cast = None

    def actor(self, ground, avoid=(), sizes=None):
        while True:
            actor = super().actor(ground, avoid, sizes)
            if actor.cls < N_THINGS:
                actor.cls = int(self.rng.choice(self.cast))
                return actor


def script(director, rng, asked, others):
    """Scenes of one film with their seconds, until 5 to 10 minutes are full."""
    out, left = [], float(rng.uniform(300, 600))
    while left > 0:
        director.cast = asked if rng.random() < .6 else others
        scene = director.pair('beside') if rng.random() < .3 else director.single(str(rng.choice(['still', 'left', 'right', 'bounce', 'grow'])))
        seconds = int(rng.uniform(4, 12) * FPS) / FPS
        out.append((scene, seconds))
        left -= seconds
    return out


def draw(args):
    rng = np.random.default_rng(args.seed)
    drawer = Drawer(np.load(args.sprites, mmap_mode='r')[:, :4])
    director = Director(args.seed, [choose(rng) for _ in range(400)])
    order = rng.permutation(N_THINGS)
    asked = sorted(int(c) for c in order[:ASKED])
    words = {n for c in asked for n in THINGS[c].names}
    others = [int(c) for c in order[ASKED:] if not words & set(THINGS[c].names)]
    (args.out / 'films').mkdir(parents=True, exist_ok=True)
    truth = []
    for k in range(args.films):
        name, at = f'film{k:03d}.mp4', 0.
        camera = Camera(drawer, SIZE, FPS, grain=float(rng.choice([0, 0, 2])), seed=k)
        process = encode(args.out / 'films' / name, SIZE, FPS, 26, 'ultrafast')
        for scene, seconds in script(director, rng, asked, others):
            for frames in camera.shoot(scene, seconds):
                process.stdin.write(frames.tobytes())
            names = sorted({THINGS[a.cls].names[0] for a in scene.actors if a.cls in asked})
            truth.append(dict(file=name, start=at, end=at + seconds, labels=names))
            at += seconds
        finish(process)
    (args.out / 'labels.txt').write_text('\n'.join(THINGS[c].names[0] for c in asked) + '\n')
    (args.out / 'truth.json').write_text(json.dumps(truth))
    print(args.films, 'films,', len(truth), 'scenes,', sum(len(t['labels']) for t in truth), 'spans')


# --- judging ---
def label(args, *more):
    command = [args.kinoseek, '-q', '-L', str(args.out / 'lib'), 'label', '-l', str(args.out / 'labels.txt'), '--each', '--json', *more, *args.options]
    for t in args.template:
        command += ['--template', t]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode > 1:
        raise SystemExit(run.stderr)
    return [json.loads(line) for line in run.stdout.splitlines()]


def true_spans(truth):
    """label -> film -> spans; scenes of one thing that follow one another are one."""
    out = collections.defaultdict(lambda: collections.defaultdict(list))
    for t in truth:
        for name in t['labels']:
            spans = out[name][t['file']]
            if spans and abs(spans[-1][1] - t['start']) < .01:
                spans[-1][1] = t['end']
            else:
                spans.append([t['start'], t['end']])
    return out


def iou(a, b):
    shared = max(0, min(a[1], b[1]) - max(a[0], b[0]))
    return shared / (max(a[1], b[1]) - min(a[0], b[0]))


def average_precision(found, spans, least):
    """found: (score, film, start, end) of one label."""
    taken, hits = {f: [False] * len(s) for f, s in spans.items()}, []
    for _, film, *span in sorted(found, key=lambda r: -r[0]):
        best = max(((iou(span, s), i) for i, s in enumerate(spans.get(film, [])) if not taken[film][i]), default=(0, -1))
        hits.append(best[0] >= least)
        if hits[-1]:
            taken[film][best[1]] = True
    hits, n = np.array(hits, float), sum(map(len, spans.values()))
    precision = np.cumsum(hits) / (np.arange(len(hits)) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1] if len(hits) else precision
    return float((envelope * hits).sum() / n)


def judge_intervals(args, truth):
    found, spans = collections.defaultdict(list), true_spans(truth)
    for r in label(args, '--intervals', '--least', '0'):
        found[r['label']].append((r['score'], pathlib.Path(r['path']).name, r['start'], r['end']))
    for least in .5, .75:
        ap = [average_precision(found[name], spans[name], least) for name in spans]
        print(f'intervals: mAP at tIoU {least}: {np.mean(ap):.3f} ({len(ap)} labels, {sum(len(s) for f in spans.values() for s in f.values())} spans)')


def judge_none(args, truth):
    """Curve of --none: the score that keeps 90 of 100, and the score it has."""
    films = collections.defaultdict(list)
    for t in truth:
        films[t['file']].append(t)
    best = {}
    for r in label(args, '--merge', 'off', '-k', '1', '--least', '0'):
        best[pathlib.Path(r['path']).name, r['start'], r['end']] = r['score']
    some, nothing = [], []
    for (film, start, end), score in best.items():
        for t in films[film]:
            if min(end, t['end']) - max(start, t['start']) >= .75 * (end - start):
                (some if t['labels'] else nothing).append(score)
    some, nothing = np.array(some), np.array(nothing)
    at = np.quantile(some, .1)
    print(f'none: kept {100 * (some >= .5).mean():.1f} % of {len(some)} clips that show something asked, labelled {100 * (nothing >= .5).mean():.1f} % '
          f'of {len(nothing)} that do not; where 90 % are kept {100 * (nothing >= at).mean():.1f} %')


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('what', choices=['draw', 'judge'])
    parser.add_argument('--sprites')
    parser.add_argument('--seed', type=int, default=9600001)
    parser.add_argument('--films', type=int, default=60)
    parser.add_argument('--kinoseek', default='build/kinoseek')
    parser.add_argument('--template', action='append', default=[])
    parser.add_argument('out', type=pathlib.Path)
    parser.add_argument('options', nargs='*')
    args = parser.parse_args()
    if args.what == 'draw':
        return draw(args)
    truth = json.loads((args.out / 'truth.json').read_text())
    judge_intervals(args, truth)
    judge_none(args, truth)


if __name__ == '__main__':
    main()
