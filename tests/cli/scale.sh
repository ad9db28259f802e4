#!/bin/sh
# The scale is kept from the first film on: in an ingest that runs, after kill -9 and after Ctrl-C a search makes none.
set -u
: "${BUILD:=build}"
K=$PWD/$BUILD/kinoseek
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; [ -e "$T/err" ] && sed 's/^/# /' "$T/err"; fi; }
is() { if [ "$1" = "$2" ]; then ok 0 "$3"; else echo "# got: $1"; echo "# want: $2"; ok 1 "$3"; fi; }
kept() { sqlite3 "$T/$1/catalog.db" "SELECT group_concat(key) FROM (SELECT key FROM setting WHERE key IN ('background', 'calibration') ORDER BY key)"; }

# An ingest whose first film is done.
start() {
  rm -rf "${T:?}/$1"; : >"$T/events"
  "$K" --precision fp32 -q -m demo -L "$T/$1" ingest --workers 1 --json models/demo/films >"$T/events" 2>"$T/err" & pid=$!
  i=0; while ! grep -q '"indexed"' "$T/events" && [ $i -lt 600 ]; do sleep 0.05; i=$((i + 1)); done
}
for signal in KILL INT; do
  start "$signal"
  kill -$signal $pid; wait $pid 2>/dev/null; code=$?
  is "$(kept $signal)" "background,calibration" "SIG$signal after the first film: the scale is kept"
  [ $signal = KILL ] || is "$code" 130 "SIGINT: exit 130"
  n=$("$K" -L "$T/$signal" status --json | jq '.scale.clips > 0 and .scale.sentences > 0')
  is "$n" true "SIG$signal: and of use"
done
start RUN
is "$(kept RUN)" "background,calibration" "while it runs, too"
"$K" --precision fp32 -L "$T/RUN" search --all --json -k 1 something >"$T/out" 2>"$T/err"; is "$? $(jq '.score >= 0' "$T/out")" "0 true" "and a search beside it answers"
wait $pid; is "$?" 0 "which it does not disturb"
# What grows step by step ends as what is made at once: the same films, one library after the other.
"$K" --precision fp32 -L "$T/RUN" search --all --json -k 1000 --merge off something spins | jq -c '[.path, .start, .score]' | sort >"$T/steps"
sqlite3 "$T/RUN/catalog.db" "DELETE FROM setting WHERE key IN ('background', 'calibration')"
"$K" --precision fp32 -L "$T/RUN" search --all --json -k 1000 --merge off something spins | jq -c '[.path, .start, .score]' | sort >"$T/once"
is "$(python3 -c 'import json, sys
a, b = ([json.loads(x) for x in open(f)] for f in sys.argv[1:])
print(len(a) == len(b) > 50, max(abs(x[2] - y[2]) for x, y in zip(a, b)) < .05)' "$T/steps" "$T/once")" "True True" "and its scores are those of a scale that is made at once"
