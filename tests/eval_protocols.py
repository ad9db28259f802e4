"""Annotation files as the data sets publish them, with the demo films under the ids of real ones; and what the figures are.

make FOLDER FILMS: the files, FOLDER/films with a link an id, FOLDER/inputs with what is to be embedded.
full FOLDER: the same formats with as many films, captions and questions as the published sets have, and vectors for them.
judge FOLDER NAME.jsonl...: the figures that eval printed against those of the vectors of `embed`, by the words of each
protocol and no line of ours: prints what differs.
"""
import csv
import itertools
import json
import math
import os
import struct
import sys

KINETICS = ["a %s of %s{}." % (what, who) for what in ("photo", "video", "example", "demonstration")
            for who in ("", "a person ", "a person using ", "a person doing ", "a person during ", "a person performing ",
                        "a person practicing ")]
FILMS = ["animals", "band", "fair", "fruit_bowl", "harbour", "kitchen"]
# Ids of the kind each data set has; of the last there is no film.
IDS = {
    "msrvtt-1k": ["video7010", "video7020", "video8001", "video9770", "video9975", "video9999", "video9001"],
    "vatex": ["-0CTDDhhmQA_000010_000020", "_0AaBbCc-dd_000008_000018", "x7-Gh_2kLmN_000000_000010", "aaaaaaaaaaa_000001_000011"],
    "activitynet": ["v_QOlSCBRmfWY", "v_ehGHCYKzyZ8", "v__a-BcdEfgHi", "v_nUN85uLrh3o", "v_missing0000"],
    "didemo": ["12090392@N02_13482799053_87ef417396.mov", "77655973@N00_8745263410_7d33b47e05.m4v", "10015897@N08_3655084291_f8b58901d8.avi",
               "1@N1_2_3.mov"],
    "msvd": ["-wa0umYJVGg_271_276", "q8t7iSGAKik_11_29", "lw7pTwpx0K0_38_48", "zzzzzzzzzzz_1_2"],
    "k400": ["-aU-xCCzkT0_000061_000071", "0aSlqZT8QmM_000419_000429", "eaaaaaaaaa1_000000_000010", "gbbbbbbbbb2_000005_000015",
             "kccccccccc3_000100_000110", "zddddddddd4_000001_000011"],
    "ssv2": ["104599", "191873", "185280", "7", "200001", "999999"],
    "nextqa-hard": ["4010069381", "2435100235", "2834146886", "8132842161"],
    "charades": ["YSKX3", "3MSZA", "0A8ZT", "1OBWX", "ZZZZZ"],
}
WORDS = ["a green goat comes closer on the water", "musicians play in a row", "balloons, rides and a fair; at night",
         "an avocado moves to the left", "a boat in the harbour", "a pizza turns into a baguette", "nobody has filmed this"]


def write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8", newline="") as f:
        f.write(text)


def table(folder, name, head, rows):
    with open(os.path.join(folder, name), "w", encoding="utf-8", newline="") as f:
        w = csv.writer(f, lineterminator="\n")
        w.writerow(head)
        w.writerows(rows)


# --- every protocol: its files, its films (id: start, end), and what is asked, in our own words:
#     a list of (film, start, end), a list of groups of sentences, and pairs
def film_keys(ids, start=0, end=-1):
    return [(i, start, end) for i in ids]


def msrvtt(folder):
    ids = IDS["msrvtt-1k"]
    table(folder, "MSRVTT_JSFUSION_test.csv", ["key", "vid_key", "video_id", "sentence"],
          [["ret%d" % i, "msr" + v[5:], v, WORDS[i]] for i, v in enumerate(ids)])
    return film_keys(ids), [[w] for w in WORDS], [(i, i) for i in range(len(ids))]


def vatex(folder):
    ids = IDS["vatex"]
    captions = [[WORDS[i], "%s, seen again" % WORDS[i], "video %d" % i] for i in range(len(ids))]
    other = {"videoID": "notinthelst_000000_000010", "enCap": ["of no account"], "chCap": ["\u4e0d"]}
    write(folder, "vatex_validation_v1.0.json", json.dumps(
        [{"videoID": v, "enCap": c, "chCap": ["\u4e00\u4e2a\u4eba"]} for v, c in zip(ids, captions)] + [other]))
    write(folder, "vatex_test_list.txt", "".join(v + "\n" for v in reversed(ids)))
    return film_keys(ids), [[c] for group in captions for c in group], [(i, 3 * i + k) for i in range(len(ids)) for k in range(3)]


def activitynet(folder):
    ids = IDS["activitynet"]
    said = [[WORDS[i], " then %s." % WORDS[(i + 1) % 7], "At the end " + "nothing more happens and so on " * (20 if i == 1 else 1)] for i in range(len(ids))]
    write(folder, "val_1.json", json.dumps({v: {"duration": 30.5, "timestamps": [[0, 5], [5, 9.5], [9, 12]], "sentences": s} for v, s in zip(ids, said)}, indent=1))
    return film_keys(ids), [[" ".join(s)] for s in said], [(i, i) for i in range(len(ids))]


def didemo(folder):
    ids = IDS["didemo"]
    rows = [{"annotation_id": 5 * i + k, "video": v, "description": "%s %d" % (WORDS[i], k), "times": [[k, k], [k, k + 1]], "num_segments": 6}
            for k in range(2) for i, v in enumerate(ids)]
    write(folder, "didemo_test_data.json", json.dumps(rows))
    return film_keys(ids, 0, 30), [["%s 0 %s 1" % (WORDS[i], WORDS[i])] for i in range(len(ids))], [(i, i) for i in range(len(ids))]


def msvd(folder):
    ids = IDS["msvd"]
    lines = [(v, "%s %d" % (WORDS[i], k)) for k in range(2) for i, v in enumerate(ids)]
    write(folder, "AllVideoDescriptions.txt", "# the corpus' own head\n#\n\n" + "".join("%s %s\n" % l for l in lines) + "other_id_1_2 not of the split\n")
    write(folder, "msvd_test_list.txt", "".join(v + "\n" for v in ids))
    return film_keys(ids), [[t] for _, t in lines], [(i % len(ids), i) for i in range(len(lines))]


def k400(folder):
    ids = IDS["k400"]
    names = ["abseiling", "air drumming", "playing \"guitar\", loud", "abseiling", "air drumming", "juggling balls"]
    table(folder, "kinetics_val.csv", ["label", "youtube_id", "time_start", "time_end", "split"],
          [[n, v[:11], str(int(v[12:18])), str(int(v[19:25])), "validate"] for v, n in zip(ids, names)])
    classes = list(dict.fromkeys(names))
    return film_keys(ids), [[t.format(c) for t in KINETICS] for c in classes], [(i, classes.index(n)) for i, n in enumerate(names)]


def ssv2(folder):
    ids = IDS["ssv2"]
    classes = ["Covering [something] with [something]", "Turning [something] upside down", "Moving [something] and [something] so they collide with each other"]
    ask = ("The following is a conversation between a curious human and AI assistant. It answers.\nHuman: <|video|>\n"
           "Human: Does this video entail the description: \"%s\"?\nAI: ")
    right = [(i, i % 3) for i in range(len(ids))]
    for name in ("temporal", "events"):
        table(folder, "eval_ssv2_%s.csv" % name, ["videopath", "caption", "match"],
              [["videos/%s.avi" % v, ask % c, int((i, k) in right)] for i, v in enumerate(ids) for k, c in enumerate(classes)])
    write(folder, "something-something-v2-validation.json", json.dumps(
        [{"id": v, "label": "covering a cup", "template": classes[i % 3], "placeholders": ["a cup"]} for i, v in enumerate(ids)]
        + [{"id": "1000", "label": "x", "template": "Doing other things", "placeholders": []}]))
    write(folder, "ssv2_classes.txt", "".join(c + "\n" for c in classes))
    return film_keys(ids), [[c] for c in classes], right


def nextqa(folder):
    ids = IDS["nextqa-hard"]
    head = ["video", "frame_count", "width", "height", "question", "answer", "qid", "type", "a0", "a1", "a2", "a3", "a4"]
    rows, hard, said = [], [], []
    for q in range(9):
        v = ids[q % 4]
        options = [WORDS[(q + k) % 7] for k in range(5)]
        rows.append([v, 369, 640, 480, "what does it do, number %d" % q, (q * 3) % 5, q, "CW", *options])
        if q % 3 != 1:
            hard.append(q)
            said.append([v, rows[-1][4], rows[-1][5], *["It is seen that %s." % o for o in options]])
    table(folder, "nextqa_val.csv", head, rows)
    write(folder, "atp-hard-ct4.txt", "".join("%d\n" % h for h in hard))
    table(folder, "nextqa-atphard.csv", head, [rows[h] for h in hard])
    table(folder, "nextqa-atphard-statements.csv", ["vid_id", "question", "answer", "s0", "s1", "s2", "s3", "s4"], said)
    films = film_keys(ids)
    plain = [(ids.index(rows[h][0]), [[rows[h][4] + " " + o] for o in rows[h][8:]], rows[h][5]) for h in hard]
    statements = [(ids.index(s[0]), [[o] for o in s[3:]], s[2]) for s in said]
    return films, plain, statements


def charades(folder):
    ids = IDS["charades"]
    names = ["Holding some clothes", "Putting clothes somewhere", "Taking some clothes from somewhere", "Throwing clothes somewhere"]
    actions = ["c000 11.90 21.20;c002 0.00 12.60", "c001 0.5 3.0;c001 5 6", "", "c000 1 2", "c002 1 2"]
    write(folder, "Charades_v1_classes.txt", "".join("c%03d %s\n" % (i, n) for i, n in enumerate(names)))
    table(folder, "Charades_v1_test.csv", ["id", "subject", "scene", "quality", "relevance", "verified", "script", "objects", "descriptions", "actions", "length"],
          [[v, "K2MX", "Kitchen", "6", "7", "Yes", "A person, \"holding\" a thing;\nthen not.", "bag;shelf", "one;two", a, "30.4"] for v, a in zip(ids, actions)])
    right = sorted({(i, int(one[1:4])) for i, a in enumerate(actions) for one in a.split(";") if one})
    return film_keys(ids), [[t.format(n) for t in KINETICS] for n in names], right


def charades_sta(folder):
    lines = [("YSKX3", 0.0, 5.0, WORDS[0]), ("YSKX3", 5.0, 9.5, WORDS[1]), ("3MSZA", 1.5, 6.0, WORDS[2]), ("YSKX3", 9.5, 13.5, WORDS[0]),
             ("3MSZA", 6.0, 11.0, WORDS[3]), ("ZZZZZ", 0.0, 4.0, WORDS[4]), ("0A8ZT", 2.0, 7.0, WORDS[5]), ("3MSZA", 11.0, 14.0, WORDS[5])]
    write(folder, "charades_sta_test.txt", "".join("%s %.1f %.1f##%s\n" % l for l in lines))
    films = [l[:3] for l in lines]
    questions = []
    for i, l in enumerate(lines):
        own = [k for k, other in enumerate(lines) if other[0] == l[0]]
        questions.append((i, [[lines[k][3]] for k in own], own.index(i)))
    return films, questions


SETS = {"msrvtt-1k": msrvtt, "vatex": vatex, "activitynet": activitynet, "didemo": didemo, "msvd": msvd, "k400": k400, "ssv2": ssv2,
        "nextqa-hard": nextqa, "charades": charades, "charades-sta": charades_sta}


def source_of(ids, i):
    """The demo film that is linked under the i-th id; the last id of a set has none."""
    return None if i == len(ids) - 1 else FILMS[i % len(FILMS)]


def stem(name):
    base, dot, end = name.rpartition(".")
    return base if dot and end in ("mov", "m4v", "avi") else name


def sentences(parts):
    for part in parts:
        for one in part:
            if isinstance(one, tuple):
                yield from itertools.chain.from_iterable(one[1])
            else:
                yield from one


def make(folder, films):
    os.makedirs(os.path.join(folder, "films", "sub"), exist_ok=True)
    place = {}
    for name, ids in IDS.items():
        for i, v in enumerate(ids):
            source = source_of(ids, i)
            if source:
                base = stem(v)
                if name == "activitynet" and i == 1:
                    base = base[2:]  # as YouTube calls it
                os.symlink(os.path.abspath("%s/%s.mp4" % (films, source)), os.path.join(folder, "films", "sub" if i % 2 else "", base + ".mp4"))
                place[stem(v)] = source
    wanted, texts = {}, {}
    for name, build in SETS.items():
        made = build(folder)
        for v, a, b in made[0]:
            if stem(v) in place:
                wanted[(place[stem(v)], a, b)] = None
        for s in sentences(made[1:] if name in ("nextqa-hard", "charades-sta") else made[1:2]):
            texts[s] = None
    with open(os.path.join(folder, "videos.args"), "w") as f:
        for source, a, b in wanted:
            f.write("%s/%s.mp4@%g%s\n" % (films, source, a, "-%g" % b if b >= 0 else ""))
    with open(os.path.join(folder, "texts.args"), "w") as f:
        f.writelines(t + "\n" for t in texts)
    with open(os.path.join(folder, "inputs"), "w") as f:
        json.dump({"films": [list(k) for k in wanted], "texts": list(texts), "place": place}, f)


# --- the judge ---

def npy(path):
    data = open(path, "rb").read()
    size = struct.unpack("<H", data[8:10])[0]
    shape = eval(data[10:10 + size])["shape"]  # noqa: S307: a header that we wrote
    flat = struct.unpack("<%df" % (shape[0] * shape[1]), data[10 + size:])
    return [flat[i * shape[1]:(i + 1) * shape[1]] for i in range(shape[0])]


def unit(v):
    n = math.sqrt(math.fsum(x * x for x in v))
    return [x / n for x in v]


class Vectors:
    def __init__(self, folder):
        known = json.load(open(os.path.join(folder, "inputs")))
        self.place = known["place"]
        self.films = {tuple(k): unit(v) for k, v in zip(known["films"], npy(os.path.join(folder, "v.npy")))}
        self.texts = {k: unit(v) for k, v in zip(known["texts"], npy(os.path.join(folder, "t.npy")))}

    def film(self, v, a, b):
        return self.films[(self.place[stem(v)], a, b)] if stem(v) in self.place else None

    def text(self, group):
        return unit([math.fsum(x) for x in zip(*(self.texts[s] for s in group))])


def score(a, b):
    return -math.inf if a is None or b is None else math.fsum(x * y for x, y in zip(a, b))


NEAR = 1e-12  # films that are equal tie here too, whatever the order of a sum


def ranks(queries, gallery, right):
    out = []
    for q, x in enumerate(queries):
        own = [g for p, g in right if p == q]
        if not own:
            continue
        best = max(score(x, gallery[g]) for g in own)
        wrong = sum(score(x, y) >= best - NEAR for g, y in enumerate(gallery) if g not in own)
        out.append(math.inf if best == -math.inf else 1 + wrong)
    return out


def share(values):
    values = list(values)
    return sum(values) / len(values)


def retrieval(v, films, texts, pairs):
    f, t = [v.film(*k) for k in films], [v.text(g) for g in texts]
    a, b = ranks(t, f, [(y, x) for x, y in pairs]), ranks(f, t, pairs)
    return {"t2v.r1": share(r == 1 for r in a), "t2v.r5": share(r <= 5 for r in a), "v2t.r1": share(r == 1 for r in b), "v2t.r10": share(r <= 10 for r in b)}


def classify(v, films, texts, pairs):
    f, t = [v.film(*k) for k in films], [v.text(g) for g in texts]
    r = ranks(f, t, pairs)
    by_class = [share(x == 1 for x, p in zip(r, pairs) if p[1] == c) for c in sorted({p[1] for p in pairs})]
    return {"top1": share(x == 1 for x in r), "top5": share(x <= 5 for x in r), "mean_class_top1": share(by_class)}


def precision(scores, right):
    """scikit-learn's: steps over distinct scores; what has no vector is never found."""
    total = before = 0
    for level in sorted(set(scores) - {-math.inf}, reverse=True):
        at = [r for s, r in zip(scores, right) if s >= level]
        total += (sum(at) - before) * sum(at) / len(at)
        before = sum(at)
    return total / sum(right)


def multilabel(v, films, texts, pairs):
    f, t = [v.film(*k) for k in films], [v.text(g) for g in texts]
    aps = []
    for c, y in enumerate(t):
        right = [(i, c) in pairs for i in range(len(f))]
        if any(right):
            aps.append(precision([round(score(x, y), 12) if x else -math.inf for x in f], right))
    return {"map": share(aps)}


def choice(v, films, questions):
    hits = []
    for film, options, right in questions:
        x = v.film(*films[film])
        s = [score(x, v.text(o)) for o in options]
        hits.append(x is not None and all(s[right] > other + NEAR for k, other in enumerate(s) if k != right))
    return {"accuracy": share(hits), "n": len(hits)}


def expected(v, folder):
    scratch = os.path.join(folder, "scratch")
    os.makedirs(scratch, exist_ok=True)
    out = {}
    for name, build in SETS.items():
        made = build(scratch)
        if name == "nextqa-hard":
            out[name, "choice", "question and answer"] = choice(v, made[0], made[1])
            out[name, "choice", "statements"] = choice(v, made[0], made[2])
        elif name == "charades-sta":
            out[name, "choice", None] = choice(v, *made)
        elif name == "charades":
            out[name, "multilabel", None] = multilabel(v, *made)
        elif name == "ssv2":
            for one in ("ssv2-temporal", "ssv2-events"):
                out[one, "classify", None], out[one, "multilabel", None] = classify(v, *made), multilabel(v, *made)
        elif name == "k400":
            out[name, "classify", None] = classify(v, *made)
        else:
            out[name, "retrieval", None] = retrieval(v, *made)
    return out


def judge(folder, *files):
    want = expected(Vectors(folder), folder)
    seen = set()
    for line in itertools.chain.from_iterable(open(f) for f in files):
        got = json.loads(line)
        key = got["protocol"], got["task"], got.get("variant")
        seen.add(key)
        for name, value in want[key].items():
            is_ = got
            for part in name.split("."):
                is_ = is_[part]
            if not abs(is_ - value) <= 1e-9:
                print("%s: %s is %r, not %r" % (key, name, is_, value))
        for row in got["published"]:
            is_ = got
            for part in row["figure"].split("."):
                is_ = is_[part]
            if is_ != row["here"] or not row.get("here_low", 0) <= is_ <= row.get("here_high", 1) or not 0.05 < row["theirs"] < 1:
                print("%s: beside %s stands %r" % (key, row["model"], row))
        if not got["chosen"] or not got["open"]:
            print("%s: nothing is said to be open or chosen" % (key,))
    for key in set(want) - seen:
        print("%s was not measured" % (key,))
    print("%d measures" % len(seen))


# --- the published counts ---

def rows_npy(path, n):
    """n vectors of 4 numbers, no two alike."""
    head = "{'descr': '<f8', 'fortran_order': False, 'shape': (%d, 4), }" % n
    head += " " * (64 - (len(head) + 11) % 64) + "\n"
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode())
        for i in range(n):
            f.write(struct.pack("<4d", math.cos(i), math.sin(i), 1 + i / n, i % 7))


def full(folder):
    """The files; FOLDER/full: protocol, task, films, texts, files."""
    put = lambda name, text: write(folder, name, text)
    ids = ["id%07d" % i for i in range(19877)]
    table(folder, "msr.csv", ["key", "vid_key", "video_id", "sentence"], [["ret%d" % i, "msr%d" % i, "video%d" % (7010 + i), "words %d" % i] for i in range(1000)])
    put("vatex.json", json.dumps([{"videoID": v, "enCap": ["%s %d" % (v, k) for k in range(10)], "chCap": []} for v in ids[:1500]]))
    put("anet.json", json.dumps({"v_" + v: {"duration": 60, "timestamps": [[0, 1], [1, 2]], "sentences": ["one", "two"]} for v in ids[:4917]}))
    put("didemo.json", json.dumps([{"annotation_id": i, "video": ids[i % 1004] + ".mov", "description": "words", "times": [[0, 0]], "num_segments": 6} for i in range(4021)]))
    put("msvd.txt", "".join("%s words %d\n" % (ids[i % 670], i) for i in range(27763)))
    put("msvd_list.txt", "".join(v + "\n" for v in ids[:670]))
    table(folder, "k400.csv", ["label", "youtube_id", "time_start", "time_end", "split"], [["class %d" % (i % 400), v, i, i + 10, "validate"] for i, v in enumerate(ids)])
    for name, films, classes in (("temporal", 216, 18), ("events", 588, 49)):
        table(folder, name + ".csv", ["videopath", "caption", "match"],
              [["videos/%s.avi" % ids[i], "the description: \"class %d\"?" % c, int(i % classes == c)] for i in range(films) for c in range(classes)])
    table(folder, "nextqa.csv", ["video", "frame_count", "width", "height", "question", "answer", "qid", "type", "a0", "a1", "a2", "a3", "a4"],
          [[ids[i % 559], 1, 1, 1, "why %d" % i, i % 5, i, "CW", "a", "b", "c", "d", "e"] for i in range(2269)])
    put("classes.txt", "".join("c%03d name %d\n" % (i, i) for i in range(157)))
    table(folder, "charades.csv", ["id", "actions", "length"], [[v, "c%03d 1 2;c%03d 2 3" % (i % 157, (i + 1) % 157), 30] for i, v in enumerate(ids[:1863])])
    put("sta.txt", "".join("%s %d.5 %d##words %d\n" % (ids[i % 1334], i // 1334, i // 1334 + 9, i) for i in range(3720)))
    for n in {1000, 1500, 15000, 4917, 1004, 670, 27763, 19877, 400, 216, 18, 588, 49, 559, 11345, 1863, 157, 3720}:
        rows_npy(os.path.join(folder, "%d.npy" % n), n)
    put("full", """msrvtt-1k retrieval 1000 1000 msr.csv
vatex retrieval 1500 15000 vatex.json
activitynet retrieval 4917 4917 anet.json
didemo retrieval 1004 1004 didemo.json
msvd retrieval 670 27763 msvd.txt msvd_list.txt
k400 classify 19877 400 k400.csv
ssv2-temporal classify 216 18 temporal.csv
ssv2-events classify 588 49 events.csv
nextqa-hard choice 559 11345 nextqa.csv
charades multilabel 1863 157 charades.csv classes.txt
charades-sta choice 3720 3720 sta.txt
""")


if __name__ == "__main__":
    {"make": make, "full": full, "judge": judge}[sys.argv[1]](*sys.argv[2:])
