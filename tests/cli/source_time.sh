#!/bin/sh
# Timecode, reel, exact rate and date of a film as its maker wrote them: fourteen films, each of another kind.
set -u
K=$BUILD/kinoseek
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8 NO_COLOR=1 TZ=America/New_York
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; fi; }
ff() { ffmpeg -hide_banner -nostdin -v error -y -threads 1 "$@" || echo "not ok - the film ${*} was not made"; }
case $K in /*) ;; *) K=$PWD/$K ;; esac
mkdir "$T/v" && cd "$T/v" || exit 1

s25="-f lavfi -i testsrc2=s=176x144:r=25:d=1" s30="-f lavfi -i testsrc2=s=176x144:r=30000/1001:d=1"
x264="-c:v libx264 -preset ultrafast -pix_fmt yuv420p"
ff $s25 $x264 -timecode 14:09:42:00 -metadata:s:v reel_name=A001 tmcd.mov
ff $s30 $x264 -timecode "14:09:42;10" drop.mov
ff $s30 -c:v mpeg2video -timecode "01:09:42;10" broadcast.mxf
ff $s25 -c:v mpeg2video -timecode 02:09:42:10 gop.mpg
ff $s25 -c:v mpeg2video -timecode 02:09:43:10 -f mpegts gop.ts
ff -f lavfi -i testsrc2=s=720x576:r=25:d=1 -c:v dvvideo -pix_fmt yuv420p -timecode 03:00:00:10 tape.dv
ff $s25 -c:v mpeg4 -timecode 04:00:00:10 old.avi
ff $s25 $x264 -metadata timecode=10:00:00:00 tag.mkv
ff -f lavfi -i sine=d=1 -itsoffset 0.1 -f lavfi -i testsrc2=s=176x144:r=120:d=1 -map 1:v -map 0:a $x264 -c:a pcm_s16le -metadata timecode=10:00:00:05 fast.mkv
ff $s25 $x264 none.mp4
ff -f lavfi -i testsrc2=s=176x144:r=14.709:d=2 $x264 odd.mp4
ff -f lavfi -i testsrc2=s=176x144:r=25:d=4 -vf "select='not(mod(n,3))+not(mod(n,7))'" -fps_mode vfr $x264 uneven.mp4
ff $s25 -c:v mpeg2video zeros.mpg
ff $s25 $x264 -movflags use_metadata_tags -metadata creation_time=2024-05-06T07:08:09Z -metadata com.apple.quicktime.creationdate=2019-07-12T23:30:00+0200 apple.mov
ff $s25 $x264 -metadata creation_time=1970-01-01T00:03:12Z VID_20190712_181530.mp4
ff $s25 $x264 -metadata creation_time=2018-05-06T07:08:09Z head.mp4
touch -d 2001-02-03T04:05:06Z none.mp4

"$K" -L "$T/lib" -m demo --threads 1 ingest . >"$T/out" 2>"$T/err"
ok $? "sixteen films go in"
"$K" -L "$T/lib" check >/dev/null; ok $? "check finds every row as it was written"
sqlite3 -separator ' ' "$T/lib/catalog.db" "SELECT p.path, coalesce(timecode, ''), coalesce(reel, ''), coalesce(rate_num || '/' || rate_den, '-'), flags & 32 \
  FROM files p JOIN video v ON v.id = p.video LEFT JOIN source_time s ON s.video = v.id" | sed 's,.*/v/,,' >"$T/rows"
while IFS='|' read -r want what; do
  grep -qxF "$want" "$T/rows"; ok $? "$what"
done <<'W'
fast.mkv   120/1 0|120 frames a second have no label of two digits
tmcd.mov 14:09:42:00 A001 25/1 0|a timecode track and its reel
drop.mov 14:09:42;10  30000/1001 0|a drop-frame timecode track
broadcast.mxf 01:09:42;10  30000/1001 0|MXF's material timecode
gop.mpg 02:09:42:10  25/1 0|the first group of pictures of a programme stream
gop.ts 02:09:43:10  25/1 0|the first group of pictures of a transport stream
tape.dv 03:00:00:10  25/1 0|DV's own
old.avi 04:00:00:10  25/1 0|AVI's header
tag.mkv 10:00:00:00  25/1 0|Matroska's tag
none.mp4   25/1 0|no timecode
odd.mp4   14709/1000 0|a rate of no standard
uneven.mp4   - 32|a rate that varies is none
zeros.mpg   25/1 0|groups of pictures that begin at zero name no tape
W
"$K" -L "$T/lib" clips --json >"$T/clips"
dated() { grep -q "/v/$1\".*\"date\":$2,\"date_source\":\"$3\"" "$T/clips"; ok $? "$1: dated by $3"; }
dated apple.mov 1562967000 maker
dated VID_20190712_181530.mp4 1562969730 name
dated head.mp4 1525590489 container
dated none.mp4 981173106 mtime

# --- pictures that begin after the sound: frames are counted from the first picture, as whatever opens the file counts them
mkdir "$T/late" && cd "$T/late" || exit 1
sound="-f lavfi -i sine=d=4 -c:a aac"
ff -f lavfi -i "testsrc2=s=176x144:r=25:d=2,setpts=PTS+1.4/TB" $sound $x264 late.ts
ff -f lavfi -i "testsrc2=s=176x144:r=25:d=2,setpts=PTS+1.4/TB" $sound $x264 late.mkv
ff -f lavfi -i "testsrc2=s=176x144:r=25:d=2" $sound $x264 "$T/even.mp4"
ff -itsoffset 1.4 -i "$T/even.mp4" -i "$T/even.mp4" -map 0:v -map 1:a -c copy -timecode 10:00:00:00 late.mov
"$K" -L "$T/latelib" -m demo --threads 1 -q ingest . >"$T/out" 2>"$T/err"; ok $? "films whose sound begins first"
for f in late.ts late.mkv late.mov; do
  n=$(ffprobe -v error -count_frames -select_streams v:0 -show_entries stream=nb_read_frames -of csv=p=0 $f | head -n 1 | tr -d ' ,\n')
  "$K" -L "$T/latelib" clips --in $f --format cvat >"$T/tags" 2>"$T/err"
  said=$(sed -n 's/.*<image id="\([0-9]*\)".*/\1/p' "$T/tags" | sort -n | sed -n '1p;$p' | tr '\n' ' ')
  [ "$said" = "0 $((n - 1)) " ]; ok $? "$f: CVAT's tags are its frames 0 to $((n - 1)) ($said)"
done
"$K" -L "$T/latelib" clips --in late.mov --format cmx3600 2>"$T/err" | grep -q ' 10:00:00:00 10:00:02:00 '; ok $? "its first picture bears its timecode"
"$K" -L "$T/latelib" search --all x --in late.mov --print '{start:frame} {start:tc}' 2>"$T/err" | grep -qx '0 10:00:00:00'; ok $? "--print, too"
