#!/bin/bash
# ingest_ways.sh - the ways of an ingest that are chosen: stills, fast decoding, devices, links, another model; what
# is said of it meanwhile; pauses; and how much memory it takes.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -m # a group of its own for each ingest, so that a pause reaches all its processes, as Ctrl-Z does
export LC_ALL=C
K=$BUILD/kinoseek D=$BUILD/tests/prog_dump F=$PWD/tests/fixtures
T=$(mktemp -d); trap 'chmod -R u+rwX "$T"; rm -rf "$T"' EXIT
export TMPDIR=$T XDG_CACHE_HOME=$T/cache
ok() { if [ "$1" = 0 ]; then echo "ok - $2"; else echo "not ok - $2"; fi; }
is() { if [ "$1" = "$2" ]; then echo "ok - $3"; else echo "not ok - $3"; echo "# got:  $1"; echo "# want: $2"; fi; }
ff() { ffmpeg -hide_banner -nostdin -v error -y -threads 1 "$@"; }
run() { "$K" -L "$T/$1" ingest --encoder clock --json "${@:2}" 2>"$T/err" >"$T/out"; code=$?; }
files() { jq -r 'select(.event == "file") | .verdict + " " + (.path | sub(".*/"; ""))' "$T/out" | sort | paste -sd,; }
bash tests/clock_films.sh "$T/made" || echo "not ok - films"
M=$T/made

# --- a device ---
run h1 --hwaccel abacus "$M/clock_6.mp4"
is "$code $(grep -c 'abacus: this libav knows no such hardware' "$T/err")" "2 1" "a device that nobody knows: exit 2, and a sentence"
is "$("$K" -L "$T/h1" clips 2>/dev/null | wc -l)" 0 "and nothing went in"
bad=0 absent=0
for name in $("$K" doctor | sed -n 's/^ *hwaccels *//p'); do
  run h2 --hwaccel "$name" "$M/clock_1.mp4"
  case $code in
    0) ;;
    2) absent=$((absent + 1)); grep -q -- "--hwaccel $name: this machine has no such device" "$T/err" || bad=1 ;;
    *) bad=1; echo "# $name: exit $code" ;;
  esac
done
ok $bad "each device that libav knows is used, or exit 2 says that it is not here ($absent are not)"
run h3 --hwaccel none "$M/clock_13.mp4"; is "$code $(grep -c weaker "$T/err")" "0 0" "--hwaccel none is as without"
run h4 --hwaccel auto "$M/clock_13.mp4"; is "$code $(grep -c weaker "$T/err")" "0 1" "--hwaccel auto says that the sandbox is weaker"
cmp -s <("$D" "$T/h3" | sed 's/flags .*//') <("$D" "$T/h4" | sed 's/flags .*//'); ok $? "and finds the same clips"

# --- a model without its tokenizer: said before the work, not after it (it once was: three minutes, then exit 2) ---
cp "$F/lvt.npz" "$T/alone.npz"
"$K" -q -L "$T/w1" -m "$T/alone.npz" ingest "$M/clock_1.mp4" 2>"$T/err" >"$T/out"; code=$?
is "$code $(grep -c -- 'no tokenizer beside it .* name one with --tokenizer' "$T/err")" "2 1" "a model without a tokenizer: exit 2, and a sentence"
[ ! -e "$T/w1" ]; ok $? "before anything went in, and no library is made"
"$K" -q -L "$T/w2" -m nosuch ingest "$M/clock_1.mp4" 2>"$T/err" >"$T/out"; is "$? $(ls "$T" | grep -c w2)" "4 0" "nor for a model that is not there"
"$K" -q -L "$T/w2" -m demo ingest "$T/nowhere" 2>"$T/err" >"$T/out"; is "$? $(cat "$T/err") $(ls "$T" | grep -c w2)" "4 kinoseek: $T/nowhere: it is not there 0" "nor for a folder that is not there"
"$K" -q -L "$T/w2" -m demo ingest 2>"$T/err" >"$T/out"; is "$? $(ls "$T" | grep -c w2)" "2 0" "nor for none"
"$K" -q -L "$T/w1" -m "$T/alone.npz" --tokenizer "$F/lvt.spm" ingest "$M/clock_1.mp4" 2>"$T/err" >"$T/out"; code=$?
is "$code $(cat "$T/err")" "0 " "with --tokenizer it goes in"

# --- fast ---
ff -i "$M/clock_20.mp4" -c:v libx264 -bf 3 -b_strategy 0 -g 50 -x264-params threads=1 "$T/b.mp4"
run f1 --shots off "$T/b.mp4"; run f2 --shots off --decode fast "$T/b.mp4"
is "$code $(grep -c 'three frames off' "$T/err")" "0 1" "--decode fast says what it costs"
paste <("$D" "$T/f1" clock) <("$D" "$T/f2" clock) | awk -v fps=25 '
  /\|/ { next }
  { n++; for (i = 0; i < 16; i++) { a = $(5 + i); b = $(5 + NF / 2 + i); same += a == b; off = a - b; if (off > 1 || off < -1) bad++ }
    if ($1 - $(1 + NF / 2) > 0.121 || $(1 + NF / 2) - $1 > 0.121) bad++ }
  END { exit !(n == 4 && !bad && same > n * 8) }'
ok $? "its clips are those of full decoding, three frames off at most"
ends() { "$K" -L "$T/$1" clips --json | jq -s 'map(.end) | max'; }
awk -v a="$(ends f1)" -v b="$(ends f2)" 'BEGIN { exit !(a - b < 0.121 && b - a < 0.121) }'; ok $? "and reach the film's end"

# --- pictures ---
mkdir "$T/s"; cp "$M/clock_1.mp4" "$T/s/"; ff -i "$M/clock_6.mp4" -frames:v 1 "$T/s/a.png"; ff -ss 3 -i "$M/clock_6.mp4" -frames:v 1 "$T/s/b.jpg"
run s1 "$T/s"; is "$code $(files)" "0 indexed clock_1.mp4" "pictures are left alone"
run s1 "$T/s" --stills; is "$code $(files)" "0 indexed a.png,indexed b.jpg,unchanged clock_1.mp4" "--stills takes them"
is "$("$K" -L "$T/s1" clips --json | jq -r 'select(.reason == "still") | "\(.path | sub(".*/"; "")) \(.start + 0) \(.frames)"' | sort | paste -sd,)" \
   "a.png 0 1,b.jpg 0 1" "as clips of one frame"
run s1 --stills; is "$(files)" "unchanged a.png,unchanged b.jpg,unchanged clock_1.mp4" "once"

# --- links ---
mkdir -p "$T/k/in" "$T/far"; cp "$M/clock_1.mp4" "$T/k/in/"; cp "$M/clock_6.mp4" "$T/far/"; cp "$M/clock_13.mp4" "$T/one.mp4"
ln -s "$T/far" "$T/k/in/folder"; ln -s "$T/one.mp4" "$T/k/in/one.mp4"; ln -s .. "$T/k/in/loop"; ln -s nowhere "$T/k/in/none.mp4"
run k1 "$T/k"; is "$(files)" "indexed clock_1.mp4,skipped none.mp4,skipped one.mp4" "symbolic links are named, not followed"
run k2 "$T/k" --follow; is "$(files)" "indexed clock_1.mp4,indexed clock_6.mp4,indexed one.mp4,skipped none.mp4" "--follow follows them, and no loop"

# --- patterns named before ---
mkdir "$T/i"; cp "$M/clock_1.mp4" "$T/i/a.mp4"; cp "$M/clock_6.mp4" "$T/i/b.mp4"
run i1 "$T/i" --include 'a*'; is "$(files)" "indexed a.mp4" "--include takes only what it names"
run i1; is "$(files)" "unchanged a.mp4" "and holds when no path is named"

# --- what is said meanwhile, and a pause ---
S="--window 2 --hop 0.1 --shots off --commit-every 0 --workers 1"
"$K" -L "$T/p1" ingest --encoder clock $S --json "$M/clock_20.mp4" "$M/clock_13.mp4" >"$T/o2" 2>&1
"$K" -L "$T/p2" ingest --encoder clock $S --nice "$M/clock_20.mp4" "$M/clock_13.mp4" >"$T/o1" 2>&1 & one=$!
part() { kept=$("$D" "$T/p2" part 2>/dev/null | cut -d' ' -f2); kept=${kept:-0}; }
# By recursion: under job control bash may leave a loop when a job of its own stops.
until_part() { # TRIES
  [ "$1" -gt 0 ] || return 1
  if [ -s "$T/p2/catalog.db" ]; then
    kill -TSTP -- -$one
    part; [ "$kept" -gt 2 ] && return 0
    kill -CONT -- -$one
  fi
  sleep 0.02
  until_part $(($1 - 1))
}
until_part 1500; ok $? "a film is part-written"
sleep 0.3
is "$(ps -o stat= -p $one | cut -c1)" T "Ctrl-Z pauses it"
is "$(ps -o ni= -p $one | tr -d ' ')" 19 "--nice leaves the machine to others"
is "$(ps -o ni= --ppid $one | tr -d ' ' | sort -u)" 19 "and so does its decoder"
job=$(ps -o pid= --ppid "$(ps -o pid= --ppid $one | head -n 1 | tr -d ' ')" | head -n 1 | tr -d ' ')
[ "$(awk '/Max cpu time/ { print $4 }' "/proc/$job/limits")" -ge $((300 + $(stat -c %s "$M/clock_13.mp4") / 512)) ]
ok $? "a film of 512 bytes a second has the processor time to be decoded as fast as it is played"
at=$kept; sleep 0.5; part; is "$kept" "$at" "nothing goes on in a pause"
"$K" -L "$T/p2" status --json >"$T/st"
is "$(jq -r '.ingest | "\(.pid) \(.files) \(.files_total)"' "$T/st")" "$one 0 2" "status in another process says which ingest, and of how many films"
jq -e '.ingest | .wall_seconds >= 0 and .clips <= '"$kept"' and (.path | endswith("clock_20.mp4") or endswith("clock_13.mp4") or . == "")' "$T/st" >/dev/null; ok $? "how far it is, and at what"
"$K" -L "$T/p2" status | grep -q "0 of 2 files"; ok $? "and says so in words"
kill -CONT -- -$one; wait $one
is $? 0 "fg goes on to the end"
cmp -s <("$D" "$T/p1") <("$D" "$T/p2"); ok $? "with the library of an undisturbed run"
is "$("$K" -L "$T/p2" status --json | jq -r .ingest)" null "afterwards status speaks of no ingest"

# --- how long it will take ---
"$K" -L "$T/p2" ingest --encoder clock "$M/clock_13.mp4" 2>&1 >/dev/null | grep -q About; is $? 1 "nothing is said of the time when nothing is to be done"
head -c 400000 /dev/urandom >"$T/heavy.bin" # sizes count, not what is in them
mkdir "$T/much"; for i in 1 2 3; do { cat "$M/clock_6.mp4"; cat "$T/heavy.bin"; echo $i; } >"$T/much/$i.mp4"; done
"$K" -L "$T/p2" ingest --encoder clock --dry-run "$T/much" 2>&1 >/dev/null | grep -Eq "New or changed: 3, .* About [0-9]+ (s|min), going by the last time"
ok $? "a later run says how long it may take, going by the one before"
"$K" -L "$T/none" ingest --encoder clock --dry-run "$T/much" 2>&1 >/dev/null | grep -q About; is $? 1 "a first one does not"

# --- Ctrl-C, twice ---
set +m
"$K" -L "$T/p3" ingest --encoder clock $S "$M/clock_20.mp4" "$M/clock_13.mp4" >"$T/o1" 2>&1 & one=$!
for i in $(seq 2000); do
  if [ -s "$T/p3/catalog.db" ]; then
    kill -STOP $one; kept=$("$D" "$T/p3" part 2>/dev/null | cut -d' ' -f2)
    [ "${kept:-0}" -gt 2 ] && break
    kill -CONT $one
  fi
  sleep 0.02
done
kill -INT $one; kill -CONT $one; kill -INT $one; wait $one; is $? 130 "a second Ctrl-C: exit 130"
"$K" -L "$T/p3" ingest --encoder clock $S --json "$M/clock_20.mp4" "$M/clock_13.mp4" >"$T/out" 2>&1
done=$(jq -r 'select(.event == "done") | .clips' "$T/out"); all=$(jq -r 'select(.event == "done") | .clips' "$T/o2")
[ "$kept" -gt 2 ] && [ "$done" -le $((all - kept)) ]; ok $? "what was in is not encoded again ($done of $all, $kept were in)"
cmp -s <("$D" "$T/p1") <("$D" "$T/p3"); ok $? "and the next run ends with the library of an undisturbed one"

# --- another model ---
mkdir "$T/w"; cp "$M/clock_6.mp4" "$M/clock_1.mp4" "$T/w"
cp "$F/lvt.spm" "$T/other.spm"
python3 - "$F/lvt.npz" "$T/other.npz" <<'P' # one weight is its own negative
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as old, zipfile.ZipFile(sys.argv[2], "w") as new:
    for i, name in enumerate(old.namelist()):
        data = bytearray(old.read(name))
        data[-1] ^= 0x80 if i == 0 else 0
        new.writestr(name, bytes(data))
P
old="$F/lvt.npz" new="$T/other.npz"

# --- a library keeps its class of precision ---
"$K" -q -L "$T/w8" -m "$old" --precision int8 ingest "$M/clock_1.mp4" >"$T/out" 2>"$T/err"; is $? 0 "an int8 library"
"$K" -q -L "$T/w8" ingest "$M/clock_6.mp4" >"$T/out" 2>"$T/err"; is "$? $("$K" -L "$T/w8" status --json | jq -r '"\(.precision) \(.videos)"')" "0 int8 2" "goes on in int8 unasked"
"$K" -q -L "$T/w8" --precision fp32 ingest "$M/clock_13.mp4" >"$T/out" 2>"$T/err"; is $? 2 "another class, asked for, is wrong use"
"$K" -q -L "$T/w8" search --all a tram >"$T/out" 2>"$T/err"; is $? 0 "it is searched as any other"

# status says in which arithmetic the vectors were made, and who the model is in the words of model info.
"$K" -q -L "$T/wf" -m "$old" --precision fp32 ingest "$M/clock_1.mp4" >"$T/out" 2>"$T/err"
is "$("$K" -L "$T/wf" status --json | jq -r .precision) $("$K" -L "$T/wf" status | grep -o ', fp32$')" "fp32 , fp32" "status: an fp32 library"
is "$("$K" -L "$T/wf" status --json | jq -r .model_hash)" "$("$K" model info "$old" --json | jq -r .hash)" "status and model info know a model by one hash"
is "$("$K" model info "$old" | grep -c "$("$K" -L "$T/wf" status --json | jq -r .model_hash)")" 1 "in words, too"
# A library that says nothing of it is of a class; a bf16 run into one of fp32 makes both. (The setting is a row of text.)
python3 - "$T/wf/catalog.db" <<'P'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1]); db.execute("DELETE FROM setting WHERE key LIKE 'precision/%'"); db.commit()
P
is "$("$K" -L "$T/wf" status --json | jq -r .precision)" "fp32/bf16" "status: an older library, of a class"
"$K" -q -L "$T/wf" --precision fp32 ingest "$M/clock_6.mp4" >"$T/out" 2>"$T/err"
is "$("$K" -L "$T/wf" status --json | jq -r .precision)" fp32 "and what its next run used"

w() { "$K" -L "$T/wl" "$@" >"$T/out" 2>"$T/err"; code=$?; }
now() { "$K" -L "$T/wl" status --json | jq -r '"\(.model_hash) \(.clips)"'; }
w -m "$old" ingest "$T/w"; is $code 0 "a library of one model"
had=$(now)
w -m "$new" ingest "$T/w"; is "$code $(grep -c -- '--switch changes' "$T/err")" "2 1" "another model without --switch: exit 2, and what changes it"
w -m "$new" ingest --switch --budget 0.001s; is $code 0 "--switch, and the time is up"
is "$(now)" "$had" "a search still finds the old vectors"
w search "a tram" --all; is $code 0 "with the old model"
w -m "$old" ingest; is "$code $(grep -c 'being switched to' "$T/err")" "2 1" "the old model now needs --switch, to call it off"
w ingest; is $code 0 "a plain ingest goes on with the switch"
is "$("$K" -L "$T/wl" status --json | jq -r .model)" "$new" "to its end"
[ "$(now | cut -d' ' -f1)" != "${had% *}" ] && [ "$(now | cut -d' ' -f2)" = "${had#* }" ]; ok $? "with as many clips as before"
w check; is $code 0 "and it checks"
w ingest; is "$code $(grep -c 'Nothing new' "$T/out")" "0 1" "after that nothing is left to do"
w -m "$old" ingest --switch --budget 0.001s; w -m "$new" ingest --switch
is "$code $(grep -c 'Nothing new' "$T/out")" "0 1" "a switch that is called off leaves the vectors as they were"

# --- memory: a minute takes what ten seconds take ---
cat >"$T/peak.py" <<'P'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
P
peak() { ff -f lavfi -i "testsrc2=s=640x360:r=25:d=$1" -c:v mpeg4 -q:v 8 "$T/t$1.mp4"; ASAN_OPTIONS=quarantine_size_mb=1:thread_local_quarantine_size_kb=64 python3 "$T/peak.py" "$K" -L "$T/m$1" ingest --encoder clock --shots off "$T/t$1.mp4"; }
short=$(peak 12) long=$(peak 60) # the frames of 12 s are 104 MB, of a minute 518 MB
[ "${short:-0}" -gt 0 ] && [ "$long" -lt $((short + 20000)) ]; ok $? "memory does not grow with the film ($short kB of 12 s, $long kB of 60 s)"

# --- a terminal that is resized: what is drawn fits it, a path and counts that are too long are cut ---
folder="$T/wide/a folder whose name alone does not fit into a narrow terminal"
mkdir -p "$folder"; ff -f lavfi -i "testsrc2=s=64x48:r=10:d=900" -c:v libx264 -preset ultrafast "$folder/film.mp4"
is "$(LC_ALL=C.UTF-8 python3 tests/live_width.py "$K" -L "$T/resized" ingest --encoder clock --window 2 --hop 0.2 --shots off "$folder" | paste -sd,)" "100 True True,38 True True" "progress follows the width of the terminal"
