#!/bin/bash
# chaos.sh - tests/chaos.py: CHAOS_SECONDS of it (7200; a slice: 60) with SEED.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
T=$(mktemp -d "${TMPDIR:-/tmp}/ks-chaos-XXXXXX"); trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" HOME="$T" LC_ALL=C.UTF-8
ulimit -c 0
mkdir "$T/pool"
i=0
for source in "testsrc2=s=64x48:r=10" "mandelbrot=s=64x48:r=10" "smptebars=s=64x48:r=10" "life=s=64x48:r=10:seed=5:mold=10" "rgbtestsrc=s=64x48:r=10" "cellauto=s=64x48:r=10:seed=3"; do
  i=$((i + 1))
  ffmpeg -hide_banner -nostdin -v error -y -threads 1 -f lavfi -i "$source" -t $((3 + 5 * i)) -c:v libx264 -preset ultrafast -x264-params threads=1 "$T/pool/$i.mp4" </dev/null || echo "not ok - a film"
done
if [ -n "${SLICE:-}" ]; then : "${CHAOS_SECONDS:=60}"; fi
mkdir "$T/bin" && cp "${BUILD:-build}/kinoseek" "${BUILD:-build}/kinoseek-decode" "$T/bin/" && ln -s "$PWD/models" "$T/models"
nice python3 tests/chaos.py "$T/bin/kinoseek" "$T" "${SEED:-1}" "${CHAOS_SECONDS:-7200}"
