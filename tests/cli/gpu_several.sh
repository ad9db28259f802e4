#!/bin/sh
# One ingest by several GPUs (two lavapipes, as the loader sees them): films are shared out, every vector has the bits that
# one GPU gives it. One that goes wrong, is lost, or both of them: the others go on, and no vector is wrong at the end.
# (tests/prog_gpu_planted.c)
set -u
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
unset KINOSEEK_DEVICE
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; [ -e "$T/err" ] && sed 's/^/# /' "$T/err"; fi; }
is() { if [ "$1" = "$2" ]; then ok 0 "$3"; else echo "# got: $1"; echo "# want: $2"; ok 1 "$3"; fi; }
if [ ! -x "$BUILD/tests/prog_gpu_planted" ] || "$BUILD/kinoseek" doctor --json | jq -e '.gpu | has("gpu")' >/dev/null; then
  echo "ok - no GPU here"
  exit 0
fi
for i in 0 1; do cp "$(find /usr/share/vulkan/icd.d -name 'lvp_icd*.json' | head -n 1)" "$T/$i.json"; done
export VK_DRIVER_FILES="$T/0.json:$T/1.json" VK_ICD_FILENAMES="$T/0.json:$T/1.json"
mkdir "$T/bin" "$T/films"
cp "$BUILD/tests/prog_gpu_planted" "$T/bin/kinoseek"; cp "$BUILD/kinoseek-decode" "$T/bin/"; ln -s "$PWD/models" "$T/models"
K=$T/bin/kinoseek D=$BUILD/tests/prog_dump M=$PWD/tests/fixtures/lvt.npz
for f in shapes street weather band; do
  ffmpeg -hide_banner -nostdin -v error -y -threads 1 -i models/demo/films/$f.mp4 -t 8 -an -c:v mpeg4 -q:v 3 "$T/films/$f.mp4" ||
    echo "not ok - a film"
done

run() {
  l=$1; shift
  rm -f "$T/log"
  GPU_LOG=$T/log "$K" -L "$T/$l" -m "$M" --device "$device" ingest --workers 2 --window 1 --hop 0.5 --commit-every 0 "$@" \
    "$T/films" 2>"$T/err" >"$T/out"
}
vectors() { "$D" "$T/$1" vectors | sort; }
unused() { grep -c 'the GPU is not used any more, this CPU goes on' "$T/err"; }
again() { sed -n "s/^kinoseek: \([0-9]*\) clips* of a GPU's: no later sample of it held, they are encoded again$/\1/p" "$T/err"; }
# clips that are not where the first library has them, or more than bf16 is from them
wrong() {
  vectors "$1" >"$T/b"
  awk 'NR == FNR { for (i = 4; i <= NF; i++) v[$1 $2 $3, i] = $i; n[$1 $2 $3] = 1; next }
    { k = $1 $2 $3; a = b = s = 0
      for (i = 4; i <= NF; i++) { a += $i ^ 2; b += v[k, i] ^ 2; s += v[k, i] * $i }
      if (!(k in n) || !(1 - s / sqrt(a * b) < 2e-3)) bad++; delete n[k] }
    END { for (k in n) bad++; print bad + 0 }' "$T/one.vectors" "$T/b"
}
sound() {
  is "$(wrong "$1")" 0 "$2: no vector is wrong, none is missing"
  is "$("$K" -L "$T/$1" check >/dev/null 2>&1; echo $?) $("$K" -L "$T/$1" status --bad 2>&1 | grep -c films/)" "0 0" \
    "$2: the library is sound and its films are whole"
  is "$(sqlite3 "$T/$1/catalog.db" "SELECT count(*) FROM setting WHERE key = 'ingest.unproven'")" 0 "$2: all is proven"
}

device=gpu:1; run one
is "$? $(sort -u "$T/log")" "0 1" "--device gpu:1 is one GPU"
vectors one >"$T/one.vectors"
n=$(wc -l <"$T/one.vectors")
device=gpu; run two
is "$? $(sort -u "$T/log" | tr '\n' ' ') $(unused)" "0 1 2  0" "--device gpu is both"
vectors two | cmp -s - "$T/one.vectors"; ok $? "with the bits of one ($n clips)"
sound two "two GPUs"
run survey --survey first
is "$? $(unused)" "0 0" "a survey before"
vectors survey | cmp -s - "$T/one.vectors"; ok $? "changes no bit"

# one of them alone: lost, wrong (found at a sample, at the end of the run), wrong and then lost
while read -r card lost wrong sample text survey; do
  what="card $card, lost $lost, wrong $wrong, sample $sample, sentences $text, survey $survey"
  unset GPU_LOST GPU_WRONG GPU_SAMPLE GPU_TEXT GPU_CARD
  export GPU_CARD="$card"
  [ "$lost" = - ] || export GPU_LOST="$lost"
  [ "$wrong" = - ] || export GPU_WRONG="$wrong"
  [ "$sample" = - ] || export GPU_SAMPLE="$sample"
  [ "$text" = - ] || export GPU_TEXT="$text"
  rm -rf "$T/w"
  run w --survey "$survey"
  code=$?
  if [ "$card" -eq 0 ]; then said=2; else said=1; fi
  is "$code $(unused)" "0 $said" "$what: the run goes on"
  [ "$card" -eq 0 ] || { grep -q $((3 - card)) "$T/log"; ok $? "$what: the other GPU was at work"; }
  if [ "$wrong" = - ]; then is "$(again)" "" "$what: nothing is encoded again"; else [ -n "$(again)" ]; ok $? "$what: $(again) are encoded again"; fi
  sound w "$what"
done <<'ROWS'
1 4 - - - off
2 4 - - - off
2 - 4 10 - off
1 - 4 - - off
1 6 3 - - off
2 - 2 - - first
0 - 6 12 - off
1 - 4 - 1 off
ROWS
unset GPU_LOST GPU_WRONG GPU_SAMPLE GPU_TEXT GPU_CARD

export GPU_CARD=2 GPU_WRONG=2 GPU_KILLED=9
(run killed) 2>/dev/null
is "$?" 137 "a run that is killed while one of them is wrong"
unset GPU_CARD GPU_WRONG GPU_KILLED
run killed
is "$? $(unused)" "0 0" "the next one"
sound killed "after it"
