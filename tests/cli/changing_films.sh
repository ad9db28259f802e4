#!/bin/sh
# Films whose picture moves to another stream, codec or size in the middle: all of it comes out at its time, or the film is
# said to be partly there. What runs side by side is not mixed. The time is drawn into the pictures (hostile/check_probe.awk).
: "${BUILD:=build}"
probe=$BUILD/tests/prog_film_probe decoder=$BUILD/kinoseek-decode
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
clock() { # SIZE
  s="color=c=black:s=$1:r=25:d=8,format=yuv444p" p=1
  for i in 0 1 2 3 4 5 6 7; do
    s="$s,drawbox=x='floor($i*iw/8)':y=0:w='ceil(iw/8)':h='floor(ih/2)':color=white:t=fill:enable='bitand(floor((t+0.0001)*4/$p),1)'"
    p=$((p * 2))
  done
  printf %s "$s"
}
set --
# part NAME FROM UNTIL OPTIONS: [FROM, UNTIL) seconds of the clock at its own time
part() { name=$1 from=$2 until=$3; shift 3; films="$films -ss $from -to $until -threads 1 -output_ts_offset $from $* $work/$name"; }
h264="-pix_fmt yuv420p -c:v libx264 -preset ultrafast -g 25"
x265="-pix_fmt yuv420p -c:v libx265 -preset ultrafast -x265-params log-level=none:pools=none:frame-threads=1:keyint=25"
mpeg2="-c:v mpeg2video -pix_fmt yuv420p -q:v 4 -g 12"
second="-mpegts_start_pid 512 -mpegts_pmt_start_pid 0x1001"
part a.ts 0 4 $h264 -muxdelay 0
part b.ts 4 8 $h264 -muxdelay 0
part b512.ts 4 8 $h264 $second -muxdelay 0
part b512hevc.ts 4 8 "$x265" $second -muxdelay 0
part bhevc.ts 4 8 "$x265" -muxdelay 0
part bmpeg2.ts 4 8 $mpeg2 -muxdelay 0
part bmpeg2_512.ts 4 8 $mpeg2 $second -muxdelay 0
part ampeg2.ts 0 4 $mpeg2 -muxdelay 0
part blarge.ts 4 8 -vf scale=352:288:flags=neighbor $h264 -muxdelay 0
part m512.ts 2 6 $h264 $second -muxdelay 0
part a2.ts 0 2 $h264 -muxdelay 0
part c.ts 6 8 $h264 -muxdelay 0
part a.h264 0 4 $h264
part blarge.h264 4 8 -vf scale=352:288:flags=neighbor $h264
part a.mpg 0 4 $mpeg2 -b:v 4M
films="$films -ss 4 -to 8 -threads 1 -output_ts_offset 4.54 $mpeg2 -b:v 4M $work/b.mpg" # the muxer's own start is 0.54
part a.flv 0 4 -pix_fmt yuv420p -c:v flv1 -q:v 4 -g 25
part b.flv 4 8 $h264 -bf 0
part whole.ts 0 8 $h264 -muxdelay 0
# shellcheck disable=SC2086
ffmpeg -v error -nostdin -y -filter_threads 1 -f lavfi -i "$(clock 176x144)" $films || { echo "not ok - the films cannot be made"; exit 1; }
cd "$work" || exit 1
python3 - <<'PY'
b = bytearray(open("b.mpg", "rb").read())
at = b.find(b"\0\0\1\xe0")
while at >= 0:
    b[at + 3] = 0xe1
    at = b.find(b"\0\0\1\xe0", at)
open("b_e1.mpg", "wb").write(b)
a = open("a.flv", "rb").read()
open("flv1_h264.flv", "wb").write(a + open("b.flv", "rb").read()[13:])
t = open("b512.ts", "rb").read()
open("torn.ts", "wb").write(open("a.ts", "rb").read() + t[len(t) // 188 // 3 * 188:])
PY
cat a.ts b512.ts >pid.ts
cat a.ts b512hevc.ts >pid_hevc.ts
cat a.ts bhevc.ts >same_pid_hevc.ts
cat a.ts bmpeg2.ts >same_pid_mpeg2.ts
cat ampeg2.ts b.ts >same_pid_h264.ts
cat ampeg2.ts b512hevc.ts >mpeg2_pid_hevc.ts
cat a.ts bmpeg2_512.ts >pid_mpeg2.ts
cat a.ts blarge.ts >size.ts
cat a.h264 blarge.h264 >size.h264
cat a2.ts m512.ts c.ts >there_and_back.ts
cat a.mpg b_e1.mpg >id.mpg
ffmpeg -v error -nostdin -y -i whole.ts -i whole.ts -map 0:v -map 1:v -c copy -program st=0 -program st=1 beside.ts
cd - >/dev/null || exit 1

# whole FILE [FRAMES]: all 200 frames (two may be left at a border: libav gives the last ones of a PID only at the file's end), 8 s, every one at the time that is drawn into it
whole() {
  "$probe" "$decoder" "$work/$1" 2>/dev/null | awk -F'\t' -v name="$1" -v frames="${2:-198}" '{
    n = split($11, part, "/"); right = 1
    for (i = 1; i <= n; i++) { split(part[i], r, /\.\./); if (r[1] < -0.041 || r[2] > 0.291) right = 0 }
    good = $2 == "indexed" && $3 >= frames && $6 > 7.95 && $6 < 8.05 && right
    print (good ? "ok - " : "not ok - ") name ": " $2 ", " $3 " frames to " $6 ", clock " $11 ", " $12 }'
}
for f in pid pid_hevc pid_mpeg2 mpeg2_pid_hevc size beside; do whole $f.ts; done
whole there_and_back.ts 196
whole id.mpg
whole flv1_h264.flv
whole size.h264
# half FILE FRAMES FROM TO: said to be partly there, with the seconds that are missing
half() {
  "$probe" "$decoder" "$work/$1" | awk -F'\t' -v name="$1" -v frames="$2" -v from="$3" -v to="$4" '{
    good = $2 == "partly" && $3 >= frames && $7 >= from && $7 <= to && $12 != ""
    print (good ? "ok - " : "not ok - ") name ": " $2 ", " $3 " frames, " $7 " s missing, " $12 }'
}
half torn.ts 120 1 2.5 # the second stream begins between two key frames
# libav does not look again at what a PID holds
for f in same_pid_hevc same_pid_mpeg2 same_pid_h264; do half $f.ts 98 3.9 4.1; done
