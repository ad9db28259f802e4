#!/bin/sh
# Who may do what in a hub: an owner without rights over the server, a reader, workers; every denial, tokens that are stale,
# foreign or guessed, rows of another film, no password anywhere, an older hub brought on beside a worker.
. tests/hub_test.sh
at() { echo "postgresql:///films?host=$hub_dir${hub_port:+&port=$hub_port}&user=$1"; }
hub_sql "CREATE ROLE boss LOGIN; CREATE ROLE r LOGIN; CREATE ROLE w1 LOGIN; CREATE ROLE w2 LOGIN; CREATE ROLE nobody LOGIN"
hub_sql "CREATE DATABASE films OWNER boss"
HUB=$(at postgres) # hub_sql asks the hub itself from here on
by() { who=$1; shift; XDG_DATA_HOME="$T/$who" "$K" -L "$(at "$who")" "$@" 2>"$T/err"; }
sql() { "$hub_bin/psql" -qAtX -v ON_ERROR_STOP=1 "$(at "$1")" -c "$2" 2>"$T/err"; }
no() { sql "$1" "$2" >"$T/out"; is "$? $(grep -c "$3" "$T/err")" "1 1" "$4"; }
kept() { hub_sql "SELECT md5(string_agg(t, ',' ORDER BY t)) FROM (SELECT l::text AS t FROM kinoseek.library l UNION ALL SELECT v::text FROM kinoseek.video v UNION ALL SELECT c::text FROM kinoseek.clip c UNION ALL SELECT x::text FROM kinoseek.vector x UNION ALL SELECT md5(f::text) FROM kinoseek.frame_vectors f UNION ALL SELECT md5(j::text) FROM kinoseek.thumbnail j UNION ALL SELECT p::text FROM kinoseek.path p UNION ALL SELECT q::text FROM kinoseek.job q UNION ALL SELECT s::text FROM kinoseek.setting s UNION ALL SELECT s::text FROM kinoseek.space s UNION ALL SELECT g::text FROM kinoseek.gone g UNION ALL SELECT o::text FROM kinoseek.root o UNION ALL SELECT k::text FROM kinoseek.kept k UNION ALL SELECT n::text FROM kinoseek.next_video n) u"; }
rows() { sqlite3 "$1/catalog.db" "SELECT hex(v.content), c.start, c.stop, c.frames, c.reason, hex(x.half), hex(f.data), hex(t.jpeg) FROM clip c JOIN video v ON v.id = c.video JOIN vector x ON x.clip = c.id LEFT JOIN frame_vectors f ON f.clip = c.id LEFT JOIN thumbnail t ON t.clip = c.id WHERE v.finished > 0 ORDER BY 1, 2, 3" | cksum; }

# --- made by an owner who may not make roles
by boss store init >"$T/out"; is "$? $(grep -c 'CREATE ROLE kinoseek_reader' "$T/err")" "0 1" "an owner who may make no roles makes a hub, and hears what is wanted"
hub_sql "CREATE ROLE kinoseek_reader; CREATE ROLE kinoseek_worker"
by boss store migrate >"$T/out"; is "$? $(wc -c <"$T/err")" "0 0" "once there are roles, migrate grants them"
hub_sql "GRANT kinoseek_reader TO r; GRANT kinoseek_worker TO w1, w2; GRANT kinoseek_reader TO w2"
is "$(hub_sql "SELECT count(*) > 12, count(*) FILTER (WHERE NOT coalesce(proconfig::text, '') LIKE '%search_path=pg_catalog, pg_temp%') FROM pg_proc WHERE pronamespace = 'kinoseek'::regnamespace")" "t|0" "every function has its search_path pinned"
is "$(hub_sql "SELECT count(*) FROM pg_proc p, aclexplode(coalesce(proacl, acldefault('f', proowner))) a WHERE pronamespace = 'kinoseek'::regnamespace AND a.grantee = 0")" 0 "none is everybody's"
is "$(hub_sql "SELECT string_agg(proname::text, ' ' ORDER BY proname) FROM pg_proc p WHERE pronamespace = 'kinoseek'::regnamespace AND prosecdef <> has_function_privilege('kinoseek_worker', oid, 'EXECUTE')")" "" "a worker may call those with the owner's rights, and no other"
is "$(hub_sql "SELECT DISTINCT pg_get_userbyid(proowner) FROM pg_proc WHERE pronamespace = 'kinoseek'::regnamespace")" boss "whose they are"

# --- films
bash tests/clock_films.sh "$T/made" || echo "not ok - films"
mkdir -p "$T/films"; for i in 13 6 1; do cp "$T/made/clock_$i.mp4" "$T/films"; done
"$K" -q -L "$T/lib" ingest --encoder clock "$T/films" 2>/dev/null
by r root films="$T/films"; is "$? $(grep -c 'permission denied' "$T/err") $(wc -l <"$T/err")" "5 1 1" "a reader names no new root"
by boss -q root films="$T/films"; for m in r w1 w2; do by $m -q root films="$T/films" || ok 1 "root of $m"; done
by boss ingest --queue "$T/films" >"$T/out"; is "$(tail -n 1 "$T/out")" "3 films queued" "the owner queues"
before=$(kept)
by r worker --idle-exit --encoder clock; is "$? $(grep -c 'permission denied' "$T/err") $(wc -l <"$T/err")" "5 1 1" "a reader is no worker"
by w1 ingest --queue "$T/films"; is "$? $(grep -c 'permission denied' "$T/err")" "5 1" "a worker queues nothing"
by nobody search x; is "$? $(grep -c 'permission denied' "$T/err") $(wc -l <"$T/err")" "5 1 1" "who has no role has no hub"
by r queue retry; is "$? $(grep -c 'permission denied' "$T/err")" "5 1" "a reader queues nothing again"
by r queue --by w1 drop; is "$? $(grep -c 'permission denied' "$T/err")" "5 1" "and drops nothing"
by r queue --json >"$T/out"; is "$? $(wc -l <"$T/out")" "0 3" "it sees the queue"
is "$(kept)" "$before" "nothing of it was written"

# --- one test a denial
V=$(hub_sql "SELECT schema FROM kinoseek.library")
for table in library space setting root video gone path clip vector frame_vectors thumbnail job kept next_video; do
  for m in r w1; do
    no $m "INSERT INTO kinoseek.$table SELECT * FROM kinoseek.$table" "permission denied" "$m inserts nothing into $table"
    no $m "DELETE FROM kinoseek.$table" "permission denied" "$m deletes nothing of $table"
    no $m "UPDATE kinoseek.$table SET $(hub_sql "SELECT attname || ' = NULL' FROM pg_attribute WHERE attrelid = 'kinoseek.$table'::regclass AND attnum = 2 OR attrelid = 'kinoseek.$table'::regclass AND attnum = 1 ORDER BY attnum DESC LIMIT 1")" "permission denied" "$m changes nothing of $table"
    no $m "TRUNCATE kinoseek.$table" "permission denied" "$m empties no $table"
  done
  case $table in library | space | setting | root) sql w1 "SELECT count(*) FROM kinoseek.$table" >/dev/null; ok $? "a worker reads $table" ;;
  *) no w1 "SELECT * FROM kinoseek.$table" "permission denied" "a worker does not read $table" ;; esac
done
no r "SELECT token FROM kinoseek.job" "permission denied" "a reader sees no token"
no r "SELECT nextval('kinoseek.clip_id')" "permission denied" "nor takes numbers"
no r "CREATE TABLE kinoseek.mine(i int)" "permission denied" "a reader makes no table there"
no w1 "CREATE FUNCTION kinoseek.fence(int) RETURNS int LANGUAGE sql AS 'SELECT 1'" "permission denied" "a worker makes no function there"
for f in "claim('x', 60, ARRAY['films'::bytea], $V)" "jobs_left(ARRAY['films'::bytea], $V)" "beat('', '', $V, 60)" "give_back('', '', $V, 0, '')" "film_of('', '', $V, '')" "clip_ids('', '', $V, 1)"; do
  no r "SELECT kinoseek.$f" "permission denied for function" "a reader does not call ${f%%(*}"
done
for f in "next_revision($V)" "put_path(1, 1, 'films', 'x', 1, 1)" "fence('', '', $V)" "holds('', '', $V)"; do
  no w1 "SELECT kinoseek.$f" "permission denied for function" "a worker does not call ${f%%(*}"
done
is "$(kept)" "$before" "nothing of it was written"

# --- tokens
claim() { sql "$1" "SELECT '\\x' || encode(content, 'hex') || ' ' || token FROM kinoseek.claim('$1', 60, ARRAY['films'::bytea], $V)"; }
set -- $(claim w1); film=$1 stale=$2
hub_sql "UPDATE kinoseek.job SET lease = now() - interval '1 second' WHERE content = '$film'; UPDATE kinoseek.job SET state = 2 WHERE content <> '$film'"
set -- $(claim w2); other=$1 foreign=$2
guessed=$(hub_sql "SELECT gen_random_uuid()")
is "$other" "$film" "a film whose lease ran out is another worker's"
before=$(kept)
writes() { # CONTENT TOKEN
  a="'$1'::bytea, $2, $V"
  none="'{}'::bigint[], '{}'::bigint[], '{}'::bigint[], '{}'::bigint[], '{}'::bigint[], '{}'::bigint[], '{}'::bigint[], '{}'::bytea[], '{}'::bigint[], '{}'::bigint[], '{}'::bigint[], '{}'::bytea[], '{}'::bigint[], '{}'::bigint[], '{}'::bytea[], '{}'::bigint[]"
  printf '%s\n' "beat($a, 60)" "give_back($a, 2, 'no')" "film_of($a, 'me')" "film_spans($a, 1)" "clip_ids($a, 9)" "put_space($a, 'model', ARRAY[4, 4, 1, 1, 0]::bigint[], '', '', 'made', NULL)" \
    "put_clips($a, 1, $none)" "put_kept($a, 0, ARRAY[11::bigint], ARRAY[''::bytea], ARRAY['$1'::bytea], ARRAY[''::bytea], ARRAY['x'::bytea], ARRAY[1::bigint], 0)" "end_film($a, 1, '{}', '{}', '{}', ARRAY[0, 0, 4, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]::bigint[], 0, 0, 'spoilt', '', '', NULL, 'me')"
}
for kind in stale foreign guessed none; do
  case $kind in stale) t="'$stale'" ;; foreign) t="'$foreign'" ;; guessed) t="'$guessed'" ;; *) t="NULL" ;; esac
  writes "$film" "$t" >"$T/calls"
  while read -r call; do no w1 "SELECT kinoseek.$call" "another worker has this film now\|only the owner writes without a lease" "a token that is $kind: no ${call%%(*}"; done <"$T/calls"
  is "$(sql w1 "SELECT count(*) FROM kinoseek.job_film('$film', $t, $V)") $(sql w1 "SELECT count(*) FROM kinoseek.job_clips('$film', $t, $V, 1)")" "0 0" "nor is anything read by it"
done
no w2 "SELECT kinoseek.beat('$film', '$foreign', 2, 60)" "the hub is of version $V, this kinoseek knows 2: update kinoseek" "a kinoseek of another version is refused, token or not"
is "$(kept)" "$before" "nothing of it was written"

# --- two workers with no other rights; what they make
hub_sql "UPDATE kinoseek.job SET state = 0, token = NULL, lost = 0"
by w1 worker --idle-exit --encoder clock >"$T/out"; is "$? $(wc -l <"$T/out")" "0 4" "a worker with a worker's rights works"
by r search --all x >/dev/null; by boss backup "$T/back" >/dev/null; is "$(rows "$T/back")" "$(rows "$T/lib")" "what it makes is one machine's to the byte"
is "$(hub_sql "SELECT DISTINCT who FROM kinoseek.video")" w1 "who made it is the login, whatever it calls itself"
by r clips --json >"$T/out"; is "$? $(jq -r .path "$T/out" | sort -u | wc -l)" "0 3" "a reader has a mirror"
by w1 search x; is "$? $(grep -c 'permission denied for table' "$T/err") $(wc -l <"$T/err")" "5 1 1" "who only works has none"
by w2 clips --json >"$T/out"; is "$(jq -r .path "$T/out" | sort -u | wc -l)" 3 "who has both roles has"

# --- a worker that means harm
cp "$T/made/clock_20.mp4" "$T/films"; by boss -q ingest --queue "$T/films"; set -- $(claim w1); film=$1 t="'$2'"
sql w1 "SELECT kinoseek.film_of('$film', $t, $V, 'somebody')" >/dev/null
clip=$(hub_sql "SELECT min(id) FROM kinoseek.clip"); hub_sql "DELETE FROM kinoseek.thumbnail WHERE clip = $clip"; before=$(kept)
put="kinoseek.put_clips('$film', $t, $V, 1"; i="'{}'::bigint[]" b="'{}'::bytea[]"
no w1 "SELECT $put, ARRAY[9000000000], ARRAY[0::bigint], ARRAY[1::bigint], ARRAY[1::bigint], ARRAY[1::bigint], ARRAY[1::bigint], $i, $b, $i, $i, $i, $b, $i, $i, $b, $i)" "a number that nobody gave it" "a clip of a number not yet given is refused"
sql w1 "SELECT $put, $i, $i, $i, $i, $i, $i, $i, $b, $i, $i, $i, $b, $i, ARRAY[$clip::bigint], ARRAY['x'::bytea], ARRAY[1::bigint])" >/dev/null; is "$? $(kept)" "0 $before" "a picture for another film's clip goes nowhere"
sql w1 "SELECT $put, ARRAY[$clip::bigint], ARRAY[0::bigint], ARRAY[1::bigint], ARRAY[1::bigint], ARRAY[1::bigint], ARRAY[1::bigint], $i, $b, $i, $i, $i, $b, $i, $i, $b, $i)" >/dev/null; is "$? $(kept)" "1 $before" "nor does a clip take another one's number"
keep="kinoseek.put_kept('$film', $t, $V, 0"
no w1 "SELECT $keep, ARRAY[9::bigint], ARRAY['x'::bytea], ARRAY['$film'::bytea], ARRAY[''::bytea], ARRAY['q'::bytea], ARRAY[1::bigint], 0)" "a worker brings subtitles of its film alone" "a worker keeps no query"
no w1 "SELECT $keep, ARRAY[11::bigint], ARRAY[''::bytea], ARRAY[decode(repeat('00', 24), 'hex')], ARRAY[''::bytea], ARRAY['q'::bytea], ARRAY[1::bigint], 0)" "a worker brings subtitles of its film alone" "nor another film's subtitles"
is "$(kept)" "$before" "nothing of it was written"
no w1 "SET ROLE boss" "permission denied" "nobody becomes the owner"
by boss queue --by w1 drop >"$T/out"; is "$(cut -d: -f1 "$T/out")" "3 films" "all that a login made is dropped by its name"
hub_sql "UPDATE kinoseek.job SET state = 0, token = NULL WHERE state = 1"

# --- an older hub
hub_older 2; by w1 worker --idle-exit; is "$? $(wc -l <"$T/err")" "5 1" "an older hub has no workers"
by boss worker --idle-exit; is "$? $(grep -c 'store migrate brings it there' "$T/err")" "2 1" "and its owner hears why"
"$K" -q -L "$(at postgres)" store migrate 2>"$T/err"; ok $? "an administrator may bring it on"
is "$(hub_sql "SELECT DISTINCT pg_get_userbyid(proowner) FROM pg_proc WHERE pronamespace = 'kinoseek'::regnamespace")" boss "its functions are its owner's all the same"
by w2 worker --idle-exit --encoder clock >"$T/out"; is "$? $(wc -l <"$T/out")" "0 5" "and its workers work"

# --- passwords
hub_tls; ok $? "TLS on loopback"; HUB=$(at postgres); hub_sql "ALTER ROLE w1 PASSWORD 'hushhush'; ALTER ROLE r PASSWORD 'hushhush'"
: >"$T/log"; size=$(wc -c <"$hub_dir/log")
printf '127.0.0.1:*:films:*:hushhush\n' >"$T/pass"; chmod 600 "$T/pass"
url="postgresql://w1@127.0.0.1:$hub_port/films?sslrootcert=$hub_dir/ca.crt"
net() { XDG_DATA_HOME="$T/n" PGPASSFILE="$T/pass" "$K" -L "$@"; }
net "$url" -q root films="$T/films" 2>"$T/err"; ok $? "a worker over TLS"
PGPASSFILE="$T/pass" XDG_DATA_HOME="$T/n" "$K" -L "$url" worker --encoder clock >"$T/out" 2>>"$T/err" & pids=$!
hub_sql "SELECT count(*) FROM kinoseek.video" >/dev/null; sleep 2
is "$(cat /proc/$pids/cmdline | tr '\0' ' ' | grep -c hush)$(for c in $(pgrep -P $pids); do tr '\0' ' ' <"/proc/$c/cmdline"; done | grep -c hush)" "00" "no command line has the password"
kill $pids; wait $pids 2>/dev/null; pids=
net "$url" search x 2>>"$T/err"; net "${url%%\?*}" search x 2>>"$T/err"; printf '*:*:*:*:hushwrong\n' >"$T/pass"; net "$url" search x 2>>"$T/err"
PGPASSFILE=/dev/null net "postgresql://w1:hushhush@127.0.0.1:$hub_port/films" search x 2>>"$T/err"
is "$(grep -c hush "$T/err") $(cat "$T/out" | grep -c hush) $(grep -c 'permission denied\|authentication failed\|password is not taken\|root certificate' "$T/err")" "0 0 4" "nor an error"
is "$(tail -c +$((size + 1)) "$hub_dir/log" | grep -v 'ALTER ROLE' | grep -c hush)" 0 "nor the server's log"
is "$(grep -rl hush "$T/n" 2>/dev/null)" "" "nor what is kept here"
