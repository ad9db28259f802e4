#!/bin/sh
# check, repair, backup, compact over a library made without video.
# Runs with the programs in $BUILD; prints TAP.
: "${BUILD:=build}"
ks=$BUILD/kinoseek; lib=$BUILD/tests/prog_library
t=$(mktemp -d); trap 'rm -rf "$t"' EXIT
say() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; fi; }
is() { [ "$1" = "$2" ]; say $? "$3 ($1)"; }

"$lib" grow "$t/lib" 0 12 6 64 1 >"$t/acked"; say $? "a library of 12 films, 4 forgotten"
"$ks" -L "$t/lib" check >"$t/out" 2>&1; is $? 0 "check finds nothing in a good library"
"$ks" -L "$t/none" check >"$t/out" 2>&1; is $? 10 "check of no library"
"$ks" -L "$t/none" repair >"$t/out" 2>&1; is $? 10 "repair of no library"
"$ks" -L "$t/lib" check extra >"$t/out" 2>&1; is $? 2 "check takes no arguments"

"$ks" -L "$t/lib" backup "$t/copy" >"$t/out" 2>&1; is $? 0 "backup"
"$ks" -L "$t/lib" backup "$t/copy" >"$t/out" 2>&1; is $? 2 "backup does not overwrite a library"
"$ks" -L "$t/copy" check >"$t/out" 2>&1; is $? 0 "the backup checks"
a=$("$ks" -L "$t/lib" clips --json | sort | cksum); b=$("$ks" -L "$t/copy" clips --json | sort | cksum)
is "$a" "$b" "the backup holds the same clips"
is "$(stat -c %a "$t/copy/catalog.db")" 600 "the backup is its owner's alone"
is "$(ls "$t/copy" | grep -c '^vectors')" 0 "search copies are not in it"
"$ks" -L "$t/lib" backup --copies "$t/quick" >"$t/out" 2>&1; is $? 0 "backup --copies"
is "$(ls "$t/quick" | grep -c '^vectors')" 1 "takes search copies along"
"$ks" -L "$t/quick" check >"$t/out" 2>&1; is $? 0 "and it checks"
is "$("$ks" -L "$t/quick" status --json | jq -c '[.clips, .search.rows // .copies // "?"]' | head -1)" "$("$ks" -L "$t/lib" status --json | jq -c '[.clips, .search.rows // .copies // "?"]' | head -1)" "as many clips lie in them"

"$ks" -L "$t/lib" compact --json >"$t/out"; is $? 0 "compact"
[ "$(jq .bytes_after "$t/out")" -le "$(jq .bytes_before "$t/out")" ]; say $? "compact does not grow the library"
"$ks" -L "$t/lib" check >"$t/out" 2>&1; is $? 0 "compacted, it checks"
"$lib" search "$t/lib" 64 1 7; say $? "compacted, search is brute force's"

python3 - "$t/lib/catalog.db" <<'PY'
import sys
f = open(sys.argv[1], "r+b"); data = bytearray(f.read())
n = 0
for page in range(1, len(data) // 4096):     # one byte of every third leaf page of a table
    at = page * 4096
    if data[at] == 13 and int.from_bytes(data[at + 3:at + 5], "big") > 8:
        n += 1
        if n % 3 == 0: data[at + 4096 - 40] ^= 64
f.seek(0); f.write(data)
PY
"$ks" -L "$t/lib" check --json >"$t/out" 2>"$t/err"; is $? 3 "check of a damaged library"
[ "$(jq -r 'select(.event=="done").findings' "$t/out")" -gt 0 ]; say $? "check --json counts its findings"
[ "$(jq -r 'select(.event=="finding").invariant' "$t/out" | sort -u | head -n 1)" -ge 1 ]; say $? "each finding names an invariant"
is "$(wc -l <"$t/err")" 1 "one sentence on stderr"
"$ks" -L "$t/lib" repair >"$t/out" 2>&1; is $? 0 "repair"
"$ks" -L "$t/lib" check >"$t/out" 2>&1; is $? 0 "repaired, it checks"
"$lib" search "$t/lib" 64 1 8; say $? "repaired, search is brute force's"
ls "$t/lib"/catalog.db.damaged-1 >/dev/null; say $? "the damaged catalog is kept"
# A page that is nothing at all, each in turn: whatever the command meets of it, it ends (clips once did not).
pages=$(( $(stat -c %s "$t/copy/catalog.db") / 4096 )); page=1; endless=""; codes=""; twice=""
while [ $page -lt $pages ]; do
  rm -rf "$t/page"; cp -r "$t/copy" "$t/page"
  tr '\0' '\252' </dev/zero | dd of="$t/page/catalog.db" bs=4096 seek=$page count=1 conv=notrunc iflag=fullblock 2>/dev/null
  timeout 10 "$ks" -L "$t/page" clips --unfinished >"$t/out" 2>&1; code=$?
  case $code in 0|6) codes="$codes $code" ;; *) endless="$endless page $page: $code," ;; esac
  more=$("$ks" -L "$t/page" check 2>/dev/null | sort | uniq -d)
  [ -z "$more" ] || twice="$twice page $page: $more,"
  page=$((page + 1))
done
is "$twice" "" "check says nothing twice of any of them"
is "$endless" "" "clips of a library with a page of nonsense: 0 or 6"
case $codes in *6*) say 0 "(some page held clips)" ;; *) say 1 "(some page held clips)" ;; esac
head -c 3000 "$t/copy/catalog.db" >"$t/cut" && cat "$t/cut" >"$t/copy/catalog.db"
"$ks" -L "$t/copy" check >"$t/out" 2>&1; is $? 3 "check of a catalog cut to 3000 bytes"
"$ks" -L "$t/copy" clips >"$t/out" 2>&1; is $? 6 "other commands say damaged"
# A kill while the first transaction of a new library was on its way leaves a journal: that counts as none.
mkdir "$t/half"; python3 - "$t/half/catalog.db" <<'PY'
import sqlite3, os, sys
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute("pragma page_size=4096"); c.execute("create table a(b)")
c.execute("pragma cache_size=1"); c.execute("begin"); c.execute("insert into a values(randomblob(200000))")
os._exit(0)
PY
[ -s "$t/half/catalog.db-journal" ]; say $? "(a journal is there)"
"$ks" -L "$t/half" clips >"$t/out" 2>&1; is $? 10 "a half-created library counts as none"
