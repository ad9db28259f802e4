"""What a survey is worth: draws long films of moments of 4 to 60 s, and asks a library that has them wholly, one that has them
surveyed, one of both, and one that looks closer.

    python archive.py draw --sprites SPRITES OUT [--films 60] [--seconds 600] [--seed 9400001]
    python archive.py ask --kinoseek build/kinoseek OUT [--closer 30s] [--closely 60]

draw: OUT/films/*.mp4 (key frames every 2 to 10 s, a rate of its own a film) and OUT/questions.json: sentences that are true of
one moment alone in all films. ask: makes OUT/whole, OUT/survey and OUT/mixed (every second film surveyed) where they are not
there. A film is right first where the first hit is of it; a minute where the first hit overlaps the moment. The share of
surveyed films in the first ten is held against the whole library's answers to the same questions.
"""
import argparse
import json
import pathlib
import shutil
import subprocess

import numpy as np

from films import Camera, finish
from captions import Writer, true_of
from ground import choose
from render import Drawer
from scenes import Chooser

SIZE, FPS, LENGTHS = (256, 144), 8, (4, 8, 15, 30, 60)


def encode(path, gop):
    return subprocess.Popen(['ffmpeg', '-y', '-loglevel', 'error', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', '%dx%d' % SIZE, '-r', str(FPS), '-i', '-',
                             '-c:v', 'libx264', '-threads', '1', '-preset', 'veryfast', '-crf', '26', '-g', str(gop), '-pix_fmt', 'yuv420p', '-map_metadata',
                             '-1', '-fflags', '+bitexact', '-flags:v', '+bitexact', str(path)], stdin=subprocess.PIPE)


def draw(args):
    drawer, rng = Drawer(np.load(args.sprites, mmap_mode='r')[:, :4]), np.random.default_rng(args.seed)
    chooser, writer = Chooser(args.seed, [choose(rng) for _ in range(400)]), Writer(args.seed)
    (args.out / 'films').mkdir(parents=True, exist_ok=True)
    moments = []
    for k in range(args.films):
        name, at, film = f'film{k:03d}.mp4', 0., []
        while at < args.seconds:
            seconds = float(min(rng.choice(LENGTHS, p=(.3, .25, .2, .15, .1)), args.seconds - at))
            film.append(dict(scene=chooser.scene(), file=name, start=at, end=at + seconds))
            at += seconds
        process, camera = encode(args.out / 'films' / name, int(rng.integers(2, 11)) * FPS), Camera(drawer, SIZE, FPS, seed=k)
        for m in film:
            for frames in camera.shoot(m['scene'], m['end'] - m['start']):
                process.stdin.write(frames.tobytes())
        finish(process)
        moments += film
        print(name, len(film), flush=True)
    things, facts = np.array([m['scene'].things() for m in moments]), np.array([m['scene'].facts() for m in moments])
    asked = []
    for m in moments:
        for _ in range(20):
            text, said, claim = writer.sentence(m['scene'], float(rng.choice([.4, .7])), event=.95)
            if len(text.split()) > 5 and true_of(np.array([said]), np.array([claim]), things, facts)[0].sum() == 1:
                asked.append(dict(text=text, file=m['file'], start=m['start'], end=m['end']))
                break
    (args.out / 'questions.json').write_text(json.dumps([asked[i] for i in rng.permutation(len(asked))], indent=0))
    print(args.films, 'films', len(moments), 'moments', len(asked), 'questions')


# --- asking ---
def run(args, *words):
    r = subprocess.run([args.kinoseek, '-q', *words], capture_output=True, text=True)
    if r.returncode > 1:
        raise SystemExit(f'{words}: {r.stderr}')
    return [json.loads(line) for line in r.stdout.splitlines()]


def libraries(args):
    films = sorted(map(str, (args.out / 'films').glob('*.mp4')))
    for name, whole in (('whole', films), ('survey', []), ('mixed', films[1::2])):
        if (args.out / name).exists():
            continue
        at = ['-m', 'demo', '-L', str(args.out / name), 'ingest', '--json']
        if whole:
            print('#', name, run(args, *at, *whole, '--survey', 'off')[-1])
        if len(whole) < len(films):
            print('#', name, run(args, *at, str(args.out / 'films'), '--survey', 'only')[-1])


def ask_all(args, library, questions, *more):
    """The hits of each question, in one process."""
    words = args.out / 'words.txt'
    words.write_text(''.join(q['text'] + '\n' for q in questions))
    hits = run(args, '-L', str(args.out / library), 'search', '--json', '--all', '-k', '10', '--queries', str(words), *more)
    of = {}
    for h in hits:
        of.setdefault(h['query'], []).append(h)
    return [of.get(q['text'], []) for q in questions]


def right_film(hits, q):
    return bool(hits) and hits[0]['path'].endswith('/' + q['file'])


def right_moment(hits, q):
    return right_film(hits, q) and min(hits[0]['end'], q['end']) > max(hits[0]['start'], q['start'])


def say(name, right):
    n, p, z2 = len(right), np.mean(right), 1.96 ** 2
    middle, half = (p + z2 / 2 / n) / (1 + z2 / n), (z2 * (p * (1 - p) / n + z2 / 4 / n ** 2)) ** .5 / (1 + z2 / n)
    low, high = middle - half, middle + half
    print(f'{name:62s} {100 * np.mean(right):5.1f} % ({100 * low:.1f} to {100 * high:.1f}) of {len(right)}', flush=True)
    return np.mean(right)


def ask(args):
    libraries(args)
    questions = json.loads((args.out / 'questions.json').read_text())
    whole, survey = ask_all(args, 'whole', questions), ask_all(args, 'survey', questions)
    w = say('film first, whole', [right_film(h, q) for h, q in zip(whole, questions)])
    s = say('film first, surveyed', [right_film(h, q) for h, q in zip(survey, questions)])
    print(f'{"":62s} {100 * s / w:5.1f} % of whole')
    for length in LENGTHS:
        of = [i for i, q in enumerate(questions) if round(q['end'] - q['start']) == length]
        if of:
            a = say(f'moment of {length} s first, whole', [right_moment(whole[i], questions[i]) for i in of])
            b = say(f'moment of {length} s first (its minute), surveyed', [right_moment(survey[i], questions[i]) for i in of])
            print(f'{"":62s} {100 * b / max(a, 1e-9):5.1f} % of whole')
    # mixed: the same questions, of films of both kinds
    mixed = ask_all(args, 'mixed', questions)
    surveyed = {p.name for p in sorted((args.out / 'films').glob('*.mp4'))[0::2]}
    name = lambda h: h['path'].rsplit('/', 1)[1]
    for kind in (True, False):
        of = [i for i, q in enumerate(questions) if (q['file'] in surveyed) == kind]
        say('mixed: film first, of films ' + ('surveyed' if kind else 'wholly in'), [right_film(mixed[i], questions[i]) for i in of])
        say('  the same films, all ' + ('surveyed' if kind else 'wholly in'), [right_film((survey if kind else whole)[i], questions[i]) for i in of])
    share = np.mean([np.mean([name(h) in surveyed for h in hits]) for hits in mixed if hits])
    true = np.mean([q['file'] in surveyed for q in questions])
    print(f'mixed: surveyed films are {100 * share:.1f} % of the first ten, {100 * true:.1f} % of the true answers')
    closely = questions[:args.closely]
    right, encoded = [], []
    for q in closely:
        shutil.rmtree(args.out / 'closer', ignore_errors=True)
        shutil.copytree(args.out / 'survey', args.out / 'closer')
        hits = run(args, '-L', str(args.out / 'closer'), 'search', '--json', '--all', '-k', '1', '--closer', args.closer, q['text'])
        right.append(right_moment(hits, q))
        encoded.append(bool(hits) and hits[0].get('sharpened', False))
    if closely:
        a = say('moment first, whole (the same questions)', [right_moment(h, q) for h, q in zip(whole, closely)])
        say('its minute first, surveyed', [right_moment(h, q) for h, q in zip(survey, closely)])
        b = say(f'moment first, surveyed and --closer {args.closer}', right)
        print(f'{"":62s} {b / max(a, 1e-9):.2f} of whole; {sum(encoded)} first hits were sharpened')


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('what', choices=['draw', 'ask'])
    parser.add_argument('--sprites')
    parser.add_argument('--seed', type=int, default=9400001)
    parser.add_argument('--films', type=int, default=60)
    parser.add_argument('--seconds', type=float, default=600)
    parser.add_argument('--kinoseek', default='build/kinoseek')
    parser.add_argument('--closer', default='30s')
    parser.add_argument('--closely', type=int, default=60)
    parser.add_argument('out', type=pathlib.Path)
    args = parser.parse_args()
    (draw if args.what == 'draw' else ask)(args)


if __name__ == '__main__':
    main()
