"""pull_liars.py KINOSEEK FILE FOLDER SEED N - `model pull toy` from servers that lie in every way of pull_server.WAYS, each
{from nothing, with 60 % there, with a wrong 60 % there, killed in the middle}; N of them, chosen by SEED (0: all). TAP.

Of each: it ends; what was there is not less afterwards; the file has its name only if it is the file, and then the exit
is 0; a good server afterwards gives the file, and nothing else is left.
"""
import concurrent.futures
import os
import random
import shutil
import subprocess
import sys
import threading
import time

import pull_server

program, source, folder, seed, many = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
data = open(source, "rb").read()
server = pull_server.serve(data)
threading.Thread(target=server.serve_forever, daemon=True).start()
at = "http://127.0.0.1:%d" % server.server_address[1]
STATES = ("fresh", "resumed", "wrong", "killed")


def run(home, address, kill_after=None):
    env = dict(os.environ, XDG_DATA_HOME=home, XDG_CACHE_HOME=home + "-cache")
    p = subprocess.Popen([program, "-q", "model", "pull", "toy", "--from", address], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        if kill_after is not None:
            time.sleep(kill_after)
            p.kill()
        _, said = p.communicate(timeout=90)
        return p.returncode, said.decode(errors="replace")
    except subprocess.TimeoutExpired:
        p.kill()
        return None, "no end after 90 s"


def length(path):
    return os.path.getsize(path) if os.path.exists(path) else 0


def one(case):
    way, state, after = case
    key = "%s.%s" % (way, state)
    home = os.path.join(folder, key)
    place = os.path.join(home, "kinoseek/models/toy")
    file, address, bad = place + "/toy.npz", "%s/way/%s/%s" % (at, way, key), []
    os.makedirs(place)
    if state in ("resumed", "wrong"):
        with open(file + ".part", "wb") as f:
            f.write(data[: len(data) * 6 // 10] if state == "resumed" else bytes(len(data) * 6 // 10))
        with open(file + ".part.from", "w") as f:
            f.write('%s\n"v1"\n' % address)
    if state == "killed":
        run(home, address, after)
    before = length(file + ".part")
    code, said = run(home, address)
    if code is None or code < 0:
        bad.append("%s: %s" % (code, said))
    if os.path.exists(file):
        if open(file, "rb").read() != data:
            bad.append("published what is not the file")
    elif length(file + ".part") < before:
        bad.append("%d bytes were there, %d are" % (before, length(file + ".part")))
    if (code == 0) != os.path.exists(file):
        bad.append("exit %s and %s file" % (code, "a" if os.path.exists(file) else "no"))
    if said.count("\n") > 1 or (code and not said.startswith("kinoseek: ")):
        bad.append("said: " + said)
    if code and "is kept" in said and not length(file + ".part"):
        bad.append("said to be kept, and nothing is there: " + said)
    if pull_server.seen.get(key, 0) > 200 or pull_server.served.get(key, 0) > 70 << 20:
        bad.append("asked %d times for %d bytes" % (pull_server.seen.get(key, 0), pull_server.served.get(key, 0)))
    code, said = run(home, at + "/good")
    if code != 0 or open(file, "rb").read() != data:
        bad.append("a good server afterwards: exit %s, %s" % (code, said))
    if os.path.isdir(place) and os.listdir(place) != ["toy.npz"]:
        bad.append("left: %s" % os.listdir(place))
    shutil.rmtree(home, ignore_errors=True)
    return key, bad


random.seed(seed)
cases = [(w, s, random.random() * 0.15) for w in pull_server.WAYS for s in STATES]
if many:
    cases = random.sample(cases, many)
good = 0
with concurrent.futures.ThreadPoolExecutor(16) as pool:
    for key, bad in pool.map(one, cases):
        good += not bad
        for line in bad:
            print("# %s: %s" % (key, line.strip()))
print("%s - %d of %d ways to lie x what was there (seed %d)" % ("ok" if good == len(cases) else "not ok", good, len(cases), seed))
