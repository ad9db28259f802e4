#!/bin/sh
# make bench: every figure of speed that this machine can give, as CSV: machine,command,figure,value. Lines that
# begin with # are words. MODEL (default demo) is what is measured; other films than the demo's in FILMS. With
# MODEL=lvt-base|lvt-large and CHECKPOINT, SOURCE, JAX_PYTHON, TORCH_PYTHON set, the official JAX code and
# transformers' port take turns with kinoseek (encoder_beside.py). INGEST=FILM: seconds of film a second.
: "${BUILD:=build}" "${MODEL:=demo}" "${FILMS:=models/demo/films/office.mp4}"
cd "$(dirname "$0")/../.." || exit 1
machine="$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1 | tr ',' ' ') ($(nproc) cores)"
model=${CHECKPOINT:-$MODEL}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT INT TERM
echo "machine,command,figure,value"

bench() { # the words of a command
  command="${KINOSEEK_CPU:+KINOSEEK_CPU=$KINOSEEK_CPU }kinoseek $*"
  "$BUILD/kinoseek" -q "$@" --json | jq -r --arg machine "$machine" --arg command "$command" \
    'to_entries[] | select(.value | type == "number") | [$machine, $command, .key, .value] | @csv'
}

ingest() { # precision: one film into a library of its own
  length=$(ffprobe -v error -show_entries format=duration -of csv=p=0 "$INGEST") || return
  start=$(date +%s.%N)
  "$BUILD/kinoseek" -q -L "$scratch/$1" -m "$model" --precision "$1" ingest "$INGEST" >/dev/null || return
  echo "\"$machine\",\"kinoseek --precision $1 ingest $INGEST\",\"times_real_time\",$(jq -n "$length / ($(date +%s.%N) - $start)")"
}

precisions="fp32 $("$BUILD/kinoseek" doctor | grep -q vnni && echo 'bf16 int8' || echo auto)"
for precision in $precisions; do bench -m "$model" --precision "$precision" bench encoder; done
if grep -q avx2 /proc/cpuinfo; then
  KINOSEEK_CPU=avx2
  export KINOSEEK_CPU
  bench -m "$model" --precision fp32 bench encoder
  unset KINOSEEK_CPU
fi
for film in $FILMS; do bench bench decode "$film"; done
[ -n "$SKIP_SCAN" ] || bench bench scan
# Lists over 1,000,000 made vectors in clusters: a minute of processor time. LISTS=none: nothing.
if [ "${LISTS:=1000000}" != none ]; then
  "$BUILD/tests/prog_lists" "$LISTS" 768 "$scratch" |
    while read -r figure value; do echo "\"$machine\",\"prog_lists $LISTS 768\",\"$figure\",$value"; done
  rm -f "$scratch"/vectors.*
fi
# What whole commands cost as a library grows; GROWTH="1000,10000" measures less, GROWTH=none nothing.
[ "${GROWTH:=1000,10000,100000,1000000}" = none ] || bench -m "$model" bench query --made "$GROWTH"
if [ -n "$INGEST" ]; then
  for precision in $precisions; do ingest "$precision"; done
fi
if [ -n "$SOURCE" ] && [ -n "$CHECKPOINT" ]; then
  "${TORCH_PYTHON:-python3}" tests/bench/encoder_beside.py "$MODEL" "$CHECKPOINT" "$scratch" | sed "s/^lvt/\"$machine\",&/"
fi
