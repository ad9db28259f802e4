#!/bin/sh
# The page's speed, as CSV: figure, best and median of the rounds, processor time of one, in ms, and what is wanted. First the
# server's; then a browser's, where Chromium and tests/page.sh's playwright are there. CLIPS=none leaves the large library
# out (a minute to make); REQUESTS: how many the memory is watched over.
set -eu
cd "$(dirname "$0")/../.."
: "${BUILD:=build}" "${CLIPS:=1000000}" "${REQUESTS:=10000}"
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT INT TERM
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
mkdir "$T/films"
cp models/demo/films/*.mp4 "$T/films/"
make_film() { ffmpeg -v error -y -f lavfi -i testsrc2=s=1920x1080:r=30 -f lavfi -i sine=f=440 -t 14 -pix_fmt yuv420p -g 250 -c:a aac -preset ultrafast "$@"; }
make_film -c:v libx264 "$T/films/direct.mp4"
make_film -c:v libx264 "$T/films/remuxed.ts"
make_film -c:v libx265 -x265-params log-level=error -tag:v hvc1 "$T/films/encoded.mp4"
"$BUILD/kinoseek" -q -L "$T/lib" -m demo ingest --shots off --hop 0.5 "$T/films"
[ "$CLIPS" = none ] || "$BUILD/tests/prog_made" make "$T/large" "$CLIPS" models/demo/demo.npz
python=python3
[ ! -x "$BUILD/page-venv/bin/python" ] || python=$BUILD/page-venv/bin/python
"$python" tests/bench/page.py "$PWD/$BUILD/kinoseek" "$T" "$REQUESTS"
