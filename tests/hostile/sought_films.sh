#!/bin/sh
# sought_films.sh OUT - 24 s of 32x32, five frames a second, in every container that a survey seeks in, a key frame every
# one to two seconds (and two in which it does not: .ts, and .rm without an index); one ffmpeg for all.
OUT=$1
mkdir -p "$OUT" || exit 1
film() { name=$1; shift; films="$films $* -threads 1 -fflags +bitexact -flags:v +bitexact $OUT/$name"; }
film h264.mp4 -c:v libx264 -preset veryfast -g 8
film fragments.mp4 -c:v libx264 -preset veryfast -g 8 -bf 0 -movflags +frag_keyframe+empty_moov
film open.mp4 -c:v libx264 -preset veryfast -bf 3 -g 10 -x264-params open-gop=1
film h264.mkv -c:v libx264 -preset veryfast -bf 2 -g 6
film h264.ts -c:v libx264 -preset veryfast -g 6
film hevc.mp4 -c:v libx265 -preset ultrafast -x265-params log-level=none:pools=none:frame-threads=1:keyint=8
film av1.mp4 -c:v libaom-av1 -cpu-used 8 -usage realtime -row-mt 0 -g 8
film vp9.webm -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 8
film vp8.webm -c:v libvpx -deadline realtime -cpu-used 8 -g 8
film mpeg4.avi -c:v mpeg4 -q:v 6 -g 8
film mpeg4.nut -c:v mpeg4 -q:v 6 -g 8
film wmv2.asf -c:v wmv2 -q:v 6 -g 8
film sorenson.flv -c:v flv1 -q:v 6 -g 8
film mjpeg.avi -c:v mjpeg -q:v 8
film theora.ogv -c:v libtheora -g 8
film rv10.rm -s 128x96 -c:v rv10 -g 8
# shellcheck disable=SC2086
ffmpeg -v error -nostdin -y -filter_threads 1 -f lavfi -i testsrc2=s=32x32:r=5:d=24 $films || exit 1
[ "$(find "$OUT" -type f -size +0 | wc -l)" -eq 16 ]
