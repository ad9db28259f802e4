#!/bin/sh
# Several GPUs: a hub, and a worker for each (two lavapipes, as the loader sees them). The rows are those of one machine.
. tests/hub_test.sh
unset KINOSEEK_DEVICE
if "$K" doctor --json | jq -e '.gpu | has("gpu")' >/dev/null; then
  echo "ok - no GPU here"
  exit 0
fi
M=$PWD/tests/fixtures/lvt.npz D=$BUILD/tests/prog_dump
for i in 0 1; do cp "$(find /usr/share/vulkan/icd.d -name 'lvp_icd*.json' | head -n 1)" "$T/$i.json"; done
export VK_DRIVER_FILES="$T/0.json:$T/1.json" VK_ICD_FILENAMES="$T/0.json:$T/1.json"
mkdir "$T/films"
for f in shapes street weather band; do
  ffmpeg -hide_banner -nostdin -v error -y -threads 1 -i models/demo/films/$f.mp4 -t 12 -an -c:v mpeg4 -q:v 3 "$T/films/$f.mp4" ||
    echo "not ok - a film"
done
"$K" -q -L "$T/lib" -m "$M" --device cpu ingest "$T/films" 2>"$T/err"; ok $? "one machine's library, by its CPU"

k -q store init; k -q root films="$T/films"; ok $? "a hub, a root"
k -m "$M" ingest --queue "$T/films" >"$T/out"; is "$? $(tail -n 1 "$T/out")" "0 4 films queued" "films are queued"
for i in 0 1; do
  XDG_DATA_HOME="$T/w$i" "$K" -q -L "$HUB" root films="$T/films" 2>"$T/err"
  XDG_DATA_HOME="$T/w$i" "$K" -L "$HUB" -m "$M" --device gpu:$i worker --idle-exit --json >"$T/w$i.out" 2>"$T/w$i.err" &
  pids="${pids:-} $!"
done
for p in $pids; do wait "$p"; is "$?" 0 "a worker of a GPU ends well"; done
pids=
is "$(cat "$T/w0.out" "$T/w1.out" | jq -c 'select(.event == "file") | .verdict' | sort | uniq -c | tr -s ' ')" ' 4 "indexed"' "every film once"
is "$(cat "$T/w0.err" "$T/w1.err" | grep -c 'not used')" 0 "by GPUs to the end"
k -q sync; ok $? "a mirror"
"$D" "$T/lib" vectors | sed 's/^[^ ]*\///' | sort >"$T/x"
"$D" "$T/a"/kinoseek/hubs/*/mirror vectors | sed 's/^[^ ]*\///' | sort >"$T/y"
is "$(paste -d' ' "$T/x" "$T/y" | awk '{ n = NF / 2; a = b = s = 0
  for (i = 4; i <= n; i++) { a += $i ^ 2; b += $(n + i) ^ 2; s += $i * $(n + i) }
  if ($1 $2 $3 != $(n + 1) $(n + 2) $(n + 3) || !(1 - s / sqrt(a * b) < 2e-3)) bad++; all++ } END { print (all > 7), bad + 0 }')" "1 0" \
  "has one machine's clips, with its vectors"
