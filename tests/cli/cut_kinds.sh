#!/bin/sh
# A moment of every kind of film as a piece, copied and encoded anew: real containers and streams, sound kept, the time that
# clips and search say, the colours that were there. The picture carries its time in quarters of a second.
set -u
K=$BUILD/kinoseek
case $K in /*) ;; *) K=$PWD/$K ;; esac
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8 NO_COLOR=1
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; fi; }
ff() { ffmpeg -hide_banner -nostdin -v error -y -threads 1 "$@"; }
cd "$T" || exit 1
s="color=c=black:s=96x64:r=25:d=4,format=yuv444p" p=1
for i in 0 1 2 3 4 5 6 7; do
  s="$s,drawbox=x='floor($i*iw/8)':y=0:w='ceil(iw/8)':h='floor(ih/2)':color=white:t=fill:enable='bitand(floor((t+0.0001)*4/$p),1)'" p=$((p * 2))
done
ff -f lavfi -i "$s" -f lavfi -i sine=d=4:r=48000 -c:v ffv1 -pix_fmt yuv420p -c:a pcm_s16le master.mkv

# "first last": seconds that the first and the last picture show
shows() {
  ffmpeg -nostdin -v quiet -i "$1" -map 0:v:0 -vf "crop=iw:ih/2:0:0,scale=8:1:flags=area" -pix_fmt gray -f rawvideo - 2>/dev/null | python3 -c "
import sys
b=sys.stdin.buffer.read(); t=[sum((b[k+i]>128)<<i for i in range(8))/4 for k in range(0,len(b)//8*8,8)]
print(*([t[0],t[-1]] if t else [99,99]))"
}
# file, wanted ending of the copy, arguments of ffmpeg
kind() {
  f=$1 ending=$2; shift 2
  ff -i master.mkv -g 25 -strict -2 "$@" "$f" || echo "not ok - $f was not made"
  for how in "" --reencode; do
    rm -rf p; "$K" -L lib cut "$f@1.5-2.5" --to p $how >out 2>err; o=$(head -n 1 out)
    e=${o##*.}
    if [ -n "$how" ]; then want="1.25 1.5 2 2.5"; else want="0.75 1.5 2 2.75"; fi
    [ -n "$o" ] && [ -s "$o" ] && python3 -c "
a, b = map(float, '$(shows "$o")'.split()); lo, hi, from_, to = map(float, '$want'.split()); exit(not (lo <= a <= hi and from_ <= b <= to))"
    ok $? "$f $how: $e shows $(shows "$o" 2>/dev/null) $(head -n 1 err)"
    [ -n "$how" ] || [ "$e" = "$ending" ]; ok $? "$f $how: goes into .$ending ($e)"
    case "$*" in *-an*) ;; *) ffprobe -v quiet -show_entries stream=codec_type -of csv=p=0 "$o" | grep -q audio; ok $? "$f $how: its sound is kept" ;; esac
  done
}
x264="-c:v libx264 -preset ultrafast -pix_fmt yuv420p"
kind cam.MTS MTS $x264 -c:a ac3 -f mpegts -mpegts_m2ts_mode 1
kind tape.mpg mpg -c:v mpeg2video -bf 2 -c:a mp2
kind phone.3gp 3gp $x264 -c:a aac
kind live.flv flv $x264 -c:a aac
kind old.wmv wmv -c:v wmv2 -c:a wmav2
kind free.ogv ogv -c:v libtheora -q:v 10 -an
kind broadcast.mxf mxf -c:v mpeg2video -c:a pcm_s16le
kind old.avi avi -c:v mpeg4 -bf 2 -c:a libmp3lame
kind edit.mov mov -c:v prores_ks -c:a pcm_s24le
kind tape.dv dv -vf scale=720:576:flags=neighbor -pix_fmt yuv420p -c:v dvvideo -ac 2
kind raw.avi avi -c:v rawvideo -pix_fmt yuv420p -c:a pcm_s16le
kind raw.nut nut -c:v rawvideo -pix_fmt yuv420p -c:a pcm_s16le
kind capture.avi avi -c:v utvideo -pix_fmt yuv420p -c:a pcm_s16le
kind capture.mkv mkv -c:v utvideo -pix_fmt yuv420p -c:a flac
kind matroska.mkv mkv -c:v wmv1 -c:a adpcm_ms
kind vp8.mp4 mkv -c:v libvpx -deadline realtime -c:a libvorbis -f webm
kind flac.ts mkv -c:v ffv1 -c:a flac -f matroska
kind odd.bin mkv $x264 -c:a aac -f mp4

# Colours of pieces that are encoded anew: within 4 of those of the film as ffmpeg shows them
rgb() { ffmpeg -nostdin -v quiet -i "$1" -vf "scale=96:64,crop=96:32,scale=3:1:flags=area:out_range=pc,format=rgb24" -frames:v 1 -f rawvideo - | od -An -tu1 | tr -d '\n'; }
colour() { # name, arguments
  n=$1; shift
  ff -f lavfi -i "color=c=0xc83c28:s=96x64:r=10:d=1,format=gbrp,drawbox=x=32:w=32:color=0x28a050:t=fill,drawbox=x=64:w=32:color=0x3c50c8:t=fill" "$@" "$n" || echo "not ok - $n was not made"
  rm -rf p; "$K" -L lib cut "$n@0.2-0.8" --to p --reencode >out 2>err; o=$(head -n 1 out)
  was=$(rgb "$n") is=$(rgb "$o")
  python3 -c "
a, b = '$was'.split(), '$is'.split()
exit(not (len(a) == 9 == len(b) and all(abs(int(p) - int(q)) <= 4 for p, q in zip(a, b))))"
  ok $? "$n: its colours,$was, are$is"
}
v() { echo "-vf scale=out_color_matrix=$1:out_range=$2,format=$3 -colorspace $1 -color_range $2"; }
colour plain.mkv $(v bt709 tv yuv420p) -c:v ffv1
colour full.mkv $(v bt709 pc yuv420p) -c:v ffv1
colour full_vp9.mkv $(v bt709 pc yuv420p) -c:v libvpx-vp9 -lossless 1 -deadline realtime -cpu-used 8
colour full_h264.mp4 $(v bt709 pc yuv420p) -c:v libx264 -qp 4 -preset ultrafast
colour full444.mkv $(v bt709 pc yuv444p) -c:v ffv1
colour ten.mkv $(v bt709 tv yuv422p10le) -c:v ffv1
colour bt601.mkv $(v smpte170m tv yuv420p) -c:v ffv1
colour jpeg.avi -vf scale=out_range=pc,format=yuvj420p -c:v mjpeg -q:v 1
colour rgb.mkv -c:v ffv1 -pix_fmt bgr0
colour gbr.mkv -c:v ffv1 -pix_fmt gbrp
colour png.mov -c:v png -pix_fmt rgb24
colour grey.mkv -vf format=gray -c:v ffv1
colour palette.gif -vf "split[a][b];[a]palettegen[p];[b][p]paletteuse"

# Rotation, sample aspect and HDR go along
ff -i master.mkv $x264 -an -metadata:s:v rotate=90 turned.mp4
ff -i master.mkv $x264 -vf setsar=16/11 -an wide.mp4
ff -i master.mkv -c:v libx264 -preset ultrafast -pix_fmt yuv420p10le -color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc -an hdr.mp4
for f in turned wide hdr; do "$K" -L lib cut $f.mp4@1-2 --to q_$f --reencode >/dev/null 2>err; done
of() { ffprobe -v quiet -show_streams -of json "$1" | python3 -c "
import json,sys
s=json.load(sys.stdin)['streams'][0]
print(s.get('sample_aspect_ratio'), s.get('pix_fmt'), s.get('color_transfer'), s.get('color_space'), [d.get('rotation') for d in s.get('side_data_list', []) if 'rotation' in d])"; }
for f in turned wide hdr; do a=$(of $f.mp4) b=$(of q_$f/*.mp4); [ "$a" = "$b" ]; ok $? "$f: $a stays ($b)"; done

# Recordings joined end to end, whose clocks start anew: the moment is where clips say it is
for i in 0 1 2; do ff -i master.mkv -ss $i -t 1 $x264 -g 10 -an $i.ts; ff -i master.mkv -ss $i -t 1 -c:v mpeg2video -g 10 -an $i.mpg; done
cat 0.ts 1.ts 2.ts >joined.ts; cat 0.mpg 1.mpg 2.mpg >joined.mpg
for f in joined.ts joined.mpg; do
  for how in "" --reencode; do
    rm -rf p; "$K" -L lib cut "$f@2.25-2.75" --to p $how >out 2>err
    python3 -c "
a, b = map(float, '$(shows "$(head -n 1 out)")'.split()); exit(not (1.5 <= a <= 2.25 and 2.25 <= b <= 2.75))"; ok $? "$f $how: 2.25-2.75 shows $(shows "$(head -n 1 out)") $(head -n 1 err)"
  done
done
