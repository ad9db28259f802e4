#!/bin/sh
# What happens between machines and their hub: a wire that swallows everything, a mirror made while the hub is written,
# commits that overtake each other, no libpq here. (tests/torture/hub_diskfull.sh: a server whose disk is full.)
. tests/hub_test.sh
until_true() { n=0; while [ $n -lt 300 ] && ! eval "$1"; do n=$((n + 1)); sleep 0.2; done; [ $n -lt 300 ]; }
now() { date +%s%N; }
seconds() { echo "$((($(now) - $1) / 100000000))" | sed 's/.$/.&/;s/^\./0./'; }

bash tests/clock_films.sh "$T/made" || echo "not ok - films"
mkdir "$T/films" "$T/wire"; cp "$T/made/clock_6.mp4" "$T/films"
python3 tests/wire.py "$T/wire/.s.PGSQL.5432" "$hub_dir/.s.PGSQL.5432" "$T/hole" & wire=$!; pids=$wire
until_true '[ -S "$T/wire/.s.PGSQL.5432" ]'; chmod 777 "$T/wire" "$T/wire/.s.PGSQL.5432"; chmod 755 "$T"
DIRECT=$HUB; HUB="postgresql:///postgres?host=$T/wire&user=postgres"
sql() { "$hub_bin/psql" -qAtX "$DIRECT" -c "$1"; }
k -q store init; k -q root films="$T/films"; k -q ingest --encoder clock "$T/films"; ok $? "a hub at the other end of a wire"
k -q labels birds --read /dev/null; printf '{"path":"clock_6.mp4","start":1,"end":2,"label":"heron"}\n' >"$T/said.jsonl"
k -q labels birds --read "$T/said.jsonl"; ok $? "with a label"
printf 'a ship\na bear\n' >"$T/l.txt"; "$K" -q -L "$T/lib" ingest --encoder clock "$T/films" 2>/dev/null

# --- a wire that swallows everything
: >"$T/hole"; cp "$T/films/clock_6.mp4" "$T/films/x.mp4"; n=0
ask() { # N WORDS: all of them wait at the same time
  n=$1; shift; begun=$(now)
  timeout 60 "$K" -L "$HUB" "$@" >"$T/out.$n" 2>"$T/err.$n"; echo "$?" >"$T/code.$n"; seconds "$begun" >"$T/time.$n"
}
cat >"$T/reading" <<END
clips --json
labels birds --json
status --json
check
END
cat >"$T/writing" <<END
sync
store migrate
store init
root films=$T/films
ingest --encoder clock $T/films
ingest --queue $T/films
worker --idle-exit
queue
queue retry
queue --by x drop
import $T/lib
backup $T/backup
forget $T/films/clock_6.mp4
relocate $T/films/clock_6.mp4 $T/films/x.mp4
labels birds --say clock_6.mp4@1-2 yes gull
labels birds --forget
teach bird --forget
forget-saved x
END
while read -r words; do n=$((n + 1)); ask $n $words & pids="$pids $!"; done <<END
$(cat "$T/reading" "$T/writing")
END
wait $(echo "$pids" | cut -d' ' -f2-); pids=$wire; n=0
while read -r words; do
  n=$((n + 1)); cp "$T/err.$n" "$T/err"
  is "$(cat "$T/code.$n") $(grep -c 'the mirror here answers' "$T/err") $(wc -l <"$T/err")" "0 1 1" "$words: the mirror, one notice"
done <"$T/reading"
echo "# the slowest of those took $(for i in 1 2 3 4; do cat "$T/time.$i"; done | sort -g | tail -n 1) s"
while read -r words; do
  n=$((n + 1)); cp "$T/err.$n" "$T/err"
  is "$(cat "$T/code.$n") $(grep -vc 'the mirror here answers' "$T/err")" "5 1" "$words: exit 5 and a sentence"
done <"$T/writing"
echo "# the slowest of all took $(cat "$T"/time.* | sort -g | tail -n 1) s"
rm -f "$T/hole" "$T/films/x.mp4" "$T/err"; k -q sync; is "$? $(k labels birds --json | jq -r .label)" "0 heron" "and when it is open again nothing was written"

# --- a worker beside it
for i in 1 2 3; do cp "$T/made/clock_20.mp4" "$T/films/w$i.mp4"; printf '\0\0\0\014free%04d' $i >>"$T/films/w$i.mp4"; done
k -q ingest --queue "$T/films"
"$K" -L "$HUB" worker --lease 60 --idle-exit --encoder clock >"$T/work" 2>"$T/work.err" & worker=$!; pids="$wire $worker"
until_true '[ "$(sql "SELECT count(*) FROM kinoseek.job WHERE state = 1")" = 1 ]'; sleep 1; : >"$T/hole"; sleep 12
kill -0 $worker; ok $? "a worker whose wire swallows everything for longer than its patience waits"
rm "$T/hole"; wait $worker; is "$? $(grep -c indexed "$T/work") $(sql "SELECT count(*) FROM kinoseek.job")" "0 3 0" "and goes on with all of it when it thaws"
pids=$wire
[ -e "$T/work.err" ] && sed 's/^/# /' "$T/work.err"

# --- a fresh mirror of a hub that is being written
HUB=$DIRECT; rm "$T"/films/w*.mp4; k -q root films="$T/films"
for i in 0 1 2 3 4 5 6 7; do for f in 13 20; do cp "$T/made/clock_$f.mp4" "$T/films/f$f-$i.mp4"; printf '\0\0\0\014free%04d' $i >>"$T/films/f$f-$i.mp4"; done; done
"$K" -q -L "$T/lib" ingest --encoder clock "$T/films" 2>/dev/null
whole() { sqlite3 "$1/catalog.db" "SELECT hex(v.content) || ' ' || count(*) || ' ' || count(x.clip) FROM video v JOIN clip c ON c.video = v.id LEFT JOIN vector x ON x.clip = c.id WHERE v.finished > 0 GROUP BY v.id" | cut -d' ' -f1-3 | sort; }
whole "$T/lib" >"$T/all"; k -q ingest --queue "$T/films"
for w in u v; do as $w -q root films="$T/films"; XDG_DATA_HOME="$T/$w" "$K" -q -L "$HUB" worker --idle-exit --encoder clock >/dev/null 2>"$T/$w.err" & eval "$w=$!"; pids="$pids $!"; done
half=0 seen=0 rounds=0 wrong=0
while kill -0 $u 2>/dev/null || kill -0 $v 2>/dev/null; do
  rm -rf "$T/fresh"; as fresh -q sync || wrong=$((wrong + 1)); M=$(echo "$T"/fresh/kinoseek/hubs/*/mirror)
  whole "$M" >"$T/has"; n=$(wc -l <"$T/has"); rounds=$((rounds + 1))
  half=$((half + $(comm -13 "$T/all" "$T/has" | wc -l))); [ $n -eq 17 ] || [ $n -le 1 ] || seen=$((seen + 1))
  "$K" -L "$M" check >/dev/null 2>&1 || wrong=$((wrong + 1))
done
wait $u $v; pids=$wire
echo "# $rounds fresh mirrors, $seen of them amid it"
is "$half $wrong $((seen > 0))" "0 0 1" "fresh mirrors of a hub that is being written never hold half a film"
rm -rf "$T/fresh"; as fresh -q sync; whole "$T"/fresh/kinoseek/hubs/*/mirror | grep -v -x -F -f "$T/all" >"$T/has"; is "$(wc -l <"$T/has") $(as fresh status --json | jq .videos)" "0 17" "and in the end all of them"

# --- commits that overtake each other: who took the earlier revision commits late
revision() { sql "SELECT revision FROM kinoseek.library"; }
before=$(revision); as m -q sync; cp "$T/made/clock_1.mp4" "$T/films/late.mp4"
( echo "BEGIN; UPDATE kinoseek.path SET rel = 'moved.mp4' WHERE rel = 'f13-0.mp4'; UPDATE kinoseek.video v SET revision = kinoseek.next_revision($(sql "SELECT schema FROM kinoseek.library")) FROM kinoseek.path p WHERE p.video = v.id AND p.rel = 'moved.mp4';"; until [ -e "$T/go" ]; do sleep 0.1; done; echo "COMMIT;" ) | "$hub_bin/psql" -qAtX "$DIRECT" & slow=$!
until_true '[ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE state = '"'idle in transaction'"'")" -ge 1 ]'; ok $? "somebody takes a revision and does not commit"
as n -q root films="$T/films"; XDG_DATA_HOME="$T/n" "$K" -q -L "$HUB" ingest --encoder clock "$T/films/late.mp4" >/dev/null 2>"$T/n.err" & fast=$!; pids="$wire $fast"
i=0; while [ $i -lt 10 ]; do as m -q sync; i=$((i + 1)); sleep 0.2; done
is "$(revision) $(sql "SELECT count(*) FROM kinoseek.video WHERE revision > $before")" "$before 0" "nobody overtakes: what comes later waits"
: >"$T/go"; wait $slow $fast; pids=$wire; as m -q sync
is "$(as m status --json | jq .videos) $(sqlite3 "$T"/m/kinoseek/hubs/*/mirror/catalog.db "SELECT count(*) FROM path WHERE CAST(path AS TEXT) LIKE '%/moved.mp4' OR CAST(path AS TEXT) LIKE '%/late.mp4'")" "18 2" "and no mirror misses either"
is "$(sql "SELECT count(*) FROM kinoseek.video WHERE revision > (SELECT revision FROM kinoseek.library)")" 0 "no film is newer than its hub"

# --- no libpq
mkdir "$T/nolib"; : >"$T/nolib/libpq.so.5"
LD_LIBRARY_PATH="$T/nolib" k clips; is "$? $(wc -l <"$T/err") $(grep -c 'libpq' "$T/err")" "2 1 1" "without libpq: a sentence, exit 2"
LD_LIBRARY_PATH="$T/nolib" k worker; is "$? $(wc -l <"$T/err")" "2 1" "a worker too"
LD_LIBRARY_PATH="$T/nolib" "$K" -L "$T/lib" clips --json >"$T/out" 2>"$T/err"; is "$? $(wc -l <"$T/err")" "0 0" "a library in a folder needs none"

# --- a table for SQL, where the server has the extension
k store index --pgvector >"$T/out"; c=$?
if [ "$(sql "SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'")" = 0 ]; then
  is "$c $(grep -c 'the extension vector is not installed there' "$T/err") $(wc -l <"$T/err")" "2 1 1" "store index --pgvector: a sentence where there is no extension"
fi
k store index; is "$? $(wc -l <"$T/err")" "2 1" "store index: which one?"
