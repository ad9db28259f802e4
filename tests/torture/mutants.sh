#!/bin/sh
# A million damaged copies of 14 small films through the decoder program (SLICE=1: 2,000; MUTANTS=N).
# Each must end as a verdict with a cause; no hang. SEED=N repeats a run.
: "${BUILD:=build}"
seed=${SEED:-$(date +%s)}
count=${MUTANTS:-1000000}
[ -n "${SLICE:-}" ] && count=${MUTANTS:-2000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make_seed() { # NAME ffmpeg-arguments
  name=$1; shift
  ffmpeg -v error -nostdin -f lavfi -i testsrc2=s=64x48:r=25:d=0.48 -threads 1 -fflags +bitexact -flags:v +bitexact "$@" "$work/$name" ||
    { echo "not ok - seed $name"; exit 1; }
}
make_seed h264.mp4 -c:v libx264 -preset veryfast -g 6
make_seed fragments.mp4 -c:v libx264 -preset veryfast -g 4 -movflags +frag_keyframe+empty_moov
make_seed hevc.mp4 -c:v libx265 -preset ultrafast -x265-params log-level=none:pools=none
make_seed av1.mp4 -c:v libaom-av1 -cpu-used 8 -usage realtime -row-mt 0
make_seed h264.mkv -c:v libx264 -preset veryfast -bf 2 -g 6
make_seed vp9.webm -c:v libvpx-vp9 -deadline realtime -cpu-used 8
make_seed ffv1.mkv -c:v ffv1 -level 3
make_seed h264.ts -c:v libx264 -preset veryfast -g 6
make_seed mpeg2.mpg -c:v mpeg2video -q:v 6
make_seed mpeg4.avi -c:v mpeg4 -q:v 6
make_seed mjpeg.avi -c:v mjpeg -q:v 8
make_seed sorenson.flv -c:v flv1 -q:v 6
make_seed prores.mov -c:v prores_ks -frames:v 2
make_seed picture.gif -c:v gif
decoder=$BUILD/kinoseek-decode
"$BUILD/tests/prog_mutants" "$decoder" "$seed" "$count" "$work"/*
