"""The table of results: python evaluate.py CLIPS MODEL [--backend torch], CLIPS made by sets.py.

Prints figures with Wilson intervals (95 %) as a Markdown table; --only names the parts.
"""
import argparse
import json
import pathlib
import tempfile

import numpy as np

import backends
from captions import true_of
from probe import wilson


class Table:
    def __init__(self):
        print('| what | value | 95 % | n |\n|---|---|---|---|')

    def row(self, name, right):
        right = np.asarray(right, bool)
        low, high = wilson(right.sum(), len(right))
        print(f'| {name} | {100 * right.mean():.1f} % | {100 * low:.1f}–{100 * high:.1f} | {len(right)} |', flush=True)


def ranks(queries, answers):
    s = queries @ answers.T
    return (s > np.diag(s)[:, None]).sum(1)


def retrieval(table, backend, items, root, name, details=False):
    v = backend.videos([root / x['file'] for x in items])
    t = backend.texts([x['text'] for x in items])
    r = ranks(t, v)
    table.row(f'{name}: text to clip, R@1 of {len(items)}', r == 0)
    if not details:
        return
    table.row(f'{name}: text to clip, R@5', r < 5)
    table.row(f'{name}: clip to text, R@1', ranks(v, t) == 0)
    table.row(f'{name}: R@1 of 200', [(ranks(t[i:i + 200], v[i:i + 200]) == 0) for i in range(0, len(t) - 199, 200)] and np.concatenate(
        [ranks(t[i:i + 200], v[i:i + 200]) == 0 for i in range(0, len(t) - 199, 200)]) if len(t) >= 200 else r == 0)
    f = backend.texts([x['full'] for x in items])
    table.row('full detail: text to clip, R@1', ranks(f, v) == 0)
    table.row('full detail: clip to text, R@1', ranks(v, f) == 0)
    array = lambda key: np.array([x[key] for x in items])
    true = true_of(array('said'), array('claim'), array('things'), array('facts'))
    print(f'| ceiling of natural captions (some are true of several clips) | {100 * (1 / true.sum(1)).mean():.1f} % | | {len(items)} |')


def precisions(table, backend, items, root):
    """The same 4,000 queries (two captions a clip, both ways) in each precision."""
    for precision in ('fp32', 'bf16', 'int8'):
        backend.precision = precision
        v = backend.videos([root / x['file'] for x in items])
        said = [backend.texts([x[key] for x in items]) for key in ('text', 'full')]
        table.row(f'{precision}: R@1 of {len(items)}, text to clip and clip to text', np.concatenate([r for t in said for r in (ranks(t, v) == 0, ranks(v, t) == 0)]))
    backend.precision = 'auto'


def pairs(table, backend, items, root, name):
    v = backend.videos([root / x['file'] for x in items]).reshape(len(items) // 2, 2, -1)
    t = backend.texts([x['text'] for x in items]).reshape(len(items) // 2, 2, -1)
    s = np.einsum('nid,njd->nij', t, v)
    right = np.stack([s[:, 0, 0] > s[:, 0, 1], s[:, 1, 1] > s[:, 1, 0]], 1)
    kinds = np.array([x['kind'] for x in items[::2]])
    table.row(f'{name}, all', right.ravel())
    for kind in dict.fromkeys(kinds):
        table.row(f'– {kind}', right[kinds == kind].ravel())


def demo_questions(table, backend, folder):
    """R@1 among the moments of the demo films; through ingest and search where the program answers."""
    rows = [line.split('\t') for line in (folder / 'questions.txt').read_text().splitlines() if line and not line.startswith('#')]
    if isinstance(backend, backends.Kinoseek):
        with tempfile.TemporaryDirectory() as library:
            backend.ingest(library, folder / 'films')
            hits = backend.search(library, [row[0] for row in rows], 5)
        right = [[pathlib.Path(h['path']).name == r[1] and h['start'] < float(r[3]) - .5 and h['end'] > float(r[2]) + .5 for h in hs]
                 for hs, r in zip(hits, rows)]
        table.row('demo films: the right moment first', [any(x[:1]) for x in right])
        table.row('demo films: among the first five', [any(x) for x in right])
        return
    places = list(dict.fromkeys(tuple(r[1:4]) for r in rows))
    v = backend.videos([f'{folder}/films/{f}@{a}-{b}' for f, a, b in places])
    order = np.argsort(-(backend.texts([r[0] for r in rows]) @ v.T), 1)
    rank = np.array([list(o).index(places.index(tuple(r[1:4]))) for o, r in zip(order, rows)])
    table.row('demo films, cut as they were made: the right moment first', rank == 0)
    table.row('demo films, cut as they were made: among the first five', rank < 5)
    table.row('the ten questions shown', (rank == 0)[[r[4] == 'demo' for r in rows]])


def overlap(h, m):
    """Intersection over union of a hit and a moment."""
    shared = max(0, min(h['end'], m['end']) - max(h['start'], m['start']))
    return shared / (max(h['end'], m['end']) - min(h['start'], m['start']))


def long_film(table, backend, root, moments, name='long'):
    with tempfile.TemporaryDirectory() as library:
        backend.ingest(library, root / f'{name}.mp4')
        for how in [], ['--refine']:
            best = [(hits or [None])[0] for hits in backend.search(library, [m['text'] for m in moments], 1, *how)]
            borders(table, f'{name} film of {len(moments)} moments{" with " + how[0] if how else ""}', best, moments)


def borders(table, name, best, moments):
    centre = lambda h: (h['start'] + h['end']) / 2
    right = [h is not None and m['start'] <= h.get('best', centre(h)) < m['end'] for h, m in zip(best, moments)]
    table.row(f'{name}: the right one first', right)
    pairs = [(h, m) for h, m, ok in zip(best, moments, right) if ok]
    if pairs:
        table.row('of those: start and end within a second',
                  [abs(h['start'] - m['start']) <= 1 and abs(h['end'] - m['end']) <= 1 for h, m in pairs])
        print(f'their mean overlap: {np.mean([overlap(h, m) for h, m in pairs]):.3f}')


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('clips', type=pathlib.Path)
    parser.add_argument('model')
    parser.add_argument('--backend', choices=['kinoseek', 'torch'], default='kinoseek')
    parser.add_argument('--program', default='build/kinoseek')
    parser.add_argument('--tokenizer')
    parser.add_argument('--only', default='natural,precision,time,relation,seen,unseen,clean,low,foreign,demo,long,uneven')
    args = parser.parse_args()
    backend, table = backends.make(args), Table()
    demo = pathlib.Path(__file__).parents[1]
    manifest = json.loads((args.clips / 'manifest.json').read_text()) if (args.clips / 'manifest.json').exists() else dict(items=[], long=[])
    names = dict(natural='natural captions', seen='seen combinations', unseen='unseen combinations', clean='high quality (crf 16)',
                 low='low quality (crf 40)', foreign='a drawing style never seen')
    for part in args.only.split(','):
        items = [x for x in manifest['items'] if x['part'] == part]
        if part in names and items:
            retrieval(table, backend, items, args.clips, names[part], part == 'natural')
        elif items:
            pairs(table, backend, items, args.clips, {'time': 'pairs that differ in time alone', 'relation': 'relations'}[part])
        elif part == 'precision' and args.backend == 'kinoseek':
            precisions(table, backend, [x for x in manifest['items'] if x['part'] == 'natural'], args.clips)
        elif part == 'demo':
            demo_questions(table, backend, demo)
        elif part in ('long', 'uneven') and manifest.get(part) and args.backend == 'kinoseek':
            long_film(table, backend, args.clips, manifest[part], part)


if __name__ == '__main__':
    main()
