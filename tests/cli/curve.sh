#!/bin/sh
# `curve`, and `search --explain`: against the catalog's own rows, and the numbers against each other.
set -u
: "${BUILD:=build}"
K=$PWD/$BUILD/kinoseek
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; [ -e "$T/err" ] && sed 's/^/# /' "$T/err"; fi; }
is() { if [ "$1" = "$2" ]; then ok 0 "$3"; else echo "# got: $1"; echo "# want: $2"; ok 1 "$3"; fi; }
k() { "$K" --precision fp32 -L "$T/lib" "$@" 2>"$T/err"; }

k -q -m demo ingest --hop 3 models/demo/films/harbour.mp4; ok $? "a film of long shots is ingested"
words="a ship moves to the left"
"$K" -m demo --precision fp32 embed --text "$words" >"$T/v.json" 2>"$T/err"
k curve harbour.mp4 $words --json >"$T/curve"; ok $? "curve --json"
is "$(python3 tests/curve_brute.py "$T/lib" "$T/v.json" <"$T/curve")" "same $(wc -l <"$T/curve")" "every kept frame, and its cosine, is what the catalog's rows give"
is "$(jq -s '. == sort_by(.t) and (map(.t) | length == (unique | length)) and length > 20' "$T/curve")" true "by time, each time once"
is "$(k curve harbour.mp4 $words --csv | tail -n +2 | awk -F, '{ printf "%.3f %.4f\n", $1, $3 }' | cksum)" \
   "$(jq -r '[.t, .cosine] | @tsv' "$T/curve" | awk '{ printf "%.3f %.4f\n", $1, $2 }' | cksum)" "CSV says the same"

k search --all -k 3 --explain --json $words >"$T/hits"
is "$(jq -s 'all(.explain as $e | $e.terms[0] as $t | ((($t.cosine - $t.level) / $t.unit / $t.cut) | if . > 0 then . else 0 end) as $u |
      ($u * $u / (1 + $u * $u) - .score | fabs) < 1e-4 and ($t.score == .score) and ($t.cosine == .cosine))' "$T/hits")" true \
   "--explain: level, unit and cut-off give the score"
is "$(jq -s --slurpfile c "$T/curve" 'all(.start as $a | .end as $b | [.explain.frames[]] == [$c[] | select(.t >= $a and .t < $b) | {t, cosine, score}])' "$T/hits")" true \
   "--explain: the frames of a moment are the curve's"
is "$(k search --all -k 3 --explain $words | grep -c 'deviations of .* above level')" "$(wc -l <"$T/hits")" "and a line for people"
is "$(k search --all -k 3 --json $words | jq -s 'any(has("explain"))')" false "only where it is asked for"

# --- borders by frames: the moments of this film are known (models/demo/films/moments.tsv); of the last one, a bear that
# blinks, each blink is a shot (it is taken for the rocket: what counts is where it ends)
for q in "0 8 a rocket stands still on black checks" "9 16.25 pufferfish becomes smaller on a checkered background" "17.25 25.25 a rocket"; do
  set -- $q; a=$1; b=$2; shift 2
  is "$(k search --all --refine --json -k 1 "$@" | jq --argjson a $a --argjson b $b '(([.end, $b] | min) - ([.start, $a] | max)) / (([.end, $b] | max) - ([.start, $a] | min)) > 0.85 and .best >= .start and .best < .end')" true "--refine: $*"
done
k search --refine --and snow a ship >/dev/null; is "$?" 2 "--refine of several vectors: wrong use"

# --- of a surveyed film: a question is worth to a picture what it is worth in a search, however it is asked ---
s() { "$K" --precision fp32 -L "$T/surveyed" "$@" 2>"$T/err"; }
s -q -m demo ingest --survey only models/demo/films/harbour.mp4 models/demo/films/office.mp4; ok $? "two films are surveyed"
s search --all --fold off --merge off --json -k 3 $words | jq -c '[.clips, .start, .score]' >"$T/one"
s search --all --fold off --merge off --json -k 3 $words --or "$words" | jq -c '[.clips, .start, .score]' >"$T/two"
is "$(cat "$T/two")" "$(cat "$T/one")" "A or A is A"
is "$(s curve harbour.mp4 $words --json | jq -s 'map(.score) | max | . * 1e4 | round')" \
   "$(s search --all --in harbour.mp4 --json -k 1 $words | jq '.score * 1e4 | round')" "its curve is as high as its best moment"

k curve harbour.mp4 $words >"$T/plot"
is "$(wc -l <"$T/plot") $(python3 -c 'import sys; print(sum(len(x.rstrip("\n")) > 80 for x in open(sys.argv[1], encoding="utf-8")))' "$T/plot")" "10 0" "a plot of eight lines, the times, and a sentence; no wider than 80"
k curve harbour.mp4 $words --svg "$T/c.svg"; is "$? $(python3 -c 'import sys, xml.dom.minidom as m; d = m.parse(sys.argv[1]); print(len(d.getElementsByTagName("polyline")[0].getAttribute("points").split()))' "$T/c.svg")" \
  "0 $(wc -l <"$T/curve")" "an SVG that XML readers take, a point a frame"
before=$(cksum <"$T/c.svg")
k curve harbour.mp4 other words --svg "$T/c.svg"; is "$? $(cksum <"$T/c.svg")" "2 $before" "--svg replaces nothing"
k curve harbour.mp4 'a <b> & "c"' --svg "$T/c.svg" --force; is "$? $(python3 -c 'import sys, xml.dom.minidom as m; print(m.parse(sys.argv[1]).getElementsByTagName("title")[0].firstChild.data)' "$T/c.svg")" \
  '0 a <b> & "c" · harbour.mp4' "--force does, and the words are escaped"
k curve >/dev/null; is "$?" 2 "no words: wrong use"
k curve harbour.mp4 ' ' >/dev/null; is "$?" 2 "blank words: wrong use"
k curve nothing.mp4 a ship >/dev/null; is "$? $(cat "$T/err")" "4 kinoseek: nothing.mp4: not in this library" "an unknown film is named"
k curve harbour.mp4 --json --csv a ship >/dev/null; is "$?" 2 "one of --json, --csv"
k curve harbour.mp4 a ship --json >/dev/full; is "$?" 5 "a full disk is exit 5"
echo no film >"$T/text.mp4"; k -q ingest "$T/text.mp4"
k curve text.mp4 a ship >"$T/out"; is "$? $(wc -c <"$T/out") $(cat "$T/err")" "1 0 kinoseek: no frame of it is in the library" "a film without clips: exit 1, and it is said"
sqlite3 "$T/lib/catalog.db" "UPDATE frame_vectors SET data = zeroblob(8) WHERE clip = 1"
k curve harbour.mp4 $words --json >"$T/less"; is "$? $(grep -c 'kinoseek repair' "$T/err")" "0 1" "a rotten row is left out, and said"
sqlite3 "$T/lib/catalog.db" "DELETE FROM frame_vectors"
k curve harbour.mp4 $words --json >"$T/less"; is "$? $(wc -l <"$T/less")" "0 $(k clips --json | wc -l)" "without frame vectors a clip is a point"
