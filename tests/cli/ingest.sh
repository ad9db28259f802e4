#!/bin/bash
# ingest.sh - the `ingest` command from outside, with the clock encoder: verdicts, times, moves, interruptions.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
export LC_ALL=C
K=$BUILD/kinoseek D=$BUILD/tests/prog_dump
T=$(mktemp -d); trap 'chmod -R u+rwX "$T"; rm -rf "$T"' EXIT
export TMPDIR=$T XDG_CACHE_HOME=$T/cache
ok() { if [ "$1" = 0 ]; then echo "ok - $2"; else echo "not ok - $2"; fi; }
is() { if [ "$1" = "$2" ]; then echo "ok - $3"; else echo "not ok - $3"; echo "# got:  $1"; echo "# want: $2"; fi; }
run() { "$K" -L "$T/lib" ingest --encoder clock --json "$@" 2>"$T/err" >"$T/out"; code=$?; }
verdicts() { jq -r 'select(.event == "file") | .verdict + " " + (.path | sub(".*/"; ""))' "$T/out" | sort | paste -sd,; }
bash tests/clock_films.sh "$T/made" || echo "not ok - films"
mkdir "$T/in"; cp "$T"/made/clock_{20,13,6,1}.mp4 "$T/in/"; mv "$T/in/clock_20.mp4" "$T/in/twenty"; echo words >"$T/in/notes.txt"

# --- the first time ---
"$K" -L "$T/lib" ingest --encoder clock --dry-run "$T/in" >"$T/out" 2>"$T/err"
is $? 0 "a dry run"
is "$(cat "$T/out")" "Would index 4 files." "a dry run says what it would do"
[ ! -e "$T/lib" ]; ok $? "a dry run makes no library"
run "$T/in" --shots off
is $code 0 "exit 0 when all went in"
is "$(verdicts)" "indexed clock_1.mp4,indexed clock_13.mp4,indexed clock_6.mp4,indexed twenty" "a verdict each; what is no film is not listed; a film without extension is"
is "$(jq -r 'select(.event == "done") | [.files, .clips, .video_seconds + 0] | @csv' "$T/out")" "4,9,40" "the last line counts files, clips, seconds"
is "$("$K" -L "$T/lib" clips --json | jq -r 'select(.path | endswith("twenty")) | "\(.start + 0) \(.end + 0) \(.reason)"' | paste -sd,)" \
   "0 8 window,4 12 window,8 16 window,12 20 tail" "clips lie on the grid and the tail ends with the film"
# Each frame of each clip shows floor(4 t) for its own t: short shots floor(i*N/T), windows start + i/2 s.
"$D" "$T/lib" clock | awk '
  /\|/ { next }
  { for (i = 0; i < 16; i++) {
      t = $3 == "shot" ? int(i * $2 * 25 / 16) / 25 : $1 + i * 0.5
      t = int(t * 25 + 1e-6) / 25
      want = int(4 * (t + 0.0001)) % 256
      if ($(5 + i) != want) { bad++; print "# " $0 " frame " i " wants " want } } n++ }
  END { exit !(n == 9 && !bad) }'
ok $? "every frame of every clip is the one of its time"

# --- again ---
run
is "$code $(verdicts)" "0 unchanged clock_1.mp4,unchanged clock_13.mp4,unchanged clock_6.mp4,unchanged twenty" "without a path all known folders are done again"
is "$(jq -r 'select(.event == "file") | .was' "$T/out" | sort -u)" indexed "an unchanged file says what it was"
run -n; is "$code $(verdicts)" "0 unchanged clock_1.mp4,unchanged clock_13.mp4,unchanged clock_6.mp4,unchanged twenty" "a dry run knows what is in"
is "$("$K" -L "$T/lib" ingest --encoder clock -n 2>/dev/null)" "Nothing new in 4 files." "and says so"
mkdir "$T/in/sub"; mv "$T/in/clock_6.mp4" "$T/in/sub/renamed.mkv"; cp "$T/in/clock_1.mp4" "$T/in/sub/copy.mp4"; ln "$T/in/clock_13.mp4" "$T/in/sub/hard.mp4"
run "$T/in"
is "$(verdicts)" "copied copy.mp4,copied hard.mp4,moved renamed.mkv,unchanged clock_1.mp4,unchanged clock_13.mp4,unchanged twenty" "renames, copies and hard links are known by content"
is "$(jq -r 'select(.event == "done") | .clips' "$T/out")" 0 "and nothing is encoded for them"
"$D" "$T/lib" >"$T/before"
mv "$T/in/twenty" "$T/in/x"; mv "$T/in/clock_13.mp4" "$T/in/twenty"; mv "$T/in/x" "$T/in/clock_13.mp4"
run "$T/in"
is "$(jq -r 'select(.event == "done") | .clips' "$T/out") $code" "0 0" "two films that swap names are not encoded again"
is "$("$K" -L "$T/lib" clips --json | jq -r 'select(.path | endswith("/in/clock_13.mp4")) | .end + 0' | tail -1)" 20 "and each has the other's name"
mv "$T/in/clock_13.mp4" "$T/in/x"; mv "$T/in/twenty" "$T/in/clock_13.mp4"; mv "$T/in/x" "$T/in/twenty"; run "$T/in"
"$D" "$T/lib" >"$T/after"; cmp -s "$T/before" "$T/after"; ok $? "swapped back, the library is as it was"
touch "$T/in/twenty"; run "$T/in"
is "$(jq -r 'select(.event == "done") | .clips' "$T/out") $(jq -r 'select(.path? // "" | endswith("twenty")) | .verdict' "$T/out")" "0 unchanged" "a new mtime alone changes nothing"

# A folder where a film was; one that could not be entered (which root can, so that only others see it).
mkdir -p "$T/turn/locked"; cp "$T/made/clock_1.mp4" "$T/turn/a.mp4"; cp "$T/made/clock_6.mp4" "$T/turn/locked/b.mp4"
turn() { "$K" -L "$T/lturn" ingest --shots off --encoder clock --json "$T/turn" >"$T/out" 2>"$T/err"; }
chmod 000 "$T/turn/locked"; turn; chmod 755 "$T/turn/locked"; turn
is "$("$K" -L "$T/lturn" status --bad) $("$K" -L "$T/lturn" clips | wc -l)" "Every file went in wholly. 2" "a folder that can be entered again is no bad file any more"
rm "$T/turn/a.mp4"; mkdir "$T/turn/a.mp4"; turn
is "$(verdicts) $("$K" -L "$T/lturn" clips | wc -l)" "gone a.mp4,unchanged b.mp4 1" "a film that is a folder now is gone"
mkdir "$T/self"; cp "$T/made/clock_1.mp4" "$T/self/s.mp4"; "$K" -L "$T/lself" ingest --encoder clock -q "$T/self/s.mp4" >/dev/null 2>&1
rm "$T/self/s.mp4"; mkdir "$T/self/s.mp4"; cp "$T/made/clock_6.mp4" "$T/self/s.mp4/in.mp4"
"$K" -L "$T/lself" ingest --encoder clock -q "$T/self/s.mp4" >/dev/null 2>&1
is "$("$K" -L "$T/lself" clips --json | jq -r '.path | sub(".*/self/"; "")' | sort -u | paste -sd,)" "s.mp4/in.mp4" "and so where that folder is what is named"

# A film that was moved and left a link behind, and one that lies where a link was.
mkdir "$T/link" "$T/link/store"; cp "$T/made/clock_6.mp4" "$T/link/a.mp4"; cp "$T/made/clock_1.mp4" "$T/link/b.mp4"
link() { "$K" -L "$T/llink" ingest --encoder clock --json "$T/link" >"$T/out" 2>"$T/err"; }
link; mv "$T/link/a.mp4" "$T/link/store/"; ln -s store/a.mp4 "$T/link/a.mp4"; link
is "$(verdicts) $(jq -r 'select(.event == "done") | .clips' "$T/out")" "moved a.mp4,skipped a.mp4,unchanged b.mp4 0" "a film that left a link where it was is not encoded again"
link; is "$(verdicts)" "unchanged a.mp4,unchanged a.mp4,unchanged b.mp4" "and both are known from then on"
rm "$T/link/a.mp4"; mv "$T/link/store/a.mp4" "$T/link/"; link
is "$(verdicts) $(jq -r 'select(.event == "done") | .clips' "$T/out")" "moved a.mp4,unchanged b.mp4 0" "nor when it comes back"

ln -s nowhere "$T/link/none.mp4"; "$K" -L "$T/llink" ingest --encoder clock -q --follow "$T/link" >"$T/out" 2>&1; rm "$T/link/none.mp4"; link
is "$(verdicts) $("$K" -L "$T/llink" status --bad)" "gone none.mp4,unchanged a.mp4,unchanged b.mp4 Every file went in wholly." "a link to nothing that was taken away is no bad file any more"

# A folder with copies in it that is renamed.
mkdir "$T/ren"; cp "$T/made/clock_6.mp4" "$T/ren/a.mp4"; cp "$T/made/clock_6.mp4" "$T/ren/b.mp4"; cp "$T/made/clock_1.mp4" "$T/ren/c.mp4"
"$K" -L "$T/lren" ingest --encoder clock -q "$T/ren" >/dev/null 2>&1; mv "$T/ren/c.mp4" "$T/ren/d.mp4"
is "$("$K" -L "$T/lren" ingest --encoder clock -n "$T/ren" 2>/dev/null)" "Nothing new in 3 files. Moved or copied: 1." "a dry run does not take what was moved for gone too"
mv "$T/ren" "$T/ren2"; "$K" -L "$T/lren" ingest --encoder clock --json "$T/ren2" >"$T/out" 2>&1
is "$(verdicts) $("$D" "$T/lren" | grep -c '/ren/')" "moved a.mp4,moved b.mp4,moved d.mp4 0" "copies in a folder that was renamed leave no path behind"
mv "$T/ren2/a.mp4" "$T/ren2/e.mp4"; cp "$T/ren2/e.mp4" "$T/ren2/f.mp4"; "$K" -L "$T/lren" ingest --encoder clock --json "$T/ren2" >"$T/out" 2>&1
is "$(verdicts)" "copied f.mp4,moved e.mp4,unchanged b.mp4,unchanged d.mp4" "of two new paths for one that is gone the second is a copy"

# What the system does not let us look at today, and did before. Root sees everything: it asks as nobody, who may not see
# the build.
mkdir -p "$T/shut/in/below" "$T/shut/home" "$T/shut/bin"; cp "$K" "$K-decode" "$T/shut/bin/"; cp "$T/made/clock_6.mp4" "$T/shut/in/below/a.mp4"; cp "$T/made/clock_1.mp4" "$T/shut/in/b.mp4"
other=env; [ "$(id -u)" = 0 ] && { other="setpriv --reuid=65534 --regid=65534 --clear-groups"; chmod 755 "$T"; chown -R 65534 "$T/shut"; }
shut() { $other env XDG_CACHE_HOME="$T/shut/home" TMPDIR="$T/shut/home" "$T/shut/bin/kinoseek" -L "$T/shut/lib" ingest --encoder clock "$@" >"$T/out" 2>"$T/err"; }
reasons() { jq -r 'select(.event == "file") | "\(.verdict) \(.path | sub(".*/"; "")) \(.reason)"' "$T/out" | sort | paste -sd,; }
shut --json "$T/shut/in"; chmod 644 "$T/shut/in/below"; shut --json "$T/shut/in"
is "$(reasons)" "skipped a.mp4 permission denied: nothing of it is touched,unchanged b.mp4 " "a folder that may be listed and not entered: its films stay"
chmod 755 "$T/shut/in/below"; shut --json "$T/shut/in"; is "$(verdicts)" "unchanged a.mp4,unchanged b.mp4" "and are as they were when it may be"
cp -p "$T/shut/in/b.mp4" "$T/shut/in/x"; mv "$T/shut/in/x" "$T/shut/in/b.mp4"; chmod 000 "$T/shut/in/b.mp4"; shut --json "$T/shut/in"
is "$(reasons)" "skipped b.mp4 permission denied: nothing of it is touched,unchanged a.mp4 " "a film that may not be read any more stays"
chmod 644 "$T/shut/in/b.mp4"; shut --json "$T/shut/in"; is "$(reasons)" "unchanged a.mp4 ,unchanged b.mp4 " "and is known when it may be"
chmod 000 "$T/shut/in"; shut --json "$T/shut/in"
is "$? $(reasons)" "4 skipped in permission denied" "a folder named that may not be entered: that is said once, and exit 4"
shut "$T/shut/in"; is "$? $(grep '^kinoseek' "$T/err")" "4 kinoseek: $T/shut/in: permission denied" "and again in one sentence"
mkdir "$T/shut/none"; shut "$T/shut/in" "$T/shut/none"; is $? 0 "beside a folder that may be, it is no error of the run"; rmdir "$T/shut/none"
chmod 755 "$T/shut/in"; shut --json "$T/shut/in"
mkdir "$T/shut/wall"; mv "$T/shut/in" "$T/shut/wall/"; [ "$(id -u)" = 0 ] && chown 65534 "$T/shut/wall"; shut "$T/shut/wall/in"; chmod 000 "$T/shut/wall"
shut --json "$T/shut/wall/in"; is "$? $(reasons)" "4 skipped in permission denied" "nor one whose own folder may not be"
shut -L "$T/shut/none" "$T/shut/wall/in"; is "$? $(cat "$T/err")" "4 kinoseek: $T/shut/wall/in: Permission denied" "and no library is made for it"
chmod 755 "$T/shut/wall"; shut --json "$T/shut/wall/in"; is "$("$K" -L "$T/shut/lib" status --bad)" "Every file went in wholly." "afterwards no bad file is left"

# A folder named before the one it lies in; a film behind two links.
mkdir -p "$T/two/sub"; cp "$T/made/clock_6.mp4" "$T/two/a.mp4"; cp "$T/made/clock_1.mp4" "$T/two/sub/b.mp4"
"$K" -L "$T/ltwo" ingest --encoder clock -q "$T/two/sub" >/dev/null 2>&1; "$K" -L "$T/ltwo" ingest --encoder clock -q "$T/two" >/dev/null 2>&1
cp "$T/made/clock_13.mp4" "$T/two/sub/c.mp4"; cp "$T/made/clock_13.mp4" "$T/two/sub/d.mp4"; "$K" -L "$T/ltwo" ingest --encoder clock --json >"$T/out" 2>&1
is "$(verdicts) $(jq -r 'select(.event == "done") | .files' "$T/out")" "copied d.mp4,indexed c.mp4,unchanged a.mp4,unchanged b.mp4 4" "a folder in a folder, both known: each file is said and counted once"
ln -s a.mp4 "$T/two/l.mp4"; ln -s a.mp4 "$T/two/m.mp4"; "$K" -L "$T/ltwo" ingest --encoder clock --json --follow "$T/two" >"$T/out" 2>&1
is "$(verdicts) $(jq -r 'select(.event == "done") | .files' "$T/out")" "unchanged a.mp4,unchanged b.mp4,unchanged c.mp4,unchanged d.mp4 4" "so is a film with links to it"

# Bytes that none of the hashed parts holds: a box between the film and its end, which players step over.
pad() { printf '\x00\x10\x00\x08free'; head -c 1048576 /dev/zero; } # 1 MiB + 8
poke() { printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
mkdir "$T/e"; { cat "$T/made/clock_6.mp4"; pad; } >"$T/e/one.mp4"; cp -p "$T/e/one.mp4" "$T/e/two.mp4"; touch -d '2 hours ago' "$T/e/one.mp4" "$T/e/two.mp4"
e() { "$K" -L "$T/le" ingest --encoder clock --json "$T/e" >"$T/out" 2>"$T/err"; }
e; is "$(verdicts)" "copied two.mp4,indexed one.mp4" "two equal films are one content"
touch "$T/e/one.mp4"; e; is "$(verdicts) $(jq -r 'select(.event == "done") | .clips' "$T/out")" "unchanged one.mp4,unchanged two.mp4 0" "touched: all its bytes are compared, and are the same"
poke "$T/e/one.mp4" 300000 x; e; is "$(verdicts)" "indexed one.mp4,unchanged two.mp4" "an edit of the same size, outside of what the identity holds, is seen by the mtime"
e; is "$(verdicts)" "unchanged one.mp4,unchanged two.mp4" "and the next run finds both as they are"
touch "$T/e/one.mp4" "$T/e/two.mp4"; e; is "$(verdicts)" "unchanged one.mp4,unchanged two.mp4" "touched, each is compared with its own bytes"
poke "$T/e/one.mp4" 300000 '\0'; e; is "$(verdicts)" "copied one.mp4,unchanged two.mp4" "edited back, it is a copy of the other again"
rm "$T/e/two.mp4"; poke "$T/e/one.mp4" 300000 y; e; is "$(verdicts)" "gone two.mp4,indexed one.mp4" "edited while it is the only one"
touch "$T/e/one.mp4"; e; is "$(verdicts)" "unchanged one.mp4" "touched after its twin is gone"
"$K" -L "$T/le" check >"$T/out" 2>&1; is $? 0 "and the catalog checks"
rm -rf "$T/le"; cp -p "$T/e/one.mp4" "$T/e/four.mp4"; poke "$T/e/four.mp4" 400000 z; e; is "$(verdicts)" "indexed four.mp4,indexed one.mp4" "two new films that differ only there are two"

# --- what goes away ---
mv "$T/in" "$T/away"
run
is "$code $("$K" -L "$T/lib" clips | wc -l)" "0 9" "a folder that is not there: nothing of it is touched"
mkdir "$T/in"; run
is "$code $("$K" -L "$T/lib" clips | wc -l)" "0 9" "an empty mount point: nothing of it is touched"
is "$(jq -r 'select(.event == "file") | .verdict + " " + .reason' "$T/out")" "skipped it is empty; its disk may not be mounted: nothing of it is touched" "and that is said"
mkdir "$T/never"; run "$T/never"; is "$(verdicts)" "" "nothing is said of an empty folder that never held a film"
rmdir "$T/in"; mv "$T/away" "$T/in"
rm "$T/in/sub/copy.mp4"; mv "$T/in/sub/renamed.mkv" "$T/gone"; run
is "$code $(verdicts)" "0 gone copy.mp4,gone renamed.mkv,unchanged clock_1.mp4,unchanged clock_13.mp4,unchanged hard.mp4,unchanged twenty" "a film that was deleted is gone"
is "$("$K" -L "$T/lib" clips | wc -l)" 8 "and its clips are"

# --- patterns, lists ---
mkdir "$T/p" "$T/p/tmp"; cp "$T/made/clock_1.mp4" "$T/p/a.mp4"; cp "$T/made/clock_1.mp4" "$T/p/tmp/b.mp4"; cp "$T/made/clock_1.mp4" "$T/p/c.part"
cp "$T/made/clock_1.mp4" "$T/p/.h.mp4"; cp "$T/made/clock_1.mp4" "$T/p/"$'new\nline \xff.mp4'; echo 'c.*' >"$T/p/.kinoseekignore"
"$K" -L "$T/l2" ingest --encoder clock --json "$T/p" --exclude tmp >"$T/out" 2>&1
is "$(jq -r 'select(.event == "file") | .verdict' "$T/out" | sort | uniq -c | paste -sd, | tr -s ' ')" " 1 copied, 1 indexed" "excludes, hidden files and the ignore file"
is "$(jq -r 'select(.path_bytes?) | .path_bytes' "$T/out" | base64 -d | tail -c 14 | od -An -tx1 | tr -d ' \n')" "6e65770a6c696e6520ff2e6d7034" "a name that is not UTF-8 comes as bytes"
"$K" -L "$T/l2" ingest --encoder clock --json >"$T/out" 2>&1
is "$(jq -r 'select(.event == "done") | .files' "$T/out")" 2 "the excludes named before hold when no path is named"
find "$T/p" -name '*.mp4' -print0 | "$K" -L "$T/l3" ingest --encoder clock --json --files-from - -0 >"$T/out" 2>&1
is "$? $(jq -r 'select(.event == "done") | .files' "$T/out")" "0 4" "--files-from - -0 takes any bytes"

# --- what is of no use ---
"$K" -L "$T/l4" ingest --encoder clock "$T/in/notes.txt" >"$T/out" 2>"$T/err"; is $? 4 "only useless files named: exit 4"
"$K" -L "$T/l4" ingest --encoder clock "$T/in/notes.txt" >"$T/out" 2>"$T/err"; is "$? $(tail -n 1 "$T/err")" "4 kinoseek: $T/in/notes.txt: not a video" "and again when they are named again"
mkdir "$T/bad"; echo other words >"$T/bad/a.mp4"; : >"$T/bad/a longer name.mkv"
"$K" -L "$T/l4" ingest --encoder clock -n "$T/bad" "$T/none.mp4" >"$T/out" 2>"$T/err"; is "$(tail -n 2 "$T/out" | paste -sd/)" "Would index 2 files. 1 would not go in wholly:/  $T/none.mp4   failed    it is not there" "a dry run keeps no details"
"$K" -L "$T/l4" ingest --encoder clock "$T/bad" >"$T/out" 2>"$T/err"; is "$?" 0 "useless files in a folder that was named: exit 0"
is "$(grep -oE '^  .*   skipped' "$T/out" | awk '{ print length($0) }' | sort -u | wc -l)" 1 "what did not go in stands in columns"
"$K" -L "$T/l4" ingest --encoder clock "$T/none.mp4" >"$T/out" 2>"$T/err"; is "$? $(grep -c Details "$T/out")" "4 0" "no details of a path where nothing is"
"$K" -L "$T/l4" ingest --encoder clock "$T/nowhere/x.mp4" >"$T/out" 2>"$T/err"; is "$? $(grep '^kinoseek' "$T/err")" "4 kinoseek: $T/nowhere/x.mp4: it is not there" "a file that is not there: exit 4 and one sentence"
"$K" -L "$T/l5" ingest --encoder clock >"$T/out" 2>"$T/err"; is $? 2 "nothing named and nothing known: exit 2"
head -c 3000 "$T/made/clock_20.mp4" >"$T/in/cut.mp4"; mkfifo "$T/in/pipe.mp4"
run "$T/in"
is "$(jq -r 'select(.verdict? == "skipped") | "\(.path | sub(".*/"; "")): \(.reason)"' "$T/out" | sort | paste -sd,)" "cut.mp4: truncated: no index (moov),pipe.mp4: not a regular file" "skipped files say why"
run "$T/in"; is "$(jq -r 'select(.path? // "" | endswith("cut.mp4")) | .verdict + " " + .was' "$T/out")" "unchanged skipped" "and are not tried again"

# --- two at once, signals ---
S="--window 2 --hop 0.1 --shots off --commit-every 0 --workers 1"
mkfifo "$T/hold"; ( exec 9<>"$T/hold"; "$K" -L "$T/l6" ingest --encoder clock --files-from "$T/hold" 9>&- >/dev/null 2>&1 & p=$!; sleep 0.3; kill $p ) 2>/dev/null
cp "$T/made/clock_20.mp4" "$T/big.mp4"
"$K" -L "$T/l6" ingest --encoder clock $S "$T/big.mp4" "$T/made" >"$T/o1" 2>&1 & one=$!
# Stopped while it is looked at: however slow the look is, the film is still part-written when the second comes.
for i in $(seq 1000); do
  if [ -s "$T/l6/catalog.db" ]; then
    kill -STOP $one
    kept=$("$D" "$T/l6" part 2>/dev/null | cut -d' ' -f2)
    [ "${kept:-0}" -gt 2 ] && break
    kill -CONT $one
  fi
  sleep 0.02
done
"$K" -L "$T/l6" ingest --encoder clock "$T/made" >"$T/o2" 2>"$T/e2"; second=$?
kill -INT $one; kill -CONT $one; wait $one; first=$?
is "$second" 11 "a second writer: exit 11"
is "$first" 130 "Ctrl-C: exit 130"
is "$("$K" -L "$T/l6" clips --unfinished --json | jq -s 'length > 2 and (map(.end) | max) <= 21')" true "clips of an unfinished film have their times in seconds"
kept=$("$D" "$T/l6" part | cut -d' ' -f2)
"$K" -L "$T/l6" ingest --encoder clock $S --json "$T/big.mp4" "$T/made" >"$T/out" 2>&1
"$K" -L "$T/l7" ingest --encoder clock $S --json "$T/big.mp4" "$T/made" >"$T/o7" 2>&1
all=$(jq -r 'select(.event == "done") | .clips' "$T/o7"); rest=$(jq -r 'select(.event == "done") | .clips' "$T/out")
[ "$rest" -lt "$all" ] && [ "$kept" -gt 0 ]; ok $? "the next run encodes only what is missing ($rest of $all, $kept were part of an unfinished film)"
cmp -s <("$D" "$T/l6") <("$D" "$T/l7"); ok $? "and ends with the library of an undisturbed run"
# A film that was left part-written and has a copy: the copy is known as such, whichever of the two is looked at first.
"$K" -L "$T/l10" ingest --encoder clock $S "$T/big.mp4" >/dev/null 2>&1 & one=$!
for i in $(seq 1000); do
  [ "$("$D" "$T/l10" part 2>/dev/null | cut -d' ' -f2)" -gt 2 ] 2>/dev/null && break
  sleep 0.02
done
kill -INT $one; wait $one
kept=$("$D" "$T/l10" part | cut -d' ' -f2); mkdir "$T/twins"; cp "$T/big.mp4" "$T/twins/a.mp4"; cp "$T/big.mp4" "$T/twins/z.mp4"
"$K" -L "$T/l10" ingest --encoder clock $S --json "$T/twins" "$T/big.mp4" >"$T/out" 2>&1
"$K" -L "$T/l11" ingest --encoder clock $S --json "$T/big.mp4" >"$T/o11" 2>&1
[ "$kept" -gt 0 ]; ok $? "a film with copies is left part-written"
is "$(jq -r 'select(.event == "done") | .clips' "$T/out")" $(($(jq -r 'select(.event == "done") | .clips' "$T/o11") - kept)) "of it and its copies only the rest is encoded"
"$K" -L "$T/l8" ingest --encoder clock $S --budget 0.05s "$T/made" >"$T/out" 2>&1; is "$? $(grep -c 'the same command goes on' "$T/out")" "0 1" "a budget ends a run in order"
mkdir "$T/left"; for i in 1 2 3; do echo "words $i" >"$T/left/$i.mp4"; done; cp "$T/big.mp4" "$T/left/z.mp4"
"$K" -L "$T/l12" ingest --encoder clock $S "$T/left" >"$T/out" 2>&1 & one=$!
stop_at_part() { # LIBRARY PID: it stands with a film part-written
  for i in $(seq 1000); do
    if [ -s "$1/catalog.db" ]; then
      kill -STOP $2; [ "$("$D" "$1" part 2>/dev/null | cut -d' ' -f2)" -gt 2 ] 2>/dev/null && return
      kill -CONT $2
    fi
    sleep 0.02
  done
}
stop_at_part "$T/l12" $one; kill -INT $one; kill -CONT $one; wait $one
is "$(grep -cE '^Indexed 0 files and part of 1 \([1-9][0-9]* clips, [1-9]' "$T/out")" 1 "what was kept of an unfinished film is said, in clips and seconds"
is "$(grep -o '[0-9]* left' "$T/out")" "1 left" "what was skipped by then is not left"

# --- a file that changes while it is read ---
cp "$T/made/clock_13.mp4" "$T/grow.mp4"
( while :; do printf x >>"$T/grow.mp4"; sleep 0.02; done ) & grower=$!
"$K" -L "$T/l9" ingest --encoder clock --json "$T/grow.mp4" >"$T/out" 2>"$T/err"
kill $grower; wait $grower 2>/dev/null
is "$(jq -r 'select(.event == "file") | .verdict + ": " + .reason' "$T/out")" "skipped: it is still being written; run ingest again when it is whole" "a file that grows while it is read gets no verdict from half of it"
is "$("$K" -L "$T/l9" clips | wc -l)" 0 "and leaves no clips"
"$K" -L "$T/l9" ingest --encoder clock --json "$T/grow.mp4" >"$T/out" 2>"$T/err"
is "$(jq -r 'select(.event == "file") | .verdict' "$T/out")" indexed "when it rests it is read"

mkdir "$T/twin"; cp "$T/big.mp4" "$T/twin/a.mp4"; cp -p "$T/twin/a.mp4" "$T/twin/b.mp4"; cp -p "$T/twin/a.mp4" "$T/twin/c.mp4"
"$K" -L "$T/l13" ingest --encoder clock $S --json "$T/twin" >"$T/out" 2>"$T/err" & one=$!
stop_at_part "$T/l13" $one
printf '\0\0\0\x08free' >>"$T/twin/a.mp4"; kill -CONT $one; wait $one
is "$(verdicts)" "copied b.mp4,indexed c.mp4,skipped a.mp4" "copies of a film that changes while it is read do not become copies of the new one"
"$K" -L "$T/l13" ingest --encoder clock $S --json "$T/twin" >"$T/out" 2>"$T/err"
is "$(verdicts)" "indexed a.mp4,unchanged b.mp4,unchanged c.mp4" "and the next run has it as a film of its own"
is "$("$D" "$T/l13" | grep -c '| indexed |')" 3 "with all of its clips"

# --- forget, relocate ---
"$K" -L "$T/lib" forget "$T/in/twenty" >/dev/null; is "$("$K" -L "$T/lib" clips --in twenty | wc -l)" 0 "forget takes a file out"
"$K" -L "$T/lib" forget "$T/nothing" >/dev/null 2>&1; is $? 1 "forget of what is not in: exit 1"
mv "$T/in" "$T/new"; "$K" -L "$T/lib" relocate "$T/in" "$T/new" >/dev/null; is $? 0 "relocate a folder"
rm -f "$T/new/twenty"; run; is "$(jq -r 'select(.verdict? == "unchanged") | .path' "$T/out" | grep -c "$T/new/")" 5 "and the next ingest finds all of it unchanged there"
# Into a folder of the old place, and out of it: names that stand on both sides.
mkdir -p "$T/deep/b"; cp "$T/made/clock_6.mp4" "$T/deep/1.mp4"; cp "$T/made/clock_1.mp4" "$T/deep/b/1.mp4"
deep() { "$K" -L "$T/ldeep" clips --json | jq -r '.path | sub(".*/deep"; "")' | sort | uniq -c | tr -s ' ' | paste -sd,; }
"$K" -L "$T/ldeep" ingest --encoder clock --shots off -q "$T/deep" >/dev/null 2>&1
mv "$T/deep" "$T/x"; mkdir "$T/deep"; mv "$T/x" "$T/deep/b"; "$K" -L "$T/ldeep" relocate "$T/deep" "$T/deep/b" >"$T/out"
is "$(cat "$T/out") $(deep)" "Relocated 2 files.  1 /b/1.mp4, 1 /b/b/1.mp4" "relocate one folder down"
