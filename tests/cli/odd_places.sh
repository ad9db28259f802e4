#!/bin/sh
# odd_places.sh - every command where memory, descriptors, files, locales, zones, umasks and /proc are not what they are at
# home (tests/odd_places.py): a slice of the places; `make torture` goes to all of them.
K=$(pwd)/${BUILD:-build}/kinoseek
T=$(mktemp -d "${TMPDIR:-/tmp}/ks-odd-XXXXXX"); trap 'chmod -R u+rwX "$T"; rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" HOME="$T"
mkdir "$T/films" "$T/at"; chmod 755 "$T"
ffmpeg -hide_banner -nostdin -v error -y -threads 1 -i models/demo/films/shapes.mp4 -t 4 -c:v mjpeg -an "$T/films/FILM.AVI"
cp models/demo/films/band.mp4 "$T/films/"
python3 tests/odd_places.py "$K" "$T/films" "$T/at" "${SEED:-1}" "${MANY:-6}"
