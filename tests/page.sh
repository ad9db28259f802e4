#!/bin/sh
# The page in a real browser: Debian's Chromium, driven by playwright (PyPI, with axe-core). Not part of check: it needs
# both, and a network once. BUILD names the build; SHOTS a folder that takes pictures of the page.
set -eu
cd "$(dirname "$0")/.."
: "${BUILD:=build}"
command -v chromium >/dev/null || { echo "page: needs Debian's chromium: apt-get install chromium" >&2; exit 5; }
[ -x "$BUILD/page-venv/bin/python" ] || { python3 -m venv "$BUILD/page-venv"; "$BUILD/page-venv/bin/pip" -q install playwright axe-core-python; }
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
mkdir "$T/films"
cp models/demo/films/*.mp4 "$T/films/"
for i in 1 2 3 4 5 6 7 8 9; do cp models/demo/films/band.mp4 "$T/films/a_band_$i.mp4"; done
printf 'no film at all' >"$T/films/aaa_broken.mp4"
make_film() { ffmpeg -v error -y -i models/demo/films/weather.mp4 -f lavfi -i sine=f=440:d=9 -t 9 "$@"; }
make_film -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus "$T/films/vp9.webm"
make_film -c:v libx265 -preset ultrafast -x265-params log-level=error -tag:v hvc1 -c:a aac "$T/films/hevc.mp4"
make_film -c:v libx264 -preset ultrafast -c:a aac "$T/films/h264.mkv"
make_film -c:v libx264 -preset veryfast -g 40 -bf 2 -c:a aac "$T/films/h264.ts"
ffmpeg -v error -y -i "$T/films/hevc.mp4" -c copy -metadata:s:v rotate=90 "$T/films/turned.mp4"
make_film -c:v mpeg4 -c:a mp3 "$T/films/xvid.avi"
make_film -c:v mpeg2video -c:a mp2 "$T/films/mpeg2.mpg"
make_film -c:v libx264 -preset ultrafast -pix_fmt yuv420p10le -c:a aac "$T/films/ten.mp4"
"$PWD/$BUILD/kinoseek" -q -L "$T/lib" -m demo ingest "$T/films"
"$BUILD/page-venv/bin/python" tests/page_browser.py "$PWD/$BUILD/kinoseek" "$T" "${SHOTS:-}"
