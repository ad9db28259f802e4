#!/bin/sh
# A million damaged copies of 48 tiny films - every container and codec of the decoder's lists that ffmpeg can write -
# through the decoder (SLICE=1: 4,000; MUTANTS=N, FIRST=N). Each must end as a verdict with a cause; no hang. Mutant i
# depends on SEED and i alone, so a run can be done in pieces, and one mutant again.
: "${BUILD:=build}"
seed=${SEED:-20261126} first=${FIRST:-0}
count=${MUTANTS:-1000000}
[ -n "${SLICE:-}" ] && count=${MUTANTS:-4000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$(dirname "$0")/../.." || exit 1
sh tests/hostile/tiny_films.sh "$work" || { echo "not ok - the films cannot be made"; exit 1; }
"$BUILD/tests/prog_mutants" "$BUILD/kinoseek-decode" "$seed" "$first" "$count" "$work"/*
