#!/bin/sh
# Films with something odd in them that libav calls an error and whose pictures are whole: each goes in whole, with the
# pictures of the film without it, bit for bit.
: "${BUILD:=build}"
probe=$BUILD/tests/prog_film_probe decoder=$BUILD/kinoseek-decode
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/plain" "$work/odd"
set --
film() { name=$1; shift; films="$films $* -threads 1 -fflags +bitexact -flags:v +bitexact $work/plain/$name"; }
film mjpeg.avi -c:v mjpeg -q:v 5
film mjpeg.mov -c:v mjpeg -q:v 5
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
# the odd comment of an encoder is needed where bitexact would leave it out
# shellcheck disable=SC2086
ffmpeg -v error -nostdin -y -filter_threads 1 -f lavfi -i testsrc2=s=176x144:r=25:d=1 $films || { echo "not ok - the films cannot be made"; exit 1; }
for f in mjpeg.avi mjpeg.mov; do
  ffmpeg -v error -nostdin -y -threads 1 -f lavfi -i testsrc2=s=176x144:r=25:d=1 -c:v mjpeg -q:v 5 -threads 1 "$work/plain/$f"
done
python3 tests/odd_films.py "$work/plain" "$work/odd" || { echo "not ok - the odd films cannot be made"; exit 1; }

row() { "$probe" "$decoder" "$1" 2>/dev/null | cut -f2,3,7,12; } # verdict, frames, seconds missing, reason
sum() { KS_PROBE=all "$probe" "$decoder" "$1" 2>/dev/null | sha256sum; }
# The first picture of this one comes out twice, as ffmpeg itself has it: it was told that no B pictures follow.
sum_of_ffmpeg() { ffmpeg -v quiet -nostdin -threads 1 -i "$1" -fps_mode passthrough -f rawvideo -pix_fmt rgb24 - | sha256sum; }
f=$work/odd/delay-mpeg4b.avi
[ "$(sum "$f")" = "$(sum_of_ffmpeg "$f")" ] && [ "$(row "$f" | cut -f1,3)" = "$(printf 'indexed\t0.00')" ] || printf 'not '
echo "ok - $(basename "$f"): $(row "$f")"
rm "$f"
for f in "$work"/odd/*; do
  name=$(basename "$f")
  case $name in *-*) plain=$work/plain/${name#*-} ;; *) plain=$work/plain/plain.h264 ;; esac
  said=$(row "$f") wanted=$(row "$plain")
  if [ "$said" != "$wanted" ]; then
    echo "not ok - $name: $said, not $wanted"
  elif case $name in dropouts*) false ;; *) [ "$(sum "$f")" != "$(sum "$plain")" ] ;; esac; then
    echo "not ok - $name: other pictures than without it"
  else
    echo "ok - $name: $said"
  fi
done
