#!/bin/sh
# `serve`: the attack rows of a local web page on raw sockets, and that it says what the command line says.
set -u
: "${BUILD:=build}"
K=$PWD/$BUILD/kinoseek
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8 TZ=UTC
mkdir "$T/films"
cp models/demo/films/weather.mp4 "$T/films/"
cp models/demo/films/animals.mp4 "$T/films/<img src=x onerror=alert(1)>.mp4"
cp models/demo/films/band.mp4 "$T/films/band.mp4"
if "$K" -q -L "$T/lib" -m demo --precision fp32 ingest "$T/films" 2>"$T/err"; then echo "ok - a library"; else echo "not ok - a library"; sed 's/^/# /' "$T/err"; exit 1; fi
timeout 600 python3 tests/serve_rows.py "$K" "$T" 2>&1 || echo "not ok - the rows went to their end"
