#!/usr/bin/env python3
"""embed and features from outside: against the fixtures of the official code, and every way to be wrong.
Run from the repository root by tests/cli/embed.sh; needs nothing but Python's own library and ffmpeg."""
import json
import os
import struct
import subprocess
import sys
import tempfile
import zipfile

PROGRAM = os.path.join(os.environ.get("BUILD", "build"), "kinoseek")
MASK = (1 << 64) - 1
TMP = tempfile.mkdtemp(prefix="ks_embed_")
os.environ["XDG_CACHE_HOME"] = TMP
number = 0


def check(good, name, why=""):
    global number
    number += 1
    print("%s %d - %s%s" % ("ok" if good else "not ok", number, name, "" if good else "  # " + str(why)[:600]))


def parse_npy(data):
    assert data[:6] == b"\x93NUMPY", data[:8]
    size = struct.unpack("<H", data[8:10])[0]
    head = eval(data[10:10 + size].decode(), {})  # our own fixtures and outputs
    code = {"<f8": "d", "<f4": "f", "<i8": "q"}[head["descr"]]
    body = data[10 + size:]
    return head["shape"], list(struct.unpack("<%d%s" % (len(body) // struct.calcsize(code), code), body))


def read_npy(path):
    with open(path, "rb") as f:
        return parse_npy(f.read())


def write_npy(path, descr, shape, data):
    head = ("{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (descr, shape)).encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + data)


class Ref:
    def __init__(self, model):
        self.z = zipfile.ZipFile("tests/fixtures/%s.ref.npz" % model)
        self.names = [n[:-4] for n in self.z.namelist()]

    def get(self, name):
        return parse_npy(self.z.read(name + ".npy"))

    def far(self, name, values):
        """Distance over the bound: at most 1 is right."""
        want = self.get(name)[1]
        if len(want) != len(values):
            return 1e9
        bound = max(3 * self.get(name + ".fp32")[1][0], 2e-6 * max(map(abs, want)))
        return max(abs(a - b) for a, b in zip(want, values)) / bound


def splitmix(x):
    z = (x + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & MASK
    return z ^ z >> 31


def pixels(seed, T, side):
    s, out, i, block = seed << 40, bytearray(), 0, {}
    for t in range(T):
        for y in range(side):
            for x in range(side):
                for c in range(3):
                    key = ((t * 64 + y // 18) * 64 + x // 18) * 4 + c
                    if key not in block:
                        block[key] = splitmix(s + key + (1 << 36)) >> 57
                    out.append(block[key] + (splitmix(s + i) >> 57))
                    i += 1
    return bytes(out)


def clip(ref, case):
    """The .npy of a case, its side and paddings."""
    seed, T, side, floats = ref.get(case + "/input")[1]
    px = pixels(seed, T, side)
    path = os.path.join(TMP, "%d_%d.npy" % (seed, floats))
    if floats:
        single = [struct.unpack("f", struct.pack("f", b / 255))[0] for b in range(256)]
        write_npy(path, "<f4", (T, side, side, 3), struct.pack("<%df" % len(px), *[single[b] for b in px]))
    else:
        write_npy(path, "|u1", (T, side, side, 3), px)
    pads = [str(int(p)) for p in ref.get(case + "/paddings")[1]] if case + "/paddings" in ref.names else None
    return ["--npy", path] + (["--frame-paddings", ",".join(pads)] if pads else [])


def run(*args):
    p = subprocess.run([PROGRAM, *args], capture_output=True)
    return p.returncode, p.stdout.decode(), p.stderr.decode("utf-8", "replace")


def lines(*args):
    code, out, err = run(*args)
    return [json.loads(line) for line in out.splitlines()] if code == 0 else err


def model(name):
    return ["-m", "tests/fixtures/" + name]


def of_texts():
    for name, path in (("lvt", "lvt.npz"), ("hybrid", "hybrid.npz"), ("noaux", "noaux.npz"), ("small", "small.npz"),
                       ("small", "small_hf/model.safetensors"), ("small_f2", "small_f2.npz")):
        ref = Ref(name)
        cases = [n[:-4] for n in ref.names if n.startswith("text_") and n.endswith("/ids")]
        args = []
        for case in cases:
            args += ["--ids", ",".join(str(i) for i in ref.get(case + "/ids")[1])]
        got = lines(*model(path), "embed", *args)
        far = max(ref.far(c + "/vector", g["vector"]) for c, g in zip(cases, got)) if len(got) == len(cases) else 1e9
        check(far <= 1, "%s: %d sentences by ids are the official ones" % (path, len(cases)), (far, got))
    a, b = (lines(*model("lvt.npz"), "embed", *x)[0] for x in (["--text", "A dog, Jumping!"], ["--text", "a dog jumping"]))
    c = lines(*model("lvt.npz"), "embed", "--ids", ",".join(map(str, a["tokens"])))[0]
    check(a["vector"] == b["vector"] == c["vector"] and a["kind"] == "text" and a["input"] == "A dog, Jumping!" and a["dim"] == 16,
          "words are their canonical form's ids", (a, b, c))
    code, out, err = run(*model("lvt.npz"), "embed", "--text", "zq " * 40 + "the last words")
    got = json.loads(out)
    check(code == 0 and len(got["tokens"]) == 64 and "the last words." in err, "what is cut at 64 tokens is said", err)
    for more in (["-v"], ["--threads", "1"], ["--precision", "fp32"]):
        err = run(*model("lvt.npz"), *more, "embed", "--text", "zq " * 90)[2]
        check(err.count("\n") == 1 and "cut off (" in err, "so with " + " ".join(more), err)
    check(run(*model("lvt.npz"), "-q", "embed", "--text", "zq " * 90)[2] == "", "-q says nothing of it")


def of_clips():
    for name, path in (("lvt", "lvt.npz"), ("small", "small_hf/model.safetensors"), ("noaux", "noaux.npz")):
        ref = Ref(name)
        for case in [n[:-6] for n in ref.names if n.endswith("/input")]:
            got = lines(*model(path), "embed", *clip(ref, case))
            far = ref.far(case + "/global", got[0]["vector"]) if isinstance(got, list) else got
            check(isinstance(far, float) and far <= 1, "%s: clip %s is the official one" % (path, case), far)


def of_stages():
    out = os.path.join(TMP, "out.npy")
    for name, case, stages in (("lvt", "more", ("spatial", "spatiotemporal", "auxiliary", "frames", "global")),
                               ("lvt", "padded", ("spatial", "spatiotemporal", "auxiliary", "frames", "global")),
                               ("noaux", "more", ("spatial", "spatiotemporal", "frames", "global")),
                               ("encoder", "other", ("spatial", "spatiotemporal")),
                               ("encoder", "padded", ("spatial", "spatiotemporal")),
                               ("classifier", "other", ("spatial", "spatiotemporal", "global", "logits")),
                               ("classifier", "padded", ("logits",))):
        ref = Ref(name)
        which, far, wrong = clip(ref, case), 0, ""
        for stage in stages:
            code, _, err = run(*model(name + ".npz"), "features", "--stage", stage, *which, "--force", "-o", out)
            shape, got = read_npy(out) if code == 0 else ((), [])
            if code or shape != ref.get("%s/%s" % (case, stage))[0]:
                wrong += "%s: %s %s; " % (stage, shape, err)
            far = max(far, ref.far("%s/%s" % (case, stage), got))
        check(far <= 1 and not wrong, "%s: %s of clip %s are the official ones" % (name, ", ".join(stages), case), (far, wrong))
    for name, stage in (("lvt", "global"), ("encoder", "spatiotemporal"), ("classifier", "logits")):
        ref = Ref(name)
        code, _, err = run(*model(name + ".npz"), "features", *clip(ref, "trained"), "--force", "-o", out)
        check(code == 0 and ref.far("trained/" + stage, read_npy(out)[1]) <= 1, "%s: its own answer is %s" % (name, stage), err)


def of_order():
    ref = Ref("lvt")
    npy = clip(ref, "trained")
    args = ["--text", "a", *npy, "--ids", "5", "--text", "b", "--ids", ""]
    got = lines(*model("lvt.npz"), "embed", *args)
    check([g["kind"] for g in got] == ["text", "npy", "ids", "text", "ids"], "inputs come in the order given", got)
    out = os.path.join(TMP, "all.npy")
    piped = subprocess.run([PROGRAM, *model("lvt.npz"), "embed", *args, "-o", "-"], capture_output=True)
    code, text, err = run(*model("lvt.npz"), "embed", *args, "-o", out)
    check(piped.returncode == 0 and piped.stdout == open(out, "rb").read() and not os.path.exists("-"), "-o - is standard output", piped.stderr)
    again, _, err = run(*model("lvt.npz"), "embed", "--ids", "1", "-o", out)
    forced, _, _ = run(*model("lvt.npz"), "embed", *args, "-o", out, "--force")
    check((again, forced) == (2, 0) and "already" in err, "-o replaces nothing without --force", (again, forced, err))
    shape, values = read_npy(out)
    same = [struct.unpack("f", struct.pack("f", v))[0] for g in got for v in g["vector"]] == values
    check(code == 0 and text == "" and shape == (5, 16) and same, "-o writes the very floats that JSON reads back", (shape, err))


def of_films():
    """A lossless film as large as the model's pictures, so that no resize stands between."""
    T, side, n = 4, 54, 22
    px, size = pixels(7, n, side), side * side * 3
    film = os.path.join(TMP, "film@2-4.mkv")
    made = subprocess.run(["ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "54x54", "-r", "10", "-i", "-",
                           "-c:v", "ffv1", "-pix_fmt", "bgr0", film], input=px, capture_output=True)
    if made.returncode:
        check(False, "ffmpeg makes a film", made.stderr)
        return

    def by_numbers(numbers):
        path = os.path.join(TMP, "picked.npy")
        write_npy(path, "|u1", (len(numbers), side, side, 3), b"".join(px[i * size:(i + 1) * size] for i in numbers))
        return lines(*model("lvt.npz"), "embed", "--npy", path)[0]["vector"]

    for times, first, N, frames in (("", 0, 22, 0), ("@0.5-1.7", 5, 12, 0), ("@1.0", 10, 12, 0), ("@2.0-2.1", 20, 1, 0),
                                    ("@0:00:00.5-0:01.5", 5, 10, 0), ("", 0, 22, 7), ("@2.1-99", 21, 1, 3)):
        want = by_numbers([first + i * N // (frames or T) for i in range(frames or T)])
        extra = ["--frames", str(frames)] if frames else []
        got = lines(*model("lvt.npz"), "embed", *extra, "--video", film + times)
        check(isinstance(got, list) and got[0]["vector"] == want and got[0]["input"] == film + times,
              "film %s by %s frames takes frame floor(i*N/T)" % (times or "whole", frames or T), got)
    picture = os.path.join(TMP, "p.png")
    subprocess.run(["ffmpeg", "-v", "error", "-i", film, "-frames:v", "1", picture], check=True)
    got = lines(*model("lvt.npz"), "embed", "--image", picture)
    check(isinstance(got, list) and got[0]["vector"] == by_numbers([0] * T), "a picture is a film that stands still", got)
    turned(os.path.join(TMP, "turned.jpg"))
    for args, what in ((["--video", film + "@5-3"], 2), (["--video", film + "@x"], 2), (["--video", film + "@50-60"], 4),
                       (["--video", TMP + "/none.mkv"], 4), (["--image", TMP + "/none.png"], 4), (["--video", __file__], 4)):
        code, out, err = run(*model("lvt.npz"), "embed", *args)
        check(code == what and out == "" and err.count("\n") == 1, "%s is exit %d" % (args[1].replace(TMP, ""), what), (code, err))


def turned(path):
    """A photograph lies as its Exif orientation says: of 8 ways, each the vector of the picture as it is seen."""
    ffmpeg = ["ffmpeg", "-v", "error", "-y"]
    subprocess.run(ffmpeg + ["-f", "lavfi", "-i", "testsrc=s=96x64", "-frames:v", "1", "-pix_fmt", "yuvj444p", "-q:v", "2", path], check=True)
    with open(path, "rb") as f:
        jpeg = f.read()
    seen, wrong = os.path.join(TMP, "seen.png"), []
    for way, turn in enumerate(("null", "hflip", "hflip,vflip", "vflip", "transpose=0", "transpose=1", "transpose=3", "transpose=2"), 1):
        with open(path, "wb") as f:
            f.write(jpeg)
        subprocess.run(ffmpeg + ["-i", path, "-vf", turn, "-pix_fmt", "rgb24", seen], check=True)
        exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01" + struct.pack(">HHIHH", 0x112, 3, 1, way, 0) + bytes(4)
        with open(path, "wb") as f:
            f.write(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:])
        a, b = (lines(*model("lvt.npz"), "embed", "--image", x) for x in (path, seen))
        far = max(abs(x - y) for x, y in zip(a[0]["vector"], b[0]["vector"])) if isinstance(a, list) and isinstance(b, list) else 9
        wrong += [(way, far)] if far > 0.002 else []
    check(not wrong, "a photograph is seen as its Exif orientation turns it", wrong)
    for damaged in (b"Exif\0\0XX", b"Exif\0\0MM\0\x2a\xff\xff\xff\xff", b"Exif\0\0II\x2a\0\x08\0\0\0\xff\xff"):
        with open(path, "wb") as f:
            f.write(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(damaged) + 2) + damaged + jpeg[2:])
        got = lines(*model("lvt.npz"), "embed", "--image", path)
        check(isinstance(got, list), "Exif data that is damaged harms no picture", got)


def of_wrong_use():
    ref = Ref("lvt")
    npy = clip(ref, "trained")
    short = os.path.join(TMP, "short.npy")
    with open(npy[1], "rb") as f:
        data = f.read()
    with open(short, "wb") as f:
        f.write(data[:-1])
    odd = os.path.join(TMP, "odd.npy")
    write_npy(odd, "|u1", (1, 55, 55, 3), bytes(55 * 55 * 3))
    for name, args, want, say in (
            ("lvt.npz", ["embed"], 2, "nothing to embed"), ("lvt.npz", ["embed", "word"], 2, "--text"),
            ("lvt.npz", ["embed", "--ids", "1,,2"], 2, "commas"), ("lvt.npz", ["embed", "--ids", "1,x"], 2, "commas"),
            ("lvt.npz", ["embed", "--ids", "-1"], 2, "-1"), ("lvt.npz", ["embed", "--ids", "40"], 2, "40"),
            ("lvt.npz", ["embed", "--ids", "1,"], 2, "commas"), ("lvt.npz", ["embed", "--ids", "99999999999999999999"], 2, "token id"),
            ("lvt.npz", ["embed", "--ids", ",".join(["1"] * 65)], 2, "64"), ("lvt.npz", ["embed", "--text", b"a\xff"], 2, "UTF-8"),
            ("small.npz", ["embed", "--text", "a"], 2, "tokenizer"), ("encoder.npz", ["embed", *npy], 2, "LvT"),
            ("encoder.npz", ["embed", "--video", "none.mp4"], 2, "LvT"), # before the film is decoded
            ("encoder.npz", ["embed", "--ids", "1"], 2, "text"), ("lvt.npz", ["embed", "--npy", short], 4, "short.npy"),
            ("lvt.npz", ["embed", "--npy", odd], 2, "55"), ("lvt.npz", ["embed", "--npy", __file__], 4, "npy"),
            ("lvt.npz", ["embed", *npy, "--frame-paddings", "0,1"], 2, "4"),
            ("lvt.npz", ["embed", *npy, "--frame-paddings", "0,1,2,0"], 2, "zeros and ones"),
            ("lvt.npz", ["embed", "--ids", "1", "--frame-paddings", "0"], 2, "--npy"),
            ("none.npz", ["embed", "--ids", "1"], 4, "none.npz"),
            ("lvt.npz", ["--tokenizer", "tests/fixtures/bos.spm", "embed", "--text", "a"], 4, "64 pieces"),
            ("lvt.npz", ["embed", "--ids", "1", "-o", TMP + "/no/where.npy"], 5, "where.npy"),
            ("lvt.npz", ["embed", "--image", "none.png", "-o", TMP + "/no/where.npy"], 5, "where.npy"), # before any work
            ("lvt.npz", ["features", "--image", "none.png", "-o", TMP + "/no/where.npy"], 5, "where.npy"),
            ("lvt.npz", ["embed", "--image", "none.png", "-o", TMP], 5, "directory"),
            ("lvt.npz", ["features", *npy], 2, "-o"), ("lvt.npz", ["features", "-o", TMP + "/x.npy"], 2, "one clip"),
            ("lvt.npz", ["features", *npy, "--stage", "logits", "-o", TMP + "/x.npy"], 2, ""),
            ("encoder.npz", ["features", *npy, "--stage", "global", "-o", TMP + "/x.npy"], 2, ""),
            ("lvt.npz", ["features", *npy, "--stage", "nine", "-o", TMP + "/x.npy"], 2, "nine")):
        code, out, err = run(*model(name), *args)
        good = code == want and out == "" and err.count("\n") == 1 and say in err
        check(good, "%s %s is exit %d" % (name, " ".join(str(a) for a in args).replace(TMP, "")[:60], want), (code, err))
    check(not os.path.exists(TMP + "/x.npy"), "and nothing was written")
    for device, want in (("/dev/full", 5), ("/dev/stdout", 0)):
        link = os.path.join(TMP, os.path.basename(device))
        os.symlink(device, link)  # what is done to the link would be done to the device
        p = subprocess.run([PROGRAM, *model("lvt.npz"), "embed", "--ids", "1", "-o", link], capture_output=True)
        good = p.returncode == want and os.path.islink(link) and not os.path.exists(link + ".part")
        check(good and len(p.stdout) == (128 + 16 * 4 if want == 0 else 0), "-o %s is written to, not replaced" % device, p)


def of_broken_weights():
    """Finite weights whose answer is none: said of the model, never printed as a vector."""
    ref = Ref("lvt")
    for weight, say in ((1e30, "not finite"), (0.0, "without a direction")):
        path = os.path.join(TMP, "broken%g.npz" % weight)
        with zipfile.ZipFile("tests/fixtures/lvt.npz") as old, zipfile.ZipFile(path, "w") as new:
            for name in old.namelist():
                data = old.read(name)
                head = 10 + struct.unpack("<H", data[8:10])[0]
                new.writestr(name, data[:head] + struct.pack("<f", weight) * ((len(data) - head) // 4))
        for args in (["--ids", "4,5"], clip(ref, "trained")):
            code, out, err = run("-m", path, "embed", *args)
            good = code == 4 and out == "" and err.count("\n") == 1 and say in err and os.path.basename(path) in err
            check(good, "weights of %g give %s no vector" % (weight, args[0]), (code, out, err))


def main():
    for part in (of_texts, of_clips, of_stages, of_order, of_films, of_wrong_use, of_broken_weights):
        part()
    subprocess.run(["rm", "-rf", TMP])


if __name__ == "__main__":
    sys.exit(main())
