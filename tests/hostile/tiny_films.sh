#!/bin/sh
# tiny_films.sh OUT - one to four frames of 32x32 in every container and codec of the decoder's lists that ffmpeg can
# write (48 files, 0.3 MB, the same bytes each time); one ffmpeg for all of them, for its start is what costs.
OUT=$1
mkdir -p "$OUT" || exit 1
set -- # NAME, then its options: gathered into one command line
film() { name=$1; shift; films="$films $* -threads 1 -fflags +bitexact -flags:v +bitexact $OUT/$name"; }
x265="-c:v libx265 -preset ultrafast -x265-params log-level=none:pools=none:frame-threads=1"
film h264.mp4 -c:v libx264 -preset veryfast -g 3
film fragments.mp4 -c:v libx264 -preset veryfast -g 2 -movflags +frag_keyframe+empty_moov
film h264.mkv -c:v libx264 -preset veryfast -bf 2 -g 6
film h264.ts -c:v libx264 -preset veryfast -g 6
film raw.h264 -c:v libx264 -preset veryfast
film hevc.mp4 "$x265"
film raw.hevc "$x265"
film av1.mp4 -c:v libaom-av1 -cpu-used 8 -usage realtime -row-mt 0
film vp9.webm -c:v libvpx-vp9 -deadline realtime -cpu-used 8
film vp8.webm -c:v libvpx -deadline realtime -cpu-used 8
film vp8.ivf -c:v libvpx -deadline realtime -cpu-used 8
film ffv1.mkv -c:v ffv1 -level 3
film mpeg1.mpg -c:v mpeg1video -q:v 6
film mpeg2.mpg -c:v mpeg2video -q:v 6
film raw.m2v -c:v mpeg2video -q:v 6
film mpeg2.mxf -c:v mpeg2video -q:v 8
film mpeg2.wtv -c:v mpeg2video -q:v 8
film mpeg4.avi -c:v mpeg4 -q:v 6
film mpeg4.nut -c:v mpeg4 -q:v 6
film raw.m4v -c:v mpeg4 -q:v 6
film msmpeg4v2.avi -c:v msmpeg4v2 -q:v 6
film msmpeg4v3.avi -c:v msmpeg4 -q:v 6
film wmv1.asf -c:v wmv1 -q:v 6
film wmv2.asf -c:v wmv2 -q:v 6
film h263.3gp -s 128x96 -c:v h263 -q:v 8
film h263p.avi -s 128x96 -c:v h263p -q:v 8
film rv10.rm -s 128x96 -c:v rv10
film sorenson.flv -c:v flv1 -q:v 6
film svq1.mov -s 64x64 -c:v svq1
film cinepak.mov -c:v cinepak
film qtrle.mov -c:v qtrle -frames:v 2
film mjpeg.avi -c:v mjpeg -q:v 8 -frames:v 2
film jpeg2000.mov -c:v jpeg2000 -frames:v 2
film prores.mov -c:v prores_ks -frames:v 2
film dnxhr.mov -s 256x144 -c:v dnxhd -profile:v dnxhr_lb -pix_fmt yuv422p -frames:v 1
film cfhd.mov -c:v cfhd -frames:v 2
film v210.mov -c:v v210 -frames:v 1
film dv.dv -s 720x576 -c:v dvvideo -pix_fmt yuv420p -frames:v 1
film huffyuv.avi -c:v huffyuv -frames:v 2
film ffvhuff.mkv -c:v ffvhuff -frames:v 2
film utvideo.avi -c:v utvideo -frames:v 2
film rawvideo.avi -c:v rawvideo -frames:v 1
film theora.ogv -c:v libtheora
film picture.gif -c:v gif
film picture.apng -c:v apng -frames:v 2
film png.mov -c:v png -frames:v 2
film bmp.avi -c:v bmp -frames:v 1
film tiff.mkv -c:v tiff -frames:v 1
# shellcheck disable=SC2086
ffmpeg -v error -nostdin -y -filter_threads 1 -f lavfi -i testsrc2=s=32x32:r=25:d=0.16 $films || exit 1
[ "$(find "$OUT" -type f -size +0 | wc -l)" -eq 48 ]
