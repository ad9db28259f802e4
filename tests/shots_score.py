#!/usr/bin/env python3
"""shots_score.py BORDERS FILMS [CLIPS.jsonl] - what prog_shots printed against the .tsv files of shots_films.py.
Hard cuts: one frame off at most. Dissolves and fades: a border inside them, two frames off at most. With the
output of `kinoseek clips --json`: clips whose centre lies in a dissolve. Exit 1 if F1 of cuts < 0.98."""
import sys, os, json, glob, collections
borders = collections.defaultdict(list)
for l in open(sys.argv[1]):
    if l.count('\t') != 3: continue
    f, n, t, kind = l.rstrip('\n').split('\t'); borders[os.path.basename(f)].append((int(n), kind))
clips = collections.defaultdict(list)
if len(sys.argv) > 3:
    for l in open(sys.argv[3]):
        c = json.loads(l); clips[os.path.basename(c['path'])].append((c['start'], c['end']))
tp = fn = fp = soft = soft_hit = soft_false = centred = 0
for tsv in sorted(glob.glob(os.path.join(sys.argv[2], '*.tsv'))):
    name = os.path.basename(tsv)[:-4] + '.mp4'
    found, used = borders[name], set()
    truth = [(k, int(a), int(b)) for k, a, b in (l.split('\t') for l in open(tsv))]
    for k, a, b in truth:
        near = [x for x in found if x not in used and (abs(x[0] - a) <= 1 if k == 'cut' else a - 2 <= x[0] <= b + 2)]
        used.update(near if k != 'cut' else near[:1])
        if k == 'cut': tp += bool(near); fn += not near
        else: soft += 1; soft_hit += bool(near)
        if k == 'cut' and not near: print(f'# {name}: missed cut at {a}; borders near: {[x for x in found if abs(x[0]-a) < 25]}')
        if k == 'dissolve':
            for s, e in clips[name]:
                if a / 25 <= (s + e) / 2 < b / 25: centred += 1; print(f'# {name}: clip {s}-{e} is centred on the dissolve {a/25}-{b/25}')
    for x in found:
        if x in used: continue
        if x[1] == 'cut': fp += 1; print(f'# {name}: no cut at {x[0]}')
        else: soft_false += 1
f1 = 2 * tp / (2 * tp + fp + fn) if tp else 0
print(f'cuts {tp + fn}: {tp} found, {fn} missed, {fp} false, F1 {f1:.4f}; dissolves and fades {soft}: {soft_hit} found, {soft_false} false; clips centred on a dissolve: {centred}')
sys.exit(f1 < 0.98)
