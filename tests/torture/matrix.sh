#!/bin/sh
# matrix.sh - {one rotten row of each table} x {a writer that replaces films} x {100,000 clips} x {search, filters,
# similar, label, clips, all exports}: tests/matrix.py. CLIPS and TABLES choose another size; SLICE=1: 20,000 clips, three tables.
: "${BUILD:=build}"
T=$(mktemp -d "${TMPDIR:-/tmp}/ks-matrix-XXXXXX"); trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" HOME="$T" LC_ALL=C.UTF-8 NO_COLOR=1
ulimit -c 0
clips=${CLIPS:-100000} tables=${TABLES:-}
if [ -n "${SLICE:-}" ]; then clips=${CLIPS:-20000}; tables=${TABLES:-vector video segment}; fi
nice "$BUILD/tests/prog_made" make "$T/good" "$clips" tests/fixtures/lvt.npz || { echo "not ok - a library of $clips clips"; exit 1; }
# shellcheck disable=SC2086
python3 tests/matrix.py "$BUILD" "$T" "$clips" $tables
