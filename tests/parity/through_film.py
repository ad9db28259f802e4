#!/usr/bin/env python3
"""Films all the way: the official pipeline and kinoseek on the same seconds of real films.

  python3 through_film.py SOURCE VIDEOS FOLDER

SOURCE: checkout of google-deepmind/videoprism. VIDEOS: a folder with at least ten films. FOLDER: for a library. Needs
jax, flax, einshape, einops, numpy, Pillow >= 13, ffmpeg, ffprobe and build/kinoseek; takes two minutes.

Official: ffmpeg's rgb24 pictures, of the N in [a,b) those with numbers floor(i N / T) - or, in a shot longer than the
window, for each grid time the last one shown by then - Pillow's Lanczos, bytes / 255, the official model in float32 on
the weights of tests/fixtures/lvt.npz. Ours: `embed --video FILE@a-b` (1e-5 of each number), and clips stored by
`ingest --precision fp32` (each number within 2^-11 of itself + 1e-5)."""
import json
import os
import shutil
import sqlite3
import subprocess
import sys

import numpy as np
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "fixtures"))
import make_fixtures as official_side  # noqa: E402

PROGRAM = os.path.join(ROOT, os.environ.get("BUILD", "build"), "kinoseek")
MODEL = os.path.join(ROOT, "tests", "fixtures", "lvt.npz")
T, SIDE, WINDOW = 4, 54, 8.0
SPANS = [("carphone.mp4", 0.5, 3.5), ("llava_demo_22.mp4", 5, 8), ("pancake_flip.mkv", 2, 9.5), ("ct_cat.mp4", 1, 4),
         ("playing_guitar.mp4", 3.21, 4.56)]
FILMS = ["pe_dog.mp4", "vl_boat.mp4", "mmaction_test.mp4", "univtg_charades.mp4", "yoga.mp4"]


def film(path):
    """All pictures [n,h,w,3] and their seconds from the film's start."""
    rows = json.loads(subprocess.check_output(
        ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries",
         "format=start_time:stream=width,height:frame=best_effort_timestamp_time", "-of", "json", path]))
    start = float(rows["format"].get("start_time", 0))
    w, h = rows["streams"][0]["width"], rows["streams"][0]["height"]
    raw = subprocess.check_output(["ffmpeg", "-v", "error", "-nostdin", "-i", path, "-map", "0:v:0", "-fps_mode", "passthrough",
                                   "-pix_fmt", "rgb24", "-f", "rawvideo", "-"])
    pictures = np.frombuffer(raw, np.uint8).reshape(-1, h, w, 3)
    times = np.array([float(f["best_effort_timestamp_time"]) - start for f in rows["frames"]])
    assert len(times) == len(pictures), path
    return pictures, times


class Official:
    def __init__(self, source):
        import jax
        jax.config.update("jax_platforms", "cpu")
        import jax.numpy as jnp
        encoders, _ = official_side.official(source)
        net = official_side.build(encoders, "clip", official_side.MODELS["lvt"][1])
        self.jnp, self.step = jnp, jax.jit(lambda tree, x: net.apply(tree, x, None, None, train=False)[0][0])
        with np.load(MODEL) as z:
            self.tree = official_side.tree({k: jnp.asarray(z[k]) for k in z.files})

    def vector(self, pictures):
        small = [np.asarray(Image.fromarray(p).resize((SIDE, SIDE), Image.LANCZOS)) for p in pictures]
        x = np.stack(small).astype(np.float32) / np.float32(255)
        return np.asarray(self.step(self.tree, self.jnp.asarray(x[None])), np.float64)


def spread(pictures, times, a, b):
    own = [p for p, t in zip(pictures, times) if a - 1e-6 <= t < b - 1e-6]
    return [own[i * len(own) // T] for i in range(T)]


def on_grid(pictures, times, a):
    return [pictures[np.searchsorted(times, a + i * WINDOW / T + 1e-6, side="right") - 1] for i in range(T)]


def embedded(official, videos):
    worst = 0
    for name, a, b in SPANS:
        path = os.path.join(videos, name)
        line = subprocess.check_output([PROGRAM, "-q", "-m", MODEL, "embed", "--video", f"{path}@{a}-{b}"], text=True)
        ours, theirs = np.array(json.loads(line)["vector"]), official.vector(spread(*film(path), a, b))
        off = float(np.abs(ours - theirs).max())
        print(f"embed {name}@{a}-{b}: {off:.1e} apart")
        worst = max(worst, off)
    return worst <= 1e-5


def stored(library):
    db = sqlite3.connect(f"file:{library}/catalog.db?mode=ro", uri=True)
    for path, start, stop, num, den, reason, half in db.execute(
            "SELECT p.path, c.start, c.stop, v.tb_num, v.tb_den, c.reason, x.half FROM clip c JOIN video v ON v.id = c.video "
            "JOIN path p ON p.video = v.id JOIN vector x ON x.clip = c.id ORDER BY p.path, c.start"):
        yield os.fsdecode(path), start * num / den, stop * num / den, reason, np.frombuffer(half, np.float16).astype(np.float64)


def ingested(official, videos, folder):
    library, good, clips, grid = os.path.join(folder, "library"), True, 0, 0
    shutil.rmtree(library, ignore_errors=True)
    subprocess.run([PROGRAM, "-q", "-L", library, "-m", MODEL, "--precision", "fp32", "ingest"] + [os.path.join(videos, f) for f in FILMS],
                   check=True, stdout=subprocess.DEVNULL)
    now, known, worst = None, None, {}
    kinds = json.loads("[" + ",".join(subprocess.check_output([PROGRAM, "-L", library, "clips", "--json"], text=True).splitlines()) + "]")
    reasons = {(os.path.basename(c["path"]), round(c["start"], 3)): c["reason"] for c in kinds}
    for path, a, b, _, ours in stored(library):
        if path != now:
            now, known = path, film(path)
        whole = reasons[os.path.basename(path), round(a, 3)] == "shot"
        theirs = official.vector(spread(*known, a, b) if whole else on_grid(*known, a))
        room = np.abs(theirs) * 2.0 ** -11 + 1e-5
        share = float((np.abs(ours - theirs) / room).max())
        worst[os.path.basename(path)] = max(worst.get(os.path.basename(path), 0), share)
        good, clips, grid = good and share <= 1, clips + 1, grid + (not whole)
    for name, share in worst.items():
        print(f"ingest {name}: at worst {share:.2f} of what may be off")
    print(f"{clips} clips of {len(worst)} films, {grid} of them on the grid")
    return good and len(worst) == len(FILMS) and grid > 0


if __name__ == "__main__":
    model = Official(sys.argv[1])
    ok = [embedded(model, sys.argv[2]), ingested(model, sys.argv[2], sys.argv[3])]
    print("equal" if all(ok) else "NOT equal")
    sys.exit(not all(ok))
