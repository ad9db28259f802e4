"""page_soak PROGRAM FOLDER SECONDS SEED: a page that is used by eight people at once while its library changes, decoders are
killed and the disk fills up. TAP on standard output. Every answer has one of the statuses that its question may have."""
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time

from serve_rows import FOLDER, LIBRARY, PROGRAM, Server, children, ok

SECONDS, SEED = float(sys.argv[3]), int(sys.argv[4])
FINE = {200, 206, 304}
# What each may also be told while the library is away (503), is another one (404, 409), or a decoder was killed (422, 500).
QUESTIONS = [
    ("/api/v1/search?q=%s&all=1", {503}), ("/api/v1/search?q=rain&then=%s&within=30", {503}), ("/api/v1/similar?clip=%d", {404, 503}),
    ("/api/v1/curve?video=%d&q=rain", {404, 503}), ("/api/v1/videos", {503}), ("/api/v1/videos/%d", {404, 503}), ("/api/v1/status", {503}),
    ("/api/v1/bad", {503}), ("/api/v1/labels?video=%d", {404, 503}), ("/api/v1/saved", {503}), ("/thumb/%d.jpg", {404, 503}),
    ("/media/%d", {404, 409, 503}), ("/media/%d/part?from=1&to=2&side=144", {404, 409, 422, 500, 503}), ("/media/%d/part?from=1&to=3", {404, 409, 422, 500, 503}),
    ("/", set()), ("/page/page.js", set()), ("/nothing", {404}), ("/api/v1/search?q=x&k=-1", {400}),
]
WORDS = ["rain", "snow", "a+dog", "a+cat+sits", "drums", "lightning"]


class Person(threading.Thread):
    def __init__(self, s, seed, until):
        super().__init__()
        self.s, self.random, self.until, self.asked, self.odd, self.body = s, random.Random(seed), until, 0, [], b""

    def look(self):
        target, may = self.random.choice(QUESTIONS)
        if "%s" in target:
            target %= self.random.choice(WORDS)
        elif "%d" in target:
            target %= self.random.randint(1, 12)
        status, _, self.body = self.s.get(target)
        return target, FINE | may, status

    def write(self):
        how = self.random.randint(0, 3)
        span = dict(video=self.random.randint(1, 4), start=self.random.random() * 5, end=5 + self.random.random(), yes=self.random.random() < 0.7)
        path, body = [("labels/say", dict(span, set="soak", label="x")), ("labels/teach", dict(label="x", items=[span])),
                      ("saved?q=rain", dict(name="n%d" % self.random.randint(0, 9))), ("saved/forget", dict(name="n%d" % self.random.randint(0, 9)))][how]
        status, _, self.body = self.s.post("/api/v1/" + path, json.dumps(body).encode())
        return path, {200, 400, 404, 409, 500, 503}, status

    def leave(self):
        """Asks and goes, before the answer or in its middle."""
        with self.s.connect() as c:
            c.sendall(self.s.head("GET /media/%d/part?from=0&to=9&side=480" % self.random.randint(1, 3)))
            c.settimeout(self.random.random())
            try:
                c.recv(self.random.randint(1, 5000))
            except (OSError, socket.timeout):
                pass
        return "left", {0}, 0

    def run(self):
        while time.time() < self.until:
            do = self.random.choice([self.look] * 12 + [self.write] * 2 + [self.leave])
            try:
                what, may, got = do()
            except (OSError, socket.timeout) as error:
                what, may, got = str(do.__name__), set(), repr(error)
            self.asked += 1
            if got not in may:
                self.odd.append((what, got, self.body[:300]))


def command(*words):
    return subprocess.run([PROGRAM, "-q", "-L", LIBRARY, *words], capture_output=True)


def disturb(s, until, did):
    r = random.Random(SEED)
    while time.time() < until:
        what = r.choice(["kill", "compact", "ingest", "away", "label", "sleep"])
        did.append(what)
        if what == "kill":
            for pid in children(s.process.pid):
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    pass
        elif what == "compact":
            command("compact")
        elif what == "ingest":
            command("ingest", FOLDER + "/films")
        elif what == "away":
            os.rename(LIBRARY, LIBRARY + ".away")
            time.sleep(r.random())
            os.rename(LIBRARY + ".away", LIBRARY)
        elif what == "label":
            command("labels", "soak", "--forget")
        time.sleep(r.random() * 2)


def main():
    Server.patience = 300  # parts wait for each other, two at a time
    s = Server("--listen", "127.0.0.1:0")
    until, did = time.time() + SECONDS, []
    people = [Person(s, SEED * 100 + i, until) for i in range(8)]
    other = threading.Thread(target=disturb, args=(s, until, did))
    for t in [*people, other]:
        t.start()
    for t in [*people, other]:
        t.join()
    odd = [o for p in people for o in p.odd]
    ok(s.process.poll() is None and not odd, "%d questions in %.0f s, %d disturbances (seed %d): each has its answer" % (sum(p.asked for p in people), SECONDS, len(did), SEED), odd[:10])
    ok(s.get("/api/v1/search?q=rain&all=1")[0] == 200 and s.get("/media/1/part?from=1&to=2&side=144")[0] in (200, 500), "all is well behind it")
    ok(len(os.listdir("/proc/%d/fd" % s.process.pid)) < 80 and len(os.listdir("/proc/%d/task" % s.process.pid)) < 32, "nothing is left open", os.listdir("/proc/%d/fd" % s.process.pid))
    code, took = s.stop()
    ok(code == 0, "it ends well", (code, took))
    told = open(FOLDER + "/serve.err").read()
    ok(not re.search(r"ERROR|WARNING: Thread|runtime error|Assert", told), "no sanitizer has a word", told[:3000])
    ok(command("check").returncode == 0, "check finds nothing")


main()
