#!/bin/sh
# What people keep on a hub, as its mirrors and a library of its own have it: labels, a person's word, taught labels, kept
# queries, subtitles; two machines at once, a machine that comes late, roots elsewhere, who may not, a hub that is away.
. tests/hub_test.sh
own() { "$K" --precision fp32 -L "$T/lib" "$@" 2>"$T/err"; }
k() { "$K" --precision fp32 -L "$HUB" "$@" 2>"$T/err"; }
f=models/demo/films
mkdir "$T/films"; cp $f/weather.mp4 $f/animals.mp4 $f/harbour.mp4 "$T/films"
printf '1\n00:00:01,000 --> 00:00:03,000\nA quiet SPOON falls\n\n2\n00:00:05,000 --> 00:00:07,500\nnobody hears it\n' >"$T/films/weather.srt"
own -q -m demo ingest "$T/films"; ok $? "a library of three films, one with subtitles beside it"
k -q store init; k -q root films="$T/films"; k -q import "$T/lib"; ok $? "its films are in a hub"
fresh=$(hub_sql "SELECT string_agg(DISTINCT kind::text, ' ') FROM kinoseek.kept"); is "$fresh" 11 "and their subtitles"

# each question asked of the library and of mirrors; where a film lies differs
place() { sed -e "s,\"path\":\"[^\"]*/\([^/\"]*\)\",\"path\":\"\1\"," -e 's/"video":[0-9]*/"video":0/' -e 's/"clips":\[[^]]*\]/"clips":[]/' -e 's/,"missing":true//'; }
printf 'name,parent\na ship,thing\nsnow,weather\na bear,animal\nrain,weather\n' >"$T/l.csv"
ask() { # WHO
  for q in "labels --json" "labels things --json" "labels birds --json" "search --all --json -k 30 --label thing water" "search --all --json -k 30 --label weather x" \
    "search --json --said spoon" "search --all --json -k 9 --said hears snow" "teach --list --json" "label --learnt cold --json" "saved --json"; do
    echo "== $q"; "$@" $q | place
  done
}
same() { ask own >"$T/own"; for m in $1; do ask as $m >"$T/of"; cmp -s "$T/own" "$T/of"; c=$?; ok $c "$2: mirror $m is the library to the bit"; [ $c -eq 0 ] || diff "$T/own" "$T/of" | head -20 | sed 's/^/# /'; done; }
same "a b" "subtitles"
is "$(grep -c SPOON "$T/own")" 1 "which say something"

# --- the same said to a library and to a hub
both() { own "$@" >"$T/1"; c=$?; k "$@" >"$T/2"; is "$? $(cat "$T/2")" "$c $(cat "$T/1")" "$1 ${2:-} ${3:-} ${4:-}"; }
both label --labels "$T/l.csv" --template '{}' --store things -k 2
both label --labels "$T/l.csv" --template '{}' --store birds --intervals
same "a b" "labels"
both label --labels "$T/l.csv" --template '{}' --store things -k 2
is "$(grep -c '3 as before' "$T/2")" 1 "nothing is labelled twice"
revision() { hub_sql "SELECT revision FROM kinoseek.library"; }
before=$(revision); as b label --labels "$T/l.csv" --template '{}' --store things -k 2 >"$T/2"; is "$(cat "$T/2") $(revision)" "$(cat "$T/1") $before" "nor by another machine, and nothing is told"
both labels things --say weather.mp4@1-4 yes a ship
both labels things --say weather.mp4@2-3 no a ship
both labels birds --say animals.mp4@0-2 yes a heron
same "a b" "a person's word"
both teach cold --yes weather.mp4@0-3 weather.mp4@5-8 --no animals.mp4@0-3 harbour.mp4@2-6
both teach warm --yes animals.mp4@0-3 --no weather.mp4@0-3
both save ships search a ship
both save snows search snow --longer 1
same "a b" "taught, kept"
printf 'name,parent\na ship,thing\nsnow,weather\n' >"$T/l.csv"
both label --labels "$T/l.csv" --template '{}' --store things -k 2
same "a b c" "a shorter list, and a machine that comes late"
both teach warm --forget; both forget-saved snows; both labels birds --forget
same "a b c d" "what is forgotten"
is "$(as a check --json | jq -r 'select(.invariant)')$(as d check --json | jq -r 'select(.invariant)')" "" "check finds nothing"
both labels birds --read /dev/null; k labels birds --say animals.mp4@0-2 yes a heron; is "$?" 4 "a set that is gone stays gone"

# --- two machines at once
for i in 1 2 3 4 5 6; do
  as a labels things --say weather.mp4@$i-$((i + 2)) yes "a ship" >/dev/null & as b labels things --say weather.mp4@$((i + 1))-$((i + 3)) no "a ship" >/dev/null & wait
done
spans() { as "$1" -q sync; as "$1" labels things --json | place; }
is "$(spans a | cksum)" "$(spans b | cksum)" "two at once: they hold the same"
is "$(spans e | cksum)" "$(spans a | cksum)" "and so does who comes now"
is "$(hub_sql "SELECT count(*) FROM kinoseek.kept WHERE kind = 5")" "$(hub_sql "SELECT count(DISTINCT key) FROM kinoseek.kept WHERE kind = 5")" "each word once"

# --- films that change
k queue --by "import at $(hostname)" drop >/dev/null; k -m demo worker --idle-exit >/dev/null; is "$? $(hub_sql "SELECT count(*) FROM kinoseek.kept WHERE kind = 4")" "0 0" "films that are made anew have no labels"
is "$(as a search --json --said spoon | wc -l) $(as b label --labels "$T/l.csv" --template '{}' --store things -k 2 | cut -d' ' -f2-4)" "1 labelled 3 films" "until they are labelled; their subtitles came with them"
is "$(spans a | cksum)" "$(spans b | cksum)" "on every machine"
is "$(spans b | jq -r 'select(.said) | .path' | sort -u)" weather.mp4 "what a person said stays said"
cp -r "$T/films" "$T/elsewhere"; as b -q root films="$T/elsewhere"
is "$(as b search --json --said spoon | jq -r .path) $(sqlite3 "$T"/b/kinoseek/hubs/*/mirror/catalog.db "SELECT count(*) || ' ' || max(CAST(path AS TEXT)) FROM subtitle_file WHERE length(path) > 0")" "$T/elsewhere/weather.mp4 1 $T/elsewhere/weather.srt" "subtitles lie where the root does"
is "$(as b check --json | jq -r 'select(.invariant)')" "" "check finds nothing"

# --- the kept query is told
k ingest --json "$T/films" >"$T/out"; is "$(jq -r 'select(.event == "saved") | .name' "$T/out" | wc -l)" 0 "what was there before is no news"
cp "$(ls $f/*.mp4 | grep -v -e weather -e animals -e harbour | head -n 1)" "$T/films/new.mp4"
k -q save all search --all x 2>/dev/null || k -q save any search a
k -m demo ingest --json "$T/films" >"$T/out"; is "$? $(jq -r 'select(.event == "file" and .verdict == "indexed") | .path' "$T/out")" "0 $T/films/new.mp4" "a film comes"
told=$(jq -r 'select(.event == "saved") | .hit.path' "$T/out" | sort -u); n=$(k saved --json | jq -s 'map(.told) | add')
is "$told $((n > 0))" "$([ "$n" -gt 0 ] && echo "$T/films/new.mp4") 1" "and is told, and nothing else"
k ingest --json "$T/films" >"$T/out"; is "$(jq -r 'select(.event == "saved") | .name' "$T/out" | wc -l)" 0 "once"
is "$(as c -q root films="$T/films"; as c ingest --json "$T/films" | jq -r 'select(.event == "saved") | .hit.path' | sort -u)" "$told" "another machine tells it to its people"
is "$(as z -q root films="$T/films"; as z ingest --json "$T/films" | jq -r 'select(.event == "saved") | .hit.path' | sort -u)" "$told" "and one that has just come the same"

# --- subtitles that come, change and go after their film
said() { as "$1" search --json --said "$2" 2>/dev/null | jq -r .path | sed 's,.*/,,'; }
printf '1\n00:00:01,000 --> 00:00:03,000\nA LATE trumpet\n' >"$T/films/animals.srt"
before=$(revision); as b -q sync; k ingest --json "$T/films" >"$T/out"; is "$? $(jq -r 'select(.event == "subtitles") | .path' "$T/out") $(($(revision) - before))" "0 $T/films/animals.srt 1" "a file of subtitles beside a film that is in"
is "$(said a trumpet) $(said b trumpet) $(said new trumpet)" "animals.mp4 animals.mp4 animals.mp4" "reaches every mirror"
before=$(revision); k -q ingest "$T/films"; as c -q ingest "$T/films"; is "$(revision)" "$before" "once: no machine reads it again"
printf '1\n00:00:01,000 --> 00:00:03,500\nA LATER violin\n' >"$T/films/animals.srt"; k -q ingest --queue "$T/films"
is "$(said b trumpet) $(said b violin)" " animals.mp4" "changed"
mkdir "$T/films/moved"; mv "$T/films/animals.mp4" "$T/films/animals.srt" "$T/films/moved"; k -q ingest "$T/films"; as b -q sync
is "$(said b violin) $(sqlite3 "$T"/b/kinoseek/hubs/*/mirror/catalog.db "SELECT CAST(path AS TEXT) FROM subtitle_file WHERE CAST(path AS TEXT) LIKE '%animals.srt'")" "animals.mp4 $T/elsewhere/moved/animals.srt" "moved with its film"
mv "$T/films/moved"/* "$T/films"; rmdir "$T/films/moved"; rm "$T/films/animals.srt"; k -q ingest "$T/films"
is "$(said a violin)$(said b violin) $(as b check --json | jq -r 'select(.invariant)')" " " "gone"

# --- all of it from a library, at once
k -q backup "$T/back"; ok $? "backup"
B=$HUB; hub_sql "CREATE DATABASE second"; HUB=$(echo "$HUB" | sed 's,///postgres,///second,')
k -q store init; k -q root films="$T/films"; k -q import "$T/back"; ok $? "import"
lib() { "$K" --precision fp32 -L "$T/back" "$@" 2>"$T/err"; }
ask lib >"$T/own"; ask as y >"$T/of"; grep -v '"told"' "$T/own" >"$T/1"; grep -v '"told"' "$T/of" >"$T/2"
cmp -s "$T/1" "$T/2"; c=$?; ok $c "labels, words, taught labels and subtitles went over"; [ $c -eq 0 ] || diff "$T/1" "$T/2" | head | sed 's/^/# /'
is "$(as y saved --json | jq -r .name | paste -sd' ')" "$(lib saved --json | jq -r .name | paste -sd' ')" "and kept queries"
before=$(revision); k -q import "$T/back"; is "$(revision)" "$before" "a second time nothing is new"

# --- who may not, and a hub that is away
hub_sql "CREATE ROLE r LOGIN IN ROLE kinoseek_reader; CREATE ROLE w LOGIN IN ROLE kinoseek_worker, kinoseek_reader"; O=$HUB
for who in r w; do
  HUB=$(echo "$O" | sed "s/user=postgres/user=$who/")
  as $who labels --json >"$T/out"; is "$? $(wc -l <"$T/out")" "0 1" "$who reads labels"
  for words in "labels things --say weather.mp4@1-2 yes snow" "teach x --yes weather.mp4@1-2" "save x search y" "label --labels $T/l.csv --store things"; do
    as $who $words >"$T/out"; is "$? $(grep -c 'login may not\|permission denied' "$T/err") $(wc -l <"$T/err")" "5 1 1" "$who: no ${words%% *}"
  done
done
HUB=$O; is "$(revision)" "$before" "nothing of it was written"
HUB=$(echo "$O" | sed "s/user=postgres/user=w/")
"$hub_bin/psql" -qAtX "$HUB" -c "SELECT kinoseek.put_kept('\\x00', NULL, $(hub_sql "SELECT schema FROM kinoseek.library"), 0, ARRAY[9::bigint], ARRAY['x'::bytea], ARRAY[''::bytea], ARRAY[''::bytea], ARRAY['q'::bytea], ARRAY[1::bigint], 0)" 2>"$T/err"; is "$(grep -c 'only the owner writes without a lease' "$T/err")" 1 "a worker keeps nothing by hand"
HUB=$O; hub_down fast
as y labels --json >"$T/out"; is "$? $(wc -l <"$T/out") $(wc -l <"$T/err")" "0 1 1" "while the hub is away: labels from the mirror, one notice"
as y labels things --say weather.mp4@1-2 yes snow; is "$? $(wc -l <"$T/err")" "5 2" "and nothing is kept: exit 5"
hub_up
# the wire is cut between what is kept here and the hub
"$K" -L "$(echo "$T"/a/kinoseek/hubs/*/mirror | tr ' ' '\n' | tail -n 1)" labels things --say weather.mp4@3-4 yes snow >"$T/out" 2>"$T/err"; ok $? "a word kept in a mirror by its folder"
as a -q sync; is "$(as y -q sync; as y labels things --json | jq -c 'select(.said and .label == "snow") | [.start, .end]')" "$(as a labels things --json | jq -c 'select(.said and .label == "snow") | [.start, .end]')" "goes to the hub with the next sync"

# --- hostile words
hub_sql "UPDATE kinoseek.kept SET data = overlay(data PLACING '\\x7f' FROM 3) WHERE id = (SELECT min(id) FROM kinoseek.kept WHERE octet_length(data) > 9)"
as h -q sync; is "$? $(grep -c '1 rows of the hub were left out (what is kept' "$T/err")" "3 1" "a word that does not match its checksum is left out, and named"
is "$(as h check --json | jq -r 'select(.invariant)')" "" "check finds nothing"
hub_sql "UPDATE kinoseek.library SET revision = 9223372036854775807"; as h -q sync
is "$(sqlite3 "$(echo "$T"/h/kinoseek/hubs/*/mirror | tr ' ' '\n' | tail -n 1)/catalog.db" "SELECT CAST(value AS TEXT) FROM setting WHERE key = 'hub.revision'" | cut -d' ' -f2-)" "9223372036854775807 9223372036854775807" "the largest revision there is fits"
