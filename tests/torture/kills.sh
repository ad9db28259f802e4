#!/bin/bash
# kills.sh - kill -9 at random moments of an ingest until KILLS (300) of them landed with a film part-written. After
# each: the library opens, and every file that was said to be indexed is, for searches. The ingest that goes on
# from there ends with a library whose dump equals an undisturbed one's, bit for bit. SLICE=1: 4 kills. Prints seeds.
# SURVEY=first: with a survey before (survey_kills.sh), and films that are searched by it count as part-written; the
# undisturbed run is without.
# The random moment is counted from the first byte of the catalog, so that a busy machine only makes it slower.
set -u
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
K=$BUILD/kinoseek D=$BUILD/tests/prog_dump
[ -x "$D" ] || { echo "not ok - no prog_dump: make tests"; exit 1; }
want=${KILLS:-300}; [ -n "${SLICE:-}" ] && want=4
seed=${SEED:-20240917}; RANDOM=$seed
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
bash tests/clock_films.sh "$T/films"
say() { echo "ingest $T/films --encoder clock --window 2 --hop 0.4 --shots off --commit-every 0 --workers 2 --survey ${SURVEY:-off} --json -q"; }
$K -L "$T/whole" $(SURVEY=off say) >"$T/whole.out" 2>&1 || { echo "not ok - an undisturbed ingest"; cat "$T/whole.out"; exit 1; }
$D "$T/whole" >"$T/whole.dump"
start=$(date +%s%N); $K -L "$T/again" $(say) >/dev/null 2>&1; span=$(( ($(date +%s%N) - start) / 1000000 ))
cmp -s <($D "$T/again") "$T/whole.dump" && echo "ok - two undisturbed runs have one dump" || echo "not ok - two undisturbed runs have one dump"
landed=0 kills=0 libraries=0 lost=0 different=0 refused=0
while [ $landed -lt "$want" ] && [ $kills -lt $((want * 40)) ]; do
  L=$T/lib; rm -rf "$L"; : >"$T/acked"; libraries=$((libraries + 1))
  for try in 1 2 3 4 5 6 7 8; do
    $K -L "$L" $(say) >"$T/out" 2>/dev/null & pid=$!
    while [ ! -s "$L/catalog.db" ] && kill -0 $pid 2>/dev/null; do sleep 0.01; done
    sleep "$(printf '0.%03d' $((RANDOM % (span < 950 ? span + 40 : 990))))"
    if kill -9 $pid 2>/dev/null; then wait $pid 2>/dev/null; kills=$((kills + 1)); else wait $pid; break; fi
    jq -r 'select(.event == "file" and .verdict == "indexed") | .path' <"$T/out" 2>/dev/null >>"$T/acked"
    [ -e "$L/catalog.db" ] || continue
    part=$($D "$L" part 2>/dev/null); [ "${part%% *}" != 0 ] || [ "${SURVEY:-off}" = off ] || part=$($K -L "$L" status --json 2>/dev/null | jq .surveyed); [ -n "$part" ] && [ "${part%% *}" -gt 0 ] && landed=$((landed + 1))
    if [ -s "$T/acked" ]; then
      $D "$L" >"$T/now" 2>"$T/err" || { refused=$((refused + 1)); cat "$T/err"; }
      while read -r path; do grep -qF "$path | indexed |" "$T/now" || { lost=$((lost + 1)); echo "lost: $path"; }; done <"$T/acked"
    fi
  done
  $K -L "$L" $(say) >"$T/out" 2>&1 || { different=$((different + 1)); tail -2 "$T/out"; continue; }
  $D "$L" >"$T/dump" 2>&1
  cmp -s "$T/dump" "$T/whole.dump" || { different=$((different + 1)); diff "$T/dump" "$T/whole.dump" | head -5; }
done
echo "# seed $seed: $kills kills in $libraries libraries, $landed with a film part-written; an undisturbed run takes $span ms"
t() { [ "$2" -eq 0 ] && echo "ok - $1" || echo "not ok - $1 ($2)"; }
t "nothing that was acknowledged is lost ($landed kills part-written)" $lost
t "the library opens after every kill" $refused
t "the run after the kills ends as an undisturbed one, bit for bit ($libraries libraries)" $different
[ $landed -ge "$want" ] && echo "ok - $want kills landed part-written" || echo "not ok - only $landed of $want kills landed part-written"
