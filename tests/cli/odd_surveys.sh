#!/bin/bash
# odd_surveys.sh - surveys of odd files: each picture is one that the film shows just then in order, and the whole pass after
# is what it is without. The 94 of the corpus, those of odd_films.sh, every container that is sought in, and longer ones with gaps, jumps, damage and lies.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
export LC_ALL=C
K=$BUILD/kinoseek D=$BUILD/tests/prog_dump
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
export TMPDIR=$T XDG_CACHE_HOME=$T/cache
ok() { if [ "$1" = 0 ]; then echo "ok - $2"; else echo "not ok - $2"; fi; }
is() { if [ "$1" = "$2" ]; then echo "ok - $3"; else echo "not ok - $3"; echo "# got:  $1"; echo "# want: $2"; fi; }
here=$(dirname "$0")/..
corpus=$(sh "$here/hostile/corpus.sh") || { echo "not ok - the corpus cannot be made"; exit 1; }
mkdir -p "$T/in/odd" "$T/in/sought" "$T/in/long" "$T/plain"
cp "$corpus"/[0-9]* "$T/in"
sh "$here/hostile/sought_films.sh" "$T/in/sought" || echo "not ok - the sought films cannot be made"
# those of odd_films.sh, four seconds long
ff() { ffmpeg -hide_banner -nostdin -v error -y "$@"; }
sh "$here/plain_films.sh" "$T/plain" 4 || echo "not ok - the films cannot be made"
python3 "$here/odd_films.py" "$T/plain" "$T/in/odd" || echo "not ok - the odd films cannot be made"
# a minute and more, a key frame every two seconds
cd "$T/in/long" || exit 1
made() { ff -f lavfi -i "testsrc2=s=96x64:r=10:d=${1}" -vf "$2" -fps_mode passthrough -threads 1 "${@:3}"; }
x264=(-c:v libx264 -preset veryfast -g 20)
made 60 null "${x264[@]}" -bf 2 plain.mp4
made 60 'setpts=PTS+gt(T\,21)*40/TB+gt(T\,40)*3.7/TB' "${x264[@]}" gap.mkv
made 60 'setpts=PTS+gt(T\,21)*40/TB' "${x264[@]}" gap.mp4
made 60 'select=gt(mod(n\,7)\,3)+lt(mod(n\,90)\,20)' "${x264[@]}" uneven.mkv
made 60 null -c:v libx264 -preset veryfast -x264-params open-gop=1:keyint=20:bframes=3 open.mkv
made 60 null -c:v libx264 -preset veryfast -x264-params intra-refresh=1:keyint=20 refresh.mp4
made 60 null -c:v mpeg4 -q:v 6 -g 20 -bf 2 packed.avi
made 60 null -c:v flv1 -q:v 6 -g 20 old.flv
ff -ss 7.3 -i plain.mp4 -c copy edits.mp4
ff -i plain.mp4 -c copy -bsf:v 'noise=amount=4000' noise.mkv
ff -i plain.mp4 -c copy -output_ts_offset 5000 late.mkv
ff -i plain.mp4 -c copy whole.mkv
ff -i plain.mp4 -c copy one.ts; cat one.ts one.ts >twice.ts
for f in whole.mkv packed.avi old.flv; do head -c $(($(stat -c %s $f) * 7 / 10)) $f >cut.${f##*.}; done
python3 - <<'P'
import random, struct
plain = open('plain.mp4', 'rb').read()
def table(name, change):  # every entry of a table that tells a lie
    b, at = bytearray(plain), plain.index(name)
    n, = struct.unpack('>I', plain[at + 8:at + 12])
    for i in range(n): change(b, at + 12 + 4 * i, i)
    return bytes(b)
def add(k): return lambda b, at, i: struct.pack_into('>I', b, at, struct.unpack('>I', b[at:at + 4])[0] + (k if i else 0))
open('key_frames_that_are_none.mp4', 'wb').write(table(b'stss', add(3)))
open('some_key_frames_that_are_none.mp4', 'wb').write(table(b'stss', lambda b, at, i: add(5)(b, at, i) if i > 9 and i % 2 else None))
b = bytearray(open('../sought/hevc.mp4', 'rb').read())  # a slice header of which the decoder makes nothing, and does not say so
b[52] = 0xff
open('unwritten.mp4', 'wb').write(b)
rng = random.Random(25)
for name in 'plain.mp4', 'whole.mkv', 'packed.avi', 'one.ts':
    b = bytearray(open(name, 'rb').read())
    for _ in range(60): b[rng.randrange(len(b) // 3, len(b) * 2 // 3)] ^= 1 << rng.randrange(8)
    open('rotten_' + name, 'wb').write(b)
P
cd "$OLDPWD" || exit 1
find "$T/in" -type f | sort >"$T/names"
tr '\n' '\0' <"$T/names" | xargs -0 env KS_SEEK_TELL=1 "$BUILD/tests/prog_seek" "$BUILD/kinoseek-decode" --survey >"$T/seen" 2>"$T/err"
grep ' [1-9][0-9]* of them wrong' "$T/seen" | sed 's/^/# /'
is "$(wc -l <"$T/seen") $(grep -c ' 0 of them wrong$' "$T/seen")" "$(wc -l <"$T/names") $(wc -l <"$T/names")" "$(wc -l <"$T/names") odd files, $(awk '{ n += $4 } END { print n }' "$T/seen") pictures sought in them: each is shown just then in order"
[ "$(awk '$4 > 0' "$T/seen" | wc -l)" -ge 60 ]; ok $? "$(awk '$4 > 0' "$T/seen" | wc -l) of them can be sought in"

ingest() { "$K" -L "$L" ingest "$T/in" --encoder clock --shots off --window 2 --hop 2 --workers 2 --json "$@" 2>"$T/err" >"$T/out"; code=$?; }
L=$T/whole; ingest --survey off; "$D" "$L" >"$T/whole.dump"; was=$code
verdicts() { jq -r 'select(.event == "file") | "\(.path) \(.verdict) \(.reason)"' "$T/out" | sort; }
verdicts >"$T/whole.said"
L=$T/lib; ingest --survey only
is "$code $("$K" -L "$L" check >/dev/null 2>&1; echo $?) $(jq -r 'select(.event == "done") | .left' "$T/out")" "0 0 $(jq -r 'select(.event == "done") | .files' "$T/out")" "all are surveyed, or left to the whole pass"
ingest; "$D" "$L" >"$T/dump"
cmp -s "$T/dump" "$T/whole.dump"; is "$code $?" "$was 0" "the whole pass after is what it is without a survey"
verdicts | diff - "$T/whole.said" >"$T/diff"; is "$? $(wc -l <"$T/whole.said")" "0 $(grep -vc jpg "$T/names")" "each has its verdict, the same (but the picture, which is no film)"
