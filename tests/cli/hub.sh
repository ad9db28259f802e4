#!/bin/sh
# Several machines on a PostgreSQL of the test's own: a hub filled by import, mirrors that answer like the library it came
# from, revisions, roots, a hub that is away, hostile rows.
. tests/hub_test.sh
k() { "$K" --precision fp32 -L "$HUB" "$@" 2>"$T/err"; }
own() { "$K" --precision fp32 -L "$T/lib" "$@" 2>"$T/err"; }
rows() { sqlite3 "$1/catalog.db" "SELECT hex(v.content), c.start, c.stop, c.frames, c.reason, hex(x.half) FROM clip c JOIN video v ON v.id = c.video JOIN vector x ON x.clip = c.id WHERE v.finished > 0 ORDER BY 1, 2, 3" | cksum; }
blobs() { sqlite3 "$1/catalog.db" "SELECT hex(v.content), c.start, c.stop, hex(f.data), hex(t.jpeg) FROM clip c JOIN video v ON v.id = c.video LEFT JOIN frame_vectors f ON f.clip = c.id LEFT JOIN thumbnail t ON t.clip = c.id ORDER BY 1, 2, 3" | cksum; }
mirror() { echo "$T/$1"/kinoseek/hubs/*/mirror; }
hits() { jq -c '[(.path | sub(".*/"; "")), .start, .end, .score, .cosine]'; }

# --- made once
k search x; is "$?" 10 "no hub there: exit 10"
is "$(grep -c 'store init makes one' "$T/err") $(grep -c 'ingest FOLDER' "$T/err")" "1 0" "and what makes one"
k -q store init; ok $? "store init"
k store init; is "$?" 2 "a second one is refused"
k store migrate >"$T/out"; is "$? $(grep -c already "$T/out")" "0 1" "migrate has nothing to do"
k search x >/dev/null; is "$?" 1 "an empty hub: nothing found"
is "$(hub_sql "SELECT attstorage FROM pg_attribute WHERE attname IN ('jpeg', 'data', 'half') AND attrelid::regclass::text LIKE 'kinoseek.%' AND NOT attislocal = false AND attnum > 0 AND attrelid IN (SELECT oid FROM pg_class WHERE relkind = 'r') ORDER BY attname" | paste -sd' ')" "e e m e" "blobs lie outside, uncompressed; vectors in their rows"

# --- a library goes in
mkdir -p "$T/films/sub"
cp models/demo/films/weather.mp4 models/demo/films/animals.mp4 "$T/films"; cp models/demo/films/harbour.mp4 "$T/films/sub"
echo no film >"$T/films/x.mp4"
own -q -m demo ingest "$T/films"; is "$?" 0 "a library of three films"
k import "$T/lib"; is "$? $(grep -c 'lies in no root' "$T/err")" "2 1" "films outside every root are refused"
k root films="$T/nowhere"; is "$?" 4 "a root is a folder"
k root 'a b=/tmp'; is "$?" 2 "its name has letters"
k root films="$T/films"; ok $? "a root"
is "$(wc -c <"$T/films/.kinoseek-root")" 33 "leaves its id there"
k root | grep -q "^films=$T/films$"; ok $? "and is listed"
k import --json "$T/lib" >"$T/out"; ok $? "import"
is "$(jq -c '[.films, .unchanged]' "$T/out")" "[4,0]" "three films and one that is none"
is "$(jq .clips "$T/out")" "$(own status --json | jq .clips)" "all their clips"
k import --json "$T/lib" >"$T/out"; is "$(jq -c . "$T/out")" '{"films":0,"clips":0,"unchanged":4}' "a second time nothing is new"

# --- mirrors
for question in "a ship in the rain" "a bear" "snow" "a red fruit"; do
  own search --all --json -k 20 $question | hits >"$T/own"
  as a search --all --json -k 20 $question | hits >"$T/1"; as b search --all --json -k 20 $question | hits >"$T/2"
  is "$(cksum <"$T/1") $(cksum <"$T/2") $(wc -l <"$T/1")" "$(cksum <"$T/own") $(cksum <"$T/own") $(wc -l <"$T/own")" "$question: both mirrors answer as the library does, to the bit"
done
is "$(rows "$(mirror a)") $(rows "$(mirror b)")" "$(rows "$T/lib") $(rows "$T/lib")" "the same rows"
is "$(as a clips --json | jq -c 'del(.path)' | cksum)" "$(as b clips --json | jq -c 'del(.path)' | cksum)" "with the same numbers"
as a check --json >"$T/out"; is "$? $(jq -r 'select(.invariant)' "$T/out")" "0 " "check finds nothing in a mirror"
is "$(sqlite3 "$(mirror a)/catalog.db" "SELECT count(*) FROM thumbnail")" 0 "a mirror keeps no thumbnails"
own curve weather.mp4 snow --json >"$T/own"; as a curve weather.mp4 snow --json >"$T/1"; ok $? "frame vectors come from the hub"
is "$(jq -c '[.t, .cosine]' "$T/1" | cksum)" "$(jq -c '[.t, .cosine]' "$T/own" | cksum)" "as they were"
as a status --bad --json | jq -r .path >"$T/out"; is "$(cat "$T/out")" "$T/films/x.mp4" "and what is no film is listed"
as a compact; is "$?" 2 "a mirror is not written"
"$K" -L "$(mirror a)" forget "$T/films/x.mp4" 2>"$T/err"; is "$? $(grep -c 'mirrors a hub' "$T/err")" "2 1" "nor by its folder's name"

# --- another mount
cp -r "$T/films" "$T/elsewhere"; mkdir "$T/empty"
as b root films="$T/empty"; is "$? $(grep -c 'nothing is mounted' "$T/err")" "2 1" "an empty mount is no root"
as b root films="$T/elsewhere"; ok $? "the same root at another place"
is "$(as b search --all --json -k 50 snow | jq -r .path | sed "s,/[^/]*$,," | sort -u | paste -sd' ')" "$T/elsewhere $T/elsewhere/sub" "the films are found there"
is "$(as c search --all --json -k 50 snow | jq -r .path | sort -u | head -n 1)" "/films:/animals.mp4" "and by their root's name where it is not mounted"
echo 00000000000000000000000000000000 >"$T/empty/.kinoseek-root"; as b root films="$T/empty"; is "$? $(grep -c 'another root' "$T/err")" "2 1" "nor is another root"

is "$(as b search --json harbour 2>/dev/null | jq -r 'select(.named) | .path' | wc -l) $(sqlite3 "$(mirror b)/catalog.db" "SELECT group_concat(name, '') FROM film_name")" "$(as c search --json harbour 2>/dev/null | jq -r 'select(.named) | .path' | wc -l) $(sqlite3 "$(mirror c)/catalog.db" "SELECT group_concat(name, '') FROM film_name")" "a film is called the same on every machine"

# --- the way back
k backup "$T/back" >/dev/null; ok $? "backup of a hub"
is "$(rows "$T/back") $(blobs "$T/back")" "$(rows "$T/lib") $(blobs "$T/lib")" "is the library, pictures and frame vectors too"
"$K" -L "$T/back" check >/dev/null; ok $? "that check finds whole"
is "$(sqlite3 "$T/back/catalog.db" "SELECT count(*) FROM setting WHERE key = 'calibration'")" 1 "with its scale"
is "$("$K" --precision fp32 -L "$T/back" search --all --json -k 20 snow | jq -c '[.score, .cosine]' | cksum)" "$(own search --all --json -k 20 snow | jq -c '[.score, .cosine]' | cksum)" "and its answers"
"$K" -L "$T/back" forget -q "$T/films/x.mp4"; ok $? "and that may be written"
k backup "$T/films" >/dev/null; is "$?" 2 "it fills no folder of others"

# --- revisions: what a hub learns later, what it loses
cp models/demo/films/fruit.mp4 "$T/films" 2>/dev/null || cp "$(ls models/demo/films/*.mp4 | grep -v -e weather -e animals -e harbour | head -n 1)" "$T/films/fruit.mp4"
own -q ingest "$T/films"; k import --json "$T/lib" >"$T/out"; is "$(jq -c '[.films, .unchanged]' "$T/out")" "[1,4]" "one film more"
as a sync --json >"$T/out"; is "$(jq -c '[.films, .gone, .refused]' "$T/out")" "[1,0,0]" "and that alone is pulled"
is "$(rows "$(mirror a)")" "$(rows "$T/lib")" "the rows are the library's again"
as a sync --json | jq -c '[.films, .clips]' >"$T/out"; is "$(cat "$T/out")" "[0,0]" "nothing moves, nothing comes"
is "$(as a check --json | jq -r 'select(.invariant)')" "" "check finds nothing"
# an import that ends in the middle, seen by a mirror
XDG_DATA_HOME="$T/x" "$K" -q -L "$T/lib2" -m demo --precision fp32 ingest --window 2 models/demo/films/weather.mp4 2>/dev/null
k import "$T/lib2"; is "$? $(grep -c 'its clips are made with' "$T/err")" "2 1" "clips of another length are refused"

# --- hostile rows
hub_sql "CREATE TABLE kept AS SELECT * FROM kinoseek.vector; UPDATE kinoseek.vector SET half = overlay(half PLACING '\\x0042' FROM 11) WHERE clip = (SELECT min(clip) FROM kinoseek.vector); UPDATE kinoseek.clip SET stop = stop + 1 WHERE id = (SELECT max(id) FROM kinoseek.clip); UPDATE kinoseek.path SET rel = '../../etc/passwd' WHERE rel = 'x.mp4'"
as d sync >/dev/null; is "$? $(grep -c '3 rows of the hub were left out' "$T/err")" "3 1" "rows that are not what they say are left out, and said"
is "$(sqlite3 "$(mirror d)/catalog.db" "SELECT count(*) FROM path WHERE path LIKE '%passwd%'") $(as d search --all --json -k 50 snow | jq -r .path | wc -l | sed 's/^0$/none/')" "0 $(as d search --all --json -k 50 snow | wc -l)" "none of them is met"
is "$(as d check --json | jq -r 'select(.invariant)')" "" "the rest is whole"

# --- a hub that is away
hub_down fast
as a search --all --json -k 20 snow >"$T/1"; is "$? $(grep -c 'the mirror here answers' "$T/err") $(wc -l <"$T/err")" "0 1 1" "the mirror answers, with one notice"
as e search snow >/dev/null; is "$? $(wc -l <"$T/err")" "5 1" "without one: exit 5 and a sentence"
k import "$T/lib"; is "$?" 5 "writing: exit 5"
hub_up; as a search --all --json -k 20 snow >"$T/2"; is "$(hits <"$T/2" | cksum) $(wc -c <"$T/err")" "$(hits <"$T/1" | cksum) 0" "and when it is back nothing is different"

# --- over a network
hub_tls; ok $? "TLS on loopback"
k -q root films="$T/films" # another address is another hub to this machine
net() { XDG_DATA_HOME="$T/n" PGPASSFILE="$T/pass" "$K" --precision fp32 -L "$@" 2>"$T/err"; }
echo '*:*:*:*:secret' >"$T/pass"; chmod 600 "$T/pass"
net "$HUB_TLS?sslrootcert=$hub_dir/ca.crt" search --all --json -k 20 snow >"$T/1"; is "$? $(jq -r .cosine "$T/1" | cksum)" "0 $(as d search --all --json -k 20 snow | jq -r .cosine | cksum)" "verify-full where nothing else is said, and the same answer"
rm -rf "$T/n"
HOME="$T" net "$HUB_TLS" search snow; is "$? $(grep -c 'root certificate' "$T/err")" "5 1" "without the CA nobody is believed"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=other -keyout "$T/o.key" -out "$T/o.crt" 2>/dev/null
net "$HUB_TLS?sslrootcert=$T/o.crt" search snow; is "$? $(grep -c 'certificate verify failed' "$T/err")" "5 1" "nor with another one"
echo '*:*:*:*:seceret' >"$T/pass"; net "$HUB_TLS?sslrootcert=$hub_dir/ca.crt" search snow; is "$? $(grep -c 'password authentication failed' "$T/err") $(grep -c secer "$T/err")" "5 1 0" "a wrong password is refused, and not repeated"
as a sync >/dev/null; hub_signal STOP
as a search --all --json -k 20 snow >"$T/1"; is "$? $(grep -c 'the mirror here answers' "$T/err")" "0 1" "a server that stands still: the mirror answers"
k import "$T/lib"; is "$? $(grep -c 'no answer within' "$T/err")" "5 1" "writing: exit 5"
hub_signal CONT; as a search --all --json -k 20 snow >"$T/2"; is "$(wc -c <"$T/err")" 0 "until it goes on"

# --- passwords, versions, libpq
k -L "postgresql://u:secret@127.0.0.1/x" search x; is "$? $(grep -c secret "$T/err")" "2 0" "a password on the command line is refused, and not repeated"
k -L "postgresql:///x?password=secret" search x; is "$? $(grep -c secret "$T/err")" "2 0" "in any form"
hub_sql "UPDATE kinoseek.library SET schema = schema + 1"
k import "$T/lib"; is "$? $(grep -c 'update kinoseek' "$T/err")" "2 1" "a newer hub is refused"
hub_older 1
k import "$T/lib"; is "$? $(grep -c 'store migrate brings it there' "$T/err")" "2 1" "an older one too"
k -q store migrate; k import --json "$T/lib" >"$T/out"; is "$? $(jq .unchanged "$T/out")" "0 5" "migrate brings it there, with all its rows"
is "$(ldd "$K" | grep -c libpq)" 0 "libpq is not linked"
