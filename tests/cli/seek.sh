#!/bin/bash
# seek.sh - key frames that ingest keeps, and pictures by way of them: the very pictures of the film in order.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
export LC_ALL=C
K=$BUILD/kinoseek S=$BUILD/tests/prog_seek
T=$(mktemp -d); trap "rm -rf $T" EXIT
export TMPDIR=$T XDG_CACHE_HOME=$T/cache
ok() { if [ "$1" = 0 ]; then echo "ok - $2"; else echo "not ok - $2"; fi; }
is() { if [ "$1" = "$2" ]; then echo "ok - $3"; else echo "not ok - $3"; echo "# got:  $1"; echo "# want: $2"; fi; }
film() { ffmpeg -hide_banner -nostdin -v error -y -f lavfi -i "testsrc2=s=192x108:r=25:d=${D:-8},noise=alls=20:allf=t" "$@"; }
sql() { python3 -c 'import sqlite3, sys
for row in sqlite3.connect(sys.argv[1]).execute(sys.argv[2]): print(*row)' "$T/lib/catalog.db" "$1"; }
mkdir "$T/in"; cd "$T/in" || exit 1
film -c:v libx264 -preset veryfast -bf 3 -g 40 -sc_threshold 0 b.mp4
film -c:v libx264 -preset veryfast -x264-params open-gop=1:keyint=40:min-keyint=40:bframes=3 open.mkv
film -c:v libx264 -preset veryfast -pix_fmt yuv444p -g 40 444.mp4
film -c:v libx264 -preset veryfast -x264-params intra-refresh=1:keyint=40 refresh.ts
film -c:v libx264 -preset veryfast -g 40 -bf 2 -output_ts_offset 4000 late.ts
film -c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=40:bframes=3 hevc.mp4
film -c:v mpeg2video -b:v 1M -g 30 -bf 2 ps.mpg
film -c:v mpeg4 -q:v 5 -g 40 -bf 2 divx.avi
film -c:v libvpx -deadline realtime -cpu-used 8 -g 40 vp8.webm
film -c:v flv1 -q:v 5 -g 40 old.flv
film -c:v mjpeg -q:v 5 every.mov
cat late.ts late.ts >twice.ts
cd "$OLDPWD" || exit 1

"$S" "$BUILD/kinoseek-decode" "$T"/in/* >"$T/seen" 2>"$T/err"
is "$? $(grep -c ' 0 pictures differ' "$T/seen")" "0 12" "what a believed seek gives is what the film shows in order, picture by picture"
is "$(grep -E '^(b.mp4|444.mp4|hevc.mp4|vp8.webm|every.mov|late.ts|ps.mpg|divx.avi|old.flv)' "$T/seen" | awk '$4 < 4 || $6 != $4' | wc -l)" 0 "and seeks to closed groups are believed in nine kinds of film"
is "$(awk '/^twice/ { print ($6 > 5 && $6 < $4) }' "$T/seen")" 1 "but no seek over the place where a clock is set anew"


"$K" -L "$T/lib" ingest --encoder clock -q "$T/in" >"$T/out" 2>&1; code=$?
is "$code $(sql "SELECT count(*) FROM key_index")" "3 12" "ingest keeps the key frames of every film (one went in partly)"
is "$(sql "SELECT group_concat(k.seconds, ' ') FROM key_frames k JOIN videos v USING (video) WHERE v.path LIKE '%/b.mp4'")" "0.0 1.6 3.2 4.8 6.4" "the view says where they are shown"
is "$(sql "SELECT count(*) FROM key_frames k JOIN videos v USING (video) WHERE v.path LIKE '%/every.mov'")" 8 "where every picture is one, one a second is kept"
is "$(sql "SELECT count(*) FROM key_frames WHERE \"offset\" < 0")" 0 "with the byte where each begins"
for f in b.mp4 late.ts hevc.mp4; do
  id=$(sql "SELECT video FROM videos WHERE path LIKE '%/$f'")
  is "$("$S" "$BUILD/kinoseek-decode" --at "$T/lib" "$id" 6.9 | sed 's/.*, //')" "the same picture" "the picture of a moment of $f"
done
"$K" -L "$T/lib" check >"$T/out" 2>&1; ok $? "and the library checks"

# A piece that is encoded anew goes by them, and is what it is without a library: picture and sound.
mkdir "$T/sound"
ffmpeg -hide_banner -nostdin -v error -y -f lavfi -i "testsrc2=s=192x108:r=25:d=12,noise=alls=20:allf=t" -f lavfi -i "sine=f=300:d=12" -c:v libx264 -preset veryfast -bf 3 -g 40 -c:a aac "$T/sound/s.mp4"
ffmpeg -hide_banner -nostdin -v error -y -i "$T/sound/s.mp4" -c copy "$T/sound/s.mkv"
ffmpeg -hide_banner -nostdin -v error -y -i "$T/sound/s.mp4" -c copy "$T/sound/s.ts"
"$K" -L "$T/lib" ingest --encoder clock -q "$T/sound" >"$T/out" 2>&1
for f in in/b.mp4@5.3-7.1 in/open.mkv@5.3-7.1 in/hevc.mp4@5.3-7.1 in/late.ts@5.3-7.1 in/divx.avi@5.3-7.1 in/vp8.webm@5.3-7.1 in/twice.ts@9.1-11.3 sound/s.mp4@8.1-10.7 sound/s.mkv@8.1-10.7 sound/s.ts@8.1-10.7; do
  rm -rf "$T/with" "$T/without"
  "$K" -L "$T/lib" cut "$T/$f" --reencode --to "$T/with" >"$T/out" 2>&1; a=$?
  "$K" -L "$T/none" cut "$T/$f" --reencode --to "$T/without" >"$T/out" 2>&1; b=$?
  is "$a $b $(cd "$T/with" && cksum *)" "0 0 $(cd "$T/without" && cksum *)" "cut --reencode ${f#*/} with key frames is the piece without"
done
"$K" -L "$T/lib" forget "$T/sound" >"$T/out" 2>&1

# Looks that are wrong are not believed: the film is read in order. (A row of the right sum, so that it is read.)
python3 - "$T/lib/catalog.db" <<'P'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1]); db.execute("DELETE FROM key_index WHERE video > 3"); db.commit()
P
"$K" -L "$T/lib" check >"$T/out" 2>&1; ok $? "a film may have no row"
python3 - "$T/lib/catalog.db" <<'P'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1]); db.execute("UPDATE key_index SET frames = replace(frames, '[', '[1') WHERE video = 1"); db.commit()
P
"$K" -L "$T/lib" check >"$T/out" 2>&1; is "$? $(grep -c 'key_index, video 1: the row does not match' "$T/out")" "3 1" "a rotten row is named"
is "$("$S" "$BUILD/kinoseek-decode" --at "$T/lib" 1 6.9 | sed 's/.*, //')" "the same picture" "and harms no picture"
"$K" -L "$T/lib" repair >"$T/out" 2>&1; "$K" -L "$T/lib" check >"$T/out" 2>&1; ok $? "repair leaves it out"
is "$(sql "SELECT count(*) FROM key_index")" 2 "and keeps the others"
"$K" -L "$T/lib" backup "$T/copy" >/dev/null 2>&1; "$K" -L "$T/lib" compact >/dev/null 2>&1
is "$(sql "SELECT count(*) FROM key_index") $("$K" -L "$T/copy" check | wc -l)" "2 1" "compact and backup keep them too"
"$K" -L "$T/lib" forget "$T/in" >/dev/null 2>&1
is "$(sql "SELECT count(*) FROM key_index")" 0 "what is forgotten takes its key frames along"
