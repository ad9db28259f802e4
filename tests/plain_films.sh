#!/bin/sh
# plain_films.sh FOLDER SECONDS - the films of which odd_films.py makes odd ones: fifteen containers and codecs.
set -u
to=$1 films=
film() { name=$1; shift; films="$films $* -threads 1 -fflags +bitexact -flags:v +bitexact $to/$name"; }
film mpeg2i.mpg -c:v mpeg2video -q:v 5 -g 10 -bf 2 -flags +ildct+ilme
film mpeg2i.ts -c:v mpeg2video -q:v 5 -g 10 -bf 2 -flags +ildct+ilme
film mpeg1.mpg -c:v mpeg1video -q:v 5 -g 10 -bf 2
film plain.h264 -c:v libx264 -preset veryfast -profile:v baseline -g 10
film h264.mkv -c:v libx264 -preset veryfast -g 10
film h264.mp4 -c:v libx264 -preset veryfast -g 10
film h264.flv -c:v libx264 -preset veryfast -g 10
film mpeg4b.avi -c:v mpeg4 -vtag XVID -q:v 5 -bf 2 -sc_threshold 1000000000
film wmv2.asf -c:v wmv2 -q:v 5
film theora.ogv -c:v libtheora -q:v 6
film vp8.webm -c:v libvpx -deadline realtime -cpu-used 8
film vp8.ivf -c:v libvpx -g 1 -deadline realtime -cpu-used 8
film dv.dv -s 720x576 -c:v dvvideo -pix_fmt yuv420p -frames:v 6
# shellcheck disable=SC2086
ffmpeg -v error -nostdin -y -filter_threads 1 -f lavfi -i "testsrc2=s=176x144:r=25:d=$2" $films || exit 1
# the odd comment of an encoder is needed where bitexact would leave it out
for f in mjpeg.avi mjpeg.mov; do
  ffmpeg -v error -nostdin -y -threads 1 -f lavfi -i "testsrc2=s=176x144:r=25:d=$2" -c:v mjpeg -q:v 5 -threads 1 "$to/$f" || exit 1
done
