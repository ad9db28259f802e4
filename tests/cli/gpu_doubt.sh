#!/bin/sh
# A GPU that goes wrong while films are ingested: whenever it does and whenever it is found out, no wrong vector is in the
# library at the end, none is missing, and what was proven before is kept. A device that is lost, and a program that is
# killed before its last sample, the same. (Mesa's lavapipe; tests/prog_gpu_planted.c.)
set -u
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
unset KINOSEEK_DEVICE
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; [ -e "$T/err" ] && sed 's/^/# /' "$T/err"; fi; }
is() { if [ "$1" = "$2" ]; then ok 0 "$3"; else echo "# got: $1"; echo "# want: $2"; ok 1 "$3"; fi; }
if [ ! -x "$BUILD/tests/prog_gpu_planted" ] || "$BUILD/kinoseek" doctor --json | jq -e '.gpu | has("gpu")' >/dev/null; then
  echo "ok - no GPU here that could go wrong"
  exit 0
fi
mkdir "$T/bin" "$T/films"
cp "$BUILD/tests/prog_gpu_planted" "$T/bin/kinoseek"; cp "$BUILD/kinoseek-decode" "$T/bin/"; ln -s "$PWD/models" "$T/models"
K=$T/bin/kinoseek D=$BUILD/tests/prog_dump M=$PWD/tests/fixtures/lvt.npz
for f in shapes street weather; do
  ffmpeg -hide_banner -nostdin -v error -y -threads 1 -i models/demo/films/$f.mp4 -t 8 -an -c:v mpeg4 -q:v 3 "$T/films/$f.mp4" ||
    echo "not ok - a film"
done

# clips of a library that are not where the CPU has them, and those with a vector that is not the CPU's
cat >"$T/against.awk" <<'AWK'
function key() { return $1 " " $2 " " $3 }
NR == FNR { for (i = 4; i <= NF; i++) v[key(), i] = $i; n[key()] = 1; next }
!(key() in n) { extra++; next }
{ delete n[key()]; a = b = s = 0
  for (i = 4; i <= NF; i++) { a += $i * $i; b += v[key(), i] ^ 2; s += v[key(), i] * $i }
  if (!(1 - s / sqrt(a * b) < 2e-3)) wrong++; found++ }
END { for (k in n) missing++; printf "%d clips, %d missing, %d more, %d wrong", found, missing, extra, wrong }
AWK
against() { "$D" "$T/$1" vectors >"$T/b"; awk -f "$T/against.awk" "$T/a" "$T/b"; }
run() {
  l=$1; shift
  "$K" -L "$T/$l" -m "$M" --device "$device" ingest --window 1 --hop 0.5 "$@" "$T/films" 2>"$T/err" >"$T/out"
}
again() { sed -n "s/^kinoseek: \([0-9]*\) clips* of a GPU's: no later sample of it held, they are encoded again$/\1/p" "$T/err"; }
unused() { grep -c 'the GPU is not used any more, this CPU goes on' "$T/err"; }
between() { [ -n "$1" ] && [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]; }

device=cpu; run cpu
"$D" "$T/cpu" vectors >"$T/a"
n=$(wc -l <"$T/a"); all="$n clips, 0 missing, 0 more, 0 wrong"
between "$n" 30 100; ok $? "there are $n clips"
device=gpu; run gpu
is "$? $(unused) $(again)" "0 0 " "a GPU that stays as it was: nothing is said"
is "$(against gpu)" "$all" "and the vectors are the CPU's"
is "$(sqlite3 "$T/gpu/catalog.db" "SELECT count(*) FROM setting WHERE key = 'ingest.unproven'")" 0 "all of them are proven"

# wrong after so many clips; the sample, 0: the run's last alone; seconds between commits, 0: one a clip; how many go at least
while read -r wrong sample every survey least; do
  export GPU_WRONG="$wrong" GPU_SAMPLE="$sample"
  what="wrong after $wrong clips, sample at $sample, a commit every $every s, survey $survey"
  rm -rf "$T/w"
  run w --commit-every "$every" --survey "$survey"
  is "$? $(unused)" "0 1" "$what: the run goes on, and says so"
  if [ "$least" -eq 0 ]; then is "$(again)" "" "nothing of it was stored"
  else between "$(again)" "$least" $((n + 12)); ok $? "$(again) clips, $least at least, are encoded again"; fi
  is "$(against w)" "$all" "no vector is wrong"
  is "$("$K" -L "$T/w" check >/dev/null 2>&1; echo $?)" 0 "the library is sound"
  is "$("$K" -L "$T/w" status --bad 2>&1 | grep -c films/)" 0 "and its films are whole"
done <<'ROWS'
5 0 0 off 20
10 20 0 off 10
10 20 60 off 0
20 25 0 off 5
3 0 0 first 1
3 5 60 first 1
15 30 0 first 5
ROWS

# Proven clips are kept: a sample at 20 that holds, wrong later.
export GPU_SAMPLE=20 GPU_WRONG=30
run kept --commit-every 0
is "$? $(unused) $(against kept)" "0 1 $all" "wrong after a sample that held: no vector is wrong"
between "$(again)" 5 $((n - 18)); ok $? "and the clips before it are kept ($(again) of $n are encoded again)"
unset GPU_SAMPLE GPU_WRONG

export GPU_LOST=12
run lost --commit-every 0
is "$? $(unused) $(again) $(against lost)" "0 1  $all" "a device that is lost was right until then: nothing is encoded again"
export GPU_WRONG=8 GPU_LOST=16
run both --commit-every 0
is "$? $(unused) $(against both)" "0 1 $all" "one that is wrong and then lost: no vector is wrong"
between "$(again)" 8 "$n"; ok $? "$(again) clips are encoded again"
unset GPU_LOST

export GPU_KILLED=25
(run killed --commit-every 0) 2>/dev/null
is "$?" 137 "a run that is killed before its last sample"
between "$(sqlite3 "$T/killed/catalog.db" "SELECT count(*) FROM clip")" 10 "$n"; ok $? "has stored what nobody proved"
unset GPU_KILLED GPU_WRONG
device=cpu; run killed
is "$? $(against killed)" "0 $all" "the next one has no wrong vector"
between "$(again)" 10 "$n"; ok $? "and says what it encodes again ($(again) clips)"
run killed
is "$? $(again)" "0 " "once"

# Found out by a sentence of the scale that is made after a film, when the next thing to be written is no clip.
mkdir "$T/odd"
cp "$T/films/shapes.mp4" "$T/odd/a.mp4"; head -c 20000 "$T/films/street.mp4" >"$T/odd/b.mp4"
odd() {
  l=$1; shift
  "$K" -L "$T/$l" -m "$M" --device "$1" ingest --workers 1 --window 1 --hop 0.5 --commit-every 0 "$T/odd" 2>"$T/err" >"$T/out"
}
odd right cpu
"$D" "$T/right" vectors >"$T/c"
export GPU_WRONG=3 GPU_TEXT=1
odd odd gpu
is "$? $(unused)" "0 1" "wrong, and found out by a sentence"
between "$(again)" 3 50; ok $? "$(again) clips are encoded again"
"$D" "$T/odd" vectors >"$T/b"
is "$(awk -f "$T/against.awk" "$T/c" "$T/b")" "$(wc -l <"$T/c") clips, 0 missing, 0 more, 0 wrong" "no vector is wrong"
unset GPU_WRONG GPU_TEXT

# Parts of surveyed films.
run part --survey only
export GPU_WRONG=1
"$K" -L "$T/part" -m "$M" --device gpu search --all --closer 10m "a red circle" 2>"$T/err" >"$T/out"
is "$? $(unused)" "0 1" "--closer on a GPU that is wrong goes on"
unset GPU_WRONG
parts=$(sqlite3 "$T/part/catalog.db" "SELECT count(*) FROM clip WHERE reason < 4")
between "$parts" 5 "$n"; ok $? "with clips of its own ($parts)"
against part | grep -q ' 0 wrong$'; ok $? "none of which is wrong"
run part
is "$? $(against part)" "0 $all" "and the whole pass finds what it would have made"

# What eval keeps of films: only what was proven.
grep -v '^#' models/demo/films/moments.tsv | awk -F'\t' 'NR % 12 == 1' | head -n 6 | awk -F'\t' -v t="$T" '{ v = "m" NR
  print v "\t" $1 "\t" $2 "\t" $3 >(t "/videos"); print "c" NR "\t" $5 >(t "/texts"); print v "\tc" NR >(t "/map") }'
ev() {
  "$K" -m "$M" --device "$1" eval retrieval --videos "$T/videos" --texts "$T/texts" --map "$T/map" --media models/demo/films \
    --frames 2 --json 2>"$T/err" >"$T/out"
}
rm -f "$XDG_CACHE_HOME"/kinoseek/*.eval
ev cpu; jq -c '[.missing,.t2v,.v2t]' <"$T/out" >"$T/figures"
rm -f "$XDG_CACHE_HOME"/kinoseek/*.eval
export GPU_WRONG=2
ev gpu
is "$? $(unused) $(jq -c '[.missing,.t2v,.v2t]' <"$T/out")" "0 1 $(cat "$T/figures")" "eval on a GPU that is wrong: the CPU's figures"
unset GPU_WRONG
ev cpu
is "$(jq -c '[.missing,.t2v,.v2t]' <"$T/out")" "$(cat "$T/figures")" "and what it kept gives them once more"
