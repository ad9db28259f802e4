#!/bin/bash
# readers.sh - four readers list the library without a pause while it is ingested, ten times: none fails, and each
# sees a film with all of its clips or not at all. SLICE=1: twice.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -u
K=$BUILD/kinoseek
rounds=10; [ -n "${SLICE:-}" ] && rounds=2
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
bash tests/clock_films.sh "$T/films"
say="ingest $T/films --encoder clock --window 2 --hop 0.4 --shots off --commit-every 0 --workers 2 -q"
$K -L "$T/whole" $say >/dev/null 2>&1
$K -L "$T/whole" clips --json | jq -r .path | sort | uniq -c | sort -n | awk '{ print $1 " " $2 }' >"$T/whole.counts"
reader() { # until the ingest is over: every answer is one whole state
  while [ -e "$T/busy" ]; do
    $K -L "$T/lib" clips --json >"$T/r$1" 2>"$T/e$1"; code=$?
    case $code in
      0|1) echo "$code" >>"$T/answers"
           jq -r .path <"$T/r$1" | sort | uniq -c | awk '{ print $1 " " $2 }' | while read -r line; do
             grep -qxF "$line" "$T/whole.counts" || echo "a part of a film: $line" >>"$T/wrong"; done ;;
      10) ;; # not there yet
      *) echo "exit $code: $(cat "$T/e$1")" >>"$T/wrong" ;;
    esac
  done
}
: >"$T/wrong"; : >"$T/answers"
for round in $(seq $rounds); do
  rm -rf "$T/lib"; touch "$T/busy"
  for r in 1 2 3 4; do reader $r & done
  $K -L "$T/lib" $say >/dev/null 2>"$T/err" || echo "ingest: $(cat "$T/err")" >>"$T/wrong"
  rm "$T/busy"; wait
done
sort "$T/wrong" | uniq -c | head -5 | sed 's/^/# /'
n=$(wc -l <"$T/answers")
[ ! -s "$T/wrong" ] && [ "$n" -gt 20 ] && echo "ok - $n answers during $rounds ingests, each of one whole state" || echo "not ok - $(wc -l <"$T/wrong") wrong of $n answers"
