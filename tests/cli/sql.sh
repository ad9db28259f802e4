#!/bin/sh
# kinoseek_search() in sqlite3, as its own header and the man page of the catalog show it.
set -u
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; [ -e "$T/err" ] && sed 's/^/# /' "$T/err" | tail -n 5; fi; }
is() { if [ "$1" = "$2" ]; then ok 0 "$3"; else echo "# got: $1"; echo "# want: $2"; ok 1 "$3"; fi; }
case "$BUILD" in *-*) echo "ok - a sanitizer's run-time does not load into sqlite3"; exit 0 ;; esac
printf '%s\t2.002\t10.01\ta dog\n%s\t12.012\t20.02\ta boat\n%s\t0\t8.008\ta traffic jam\n' /films/lake.mp4 /films/lake.mp4 "/films/o'pier.mov" |
  "$BUILD/tests/prog_sentences" "$T/lib" tests/fixtures/lvt.npz tests/fixtures/lvt.spm 2>"$T/err"
ok $? "a library of sentences"
k() { "$BUILD/kinoseek" -L "$T/lib" "$@" 2>"$T/err"; }
so=$PWD/$BUILD/kinoseek
sql() { sqlite3 -readonly -cmd ".load $so" "$T/lib/catalog.db" "$1" 2>"$T/err"; }
for words in "a dog" "a boat" "a traffic jam"; do
  is "$(sql "SELECT rank, path, start, \"end\", round(score, 4), clip FROM kinoseek_search('$words', 5)" | tr '|' ' ' | sed 's/ 0\.0 / 0 /')" \
    "$(k search --json -k 5 "$words" | jq -r '[.rank, .path, .start, .end, (.score * 10000 | round / 10000), .clips[0]] | map(tostring) | join(" ")')" "$words: what search says"
done
is "$(sql "SELECT s.rank, v.fps > 29, c.reason FROM kinoseek_search('a dog', 1) s JOIN videos v USING (video) JOIN clips c USING (clip)")" "1|1|window" "joined with the catalog's views"
is "$(sql "WITH q(w) AS (VALUES ('a dog'), ('a boat')) SELECT w, s.start FROM q, kinoseek_search(q.w, 1) s ORDER BY w")" "a boat|12.012
a dog|2.002" "a question a row"
is "$(sqlite3 -cmd ".load $so" "$T/own.db" "CREATE TABLE mine(label, path); INSERT INTO mine VALUES ('x', '/films/lake.mp4'); ATTACH 'file:$T/lib/catalog.db?mode=ro' AS k; SELECT label, rank FROM mine JOIN kinoseek_search('a dog', 1) USING (path)" 2>"$T/err")" "x|1" "attached to a data base of one's own"
is "$(sqlite3 -cmd ".load $so" :memory: "SELECT rank FROM kinoseek_search('a dog', 1, '$T/lib')" 2>"$T/err")" 1 "the library as third argument"
sqlite3 -cmd ".load $so" :memory: "SELECT * FROM kinoseek_search('a dog')" >"$T/out" 2>"$T/err"; is "$? $(grep -c 'no catalog.db' "$T/err")" "1 1" "no library: one sentence"
sql "SELECT * FROM kinoseek_search" >"$T/out"; is "$? $(grep -c 'wants words' "$T/err")" "1 1" "no words, too"
sql "SELECT * FROM kinoseek_search('a dog', -1)" >"$T/out"; is "$?" 1 "nor a number below nought"
is "$(sql "SELECT count(*) FROM kinoseek_search('a submarine', 5)")" "$(k search --json -k 5 'a submarine' | wc -l)" "the cut-off is that of search"
before=$(cd "$T/lib" && cksum catalog.db)
sql "SELECT count(*) FROM kinoseek_search('a dog')" >/dev/null; is "$(cd "$T/lib" && cksum catalog.db)" "$before" "the library is only read"
is "$(nm -D --defined-only "$BUILD/kinoseek.so" | awk '$2 != "A" { print $3 }')" "sqlite3_kinoseek_init" "one symbol goes out"
