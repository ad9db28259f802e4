#!/bin/bash
# glance.sh - the survey's first round: a picture every five minutes of all films, before any film has all of its pictures.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
export LC_ALL=C
K=$BUILD/kinoseek D=$BUILD/tests/prog_dump
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
export TMPDIR=$T XDG_CACHE_HOME=$T/cache
ok() { if [ "$1" = 0 ]; then echo "ok - $2"; else echo "not ok - $2"; fi; }
is() { if [ "$1" = "$2" ]; then echo "ok - $3"; else echo "not ok - $3"; echo "# got:  $1"; echo "# want: $2"; fi; }
ingest() { "$K" -L "$L" ingest --encoder clock --shots off --workers 1 --json "$@" 2>"$T/err" >"$T/out"; code=$?; }
dump() { "$D" "$L" >"$T/dump"; }
cc -O2 -fPIC -shared -o "$T/faultlib.so" "$(dirname "$0")/../torture/faultlib.c" -ldl || echo "not ok - faultlib does not build"

# Twelve minutes with a key frame every two seconds, the same in a container that is not sought in, and one of nine minutes.
mkdir "$T/in"
s="color=c=black:s=176x144:r=4:d=720,format=yuv444p" p=1
for i in 0 1 2 3 4 5 6 7; do
  s="$s,drawbox=x='floor($i*iw/8)':y=0:w='ceil(iw/8)':h='floor(ih/2)':color=white:t=fill:enable='bitand(floor((t+0.0001)*4/$p),1)'"; p=$((p * 2))
done
ff() { ffmpeg -hide_banner -nostdin -v error -y "$@"; }
ff -f lavfi -i "$s" -c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 8 "$T/in/long.mp4"
ff -ss 20 -i "$T/in/long.mp4" -c copy "$T/in/later.mkv"; touch -d 2001-01-04 "$T/in/later.mkv"
ff -t 540 -i "$T/in/long.mp4" -c copy "$T/in/nine.mp4"; touch -d 2001-01-03 "$T/in/nine.mp4"
ff -t 610 -i "$T/in/long.mp4" -c copy "$T/in/order.ts"; touch -d 2001-01-02 "$T/in/order.ts"
L=$T/whole; ingest "$T/in" --survey off; "$D" "$L" >"$T/whole.dump"
L=$T/survey; ingest "$T/in" --survey only; "$D" "$L" >"$T/survey.dump"
counts() { "$K" -L "$L" clips --json 2>/dev/null | jq -r '"\(.path | sub(".*/"; ""))"' | sort | uniq -c | sed 's/^ *//' | paste -sd,; }
is "$code $(counts)" "0 140 later.mkv,144 long.mp4,108 nine.mp4,122 order.ts" "a survey is twelve pictures a minute, whatever came first"
is "$(jq -r 'select(.event == "done") | "\(.clips) \(.left)"' "$T/out") $(jq -r 'select(.event == "file") | .path | sub(".*/"; "")' "$T/out" | paste -sd,)" \
   "514 4 nine.mp4,long.mp4,later.mkv,order.ts" "and told once of each film"

# --- killed at each fsync: each goes on to the same; those in which all have been glanced at, and no more, are kept ---
bad=0 kept=0 step=3
first=$(ldd "$K" | awk '/lib[at]san/ { print $3 }') # a sanitizer's own wants to be first; and it is slow
[ -z "$first" ] || step=12
for ((at = 1; at < 200; at++)); do
  L=$T/lib; rm -rf "$L"
  bash -c 'env "$@"; exit $?' - FI_PROG=kinoseek FI_FN=fsync FI_AT=$at FI_PATH="$L" FI_KILL=1 LD_PRELOAD="$first $T/faultlib.so" \
    "$K" -L "$L" ingest "$T/in" --encoder clock --shots off --workers 1 --survey only -q >/dev/null 2>&1 && break
  if [ "$(counts)" = "2 later.mkv,2 long.mp4,108 nine.mp4" ]; then
    [ $kept = 0 ] && cp -a "$L" "$T/glance"
    kept=$((kept + 1))
  elif [ $((at % step)) != 0 ]; then continue
  fi
  # one that was never begun is no library yet
  ! "$K" -L "$L" status >/dev/null 2>&1 || "$K" -L "$L" check >"$T/err" 2>&1 || { bad=$((bad + 1)); echo "# $at: check"; }
  ingest "$T/in" --survey only; dump
  cmp -s "$T/dump" "$T/survey.dump" || { bad=$((bad + 1)); echo "# $at: another library"; diff "$T/dump" "$T/survey.dump" | head -3; }
done
[ $at -lt 200 ] && [ $at -gt 20 ] && [ $kept -gt 0 ] && [ $bad = 0 ]; ok $? "killed at $at places, $kept of them after the glance: each goes on to the same survey"

# --- what a glance is ---
L=$T/glance; dump
is "$(grep '^  ' "$T/dump" | sort | comm -23 - <(grep '^  ' "$T/survey.dump" | sort) | wc -l)" 0 "each of its pictures is one of the survey's, with its time and bits"
is "$("$K" -L "$L" clips --json | jq -r 'select(.path | endswith("long.mp4")) | "\(.start + 0) \(.end + 0) \(.reason)"' | paste -sd,)" "150 155 survey,450 455 survey" "one every five minutes, in the middle of them"
is "$("$K" -L "$L" status --json | jq -c '[.videos, .surveyed, .unfinished]')" "[3,3,0]" "films that were glanced at are surveyed ones"
id=$("$K" -L "$L" clips --json | jq -r 'select(.path | endswith("long.mp4")) | .id' | head -1)
is "$("$K" -L "$L" search --like "$id" --all --json | jq -c '[.surveyed]' | sort -u)" "[true]" "hits say that they are surveyed"

# --- looked at more closely, then surveyed: what is finer stays, and no picture lies over it ---
L=$T/closer; cp -a "$T/glance" "$L"
"$K" -L "$L" search --like "$id" --in "$T/in/long.mp4" --all --fold off --closer 2h -q >/dev/null 2>&1; dump
grep '^  ' "$T/dump" | grep -v ' survey ' | sort >"$T/finer"
[ -s "$T/finer" ]; ok $? "a closer look brings clips"
ingest --survey only; dump
is "$(sort "$T/dump" | comm -13 - "$T/finer" | wc -l)" 0 "the survey leaves them"
grep -A999 '/long.mp4 |' "$T/dump" | sed 1d | sed '/^\//,$d' >"$T/film"
is "$(awk '$3 != "survey" { for (t = $1; t < $2; t += 0.25) fine[t] = 1 }
  $3 == "survey" { n++; for (t = $1; t < $2 && fine[t + 0]; t += 0.25) {} if (t >= $2) print } END { if (n < 100) print "few" }' "$T/film")" "" "and has no picture where they lie"
"$K" -L "$L" check >"$T/err" 2>&1; ok $? "the library checks"
is "$("$K" -L "$L" status --json | jq .surveyed) $(sqlite3 "$L/catalog.db" 'SELECT count(*) FROM video WHERE flags & 128')" "4 0" "nothing is left of the glance"
ingest; dump; cmp -s "$T/dump" "$T/whole.dump"; is "$code $?" "0 0" "the whole pass ends as if nothing had been"
L=$T/straight; cp -a "$T/glance" "$L"; ingest --survey off; dump; cmp -s "$T/dump" "$T/whole.dump"; is "$code $?" "0 0" "so it does right after the glance"

# --- a film that goes, or becomes another ---
L=$T/glance; mv "$T/in/later.mkv" "$T/gone.mkv"; ff -ss 20 -i "$T/in/long.mp4" -c copy "$T/long.mp4"; mv "$T/long.mp4" "$T/in/long.mp4"
ingest --survey only
is "$code $(counts)" "0 140 long.mp4,108 nine.mp4,122 order.ts" "one that is gone, and one that was written over"
"$K" -L "$L" check >"$T/err" 2>&1; ok $? "and the library checks"
