#!/bin/sh
# Films with 1 to 50 flipped bits: of what is shown, how much differs visibly from the film before, and of that, how much
# lies in films that are said to be whole (tests/prog_damage.c). FILM=clip: of another film than ffmpeg's test picture;
# OTHER=decoder: the same with another kinoseek-decode of this build's messages, to compare with. SLICE=1: a quarter.
: "${BUILD:=build}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$(dirname "$0")/../.." || exit 1
mkdir "$work/plain"
set --
film() { name=$1; shift; films="$films $* -threads 1 -an $work/plain/$name"; }
x265="-c:v libx265 -preset fast -x265-params log-level=none:pools=none:frame-threads=1:keyint=25"
for c in mp4 mkv ts flv; do film h264.$c -c:v libx264 -preset veryfast -g 25; done
film cavlc.mp4 -c:v libx264 -preset veryfast -g 25 -coder 0
film fields.ts -c:v libx264 -preset veryfast -g 12 -flags +ilme+ildct
for c in mp4 mkv ts; do film hevc.$c "$x265"; done
film av1.mkv -c:v libaom-av1 -cpu-used 8 -usage realtime -row-mt 0 -g 25
film vp9.webm -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25
film vp8.webm -c:v libvpx -deadline realtime -cpu-used 8 -g 25
for c in mpg ts mxf; do film mpeg2.$c -c:v mpeg2video -q:v 4 -g 12; done
film mpeg1.mpg -c:v mpeg1video -q:v 4 -bf 2 -g 12
film mpeg4.avi -c:v mpeg4 -q:v 4 -bf 2 -g 25
film mpeg4.mp4 -c:v mpeg4 -q:v 4 -g 25
film msmpeg4v2.avi -c:v msmpeg4v2 -q:v 4 -g 25
film msmpeg4v3.avi -c:v msmpeg4 -q:v 4 -g 25
for c in wmv1 wmv2; do film $c.asf -c:v $c -q:v 4 -g 25; done
film h263.3gp -s 176x144 -c:v h263 -q:v 6 -g 25
film h263p.avi -s 176x144 -c:v h263p -q:v 6 -g 25
film flv1.flv -c:v flv1 -q:v 4 -g 25
film mjpeg.avi -c:v mjpeg -q:v 4
film mjpeg.mov -c:v mjpeg -q:v 4
film theora.ogv -c:v libtheora -q:v 6 -g 25
film svq1.mov -c:v svq1 -g 25
film cinepak.mov -s 64x48 -c:v cinepak -g 25
film ffv1.mkv -c:v ffv1 -level 3
film gif.gif -c:v gif
film png.mov -c:v png -pix_fmt rgb24
film utvideo.avi -c:v utvideo
for c in prores cfhd jpeg2000 qtrle; do film $c.mov -c:v $c -frames:v 15; done
film dnxhr.mov -s 256x144 -c:v dnxhd -profile:v dnxhr_lb -pix_fmt yuv422p -frames:v 15
film tiff.mkv -c:v tiff -frames:v 10
film dv.dv -s 720x576 -c:v dvvideo -pix_fmt yuv420p -frames:v 8
source="-f lavfi -i testsrc2=s=176x144:r=25:d=2,noise=alls=8:allf=t:all_seed=3"
[ -n "${FILM:-}" ] && source="-t 2 -i $FILM"
# shellcheck disable=SC2086
ffmpeg -v error -nostdin -y -filter_threads 1 $source $films || { echo "not ok - the films cannot be made"; exit 1; }
python3 - "$work" "${SLICE:+4}" <<'PY'
import os, random, sys
work, most = sys.argv[1], int(sys.argv[2] or 16)
r = random.Random(18)
for name in sorted(os.listdir(work + "/plain")):
    plain = open(f"{work}/plain/{name}", "rb").read()
    os.makedirs(f"{work}/bits/{name}")
    for k, flips in enumerate((1, 5, 20, 50, 1, 1, 1, 2, 2, 3, 5, 10, 10, 20, 30, 50)[:most]):
        film, low = bytearray(plain), min(2048, len(plain) // 4) if r.random() < .8 else 0
        for _ in range(flips): film[r.randrange(low, len(film))] ^= 1 << r.randrange(8)
        open(f"{work}/bits/{name}/{k:02d}_{flips}", "wb").write(film)
PY
for decoder in "$BUILD/kinoseek-decode" ${OTHER:+"$OTHER"}; do
  for d in "$work"/bits/*; do
    "$BUILD/tests/prog_damage" "$decoder" "$work/plain/$(basename "$d")" "$d"/* | sed "s/^/$(basename "$d")	/"
  done | awk -F'\t' -v decoder="$decoder" -v keep="${KS_KEEP:-/dev/null}" '
    { films++; shown += $5; wrong += $6; whole += $7; if ($7) unsaid += $6; print > keep }
    END { printf "%s - %s: %d films; of %d pictures shown %d differ (%.1f %%), %d of them (%.1f %%) in %d films said to be whole\n",
          (films > 100 && shown > 0 ? "ok" : "not ok"), decoder, films, shown, wrong, 100 * wrong / shown, unsaid, 100 * unsaid / shown, whole }'
done
