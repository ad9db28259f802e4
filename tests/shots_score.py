#!/usr/bin/env python3
"""shots_score.py BORDERS FILMS [CLIPS.jsonl] - what prog_shots printed against the .tsv files of shots_films.py.
Hard cuts: one frame off at most. Dissolves and fades: a border inside them, two frames off at most. Exit 1 if F1 of
cuts < 0.98. With the output of `kinoseek clips --json`, two counts of clips and dissolves:
- across: a dissolve's middle lies in the middle half of a clip, which so shows as much of one scene as of the other;
- centred: a clip's centre lies in a dissolve. Also a shot that is hardly more than half a dissolve is such a clip, and
  where the scenes on both sides together last no longer than the dissolve, every border leaves one: these are counted."""
import sys, os, json, glob, collections
borders = collections.defaultdict(list)
for l in open(sys.argv[1]):
    if l.count('\t') != 4: continue
    f, n, t, kind, _ = l.rstrip('\n').split('\t'); borders[os.path.basename(f)].append((int(n), kind))
clips = collections.defaultdict(list)
if len(sys.argv) > 3:
    for l in open(sys.argv[3]):
        c = json.loads(l); clips[os.path.basename(c['path'])].append((c['start'], c['end']))
tp = fn = fp = soft = soft_hit = soft_false = dissolves = centred = across = forced = 0
for tsv in sorted(glob.glob(os.path.join(sys.argv[2], '*.tsv'))):
    name = os.path.basename(tsv)[:-4] + '.mp4'
    found, used = borders[name], set()
    truth = [(k, int(a), int(b)) for k, a, b in (l.split('\t') for l in open(tsv))]
    for i, (k, a, b) in enumerate(truth):
        near = [x for x in found if x not in used and (abs(x[0] - a) <= 1 if k == 'cut' else a - 2 <= x[0] <= b + 2)]
        used.update(near if k != 'cut' else near[:1])
        if k == 'cut': tp += bool(near); fn += not near
        else: soft += 1; soft_hit += bool(near)
        if k == 'cut' and not near: print(f'# {name}: missed cut at {a}; borders near: {[x for x in found if abs(x[0]-a) < 25]}')
        if k == 'dissolve':
            dissolves += 1
            before, after = a - (truth[i - 1][2] if i else 0), (truth[i + 1][1] if i + 1 < len(truth) else b + 250) - b
            hit = [c for c in clips[name] if a / 25 <= sum(c) / 2 < b / 25]
            over = [c for c in clips[name] if abs((a + b) / 50 - sum(c) / 2) < (c[1] - c[0]) / 4]
            centred += bool(hit); across += bool(over); forced += bool(hit) and before + after <= b - a
            for s, e in over: print(f'# {name}: clip {s}-{e} lies across the dissolve {a/25}-{b/25}')
    for x in found:
        if x in used: continue
        if x[1] == 'cut': fp += 1; print(f'# {name}: no cut at {x[0]}')
        else: soft_false += 1
f1 = 2 * tp / (2 * tp + fp + fn) if tp else 0
clips_of = f'; of {dissolves} dissolves {across} have a clip across them, {centred} one centred in them ({forced} whatever the border)'
print(f'cuts {tp + fn}: {tp} found, {fn} missed, {fp} false, F1 {f1:.4f}; dissolves and fades {soft}: {soft_hit} found, '
      f'{soft_false} false' + (clips_of if clips else ''))
sys.exit(f1 < 0.98)
