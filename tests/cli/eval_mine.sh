#!/bin/sh
# eval mine: a person's own sentences and moments. Held against the answers of `search`; read back from what annotation
# tools write; one library beside another with a paired interval.
set -u
K=$BUILD/kinoseek F=models/demo/films
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; [ -e "$T/err" ] && sed 's/^/# /' "$T/err"; fi; }
is() { if [ "$1" = "$2" ]; then ok 0 "$3"; else echo "# got: $1"; echo "# want: $2"; ok 1 "$3"; fi; }
films="animals fruit_bowl street kitchen"
for f in $films; do set -- "$@" "$F/$f.mp4"; done
"$K" -L "$T/lib" -m demo --precision fp32 ingest "$@" >/dev/null 2>"$T/err"; ok $? "a library"
"$K" -L "$T/long" -m demo --precision fp32 ingest --shots off --window 7 --hop 3.5 "$@" >/dev/null 2>"$T/err"; ok $? "and one of other windows, without shots"

grep -E "^($(echo "$films" | tr ' ' '|'))\\.mp4" $F/moments.tsv >"$T/moments"
awk -F'\t' -v f="$F" '{ print $5 "\t" f "/" $1 "@" $2 "-" $3 }' "$T/moments" >"$T/mine.tsv"
# One sentence with two right moments, by the bare name of its film; and sentences that nothing answers.
printf 'a fruit\tfruit_bowl.mp4@0-4.25\na fruit\tfruit_bowl.mp4@21.75-26.75\n# a comment\n' >>"$T/mine.tsv"
grep -v '^#' models/demo/absent.txt | head -n 12 >>"$T/mine.tsv"
grep -v '^#' "$T/mine.tsv" | cut -f 1 | awk '!seen[$0]++' >"$T/words"
mine() { "$K" -L "$T/lib" eval mine "$@" 2>"$T/err"; }
mine "$T/mine.tsv" --json >"$T/got"; ok $? "sentences and moments are judged"
# beside LIBRARY JSON: the figures against the answers of search
beside() {
  for all in --all ""; do
    # shellcheck disable=SC2086
    "$K" -L "$1" search --queries "$T/words" -k 10 --exact --fold off --json $all >"$T/search$all" 2>"$T/err"
  done
  python3 tests/eval_mine.py "$T/mine.tsv" "$T/search--all" "$T/search" "$2" >"$T/said" 2>"$T/err"; sed 's/^/# /' "$T/err"
  is "$(cat "$T/said")" "" "every figure is that of the answers of search, $(basename "$1")"
}
beside "$T/lib" "$T/got"
"$K" -L "$T/long" eval mine "$T/mine.tsv" --json >"$T/far" 2>"$T/err"
beside "$T/long" "$T/far"
is "$(jq -c '[.n,.absent,.missing]' "$T/got")" "[$(($(wc -l <"$T/moments") + 1)),12,0]" "two moments of one sentence are one question"
[ "$(jq '.r1 > 0.5 and .r1_high > .r1_low and .r10 >= .r1' "$T/got")" = true ]; ok $? "the demo finds its own moments"
mine "$T/mine.tsv" --json | cmp - "$T/got"; ok $? "the same twice"
mine "$T/mine.tsv" >"$T/out"; grep -q '^exact .* R@1' "$T/out" && grep -q '^cut-off ' "$T/out" && grep -q 'sentences that nothing here answers' "$T/out"; ok $? "for a person"

# --- what annotation tools hold
r1=$(jq -c '[.n,.r1,.r5]' "$T/got")
grep "@" "$T/mine.tsv" | awk -F'\t' 'BEGIN { print "film,start,end,label" } { split($2, p, "@"); split(p[2], t, "-"); gsub(/"/, "\"\"", $1); print p[1] "," t[1] "," t[2] ",\"" $1 "\"" }' >"$T/mine.csv"
is "$(mine "$T/mine.csv" --json | jq -c '[.n,.r1,.r5]')" "$r1" "the same truth as CSV"
python3 - "$T/mine.csv" "$T/anet.json" <<'END_PY'
import csv, json, os, sys
data = {}
for row in csv.DictReader(open(sys.argv[1])):
    film = data.setdefault(os.path.basename(row["film"]), {"subset": "validation", "annotations": []})
    film["annotations"].append({"segment": [float(row["start"]), float(row["end"])], "label": row["label"]})
json.dump({"version": "1.3", "database": data}, open(sys.argv[2], "w"))
END_PY
is "$(mine "$T/anet.json" --json | jq -c '[.n,.r1,.r5]')" "$r1" "and as ActivityNet has it"
# The folders that FiftyOne and Label Studio are given: truth as clips say it, a label a film, asked beside a list of the same.
printf '%s\n' $films >"$T/kinds"
for f in fiftyone label-studio; do
  "$K" -L "$T/lib" label --labels "$T/kinds" --merge off --in fruit_bowl.mp4 --format $f -o "$T/$f" >/dev/null 2>"$T/err"; ok $? "a $f folder"
done
"$K" -L "$T/lib" label --labels "$T/kinds" --merge off --in fruit_bowl.mp4 --csv >"$T/folder.csv" 2>"$T/err"
want=$(mine "$T/folder.csv" --json | jq -c '[.n,.r1,.r5,.r10]')
is "$(mine "$T/fiftyone" --json | jq -c '[.n,.r1,.r5,.r10]')" "$want" "the folder of FiftyOne"
is "$(mine "$T/label-studio" --json | jq -c '[.n,.r1,.r5,.r10]')" "$want" "the folder of Label Studio"
mkdir "$T/hollow"; mine "$T/hollow" >/dev/null; is "$? $(cat "$T/err")" "4 kinoseek: $T/hollow: a folder without labels.json (FiftyOne) and tasks.json (Label Studio)" "a folder that is none"

# --- one beside another
mine "$T/mine.tsv" --beside "$T/long" --beside "$T/lib" --json >"$T/two"
is "$(jq -c 'select(.figure) | [.figure, (.beside | split("/") | last)]' "$T/two" | tr '\n' ' ')" \
  '["r1","long"] ["r5","long"] ["r1","lib"] ["r5","lib"] ["r1","lib"] ["r5","lib"] ' "each library beside those before"
diff=$(jq -s '([.[] | select(.r1)][1].r1 - [.[] | select(.r1)][0].r1) - ([.[] | select(.figure == "r1")][0].difference) | fabs < 1e-9' "$T/two")
is "$diff" true "the difference is that of the shares"
is "$(jq -c 'select(.figure == "r1") | [.low <= .difference and .difference <= .high]' "$T/two" | sort -u)" '[true]' "intervals hold their differences"
is "$(jq -sc '[.[] | select(.figure == "r1")][1] | [.difference,.low,.high,.better,.worse]' "$T/two")" '[0,0,0,0,0]' "a library beside itself"
mine "$T/mine.tsv" --beside "$T/long" --seed 7 --json >"$T/seven"; mine "$T/mine.tsv" --beside "$T/long" --seed 7 --json | cmp - "$T/seven"; ok $? "a seed gives the same interval"
mine "$T/mine.tsv" --beside "$T/long" | grep -q 'beside .*: R@1 '; ok $? "for a person"

# --- what one of them does not have says nothing about which does better
"$K" -L "$T/half" -m demo --precision fp32 ingest "$F/animals.mp4" "$F/kitchen.mp4" >/dev/null 2>"$T/err"; ok $? "a library of half the films"
mine "$T/mine.tsv" --beside "$T/half" --json >"$T/halved"
own=$(grep -cE '^(animals|kitchen)\.mp4' "$T/moments"); all=$(jq -s '.[0].n' "$T/halved")
is "$(jq -c 'select(.figure) | [.n,.left_out,.worse]' "$T/halved" | tr '\n' ' ')" "[$own,$((all - own)),0] [$own,$((all - own)),0] " "absent films are left out of the comparison"
mine "$T/mine.tsv" --beside "$T/half" >"$T/out"; is "$(grep -c "$((all - own)) sentences are left out" "$T/out")" 2 "which is said"
grep -E 'fruit_bowl.*@' "$T/mine.tsv" >"$T/fruit.tsv"
mine "$T/fruit.tsv" --beside "$T/half" --json >"$T/nothing"; is "$(jq -c 'select(.figure == "r1") | [.n,.difference,.low]' "$T/nothing")" "[0,null,null]" "nothing in common"
mine "$T/fruit.tsv" --beside "$T/half" >"$T/out"; ! grep -q nan "$T/out" && grep -q 'have no sentence in common' "$T/out"; ok $? "and in words"

# --- odd input
printf 'a goat\tnowhere.mp4@0-3\n' >"$T/gone.tsv"
is "$(mine "$T/gone.tsv" --json | jq -c '[.n,.missing,.r1]') $(grep -c 'nowhere.mp4 is not in' "$T/err")" "[1,1,0] 1" "a film that is not in the library counts as wrong, and is named"
is "$(grep -c "gone.tsv:1: nowhere.mp4 is not in $T/lib: \"a goat\" counts as wrong" "$T/err")" 1 "with its line"
printf 'a \033[31mgoat\tnowhere.mp4@0-3\n' >"$T/red.tsv"
mine "$T/red.tsv" >/dev/null; is "$(grep -c "$(printf '\033')" "$T/err") $(grep -c '"a ?\[31mgoat" counts as wrong' "$T/err")" "0 1" "what a terminal would obey is not printed"
for line in 'a goat animals.mp4@0-3' 'a goat animals.mp4' 'a goat my animals.mp4@1:00-1:02.5' 'a goat animals.mp4@4'; do
  printf 'a fruit\tfruit_bowl.mp4@0-4.25\n%s\n' "$line" >"$T/blank.tsv"
  mine "$T/blank.tsv" >"$T/out"; is "$? $(wc -c <"$T/out") $(grep -c "blank.tsv:2: a blank stands where a tab belongs" "$T/err")" "4 0 1" "a blank for the tab: $line"
done
printf 'a fruit\tfruit_bowl.mp4@0-4.25\nmeet me @ 7\nsomebody@home\nyou.\n' >"$T/at.tsv"
is "$(mine "$T/at.tsv" --json | jq -c '[.n,.absent]')" "[1,3]" "sentences that are none of these"
printf 'a fruit\tfruit_bowl.mp4@0-4.25\n\na fruit\tnowhere.mp4@1-2\n' >"$T/second.tsv"
is "$(mine "$T/second.tsv" --json | jq -c '[.n,.missing,.moments_missing]') $(grep -c "second.tsv:3: nowhere.mp4 is not in $T/lib: \"a fruit\" has other moments" "$T/err")" "[1,0,1] 1" "a second moment that is absent"
printf 'a goat\ta.mp4@0-3\na goat\n' >"$T/both.tsv"
mine "$T/both.tsv" >/dev/null; is "$? $(grep -c "both.tsv:2: 'a goat' has a moment, and has none" "$T/err")" "4 1" "a sentence with a moment and none"
printf 'a goat\ta.mp4@5-3\n' >"$T/back.tsv"
mine "$T/back.tsv" >/dev/null; is "$? $(grep -c 'back.tsv:1: ' "$T/err")" "4 1" "an end before its beginning"
film=$(cut -f 2 "$T/mine.tsv" | grep @ | head -n 1 | sed 's/@[^@]*$//')
for far in 100:00-200:00 0-1e9; do
  printf 'a goat\t%s@%s\n' "$film" $far >"$T/far.tsv"
  mine "$T/far.tsv" >/dev/null; is "$? $(grep -c "far.tsv:1: $film: .* s is no part of its" "$T/err")" "4 1" "a moment that the film does not have: $far"
done
no() { mine "$T/$1" >/dev/null; is "$? $(cut -c -200 "$T/err")" "4 kinoseek: $T/$1$2" "$3"; }
printf 'film,start,end,label\nanimals.mp4,0,5,a goat\nanimals.mp4,x,5,a goat\n' >"$T/x.csv"
no x.csv ': line 3: "x" and "5" are no start and end' "a CSV with a time that is none"
awk 'BEGIN { for (i = 0; i < 100000; i++) printf "word "; print "\tanimals.mp4@0-3" }' >"$T/long.tsv"
no long.tsv ":1: a sentence of 500000 bytes: 65536 at most" "a sentence that is no sentence"
printf 'a goat\tanimals.mp4@0-3\n  \n' >"$T/mute.tsv"; no mute.tsv ":2: a sentence of no words" "a sentence of blanks"
printf ' \tanimals.mp4@0-3\n' >"$T/mute.tsv"; no mute.tsv ":1: a sentence of no words" "with a moment, too"
printf 'film,start,end,label\n,0,5,a goat\n' >"$T/nobody.csv"; no nobody.csv ": 'a goat' has a moment of no film" "a moment of no film"
mine "$T/mine.tsv" --fps 0 >/dev/null; is "$?" 2 "no frames a second, even where none are counted"
printf 'a goat\n' >"$T/words.tsv"
no words.tsv ": no line has a moment: sentence, a tab, FILE@A-B" "words alone"
mine "$T/words.tsv" >/dev/null; is "$?" 4 "no moment at all"
: >"$T/empty"; mine "$T/empty" >/dev/null; is "$?" 4 "an empty file"
mine "$T/no" >/dev/null; is "$?" 4 "no file"
mine >/dev/null; is "$?" 2 "no name"
"$K" -L "$T/nolib" eval mine "$T/mine.tsv" >/dev/null 2>"$T/err"; is "$?" 10 "no library"
