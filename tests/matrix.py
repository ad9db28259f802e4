#!/usr/bin/env python3
"""matrix.py BUILD FOLDER CLIPS [TABLE...] - FOLDER/good is a made library. For each table one row of it rots, a writer
replaces other films without pause by files of the same clips, and every way to ask answers: right in all other films, the
row left out, said once, no way hangs, none takes more than 5 s (of processor time; 60 s on the clock)."""
import json, os, resource, shutil, sqlite3, subprocess, sys, time

build, folder, clips = sys.argv[1], sys.argv[2], int(sys.argv[3])
ROTTEN = 7  # the film whose row it is; its clips are the nearest to what --like asks
ROT = {
    "vector": "UPDATE vector SET half = :half WHERE clip = :clip",
    "clip": "UPDATE clip SET stop = stop + 1 WHERE id = :clip",
    "clip_reason": "UPDATE clip SET sum = sum + 1 WHERE id = :clip",
    "video": "UPDATE video SET fps = fps + 1 WHERE id = :video",
    "video_finished": "UPDATE video SET finished = 0 WHERE id = :video",
    "path": "UPDATE path SET size = size + 1 WHERE video = :video",
    "path_gone": "DELETE FROM path WHERE video = :video",
    "frame_vectors": "UPDATE frame_vectors SET sum = 7 WHERE clip = :clip",
    "thumbnail": "UPDATE thumbnail SET sum = 7 WHERE clip = :clip",
    "setting": "UPDATE setting SET value = x'01'",
    "totals": "UPDATE totals SET clips = clips + 1",
    "segment": "UPDATE segment SET header = header + 1",
    "space": "UPDATE space SET frames = frames + 1",
}
FILM, OTHER = "/made/%d/%d.mp4" % (ROTTEN % 100, ROTTEN), "/made/9/9.mp4"
labels, queries = os.path.join(folder, "labels"), os.path.join(folder, "queries")
open(labels, "w").write("a cat on a sofa\nthe rain\n")
open(queries, "w").write("a cat on a sofa\nthe rain\n")
WORDS = ["a cat on a sofa"]


def ways(like):
    """name, exit codes, arguments"""
    hits = ["--json", "--merge", "off", "-k", "100"]
    yield from [
        ("words", [0], ["search", "--all", *hits, *WORDS]), ("exact", [0], ["search", "--all", "--exact", *hits, *WORDS]),
        ("like", [0], ["search", "--like", str(like), *hits]), ("cut", [0, 1], ["search", *WORDS]),
        ("table", [0], ["search", "--all", *WORDS]), ("merged", [0], ["search", "--all", "-k", "100", "--json", *WORDS]),
        ("many", [0], ["search", "--all", "-k", "5000", "--json", "--merge", "off", *WORDS]),
        ("in", [0, 1, 4, 6], ["search", "--all", "--in", FILM, *hits, *WORDS]), ("in other", [0], ["search", "--all", "--in", OTHER, *hits, *WORDS]),
        ("path", [0], ["search", "--all", "--path", "*7/*.mp4", *hits, *WORDS]), ("after", [0], ["search", "--all", "--after", "1970-01-05", *hits, *WORDS]),
        ("before", [0], ["search", "--all", "--before", "1971", *hits, *WORDS]), ("longer", [0], ["search", "--all", "--longer", "1", *hits, *WORDS]),
        ("shorter", [0], ["search", "--all", "--shorter", "9", *hits, *WORDS]), ("per-video", [0], ["search", "--all", "--per-video", "1", *hits, *WORDS]),
        ("queries", [0], ["search", "--all", "--queries", queries, "--json"]),
        ("similar", [0, 4, 6], ["similar", FILM, "-k", "50", "--json"]), ("similar other", [0], ["similar", OTHER, "-k", "50", "--json"]),
        ("similar at", [0], ["similar", OTHER + "@100", "-k", "50", "--json"]), ("not self", [0], ["similar", OTHER + "@100", "-k", "50", "--not-self", "--json"]),
        ("label", [0, 6], ["label", "--labels", labels, "--in", OTHER, "--json"]), ("label video", [0], ["label", "--labels", labels, "--per-video", "--path", "*/9/*", "--json"]),
        ("label all", [0], ["label", "--labels", labels, "--json"]), ("clips", [0, 6], ["clips", "--json"]), ("clips in", [0], ["clips", "--in", OTHER, "--json"]),
        ("status", [0], ["status", "--json"]), ("status bad", [0, 1], ["status", "--bad"]), ("vectors", [0, 6], ["export", "vectors", "-o", os.path.join(folder, "v.npz"), "--force"]),
    ]
    for name in FORMATS:
        where = ["-o", os.path.join(folder, name), "--force"] if name in ("fiftyone", "label-studio") else []
        yield ("format " + name, [0], ["search", "--all", "-k", "20", "--in", OTHER, "--format", name, *where, *WORDS])
    for name in ("csv", "jsonl", "otio", "srt"):
        yield ("label as " + name, [0], ["label", "--labels", labels, "--in", OTHER, "--format", name])
        yield ("clips as " + name, [0], ["clips", "--in", OTHER, "--format", name])
    yield ("print", [0], ["search", "--all", "-k", "20", "--print", "{path} {start:tc}", *WORDS])
    yield ("page", [0], ["search", "--all", "-k", "20", "--html", os.path.join(folder, "page.html"), "--force", *WORDS])


def ask(lib, args):
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    try:
        r = subprocess.run([build + "/kinoseek", "--precision", "fp32", "--threads", "1", "-m", "tests/fixtures/lvt.npz", "-L", lib, *args], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        code, out, err = r.returncode, r.stdout, r.stderr.decode(errors="replace")
    except subprocess.TimeoutExpired:
        code, out, err = 99, b"", "no end after 60 s"
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return code, out, err, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.monotonic() - start


def answers(out):
    rows = []
    for line in out.splitlines():
        try:
            r = json.loads(line)
        except ValueError:
            return None
        if isinstance(r, dict) and "path" in r and "start" in r:
            rows.append((r["path"], r["start"], r["end"], r.get("label"), round(r.get("cosine", 0), 6)))
    return rows


def rot(lib, table):
    db = sqlite3.connect(lib + "/catalog.db", isolation_level=None)
    clip, video = db.execute("SELECT c.id, c.video FROM clip c JOIN path p ON p.video = c.video WHERE CAST(p.path AS TEXT) = ? ORDER BY c.start", (FILM,)).fetchone()
    half = bytearray(db.execute("SELECT half FROM vector WHERE clip = ?", (clip,)).fetchone()[0])
    half[20] ^= 1
    if table == "frame_vectors":
        db.execute("INSERT OR IGNORE INTO frame_vectors VALUES(?, 1, x'00', 0)", (clip,))
    if table == "thumbnail":
        db.execute("INSERT OR IGNORE INTO thumbnail VALUES(?, x'00', 0)", (clip,))
    assert db.execute(ROT[table], {"half": bytes(half), "clip": clip, "video": video}).rowcount > 0, table
    db.close()


def copy(name):
    lib = os.path.join(folder, name)
    shutil.rmtree(lib, ignore_errors=True)
    shutil.copytree(os.path.join(folder, "good"), lib)
    return lib


FORMATS = ("jsonl csv vtt srt ffmetadata mkv-chapters youtube kodi-edl mpv-edl cmx3600 resolve-edl otio xmeml fcpxml activitynet "
           "activitynet-truth fiftyone label-studio elan via cvat").split() # all but xmp and hf, which go beside films that are there



good = os.path.join(folder, "good")
db = sqlite3.connect("file:%s/catalog.db?mode=ro" % good, uri=True)
like = db.execute("SELECT c.id FROM clip c JOIN path p ON p.video = c.video WHERE CAST(p.path AS TEXT) = ? ORDER BY c.start", (OTHER,)).fetchone()[0]
db.close()
slowest, want, bad = (0, ""), {}, []
for name, codes, args in ways(like):
    code, out, err, cpu, wall = ask(good, args)
    at = args.index("-k") + 1 if "-k" in args and "--json" in args else 0
    wide = args[:at] + [str(2 * int(args[at]))] + args[at + 1:] if at else args
    want[name] = (answers(out), answers(ask(good, wide)[1]) if wide != args else answers(out), len(out))
    if code not in codes or (err and code == 0 and "open one with" not in err):
        bad.append("%s: exit %d %s" % (name, code, err[:80]))
    slowest = max(slowest, (cpu, name))
print("%s - %d ways to ask a sound library of %d clips, slowest %.2f s (%s) %s" % ("not ok" if bad or slowest[0] > 5 else "ok", len(want), clips, slowest[0], slowest[1], "; ".join(bad[:4])))


def judge(name, codes, got):
    code, out, err, cpu, wall = got
    said = [l for l in err.splitlines() if l and "open one with" not in l]
    if code not in codes:
        return "exit %d (%s)" % (code, err[:100].strip())
    if cpu > 5 or code == 99:
        return "%.1f s of processor time, %.1f s" % (cpu, wall)
    said = [l for l in said if "for want of a search copy" not in l and not l.startswith("Nothing here ")]
    if code == 4: # a film that no row tells of any more
        return ""
    if any("repair" not in l for l in said) or len(said) > 1:
        return "said %s" % said[:3]
    first, wide, length = want[name]
    if not out and length and code == 0:
        return "nothing shown"
    mine = answers(out)
    if first and mine is not None and code == 0 and not name.startswith(("format", "label as", "clips as", "merged")) and name != "similar": # the mean of a film that has lost a clip is another
        others, known = [r for r in mine if r[0] != FILM], set(wide)
        wrong = [r for r in others if r not in known]
        if wrong:
            return "%d answers are none of the sound library's: %s" % (len(wrong), wrong[:1])
        if len(others) < len([r for r in first if r[0] != FILM]):
            return "%d answers of %d" % (len(others), len(first))
    return ""


for table in sys.argv[4:] or ROT:
    lib, bad, slowest, n = copy("lib"), [], (0, ""), 0
    rot(lib, table)
    writer = subprocess.Popen([build + "/tests/prog_made", "replace", lib, str(clips // 100), str(ROTTEN), "9"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for name, codes, args in ways(like):
        got = ask(lib, args)
        slowest, n = max(slowest, (got[3], name)), n + 1
        why = judge(name, codes, got)
        if why:
            bad.append(name + ": " + why)
    replaced, said = writer.communicate()
    if writer.returncode == 6:
        note = "the writer says: " + said.decode().strip()[-100:]
    else:
        note = "%s films replaced" % replaced.decode().strip()
        if writer.returncode or int(replaced) < 10:
            bad.append("writer: exit %d, %s %s" % (writer.returncode, replaced, said[-200:]))
    print("%s - %s: %d ways, slowest %.2f s (%s), %s %s" % ("not ok" if bad else "ok", table, n, slowest[0], slowest[1], note, "; ".join(bad[:6])))
    sys.stdout.flush()
