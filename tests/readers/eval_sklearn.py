"""The measures of eval against scikit-learn: 1,000 seeded sets through the program, to 1e-9.

eval_sklearn.py KINOSEEK FOLDER [CASES]. Random, tied, many-to-many and missing rows, one film, classes without a film. Scores are
computed here as eval does (unit rows, sums in the order of the dimensions, in double), so that a tie is the same tie.
"""
import json
import math
import os
import random
import subprocess
import sys

import numpy as np
from sklearn.metrics import accuracy_score, average_precision_score, recall_score, top_k_accuracy_score

KINOSEEK, FOLDER = sys.argv[1:3]
CASES = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
MISSING = -2.0  # below any cosine


def unit(row):
    squares = 0.0
    for x in row:
        squares += x * x
    return [x / math.sqrt(squares) for x in row]


def dot(a, b):
    total = 0.0
    for x, y in zip(a, b):
        total += x * y
    return total


def draw(r, n, dim, missing):
    """Small whole numbers, so that ties come of themselves."""
    rows = []
    for i in range(n):
        if missing and r.random() < 0.15:
            rows.append(None)
        elif rows and rows[-1] and r.random() < 0.2:
            rows.append(rows[-1])
        else:
            rows.append([float(r.randint(-1, 1)) + (3 if d == 0 else 0) if r.random() < 0.7 else r.gauss(0, 1) for d in range(dim)])
            if not any(rows[-1]):
                rows[-1][0] = 1.0
    if not any(rows):
        rows[0] = [1.0] * dim
    return rows


def save(name, rows):
    have = [i for i, row in enumerate(rows) if row]
    np.savez(os.path.join(FOLDER, name), vectors=np.array([rows[i] for i in have]), ids=np.array(["%s%d" % (name[0], i) for i in have]))


def write(name, lines):
    with open(os.path.join(FOLDER, name), "w") as f:
        f.writelines("\t".join(map(str, line)) + "\n" for line in lines)


def run(task, videos, texts, pairs):
    save("v.npz", videos)
    save("t.npz", texts)
    write("videos", [["v%d" % i] for i in range(len(videos))])
    write("texts", [["t%d" % i, "x"] for i in range(len(texts))])
    write("map", pairs)
    at = [os.path.join(FOLDER, n) for n in ("videos", "texts", "map", "v.npz", "t.npz")]
    out = subprocess.run([KINOSEEK, "-q", "eval", task, "--json", "--videos", at[0], "--texts", at[1], "--map", at[2],
                          "--video-vectors", at[3], "--text-vectors", at[4]], capture_output=True, text=True, check=True)
    return json.loads(out.stdout)


def scores(videos, texts):
    v, t = [unit(x) if x else None for x in videos], [unit(x) if x else None for x in texts]
    return np.array([[dot(a, b) if a and b else MISSING for b in t] for a in v])


def earned(right, s):
    """Average precision where a right film without a vector earns nothing, and stands nowhere."""
    seen = s > MISSING
    return average_precision_score(right[seen], s[seen]) * right[seen].sum() / right.sum() if right[seen].any() else 0.0


def multilabel(r, videos, texts):
    right = np.array([[r.random() < 0.3 for _ in texts] for _ in videos])
    right[0, 0] = True
    got = run("multilabel", videos, texts, [("v%d" % i, "t%d" % k) for i, k in zip(*np.nonzero(right))])
    s = scores(videos, texts)
    want = [earned(right[:, k], s[:, k]) for k in range(len(texts)) if right[:, k].any()]
    return [("map", got["map"], float(np.mean(want)))]


def against(s, right):
    """A tie counts against: the right one a hair lower. Missing rows never win."""
    s = s.copy()
    for i, k in enumerate(right):
        s[i, k] = MISSING - 1 if s[i, k] == MISSING else np.nextafter(s[i, k], -9)
    return s


def top(s, right, k, classes):
    """Three more classes that nothing has: scikit-learn takes two for something else."""
    seen = [i for i, c in enumerate(right) if s[i, c] >= MISSING]
    if not seen:
        return 0.0
    wide = np.hstack([s, np.full((len(s), 3), -9.0)])
    return float(top_k_accuracy_score([right[i] for i in seen], wide[seen], k=min(k, classes), labels=range(classes + 3), normalize=False)) / len(right)


def classify(r, videos, texts):
    n = len(texts)
    right = [r.randrange(n) for _ in videos]
    got = run("classify", videos, texts, [("v%d" % i, "t%d" % k) for i, k in enumerate(right)])
    s = against(scores(videos, texts), right)
    first = [k if s[i, k] >= MISSING and s[i].argmax() == k else -1 for i, k in enumerate(right)]
    mean = recall_score(right, first, labels=sorted(set(right)), average="macro", zero_division=0)
    return [("top1", got["top1"], top(s, right, 1, n)), ("top5", got["top5"], top(s, right, 5, n)), ("mean_class_top1", got["mean_class_top1"], float(mean))]


def retrieval(r, videos, texts):
    n = min(len(videos), len(texts))
    videos, texts = videos[:n], texts[:n]
    if not any(videos) or not any(texts):
        return []
    order = list(range(n))
    r.shuffle(order)
    got = run("retrieval", videos, texts, [("v%d" % i, "t%d" % k) for i, k in enumerate(order)])
    s = scores(videos, texts)
    back = [order.index(k) for k in range(n)]
    return [("v2t r%d" % k, got["v2t"]["r%d" % k], top(against(s, order), order, k, n)) for k in (1, 5, 10)] + \
        [("t2v r%d" % k, got["t2v"]["r%d" % k], top(against(s.T, back), back, k, n)) for k in (1, 5, 10)]


def choice(r, videos, texts):
    if len(texts) < 2:
        return []
    pairs, truth, answer = [], [], []
    s = scores(videos, texts)
    for q in range(r.randint(1, 20)):
        v, options = r.randrange(len(videos)), r.sample(range(len(texts)), min(len(texts), 5))
        best = r.randrange(len(options))
        pairs += [("q%d" % q, "v%d" % v, "t%d" % t, int(k == best)) for k, t in enumerate(options)]
        own = against(s[v:v + 1, options], [best])[0]
        truth.append(best)
        whole = all(s[v, t] > MISSING for t in options)  # without a vector of each nothing is chosen
        answer.append(best if whole and own.argmax() == best else -1)
    got = run("choice", videos, texts, pairs)
    return [("accuracy", got["accuracy"], float(accuracy_score(truth, answer)))]


compared = wrong = 0
for case in range(CASES):
    r = random.Random(case)
    dim = r.randint(1, 8)
    videos, texts = (draw(r, r.randint(1, 25), dim, r.random() < 0.5) for _ in range(2))
    for name, got, want in (multilabel, classify, retrieval, choice)[case % 4](r, videos, texts):
        compared += 1
        if not abs(got - want) <= 1e-9:
            wrong += 1
            print("not ok - case %d: %s is %r, scikit-learn has %r" % (case, name, got, want))
print("%s - eval: %d figures of %d sets as scikit-learn has them, to 1e-9" % ("not ok" if wrong or not compared else "ok", compared, CASES))
sys.exit(wrong > 0)
