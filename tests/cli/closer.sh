#!/bin/bash
# closer.sh - `search --closer`: clips of surveyed films before the whole pass comes to them, with its bits; kept, crash-safe.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
export LC_ALL=C
K=$BUILD/kinoseek D=$BUILD/tests/prog_dump
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
export TMPDIR=$T XDG_CACHE_HOME=$T/cache
ok() { if [ "$1" = 0 ]; then echo "ok - $2"; else echo "not ok - $2"; fi; }
is() { if [ "$1" = "$2" ]; then echo "ok - $3"; else echo "not ok - $3"; echo "# got:  $1"; echo "# want: $2"; fi; }
mkdir "$T/in"
# Clock bars above, scenes below: cuts every few seconds, then one shot from 96 s to the end (250 s).
s="color=c=black:s=176x144:r=10:d=250,format=yuv444p" p=1
for i in 0 1 2 3 4 5 6 7; do
  s="$s,drawbox=x='floor($i*iw/8)':y=0:w='ceil(iw/8)':h='floor(ih/2)':color=white:t=fill:enable='bitand(floor((t+0.0001)*4/$p),1)'"; p=$((p * 2))
done
at=0 n=0
for next in 7.3 19.1 26 41.7 44 63.2 80.5 96; do
  c=$(printf '0x%02x%02x%02x' $((n * 97 % 256)) $((n * 151 % 256)) $((n * 211 % 256))); n=$((n + 1))
  s="$s,drawbox=x=0:y='ih/2':w=iw:h='ih/2':color=$c:t=fill:enable='between(t+0.0001,$at,$next-0.001)'"
  s="$s,drawbox=x='iw/$((n % 5 + 2))':y='ih/2':w='iw/$((n % 3 + 3))':h='ih/$((n % 4 + 3))':color=$( [ $((n % 2)) = 0 ] && echo white || echo red):t=fill:enable='between(t+0.0001,$at,$next-0.001)'"
  at=$next
done
ff() { ffmpeg -hide_banner -nostdin -v error -y "$@"; }
ff -f lavfi -i "$s" -c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 20 "$T/in/long.mp4"
ff -i "$T/in/long.mp4" -c copy "$T/in/cut.mkv"; touch -d 2001-01-01 "$T/in/cut.mkv"
ff -t 110 -i "$T/in/long.mp4" -c copy "$T/in/order.ts"; touch -d 2001-01-02 "$T/in/order.ts" # surveyed in order, with all its key frames
ingest() { "$K" -L "$L" ingest --encoder clock --workers 2 -q "$@" >"$T/out" 2>"$T/err"; }
ff -t 7 -i "$T/in/long.mp4" -c copy "$T/short.mp4" # what is asked about
L=$T/whole; ingest "$T/short.mp4"; ingest "$T/in" --survey off; "$D" "$L" >"$T/whole.dump"
clips() { grep -v ' survey ' "$1" | grep '^  ' | sort -u; } # of all films; equal ones once
L=$T/lib; ingest "$T/short.mp4"; ingest "$T/in" --survey only; "$D" "$L" >"$T/surveyed.dump"; cp -a "$L" "$T/fresh"
short=$("$K" -L "$L" clips --json | jq -r 'select(.path | endswith("short.mp4")) | .id' | head -1)
closer() { "$K" -L "$L" search --json --all --fold off --closer "$@" >"$T/out" 2>"$T/err"; code=$?; }

# --- one minute among cuts, one in the long shot, one of a film that is read in order ---
for where in "long.mp4 70" "long.mp4 230" "order.ts 40"; do
  set -- $where
  L=$T/lib; rm -rf "$L"; cp -a "$T/fresh" "$L"
    closer 2h --like $short --in "$T/in/$1"
  "$D" "$L" >"$T/dump"
  grep -A999 "/$1 |" "$T/dump" | sed 1d | sed '/^\//,$d' | grep -v ' survey ' >"$T/new"
  is "$code $(comm -23 <(sort "$T/new") <(clips "$T/whole.dump") | wc -l)" "0 0" "$1 at $2 s: each clip is one of the whole pass, bit for bit"
  # all clips of the whole pass that overlap the minute are there, and the survey's clip of it is gone
  grep -A999 "/$1 |" "$T/whole.dump" | sed 1d | sed '/^\//,$d' >"$T/film"
  grep -A999 "/$1 |" "$T/surveyed.dump" | sed 1d | sed '/^\//,$d' | awk -v t="$2" '$1 <= t && $2 > t { print $1, $2 }' >"$T/span"
  read -r a b <"$T/span"
  is "$(awk -v a="$a" -v b="$b" '$1 < b && $2 > a' "$T/film" | comm -23 <(sort -u /dev/stdin) <(sort -u "$T/new") | wc -l)" 0 "$1 at $2 s: none of the minute is missing ($(wc -l <"$T/new") clips)"
  is "$(awk -v a="$a" -v b="$b" '/ survey / && $1 == a && $2 == b' <(grep -A999 "/$1 |" "$T/dump" | sed 1d | sed '/^\//,$d') | wc -l)" 0 "and its coarse clip is gone"
  "$K" -L "$L" check >"$T/err" 2>&1; ok $? "the library checks"
done
grep -q 'looked closer' "$T/err" || closer 2h --like $short
ok "$(grep -q 'looked closer for .* encoded' "$T/err"; echo $?)" "stderr says what was done"
[ "$(jq -s 'map(select(.sharpened)) | length' "$T/out")" -gt 0 ]; ok $? "hits say that they were sharpened"
[ "$(jq -s 'map(select(.sharpened and .surveyed)) | length' "$T/out")" = 0 ]; ok $? "and are surveyed no more"

# --- without shots nothing says where one is but the film's start: the grid is taken to begin there ---
L=$T/plain; ingest "$T/in/long.mp4" --shots off --survey off; "$D" "$L" >"$T/plain.dump"
L=$T/off; ingest "$T/short.mp4" --shots off; ingest "$T/in/long.mp4" --survey only
closer 2h --like $short --in "$T/in/long.mp4"; "$D" "$L" >"$T/dump"
is "$code $(comm -23 <(clips "$T/dump" | grep -v ' shot ') <(clips "$T/plain.dump") | wc -l) $(clips "$T/dump" | grep -c window)" "0 0 $(clips "$T/plain.dump" | grep -c window)" "a film without shots: all its clips, with the bits of the whole pass"
L=$T/lib # of the last film above

# --- everything, then the whole pass: it takes what is there ---
for i in 1 2 3; do closer 2h --like "$("$K" -L "$L" clips --json | jq -r 'select(.reason == "survey") | .id' | head -1)"; done
"$D" "$L" >"$T/dump"
is "$(comm -23 <(clips "$T/dump") <(clips "$T/whole.dump") | wc -l)" 0 "all that was looked at has the bits of the whole pass"
"$K" -L "$L" clips --json | jq -r 'select(.reason != "survey") | .id' | sort >"$T/ids"
[ -s "$T/ids" ]; ok $? "there are such clips ($(wc -l <"$T/ids"))"
is "$("$K" -L "$L" status --json | jq -c '[.videos, .surveyed, .unfinished, .bad]')" "[4,3,0,0]" "the films are still surveyed ones, and good"
ingest; "$D" "$L" >"$T/dump"; cmp -s "$T/dump" "$T/whole.dump"; ok $? "the whole pass ends as it would have without"
"$K" -L "$L" clips --json | jq -r .id | sort >"$T/after"
is "$(comm -23 "$T/ids" "$T/after" | wc -l)" 0 "and has encoded none of them again"
closer 2h --like "$("$K" -L "$L" clips --json | jq -r .id | head -1)"
is "$code $(grep -c 'nothing surveyed' "$T/err")" "0 1" "with nothing surveyed there is nothing to do, and the answer is given"

# --- a film that changed, is gone; another writer; wrong use ---
L=$T/changed; cp -a "$T/fresh" "$L"
ff -ss 20 -i "$T/in/cut.mkv" -c copy "$T/other.mp4"; cp -p "$T/in/long.mp4" "$T/kept.mp4"; cp "$T/other.mp4" "$T/in/long.mp4"
closer 2h --like $short --in "$T/in/long.mp4"
is "$code $("$D" "$L" | grep -A99 '/long.mp4 |' | sed 1d | sed '/^\//,$d' | grep -vc survey)" "0 0" "a film that was written over is left to the whole pass"
rm "$T/in/long.mp4"; closer 2h --like $short --in "$T/in/long.mp4"
is "$code $("$D" "$L" | grep -A99 '/long.mp4 |' | sed 1d | sed '/^\//,$d' | grep -vc survey)" "0 0" "so is one that is gone"
cp -p "$T/kept.mp4" "$T/in/long.mp4"
"$K" -L "$L" search x --closer soon >/dev/null 2>"$T/err"; is "$?" 2 "a time that is none is wrong use"
"$K" -L "$L" search --queries /dev/null --closer 3s >/dev/null 2>"$T/err"; is "$?" 2 "so are several queries"

# --- killed and interrupted: what is committed stays, the library checks, and the whole pass ends the same ---
for signal in KILL INT TERM; do
  for after in 0.1 0.3 0.6; do
    L=$T/killed; rm -rf "$L"; cp -a "$T/fresh" "$L"
    "$K" -L "$L" search --json --all --fold off --closer 2h --like $short >"$T/out" 2>"$T/err" & pid=$!
    sleep $after; kill -$signal $pid 2>/dev/null; wait $pid 2>/dev/null; code=$?
    "$K" -L "$L" check >"$T/checked" 2>&1 || { cat "$T/checked"; ok 1 "the library checks after $signal"; }
    "$D" "$L" >"$T/dump"
    [ "$(comm -23 <(clips "$T/dump") <(clips "$T/whole.dump") | wc -l)" = 0 ] || ok 1 "a clip that the whole pass does not have, after $signal"
    [ $signal = KILL ] || [ $code = 0 ] || [ $code = 130 ] || [ $code = 143 ] || ok 1 "exit code $code after $signal"
  done
  ingest; "$D" "$L" >"$T/dump"; cmp -s "$T/dump" "$T/whole.dump"; ok $? "after SIG$signal the whole pass ends as it would have without"
done
