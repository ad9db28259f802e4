#!/bin/sh
# eval on films: each vector is kept as it is made. Killed in the middle and run again nothing is embedded twice and every
# figure is the same; what is missing is counted, named, and counts as wrong.
set -u
K=$BUILD/kinoseek F=models/demo/films
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; [ -e "$T/err" ] && sed 's/^/# /' "$T/err"; fi; }
is() { if [ "$1" = "$2" ]; then ok 0 "$3"; else echo "# got: $1"; echo "# want: $2"; ok 1 "$3"; fi; }
N=6
grep -v '^#' $F/moments.tsv | awk -F'\t' 'NR % 9 == 1' | head -n $N | awk -F'\t' -v t="$T" '{ v = "m" NR
  print v "\t" $1 "\t" $2 "\t" $3 >(t "/videos"); print "c" NR "\t" $5 >(t "/texts"); print v "\tc" NR >(t "/map"); print $1 "@" $2 "-" $3 >(t "/moments") }'
D=$("$K" model info demo --json | jq .dim)
ev() { "$K" -m demo eval retrieval --videos "$T/videos" --texts "$T/texts" --map "$T/map" --media $F --frames "${frames:-4}" --json "$@" 2>"$T/err"; }
figures() { jq -c '[.task,.videos,.texts,.missing,.ties,.t2v,.v2t]'; }
made() { jq -c '[.films.kept,.films.made]'; }
store() { ls "$XDG_CACHE_HOME"/kinoseek/*.eval; }
records() { echo $(( ($(stat -c %s "$(store)") - 16) / (36 + 4 * D) )); }

ev >"$T/first"; is "$(made <"$T/first")" "[0,$N]" "films of a list are embedded"
is "$(jq -c '[.videos,.missing,.frames,.fit,.templates]' "$T/first")" "[$N,0,4,\"squash\",\"none\"]" "squashed, texts as they are"
figures <"$T/first" >"$T/figures"
ev >"$T/again"; is "$(made <"$T/again")" "[$N,0]" "again: all are kept"
figures <"$T/again" | cmp - "$T/figures"; ok $? "the same figures, bit for bit"
is "$(records)" $((2 * N)) "a vector a film and a text"

# --- the vectors are those of embed
set --; while read -r m; do set -- "$@" --video "$F/$m"; done <"$T/moments"
"$K" -m demo embed --frames 4 "$@" -o "$T/v.npy" 2>"$T/err"
set --; while IFS='	' read -r _ text; do set -- "$@" --text "$text"; done <"$T/texts"
"$K" -m demo embed "$@" -o "$T/t.npy" 2>"$T/err"
"$K" eval retrieval --videos "$T/videos" --texts "$T/texts" --map "$T/map" --video-vectors "$T/v.npy" --text-vectors "$T/t.npy" --json 2>"$T/err" | figures | cmp - "$T/figures"; ok $? "as with the vectors of embed"

# --- other choices cost what is new in them
is "$(ev --fit squash,crop | jq -c '[.fit,.films.kept,.films.made]' | tr '\n' ' ')" "[\"squash\",$N,0] [\"crop\",0,$N] " "another fit: new vectors beside the old"
is "$(ev --templates colab | jq -c '[.templates,.films.made]')" '["colab",0]' "another template: no film again"
is "$(frames=2 ev | made)" "[0,$N]" "other frames: new vectors"
printf 'a {} thing.\nthe {}.\n' >"$T/forms"
ev --templates "$T/forms" | figures >"$T/formed"; ev --templates "$T/forms" | figures | cmp - "$T/formed"
ok $? "templates of a file: the same mean, made or kept"
for bad in "--fit squash,stretch" "--fit crop,crop" "--templates $T/nothing" "--protocol k401"; do
  # shellcheck disable=SC2086
  ev $bad >/dev/null; [ $? -ne 0 ] && [ "$(wc -l <"$T/err")" -eq 1 ]; ok $? "$bad is refused in a sentence"
done
(frames=5000 ev >/dev/null); [ $? -ne 0 ] && [ "$(wc -l <"$T/err")" -eq 1 ]; ok $? "--frames 5000 is refused in a sentence"

# --- killed in the middle, at two places
for after in 1 4; do
  XDG_CACHE_HOME=$T/killed; rm -rf "$T/killed"; export XDG_CACHE_HOME
  "$K" -q -m demo eval retrieval --videos "$T/videos" --texts "$T/texts" --map "$T/map" --media $F --frames 4 >/dev/null & pid=$!
  while kill -0 $pid 2>/dev/null; do
    [ "$(stat -c %s "$T/killed"/kinoseek/*.eval 2>/dev/null || echo 0)" -ge $((16 + (N + after) * (36 + 4 * D))) ] && kill -9 $pid 2>/dev/null && break
  done
  wait $pid 2>/dev/null
  kept=$(( $(records) - N ))
  [ "$kept" -ge "$after" ]; ok $? "killed with $kept of $N films kept"
  ev >"$T/resumed"; is "$(made <"$T/resumed")" "[$kept,$((N - kept))]" "only the others are made"
  figures <"$T/resumed" | cmp - "$T/figures"; ok $? "the same figures"
  is "$(records)" $((2 * N)) "nothing was embedded twice"
done
truncate -s -10 "$(store)"; is "$(ev | made)" "[$((N - 1)),1]" "a record cut short is made again"
is "$(records)" $((2 * N)) "in its place"
printf 'X' | dd of="$(store)" bs=1 seek=$((16 + (N + 2) * (36 + 4 * D) + 40)) conv=notrunc 2>/dev/null
ev >"$T/mended"; is "$(made <"$T/mended")" "[$((N - 1)),1]" "a rotten record is made again"
figures <"$T/mended" | cmp - "$T/figures"; ok $? "the same figures"
XDG_CACHE_HOME=/dev/null/no; export XDG_CACHE_HOME
ev >"$T/nowhere"; figures <"$T/nowhere" | cmp - "$T/figures"; ok $? "where nothing can be kept, too"
grep -q 'cannot be kept: Not a directory' "$T/err"; ok $? "and that is said"
XDG_CACHE_HOME=$T/cache; export XDG_CACHE_HOME

# --- what is missing, and why
mkdir -p "$T/m/deep"
ln -s "$PWD/$F/band.mp4" "$T/m/band.mp4"
ln -s "$PWD/$F/fair.mp4" "$T/m/deep/v_fair.MKV"
echo "no film" >"$T/m/broken.mp4"
printf 'band\nv_fair\nbroken\ngone\n' >"$T/videos"
printf 't1\tmusic\nt2\ta fair\nt3\tnothing\nt4\tnobody\n' >"$T/texts"
printf 'band\tt1\nv_fair\tt2\nbroken\tt3\ngone\tt4\n' >"$T/map"
em() { "$K" -m demo eval retrieval --videos "$T/videos" --texts "$T/texts" --map "$T/map" --media "${media:-$T/m}" "$@" 2>"$T/err"; }
em --json >"$T/some"
is "$(jq .frames "$T/some")" 16 "16 frames where nobody says"
is "$(jq -c '[.missing,.films.made,[.films.missing[].id],.t2v.n]' "$T/some")" '[2,2,["gone","broken"],4]' "films are found by their names, the others named"
grep -q '2 of 4 films are missing and count as wrong' "$T/err" && grep -q 'gone: there is no such film' "$T/err" && grep -q 'broken.mp4' "$T/err"; ok $? "and why"
[ "$(jq '.t2v.r10 <= 0.5' "$T/some")" = true ]; ok $? "a missing one is no hit in the smallest gallery"
em >"$T/out"; head -n 1 "$T/out" | grep -q '^4 videos, 4 texts'; ok $? "for a person"
ln -s "$PWD/$F/harbour.mp4" "$T/m/deep/band.avi"
em >/dev/null; is "$? $(grep -c "^kinoseek: $T/videos:1: $T/m: 'band' has two films" "$T/err")" "4 1" "an id with two films is refused, with its line"
rm "$T/m/deep/band.avi"
mkdir "$T/bare"; (media=$T/bare em >/dev/null); is "$? $(tail -n 1 "$T/err")" "4 kinoseek: no film of the list is to be had in $T/bare: band: there is no such film" "a folder of no films is named"
(media=$T/no em >/dev/null); is "$?" 4 "a folder that is not there"
printf 'band\tband.mp4\nfair\tfair.mp4\n' >"$T/v2"; printf 't1\tmusic\nt2\ta fair\n' >"$T/t2"; printf 'band\tt1\nfair\tt2\n' >"$T/m2"
"$K" -m demo eval retrieval --videos "$T/v2" --texts "$T/t2" --map "$T/m2" --json >"$T/out" 2>"$T/err"
is "$? $(cat "$T/out") $(cat "$T/err")" "4  kinoseek: no film of the list is to be had: band: there is no such film (--media names the folder of the films)" "no film at all is no figure, and --media is named"

# --- what is to be known of a film is said whether its vector is made or kept
mkdir "$T/part"
ffmpeg -v error -i $F/band.mp4 -c copy -f matroska "$T/whole.mkv" 2>/dev/null; head -c $(($(stat -c %s "$T/whole.mkv") * 6 / 10)) "$T/whole.mkv" >"$T/part/cut.mkv"
ln -s "$PWD/$F/fair.mp4" "$T/part/fair.mp4"
printf 'cut\tcut.mkv\nlong\tfair.mp4\t0\t1000\nshort\tfair.mp4\t0\t2\n' >"$T/v3"; printf 't1\tmusic\nt2\ta fair\n' >"$T/t3"; printf 'cut\tt1\nlong\tt2\nshort\tt2\n' >"$T/m3"
for run in first second third; do
  "$K" -m demo eval retrieval --videos "$T/v3" --texts "$T/t3" --map "$T/m3" --media "$T/part" --frames 4 --json >"$T/remark.$run" 2>"$T/err"
  is "$? $(grep -c "cut.mkv: only partly readable: " "$T/err") $(grep -c "fair.mp4: it ends at [0-9.]* s, and was asked for until 1000.000 s" "$T/err") $(jq .films.kept "$T/remark.$run")" \
    "0 1 1 $([ $run = first ] && echo 0 || echo 3)" "a truncated film and a span beyond the end are said, $run run"
done
"$K" eval retrieval --videos "$T/videos" --texts "$T/texts" --map "$T/map" 2>"$T/err"; is "$?" 2 "neither vectors nor films"
