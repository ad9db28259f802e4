#!/bin/sh
# Films cut at every 61 bytes (SLICE=1: every 2039): what lies wholly before the cut is delivered, the
# verdict is never "indexed" where frames are gone, and no picture is older than its time.
: "${BUILD:=build}"
step=61
[ -n "${SLICE:-}" ] && step=2039
corpus=$(sh tests/hostile/corpus.sh) || { echo "not ok - the corpus cannot be made"; exit 1; }
here=$(pwd)
case "$BUILD" in /*) at=$BUILD ;; *) at=$here/$BUILD ;; esac
python3 - "$corpus" "$at/tests/prog_film_probe" "$at/kinoseek-decode" "$step" <<'PY'
import os, subprocess, sys, tempfile
corpus, probe, decoder, step = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
for name in ("00_reference.mp4", "64_fragmented.mp4", "00_reference.mkv", "00_reference.ts", "2d_avi_no_index.avi"):
    path = os.path.join(corpus, name)
    data = open(path, "rb").read()
    rows = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pos,size", "-of", "csv=p=0", path],
                          capture_output=True, text=True).stdout.split()
    packets = sorted((int(r.split(",")[1]) + int(r.split(",")[0])) for r in rows if r.count(",") >= 1 and "N/A" not in r)
    # a transport packet carries its payload in pieces of 184 bytes, and ends where the next begins
    slack = 188 * 4 if name.endswith(".ts") else 0
    bad, tried, least = [], 0, 1.0
    with tempfile.TemporaryDirectory() as folder:
        cuts = list(range(step, len(data), step))
        names = []
        for c in cuts:
            p = os.path.join(folder, str(c))
            open(p, "wb").write(data[:c])
            names.append(p)
        for i in range(0, len(names), 64):
            out = subprocess.run([probe, decoder] + names[i:i + 64], capture_output=True, text=True).stdout
            for line in out.splitlines():
                g = line.split("\t")
                c = int(g[0])
                tried += 1
                have = sum(1 for e in packets if e + slack <= c)
                got = int(g[2])
                if got + 3 < have: bad.append("%d: %d of %d frames (%s)" % (c, got, have, g[-1]))
                if have: least = min(least, got / have)
                if g[1] == "indexed" and got < len(packets) - 1 and not name.endswith((".ts", ".avi")): bad.append("%d: silent, %d frames" % (c, got))
                if g[1] == "failed": bad.append("%d: %s" % (c, g[-1]))
                if got and g[10]:
                    lo, hi = [float(x) for x in g[10].split("/")[0].split("..")]
                    if lo < -0.041 or hi > 0.291: bad.append("%d: clock %s" % (c, g[10]))
    print("%s - %s: %d cuts, at least %.1f %% of the frames before each%s" % ("not ok" if bad else "ok", name, tried, 100 * least, "; " + "; ".join(bad[:5]) if bad else ""))
PY
