#!/bin/bash
# watch.sh - `watch`: what comes is ingested once it is still; hours, signals, new folders, folders of the library.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
export LC_ALL=C
K=$BUILD/kinoseek
T=$(mktemp -d); trap 'kill $pid 2>/dev/null; rm -rf "$T"' EXIT
export TMPDIR=$T XDG_CACHE_HOME=$T/cache
ok() { if [ "$1" = 0 ]; then echo "ok - $2"; else echo "not ok - $2"; fi; }
is() { if [ "$1" = "$2" ]; then echo "ok - $3"; else echo "not ok - $3"; echo "# got:  $1"; echo "# want: $2"; fi; }
films() { "$K" -L "$T/in/lib" clips --json 2>/dev/null | jq -r '.path | sub(".*/"; "")' | sort -u | paste -sd,; }
until_films() { for i in $(seq 300); do [ "$(films)" = "$1" ] && return; sleep 0.1; done; }
watch() { "$K" -L "$T/in/lib" watch --encoder clock --settle 0.4 --every 0 "$@" >"$T/out" 2>"$T/err" & pid=$!; }
end() { kill -"$1" $pid; wait $pid; code=$?; }
bash tests/clock_films.sh "$T/made" || echo "not ok - films"
mkdir "$T/in"; cp "$T/made/clock_1.mp4" "$T/in/a.mp4"

watch --json "$T/in"; until_films a.mp4
is "$(films)" a.mp4 "what is there is ingested first"
cp "$T/made/clock_6.mp4" "$T/in/b.mp4"; until_films a.mp4,b.mp4
is "$(films)" a.mp4,b.mp4 "then what comes"
mkdir -p "$T/in/new/deep"; cp "$T/made/clock_13.mp4" "$T/in/new/deep/c.mp4"; until_films a.mp4,b.mp4,c.mp4
is "$(films)" a.mp4,b.mp4,c.mp4 "in new folders too"
cp "$T/made/clock_20.mp4" "$T/in/new/deep/d.mp4"; until_films a.mp4,b.mp4,c.mp4,d.mp4
is "$(films)" a.mp4,b.mp4,c.mp4,d.mp4 "which are heard of from then on"
rm "$T/in/b.mp4"; until_films a.mp4,c.mp4,d.mp4
is "$(films)" a.mp4,c.mp4,d.mp4 "and what goes"
sleep 1.5; n=$(grep -c '"event":"done"' "$T/out"); sleep 1.5
is "$(grep -c '"event":"done"' "$T/out")" "$n" "the library's own writes, below a watched folder, are no news"
end TERM; is $code 143 "a signal ends it"

mv "$T/in/a.mp4" "$T/in/e.mp4"; watch; until_films c.mp4,d.mp4,e.mp4; end INT
is "$code $(films)" "130 c.mp4,d.mp4,e.mp4" "without a path the folders named before are watched"

cp "$T/made/clock_6.mp4" "$T/in/f.mp4"; h=$(date +%H | sed 's/^0//')
watch --between $(printf '%02d:00-%02d:00' $(((h + 3) % 24)) $(((h + 5) % 24))); sleep 2; end TERM
is "$(films)" "c.mp4,d.mp4,e.mp4" "nothing is done outside of --between"
watch --between $(printf '%02d:00-%02d:00' $(((h + 23) % 24)) $(((h + 2) % 24))); until_films c.mp4,d.mp4,e.mp4,f.mp4; end TERM
is "$(films)" "c.mp4,d.mp4,e.mp4,f.mp4" "and all within, over midnight too"
"$K" -L "$T/in/lib" watch --between 25:00-1 >"$T/out" 2>"$T/err"; is "$? $(grep -c 'hours such as' "$T/err")" "2 1" "hours that are none are wrong use"
timeout 20 "$K" -L "$T/none" watch --encoder clock >"$T/out" 2>"$T/err"; is "$?" 2 "without a library and a path there is nothing to watch"
timeout 20 "$K" -L "$T/none" watch "$T/nowhere" >"$T/out" 2>"$T/err"; is "$?" 4 "nor where the path is not there"
"$K" -L "$T/in/lib" check >/dev/null 2>&1; ok $? "the library checks"

# --- subtitles alone are news, of a folder and of a film that was named by itself
said() { printf '1\n00:00:01,000 --> 00:00:03,000\n%s\n' "$1"; }
heard() { "$K" -L "$1" search --said "$2" --json 2>/dev/null | jq -r '.path | sub(".*/"; "")'; }
until_heard() { for i in $(seq 100); do [ "$(heard "$1" "$2")" = "$3" ] && break; sleep 0.2; done; is "$(heard "$1" "$2")" "$3" "$4"; }
until_done() { for i in $(seq 200); do grep -q '"event":"done"' "$T/out" && break; sleep 0.1; done; }
mkdir "$T/words"; cp "$T/made/clock_1.mp4" "$T/words/a.mp4"
for what in "$T/words" "$T/words/a.mp4"; do
  rm -rf "$T/lib" "$T/words/a.srt"; kind=$([ -d "$what" ] && echo "a folder" || echo "a film")
  "$K" -L "$T/lib" watch --encoder clock --settle 0.4 --every 0 --json "$what" >"$T/out" 2>"$T/err" & pid=$!; until_done
  said "early whale" >"$T/words/a.srt"; until_heard "$T/lib" whale a.mp4 "$kind: subtitles that come"
  said "late shark" >"$T/words/a.srt"; until_heard "$T/lib" shark a.mp4 "$kind: that change"
  rm "$T/words/a.srt"; until_heard "$T/lib" shark "" "$kind: that go"
  end TERM; is "$code $(cat "$T/err")" "143 " "$kind: the watch goes on all the while"
done
# The film's folder is not the library's: what else it holds is no film of it; what its folders hold still is.
mkdir "$T/far"; "$K" -L "$T/lib" ingest --encoder clock "$T/far" >/dev/null 2>&1
"$K" -L "$T/lib" watch --encoder clock --settle 0.4 --every 0 --json "$T/words/a.mp4" >"$T/out" 2>"$T/err" & pid=$!; until_done
cp "$T/made/clock_6.mp4" "$T/words/b.mp4"; cp "$T/made/clock_13.mp4" "$T/far/c.mp4"
names() { "$K" -L "$T/lib" clips --json 2>/dev/null | jq -r '.path | sub(".*/"; "")' | sort -u | paste -sd,; }
for i in $(seq 100); do [ "$(names)" = a.mp4,c.mp4 ] && break; sleep 0.2; done
is "$(names)" a.mp4,c.mp4 "a film and the folders of before"; end TERM
