#!/bin/bash
# limits.sh - one film never stops an archive, and no number does: clocks, lengths and holes at their limits, and a fault
# of our own in the middle of a film.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
export LC_ALL=C
ulimit -c 0
K=$BUILD/kinoseek
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
export TMPDIR=$T XDG_CACHE_HOME=$T/cache
ok() { if [ "$1" = 0 ]; then echo "ok - $2"; else echo "not ok - $2"; fi; }
is() { if [ "$1" = "$2" ]; then echo "ok - $3"; else echo "not ok - $3"; echo "# got:  $1"; echo "# want: $2"; fi; }
ff() { ffmpeg -hide_banner -nostdin -v error -y -threads 1 "$@"; }
run() { timeout -s KILL 60 "$K" -L "$T/$1" ingest --encoder clock --json "${@:2}" 2>"$T/err" >"$T/out"; code=$?; }
files() { jq -r 'select(.event == "file") | .verdict + " " + (.path | sub(".*/"; ""))' "$T/out" | sort | paste -sd,; }
said() { jq -s 'map(select(.event == "file") | .clips // 0) | add' "$T/out"; }
fresh() { files | tr , '\n' | grep -v '^unchanged' | sort -u | paste -sd,; }
# What became of each film, in whichever of the programs (one that was committed may die before it says so).
became() { { "$plain" -L "$T/$1" clips --json | jq -r '"indexed " + (.path | sub(".*/"; ""))'; "$plain" -L "$T/$1" status --bad --json | jq -r '.verdict + " " + (.path | sub(".*/"; ""))'; } | sort -u | paste -sd,; }
# Of what was kept: clips, those that end where they start, pairs that are the same.
kept() { "$K" -L "$T/$1" clips --json | jq -sr '"\(length) \(map(select(.end <= .start)) | length) \(length - (map([.path, .start, .end]) | unique | length))"'; }
bash tests/clock_films.sh "$T/made" || echo "not ok - films"
M=$T/made

# --- a tick longer than a window, and every rate around it ---
mkdir "$T/slow"
for r in 1/3600 1/86400 1/20 1/9 1/8 1/7 1/4 1/1 2/1; do ff -f lavfi -i testsrc2=size=64x48:rate=$r -frames:v 7 -c:v mjpeg "$T/slow/${r%/*}_${r#*/}.avi"; done
cp "$M/clock_1.mp4" "$T/slow/z.mp4"
bad=0
for o in "" "--window 0.1 --hop 0.001" "--window 9 --hop 0.001" "--window 20 --hop 1" "--window 86400 --hop 86400" "--shots off --frames 1" "--window 7 --frames 256 --hop 0.02"; do
  rm -rf "$T/s"; run s $o "$T/slow"
  [ "$code" = 0 ] && [ "$(files | tr , '\n' | grep -c '^indexed')" = 10 ] && [ "$(kept s)" = "$(said) 0 0" ] || { bad=1; echo "# $o: exit $code, said $(said), kept, empty, twice: $(kept s); $(tail -2 "$T/err")"; }
done
ok $bad "films of a frame a day to two a second: what is said is kept, no clip is empty, none is there twice"
rm -rf "$T/s"; run s "$T/slow/1_20.avi"; is "$("$K" -L "$T/s" clips --json | jq -c '[.start + 0, .end + 0]' | paste -sd' ')" "[0,20] [20,40] [40,60] [60,80] [80,100] [100,120] [120,140]" "a frame every 20 s is a clip each"

# --- lengths that are none ---
bad=0 n=0
for o in --window --hop --budget --commit-every; do
  for v in 1e-7 1e300 1e308h 1e308:0:0 9.3e12 nan inf -1 0x1p9 1e999 99999999999h .; do
    timeout -s KILL 30 "$K" -q -L "$T/none" ingest --encoder clock $o "$v" "$M/clock_1.mp4" >"$T/out" 2>"$T/err"; code=$?; n=$((n + 1))
    case $o$v in --budget1e-7|--commit-every1e-7) rm -rf "$T/none"; [ $code = 0 ] || { bad=1; echo "# $o $v: exit $code"; } ;;
      *) [ $code = 2 ] && [ ! -e "$T/none" ] || { bad=1; echo "# $o $v: exit $code, $(cat "$T/err")"; } ;; esac
  done
done
ok $bad "$n lengths at their limits: exit 2, and no library is made"
run l "$M/clock_13.mp4"
bad=0
for v in 1e300 1e308h 9.3e12 nan inf 1e-7 99999999999h 1e10; do
  timeout 60 "$K" -L "$T/l" similar "$M/clock_13.mp4@$v" >"$T/out" 2>&1; [ $? -lt 128 ] || { bad=1; echo "# similar @$v"; }
  timeout 60 "$K" -L "$T/l" cut "$M/clock_13.mp4@0-$v" -o "$T/cuts" >"$T/out" 2>&1; [ $? -lt 128 ] || { bad=1; echo "# cut 0-$v"; }
  timeout 60 "$K" -L "$T/l" cut --pad "$v" "$M/clock_13.mp4@0-1" -o "$T/cuts" >"$T/out" 2>&1; [ $? -lt 128 ] || { bad=1; echo "# cut --pad $v"; }
  timeout 60 "$K" -L "$T/l" -m demo embed --video "$M/clock_13.mp4@$v" >"$T/out" 2>&1; [ $? -lt 128 ] || { bad=1; echo "# embed @$v"; }
done
ok $bad "and for similar, cut and embed no signal"

is "$("$K" -L "$T/l" search -k 0 x 2>&1)$?" "kinoseek search: -k is 1 at least2" "-k 0 is no wish"
is "$("$K" -L "$T/l" search -K 3 x 2>&1)$?" "kinoseek search: there is no option -K (did you mean -k?)2" "-K means -k"
is "$("$K" "$(printf 'se\033]0;x\007arch')" 2>&1)$?" "kinoseek: there is no command se?]0;x?arch (kinoseek --help lists them)2" "escapes are not echoed"

# --- holes ---
ff -f lavfi -i testsrc2=size=64x48:rate=25 -frames:v 50 "$T/hole.mkv"
truncate -s 1T "$T/hole.mkv" 2>/dev/null || truncate -s 8T "$T/hole.mkv" 2>/dev/null || truncate -s 100G "$T/hole.mkv"
start=$SECONDS; run hole "$T/hole.mkv" "$M/clock_1.mp4"
is "$(files)" "indexed clock_1.mp4,partly hole.mkv" "a film that is a hole but for its beginning"
[ $((SECONDS - start)) -lt 40 ]; ok $? "has its verdict soon ($((SECONDS - start)) s)"

# --- a fault of ours ---
mkdir "$T/bin" "$T/films"; cp "$BUILD/tests/prog_planted" "$T/bin/kinoseek"; cp "$BUILD/kinoseek-decode" "$T/bin/"; ln -s "$PWD/models" "$T/models"
cp "$M/clock_1.mp4" "$T/films/a.mp4"; cp "$M/clock_13.mp4" "$T/films/b_bad.mp4"; cp "$M/clock_6.mp4" "$T/films/c.mp4"; cp "$M/clock_20.mp4" "$T/films/d_bad.mp4"
plain=$K K=$T/bin/kinoseek
case $BUILD in *address*|*thread*) echo "# a sanitizer answers faults itself" ;; *)
for how in plan/assert plan/wild code/assert code/wild said/assert; do
  export PLANT=${how%/*} PLANT_HOW=${how#*/} PLANT_FILM=_bad
  rm -rf "$T/p"; run p --workers 2 "$T/films"
  is "$code $(became p)" "3 failed b_bad.mp4,failed d_bad.mp4,indexed a.mp4,indexed c.mp4" "a fault of ours ($how) in two of four films: the run goes on, with a verdict for each"
  is "$("$plain" -L "$T/p" status --bad | grep -c 'kinoseek itself stopped at it')" 2 "and status tells which"
  is "$(jq -c 'select(.event == "done") | [.files, .clips, .left]' "$T/out")" "[4,$("$plain" -L "$T/p" clips --json | wc -l),0]" "and at the end counts what all three programs did"
  is "$("$plain" -L "$T/p" check >/dev/null 2>&1; echo $?)" 0 "and the library is sound"
  run p "$T/films"; is "$code $(fresh)" "0 " "they are not read again"
done
export PLANT=plan PLANT_HOW=assert PLANT_FILM=_bad; rm -rf "$T/p"
run p --files-from - < <(ls "$T/films"/*)
is "$code $(became p)" "3 failed b_bad.mp4,failed d_bad.mp4,indexed a.mp4,indexed c.mp4" "a list that came through a pipe is still there"
PLANT_FILM=/; rm -rf "$T/p"; run p "$T/films"; is "$code $(became p)" "3 failed a.mp4,failed b_bad.mp4,failed c.mp4,failed d_bad.mp4" "in every film: every film has its verdict"
esac

# --- prepared weights that are cut short while they are read ---
mkfifo "$T/questions"
"$plain" -q -L "$T/bus" -m demo ingest models/demo/films/shapes.mp4 2>"$T/err" >"$T/out"
{ "$plain" -q -L "$T/bus" search --all --queries "$T/questions" >"$T/out" 2>"$T/err"; echo $? >"$T/exit"; } &
exec 7>"$T/questions"; echo "a star" >&7
i=0; while [ ! -s "$T/out" ] && [ $i -lt 50 ]; do sleep 0.1; i=$((i + 1)); done
find "$T/cache/kinoseek" -type f -size +8k -exec truncate -s 4096 {} +
echo "a band that plays in a park on a sunday" >&7; exec 7>&-; wait
case $BUILD in *address*|*thread*) echo "# a sanitizer answers faults itself" ;; *)
is "$(cat "$T/exit") $(grep -c 'cut short while it was read; run the command again' "$T/err")" "5 1" "weights cut short in use: a sentence and exit 5" ;; esac
"$plain" -q -L "$T/bus" search --all a star >"$T/out" 2>"$T/err"; is $? 0 "the command again: they are prepared anew"
