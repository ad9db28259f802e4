#!/bin/bash
# survey.sh - `ingest --survey`: pictures from proven key frames, in the searches until the whole pass has its place.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
export LC_ALL=C
K=$BUILD/kinoseek D=$BUILD/tests/prog_dump
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
export TMPDIR=$T XDG_CACHE_HOME=$T/cache
ok() { if [ "$1" = 0 ]; then echo "ok - $2"; else echo "not ok - $2"; fi; }
is() { if [ "$1" = "$2" ]; then echo "ok - $3"; else echo "not ok - $3"; echo "# got:  $1"; echo "# want: $2"; fi; }
run() { "$K" -L "$L" ingest --encoder clock --json --shots off --workers 1 "$@" 2>"$T/err" >"$T/out"; code=$?; }
said() { jq -r "select(.event == \"$1\") | $2" "$T/out"; }
mkdir "$T/in"
s="color=c=black:s=176x144:r=10:d=150,format=yuv444p" p=1
for i in 0 1 2 3 4 5 6 7; do
  s="$s,drawbox=x='floor($i*iw/8)':y=0:w='ceil(iw/8)':h='floor(ih/2)':color=white:t=fill:enable='bitand(floor((t+0.0001)*4/$p),1)'"; p=$((p * 2))
done
ff() { ffmpeg -hide_banner -nostdin -v error -y "$@"; }
ff -f lavfi -i "$s" -c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 20 "$T/in/long.mp4"
ff -i "$T/in/long.mp4" -c copy "$T/in/long.ts"; touch -d '2001-01-01' "$T/in/long.ts"
ff -t 7 -i "$T/in/long.mp4" -c copy "$T/in/short.mp4"

L=$T/whole; run "$T/in" --survey off; "$D" "$L" >"$T/whole.dump"

# --- shots that show by their key frames, pictures that stay the same ---
ff -f lavfi -i "color=c=blue:s=176x144:r=10:d=7" -f lavfi -i "color=c=red:s=176x144:r=10:d=1.5" -f lavfi -i "testsrc2=s=176x144:r=10:d=51.5" \
   -filter_complex '[0][1][2]concat=n=3:v=1,format=yuv420p' -c:v libx264 -preset ultrafast -g 100 -force_key_frames 7,8.5,18.5,28.5,38.5,48.5,58.5 "$T/cuts.mp4"
L=$T/cuts; run "$T/cuts.mp4" --survey only
is "$("$K" -L "$L" clips --json | jq -r '"\(.start + 0) \(.end + 0)"' | head -3 | paste -sd,)" "0 7,7 8.5,8.5 18.5" "a shot has a picture of its own, and ends with it"
ff -loop 1 -r 5 -i "$(dirname "$0")/../../models/demo/moments.png" -t 130 -vf scale=176:144,format=yuv420p -c:v libx264 -preset ultrafast -qp 0 -g 10 "$T/still.mkv"
L=$T/still; run "$T/still.mkv" --survey only
is "$("$K" -L "$L" clips --json | jq -r '"\(.start + 0) \(.end + 0) \(.reason)"' | paste -sd,)" "0 130 survey" "a film that stands still is one clip"

# --- alone ---
L=$T/lib; run "$T/in" --survey only
is "$code $(said file '.path | sub(".*/"; "")' | paste -sd,) $(said done .left)" "0 long.mp4,long.ts 3" "newest first; no survey for a film as short as a clip; all are left to do"
is "$("$K" -L "$L" clips --json | jq -r '"\(.path | sub(".*/"; "")) \(.reason) \(.frames)"' | sort | uniq -c | sed 's/^ *//' | paste -sd,)" \
   "30 long.mp4 survey 1,30 long.ts survey 1" "twelve clips of one picture a minute"
is "$("$K" -L "$L" clips --json | jq -r '"\(.path | sub(".*/"; "")) \(.start + 0) \(.end + 0)"' | awk '$2 != end[$1] + 0 { print "gap at", $2 } { end[$1] = $3 } END { for (f in end) print f, end[f] }' | sort | paste -sd,)" \
   "long.mp4 150,long.ts 150" "side by side, from the start to the end"
is "$("$K" -L "$L" status --json | jq -c '[.videos, .surveyed, .unfinished]')" "[2,2,0]" "status counts what is surveyed"
# A part's picture is the key frame (every 2 s) at or before its middle; of a film read in order the first from its middle on.
"$D" "$L" clock >"$T/clock"
awk '/\|/ { film = $1; next }
  { t = ($1 + $2) / 2; t = film ~ /mp4/ ? 2 * int(t / 2 + 1e-9) : int(t * 10 + 0.9999) / 10
    want = int(4 * (t + 0.0001)) % 256
    if ($5 != want) { bad++; print "# " film " " $1 " is " $5 ", not " want } n++ }
  END { exit !(n == 60 && !bad) }' "$T/clock"
ok $? "each picture is the one of its time, by seeking and in order"
"$K" -L "$L" check >"$T/out" 2>&1; ok $? "the library checks"
id=$("$K" -L "$L" clips --json | jq -r 'select(.path | endswith("mp4")) | .id' | head -1)
is "$("$K" -L "$L" search --like "$id" -k 3 --json | jq -c '[.surveyed]' | sort | uniq -c | sed 's/^ *//')" "3 [true]" "hits say that they are surveyed"
"$K" -L "$L" search --like "$id" -k 1 >"$T/out"; grep -q '(surveyed)' "$T/out"; ok $? "to people too"
cp -a "$L" "$T/words"; "$K" -L "$T/words" ingest --encoder clock --shots off --survey only "$T/in/long.mp4" "$T/cuts.mp4" >"$T/out" 2>/dev/null
grep -qE '^Surveyed 1 file \([0-9]+ clips\) in .*\. 2 left for the whole pass: kinoseek ingest goes on\.$' "$T/out"; ok $? "what was surveyed is said, and how to go on"
run --survey only; is "$code $(said done '"\(.clips) \(.left)"')" "0 0 3" "a second survey finds nothing to do"

# --- the whole pass in its place ---
cp -a "$L" "$T/killed"; cp -a "$L" "$T/gone"; cp -a "$L" "$T/changed"
run
is "$code $(said file .verdict | sort | uniq -c | sed 's/^ *//')" "0 3 indexed" "plain ingest is the whole pass"
"$D" "$L" >"$T/dump"; cmp -s "$T/dump" "$T/whole.dump"; ok $? "and leaves what it would have without a survey, bit for bit"
"$K" -L "$L" check >"$T/out" 2>&1; ok $? "the library checks"
is "$("$K" -L "$L" status --json | jq -c '[.surveyed, .unfinished]') $("$K" -L "$L" search --like "$("$K" -L "$L" clips --json | jq .id | head -1)" -k 3 --json | jq -c '[.surveyed]' | sort -u)" "[0,0] [null]" "nothing is surveyed any more"
L=$T/first; run "$T/in" --survey first
"$D" "$L" >"$T/dump"; cmp -s "$T/dump" "$T/whole.dump"; is "$code $?" "0 0" "both passes in one run end in the same"

# --- clips of just the seconds that pictures stand for ---
L=$T/five; run "$T/in/long.mp4" --survey off --window 5 --hop 5; "$D" "$L" >"$T/five.dump"
L=$T/same; run "$T/in/long.mp4" --survey only --window 5 --hop 5; run "$T/in/long.mp4" --window 5 --hop 5
"$D" "$L" >"$T/dump"; cmp -s "$T/dump" "$T/five.dump"; is "$code $? $(grep -c '^  ' "$T/dump")" "0 0 30" "a clip of the same seconds takes the picture's place"
"$K" -L "$L" check >"$T/out" 2>&1; ok $? "the library checks"

# --- killed, with the whole pass of a surveyed film half way ---
L=$T/killed
"$K" -L "$L" ingest --encoder clock --shots off -q --commit-every 0 >/dev/null 2>&1 & pid=$!
for i in $(seq 400); do
  n=$("$K" -L "$L" clips --json 2>/dev/null | jq -r 'select(.path | endswith("long.mp4")) | .reason' | grep -c window)
  [ "${n:-0}" -gt 3 ] && break; sleep 0.05
done
kill -9 $pid; wait $pid 2>/dev/null
"$K" -L "$L" check >"$T/out" 2>&1; ok $? "killed there, the library checks"
[ "$("$K" -L "$L" clips --json | jq -r .reason | grep -c survey)" -ge 3 ]; ok $? "and no minute of what was searched is missing"
run; "$D" "$L" >"$T/dump"; cmp -s "$T/dump" "$T/whole.dump"; is "$code $?" "0 0" "the next run ends as if nothing had been"

# --- a surveyed film that goes, or becomes another ---
L=$T/gone; mv "$T/in/long.ts" "$T/kept.ts"; run --survey only
is "$("$K" -L "$L" clips --json | jq -r '.path | sub(".*/"; "")' | sort -u) $("$K" -L "$L" check >/dev/null 2>&1; echo $?)" "long.mp4 0" "a surveyed film that is gone takes its clips along"
L=$T/changed; ff -ss 20 -i "$T/in/long.mp4" -c copy "$T/in/long.ts"; run
is "$code $("$K" -L "$L" clips --json | jq -r 'select(.path | endswith("ts")) | .end' | sort -n | tail -1 | cut -d. -f1) $("$K" -L "$L" status --json | jq .surveyed)" "0 130 0" "one that was written over is taken anew"
"$K" -L "$L" check >"$T/out" 2>&1; ok $? "and the library checks"
