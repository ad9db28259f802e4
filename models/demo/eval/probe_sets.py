"""Draws films of one kind of event each, for `kinoseek eval probe` and its zero-shot rival.

    python probe_sets.py --sprites SPRITES OUT [--train 50] [--test 50] [--seed 9300001]

OUT/films/*.mp4; OUT/train.tsv and OUT/test.tsv (film, class); for `eval classify` of the test films OUT/videos.tsv,
OUT/map.tsv and OUT/texts.tsv: of each class the sentences that the writer says of --sentences other scenes of its kind;
OUT/plain.tsv: one sentence of each, which names no thing. Then, in OUT (the decay was chosen on films held out of train.tsv):

    kinoseek -m demo eval probe --train train.tsv --test test.tsv --frames 8 --head linear -o linear.npz
    kinoseek -m demo eval probe --train train.tsv --test test.tsv --frames 8 --head attentive --decay 10 -o attentive.npz

What moves, its size, colour, ground, the film's shape, rate and quality are drawn anew for every film.
"""
import argparse
import pathlib

import numpy as np

from films import Camera
from captions import CAMERA_WORDS, PAIR_WORDS, VERBS, Writer
from ground import choose
from render import Drawer
from scenes import CAMERAS, PAIR, SINGLE, Chooser

KINDS = SINGLE + PAIR + CAMERAS[1:]
SHAPES = [((160, 120), 12), ((192, 108), 15), ((144, 144), 10)]    # size and frames a second


def scene_of(chooser, kind):
    if kind in CAMERAS:
        return chooser.single('still', kind)
    return chooser.single(kind) if kind in SINGLE else chooser.pair(kind)


def sentences(seed, kind, n):
    """Things and words come from seeds of their own, so that no film is described."""
    chooser, writer = Chooser(seed, [choose(np.random.default_rng(seed)) for _ in range(50)]), Writer(seed)
    need = ('camera',) if kind in CAMERAS else ('event',)
    return [writer.sentence(scene_of(chooser, kind), .1, need)[0] for _ in range(n)]


def plain(kind):
    if kind in CAMERAS:
        return 'a video of ' + CAMERA_WORDS[kind][0]
    if kind in SINGLE:
        return 'a video of something ' + VERBS[kind][0][0]
    return 'a video of ' + PAIR_WORDS[kind][0].format(A='one thing', B='another thing')


def shoot(out, drawer, part, n, seed):
    rng = np.random.default_rng(seed)
    chooser, lines = Chooser(seed, [choose(rng) for _ in range(400)]), []
    for k in range(n):
        for kind in KINDS:
            size, fps = SHAPES[int(rng.integers(3))]
            camera = Camera(drawer, size, fps, grain=float(rng.choice([0, 0, 2, 5])), seed=seed + len(lines))
            name, crf = f'films/{part}_{kind}_{k:03d}.mp4', int(rng.choice([20, 26, 32]))
            scene = scene_of(chooser, kind)
            if not (out / name).exists():
                camera.clip(out / 'film.part.mp4', scene, float(rng.uniform(1.6, 2.6)), crf, 'ultrafast')
                (out / 'film.part.mp4').rename(out / name)
            else:
                rng.uniform(1.6, 2.6)
            lines.append((name, kind))
    (out / f'{part}.tsv').write_text(''.join(f'{name}\t{kind}\n' for name, kind in lines))
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--sprites', required=True)
    parser.add_argument('--train', type=int, default=50, help='films of each kind')
    parser.add_argument('--test', type=int, default=50)
    parser.add_argument('--sentences', type=int, default=40)
    parser.add_argument('--seed', type=int, default=9_300_001)
    parser.add_argument('out', type=pathlib.Path)
    args = parser.parse_args()
    (args.out / 'films').mkdir(parents=True, exist_ok=True)
    drawer = Drawer(np.load(args.sprites, mmap_mode='r')[:, :4])
    shoot(args.out, drawer, 'train', args.train, args.seed)
    test = shoot(args.out, drawer, 'test', args.test, args.seed + 1)
    (args.out / 'videos.tsv').write_text(''.join(f'{name}\t{name}\n' for name, _ in test))
    (args.out / 'map.tsv').write_text(''.join(f'{name}\t{kind}\n' for name, kind in test))
    (args.out / 'texts.tsv').write_text(''.join(f'{kind}\t{text}\n' for i, kind in enumerate(KINDS)
                                                for text in sentences(args.seed + 100 + i, kind, args.sentences)))
    (args.out / 'plain.tsv').write_text(''.join(f'{kind}\t{plain(kind)}\n' for kind in KINDS))
    print(len(KINDS), 'kinds,', len(test), 'films to test')


if __name__ == '__main__':
    main()
