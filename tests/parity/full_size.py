#!/usr/bin/env python3
"""Official VideoPrism and kinoseek side by side at full size, all released variants, random weights.

  python3 full_size.py SOURCE CLIP16.npy CLIP8.npy FOLDER [VARIANT...]

SOURCE: checkout of google-deepmind/videoprism. CLIPn.npy: uint8 [n,288,288,3], n frames of the official
clip water_bottle_drumming.mp4. FOLDER: for checkpoints and answers (8 GB for all four). Needs jax, flax,
einshape, einops, numpy, 20 GB of memory for lvt-large in float64, and build/kinoseek.

For each variant: `kinoseek model random`, then the official code on that file in float32 (jit, timed)
and in true float64, then kinoseek in fp32 (timed), in one run on one machine; REPEATS=3 timed official calls. Passes when no vector is
farther from float64 than 3 x the official float32 run is (tokens: or 2e-6 of their scale).
"""
import json
import os
import subprocess
import sys
import time

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "fixtures"))
import make_fixtures as official_side  # noqa: E402

PROGRAM = os.path.join(ROOT, os.environ.get("BUILD", "build"), "kinoseek")
NAMES = {"base": "videoprism_v1_base", "large": "videoprism_v1_large", "lvt-base": "videoprism_lvt_v1_base",
         "lvt-large": "videoprism_lvt_v1_large"}
# The five prompts of the video-text colab in the released tokenizer's ids.
PROMPTS = [[262, 266, 768, 267, 1376, 14293, 259], [262, 266, 768, 267, 2865, 259],
           [262, 266, 768, 267, 1376, 20682, 259], [262, 266, 768, 267, 1376, 289, 10691, 259],
           [262, 266, 768, 267, 4605, 259]]


def run_official(source, dtype, variant, checkpoint, clip, out):
    """All answers of the official code in one dtype, and how long a clip takes."""
    import jax
    double = dtype == "float64"
    jax.config.update("jax_enable_x64", double)
    jax.config.update("jax_platforms", "cpu")
    import jax.numpy as jnp
    encoders, layers = official_side.official(source)
    from videoprism import models
    if double:
        encoders.jnp = layers.jnp = official_side.Doubles(jnp)
    real = jnp.float64 if double else jnp.float32
    config = dict(models.CONFIGS[NAMES[variant]])
    lvt = variant.startswith("lvt")
    make = encoders.FactorizedVideoCLIP if lvt else encoders.FactorizedEncoder
    if lvt:
        config["vocabulary_size"] = 32000
    net = make(**config, dtype=real, fprop_dtype=real)
    with np.load(checkpoint) as z:
        tree = official_side.tree({k: jnp.asarray(z[k], real) for k in z.files})
    frames = (np.load(clip).astype(np.float32) / np.float32(255))[None]
    answers, seconds = {}, {}

    def video(t, x):
        return net.apply(t, x, train=False, return_intermediate=True)

    step = jax.jit(video)
    times = []
    for _ in range(1 if double else 1 + int(os.environ.get("REPEATS", "3"))):
        start = time.time()
        got = jax.block_until_ready(step(tree, jnp.asarray(frames, real)))
        times.append(time.time() - start)
    seconds["first"], seconds["clip"] = times[0], min(times[1:] or times)
    more = got[-1]
    answers["spatial"] = more["spatial_features"][0]
    if lvt:
        answers["spatiotemporal"] = more["spatiotemporal_features"][0]
        answers["frames"], answers["video"] = more["frame_embeddings"][0], got[0][0]
        ids, pad = np.zeros((1, 64), np.int32), np.ones((1, 64), np.float32)

        def text(t, i, p):
            return net.apply(t, None, i, p, train=False)[1][0]

        step, vectors = jax.jit(text), []
        for prompt in PROMPTS:
            ids[:], pad[:] = 0, 1
            ids[0, :len(prompt)], pad[0, :len(prompt)] = prompt, 0
            start = time.time()
            vectors.append(np.asarray(step(tree, jnp.asarray(ids), jnp.asarray(pad, real))))
            seconds["text"] = time.time() - start
        answers["text"] = np.stack(vectors)
    else:
        answers["spatiotemporal"] = got[0][0]
    np.savez(out, seconds=json.dumps(seconds), **{k: np.asarray(v) for k, v in answers.items()})


def kinoseek(*args):
    start = time.time()
    subprocess.run([PROGRAM, "-q", "--precision", "fp32", *args], check=True, stdout=subprocess.DEVNULL)
    return time.time() - start


def run_ours(variant, checkpoint, clip, folder):
    model, out = ["-m", checkpoint], os.path.join(folder, "out.npy")
    answers, seconds = {}, {}
    lvt = variant.startswith("lvt")
    for stage in ("spatial", "spatiotemporal", "frames") if lvt else ("spatial", "spatiotemporal"):
        took = kinoseek(*model, "features", "--stage", stage, "--npy", clip, "--force", "-o", out)
        answers[stage] = np.load(out)
    if lvt:
        one = kinoseek(*model, "embed", "--npy", clip, "-o", out)
        answers["video"] = np.load(out)[0]
        # Four different clips in one process less one clip in one process: three clips, warm.
        rolled = []
        for i in range(4):
            rolled.append(os.path.join(folder, "roll%d.npy" % i))
            np.save(rolled[-1], np.ascontiguousarray(np.roll(np.load(clip), 7 * i + 1, axis=2)))
        several = [x for r in rolled for x in ("--npy", r)]
        one = min(kinoseek(*model, "embed", *several[:2], "-o", out) for _ in range(2))
        seconds["clip"] = (kinoseek(*model, "embed", *several, "-o", out) - one) / 3
        texts = [x for p in PROMPTS for x in ("--ids", ",".join(map(str, p)))]
        kinoseek(*model, "embed", *texts, "-o", out)
        answers["text"] = np.load(out)
        many = texts * 20
        seconds["text"] = (kinoseek(*model, "embed", *many, "-o", out) - kinoseek(*model, "embed", *texts, "-o", out)) / 95
    else:
        seconds["clip"] = took
    return answers, seconds


def compare(variant, exact, single, ours):
    good = True
    for stage in ("spatial", "spatiotemporal", "frames", "video", "text"):
        if stage not in ours:
            continue
        want = exact[stage]
        scale, theirs, mine = np.abs(want).max(), np.abs(single[stage] - want).max(), np.abs(ours[stage] - want).max()
        bound = 3 * theirs if stage in ("frames", "video", "text") else max(3 * theirs, 2e-6 * scale)
        good &= bool(mine <= bound)
        print("| %s | %s | %.1e | %.1e | %.2f | %.1e | %s |" % (variant, stage, theirs, mine, mine / theirs, mine / scale,
                                                              "yes" if mine <= bound else "NO"), flush=True)
    return good


def main(source, clip16, clip8, folder, *variants):
    good, rates = True, []
    print("| variant | stage | official fp32 to float64 | ours to float64 | ratio | of the scale | within |")
    print("|---|---|---|---|---|---|---|")
    for variant in variants or NAMES:
        checkpoint, clip = os.path.join(folder, variant + ".npz"), clip8 if "large" in variant else clip16
        if not os.path.exists(checkpoint):
            subprocess.run([PROGRAM, "model", "random", "--like", variant, "--seed", "7", "-o", checkpoint], check=True)
        got = {}
        for dtype in ("float32", "float64"):
            out = os.path.join(folder, "%s.%s.npz" % (variant, dtype))
            if not os.path.exists(out) or dtype == "float32":  # float64 may be kept from an earlier run
                subprocess.run([sys.executable, os.path.abspath(__file__), "--official", source, dtype, variant, checkpoint, clip,
                                out], check=True)
            with np.load(out) as z:
                got[dtype] = {k: z[k] for k in z.files}
        ours, seconds = run_ours(variant, checkpoint, clip, folder)
        good &= compare(variant, got["float64"], got["float32"], ours)
        theirs = json.loads(str(got["float32"]["seconds"]))
        rates.append((variant, theirs, seconds))
    print("\n| variant | official JAX, a clip | first call | ours, a clip | ratio | official, a sentence | ours |")
    print("|---|---|---|---|---|---|---|")
    for variant, theirs, seconds in rates:
        print("| %s | %.2f s | %.1f s | %.2f s%s | %.2f | %s | %s |" % (
            variant, theirs["clip"], theirs["first"], seconds["clip"], "" if "text" in seconds else " (with start)",
            seconds["clip"] / theirs["clip"], "%.0f ms" % (1e3 * theirs["text"]) if "text" in theirs else "-",
            "%.0f ms" % (1e3 * seconds["text"]) if "text" in seconds else "-"))
    return 0 if good else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--official"]:
        run_official(*sys.argv[2:])
    elif len(sys.argv) < 5:
        sys.exit(__doc__)
    else:
        sys.exit(main(*sys.argv[1:]))
