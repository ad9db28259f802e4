#!/bin/sh
# Libraries made by somebody who knows the format, checksums made right again, through everything that reads one
# (prog_hostile_library): 20,000 of them; SLICE=1: 400. MUTANTS=N, FIRST=N, SEED=N.
: "${BUILD:=build}"
count=${MUTANTS:-20000}
[ -n "${SLICE:-}" ] && count=${MUTANTS:-400}
exec "$BUILD/tests/prog_hostile_library" "${SEED:-20261129}" "${FIRST:-0}" "$count"
