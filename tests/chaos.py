"""chaos.py KINOSEEK FOLDER SEED SECONDS - a life of a library at random, four processes at once, and a model of what must
be there. TAP.

Each round one writer (ingest, forget, relocate, compact, repair, a switch of the model; killed with kill -9, interrupted,
or with a small limit on the size of its files now and then) beside readers (search, similar, clips, label, status, check,
backup). What is known of each content (its clips, and the cosine of each to three questions by either model) was found in
libraries of their own at the beginning.

  Never: death by a signal that was not sent; an exit code that is none of the contract; a row of an answer that is not the
  content's; a library that is not sound; a film that the library had, and the disk still has, gone.
"""
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile

program, folder, seed, seconds = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
rnd = random.Random(seed)
fixtures = os.path.abspath("tests/fixtures")
TOKENIZER = ["--tokenizer", fixtures + "/lvt.spm"]
MODELS = [fixtures + "/lvt.npz", folder + "/other.npz"]
ASKED = ["a star", "a tram in the rain", "a cat on a sofa"]
LIB, POOL, FILMS = folder + "/lib", folder + "/pool", folder + "/films"
CODES = set(range(0, 8)) | {10, 11, 130}
faults, done = [], {}


def words(library, *args):
    return [program, "-q", "-L", library, "--precision", "fp32"] + [str(a) for a in args]


def start(argv, before=None):
    """What is said goes into a file: before a full pipe a reader stands still with its snapshot, and compact gives up on it
    after 10 s (exit 11; seen once in 347 rounds). With a limit on files (before) into a pipe."""
    told = subprocess.PIPE if before else tempfile.TemporaryFile()
    p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=told, stderr=subprocess.PIPE, preexec_fn=before, start_new_session=True)
    p.told = None if before else told
    return p


def end(p, what, sent=()):
    try:
        out, err = p.communicate(timeout=180)
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)
        p.communicate()
        fault("%s: no end after 180 s" % what)
        return None, [], ""
    if p.told:
        p.told.seek(0)
        out = p.told.read()
        p.told.close()
    err = err.decode(errors="replace").strip()
    if p.returncode < 0 and -p.returncode not in sent or p.returncode >= 0 and p.returncode not in CODES | {128 + s for s in sent}:
        fault("%s: ended by %d: %s" % (what, p.returncode, err[-300:]))
    if p.returncode == 6 and not sent:
        fault("%s: says that the library is damaged: %s" % (what, err[-300:]))
    return p.returncode, rows(out, what), err


def rows(out, what):
    found = []
    for line in out.decode(errors="replace").splitlines():
        if line.startswith("{"):
            try:
                found.append(json.loads(line))
            except ValueError:
                fault("%s: no JSON: %s" % (what, line[:200]))
    return found


def fault(text):
    faults.append(text)
    print("# round %d: %s" % (rounds, text), flush=True)


def count(what):
    done[what] = done.get(what, 0) + 1


# --- what is true of each content: by content, {(start, end)} and {(model, question, start, end): cosine} ---
def learn():
    truth = {}
    for name in sorted(os.listdir(POOL)):
        known = truth[name] = {"clips": None, "cosine": {}}
        for m, model in enumerate(MODELS):
            library = "%s/ref-%s-%d" % (folder, name, m)
            subprocess.run(words(library, "-m", model, *TOKENIZER, "ingest", POOL + "/" + name), check=True, stdout=subprocess.DEVNULL)
            clips = rows(subprocess.run(words(library, "clips", "--json"), check=True, capture_output=True).stdout, "clips")
            known["clips"] = sorted((c["start"], c["end"]) for c in clips)
            for question in ASKED:
                got = rows(subprocess.run(words(library, "search", "--json", "--all", "--merge", "off", "--fold", "off", "-k", 1000, question), capture_output=True).stdout, "search")
                for h in got:
                    known["cosine"][m, question, h["start"], h["end"]] = h["cosine"]
            shutil.rmtree(library)
    return truth


class World:
    """The films on the disk: path -> content; what the library must have, and may have, of each path."""

    def __init__(self):
        self.disk, self.must = {}, {}
        self.may = {}  # path -> contents that an answer may show of it: before and after the writer at work
        self.root = FILMS
        self.models = {0}

    def change_disk(self):
        for _ in range(rnd.randrange(4)):
            how = rnd.choice(("add", "add", "add", "remove", "rename", "replace"))
            if how == "add" and len(self.disk) < 14:
                self.put("%s/%s%03d.%s" % (self.root, rnd.choice(("", "sub/", "ä ö/")), rnd.randrange(1000), "mp4"), rnd.choice(sorted(truth)))
            elif self.disk:
                path = rnd.choice(sorted(self.disk))
                if how == "replace":
                    self.put(path, rnd.choice(sorted(truth)))
                else:
                    content = self.disk.pop(path)
                    os.rename(path, path + ".x") if how == "rename" else os.unlink(path)
                    if how == "rename":
                        os.rename(path + ".x", path[:-4] + "r.mp4")
                        self.disk[path[:-4] + "r.mp4"] = content

    def put(self, path, content):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copyfile(POOL + "/" + content, path + ".new")
        os.rename(path + ".new", path)
        self.disk[path] = content


def look_at(got, what, world):
    for r in got:
        if "start" not in r or "path" not in r:
            continue
        for path in [r["path"]] + r.get("copies", []):
            contents = world.may.get(path, set())
            if not any((r["start"], r["end"]) in truth[c]["clips"] for c in contents) and "label" not in r and what.split()[0] != "similar":
                fault("%s: %s [%s,%s) is no clip of %s" % (what, path, r["start"], r["end"], contents))
            if r.get("query") in ASKED and not any(
                    abs(truth[c]["cosine"].get((m, r["query"], r["start"], r["end"]), 9) - r["cosine"]) < 1e-5 for c in contents for m in world.models):
                fault("%s: %s [%s,%s) has %s for \"%s\", of %s" % (what, path, r["start"], r["end"], r["cosine"], r["query"], contents))


def reader(n):
    """What is asked, and how its answer is looked at."""
    what = rnd.choice(("search", "search", "clips", "label", "status", "check", "backup", "similar"))
    if what == "search":
        return what, ("search", "--json", "--all", "--merge", "off", "--fold", rnd.choice(("on", "off")), "-k", rnd.choice((1, 5, 1000)), rnd.choice(ASKED))
    if what == "label":
        return what, ("label", "--json", "--labels", folder + "/labels")
    if what == "backup":
        return what, ("backup", "%s/copy%d" % (folder, n))
    if what == "similar":
        return what, ("similar", "--json", POOL + "/" + rnd.choice(sorted(truth)) + "@1")
    return what, (what, "--json")


def writer(world):
    """One change: (name, words, does it read the disk, contents afterwards by path)."""
    name = rnd.choice(("ingest",) * 6 + ("forget", "relocate", "compact", "repair", "switch"))
    if name == "forget" and world.must:
        path = rnd.choice(sorted(world.must))
        return name, ("forget", path), {p: c for p, c in world.must.items() if p != path}
    if name == "relocate" and world.must and world.disk:
        to = "%s%d" % (FILMS, rnd.randrange(1000))
        if os.path.exists(to) or not os.path.isdir(world.root):
            return "compact", ("compact",), dict(world.must)
        old, world.root = world.root, to
        os.rename(old, to)
        world.disk = {to + p[len(old):]: c for p, c in world.disk.items()}
        return name, ("relocate", old, to), {to + p[len(old):] if p.startswith(old + "/") else p: c for p, c in world.must.items()}
    if name in ("compact", "repair"):
        return name, (name,), dict(world.must)
    world.change_disk()
    os.makedirs(world.root, exist_ok=True)
    if name == "switch":
        m = rnd.randrange(2)
        world.models |= {m}
        return name, ("-m", MODELS[m], *TOKENIZER, "ingest", "--switch", "--commit-every", 0, world.root), dict(world.disk)
    return "ingest", ("ingest", "--commit-every", 0, "--json", world.root), dict(world.disk)


def whole(library, must, what, exactly=True, known=None):
    """Every clip of every path that must be there, and (exactly) nothing else. A content is listed under one of its paths
    (known: more that it had or was about to have)."""
    p = subprocess.run(words(library, "clips", "--json"), capture_output=True)
    if p.returncode not in (0, 1):
        fault("%s: clips: exit %d: %s" % (what, p.returncode, p.stderr.decode(errors="replace")[-300:]))
        return
    had = {}
    for r in rows(p.stdout, "clips"):
        for path in [r["path"]] + r.get("copies", []):
            had.setdefault(path, []).append((r["start"], r["end"]))
    shown = {p for p in had}
    for path, content in must.items():
        twins = [p for p, c in list(must.items()) + (known or []) if c == content]
        got = [sorted(had[p]) for p in twins if p in had]
        if truth[content]["clips"] not in got:
            fault("%s: %s (%s) has %s, not %s" % (what, path, content, got, truth[content]["clips"]))
    if exactly and not shown <= set(must):
        fault("%s: there are clips of %s" % (what, sorted(shown - set(must))))


def sound(what, library=LIB):
    p = subprocess.run(words(library, "check", "--json"), capture_output=True)
    if p.returncode != 0:
        fault("%s: not sound afterwards: exit %d %s %s" % (what, p.returncode, p.stdout.decode(errors="replace")[-300:], p.stderr.decode(errors="replace")[-200:]))


def one_round(world):
    name, args, after = writer(world)
    how = rnd.choice(("whole",) * 5 + ("kill", "kill", "term", "disk"))
    before = dict(world.must)
    sources = (before, after, world.disk)
    world.may = {}
    for source in sources:
        for path, content in source.items():
            world.may.setdefault(path, set()).add(content)
    what = "%s (%s)" % (name, how)
    most = rnd.choice((0, 4096, 40000, 200000, 1 << 20))
    writes = start(words(LIB, *args), (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))) if how == "disk" else None)
    others = []
    for n in range(3):
        kind, asked = reader(n)
        shutil.rmtree("%s/copy%d" % (folder, n), ignore_errors=True)
        others.append((kind, n, start(words(LIB, *asked))))
    sent = ()
    if how in ("kill", "term"):
        sent = (signal.SIGKILL,) if how == "kill" else (signal.SIGTERM,)
        time.sleep(rnd.random() ** 2 * 0.6)
        try:
            os.kill(writes.pid, sent[0])
        except ProcessLookupError:
            pass
    code, _, err = end(writes, what, sent)
    for kind, n, p in others:
        there, got, why = end(p, "%s beside %s" % (kind, what))
        count(kind)
        look_at(got, "%s beside %s" % (kind, what), world)
        if kind == "check" and there not in (0, 11):
            fault("check beside %s: exit %s: %s" % (what, there, why))
        if kind == "backup" and there == 0:
            sound("backup beside " + what, "%s/copy%d" % (folder, n))
    count(what)
    if how == "whole" and code not in (0, 3):
        fault("%s: exit %s: %s" % (what, code, err[-300:]))
    sound(what)
    if how == "whole" and code == 0:
        world.must = after
        whole(LIB, after, what)
        return
    # It did not come to its end: what was there and is wanted still must be there; then it is done again, to its end.
    whole(LIB, {p: c for p, c in before.items() if after.get(p) == c and world.disk.get(p) == c}, what + ", cut short", exactly=False, known=list(before.items()) + list(after.items()))
    if name == "relocate" and not any(p in after for p in before):
        subprocess.run(words(LIB, *args), capture_output=True)
    again = end(start(words(LIB, "ingest", world.root)), "ingest after " + what)[0]
    if again == 6 or again is None or again not in (0, 2):
        fault("ingest after %s: exit %s" % (what, again))
    if again == 2:  # a switch was begun, and waits for its model
        for m in (0, 1):
            if subprocess.run(words(LIB, "-m", MODELS[m], *TOKENIZER, "ingest", "--switch", world.root), capture_output=True).returncode == 0:
                break
    world.must = dict(world.disk)
    sound("ingest after " + what)
    whole(LIB, world.must, "ingest after " + what)


rounds = 0
with zipfile.ZipFile(MODELS[0]) as old, zipfile.ZipFile(MODELS[1], "w") as new:  # some weights are their own negatives
    for i, name in enumerate(old.namelist()):
        data = bytearray(old.read(name))
        data[-1] ^= 0x80 if i % 3 == 0 else 0
        new.writestr(name, bytes(data))
with open(folder + "/labels", "w") as f:
    f.write("a star\na tram\n")
truth = learn()
world = World()
os.makedirs(FILMS)
for first in sorted(truth)[:3]:
    world.put("%s/%s" % (FILMS, first), first)
subprocess.run(words(LIB, "-m", MODELS[0], *TOKENIZER, "ingest", FILMS), check=True, stdout=subprocess.DEVNULL)
world.must = dict(world.disk)
whole(LIB, world.must, "the first ingest")
until = time.time() + seconds
while time.time() < until and len(faults) < 20:
    rounds += 1
    one_round(world)
print("# " + ", ".join("%s %d" % x for x in sorted(done.items())))
print("%s - %d rounds of chaos, %d commands: %d faults (seed %d)" % ("not ok" if faults else "ok", rounds, sum(done.values()), len(faults), seed))
