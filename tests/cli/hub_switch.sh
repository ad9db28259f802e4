#!/bin/sh
# Another model for a hub: mirrors answer from the old one until every film is through in the new one, then from that, with the
# rows that a library of its own has; new films meanwhile, forgotten ones, a switch that is called off, a worker in the middle.
. tests/hub_test.sh
rows() { sqlite3 "$1/catalog.db" "SELECT hex(v.content), v.verdict, c.start, c.stop, c.frames, c.reason, hex(x.half), hex(f.data), hex(t.jpeg) FROM clip c JOIN video v ON v.id = c.video JOIN vector x ON x.clip = c.id LEFT JOIN frame_vectors f ON f.clip = c.id LEFT JOIN thumbnail t ON t.clip = c.id WHERE v.finished > 0 ORDER BY 1, 3, 4" | cksum; }
whole() { sqlite3 "$1/catalog.db" "SELECT (SELECT count(*) FROM video WHERE finished > 0), (SELECT count(*) FROM clip), (SELECT count(DISTINCT space) FROM clip), (SELECT count(*) FROM space)"; }
mirror() { echo "$T/$1"/kinoseek/hubs/*/mirror; }
jobs() { hub_sql "SELECT count(*) FROM kinoseek.job WHERE state = $1"; }
one() { "$K" -q -L "$T/$1" ingest --encoder clock ${2:-} "$T/films" 2>"$T/err"; }
bash tests/clock_films.sh "$T/made" || echo "not ok - films"
mkdir "$T/films"; for i in 13 6 1; do cp "$T/made/clock_$i.mp4" "$T/films"; done
echo no film >"$T/films/x.mp4"
one lib; one other "--frames 5"; is "$?" 0 "libraries of two models"

k -q store init; k -q root films="$T/films"
k -q ingest --encoder clock --switch --frames 5 --queue "$T/films"; is "$? $(jobs 0) $(hub_sql "SELECT writing FROM kinoseek.library")" "0 4 0" "a hub in which nothing is: the first films say of which model it is"
k -q worker --idle-exit --encoder clock; ok $? "one"
k backup "$T/back" >/dev/null; is "$(rows "$T/back")" "$(rows "$T/lib")" "is what one machine makes"
k label --labels "$T/none" 2>/dev/null; as b -q sync; had=$(whole "$(mirror b)")
as b root films="$T/films" -q

# --- begun
k ingest --encoder clock --frames 5 --queue "$T/films"; is "$? $(jobs 0)" "2 0" "other frames without --switch are refused"
before=$(hub_sql "SELECT count(*) FROM kinoseek.clip")
k ingest --encoder clock --frames 5 --switch --queue >"$T/out"; is "$? $(jobs 0) $(grep -c 'queued for the other model' "$T/out")" "0 3 1" "--switch: all films are queued again, and that is said"
k queue >"$T/out"; is "$(tail -n 1 "$T/out" | grep -o ': [0-9]* of [0-9]* films')" ": 0 of 3 films" "queue says how far it is"
k -q ingest --encoder clock --frames 5 --switch --queue; is "$? $(jobs 0) $(hub_sql "SELECT count(*) FROM kinoseek.space")" "0 3 2" "said again it is the same one"
cp "$T/made/clock_20.mp4" "$T/films"; k -q ingest --queue --encoder clock "$T/films"; is "$(jobs 0)" 4 "a film that comes meanwhile"
# two of the old films, so that one is left
hub_sql "UPDATE kinoseek.job SET state = 2 WHERE rel = 'clock_6.mp4'"
k worker --idle-exit --encoder clock >"$T/out"; is "$? $(grep -c indexed "$T/out") $(k queue | tail -n 1 | grep -o ': [0-9]* of [0-9]* films')" "0 3 : 2 of 3 films" "a worker makes them"
k -q ingest --queue --encoder clock "$T/films"; k -q queue retry; is "$(jobs 0)" 1 "what is through is not queued again, what failed is when somebody asks"
is "$(whole "$(mirror a)") $(rows "$(mirror a)" | wc -l)" "$had 1" "the mirror has the old ones"
as c -q sync; is "$(rows "$(mirror c)")" "$(rows "$(mirror a)")" "and so has one that is made now"
is "$(as c check --json | jq -r 'select(.invariant)')" "" "which check finds whole"
"$K" -q -L "$T/back" check >/dev/null; k backup "$T/back2" >/dev/null; is "$(rows "$T/back2")" "$(rows "$T/back")" "a backup is of the old model"
k import "$T/lib"; is "$? $(grep -c 'holds vectors of' "$T/err")" "2 1" "the old model's films come in no more"

# --- through
one other "--frames 5"
k worker --idle-exit --encoder clock >"$T/out"; is "$? $(hub_sql "SELECT space = writing FROM kinoseek.library")" "0 t" "the last film ends it"
for m in a b c d; do
  as $m -q sync; is "$(whole "$(mirror $m)") $(as $m check --json | jq -r 'select(.invariant)')" "4|$(sqlite3 "$T/other/catalog.db" "SELECT count(*) FROM clip")|1|1 " "mirror $m has the new ones, all and alone"
done
is "$(as b status --json | jq -c '[.videos, .clips, .frames]')" "$("$K" -L "$T/other" status --json | jq -c '[.videos, .clips, .frames]')" "it counts what the library counts"
k backup "$T/back3" >/dev/null; is "$(rows "$T/back3")" "$(rows "$T/other")" "to the byte what one machine makes of them"
is "$(as a status --json | jq -c '[.videos, .clips]')" "$(as d status --json | jq -c '[.videos, .clips]')" "old mirrors and new ones agree"
k -q ingest --queue --encoder clock "$T/films"; is "$(hub_sql "SELECT count(DISTINCT space) FROM kinoseek.clip") $(hub_sql "SELECT count(*) FROM kinoseek.next_video") $(jobs 0)" "1 0 0" "the next ingest takes the old clips away"

# --- called off
k -q ingest --encoder clock --frames 4 --switch --queue; hub_sql "UPDATE kinoseek.job SET state = 2 WHERE rel = 'clock_6.mp4'"; k -q worker --idle-exit --encoder clock
cp "$T/made/clock_1.mp4" "$T/films/new.mp4"; printf '\0\0\0\014freenew1' >>"$T/films/new.mp4"; k -q ingest --queue --encoder clock; k -q worker --idle-exit --encoder clock
hub_sql "SELECT count(*) FROM kinoseek.next_video" >"$T/n"
k ingest --encoder clock --frames 5 --switch --queue >"$T/out"; is "$? $(grep -c 'called off' "$T/out") $(hub_sql "SELECT space = writing FROM kinoseek.library") $(k queue --json | jq -r .path)" "0 1 t new.mp4" "the model that mirrors have calls it off: what was made in the other alone is queued"
is "$(hub_sql "SELECT count(DISTINCT space) FROM kinoseek.clip")" 1 "and its clips are gone"
one other "--frames 5"; k -q worker --idle-exit --encoder clock; rm -rf "$T/back3"; k backup "$T/back3" >/dev/null; is "$(rows "$T/back3")" "$(rows "$T/other")" "nothing is different"

# --- a worker that is at a film loses it
mkdir "$T/films/long"; for i in 1 2 3; do cp "$T/made/clock_20.mp4" "$T/films/long/$i.mp4"; printf '\0\0\0\014free%04d' $i >>"$T/films/long/$i.mp4"; done
k -q ingest --queue --encoder clock
"$K" -L "$HUB" worker --lease 5 --encoder clock >"$T/out" 2>"$T/werr" & pids=$!
n=0; while [ "$(jobs 1)" = 0 ] && [ $n -lt 100 ]; do n=$((n + 1)); sleep 0.05; done
as b -q root films="$T/films"; as b -q ingest --encoder clock --frames 3 --switch; is "$?" 0 "a switch while a worker is at a film"
kill $pids; wait $pids 2>/dev/null; pids=; k worker --idle-exit --encoder clock >/dev/null
rm -rf "$T/third"; one third "--frames 3"; k -q ingest --encoder clock; as e backup "$T/back4" >/dev/null
is "$(hub_sql "SELECT space = writing FROM kinoseek.library") $(rows "$T/back4")" "t $(rows "$T/third")" "nothing of the old one is among the new"
# --- what is gone holds no switch up
k -q ingest --encoder clock --frames 6 --switch --queue; hub_sql "UPDATE kinoseek.job SET state = 2 WHERE rel = 'clock_6.mp4'"; k -q worker --idle-exit --encoder clock
is "$(hub_sql "SELECT space = writing FROM kinoseek.library")" f "a film is left"
k -q forget "$T/films/clock_6.mp4"; rm "$T/films/clock_6.mp4"; k -q ingest --encoder clock "$T/films"; is "$(hub_sql "SELECT space = writing FROM kinoseek.library") $(as b -q sync; as b check --json | jq -r 'select(.invariant)')" "t " "which is forgotten: that was the last"
