#!/bin/sh
# Every command that writes a folder, against every other state of that folder: what is said is read back.
#   command        state of what it writes to                      what must be so
#   backup         nothing, an empty folder                        the same rows, check is clean
#   backup         a library; a log, index, journal left over      refused, nothing changed
#   backup         another backup on its way (folder locked)       exit 11
#   backup         the catalog of another name (link, hard link)   -
#   relocate       the new place holds another film / the same     refused, all clips there / merged
#   relocate       a path of more than 4,096 bytes                 refused, all clips there
#   forget ...     beside a writer, by name, by link to the folder, by a link to catalog.db, the lock file deleted
#   all            catalog.db, -wal, -shm, the lock are a pipe, a link, a device, a folder
# The library is made without video (prog_library). Runs with the programs in $BUILD; prints TAP.
set -u
: "${BUILD:=build}"
ks=$BUILD/kinoseek lib=$BUILD/tests/prog_library
t=$(mktemp -d); trap 'rm -rf "$t"' EXIT
say() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; sed 's/^/# /' "$t/out" | head -n 3; fi; }
is() { [ "$1" = "$2" ]; say $? "$3 ($1)"; }
clips() { "$ks" -L "$1" clips --json 2>"$t/clips.err" | sort | cksum; }
k() { timeout 20 "$ks" "$@" >"$t/out" 2>&1; }

"$lib" grow "$t/a" 0 8 4 32 0 >"$t/out"; say $? "a library"
"$lib" grow "$t/b" 20 24 3 32 0 >"$t/out"; say $? "another one"
a=$(clips "$t/a") b=$(clips "$t/b")

# --- backup
k -L "$t/a" backup "$t/new"; is "$? $(clips "$t/new")" "0 $a" "backup into a new folder is the library"
mkdir "$t/empty"; k -L "$t/a" backup "$t/empty"; is "$? $(clips "$t/empty")" "0 $a" "into an empty one too"
k -L "$t/empty" check; is $? 0 "and it checks"
k -L "$t/b" backup "$t/new"; is "$? $(clips "$t/new")" "2 $a" "a library there is left alone"
for left in wal shm journal; do
  mkdir "$t/left.$left"; echo something >"$t/left.$left/catalog.db-$left"
  k -L "$t/a" backup "$t/left.$left"
  is "$? $(ls "$t/left.$left")" "2 catalog.db-$left" "a -$left left there: refused, nothing written"
done
mkdir "$t/two"
for i in 1 2 3 4; do ( "$ks" -L "$t/a" backup "$t/two" >/dev/null 2>"$t/two.$i"; echo $? >"$t/code.$i" ) & done; wait
won=$(cat "$t"/code.? | grep -c '^0$') lost=$(cat "$t"/code.? | grep -cE '^(2|11)$')
is "$won $((won + lost)) $(clips "$t/two")" "1 4 $a" "four backups into one folder: one wins, the others are told"
"$ks" -L "$t/a" backup "$t/a" >"$t/out" 2>&1; is "$? $(clips "$t/a")" "2 $a" "onto itself: refused"

# --- relocate: films lie at /films/N/fN.mp4 (prog_library)
before=$("$ks" -L "$t/a" clips --json | wc -l)
first=$("$ks" -L "$t/a" clips --json | head -n 1 | jq -r .path) other=$("$ks" -L "$t/a" clips --json | tail -n 1 | jq -r .path)
mkdir -p "$t/place"; : >"$t/place/x.mp4"
cp -r "$t/a" "$t/r"; k -L "$t/r" relocate "$first" "$t/place/x.mp4"; is "$? $("$ks" -L "$t/r" clips --json | jq -r .path | grep -c '/place/x.mp4$')" "0 4" "relocate: the film is at its new place"
k -L "$t/r" relocate "$other" "$t/place/x.mp4"; is "$? $("$ks" -L "$t/r" clips --json | wc -l)" "2 $before" "onto another film: refused, all clips are there"
grep -q "another film" "$t/out"; say $? "and said"
part=$(printf '%0200d' 0) long=$t/place
while [ ${#long} -lt 3880 ]; do long=$long/$part; done
last=$(printf "%0$((4089 - ${#long}))d" 0); long=$long/$last # 4,090 bytes: it can be named, what lies in it cannot
( cd "$t/place" && while [ ${#PWD} -lt 3880 ]; do mkdir "$part" && cd "$part" || exit 1; done; mkdir "$last" ) || echo "not ok - (no deep folder)"
cp -r "$t/a" "$t/l"
k -L "$t/l" relocate "$(dirname "$first")" "$long"; code=$?
is "$code $("$ks" -L "$t/l" clips --json | wc -l)" "2 $before" "to where a path becomes too long: refused, all clips are there"
k -L "$t/l" check; is $? 0 "and the library checks"

# --- one writer, whatever the folder is called
"$lib" grow "$t/busy" 0 100000 4 32 0 >"$t/busy.out" 2>&1 & writer=$! # more than it will live for
i=0; while [ ! -s "$t/busy.out" ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
ln -s busy "$t/link"; mkdir "$t/side"; ln -s ../busy/catalog.db "$t/side/catalog.db";
k -L "$t/busy" compact; is $? 11 "beside a writer: busy"
k -L "$t/link" compact; is $? 11 "through a link to the folder: busy"
k -L "$t/side" compact; is $? 2 "through a link to catalog.db: refused"
mkdir "$t/hard"; ln "$t/busy/catalog.db" "$t/hard/catalog.db"
k -L "$t/hard" compact; is $? 2 "by a hard link: refused"
k -L "$t/busy" backup "$t/kept" >/dev/null; ln "$t/kept/catalog.db" "$t/kept/catalog.db.damaged-1"
k -L "$t/kept" compact; is $? 0 "but for the name that a repair gave it before it was killed"
rm "$t/hard/catalog.db" "$t/busy/writer.lock"
k -L "$t/busy" compact; is $? 11 "the lock file deleted under the writer: busy still"
k -L "$t/busy" backup "$t/moving"; is $? 0 "backup beside it"; k -L "$t/moving" check; is $? 0 "which checks"
kill -0 $writer 2>/dev/null; say $? "(the writer was at work all the time)"
kill $writer 2>/dev/null; wait $writer 2>/dev/null

# --- what lies there is no file
for name in catalog.db catalog.db-wal catalog.db-shm catalog.db-journal writer.lock; do
  bad=""
  for kind in pipe link device folder; do
    rm -rf "$t/odd"; cp -r "$t/a" "$t/odd"; rm -f "$t/odd/$name"
    case $kind in
      pipe) mkfifo "$t/odd/$name" ;; link) ln -s /etc/hostname "$t/odd/$name" ;;
      device) ln -s /dev/zero "$t/odd/$name" ;; folder) mkdir "$t/odd/$name" ;;
    esac
    for words in clips status check "backup $t/odd.copy" compact repair "forget /films" "search x"; do
      timeout -s KILL 5 "$ks" -L "$t/odd" $words >"$t/out" 2>&1; code=$?
      case $code in 2|3|4|5|6|10|11) ;; *) bad="$bad $kind:$words:$code" ;; esac
      rm -rf "$t/odd.copy"
    done
  done
  is "$bad" "" "$name is no plain file: every command says so at once"
done
