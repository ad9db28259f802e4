#!/bin/sh
# survey_mutants.sh - 100,000 damaged copies of 16 films, each read in order and surveyed (SLICE=1: 2,000; MUTANTS=N, FIRST=N):
# a verdict, and never a picture that the film does not have. As mutants.sh otherwise.
: "${BUILD:=build}"
seed=${SEED:-20261130} first=${FIRST:-0}
count=${MUTANTS:-100000}
[ -n "${SLICE:-}" ] && count=${MUTANTS:-2000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$(dirname "$0")/../.." || exit 1
sh tests/hostile/sought_films.sh "$work" || { echo "not ok - the films cannot be made"; exit 1; }
"$BUILD/tests/prog_mutants" survey "$BUILD/kinoseek-decode" "$seed" "$first" "$count" "$work"/*
