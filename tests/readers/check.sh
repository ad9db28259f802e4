#!/bin/sh
# make check-readers: every format through the program that it is for, where PyPI or the system has one, and eval's measures
# beside scikit-learn's. Heavy, and it needs the network once: a virtual environment outside the tree (KS_READERS, else
# ~/.cache/kinoseek-readers).
# Says what was read and what could not be tried; exits 1 where a reader disagrees.
set -u
: "${BUILD:=build}" "${KS_READERS:=${XDG_CACHE_HOME:-$HOME/.cache}/kinoseek-readers}"
cd "$(dirname "$0")/../.." || exit 1
K=$PWD/$BUILD/kinoseek
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
[ -x "$KS_READERS/bin/python" ] || python3 -m venv "$KS_READERS" || exit 5
for package in numpy opentimelineio otio-cmx3600-adapter otio-fcp-adapter pympi-ling label-studio-sdk duckdb fiftyone scikit-learn; do
  "$KS_READERS/bin/python" -c "import importlib.metadata as m; m.version('$package')" 2>/dev/null ||
    "$KS_READERS/bin/python" -m pip -q install "$package" >"$T/pip" 2>&1 || { echo "# $package does not install: $(tail -n 1 "$T/pip")"; }
done
export XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8 FIFTYONE_DATABASE_DIR="$T/mongo" FIFTYONE_DO_NOT_TRACK=1
mkdir "$T/films"
film="$T/films/sea & <sand> 'x' \"y\" | =1.mp4"
ffmpeg -v error -f lavfi -i testsrc2=s=160x90:r=30000/1001 -t 40 -c:v libx264 -preset ultrafast -g 30 "$film" || exit 1
cp "$film" "$T/films/pier.mp4"
tab=$(printf '\t')
printf '%s\n' "$film${tab}2.002${tab}10.01${tab}a dog" "$film${tab}12.012${tab}20.02${tab}a boat" "$film${tab}30.03${tab}38.038${tab}people" "$T/films/pier.mp4${tab}0${tab}8.008${tab}a jam" |
  "$BUILD/tests/prog_sentences" "$T/lib" tests/fixtures/lvt.npz tests/fixtures/lvt.spm || exit 1
question="a boat; & <b> \"q\" =1 | x --> y"
s() { "$K" --precision fp32 -L "$T/lib" search --all -k 9 "$@" "$question"; }
mkdir "$T/out"
for f in cmx3600 otio xmeml fcpxml activitynet activitynet-truth via csv jsonl; do s --format $f -o "$T/out/$f.${f##*-}" || exit 1; done
s --format cmx3600 --fps 29.97ndf -o "$T/out/cmx3600.ndf" || exit 1
for f in fiftyone label-studio; do s --format $f -o "$T/out/$f" || exit 1; done
for f in elan vtt srt mkv-chapters resolve-edl cvat; do s --format $f --in "$film" -o "$T/out/$f" || exit 1; done
"$K" -L "$T/lib" export vectors -o "$T/out/v.npz" >/dev/null || exit 1
s --json >"$T/out/hits"
"$KS_READERS/bin/python" tests/readers/readers.py "$T/out" "$film" "$question"
code=$?
# mpv plays every piece, and nothing else: as long as the moments together, within a frame each.
if command -v mpv >/dev/null; then
  s --format mpv-edl -o "$T/out/mpv.edl" || exit 1
  played=$(mpv --no-config --vo=null --ao=null --untimed --term-status-msg='[${=duration}]' "$T/out/mpv.edl" 2>&1 | tr '\r\033' '\n\n' | sed -n 's/.*\[\([0-9.]*\)\]$/\1/p' | tail -n 1)
  if jq -es --arg t "${played:-0}" '([.[] | .end - .start] | add) - ($t | tonumber) | fabs < 0.034 * 9' "$T/out/hits" >/dev/null 2>&1
  then echo "ok - mpv plays the EDL: $played s"; else echo "not ok - mpv plays the EDL: $played s"; code=1; fi
else echo "# not tried - mpv plays the EDL: mpv"; fi
mkdir "$T/eval"
"$KS_READERS/bin/python" tests/readers/eval_sklearn.py "$K" "$T/eval" && exit $code
