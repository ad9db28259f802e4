"""serve_changes PROGRAM FOLDER [full]: a running `serve` while the world around it changes (tests/cli/serve_changes.sh has made
FOLDER), TAP on standard output."""
import json
import os
import subprocess
import sys
import threading
import time

import serve_rows
from serve_rows import FOLDER, PROGRAM, SLOW, Server, ok

FILMS = FOLDER + "/films"


def command(*words):
    return subprocess.run([PROGRAM, "-q", "-L", serve_rows.LIBRARY, *words], capture_output=True, text=True)


def say(s, **more):
    word = dict(set="mine", label="wet", video=1, start=0, end=1, yes=True)
    return s.post("/api/v1/labels/say", json.dumps(dict(word, **more)).encode())


def names(s):
    return sorted(v["path"].rsplit("/", 1)[1] for v in s.json("/api/v1/videos")["videos"])


def is_sentence(got, status, *words):
    """A problem of that status, in one sentence that says these words."""
    if got[0] != status or got[1].get("content-type") != "application/problem+json":
        return False
    detail = json.loads(got[2])["detail"]
    return 0 < len(detail) < 300 and "\n" not in detail and all(w in detail for w in words)


ALL = ["/api/v1/search?q=rain&all=1", "/api/v1/similar?video=1&t=3", "/api/v1/curve?q=rain&video=1", "/api/v1/videos", "/api/v1/videos/1", "/api/v1/status", "/api/v1/bad",
       "/api/v1/labels", "/api/v1/saved", "/api/v1/export?q=rain&all=1&format=csv", "/media/1", "/media/1/part?from=1&to=2", "/media/1/part?from=1&to=2&side=144", "/"]


def differ(s, want):
    """Those of ALL that have another status than they should: {target: status} over `want`, which is everybody's."""
    got = {target: s.get(target)[::2] for target in ALL}
    return {t: g for t, g in got.items() if g[0] != (want[t] if isinstance(want, dict) else want)}


class Asker(threading.Thread):
    """Asks all the while; what it was answered but 200."""

    def __init__(self, s):
        super().__init__()
        self.s, self.ends, self.asked, self.odd = s, False, 0, []
        self.start()

    def run(self):
        while not self.ends:
            for target in ALL:
                status, _, body = self.s.get(target)
                self.asked += 1
                if status != 200:
                    self.odd.append((target, status, body[:300]))

    def done(self):
        self.ends = True
        self.join()
        return self.asked > 0 and not self.odd


def ends_with_films():
    """50 viewers, each with part of a film or an archive: nobody reads on."""
    s = Server("--listen", "127.0.0.1:0")
    with open(FILMS + "/large.mp4", "wb") as f:
        f.write(open(FILMS + "/weather.mp4", "rb").read() + (9 << 20).to_bytes(4, "big") + b"free" + b"\0" * ((9 << 20) - 8))
    command("ingest", FILMS + "/large.mp4")
    film = [v["video"] for v in s.json("/api/v1/videos")["videos"] if v["path"].endswith("large.mp4")][0]
    items = json.dumps(dict(format="zip", items=[dict(video=film, start=i, end=i + 8) for i in range(9)])).encode()
    heads = [s.head("GET /media/%d" % film)] * 20 + [s.head("GET /media/%d/part?from=0&to=20&side=480" % film)] * 10 + [s.head("GET /api/v1/search?q=a+dog+%d&all=1" % i) for i in range(10)]
    heads += [s.head("POST /api/v1/export", "X-Kinoseek: 1", "Content-Length: %d" % len(items)) + items] * 10
    viewers = [s.connect() for _ in heads]
    for c, head in zip(viewers, heads):
        c.sendall(head)
    begun = [c.recv(100).startswith(b"HTTP/1.1 200") for c in viewers[:20]]
    code, took = s.stop()
    ok(all(begun) and code == 0 and took < 1 + (SLOW - 1) * 3, "SIGTERM ends 50 films, parts, archives and questions under way in a second", (begun, code, took))
    for c in viewers:
        c.close()
    command("forget", FILMS + "/large.mp4")
    os.unlink(FILMS + "/large.mp4")


def compacted():
    s = Server("--listen", "127.0.0.1:0")
    ids = [[c["id"] for c in s.json("/api/v1/videos/%d" % v["video"])["clips"]] for v in s.json("/api/v1/videos")["videos"]]
    asker = Asker(s)
    for words in (["compact"], ["ingest", FILMS], ["compact"], ["repair"], ["compact"]):
        command(*words)
    ok(asker.done(), "compacted and repaired under it, every question is answered (%d)" % asker.asked, asker.odd[:3])
    ok(ids == [[c["id"] for c in s.json("/api/v1/videos/%d" % v["video"])["clips"]] for v in s.json("/api/v1/videos")["videos"]], "with the same clips")
    s.stop()


def switched():
    """To a model beside the library's own: asked on. To one in a folder that the server may not read: what to do is said."""
    s = Server("--listen", "127.0.0.1:0")
    before = s.json("/api/v1/status")["model_hash"]
    asker = Asker(s)
    told = command("-m", FOLDER + "/models/next.npz", "ingest", "--switch")
    ok(told.returncode == 0 and asker.done(), "a switched model: every question is answered meanwhile (%d)" % asker.asked, (told, asker.odd[:3]))
    ok(s.json("/api/v1/status")["model_hash"] != before and not differ(s, 200), "and with the new one behind it", differ(s, 200))
    told = command("-m", FOLDER + "/elsewhere/far.npz", "ingest", "--switch")
    walled = s.get("/api/v1/search?q=rain&all=1")[0] != 200  # a kernel without landlock has no such wall
    got = s.get("/api/v1/search?q=rain&all=1")
    ok(told.returncode == 0 and (not walled or is_sentence(got, 503, "far.npz", "start kinoseek serve again")), "one that lies out of its reach: it says what to do", (told, got))
    ok(s.get("/api/v1/videos")[0] == 200 and s.get("/media/1")[0] == 200, "and shows what needs no model")
    s.stop()
    s = Server("--listen", "127.0.0.1:0")
    ok(not differ(s, 200), "which helps", differ(s, 200))
    command("-m", FOLDER + "/models/first.npz", "ingest", "--switch")
    s.stop()


def replaced():
    library = serve_rows.LIBRARY
    s = Server("--listen", "127.0.0.1:0")
    was = names(s)
    os.rename(library, library + ".was")
    os.rename(FOLDER + "/other", library)
    got = [s.get(target) for target in ALL[:-1]] + [say(s)]
    walled = got[0][0] != 200
    ok(all(is_sentence(g, 503, library, "start kinoseek serve again") for g in got) if walled else names(s) == ["band.mp4"], "a library in its place: it says what to do", got[:2])
    os.rename(library, FOLDER + "/other")
    os.rename(library + ".was", library)
    ok(names(s) == was and not differ(s, 200), "back it is asked as before")
    s.stop()


def another_users():
    """The library and one film are somebody else's: read, not written, and seen to change."""
    def become():
        if os.getuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)

    library = serve_rows.LIBRARY = FOLDER + "/rest"  # whose log has no index: a copy is read
    serve_rows.PROGRAM = FOLDER + "/own/build/kinoseek"

    def allow(folder, file, film):
        os.chmod(library, folder)
        for name in os.listdir(library):
            os.chmod(library + "/" + name, file)
        os.chmod(FILMS + "/band.mp4", film)

    ok("catalog.db-shm" not in os.listdir(library), "a library at rest")
    allow(0o555, 0o444, 0o644)
    os.makedirs(FOLDER + "/home", exist_ok=True)
    os.chmod(FOLDER, 0o755)
    os.chmod(FOLDER + "/home", 0o777)
    os.chmod(FOLDER + "/serve.err", 0o666)
    bare = {k: v for k, v in os.environ.items() if not k.startswith("XDG_")}
    s = Server("--listen", "127.0.0.1:0", preexec_fn=become, env=dict(bare, HOME="/nonexistent", TMPDIR=FOLDER + "/home"))
    ok(not differ(s, 200), "who has no home reads another user's library, too", differ(s, 200))
    s.stop()
    left = [name for folder, _, files in os.walk(FOLDER + "/home") for name in files]
    ok(not left, "and leaves nothing of it", left)
    s = Server("--listen", "127.0.0.1:0", preexec_fn=become, env=dict(os.environ, HOME=FOLDER + "/home", XDG_CACHE_HOME=FOLDER + "/home/cache", XDG_DATA_HOME=FOLDER + "/home/data"))
    allow(0o555, 0o444, 0)
    films = {v["path"].rsplit("/", 1)[1]: v["video"] for v in s.json("/api/v1/videos")["videos"]}
    told = [s.get(t.replace("/1", "/%d" % films["weather.mp4"]).replace("video=1", "video=%d" % films["weather.mp4"])) for t in ALL]
    ok([t[0] for t in told] == [200] * len(ALL), "another user's library is asked and its films are played", [t[::2] for t in told if t[0] != 200])
    for target, status in (("/media/%d", 403), ("/media/%d/part?from=1&to=2", 403)):
        got = s.get(target % films["band.mp4"])
        ok(is_sentence(got, status, "Permission denied"), "a film that may not be read is %d" % status, got)
    ok(is_sentence(say(s), 403, library, "nothing can be changed"), "it is not written", say(s))
    allow(0o755, 0o644, 0o644)
    with open(FILMS + "/fresh.mp4", "wb") as f:
        f.write(open(FILMS + "/band.mp4", "rb").read() + b"\0\0\0\x08free")
    command("ingest", FILMS)
    if os.getuid() != 0:
        os.chmod(library, 0o555)
    ok("fresh.mp4" in names(s) and s.get("/media/%d" % films["band.mp4"])[0] == 200, "what its owner ingests is seen", names(s))
    if os.getuid() != 0:
        os.chmod(library, 0o755)
    code, _ = s.stop()
    ok(code == 0 and not [n for n in os.listdir(FOLDER + "/home/cache/kinoseek") if n.startswith("kinoseek-")], "and nothing of a copy is left behind", code)


def fill(disk):
    """Not a byte more goes onto it."""
    with open(disk + "/filler", "wb", 0) as f:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    f.write(b"x" * size)
            except OSError:
                pass


def full():
    disk, library = FOLDER + "/disk", serve_rows.LIBRARY

    def writes(s):
        items = [dict(video=1, start=0, end=4, yes=True), dict(video=2, start=0, end=4, yes=False)]
        return [say(s)] + [s.post("/api/v1/" + path, json.dumps(body).encode()) for path, body in (("labels/teach", dict(label="wet", items=items)), ("saved?q=rain", dict(name="rain")))]

    s = Server("--listen", "127.0.0.1:0")
    ok(say(s)[0] == 200, "a yes is kept while there is room")
    fill(disk)
    ok(not differ(s, 200), "on a full disk every question is answered", differ(s, 200))
    got = writes(s)  # a log that is there already may have room
    ok(all(g[0] == 200 or is_sentence(g, 500, library, "the disk is full") for g in got), "what cannot be kept is said", got)
    ok(s.post("/api/v1/search?k=3", open("models/demo/moments.png", "rb").read())[0] == 200, "a picture is looked for")
    items = json.dumps(dict(format="zip", items=[dict(video=1, start=0, end=2)])).encode()
    ok(b"PK\3\4" in s.post("/api/v1/export", items)[2], "and a film cut")
    s.stop()
    library = serve_rows.LIBRARY = disk + "/rest"  # whose log has no index yet
    ok("catalog.db-shm" not in os.listdir(library), "a library at rest")
    s = Server("--listen", "127.0.0.1:0")
    ok(not differ(s, 200), "one that starts on the full disk answers", differ(s, 200))
    got = writes(s)
    ok(all(is_sentence(g, 500, library, "the disk is full") for g in got), "and says the same", got)
    os.unlink(disk + "/filler")
    got = writes(s)
    ok([g[0] for g in got] == [200] * 3 and not differ(s, 200), "with room again all is kept", got)
    marks = s.json("/api/v1/labels")
    ok(marks["sets"][0]["set"] == "mine" and [k["name"] for k in s.json("/api/v1/saved")] == ["rain"], "and shown", marks)
    code, _ = s.stop()
    ok(code == 0 and command("check").returncode == 0, "check finds nothing", code)


def main():
    if sys.argv[3:] == ["full"]:
        serve_rows.LIBRARY = FOLDER + "/disk/lib"
        full()
    else:
        ends_with_films()
        compacted()
        switched()
        replaced()
        another_users()
    told = open(FOLDER + "/serve.err").read()
    ok("ERROR" not in told and "WARNING: Thread" not in told and "Assert" not in told, "nothing was said on stderr that should not be", told[-3000:])


main()
