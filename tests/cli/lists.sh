#!/bin/sh
# Lists as other systems write them, one entry of which may be gone, and names that look like patterns.
set -u
K=$BUILD/kinoseek
case $K in /*) ;; *) K=$PWD/$K ;; esac
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8 NO_COLOR=1
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; fi; }
mkdir -p "$T/v/a" && cd "$T" || exit 1
ffmpeg -hide_banner -nostdin -v error -y -threads 1 -f lavfi -i testsrc2=s=96x64:r=10:d=1 -c:v mpeg4 v/a/one.mp4 || echo "not ok - a film"
cp v/a/one.mp4 "v/a/Holiday film [dQw4w9WgXcQ].mp4"; printf '\0' >>"v/a/Holiday film [dQw4w9WgXcQ].mp4"
cp v/a/one.mp4 "v/a/What? 50% off {a} [x] *.mp4"; printf '\0\0' >>"v/a/What? 50% off {a} [x] *.mp4"

take() { # bytes, exit code, clips, what
  printf "$1" >list; rm -rf lib
  "$K" -L lib -m demo --threads 1 ingest --files-from list >out 2>err; rc=$?
  n=$("$K" -L lib clips --json 2>/dev/null | grep -c .)
  [ $rc = "$2" ] && [ "$n" = "$3" ]; ok $? "$4 (exit $rc, $n clips)"
}
take 'v/a/one.mp4\n' 0 1 "a list of one"
take '\357\273\277v/a/one.mp4\n' 0 1 "with a byte order mark"
take 'v/a/one.mp4\r\n' 0 1 "with CR and LF"
take '\357\273\277v/a/one.mp4\r\nv/a/Holiday film [dQw4w9WgXcQ].mp4\r\n' 0 2 "with both, and brackets"
take 'v/a/one.mp4' 0 1 "without an end of line"
take '\n\r\nv/a/one.mp4\n\n' 0 1 "with empty lines"
take 'v/gone/x.mp4\nv/a/one.mp4\n' 3 1 "a folder that is gone"
take 'v/a/gone.mp4\nv/a/one.mp4\n' 3 1 "a file that is gone"
take 'v/a/one.mp4\n/no/such/disk/x.mp4\n' 3 1 "a disk that is gone"
take 'v/a/one.mp4/x.mp4\nv/a/one.mp4\n' 3 1 "a file where a folder was"
take '\377\376v\000/\000a\000\n\000' 2 0 "UTF-16 is said"
grep -q 'UTF-16' err; ok $? "by its name"

rm -rf lib; "$K" -L lib -m demo --threads 1 ingest v >/dev/null 2>&1
for n in "Holiday film [dQw4w9WgXcQ].mp4" "What? 50% off {a} [x] *.mp4" one.mp4; do
  for w in "$n" "$T/v/a/$n" "a/$n"; do
    [ "$("$K" -L lib clips --json --in "$w" 2>/dev/null | grep -c .)" = 1 ]; ok $? "clips --in '$w' is one film"
    [ "$("$K" -L lib search a ball --all --json --path "$w" 2>/dev/null | grep -c .)" = 1 ]; ok $? "search --path '$w' is one film"
  done
done
[ "$("$K" -L lib clips --json --in '*.mp4' 2>/dev/null | grep -c .)" = 3 ]; ok $? "a pattern is still one"
[ "$("$K" -L lib clips --json --in 'H*[a-z].mp4' 2>/dev/null | grep -c .)" = 0 ]; ok $? "and its brackets are a set"

# labels in a table with semicolons and decimal commas, as a spreadsheet saves it
printf '\357\273\277path;start;end;label\r\nv/a/one.mp4;0,2;0,6;"a ball; red"\r\n' >labels.csv
"$K" -L lib cut --hits labels.csv --to pieces --reencode --json >out 2>err
grep -q '"asked_start":0.200,"asked_end":0.600,"label":"a ball; red"' out; ok $? "semicolons and commas: $(cat out err | head -1)"
printf '\377\376p\000a\000' >labels.csv
"$K" -L lib cut --hits labels.csv --to pieces >out 2>err; grep -q 'UTF-16' err; ok $? "a table in UTF-16 is said"
printf 'path\tstart\tend\tlabel\nv/a/one.mp4\t0.2\t0.6\tx\n' >labels.tsv
"$K" -L lib cut --hits labels.tsv --to pieces --reencode --json >out 2>err
grep -q '"asked_start":0.200' out; ok $? "tabs"
