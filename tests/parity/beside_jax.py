#!/usr/bin/env python3
"""A clip (and a sentence), official JAX (jit, fp32) and kinoseek (fp32) in alternation, both warm, on one machine.

  python3 beside_jax.py SOURCE VARIANT CHECKPOINT CLIP.npy FOLDER [ROUNDS]

SOURCE, CLIP.npy as in full_size.py; VARIANT base, large, lvt-base or lvt-large. Compiles and warms up first, then
waits until FOLDER/go exists (so that the machine can be made quiet), then takes turns: one process stands still
(SIGSTOP) while the other works. Prints each round, the medians, and kinoseek's memory beside its mapped files.
base and large have no command of many inputs: there a turn of ours is a whole `kinoseek features`, start and
the 12 MB file that it writes included.
"""
import os
import statistics
import subprocess
import sys
import time

import numpy as np

from full_size import NAMES, PROGRAM, ROOT, official_side

sys.path.insert(0, os.path.join(ROOT, "tests", "bench"))
from encoder_beside import Ours  # noqa: E402


class Features:
    """One `kinoseek features` a turn: its start and its answer's file are in the time."""

    def __init__(self, checkpoint, inputs):
        self.command = [PROGRAM, "-q", "--precision", "fp32", "-m", checkpoint, "features", "--force", "-o", inputs[0] + ".out.npy", "--npy"]
        self.inputs, self.peak = list(inputs), (0, 0)
        self.turn()

    def turn(self):
        start = time.time()
        process = subprocess.Popen(self.command + [self.inputs.pop(0)])
        while process.poll() is None:
            self.peak = max(self.peak, self.now(process.pid), key=lambda m: m[1])
            time.sleep(0.01)
        assert process.returncode == 0
        return time.time() - start

    @staticmethod
    def now(pid):
        kb = status(pid)
        return kb.get("VmHWM", 0) / 1024, kb.get("RssAnon", 0) / 1024

    def memory(self):
        return self.peak

    def end(self):
        pass


def status(pid):
    """What the kernel says of a process' memory, in kB; empty when it has ended."""
    try:
        with open("/proc/%d/status" % pid) as f:
            return {k: int(v.split()[0]) for k, v in (line.split(":", 1) for line in f) if k.startswith(("VmHWM", "Rss"))}
    except OSError:
        return {}


def official(source, variant, checkpoint):
    import jax
    jax.config.update("jax_platforms", "cpu")
    import jax.numpy as jnp
    encoders, _ = official_side.official(source)
    from videoprism import models
    lvt = variant.startswith("lvt")
    config = dict(models.CONFIGS[NAMES[variant]], **({"vocabulary_size": 32000} if lvt else {}))
    net = (encoders.FactorizedVideoCLIP if lvt else encoders.FactorizedEncoder)(**config)
    with np.load(checkpoint) as z:
        tree = official_side.tree({k: jnp.asarray(z[k]) for k in z.files})
    video = jax.jit(lambda t, x: net.apply(t, x, train=False)[0])
    text = jax.jit(lambda t, i, p: net.apply(t, None, i, p, train=False)[1])

    def timed(f, *x):
        start = time.time()
        jax.block_until_ready(f(tree, *[jnp.asarray(a) for a in x]))
        return time.time() - start
    return lambda x: timed(video, x), lambda i, p: timed(text, i, p)


def sentences(n):
    """n sentences of 9 tokens, no two alike."""
    return [[262, 266, 768, 267, 1376, 14293, 289, 1000 + i, 259] for i in range(n)]


def main(source, variant, checkpoint, clip, folder, rounds="3"):
    rounds, files = int(rounds), []
    pixels = np.load(clip)
    for i in range(rounds + 1):
        files.append(os.path.join(folder, "turn%d.npy" % i))
        np.save(files[-1], np.ascontiguousarray(np.roll(pixels, 7 * i + 1, axis=2)))
    frames = [(np.load(f).astype(np.float32) / np.float32(255))[None] for f in files]
    video, text = official(source, variant, checkpoint)
    print("first call %.1f s" % video(frames[0]), flush=True)
    lvt = variant.startswith("lvt")
    ours = Ours("fp32", checkpoint, [x for f in files for x in ("--npy", f)]) if lvt else Features(checkpoint, files)
    speak = sentences_side(checkpoint, text, 5 * rounds) if lvt else None
    print("ready", flush=True)
    while not os.path.exists(os.path.join(folder, "go")):
        time.sleep(0.2)
    theirs, mine = [], []
    for i in range(1, rounds + 1):
        theirs.append(video(frames[i]))
        mine.append(ours.turn())
        print("%s clip %d: official %.2f s, ours %.2f s" % (variant, i, theirs[-1], mine[-1]), flush=True)
    whole, beside = ours.memory()
    ours.end()
    a, b = statistics.median(theirs), statistics.median(mine)
    told = "; 9 tokens %.0f ms official, %.1f ms ours" % speak() if lvt else ""
    print("%s: a clip %.2f s official, %.2f s ours, ratio %.2f%s; ours at its peak %.0f MiB, %.0f beside mapped files" % (
        variant, a, b, b / a, told, whole, beside), flush=True)
    print("done", flush=True)


def sentences_side(checkpoint, text, n):
    """Both sides warm with one sentence; what comes back times n more of each, medians in ms."""
    words = sentences(n + 1)
    padded = [np.array([w + [0] * 55], np.int32) for w in words]
    paddings = np.array([[0] * 9 + [1] * 55], np.float32)
    text(padded[0], paddings)
    said = Ours("fp32", checkpoint, [x for w in words for x in ("--ids", ",".join(map(str, w)))])

    def speak():
        told = [text(w, paddings) for w in padded[1:]]
        spoke = [said.turn() for _ in padded[1:]]
        said.end()
        return 1e3 * statistics.median(told), 1e3 * statistics.median(spoke)
    return speak


if __name__ == "__main__":
    if len(sys.argv) < 6:
        sys.exit(__doc__)
    main(*sys.argv[1:])
