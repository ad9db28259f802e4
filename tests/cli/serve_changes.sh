#!/bin/sh
# `serve` while the world around it changes: the disk fills up, the model is switched, the library is another one or another
# user's, and it is told to end with films under way.
set -u
: "${BUILD:=build}"
K=$PWD/$BUILD/kinoseek
T=$(mktemp -d)
trap 'chmod -R u+rwx "$T"; rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8 TZ=UTC
mkdir "$T/films"
for film in weather animals band; do cp "models/demo/films/$film.mp4" "$T/films/"; done
made() { "$K" -q "$@" >/dev/null 2>"$T/err" || { echo "not ok - made: $*"; sed 's/^/# /' "$T/err"; exit 1; }; }
mkdir "$T/models" "$T/elsewhere"
cp models/demo/demo.npz "$T/models/first.npz"
python3 - "$T/models/first.npz" "$T/models/next.npz" "$T/elsewhere/far.npz" <<'P' # others by a bit
import sys, zipfile
was = zipfile.ZipFile(sys.argv[1])
for bit, name in enumerate(sys.argv[2:]):
    with zipfile.ZipFile(name, "w") as out:
        for i, entry in enumerate(was.infolist()):
            data = bytearray(was.read(entry))
            data[-4] ^= (i == 0) << bit
            out.writestr(entry.filename, bytes(data))
P
for model in models/first models/next elsewhere/far; do cp models/demo/demo.spm "$T/$model.spm"; done
made -L "$T/lib" -m "$T/models/first.npz" --precision fp32 ingest "$T/films"
made -L "$T/other" -m "$T/models/first.npz" --precision fp32 ingest "$T/films/band.mp4"
cp -r "$T/lib" "$T/rest"
# another user may not reach this checkout (one in /root): a program of its own
mkdir -p "$T/own/build" "$T/own/models/demo"
cp "$K" "$K-decode" "$T/own/build/"
cp models/*.tsv "$T/own/models/"; cp models/demo/demo.* "$T/own/models/demo/"
timeout 900 python3 tests/serve_changes.py "$K" "$T" 2>&1 || echo "not ok - the changes went to their end"
alone=$(sh tests/own_mounts.sh)
if [ -n "$alone" ]; then # a small disk of one's own
  mkdir "$T/disk"
  unshare $alone sh -c 'mount -t tmpfs -o size=16m none "$2/disk" && cp -r "$2/lib" "$2/disk/" && cp -r "$2/rest" "$2/disk/" && exec timeout 600 python3 tests/serve_changes.py "$1" "$2" full' sh "$K" "$T" 2>&1 || echo "not ok - the full disk went to its end"
else
  echo "# no namespaces here: no disk that fills up"
fi
