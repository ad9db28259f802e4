#!/bin/sh
# Surveys on a hub: handed out before whole passes, seen by mirrors at once, replaced by the whole pass film by film with what
# one machine makes; no mirror sees half of either; a film too short for one, a survey alone, a worker killed on the way.
. tests/hub_test.sh
rows() { sqlite3 "$1/catalog.db" "SELECT hex(v.content), v.verdict, v.flags, c.start, c.stop, c.frames, c.reason, hex(x.half), hex(f.data), hex(t.jpeg) FROM clip c JOIN video v ON v.id = c.video JOIN vector x ON x.clip = c.id LEFT JOIN frame_vectors f ON f.clip = c.id LEFT JOIN thumbnail t ON t.clip = c.id WHERE v.finished > 0 ORDER BY 1, 4, 5" | cksum; }
mirror() { echo "$T/$1"/kinoseek/hubs/*/mirror; }
kinds() { as "$1" clips --json | jq -r .reason | sort | uniq -c | tr -s ' ' | paste -sd' '; }
jobs() { hub_sql "SELECT count(*) FROM kinoseek.job WHERE $1"; }
bash tests/clock_films.sh "$T/made" || echo "not ok - films"
mkdir "$T/films"; for i in 1 2; do cp "$T/made/clock_20.mp4" "$T/films/f$i.mp4"; printf '\0\0\0\014free%04d' $i >>"$T/films/f$i.mp4"; done
cp "$T/made/clock_6.mp4" "$T/films/short.mp4"; cp "$T/made/clock_13.mp4" "$T/films/a.mp4"
"$K" -q -L "$T/only" ingest --encoder clock --survey only "$T/films" 2>/dev/null; "$K" -q -L "$T/lib" ingest --encoder clock "$T/films" 2>"$T/err"; ok $? "one machine's libraries"

# --- a survey alone
k -q store init; k -q root films="$T/films"
k ingest --encoder clock --survey only --json "$T/films" >"$T/out"; is "$? $(jobs true)" "0 0" "ingest --survey only: nothing is left in the queue"
is "$(jq -r 'select(.event == "file") | .reason' "$T/out" | sort -u)" "surveyed: the whole pass is to come" "each film says so"
k backup "$T/back" >/dev/null; is "$(rows "$T/back")" "$(rows "$T/only")" "the pictures are one machine's to the byte"
is "$(as a status --json | jq .videos)" 3 "a mirror has them"
is "$(kinds a | grep -c survey) $(kinds a | grep -cv 'survey$')" "1 0" "and nothing else"
k ingest --queue --survey only --encoder clock "$T/films" >"$T/out"; is "$(tail -n 1 "$T/out")" "1 film queued" "what is surveyed is not surveyed again; what was too short may be"

# --- first
k -q queue --by "$(hostname)" drop; hub_sql "DELETE FROM kinoseek.job"
cp "$T/films/a.mp4" "$T/films/early.mp4"; printf '\0\0\0\014freeeees' >>"$T/films/early.mp4"
k -q ingest --queue --survey off --encoder clock "$T/films/early.mp4"
k ingest --queue --survey first --encoder clock "$T/films" >"$T/out"; is "$(jobs 'pass = 1') $(jobs 'pass = 0')" "4 1" "--survey first: a survey of all that is new"
is "$(k queue --json | jq -r .pass | sort | uniq -c | tr -s ' ' | paste -sd' ')" " 4 survey  1 whole" "queue says which"
k worker --idle-exit --encoder clock --json >"$T/out"; ok $? "a worker"
is "$(jq -r 'select(.event == "file") | .reason' "$T/out" | head -n 3 | sort -u) $(jq -r 'select(.event == "file") | .reason' "$T/out" | tail -n 5 | sort -u)" "surveyed: the whole pass is to come " "makes surveys first, though a whole pass had been queued before"
"$K" -q -L "$T/lib" ingest --encoder clock "$T/films" 2>/dev/null; k backup "$T/back2" >/dev/null; is "$(rows "$T/back2")" "$(rows "$T/lib")" "in the end the hub has what one machine makes"
is "$(jobs true) $(kinds a | grep -c survey)" "0 0" "no picture is left"
is "$(jq -c 'select(.event == "done") | [.files, .surveyed]' "$T/out")" "[5,3]" "and it counts films once"

# --- mirrors while the whole pass is under way; a worker that is killed in it
k -q queue --by "$(hostname)" drop; hub_sql "DELETE FROM kinoseek.job"; k -q ingest --survey only --encoder clock "$T/films"
had=$(kinds a); rows "$(mirror a)" >"$T/had"; k -q ingest --queue --encoder clock "$T/films"; n=0; cut=0
before=$(hub_sql "SELECT count(*) FROM kinoseek.clip")
while [ $n -lt 200 ] && [ $cut -lt 3 ]; do
  "$K" -L "$HUB" worker --lease 1 --encoder clock >/dev/null 2>&1 & pids=$!
  i=0; while [ $i -lt 100 ] && [ "$(hub_sql "SELECT count(*) FROM kinoseek.clip c JOIN kinoseek.video v ON v.id = c.video WHERE v.finished = 1 AND c.id > v.top")" = 0 ]; do i=$((i + 1)); sleep 0.05; done
  kill -9 $pids; wait $pids 2>/dev/null; pids=; cut=$((cut + 1)); n=$((n + 1)); sleep 1.2
  as "m$cut" -q sync; is "$? $(cat "$T/err") $(as "m$cut" check --json | jq -r 'select(.invariant)') $(sqlite3 "$(mirror "m$cut")/catalog.db" "SELECT count(*) FROM video v WHERE v.finished > 0 AND v.clips <> (SELECT count(*) FROM clip c WHERE c.video = v.id)")" "0   0" "a worker killed in the whole pass of a surveyed film: a mirror made now sees none of it by halves"
  is "$(sqlite3 "$(mirror "m$cut")/catalog.db" "SELECT count(*) FROM (SELECT video FROM clip GROUP BY video HAVING count(DISTINCT reason = 4) > 1)")" 0 "a film is surveyed or whole"
done
k worker --idle-exit --encoder clock >/dev/null; k backup "$T/back3" >/dev/null; is "$(rows "$T/back3")" "$(rows "$T/lib")" "and what comes out is what one machine makes"
is "$(hub_sql "SELECT count(*), count(DISTINCT (video, space, start, stop)) FROM kinoseek.clip")" "$(sqlite3 "$T/lib/catalog.db" "SELECT count(*) || '|' || count(*) FROM clip")" "nothing is there twice"

# --- a survey that is wanted no more, watch
rm "$T/films/early.mp4"; cp "$T/made/clock_20.mp4" "$T/films/late.mp4"
k -q ingest --queue --survey only --encoder clock "$T/films"; k -q ingest --queue --encoder clock "$T/films"; is "$(jobs 'pass = 1')" 1 "all of it is wanted after all: a survey, then the whole pass"
k -q worker --idle-exit --encoder clock; is "$(kinds a | grep -c survey) $(as a status --json | jq .videos)" "0 5" "and so it is"
