#!/bin/sh
# films.sh CLIPS OUT [SECONDS]: the films that the benches ingest and decode, made of real clips (ffmpeg).
#   uncut.mp4   one shot: a clip forwards and backwards under a wandering frame, so that no picture comes twice
#   cuts.mp4    a cut every 3 s: pieces of all clips, one after the other, again and again from other seconds
#   CODEC_SIZE  20 s (FRAMES/30) of the latter as H.264, HEVC, VP9 and AV1, at 1080p and 4K
set -eu
clips=$1 out=$2 seconds=${3:-600}
long=${LONG:-$clips/sam2_dog.mp4}
x264="-c:v libx264 -preset ${PRESET:-medium} -crf 22 -pix_fmt yuv420p"
mkdir -p "$out"
quietly() { ffmpeg -hide_banner -v error -nostdin -y "$@"; }

uncut() {
  quietly -i "$long" -an -vf "scale=2112:1188,fps=30,setsar=1,split[a][b];[b]reverse[c];[a][c]concat" \
    -c:v libx264 -preset veryfast -crf 12 "$out/there_and_back.mp4"
  quietly -stream_loop -1 -i "$out/there_and_back.mp4" -t "$seconds" -an \
    -vf "crop=1920:1080:'96+96*sin(t/7.3)':'54+54*sin(t/5.9+1)',hue=h='20*sin(t/31)':b='0.6*sin(t/23)'" $x264 "$out/uncut.mp4"
  rm "$out/there_and_back.mp4"
}

# Three seconds of one clip after the other, from second $1 on, as bare pictures of $2.
pieces() {
  for f in "$clips"/*.mp4; do
    ffmpeg -hide_banner -v error -nostdin -ss "$1" -t 3 -i "$f" -an -vf "scale=$2,fps=30,setsar=1,tpad=stop=90:stop_mode=clone" \
      -frames:v 90 -pix_fmt yuv420p -f rawvideo - 2>/dev/null || true
  done
}

cuts() {
  for from in 0 3 6 1 4 2 5; do pieces $from 1920:1080; done |
    quietly -f rawvideo -pix_fmt yuv420p -s 1920x1080 -r 30 -i - -t "$seconds" $x264 "$out/cuts.mp4" || true
}

codecs() {
  for size in 1920:1080 3840:2160; do
    name=$(echo "$size" | sed 's/1920:1080/1080p/; s/3840:2160/4k/')
    pieces 0 "$size" 2>/dev/null | head -c "$((${FRAMES:-600} * $(echo "$size" | tr : '*') * 3 / 2))" >"$out/bare.yuv"
    bare="-f rawvideo -pix_fmt yuv420p -s $(echo "$size" | tr : x) -r 30 -i $out/bare.yuv"
    quietly $bare $x264 "$out/h264_$name.mp4"
    quietly $bare -c:v libx265 -preset veryfast -crf 26 -x265-params log-level=error -tag:v hvc1 "$out/hevc_$name.mp4"
    quietly $bare -c:v libvpx-vp9 -deadline realtime -cpu-used 7 -row-mt 1 -tile-columns 2 -crf 34 -b:v 0 "$out/vp9_$name.webm"
    quietly $bare -c:v libsvtav1 -preset 10 -crf 36 "$out/av1_$name.mp4" 2>/dev/null
    rm "$out/bare.yuv"
  done
}

for what in ${WHAT:-uncut cuts codecs}; do $what; done
