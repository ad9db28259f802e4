#!/bin/bash
# ingest_faults.sh - every write, fsync, rename, unlink and truncate of a small ingest: killed there; and failing there, once
# and from then on (disk full, I/O error). After each the library opens, and the ingest that goes on from there ends
# as an undisturbed one, bit for bit. A failure is exit 5 or, where it was no harm, 0. SLICE=1: every 53rd place, from one
# that SEED names.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -u
K=$BUILD/kinoseek D=$BUILD/tests/prog_dump
[ -x "$D" ] || { echo "not ok - no prog_dump: make tests"; exit 1; }
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
step=${STEP:-1}; [ -n "${SLICE:-}" ] && step=53
seed=${SEED:-7}
cc -O2 -fPIC -shared -o "$T/faultlib.so" tests/torture/faultlib.c -ldl || { echo "not ok - faultlib does not build"; exit 1; }
bash tests/clock_films.sh "$T/films"
# GLANCE=only: the survey alone, with a film long enough to be glanced at before (glance_faults.sh)
[ -z "${GLANCE:-}" ] || for i in $(seq 33); do echo "file '$T/films/clock_20.mp4'"; done |
  ffmpeg -hide_banner -nostdin -v error -y -f concat -safe 0 -protocol_whitelist file,pipe -i /dev/stdin -c copy "$T/films/long.mp4"
rm "$T/films/clock_20.mp4" "$T/films/clock_13.mp4"
say="ingest $T/films --encoder clock --window 2 --hop 0.7 --shots off --commit-every 0 --workers 1 --survey"
$K -L "$T/whole" $say ${GLANCE:-off} -q >/dev/null 2>&1; $D "$T/whole" >"$T/whole.dump"
again="$say ${SURVEY:-off} -q" # SURVEY=first: with a survey before (survey_faults.sh)
say=$again
# CLOSER=1: of a surveyed library, at `search --closer` (closer_faults.sh)
if [ -n "${CLOSER:-}" ]; then
  $K -L "$T/base" ${say/ingest $T\/films/ingest $T\/films\/clock_1.mp4} >/dev/null 2>&1; $K -L "$T/base" ${say/--survey */--survey only} -q >/dev/null 2>&1
  [ "$($K -L "$T/base" status --json | jq .surveyed)" -gt 0 ] || echo "not ok - nothing is surveyed"
  say="search --like $($K -L "$T/base" clips --json | jq -r 'select(.reason != "survey") | .id' | head -1) --all --fold off --closer 2h -q"
fi
fresh() { rm -rf "$T/lib"; [ -z "${CLOSER:-}" ] || cp -a "$T/base" "$T/lib"; }
# places FN -> how many calls an undisturbed run makes on files of the library
places() { rm -f "$T/n"; fresh; FI_PROG=kinoseek FI_FN=$1 FI_PATH=$T/lib FI_COUNT=$T/n LD_PRELOAD=$T/faultlib.so $K -L "$T/lib" $say >/dev/null 2>&1; awk '{ print $2 }' "$T/n"; }
sweep() { # NAME FN, settings of faultlib
  local name=$1 fn=$2 n bad=0 codes=0 at tried=0; shift 2
  n=$(places "$fn")
  for ((at = 1 + seed % (step < n ? step : n); at <= n; at += step)); do
    fresh; tried=$((tried + 1))
    # an outer shell, so that "Killed" is its message and not ours
    bash -c 'env "$@"; exit $?' - "$@" FI_PROG=kinoseek FI_FN=$fn FI_AT=$at FI_PATH="$T/lib" LD_PRELOAD="$T/faultlib.so" $K -L "$T/lib" $say >"$T/out" 2>"$T/err"; code=$?
    case " $* " in *FI_KILL*) [ $code -eq 137 ] || [ $code -eq 0 ] || { codes=$((codes + 1)); echo "# $fn $at: exit $code"; } ;;
      *) [ $code -eq 5 ] || [ $code -eq 0 ] || [ $code -eq 130 ] || { codes=$((codes + 1)); echo "# $fn $at ($*): exit $code: $(tail -1 "$T/err")"; } ;; esac
    $K -L "$T/lib" $again >"$T/out" 2>"$T/err" || { bad=$((bad + 1)); echo "# $fn $at ($*): the next run: exit $?: $(tail -1 "$T/err")"; continue; }
    $D "$T/lib" >"$T/dump" 2>&1; cmp -s "$T/dump" "$T/whole.dump" || { bad=$((bad + 1)); echo "# $fn $at ($*): another library"; diff "$T/dump" "$T/whole.dump" | head -3; }
  done
  [ $bad -eq 0 ] && [ $codes -eq 0 ] && [ $tried -gt 0 ] && echo "ok - $name: $tried of $n places" || echo "not ok - $name: $bad bad, $codes wrong exits, $tried of $n places"
}
sweep "killed at a write" write FI_KILL=1
sweep "killed at an fsync" fsync FI_KILL=1
sweep "killed at an open" open FI_KILL=1
[ "$(places rename)" -gt 0 ] && sweep "killed at a rename" rename FI_KILL=1
[ "$(places unlink)" -gt 0 ] && sweep "killed at an unlink" unlink FI_KILL=1
sweep "disk full once" write FI_ERRNO=28
sweep "disk full from then on" write FI_ERRNO=28 FI_STICKY=1
sweep "a short write, then disk full" write FI_ERRNO=28 FI_STICKY=1 FI_SHORT=1
sweep "an fsync that fails" fsync FI_ERRNO=5
sweep "fsyncs that fail from then on" fsync FI_ERRNO=5 FI_STICKY=1
