#!/usr/bin/env python3
"""Names and shapes of every model that `kinoseek model random` writes, against the official initialisers.

  python3 names.py SOURCE FOLDER [MODEL...]

SOURCE as in full_size.py; FOLDER for one random checkpoint at a time (lvt-giant: 2.3 GB in f2). The official
side only works out shapes (jax.eval_shape): no weight is made. Fails on a name that is missing, extra or of
another shape, and where `model info` counts other parameters.
"""
import json
import os
import subprocess
import sys
import zipfile

import numpy as np

from full_size import PROGRAM, official_side

CLASSES = 400
BUILDERS = {"base": "videoprism_v1_base", "large": "videoprism_v1_large", "giant": "videoprism_v1_giant",
            "lvt-base": "videoprism_lvt_v1_base", "lvt-large": "videoprism_lvt_v1_large", "lvt-giant": "videoprism_lvt_v1_giant",
            "classifier-base": "videoprism_vc_v1_base"}


def official(models, name):
    """{name: shape} as the initialiser of the official model has them."""
    import jax
    import jax.numpy as jnp
    builder = getattr(models, BUILDERS[name])
    net = builder(num_classes=CLASSES) if name.startswith("classifier") else builder()
    frames = jax.ShapeDtypeStruct((1, 8 if "base" not in name else 16, 288, 288, 3), jnp.float32)
    inputs = [frames]
    if name.startswith("lvt"):
        inputs += [jax.ShapeDtypeStruct((1, 64), jnp.int32), jax.ShapeDtypeStruct((1, 64), jnp.float32)]
    shapes = jax.eval_shape(lambda key, *x: net.init(key, *x, train=False), jax.random.PRNGKey(0), *inputs)
    flat = jax.tree_util.tree_flatten_with_path(shapes)[0]
    return {"/".join(k.key for k in path): tuple(leaf.shape) for path, leaf in flat}


def ours(path):
    """{name: shape} from the headers of an npz."""
    out = {}
    with zipfile.ZipFile(path) as z:
        for member in z.namelist():
            with z.open(member) as f:
                assert np.lib.format.read_magic(f) == (1, 0)
                out[member[:-len(".npy")]] = np.lib.format.read_array_header_1_0(f)[0]
    return out


def main(source, folder, *names):
    official_side.official(source)
    from videoprism import models
    good = True
    for name in names or BUILDERS:
        path = os.path.join(folder, "names-%s.npz" % name)
        subprocess.run([PROGRAM, "model", "random", "--like", name, "--dtype", "f2", "-o", path], check=True, stdout=subprocess.DEVNULL)
        info = json.loads(subprocess.run([PROGRAM, "model", "info", path, "--json"], check=True, capture_output=True).stdout)
        theirs, mine = official(models, name), ours(path)
        os.unlink(path)
        wrong = sorted(set(theirs.items()) ^ set(mine.items()))
        counted = sum(int(np.prod(s)) for s in theirs.values())
        good &= not wrong and counted == info["parameters"]
        print("%s: %d tensors, %d parameters, %s" % (name, len(theirs), counted, "the same" if not wrong and counted == info["parameters"]
                                                      else "NOT the same: %s" % wrong[:6]), flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) > 2 else __doc__)
