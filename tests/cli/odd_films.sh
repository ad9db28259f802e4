#!/bin/sh
# Films with something odd in them that libav calls an error and whose pictures are whole: each goes in whole, with the
# pictures of the film without it, bit for bit.
: "${BUILD:=build}"
probe=$BUILD/tests/prog_film_probe decoder=$BUILD/kinoseek-decode
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/plain" "$work/odd"
sh tests/plain_films.sh "$work/plain" 1 || { echo "not ok - the films cannot be made"; exit 1; }
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
