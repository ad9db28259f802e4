"""odd_places.py KINOSEEK FILMS FOLDER SEED N - every command in every odd place: little address space, few descriptors,
small files, stack, no more processes; locales whose letters and numbers are others, and one that is none; umasks; no
temporary folder; odd time zones; neither /proc nor /dev/shm. N places, chosen by SEED (0: all). TAP.

Of each: it ends in time and by no signal, its exit code is one of the contract and says why; in a place that takes
nothing away the answer is what it is at home; the library is sound afterwards and nothing is left beside it.
"""
import concurrent.futures
import json
import os
import random
import resource
import shutil
import subprocess
import sys

program, films, folder, seed, many = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
MODEL = ["-m", "demo", "--precision", "fp32"]
HOME = dict(os.environ, LC_ALL="C.UTF-8", TZ="UTC", TMPDIR=folder)
KB, INF = 1024, resource.RLIM_INFINITY


def limit(what, most):
    return lambda: resource.setrlimit(what, (most, most))


def place(env=(), before=None, wrap=(), same=True):
    return {"env": dict(env), "before": before, "wrap": list(wrap), "same": same}


PLACES = {}
for kb in (100, 130, 150, 200, 300, 500, 1000):
    PLACES["v=%d000" % kb] = place(before=limit(resource.RLIMIT_AS, kb * 1000 * KB), same=False)
for n in (8, 12, 16, 24, 40):
    PLACES["n=%d" % n] = place(before=limit(resource.RLIMIT_NOFILE, n), same=False)
for size in (0, 4096, 100000, 1 << 20):
    PLACES["f=%d" % size] = place(before=limit(resource.RLIMIT_FSIZE, size), same=False)
for kb in (128, 256, 1024):
    PLACES["s=%d" % kb] = place(before=limit(resource.RLIMIT_STACK, kb * KB), same=False)


def nobody(most):
    def become():
        resource.setrlimit(resource.RLIMIT_NPROC, (most, most))
        if os.getuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
    return become


for u in (1, 2, 4):
    PLACES["u=%d" % u] = place(before=nobody(u), same=False)
for name in ("tr_TR.UTF-8", "tr_TR.ISO-8859-9", "az_AZ.UTF-8", "de_DE.UTF-8", "C", "POSIX", "xx_YY.UTF-8", "../../etc"):
    PLACES["locale=" + name] = place({"LC_ALL": name, "LANG": name, "LOCPATH": folder + "/locales"})
for mask in (0, 0o77, 0o177, 0o777):
    PLACES["umask=%03o" % mask] = place(before=lambda mask=mask: os.umask(mask) and None, same=mask < 0o100)
PLACES["TMPDIR missing"] = place({"TMPDIR": folder + "/no/such/folder"})
PLACES["TMPDIR a file"] = place({"TMPDIR": program})
for zone in ("Asia/Kathmandu", "Pacific/Apia", "Antarctica/Troll", "Africa/Monrovia", "America/Caracas", "XXX-25:61", ":/etc/passwd", "", "A" * 4000, "<+14>-14"):
    PLACES["TZ=" + zone[:20]] = place({"TZ": zone})
alone = subprocess.run(["sh", "tests/own_mounts.sh"], capture_output=True, text=True).stdout.strip()
if alone:
    for name, what in (("/proc", "mount -t tmpfs none /proc"), ("/dev/shm", "mount -t tmpfs -o ro none /dev/shm"), ("either", "mount -t tmpfs none /proc; mount -t tmpfs -o ro none /dev/shm")):
        PLACES["no " + name] = place(wrap=["unshare", alone, "sh", "-c", what + '; exec "$@"', "sh"])
else:
    print("# no namespaces here: not without /proc and /dev/shm")

# What is typed, and the codes that it may end with at home; L the library, O a folder for what it makes.
FILM = films + "/FILM.AVI"
COMMANDS = [
    ("--version",), ("help",), ("help", "search"), ("doctor",), ("doctor", "--json"), ("model", "list"), ("model", "info", "demo"),
    ("completion", "bash"), ("manual",), ("status",), ("status", "--json"), ("clips", "--json"), ("search", "--json", "--all", "a star"),
    ("search", "--all", "a star"), ("search", "--all", "--format", "otio", "a star"), ("similar", "--json", FILM + "@1"), ("check", "--json"),
    ("embed", "--text", "a star"), ("embed", "--video", FILM + "@0-2"), ("cut", FILM + "@0-1", "--to", "O"), ("backup", "O/copy"),
    ("ingest", "--encoder", "clock", "--json", films), ("model", "random", "--like", "lvt-toy", "--seed", "1", "-o", "O/toy.npz"),
    ("forget", FILM), ("relocate", films, "O"), ("compact",), ("repair",),
]
SAME = {"clips", "similar", "check", "--version", "completion", "manual"}
CODES = set(range(0, 8)) | {10, 11, 130}


def run(where, words, library, out, timeout=60):
    env = dict(HOME, **where["env"])
    argv = where["wrap"] + [program, "-q", "-L", library] + MODEL + [w.replace("O", out, 1) if w == "O" or w.startswith("O/") else w for w in words]
    if words[0] == "--version":
        argv = where["wrap"] + [program, "--version"]
    try:
        p = subprocess.run(argv, env=env, preexec_fn=where["before"], stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout)
        return p.returncode, p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace")
    except subprocess.TimeoutExpired:
        return None, "", "no end after %d s" % timeout
    except (subprocess.SubprocessError, OSError) as e:  # it could not even be started
        return 127, "", str(e)


def libraries(of):
    for name in ("lib", "clock"):
        target = os.path.join(of, name)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(os.path.join(folder, name), target)
        for root, _, files in os.walk(target):
            os.chmod(root, 0o777)
            for f in files:
                os.chmod(os.path.join(root, f), 0o666)


def all_of(name):
    where, bad, here = PLACES[name], [], os.path.join(folder, name.replace("/", "_"))
    out = here + "/out"
    os.makedirs(out)
    os.chmod(here, 0o777)
    os.chmod(out, 0o777)
    libraries(here)
    for words in COMMANDS:
        said = "%s: %s" % (name, " ".join(words).replace(films, "FILMS"))
        library = here + ("/new" if words[0] == "ingest" else "/lib")
        code, stdout, stderr = run(where, words, library, out)
        if code == 127 and "shared librar" in stderr or code == 127 and not where["same"]:
            continue  # the system's loader: no word of ours
        if code is None or code not in CODES:
            bad.append("%s: %s, %s" % (said, code, stderr[-300:].strip()))
            continue
        if code and not stderr.strip():
            bad.append("%s: exit %d and not a word" % (said, code))
        if where["same"] and code != at_home[words][0]:
            bad.append("%s: exit %s, at home %s: %s" % (said, code, at_home[words][0], stderr.strip()[-200:]))
        if where["same"] and words[0] in SAME and stdout.replace(here, "") != at_home[words][1].replace(folder + "/home", ""):
            bad.append("%s: another answer than at home" % said)
        if words[0] == "ingest" and where["same"] and counted(stdout) != counted(at_home[words][1]):
            bad.append("%s: %s, at home %s" % (said, counted(stdout), counted(at_home[words][1])))
    for library in ("/lib", "/new"):
        if os.path.exists(here + library + "/catalog.db"):
            code, stdout, stderr = run(place(), ("check", "--json"), here + library, out)
            if code != 0 and not (code == 10 and library == "/new"):
                bad.append("%s: %s is not sound afterwards: %s %s" % (name, library, stdout, stderr))
    left = [os.path.join(r, f) for r, _, files in os.walk(here) for f in files if ".part" in f or ".tmp" in f or f.startswith("kinoseek-")]
    if left:
        bad.append("%s: left %s" % (name, left))
    subprocess.run(["chmod", "-R", "u+rwX", here])
    shutil.rmtree(here, ignore_errors=True)
    return bad


def counted(text):
    rows = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return sorted((r["path"], r["verdict"], r["clips"]) for r in rows if r.get("event") == "file")


os.makedirs(folder + "/home/out", exist_ok=True)
os.makedirs(folder + "/locales", exist_ok=True)
for name, chars in (("tr_TR", "UTF-8"), ("tr_TR", "ISO-8859-9"), ("az_AZ", "UTF-8"), ("de_DE", "UTF-8")):
    subprocess.run(["localedef", "-c", "-i", name, "-f", chars, "%s/locales/%s.%s" % (folder, name, chars)], capture_output=True)
code, _, stderr = run(place(), ("ingest", films), folder + "/lib", folder)
code2, _, stderr2 = run(place(), ("ingest", "--encoder", "clock", films), folder + "/clock", folder)
if code or code2:
    print("not ok - a library to ask: %s %s" % (stderr, stderr2))
    sys.exit(1)
os.chmod(folder, 0o755)
libraries(folder + "/home")
at_home = {}
for words in COMMANDS:
    at_home[words] = run(place(), words, folder + "/home" + ("/new" if words[0] == "ingest" else "/lib"), folder + "/home/out")
    if at_home[words][0] != 0:
        print("not ok - at home: %s: %s" % (" ".join(words), at_home[words]))
names = sorted(PLACES)
random.seed(seed)
if many:
    must = ["v=150000", "locale=tr_TR.UTF-8", "umask=077", "u=1", "no either"]
    names = [n for n in must if n in PLACES] + random.sample([n for n in names if n not in must], many - len(must))
good = 0
with concurrent.futures.ThreadPoolExecutor(3) as pool:
    for name, bad in zip(names, pool.map(all_of, names)):
        good += not bad
        for line in bad:
            print("# " + line)
print("%s - %d of %d odd places, %d commands in each (seed %d)" % ("ok" if good == len(names) else "not ok", good, len(names), len(COMMANDS), seed))
