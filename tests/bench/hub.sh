#!/bin/bash
# hub.sh - what a hub costs, on a server of its own on a socket (fsync on): CLIPS clips of DIM numbers (1,000,000, 768) in films
# of 1,000 go in, are pulled into a fresh mirror and published; one film more, from its commit to a mirror; what a question
# of a mirror costs beyond the same question of its folder; full clips (FULL: 20,000) stored; claims with 8 clients. Wall
# seconds, processor seconds of the client's (user, system) and of the server's; the load of the machine is said.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. tests/hub_test.sh
clips=${CLIPS:-1000000} dim=${DIM:-768} full=${FULL:-20000} maker=${K%/*}/tests/prog_library
TIMEFORMAT="%R s wall, %U user, %S system"
say() { echo "$* (load $(cut -d' ' -f1 /proc/loadavg))"; }
# of the server: itself, those that are there and those that have ended
server() { p=$(head -n 1 "$hub_dir/data/postmaster.pid"); cat /proc/$p/stat $(pgrep -P "$p" | sed 's,.*,/proc/&/stat,') 2>/dev/null | sed 's/.*) //' | awk -v hz="$(getconf CLK_TCK)" '{ s += $12 + $13; if (NR == 1) s += $14 + $15 } END { printf "%.2f\n", s / hz }'; }
timed() { what=$1; shift; s=$(server); t=$( { time "$@" >"$T/out" 2>"$T/err"; } 2>&1 ); say "$what: $t, $(server | awk -v s="$s" '{ printf "%.2f", $1 - s }') server"; [ ! -s "$T/err" ] || sed 's/^/# /' "$T/err" | head -3; }
hub_sql "ALTER SYSTEM SET log_statement = 'none'"; hub_sql "ALTER SYSTEM SET max_wal_size = '4GB'"; hub_sql "ALTER SYSTEM SET autovacuum = on"; hub_sql "ALTER SYSTEM SET shared_buffers = '512MB'"
hub_down fast; hub_up
mkdir "$T/films"
rooted() { as "$1" -q root films="$T/films"; sed -i "s,$T/films,/films," "$T/$1"/kinoseek/hubs/*/roots; } # made films lie in /films
k -q store init; rooted a
timed "a library of $clips clips is made" "$maker" grow "$T/lib" 0 $((clips / 1000)) 1000 "$dim" 1 fast
timed "import of $clips clips" as a import "$T/lib"
as b -q root films="$T/films" 2>/dev/null
timed "a fresh mirror: pulled and published" as b -q sync
for i in 1 2 3; do timed "sync with nothing new" as b -q sync; done
n=$((clips / 1000))
for i in 1 2 3; do
  "$maker" grow "$T/one$i" $((n + i)) $((n + i + 1)) 1000 "$dim" 1 fast; timed "one film of 1,000 clips goes in" as a import "$T/one$i"
  timed "from its commit until a mirror has published it" as b -q sync
done
M=$(echo "$T"/b/kinoseek/hubs/*/mirror); film=$(sqlite3 "$M/catalog.db" "SELECT CAST(path AS TEXT) FROM path ORDER BY path LIMIT 1")
ask() { "$K" -q -L "$1" similar "$film@100" --json -k 5 >"$T/out" 2>"$T/err"; }
export XDG_DATA_HOME="$T/b"; ask "$HUB"; ask "$M"
for i in $(seq 30); do
  for w in "$HUB" "$M"; do b=$(date +%s%N); ask "$w"; echo "$(($(date +%s%N) - b)) $([ "$w" = "$M" ] && echo folder || echo hub)"; done
done | sort -k2,2 -k1,1n | awk '{ t[$2, ++n[$2]] = $1 / 1e6 } END { for (i = 1; i < 16; i += 14) printf "a question, %s of 30 by turns: hub %.1f ms, its folder %.1f ms, dearer by %.1f ms; ", i == 1 ? "best" : "median", t["hub", i], t["folder", i], t["hub", i] - t["folder", i]; print "" }' | { read -r line; say "$line"; }
wc -l <"$T/out" | sed 's/$/ hits/'
hub_sql "CREATE DATABASE second"; first=$HUB; HUB=$(echo "$HUB" | sed 's,///postgres,///second,')
export XDG_DATA_HOME="$T/c"; k -q store init; rooted c
"$maker" grow "$T/full" 0 $((full / 1000)) 1000 "$dim" 1 full
timed "import of $full full clips ($(du -sm "$T/full" | cut -f1) MB)" as c import "$T/full"
hub_sql "SELECT count(*) || ' clips, ' || count(f.clip) || ' with frame vectors, ' || count(t.clip) || ' pictures' FROM kinoseek.clip c LEFT JOIN kinoseek.frame_vectors f ON f.clip = c.id LEFT JOIN kinoseek.thumbnail t ON t.clip = c.id"
hub_sql "INSERT INTO kinoseek.job(content, root, rel, size, mtime_ns) SELECT substr(sha256(int8send(i)), 1, 24), 'films', ('f' || i)::bytea, 1, 1 FROM generate_series(1, 20000) AS i"; hub_sql "ANALYZE kinoseek.job"
printf '%s\n' "SELECT encode(content, 'hex') AS c, token AS t FROM kinoseek.claim('w', 60, ARRAY['films'::bytea], 4) \\gset" "SELECT kinoseek.give_back(decode(':c', 'hex'), ':t', 4, 0, '');" >"$T/claim.sql"
"$hub_bin/pgbench" -n -c 8 -j 2 -T 20 -f "$T/claim.sql" "$HUB" 2>&1 | grep -E 'tps|failed' | while read -r line; do say "claim and give back, 8 clients, 20,000 films: $line"; done
