#!/bin/sh
# Parts of films that browsers cannot play: sound, fragments, HDR; what they show and how they go on.
set -u
: "${BUILD:=build}"
K=$PWD/$BUILD/kinoseek
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8 TZ=UTC
mkdir "$T/films"
make_film() { ffmpeg -v error -y "$@" || { echo "not ok - a film"; exit 1; }; }
make_film -i models/demo/films/weather.mp4 -f lavfi -i sine=f=440:r=48000:d=9 -t 9 -c:v mpeg4 -c:a ac3 "$T/films/ac3.avi"
make_film -i models/demo/films/weather.mp4 -f lavfi -i sine=f=440:r=44100:d=9 -t 9 -c:v libx264 -preset ultrafast -c:a libmp3lame "$T/films/mp3.mkv"
make_film -f lavfi -i smptebars=s=320x180:r=25:d=4 -c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -x265-params log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc "$T/films/hdr.mp4"
make_film -i models/demo/films/weather.mp4 -f lavfi -i sine=f=440:r=48000:d=9 -t 9 -c:v libx264 -preset veryfast -g 40 -bf 2 -c:a aac "$T/films/bframes.ts"
make_film -i models/demo/films/weather.mp4 -t 4 -c copy -metadata:s:v rotate=90 "$T/films/turned.mp4"
if "$K" -q -L "$T/lib" -m demo ingest "$T/films" 2>"$T/err"; then echo "ok - a library"; else echo "not ok - a library"; sed 's/^/# /' "$T/err"; exit 1; fi
timeout 600 python3 tests/serve_parts.py "$K" "$T" 2>&1 || echo "not ok - the parts went to their end"
