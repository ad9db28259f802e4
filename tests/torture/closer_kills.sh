#!/bin/bash
# closer_kills.sh - kill -9 at random moments of `search --closer` until KILLS (300) of them left clips of it behind.
# After each: the library checks, and has no clip but those of the survey and of the whole pass; in the end the whole
# pass leaves what it would have without, bit for bit. SLICE=1: 4 kills. Prints seeds.
set -u
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
K=$BUILD/kinoseek D=$BUILD/tests/prog_dump
[ -x "$D" ] || { echo "not ok - no prog_dump: make tests"; exit 1; }
want=${KILLS:-300}; [ -n "${SLICE:-}" ] && want=4
seed=${SEED:-20261129}; RANDOM=$seed
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
bash tests/clock_films.sh "$T/films"
say() { echo "ingest --encoder clock --window 2 --hop 0.4 --shots off --workers 2 -q --survey $*"; }
$K -L "$T/whole" $(say off "$T/films") >/dev/null 2>&1; $D "$T/whole" >"$T/whole.dump"
$K -L "$T/base" $(say off "$T/films/clock_1.mp4") >/dev/null 2>&1; $K -L "$T/base" $(say only "$T/films") >/dev/null 2>&1
$D "$T/base" >"$T/base.dump"
clips() { grep '^  ' "$@" | sed 's/^[^ ]*: */  /' | sort -u; }
clips "$T/whole.dump" "$T/base.dump" >"$T/known"
like=$($K -L "$T/base" clips --json | jq -r 'select(.reason != "survey") | .id' | head -1)
closer() { $K -L "$T/lib" search --like "$like" --all --fold off --closer 2h -q; }
cp -a "$T/base" "$T/lib"; start=$(date +%s%N); closer >/dev/null 2>&1; span=$(( ($(date +%s%N) - start) / 1000000 ))
landed=0 kills=0 libraries=0 odd=0 different=0 refused=0
while [ $landed -lt "$want" ] && [ $kills -lt $((want * 40)) ]; do
  rm -rf "$T/lib"; cp -a "$T/base" "$T/lib"; libraries=$((libraries + 1))
  for try in 1 2 3; do
    before=$($D "$T/lib" | grep -vc survey)
    $K -L "$T/lib" search --like "$like" --all --fold off --closer 2h -q >/dev/null 2>&1 & pid=$!
    sleep "$(printf '0.%03d' $((RANDOM % (span < 950 ? span + 40 : 990))))"
    if kill -9 $pid 2>/dev/null; then wait $pid 2>/dev/null; kills=$((kills + 1)); else wait $pid; break; fi
    $K -L "$T/lib" check >"$T/err" 2>&1 || { refused=$((refused + 1)); cat "$T/err"; }
    $D "$T/lib" >"$T/now" 2>"$T/err" || { refused=$((refused + 1)); cat "$T/err"; }
    [ "$(grep -vc survey "$T/now")" -gt "$before" ] && landed=$((landed + 1))
    clips "$T/now" | comm -13 "$T/known" - | grep . && odd=$((odd + 1))
  done
  $K -L "$T/lib" $(say off) >"$T/out" 2>&1 || { different=$((different + 1)); tail -2 "$T/out"; continue; }
  $D "$T/lib" >"$T/dump" 2>&1
  cmp -s "$T/dump" "$T/whole.dump" || { different=$((different + 1)); diff "$T/dump" "$T/whole.dump" | head -5; }
done
echo "# seed $seed: $kills kills in $libraries libraries, $landed left clips; an undisturbed --closer takes $span ms"
t() { [ "$2" -eq 0 ] && echo "ok - $1" || echo "not ok - $1 ($2)"; }
t "the library checks after every kill" $refused
t "every clip is one of the survey or of the whole pass" $odd
t "the whole pass after them ends as an undisturbed one, bit for bit ($libraries libraries)" $different
[ $landed -ge "$want" ] && echo "ok - $want kills left clips" || echo "not ok - only $landed of $want kills left clips"
