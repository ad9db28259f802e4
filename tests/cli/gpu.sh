#!/bin/sh
# --device: a film through Mesa's lavapipe (a GPU in all but speed) and through the CPU, the same answers; what doctor says
# of it before and after; bench encoder; what is refused. A build without a GPU says so.
set -u
K=$PWD/$BUILD/kinoseek
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
unset KINOSEEK_DEVICE
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; [ -e "$T/err" ] && sed 's/^/# /' "$T/err"; fi; }
is() { if [ "$1" = "$2" ]; then ok 0 "$3"; else echo "# got: $1"; echo "# want: $2"; ok 1 "$3"; fi; }
S=tests/fixtures/small.npz

"$K" --device tpu -m $S embed --video x.mp4 2>"$T/err"
is "$?" 2 "a device of no such name is refused"
KINOSEEK_DEVICE=gpu:x "$K" -m $S bench encoder 2>"$T/err" >&2
is "$? $(grep -c 'none of auto, cpu, gpu, gpu:N' "$T/err")" "2 1" "in the environment, too"
if "$K" doctor --json | jq -e '.gpu.gpu == null and (.gpu | has("gpu"))' >/dev/null; then
  "$K" doctor | grep -A 1 '^gpu' | grep -q 'not here ('
  ok $? "doctor says why there is no GPU"
  "$K" --device gpu -m $S bench encoder 2>"$T/err" >&2
  is "$?" 4 "and one that is asked for is not found"
  exit 0
fi
is "$("$K" doctor --json | jq -r .gpu.gpu_0 | cut -c1-8)" llvmpipe "doctor lists lavapipe"
"$K" --device gpu:77 -m $S bench encoder 2>"$T/err" >&2
is "$? $(grep -c 'no GPU 77' "$T/err")" "4 1" "a GPU that is not there is not found"
"$K" --device gpu --precision int8 -m $S bench encoder 2>"$T/err" >&2
is "$?" 2 "int8 is no GPU's"
is "$("$K" --device gpu -m $S bench encoder --rounds 1 --json 2>"$T/err" | jq -c '[.device[0:8],.precision,.gflops > 0,.limit_gflops > 0,.limit_gbytes > 0]')" \
  '["llvmpipe","bf16",true,true,true]' "bench encoder measures the GPU and its limits"
is "$("$K" --device auto -m $S bench encoder --rounds 1 --json 2>"$T/err" | jq -r .device)" cpu "auto takes no device that is a CPU"

# Two of them, as the loader sees them: each by its number.
for i in 0 1; do cp "$(find /usr/share/vulkan/icd.d -name 'lvp_icd*.json' | head -n 1)" "$T/$i.json"; done
export VK_DRIVER_FILES="$T/0.json:$T/1.json" VK_ICD_FILENAMES="$T/0.json:$T/1.json"
is "$("$K" doctor --json | jq -r '(.gpu | keys) - ["notes"] | join(" ")')" "gpu_0 gpu_1" "doctor lists two GPUs"
for i in 0 1; do
  is "$("$K" --device gpu:$i -m $S bench encoder --rounds 1 --json 2>"$T/err" | jq -r '.device[0:8]')" llvmpipe "--device gpu:$i computes"
done
"$K" --device gpu:2 -m $S bench encoder 2>"$T/err" >&2
is "$? $(grep -c 'no GPU 2: Vulkan lists 2' "$T/err")" "4 1" "there is no third"
unset VK_DRIVER_FILES VK_ICD_FILENAMES

# A film both ways: the clips, and each one's score for a sentence.
ffmpeg -hide_banner -nostdin -v error -y -threads 1 -i models/demo/films/shapes.mp4 -t 5 -an -c:v mpeg4 -q:v 3 "$T/shapes.mp4" ||
  echo "not ok - a film"
for device in cpu gpu; do
  "$K" -q -L "$T/$device" -m demo --device $device ingest "$T/shapes.mp4" 2>"$T/err"
  ok $? "a film is ingested by --device $device"
  is "$(cat "$T/err")" "" "and nothing is said against it"
  "$K" -L "$T/$device" search -k 50 --all --raw --print '{start} {end} {cosine}' "a red circle" >"$T/hits.$device" 2>"$T/err"
done
is "$(cut -d' ' -f1,2 "$T/hits.gpu" | sort)" "$(cut -d' ' -f1,2 "$T/hits.cpu" | sort)" "the same clips"
sort "$T/hits.cpu" >"$T/a"; sort "$T/hits.gpu" >"$T/b"
paste -d' ' "$T/a" "$T/b" | awk '{ d = $3 - $6; if (d < 0) d = -d; if (d > 0.01 || $1 != $4) bad = 1; n++ } END { exit bad || n < 2 }'
ok $? "with the same scores, to a hundredth"
is "$(head -n 1 "$T/hits.gpu" | cut -d' ' -f1)" "$(head -n 1 "$T/hits.cpu" | cut -d' ' -f1)" "and the same moment first"
"$K" doctor | grep -q "llvmpipe.*; the CPU's answers, .* s a clip, this CPU .* s: only for --device gpu"
ok $? "doctor says what it was proven to be worth"
"$K" -L "$T/cpu" -m demo --device gpu ingest "$T/shapes.mp4" >"$T/out" 2>"$T/err"
ok $? "libraries mix"
