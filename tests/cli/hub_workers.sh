#!/bin/sh
# Workers of a hub: what several of them make, killed, frozen and cut off, is what one ingest makes; the queue, paths that
# change, fences.
. tests/hub_test.sh
rows() { sqlite3 "$1/catalog.db" "SELECT hex(v.content), v.verdict, v.duration, c.start, c.stop, c.frames, c.reason, hex(x.half), hex(f.data), hex(t.jpeg) FROM clip c JOIN video v ON v.id = c.video JOIN vector x ON x.clip = c.id LEFT JOIN frame_vectors f ON f.clip = c.id LEFT JOIN thumbnail t ON t.clip = c.id WHERE v.finished > 0 ORDER BY 1, 4, 5" | cksum; }
jobs() { hub_sql "SELECT count(*) FROM kinoseek.job WHERE state = $1"; }
mirror() { echo "$T/a"/kinoseek/hubs/*/mirror; }

# --- films: ten contents of two lengths (a free atom at the end makes another file)
bash tests/clock_films.sh "$T/made" || echo "not ok - films"
mkdir -p "$T/films/one" "$T/films/two"
for i in 0 1 2 3 4; do
  for film in 13 6; do
    cp "$T/made/clock_$film.mp4" "$T/films/one/f$film-$i.mp4"; printf '\0\0\0\014free%04d' $i >>"$T/films/one/f$film-$i.mp4"
  done
done
cp "$T/films/one/f13-0.mp4" "$T/films/two/copy.mp4"; echo words >"$T/films/two/x.mkv"
"$K" -q -L "$T/lib" ingest --encoder clock "$T/films" 2>/dev/null; is "$?" 0 "one machine's library"

# --- the queue
k -q store init; k -q root films="$T/films"; ok $? "a hub, a root"
k ingest --queue --window 3 "$T/films"; is "$?" 2 "how clips are made is not said here"
k ingest --queue "$T"; is "$? $(grep -c 'lies in no root' "$T/err")" "2 1" "nor what lies in no root"
k ingest --queue "$T/films" >"$T/out"; is "$? $(tail -n 1 "$T/out")" "0 11 films queued" "two paths of one content are one job"
k ingest --queue "$T/films" >"$T/out"; is "$(tail -n 1 "$T/out")" "0 films queued" "queued once"
k queue --json >"$T/out"; is "$(jq -r .state "$T/out" | sort | uniq -c | tr -s ' ')" " 11 queued" "queue lists them"

k -m nosuch worker --idle-exit; is "$? $(grep -c 'nosuch' "$T/err")" "5 1" "a worker that cannot work says why, and gives its film back"
is "$(jobs 0)" 11 "to whoever can"

# --- two workers, killed and frozen
worker() { XDG_DATA_HOME="$T/$1" "$K" -L "$HUB" worker --lease 5 --idle-exit --encoder clock --json >>"$T/$1.out" 2>>"$T/$1.err" & eval "$1=$!"; pids="${pids:-} $!"; }
for m in w1 w2; do XDG_DATA_HOME="$T/$m" k -q root films="$T/films"; done
worker w1; worker w2; kills=0; frozen=0; cut=0; restarts=0; n=0
seed=${SEED:-$$}; echo "# seed $seed"
while [ "$(hub_sql "SELECT count(*) FROM kinoseek.job WHERE state < 2" || echo 1)" -gt 0 ] && [ $n -lt 300 ]; do
  n=$((n + 1)); seed=$(( (seed * 1103515245 + 12345) % 2147483648 )); r=$(( seed / 65536 % 10 ))
  m=w$(( seed / 1024 % 2 + 1 )); eval "p=\$$m"
  if [ $r -lt 3 ] && [ $kills -lt 12 ]; then kill -9 $p 2>/dev/null && kills=$((kills + 1)); wait $p 2>/dev/null; worker $m
  elif [ $r -lt 4 ] && [ $frozen -lt 2 ]; then kill -STOP $p 2>/dev/null && frozen=$((frozen + 1)); sleep 8; kill -CONT $p 2>/dev/null
  elif [ $r -lt 7 ] && [ $cut -lt 12 ]; then cut=$((cut + $(hub_sql "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'kinoseek'")))
  fi
  if [ $n -eq 10 ] || [ $n -eq 25 ]; then hub_down immediate; hub_up; restarts=$((restarts + 1)); fi
  kill -0 $p 2>/dev/null || worker $m
  sleep 0.3
done
wait $w1 $w2; pids=
echo "# $kills kills, $frozen freezes, $cut cut connections, $restarts immediate restarts"
is "$(jobs 0) $(jobs 1)" "0 0" "the queue is empty"
is "$(k queue retry >/dev/null; jobs 0)" "$(hub_sql "SELECT count(*) FROM kinoseek.job WHERE state = 0")" "what lost five workers is queued again"
k worker --idle-exit --encoder clock >"$T/out"; ok $? "and done"
is "$(hub_sql "SELECT count(*), count(DISTINCT (video, space, start, stop)) FROM kinoseek.clip c WHERE EXISTS (SELECT 1 FROM kinoseek.vector v WHERE v.clip = c.id)")" "$(sqlite3 "$T/lib/catalog.db" "SELECT count(*) || '|' || count(*) FROM clip")" "no clip is lost, none is there twice"
k backup "$T/back" >/dev/null; is "$(rows "$T/back")" "$(rows "$T/lib")" "content, times, vectors, frame vectors, thumbnails are one machine's to the byte"
is "$(k status --json | jq -c '[.videos, .clips]')" "$("$K" -L "$T/lib" status --json | jq -c '[.videos, .clips]')" "a mirror counts what the library counts"
is "$(k clips --json | jq -r .path | sort -u | wc -l)" 10 "ten films"
is "$(sqlite3 "$(mirror)/catalog.db" "SELECT CAST(p.path AS TEXT) FROM path p JOIN path q ON q.video = p.video WHERE CAST(q.path AS TEXT) LIKE '%copy.mp4' ORDER BY 1" | paste -sd' ' )" "$T/films/one/f13-0.mp4 $T/films/two/copy.mp4" "one of them at two places"
is "$(k check --json | jq -r 'select(.invariant)')" "" "check finds nothing"
is "$(ls -d "$T"/w1/kinoseek/hubs/*/work-* "$T"/w2/kinoseek/hubs/*/work-* 2>/dev/null | wc -l | tr -d ' ' | sed 's/^[012]$/few/')" few "folders of the killed are swept"

# --- what changes on the disk
k ingest --encoder clock --json "$T/films" >"$T/out"; is "$(jq -r 'select(.event == "file") | .verdict' "$T/out" | sort | uniq -c | tr -s ' ' | paste -sd' ')" " 12 unchanged" "nothing is new"
before=$(hub_sql "SELECT revision FROM kinoseek.library")
k ingest --encoder clock --json "$T/films" >"$T/out"; is "$(hub_sql "SELECT revision FROM kinoseek.library")" "$before" "and nothing is told"
mv "$T/films/one/f6-1.mp4" "$T/films/one/swap"; mv "$T/films/one/f6-2.mp4" "$T/films/one/f6-1.mp4"; mv "$T/films/one/swap" "$T/films/one/f6-2.mp4"
mv "$T/films/one/f6-3.mp4" "$T/films/two/moved.mp4"; rm "$T/films/one/f6-4.mp4"
k -q ingest --encoder clock "$T/films" >"$T/out"; ok $? "films that swapped names, one moved, one gone"
k -q clips --json >"$T/clips"
is "$(jq -r .path "$T/clips" | sort -u | grep -c -e f6-3 -e f6-4) $(jq -r .path "$T/clips" | sort -u | grep -c -e moved -e f6-1 -e f6-2)" "0 3" "a mirror has them where they are"
is "$(hub_sql "SELECT count(*) FROM kinoseek.gone") $(hub_sql "SELECT count(*) FROM kinoseek.clip c WHERE NOT EXISTS (SELECT 1 FROM kinoseek.video v WHERE v.id = c.video)")" "1 0" "one film went, with its clips"
is "$(k check --json | jq -r 'select(.invariant)')" "" "check finds nothing"
mv "$T/films" "$T/away"; mkdir "$T/films"
k -q ingest --encoder clock "$T/films"; is "$? $(grep -c 'nothing of it is touched' "$T/err")" "2 1" "an empty mount is refused"
rmdir "$T/films"; mv "$T/away" "$T/films"
is "$(hub_sql "SELECT count(*) FROM kinoseek.path")" 11 "and nothing is gone"

# --- fences
cp "$T/made/clock_20.mp4" "$T/films/one/late.mp4"; k -q ingest --queue "$T/films"
hub_sql "UPDATE kinoseek.job SET state = 1, token = gen_random_uuid(), who = session_user, lease = now() + interval '1 hour'"
"$K" -L "$HUB" worker --idle-exit --encoder clock >"$T/out" 2>"$T/err" & p=$!; sleep 3; is "$(kill -0 $p && echo waits) $(cat "$T/out")" "waits " "a film at work is nobody else's"
kill $p; wait $p; is "$?" 143 "a worker that is asked to stop stops"
hub_sql "UPDATE kinoseek.job SET lease = now() - interval '1 second'"
k worker --idle-exit --encoder clock --json >"$T/out"; is "$? $(jq -r 'select(.event == "file") | .verdict' "$T/out")" "0 indexed" "one whose worker was not heard of is"
is "$(k queue --by "$(hostname)" drop | cut -d: -f1)" "11 films" "what a machine made is dropped"
k search --json x >/dev/null 2>&1; is "$(k status --json | jq .videos)" 0 "and no mirror has it"
k worker --idle-exit --encoder clock >/dev/null; is "$(k status --json | jq .videos)" 10 "until it is made again"
k queue --json >"$T/out"; is "$(wc -l <"$T/out")" 0 "the queue is empty"
rm "$T/films/one/late.mp4"; cp "$T/made/clock_1.mp4" "$T/films/one/soon.mp4"; k -q ingest --queue "$T/films"; rm "$T/films/one/soon.mp4"
k worker --idle-exit --encoder clock >/dev/null; is "$? $(grep -c 'not there any more' "$T/err")" "3 1" "a film that is gone when its turn comes has failed"
is "$(k queue | head -n 1)" "failed   films/one/soon.mp4  (it is not there any more)" "and is listed"
hub_sql "UPDATE kinoseek.library SET schema = schema + 1"; k worker --idle-exit; is "$? $(wc -l <"$T/err")" "2 1" "a worker of another version is refused"
