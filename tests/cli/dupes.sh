#!/bin/sh
# dupes on real films: re-encoded, cropped, trimmed, copied, joined, and other films; the demo's films and model.
set -u
K=$BUILD/kinoseek
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; [ -e "$T/err" ] && sed 's/^/# /' "$T/err" | tail -n 5; fi; }
is() { if [ "$1" = "$2" ]; then ok 0 "$3"; else echo "# got: $1"; echo "# want: $2"; ok 1 "$3"; fi; }
F=models/demo/films V=$T/films
mkdir "$V" "$V/old"
k() { "$K" -q -m demo -L "$T/lib" "$@" 2>"$T/err"; }
ff() { ffmpeg -v error -y "$@" -an -preset ultrafast -threads 1; }
for film in street animals office; do cp "$F/$film.mp4" "$V/"; done
ff -i "$F/street.mp4" -vf scale=192:-2 -crf 36 "$V/street_small.mp4"
ff -i "$F/street.mp4" -vf 'crop=iw*0.9:ih*0.9' -crf 24 "$V/street_crop.mp4"
ff -ss 2.3 -i "$F/animals.mp4" -t 15 -crf 24 "$V/animals_part.mp4"
ff -i "$F/office.mp4" -i "$F/animals.mp4" -filter_complex '[0:v]trim=0:12,setpts=PTS-STARTPTS,scale=384:288,fps=30[a];[1:v]trim=8:20,setpts=PTS-STARTPTS,scale=384:288,fps=30[b];[a][b]concat=n=2:v=1' -crf 24 "$V/best_of.mp4"
cp "$F/street.mp4" "$V/old/street.mp4"; touch -d 2001-01-01 "$V/old/street.mp4"
k dupes; is "$?" 10 "no library"
k ingest "$V" >/dev/null; ok $? "ingest"
rows() { jq -r '"\(.group) \(.kind) \(.path | split("/films/")[-1]) \(.keep) \(.why)"'; }
is "$(k dupes --json | rows)" "1 equal old/street.mp4 true the oldest of equal files
1 equal street.mp4 false the same bytes" "equal files, and nothing else"
k dupes --near --json >"$T/near"; is "$?" 0 "--near"
is "$(rows <"$T/near" | grep ' near ' | grep street | cut -d' ' -f2- | sort)" "near old/street.mp4 true the largest picture
near street_crop.mp4 false the same pictures
near street_small.mp4 false the same pictures" "a smaller and a cropped one go, the original stays"
is "$(rows <"$T/near" | grep ' near ' | grep animals | cut -d' ' -f2-)" "near animals.mp4 true the longest
near animals_part.mp4 false a part of the one to keep" "a part goes with the whole"
is "$(jq -r 'select(.kind == "shared") | .path | split("/")[-1]' "$T/near" | sort | uniq -c | awk '{ print $1, $2 }' | tr '\n' '/')" "1 animals.mp4/2 best_of.mp4/1 office.mp4/" "what is joined of two shares a moment with each"
is "$(jq -c 'select(.kind == "shared" and .keep == false)' "$T/near")" "" "and goes for neither"
is "$(jq -r 'select(.kind == "shared" and (.path | endswith("animals.mp4"))) | (.start - 8 | fabs) < 0.2 and (.end - 20 | fabs) < 0.2' "$T/near")" true "which moment"
is "$(jq -s 'all(.cosine > 0.7 and .cosine <= 1.00001) and all(.start < .end)' "$T/near")" true "cosines and times"
is "$(k dupes --near --path 'street*' --json | jq -r '.path | split("/films/")[-1]' | sort | tr '\n' ' ')" "old/street.mp4 old/street.mp4 street.mp4 street_crop.mp4 street_small.mp4 " "--path"
k dupes --path 'office*' >"$T/out"; is "$? $(cat "$T/out")" "1 " "nothing twice: exit 1"
"$K" -L "$T/lib" dupes --near --takes >"$T/out"; is "$? $(tail -n 1 "$T/out")" "0 5 groups; 4 files beside those to keep. Nothing was deleted." "for people"
rm "$V/old/street.mp4"; is "$(k dupes --json | rows)" "1 equal street.mp4 true the other is not where it was
1 equal old/street.mp4 false not where it was" "a file that is gone is none to keep"
k dupes x; is "$?" 2 "it takes no words"
is "$(cd "$V" && ls | wc -l)" 8 "nothing was deleted"
