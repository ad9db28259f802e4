"""What `eval mine` has to say, from the JSON lines of `search`: by the words of its definition and no line of ours.

eval_mine.py TSV ALL.jsonl SHOWN.jsonl MINE.json: ALL are the first ten of every sentence without a cut-off, SHOWN those above
it. Prints what differs.
"""
import collections
import json
import os
import sys


def overlap(a, b, c, d):
    both, either = min(b, d) - max(a, c), max(b, d) - min(a, c)
    return both / either if both > 0 else 0


truth = collections.OrderedDict()
for line in open(sys.argv[1], encoding="utf-8"):
    line = line.rstrip("\n")
    if not line or line.startswith("#"):
        continue
    words, _, place = line.partition("\t")
    truth.setdefault(words, [])
    if place:
        film, _, times = place.rpartition("@")
        a, b = times.split("-")
        truth[words].append((os.path.basename(film), float(a), float(b)))


def hits(path):
    out = collections.defaultdict(list)
    for line in open(path, encoding="utf-8"):
        h = json.loads(line)
        out[h["query"]].append((os.path.basename(h["path"]), h["start"], h["end"]))
    return out


everything, shown = hits(sys.argv[2]), hits(sys.argv[3])
ranks, answered, withheld, absent, absent_answered = [], 0, 0, 0, 0
for words, right in truth.items():
    if not right:
        absent += 1
        absent_answered += bool(shown[words])
        continue
    rank = 0
    for i, (film, a, b) in enumerate(everything[words]):
        if any(film == f and overlap(a, b, c, d) >= 0.5 for f, c, d in right):
            rank = i + 1
            break
    ranks.append(rank)
    is_shown = rank > 0 and everything[words][rank - 1] in shown[words]
    answered += is_shown
    withheld += rank > 0 and not is_shown
got = json.loads(open(sys.argv[4], encoding="utf-8").readline())
want = {"n": len(ranks), "shown": answered, "withheld": withheld, "absent": absent, "absent_answered": absent_answered}
for k in (1, 5, 10):
    want["r%d" % k] = sum(0 < r <= k for r in ranks) / len(ranks)
for key, value in want.items():
    if abs(got[key] - value) > 1e-9:
        print("%s is %r, not %r" % (key, got[key], value))
if not got["r1_low"] <= got["r1"] <= got["r1_high"]:
    print("the interval does not hold the share")
print("%d sentences, R@1 %.2f, shown %d, withheld %d, absent answered %d of %d" % (len(ranks), want["r1"], answered, withheld, absent_answered, absent), file=sys.stderr)
