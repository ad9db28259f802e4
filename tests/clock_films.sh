#!/bin/bash
# clock_films.sh OUT - a few small films that carry their time in the picture (see ingest/embedder.h), made by ffmpeg
# alone. Five films: 20 s, 13 s, 6 s, 1 s and the 6 s one under another name; 176x144, deterministic.
set -eu
OUT=$1
mkdir -p "$OUT"
clock() { # SECONDS
  s="color=c=black:s=176x144:r=25:d=$1,format=yuv444p" p=1
  for i in 0 1 2 3 4 5 6 7; do
    s="$s,drawbox=x='floor($i*iw/8)':y=0:w='ceil(iw/8)':h='floor(ih/2)':color=white:t=fill:enable='bitand(floor((t+0.0001)*4/$p),1)'"
    p=$((p*2))
  done
  printf %s "$s"
}
for seconds in 20 13 6 1; do
  [ -s "$OUT/clock_$seconds.mp4" ] || ffmpeg -hide_banner -nostdin -v error -y -f lavfi -i "$(clock $seconds)" -fflags +bitexact -flags:v +bitexact \
    -threads 1 -c:v libx264 -preset ultrafast -x264-params threads=1:sliced-threads=0 -pix_fmt yuv420p -g 25 "$OUT/clock_$seconds.mp4"
done
cp "$OUT/clock_6.mp4" "$OUT/same_bytes.mp4"
