#!/bin/bash
# hub_mutants.sh - 500 (MUTANTS) hubs in which somebody changed a row, a column or a table by hand, past every constraint: a
# fresh mirror pulls each. No pull dies or speaks of more than one thing; what a mirror then has is whole by check, and every
# clip in it is one of the sound hub's to the byte; a clip or a film that was changed is left out and named. SEED names the
# order; SLICE=1: 25. Meant for BUILD=build-address-undefined too.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. tests/hub_test.sh
mutants=${MUTANTS:-500}; [ -n "${SLICE:-}" ] && mutants=25
seed=${SEED:-24}; RANDOM=$seed
t() { [ "$2" -eq 0 ] && echo "ok - $1" || echo "not ok - $1 ($2)"; }
hub_sql "ALTER SYSTEM SET log_statement = 'none'; "; hub_sql "ALTER SYSTEM SET fsync = off"; hub_sql "SELECT pg_reload_conf()" >/dev/null
hub_sql "CREATE DATABASE base"; server=$HUB
in_db() { echo "${server/postgresql:\/\/\/postgres/postgresql:\/\/\/$1}"; }
bash tests/clock_films.sh "$T/made" || echo "not ok - films"
mkdir "$T/films"; cp "$T"/made/clock_{13,6,1}.mp4 "$T/films"
printf '1\n00:00:00,500 --> 00:00:01,500\nsomebody says it\n' >"$T/films/clock_6.srt"
"$K" -q -L "$T/lib" ingest --encoder clock "$T/films" 2>/dev/null
for n in 1 2 3 4 5 6; do printf '{"path":"clock_6.mp4","start":%d,"end":%d,"label":"l%d"}\n' 0 $n $((n % 3)); done >"$T/said.jsonl"
"$K" -q -L "$T/lib" labels words --read "$T/said.jsonl" >/dev/null || echo "not ok - what people keep"
HUB=$(in_db base); "$K" -q -L "$HUB" store init; "$K" -q -L "$HUB" root films="$T/films"; "$K" -q -L "$HUB" import "$T/lib"
hub_sql "DO \$\$ DECLARE r record; BEGIN
  FOR r IN SELECT conname, conrelid::regclass AS t FROM pg_constraint WHERE connamespace = 'kinoseek'::regnamespace AND contype IN ('c', 'f') LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', r.t, r.conname); END LOOP;
  FOR r IN SELECT a.attname, a.attrelid::regclass AS t FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'kinoseek'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND a.attnotnull AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey)) LOOP EXECUTE format('ALTER TABLE %s ALTER %I DROP NOT NULL', r.t, r.attname); END LOOP; END \$\$"
HUB=$server
clips() { sqlite3 "$1" "SELECT c.id, c.video, c.start, c.stop, c.frames, c.reason, hex(x.half) FROM clip c JOIN vector x ON x.clip = c.id" | sort; }
XDG_DATA_HOME="$T/m" "$K" -q -L "$(in_db base)" sync; clips "$T"/m/kinoseek/hubs/*/mirror/catalog.db >"$T/sound"
n_sound=$(wc -l <"$T/sound"); [ "$n_sound" -gt 0 ]; t "a sound hub has a mirror ($n_sound clips)" $?
columns=(); while read -r c; do columns+=("$c"); done < <(psql -qAtX "$(in_db base)" -c "SELECT c.relname || ' ' || a.attname || ' ' || format_type(a.atttypid, NULL) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'kinoseek'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND c.relname IN ('library', 'space', 'setting', 'root', 'video', 'gone', 'path', 'clip', 'vector', 'kept') AND a.attname <> 'one' ORDER BY 1")
int=(0 -1 1 2 7 2147483647 2147483648 -2147483649 4294967296 9223372036854775807 -9223372036854775808 NULL)
bytes=("''" "'\\x00'" "'../../etc/passwd'" "'/etc/passwd'" "'a/../b'" "decode(repeat('41', 5000), 'hex')" "decode(repeat('ff', 384), 'hex')" "decode(repeat('7e', 16), 'hex')" "decode(repeat('00', 24), 'hex')" NULL "'\\xff\\xfe'")
text=("''" "'../x'" "repeat('a', 5000)" "E'a\\nb'" "'ingest.made'" "'precision/1'" "'hub.where'" "'%s%n'" NULL "chr(1)")
float=("'NaN'" "'Infinity'" "'-Infinity'" 0 -1 1e308 NULL)
pick() { local -n from=$1; echo "${from[RANDOM % ${#from[@]}]}"; }
change() { # prints SQL
  local c=(${columns[RANDOM % ${#columns[@]}]}) v row="ctid = (SELECT ctid FROM kinoseek.${columns[0]%% *} LIMIT 1)"
  row="ctid = (SELECT ctid FROM kinoseek.${c[0]} OFFSET (SELECT $RANDOM % greatest(count(*), 1) FROM kinoseek.${c[0]}) LIMIT 1)"
  case $((RANDOM % 12)) in
    0) echo "DELETE FROM kinoseek.${c[0]} WHERE $row"; return ;;
    1) echo "ALTER TABLE kinoseek.${c[0]} ALTER ${c[1]} DROP DEFAULT, ALTER ${c[1]} TYPE text USING ${c[1]}::text"; return ;;
    2) [ "${c[2]}" != bytea ] || { echo "UPDATE kinoseek.${c[0]} SET ${c[1]} = set_byte(${c[1]}, $RANDOM % greatest(octet_length(${c[1]}), 1), $((RANDOM % 256))) WHERE $row AND octet_length(${c[1]}) > 0"; return; } ;;
    3) echo "INSERT INTO kinoseek.gone SELECT id, 1000000 FROM kinoseek.video LIMIT 1"; return ;;
    4) echo "UPDATE kinoseek.clip SET video = (SELECT min(id) FROM kinoseek.video), start = start + $RANDOM WHERE id = (SELECT max(id) FROM kinoseek.clip)"; return ;;
  esac
  case ${c[2]} in bigint) v=$(pick int) ;; bytea) v=$(pick bytes) ;; text | name) v=$(pick text) ;; *) v=$(pick float) ;; esac
  echo "UPDATE kinoseek.${c[0]} SET ${c[1]} = $v WHERE $row"
}
died=0 loud=0 broken=0 strange=0 unnamed=0 refused=0 done=0 tried=0
while [ $done -lt "$mutants" ] && [ $tried -lt $((mutants * 3)) ]; do
  tried=$((tried + 1)); sql=$(change)
  hub_sql "DROP DATABASE IF EXISTS m" 2>/dev/null; hub_sql "CREATE DATABASE m TEMPLATE base"
  psql -qAtX -v ON_ERROR_STOP=1 "$(in_db m)" -c "$sql" >/dev/null 2>&1 || continue # a key twice, a cast that is none
  done=$((done + 1)); rm -rf "$T/m"
  XDG_DATA_HOME="$T/m" timeout 120 "$K" -q -L "$(in_db m)" sync >/dev/null 2>"$T/err"; code=$?
  case $code in
    0 | 2 | 3 | 5 | 6 | 10) ;;
    *) died=$((died + 1)); echo "# exit $code: $sql"; head -5 "$T/err" | sed 's/^/#   /' ;;
  esac
  [ "$(wc -l <"$T/err")" -le 1 ] && { [ $code -eq 0 ] || [ -s "$T/err" ]; } || { loud=$((loud + 1)); echo "# $(wc -l <"$T/err") lines, exit $code: $sql"; head -3 "$T/err" | sed 's/^/#   /'; }
  [ $code -eq 3 ] && refused=$((refused + 1)) && { grep -q 'rows of the hub were left out (..*)' "$T/err" || unnamed=$((unnamed + 1)); }
  catalog=$(echo "$T"/m/kinoseek/hubs/*/mirror/catalog.db); [ -e "$catalog" ] || continue
  "$K" -L "${catalog%/*}" check --json >"$T/check" 2>"$T/err"; c=$?
  [ $c -eq 0 ] || [ $c -eq 10 ] || { broken=$((broken + 1)); echo "# check $c: $sql: $(head -c 300 "$T/check")"; }
  clips "$catalog" >"$T/has"; [ "$(comm -13 "$T/sound" "$T/has" | wc -l)" = 0 ] || { strange=$((strange + 1)); echo "# other clips: $sql"; }
  case "$sql" in *"kinoseek.vector SET half"* | *"kinoseek.clip SET "[a-z]*) [ $code -eq 3 ] || [ $code -eq 6 ] || [ "$(wc -l <"$T/has")" = "$n_sound" ] || { unnamed=$((unnamed + 1)); echo "# exit $code, $(wc -l <"$T/has") clips: $sql"; } ;; esac
done
echo "# seed $seed: $done mutants, $refused with rows left out"
[ $done -ge "$mutants" ]; t "$mutants mutants" $?
t "no pull dies" $died
t "each says at most one thing" $loud
t "what is left out is named" $unnamed
t "a mirror is whole by check" $broken
t "and has no clip that the sound hub has not" $strange
[ $refused -gt 0 ]; t "some of them had rows left out" $?
