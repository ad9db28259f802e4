#!/bin/sh
# cut: what was there before stays, names say what a piece is, times are those that were cut, a kill leaves no half piece.
set -u
K=$BUILD/kinoseek
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; [ -e "$T/err" ] && sed 's/^/# /' "$T/err" | tail -n 5; fi; }
is() { if [ "$1" = "$2" ]; then ok 0 "$3"; else echo "# got: $1"; echo "# want: $2"; ok 1 "$3"; fi; }
mkdir "$T/a" "$T/b"
ffmpeg -v error -f lavfi -i testsrc2=s=64x64:r=25 -t 40 -c:v libx264 -preset ultrafast -g 25 "$T/a/lake.mp4" 2>"$T/err"
ok $? "a film of 40 s, a key frame a second"
cp "$T/a/lake.mp4" "$T/b/lake.mp4"

# --- what is there stays
"$K" cut "$T/a/lake.mp4@1-2" --to "$T/p" >"$T/out" 2>"$T/err"
first=$(cat "$T/out"); before=$(stat -c '%i %s %y' "$first")
"$K" cut "$T/b/lake.mp4@1-2" --to "$T/p" >"$T/out" 2>"$T/err"
is "$? $(cat "$T/out")" "0 $T/p/01-lake-0h00m01s-0h00m02s (2).mp4" "a second film of that name gets a free one"
is "$(stat -c '%i %s %y' "$first")" "$before" "the first piece is as it was"
printf 'mine' >"$T/p/01-lake-0h00m03s-0h00m04s.mp4"; ln -s nowhere "$T/p/01-lake-0h00m05s-0h00m06s.mp4"
"$K" cut "$T/a/lake.mp4@3-4" --to "$T/p" >"$T/out" 2>"$T/err"; "$K" cut "$T/a/lake.mp4@5-6" --to "$T/p" >>"$T/out" 2>>"$T/err"
is "$(cat "$T/p/01-lake-0h00m03s-0h00m04s.mp4") $(readlink "$T/p/01-lake-0h00m05s-0h00m06s.mp4") $(grep -c '(2)' "$T/out")" "mine nowhere 2" "a file and a link of the user's, too"
"$K" cut "$T/a/lake.mp4@3-4" --to "$T/p" --force >"$T/out" 2>"$T/err"
is "$(ffprobe -v error -show_entries stream=codec_name -of csv=p=0 "$T/p/01-lake-0h00m03s-0h00m04s.mp4")" h264 "--force replaces"

# --- 300 pieces: counted, named, timed
python3 - "$T/a/lake.mp4" >"$T/list.csv" 2>"$T/err" <<'PY'
import random, sys
r = random.Random(300); print("path,start,end,label")
for i in range(300):
    a = r.randrange(0, 950) / 25; n = r.randrange(1, 25)
    print(f"{sys.argv[1]},{a:.3f},{a + n / 25:.3f},label {i % 3}")
PY
"$K" cut --hits "$T/list.csv" --to "$T/many" --json >"$T/pieces" 2>"$T/err"; is "$?" 0 "300 pieces"
is "$(find "$T/many" -type f | wc -l) $(jq -r .file "$T/pieces" | sort -u | wc -l)" "300 300" "each a file"
python3 - "$T/pieces" "$T/list.csv" >"$T/wrong" 2>"$T/err" <<'PY'
import csv, json, math, os, sys
def clock(s): s = int(s + 1e-6); return "%dh%02dm%02ds" % (s // 3600, s // 60 % 60, s % 60)
for i, (line, row) in enumerate(zip(open(sys.argv[1]), csv.DictReader(open(sys.argv[2])))):
    p = json.loads(line); a, b = float(row["start"]), float(row["end"])
    name = "%03d-lake-%s-%s-%s.mp4" % (i + 1, clock(a), clock(b), row["label"])
    if os.path.basename(p["file"]) != name: print(i, "name", p["file"], name)
    if (p["asked_start"], p["asked_end"]) != (round(a, 3), round(b, 3)): print(i, "asked", p)
    if p["start"] != math.floor(a + 1e-6): print(i, "starts at", p["start"], "key frame", math.floor(a))
    if not b - 0.0415 <= p["end"] <= b + 0.121: print(i, "ends at", p["end"], b)   # frames of the last group may be shown late
PY
is "$(cat "$T/wrong" | head -n 3)" "" "a piece begins at the key frame before, and that is what is said"
is "$(jq -r '[.file, .end - .start] | @tsv' "$T/pieces" | awk 'NR % 10 == 0' | while IFS="$(printf '\t')" read -r file length; do
  ffprobe -v error -select_streams v -show_entries stream=duration -of csv=p=0 "$file" | awk -v l="$length" '{ d = $1 - l; if (d > 0.041 || d < -0.041) print }'; done)" "" "ffprobe says the same lengths"
"$K" cut "$T/a/lake.mp4@1.32-2.2" --reencode --json --to "$T/exact" >"$T/out" 2>"$T/err"
is "$(jq -c '[.start + 0, .end + 0]' "$T/out") $(ffprobe -v error -count_frames -show_entries stream=nb_read_frames -of csv=p=0 "$(jq -r .file "$T/out")" | tr -d ,)" "[1.32,2.2] 22" "re-encoded: what was asked, to the frame"

# --- a folder a label; names that are no names
printf 'path,start,end,label\n%s,1,2,a/b\n%s,2,3,..\n%s,3,4,\n%s,4,5,no,\n' "$T/a/lake.mp4" "$T/a/lake.mp4" "$T/a/lake.mp4" "$T/a/lake.mp4" >"$T/odd.csv"
"$K" cut --hits "$T/odd.csv" --by-label --to "$T/sorted" >/dev/null 2>"$T/err"
is "$(cd "$T/sorted" && find . -type f | sort | tr '\n' ' ')" "./_../02-lake-0h00m02s-0h00m03s.mp4 ./a_b/01-lake-0h00m01s-0h00m02s.mp4 ./no label/03-lake-0h00m03s-0h00m04s.mp4 ./no/04-lake-0h00m04s-0h00m05s.mp4 " "--by-label"
printf 'path,start,end,label,answer\n%s,1,2,dog,no\n' "$T/a/lake.mp4" >"$T/no.csv"
"$K" cut --hits "$T/no.csv" --to "$T/nos" >/dev/null 2>"$T/err"; is "$?" 1 "what somebody said no to is not cut"

# --- a film whose pictures come unevenly: the last one of a piece stays until the next one, or the film's end
ffmpeg -v error -f lavfi -i testsrc2=s=128x72:r=25:d=6 -vf 'select=not(mod(n\,3))+not(mod(n\,7))' -fps_mode vfr -c:v libx264 -preset ultrafast -g 10 "$T/uneven.mp4" 2>"$T/err"
for piece in 1-2:2.04 0-3.1:3.12 4-6:5.92; do
  rm -rf "$T/u"; "$K" cut "$T/uneven.mp4@${piece%:*}" --reencode --json --to "$T/u" >"$T/out" 2>"$T/err"
  length=$(ffprobe -v error -show_entries format=duration -of csv=p=0 "$(jq -r .file "$T/out")"); from=${piece%%-*}
  is "$(jq .end "$T/out") $(echo "$length $from ${piece#*:}" | awk '{ d = $1 + $2 - $3; print (d < 0.002 && d > -0.002) }')" "${piece#*:} 1" "uneven, ${piece%:*}: to its last picture's end, $length s"
done

# --- a picture that began before the piece and stands at its start is its first
ffmpeg -v error -f lavfi -i "color=red:s=64x64:r=1/5:d=20" -vf "drawbox=c=lime:t=fill:enable='eq(n,1)',drawbox=c=blue:t=fill:enable='gte(n,2)'" -c:v libx264 -preset ultrafast "$T/slides.mkv" 2>"$T/err"
slides() { rm -rf "$T/s"; "$K" cut "$T/slides.mkv@$1" --reencode --json --to "$T/s" >"$T/out" 2>"$T/err"
  ffmpeg -v error -i "$(jq -r .file "$T/out")" -vf fps=10,scale=1:1 -f rawvideo -pix_fmt rgb24 - | od -An -v -tu1 -w3 | awk '{ print ($1 > 128 ? "r" : $2 > 128 ? "g" : "b") }' | uniq -c | xargs; }
is "$(slides 7-9) $(jq -c '[.start + 0, .end + 0]' "$T/out")" "20 g [7,9]" "slides: a piece within one"
is "$(slides 3-6)" "20 r 10 g" "the slide that stands, then the next"
is "$(slides 5-7)" "20 g" "one that begins with a slide begins with it"
is "$(slides 16-18.5)" "25 b" "the last one"

# --- films as lists name them, and what the library keeps
printf '%s\t0\t8\ta dog\n%s\t0\t8\ta cat\n' "$T/b/lake.mp4" "$T/none.mp4" | "$BUILD/tests/prog_sentences" "$T/lib" tests/fixtures/lvt.npz tests/fixtures/lvt.spm 2>"$T/err"
mkdir "$T/lists"; printf 'path,start,end,label\nlake,1,2,x\n' >"$T/lists/stem.csv"; printf 'path,start,end,label\n../a/lake.mp4,1,2,x\n' >"$T/lists/beside.csv"
cut() { "$K" -L "$T/lib" cut "$@" 2>"$T/err"; }
is "$(cut --hits "$T/lists/stem.csv" --json --to "$T/named" | jq -r .path)" "$T/b/lake.mp4" "a film by its stem, from the library"
is "$(cut --hits "$T/lists/beside.csv" --json --to "$T/named" | jq -r .path | xargs realpath)" "$T/a/lake.mp4" "a path from the list's own folder"
is "$("$K" -L "$T/nolib" cut --hits "$T/lists/beside.csv" --json --to "$T/named" | jq -r .path | xargs realpath)" "$T/a/lake.mp4" "which needs no library"
"$K" -L "$T/nolib" cut --hits "$T/lists/stem.csv" --to "$T/named" >/dev/null 2>"$T/err"; is "$? $(cat "$T/err")" "4 kinoseek: lake: No such file or directory" "a name needs one"
{ echo path,start,end,label; for i in $(seq 21); do echo "gone.mp4,$i,$((i + 1)),x"; done; echo "lake.mp4,1,2,y"; } >"$T/lists/gone.csv"
cut --hits "$T/lists/gone.csv" --to "$T/named" >"$T/out"
is "$? $(cat "$T/err") $(wc -l <"$T/out")" "3 kinoseek: gone.mp4: No such file or directory, and no film of the library is called so (21 moments) 1" "a film that is nowhere is said once"
mkdir "$T/kept"; piece="$T/kept/01-lake-0h00m01s-0h00m02s.mp4"; cp "$T/a/lake.mp4" "$piece"; printf '%s\t0\t8\ta dog\n' "$piece" | "$BUILD/tests/prog_sentences" "$T/lib" tests/fixtures/lvt.npz tests/fixtures/lvt.spm 2>/dev/null
cut "$T/a/lake.mp4@1-2" --to "$T/kept" --force >/dev/null
is "$? $(cat "$T/err") $(cmp "$T/a/lake.mp4" "$piece" && echo same)" "4 kinoseek: $piece: it is a film of the library, which stays same" "--force replaces no film of the library"
ln "$T/a/lake.mp4" "$T/kept/01-lake-0h00m03s-0h00m04s.mp4"; "$K" -L "$T/nolib" cut "$T/a/lake.mp4@3-4" --to "$T/kept" --force >/dev/null 2>"$T/err"
is "$? $(cmp "$T/a/lake.mp4" "$T/b/lake.mp4" && echo same)" "4 same" "and not the film it is cut from"
for o in "search --all dog --json" "clips --format csv" "export vectors"; do
  for film in "$T/b/lake.mp4" "$T/film.npy"; do
    cp "$T/a/lake.mp4" "$T/film.npy"
    # shellcheck disable=SC2086
    "$K" --precision fp32 -L "$T/lib" $o -o "$film" --force >/dev/null 2>"$T/err"; is "$? $(cmp "$T/a/lake.mp4" "$film" && echo same)" "2 same" "$o -o FILM --force writes over no film: $(basename "$film")"
  done
done

# --- killed at every write
half=""; tried=0; died=0
for call in write fsync linkat; do
  n=1
  while [ "$n" -le 12 ]; do
    rm -rf "$T/k"
    strace -f -qq -o /dev/null -e trace="$call" -e "inject=$call:signal=KILL:when=$n" "$K" cut "$T/a/lake.mp4@0-30" --to "$T/k" >/dev/null 2>&1 || died=$((died + 1))
    tried=$((tried + 1))
    for p in "$T"/k/*; do
      [ -e "$p" ] || continue
      [ "$(ffprobe -v error -count_packets -show_entries stream=nb_read_packets -of csv=p=0 "$p" 2>/dev/null | tr -d ,)" -ge 750 ] || half="$half $call:$n"
    done
    n=$((n + 1))
  done
done
[ "$died" -ge 12 ]; ok $? "killed in $died of $tried runs"
is "$half" "" "killed at $tried places: no half piece under a final name"

# --- what is there when it is killed was said: a line a piece
head -n 11 "$T/list.csv" >"$T/ten.csv"; rm -rf "$T/k"
strace -f -qq -o /dev/null -e trace=linkat -e "inject=linkat:signal=KILL:when=6" "$K" cut --hits "$T/ten.csv" --to "$T/k" --json >"$T/said" 2>/dev/null
is "$(ls "$T/k" | wc -l | awk '{ print ($1 >= 4 && $1 < 10) }') $(jq -r .file "$T/said" | wc -l)" "1 $(ls "$T/k"| wc -l)" "killed at the sixth piece: as many lines as pieces"
for n in 1 3; do # Ctrl-C between a piece's name and its line; no one can look for leaks in a traced process
  rm -rf "$T/k"
  ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o /dev/null -e trace=linkat -e "inject=linkat:signal=INT:when=$n" "$K" cut --hits "$T/ten.csv" --to "$T/k" >"$T/said" 2>"$T/err"
  is "$? $(cat "$T/err") $(wc -l <"$T/said")" "130 kinoseek cut: interrupted; the pieces that were named are whole $(ls "$T/k" | wc -l)" "Ctrl-C as piece $n gets its name: it is said"
done
timeout --preserve-status -s INT 0.7 "$K" cut --hits "$T/list.csv" --to "$T/int" --reencode >"$T/said" 2>"$T/err"
is "$? $(cat "$T/err") $(ls "$T/int" | wc -l)" "130 kinoseek cut: interrupted; the pieces that were named are whole $(wc -l <"$T/said")" "Ctrl-C: 130, and a sentence"

# --- nothing to do is like nothing found
printf '' | "$K" cut --hits - --to "$T/none" >"$T/out" 2>"$T/err"; is "$? $(cat "$T/out" "$T/err")" "1 " "no hits: exit 1"
printf '\n' >"$T/empty.jsonl"; "$K" cut --hits "$T/empty.jsonl" --to "$T/none" >"$T/out" 2>"$T/err"; is "$?" 1 "nor in a file"

# --- names: whole characters, a folder a label, order, endings that are none
"$K" cut "$T/a/lake.mp4@1-2" --to "$T/deep/er/still/" >"$T/out" 2>"$T/err"; is "$? $(cat "$T/out")" "0 $T/deep/er/still/01-lake-0h00m01s-0h00m02s.mp4" "--to makes the folders above it, too"
python3 - "$T/a/lake.mp4" >"$T/names.csv" <<'PY'
import sys
print("path,start,end,label")
for label in ("a/b", "a_b", "x" * 119 + "\u00e9\u00e91", "x" * 119 + "\u00e9\u00e92", "\U0001f415" * 40, "no label", ""): print("%s,1,1.5,%s" % (sys.argv[1], label))
PY
"$K" cut --hits "$T/names.csv" --by-label --to "$T/folders" >/dev/null 2>"$T/err"
is "$(ls "$T/folders" | wc -l) $(find "$T/folders" -type f | wc -l)" "7 7" "labels that become equal have folders of their own"
is "$(ls "$T/folders" | iconv -f UTF-8 -t UTF-8 2>&1 | wc -l) $(ls -d "$T/folders/a_b" "$T/folders/a_b (2)" 2>/dev/null | wc -l)" "7 2" "named by whole characters"
"$K" cut --hits "$T/names.csv" --to "$T/labelled" >/dev/null 2>"$T/err"
is "$(ls "$T/labelled" | iconv -f UTF-8 -t UTF-8 | wc -l) $(ls "$T/labelled" | awk '{ if (length($0) > 255) print }')" "7 " "and so are pieces"
long="$T/Mr. $(printf 'very long name %.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)"; cp "$T/a/lake.mp4" "$long"
"$K" cut "$long@1-2" --to "$T/long" >"$T/out" 2>"$T/err"; is "$? $(basename "$(cat "$T/out")" | grep -o 's\.[^.]*$')" "0 s.mkv" "what stands behind a dot in a name is no ending"
cut lake.mp4@1-2 --to "$T/typed" >"$T/out"; is "$? $(cat "$T/out" "$T/err")" "0 $T/typed/01-lake-0h00m01s-0h00m02s.mp4" "FILE@A-B by a film's name in the library"
cut nolake.mp4@1-2 --to "$T/typed" >"$T/out"; is "$? $(cat "$T/err")" "4 kinoseek: nolake.mp4: No such file or directory, and no film of the library is called so" "which says where it looked"

# --- a copy's last pictures are made of one that is shown behind them: picture by picture the film's own, none left out
set -- "-c:v libx264 -preset veryfast -x264-params bframes=8:b-adapt=0:b-pyramid=normal:keyint=50 deep.mp4" "-c:v libx264 -preset veryfast -x264-params open-gop=1:bframes=3:keyint=50 open.mkv" \
  "-c:v libx265 -preset ultrafast -x265-params log-level=error:bframes=4:keyint=50 h.mp4" "-c:v mpeg2video -bf 2 -g 25 -q:v 3 m.ts" "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -auto-alt-ref 1 -lag-in-frames 16 -g 50 v.webm"
for how in "$@"; do
  film=${how##* }
  # shellcheck disable=SC2086
  ffmpeg -v error -nostdin -f lavfi -i testsrc2=s=96x64:r=25 -t 8 ${how% *} "$T/a/$film" 2>"$T/err" || ok 1 "$film"
  for end in 4.04 4.08 4.12 4.16 4.2 4.24 4.28; do echo "$T/a/$film,2.2,$end"; done | sed 1ipath,start,end >"$T/ends.csv"
  "$K" cut --hits "$T/ends.csv" --to "$T/ends-$film" --json >"$T/pieces" 2>"$T/err"
  python3 - "$T/pieces" "$T/a/$film" >"$T/wrong" 2>>"$T/err" <<'PY'
import json, subprocess, sys
def pictures(f): return [l.split(",")[5].strip() for l in subprocess.run(["ffmpeg", "-v", "error", "-threads", "1", "-i", f, "-map", "0:v", "-fps_mode", "passthrough", "-f", "framemd5", "-"], capture_output=True, text=True, check=True).stdout.splitlines() if l[0] != "#"]
film, n = pictures(sys.argv[2]), 0
for line in open(sys.argv[1]):
    p = json.loads(line); got = pictures(p["file"]); first = round(p["start"] * 25); n += 1
    if got != film[first:round(p["end"] * 25)] or not p["asked_end"] - .001 < p["end"] < p["asked_end"] + .5: print(p, len(got))
if n != 7: print(n, "pieces")
PY
  is "$? $(cat "$T/wrong")" "0 " "$film: pictures of seven ends, each the film's own"
done
