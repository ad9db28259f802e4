"""Spans of `label` by brute force: label_spans.py CLIPS SPANS, the JSON lines of the same labels with --merge off and on.

A span is a run of neighbouring clips of one film that touch and bear the label at one rank; its score and cosine are the
means over them. Prints what differs; nothing means that nothing does.
"""
import collections
import json
import sys

def rows(path):
    with open(path) as f:
        return [json.loads(line) for line in f]

films = collections.defaultdict(lambda: collections.defaultdict(list))
for r in rows(sys.argv[1]):
    films[r['path']][(r['start'], r['end'])].append(r)
want = []
for path, clips in films.items():
    going = {}
    for number, key in enumerate(sorted(clips)):
        for r in clips[key]:
            span = going.get((r['label'], r['rank']))
            if span is None or span['last'] != number - 1 or key[0] > span['end']:
                span = dict(path=path, label=r['label'], rank=r['rank'], start=key[0], end=key[1], score=[], cosine=[])
                going[(r['label'], r['rank'])] = span
                want.append(span)
            span['end'] = max(span['end'], key[1])
            span['last'] = number
            span['score'].append(r['score'])
            span['cosine'].append(r['cosine'])

def place(r):
    return r['path'], r['start'], r['end'], r['label'], r['rank']

got = sorted(rows(sys.argv[2]), key=place)
want.sort(key=place)
if [place(r) for r in got] != [place(r) for r in want]:
    print(len(got), 'spans where brute force has', len(want))
for g, w in zip(got, want):
    for key in ('score', 'cosine'):
        mean = sum(w[key]) / len(w[key])
        if abs(g[key] - mean) > 1e-4:
            print(place(g), key, g[key], 'is', mean)
