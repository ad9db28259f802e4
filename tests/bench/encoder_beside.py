#!/usr/bin/env python3
"""A clip and a sentence in turns: the official JAX code, transformers' port, and kinoseek in every precision.

  python3 encoder_beside.py VARIANT CHECKPOINT FOLDER [ROUNDS] [NAMES]

VARIANT lvt-base or lvt-large. NAMES, by commas: jax, jax-avx2, torch-fp32, torch-bf16, fp32, bf16, int8, avx2
(all). SOURCE (checkout of google-deepmind/videoprism), JAX_PYTHON and TORCH_PYTHON (interpreters that have
them) come from the environment. All load and warm up first; then it waits for FOLDER/go if WAIT=1 (so that the
machine can be made quiet). Nobody works but the one whose turn it is; every turn is another clip. Prints CSV
and, as comments, the ratios of the medians.
"""
import os
import pty
import signal
import statistics
import subprocess
import sys
import time

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAM = os.path.join(ROOT, os.environ.get("BUILD", "build"), "kinoseek")
FRAMES = {"lvt-base": 16, "lvt-large": 8}
OURS = {"fp32": {}, "bf16": {}, "int8": {}, "avx2": {"KINOSEEK_CPU": "avx2"}}
PEERS = ("jax", "jax-avx2", "torch-fp32", "torch-bf16")
SENTENCES = 10


def cpu_seconds(pid):
    """Of a process so far, all threads: what a busy machine cannot stretch."""
    with open("/proc/%d/stat" % pid) as f:
        words = f.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def timed(process, turn):
    """Wall and processor seconds of a turn, once the threads of the one before it have stopped waiting for more."""
    time.sleep(0.5)
    before = cpu_seconds(process.pid)
    return turn(), cpu_seconds(process.pid) - before


class Ours:
    """One `kinoseek embed` of many inputs: a line an answer, stopped between them."""

    def __init__(self, name, checkpoint, inputs):
        mine, theirs = pty.openpty()
        precision = "fp32" if name == "avx2" else name
        command = [PROGRAM, "-q", "--precision", precision, "-m", checkpoint, "embed", *inputs]
        self.process = subprocess.Popen(command, stdout=theirs, env=dict(os.environ, **OURS[name]))
        os.close(theirs)
        self.lines = os.fdopen(mine, "rb")
        self.line()
        self.stop()

    def line(self):
        while not self.lines.readline().startswith(b"{"):
            pass

    def stop(self):
        self.process.send_signal(signal.SIGSTOP)

    def turn(self):
        start = time.time()
        self.process.send_signal(signal.SIGCONT)
        self.line()
        took = time.time() - start
        self.stop()
        return took

    def memory(self):
        """MiB at the peak, and beside mapped files (the packed weights)."""
        with open("/proc/%d/status" % self.process.pid) as f:
            kb = {k: int(v.split()[0]) for k, v in (line.split(":", 1) for line in f) if k.startswith(("VmHWM", "Rss"))}
        return kb["VmHWM"] / 1024, (kb["VmHWM"] - kb["RssFile"]) / 1024

    def end(self):
        self.process.kill()
        self.process.wait()


class Peer:
    def __init__(self, name, variant, checkpoint):
        jax = name.startswith("jax")
        python = os.environ.get("JAX_PYTHON" if jax else "TORCH_PYTHON", sys.executable)
        env = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS")}
        if name == "jax-avx2":
            env["XLA_FLAGS"] = "--xla_cpu_max_isa=AVX2"
        command = [python, os.path.join(HERE, "peers.py"), "jax" if jax else name, variant, checkpoint, os.environ.get("SOURCE", "")]
        start = time.time()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
        assert self.process.stdout.readline() == "ready\n", name
        print("# %s: start to ready %.1f s" % (name, time.time() - start), flush=True)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def clips(folder, frames, n):
    """n clips of noise, no two alike."""
    for i in range(n):
        name = os.path.join(folder, "turn%d.npy" % i)
        np.save(name, np.random.default_rng(i).integers(0, 256, (frames, 288, 288, 3), np.uint8))
        yield name


def sentences(n):
    """n sentences that are 9 tokens with the class token, no two alike."""
    return [",".join(map(str, [262, 266, 768, 267, 1376, 14293, 1000 + i, 259])) for i in range(n)]


def report(variant, seconds):
    for (name, what), turns in seconds.items():
        wall, cpu = zip(*turns)
        print("%s,%s,%s,%.4f,%.4f,%.4f" % (variant, name, what, statistics.median(wall), min(wall), statistics.median(cpu)), flush=True)
    for mine in OURS:
        for theirs in PEERS:
            a, b = seconds.get((theirs, "clip")), seconds.get((mine, "clip"))
            if a and b:
                wall, cpu = (statistics.median(t[i] for t in a) / statistics.median(t[i] for t in b) for i in (0, 1))
                print("# %s %s: %.2f x %s (%.2f of processor time)" % (variant, mine, wall, theirs, cpu))


def main(variant, checkpoint, folder, rounds="3", names=None):
    rounds = int(rounds)
    names = names.split(",") if names else [*PEERS, *OURS]
    # One to warm up with, one more that nobody reaches: whoever is at his end has given his memory back.
    files, words = list(clips(folder, FRAMES[variant], rounds + 2)), sentences(SENTENCES + 2)
    peers = {n: Peer(n, variant, checkpoint) for n in names if n in PEERS}
    ours = {n: Ours(n, checkpoint, [x for f in files for x in ("--npy", f)]) for n in names if n in OURS}
    said = {n: Ours(n, checkpoint, [x for w in words for x in ("--ids", w)]) for n in ours}
    print("ready", flush=True)
    while os.environ.get("WAIT") and not os.path.exists(os.path.join(folder, "go")):
        time.sleep(0.2)
    seconds = {}
    print("model,who,what,median_s,best_s,median_cpu_s")
    for i in range(rounds):
        for n, peer in peers.items():
            seconds.setdefault((n, "clip"), []).append(timed(peer.process, lambda: peer.ask("clip " + files[i + 1])))
        for n, one in ours.items():
            seconds.setdefault((n, "clip"), []).append(timed(one.process, one.turn))
    for i in range(SENTENCES):
        for n, peer in peers.items():
            seconds.setdefault((n, "9 tokens"), []).append(timed(peer.process, lambda: peer.ask("ids " + words[i + 1])))
        for n, one in said.items():
            seconds.setdefault((n, "9 tokens"), []).append(timed(one.process, one.turn))
    report(variant, seconds)
    for n, one in ours.items():
        print("# %s: %.0f MiB at the peak, %.0f beside mapped files" % (n, *one.memory()))
    for one in [*peers.values(), *ours.values(), *said.values()]:
        one.end()
    print("done", flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
