#!/bin/sh
# page.sh - tests/page_soak.py: a page in use while all around it changes; PAGE_SECONDS of it (600; a slice: 40) with SEED.
set -u
: "${BUILD:=build}"
K=$PWD/$BUILD/kinoseek
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8 TZ=UTC
if [ -n "${SLICE:-}" ]; then : "${PAGE_SECONDS:=40}"; fi
mkdir "$T/films"
cp models/demo/films/weather.mp4 models/demo/films/animals.mp4 models/demo/films/band.mp4 "$T/films/"
"$K" -q -L "$T/lib" -m demo ingest "$T/films" || echo "not ok - a library"
nice python3 tests/page_soak.py "$K" "$T" "${PAGE_SECONDS:-600}" "${SEED:-1}" || echo "not ok - the page went to its end"
