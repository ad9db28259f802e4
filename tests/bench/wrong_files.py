#!/usr/bin/env python3
"""How soon a wrong file of full size is refused: one fault in its last tensor.

  python3 tests/bench/wrong_files.py CHECKPOINT...

CHECKPOINT: .npz of stored members (`kinoseek model random --like lvt-base -o FILE`) or .safetensors. It is changed in
place and mended again. Each fault is met by `kinoseek embed` with an empty cache; a line says seconds, processor
seconds, GB/s of either, and the peak of memory. Read the file once before (cat FILE >/dev/null): disks are not meant.
"""
import os
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib

PROGRAM = os.path.join(os.environ.get("BUILD", "build"), "kinoseek")


def refuse(path, what):
    with tempfile.TemporaryDirectory() as cache:
        start = time.time()
        p = subprocess.Popen([PROGRAM, "-m", path, "embed", "--ids", "5,7"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                             text=True, env=dict(os.environ, XDG_CACHE_HOME=cache))
        said = p.stderr.read().strip()
        _, status, use = os.wait4(p.pid, 0)
        took, cpu = time.time() - start, use.ru_utime + use.ru_stime
        size = os.path.getsize(path) / 1e9
        good = os.waitstatus_to_exitcode(status) == 4 and said.count("\n") == 0
        print("%s %s: %.2f s (%.1f GB/s), processor %.2f s (%.1f GB/s), %.0f MiB, %s" % (
            path, what, took, size / took, cpu, size / cpu, use.ru_maxrss / 1024, said if good else "WRONG: " + said), flush=True)
        return good


def with_edits(path, what, edits):
    """edits: [(offset, bytes)]."""
    with open(path, "r+b") as f:
        kept = []
        for at, new in edits:
            f.seek(at)
            kept.append((at, f.read(len(new))))
            f.seek(at)
            f.write(new)
        f.flush()
        good = refuse(path, what)
        for at, old in kept:
            f.seek(at)
            f.write(old)
    return good


def npz(path):
    with zipfile.ZipFile(path) as z:
        last, directory = max(z.infolist(), key=lambda i: i.header_offset), z.start_dir
    with open(path, "rb") as f:
        f.seek(last.header_offset + 26)
        data = last.header_offset + 30 + sum(struct.unpack("<HH", f.read(4)))
        f.seek(data)
        body = bytearray(f.read(last.file_size))
        f.seek(directory)
        entry = directory + f.read().rfind(b"PK\1\2")
    element = 4 if b"<f4" in body[:128] else 2
    nan, end = struct.pack("<f", float("nan")) if element == 4 else struct.pack("<e", float("nan")), data + len(body)
    flipped = bytes([body[-1] ^ 1])
    body[-element:] = nan
    crc = struct.pack("<I", zlib.crc32(body))
    return (with_edits(path, "a flipped bit", [(end - 1, flipped)]) &
            with_edits(path, "NaN, its CRC right", [(end - element, nan), (last.header_offset + 14, crc), (entry + 16, crc)]) &
            with_edits(path, "big-endian", [(data + body[:128].index(b"'<f") + 1, b">")]))


def main(paths):
    good = True
    for path in paths:
        if path.endswith(".npz"):
            good &= npz(path)
        else:
            good &= with_edits(path, "Inf", [(os.path.getsize(path) - 4, struct.pack("<f", float("inf")))])
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) if len(sys.argv) > 1 else __doc__)
