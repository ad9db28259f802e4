#!/bin/sh
# The embedded model through the whole program: the demo films are ingested, asked about and labelled.
# Floors, not snapshots: each is some points below what the shipped weights reached (models/demo/README.md).
set -u
K=$BUILD/kinoseek M=models/demo
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
unset NO_COLOR COLUMNS
tab=$(printf '\t')
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; [ -e "$T/err" ] && sed 's/^/# /' "$T/err"; fi; }
floor() { echo "# $3: $1 (floor $2)"; [ "$1" -ge "$2" ]; ok $? "$3"; }
most() { echo "# $3: $1 (at most $2)"; [ "$1" -le "$2" ]; ok $? "$3"; }
k() { lib=$1; shift; "$K" -L "$T/$lib" "$@" 2>"$T/err"; }

grep -v '^#' $M/questions.txt >"$T/asked"
cut -f 1 "$T/asked" >"$T/questions"
grep -v '^#' $M/absent.txt >"$T/absent"
asked=$(wc -l <"$T/asked")

# answers LIBRARY FIRST [FLAGS]: how many questions have the right moment among the first; half a second of overlap.
answers() {
  lib=$1 first=$2; shift 2
  k "$lib" search -k "$first" --queries "$T/questions" --print '{query}{tab}{path:name}{tab}{start}{tab}{end}' "$@" >"$T/hits" || [ $? -eq 1 ] || return
  awk -F'\t' 'NR == FNR { file[$1] = $2; from[$1] = $3; to[$1] = $4; next }
    $2 == file[$1] && $3 < to[$1] - .5 && $4 > from[$1] + .5 && !seen[$1]++ { n++ } END { print n + 0 }' "$T/asked" "$T/hits"
}

# --- retrieval
k films ingest --precision fp32 -m demo $M/films >/dev/null
ok $? "the demo films are ingested"
[ "$asked" -ge 100 ]; ok $? "there are a hundred questions at least"
one=$(answers films 1 --all)
floor "$one" $((asked * 82 / 100)) "the right moment first"
floor "$(answers films 5 --all)" $((asked * 91 / 100)) "the right moment among the first five"
grep "demo\$" "$T/asked" | cut -f 1 >"$T/shown"; mv "$T/questions" "$T/questions.all"; mv "$T/shown" "$T/questions"
floor "$(answers films 1 --all)" 7 "of the ten questions that the demo shows"
mv "$T/questions.all" "$T/questions"

# --- "nothing found"
k films search -k 1 --queries "$T/absent" --print '{query}' >"$T/hits"
most "$(sort -u "$T/hits" | wc -l)" $(($(wc -l <"$T/absent") * 10 / 100)) "sentences about what no film shows that are answered"
floor "$(k films search -k 1 --queries "$T/questions" --print '{query}' | sort -u | wc -l)" $((asked * 85 / 100)) "true questions that are answered"

# --- what README and the demo suggest finds the moment that is meant, and says so
for file in README.md $M/demo.sh; do
  question=$(sed -n 's/^.*Q=\\*"\([^"\\.]*\)\\*" sh bootstrap demo.*$/\1/p' $file | head -n 1)
  [ "$(k films search -k 1 --print '{path:name}' "$question")" = fruit_bowl.mp4 ]; ok $? "$file's \"$question\" is answered"
done

# --- precision: the classes may order close moments otherwise, no more
for p in bf16 int8; do
  k $p ingest --precision $p -m demo $M/films >/dev/null
  floor "$(answers $p 1 --all --precision $p)" $((one - 7)) "$p: the right moment first, near fp32's $one"
done

# --- labels: what happens in a moment, and the exports
grep -E '^(something|two things|the camera)' $M/labels.txt >"$T/labels"
k films label --labels "$T/labels" --merge off --csv >"$T/labels.csv"
sed 1d "$T/labels.csv" | awk -F, '{ n = split($1, p, "/"); print p[n] "\t" $2 "\t" $3 "\t" $4 }' >"$T/said"
awk -F'\t' 'BEGIN { split("left:something moves left|right:something moves right|up:something moves up|down:something moves down|" \
      "grow:something gets bigger|shrink:something gets smaller|bounce:something bounces|spin:something spins|appear:something appears|" \
      "vanish:something disappears|recolour:something changes colour|collide:two things collide|swap:two things swap places|" \
      "zoom_in:the camera zooms in|pan_left:the camera pans left", w, "|"); for (i in w) { split(w[i], p, ":"); says[p[1]] = p[2] } }
  NR == FNR { if ($4 in says) { n++; file[n] = $1; from[n] = $2; to[n] = $3; want[n] = says[$4] } next }
  { mid = ($2 + $3) / 2; for (i = 1; i <= n; i++) if ($1 == file[i] && mid > from[i] && mid < to[i] && $4 == want[i]) right[i] = 1 }
  END { for (i in right) k++; print n + 0, k + 0 }' $M/films/moments.tsv "$T/said" >"$T/counts"
read -r events right <"$T/counts"
[ "$events" -ge 30 ]; ok $? "thirty moments at least have a label of their own"
floor "$right" $((events * 70 / 100)) "moments whose label says what happens"
k films label --labels "$T/labels" --in sports_day.mp4 --format vtt >"$T/vtt"
[ "$(head -n 1 "$T/vtt")" = WEBVTT ] && [ "$(grep -c -- '-->' "$T/vtt")" -ge 3 ]; ok $? "labels as WebVTT"
k films label --labels "$T/labels" --in sports_day.mp4 --json >"$T/json"
[ "$(jq -s 'length >= 3 and all(.end > .start)' "$T/json")" = true ]; ok $? "labels as JSON"

k films label --labels "$T/labels" -k 3 --merge off --json >"$T/clips.json"
k films label --labels "$T/labels" -k 3 --json >"$T/spans.json"
differs=$(python3 tests/label_spans.py "$T/clips.json" "$T/spans.json" 2>&1) && [ -z "$differs" ] && [ -s "$T/spans.json" ]
ok $? "three labels a clip: a span is a run of one rank, its score the mean $(echo "$differs" | head -n 2)"
for name in classes.csv CLASSES.CSV; do
  printf 'id,thing\n0,dog\n1,cat\n' >"$T/$name"
  k films label --labels "$T/$name" >/dev/null
  [ "$?" -eq 4 ] && grep -q "$name: its first line names no column 'name', 'label' or 'class'" "$T/err"; ok $? "$name without a column of names is refused"
done
printf 'star\n' >"$T/star" # a bare name, as a new user types it
k films label --labels "$T/star" --each --json >"$T/json"
[ "$(jq -s 'max_by(.score) | [(.path | endswith("/shapes.mp4")), (.start - 13.25 | fabs) < 1, (.end - 16.75 | fabs) < 1, .score > 0.9] | all' "$T/json")" = true ]; ok $? "--each finds what a bare name says"

# --- windows and hops: films without cuts
for f in harbour fair night_walk; do echo "$M/films/$f.mp4"; done >"$T/uncut"
grep -E "${tab}(harbour|fair|night_walk)\.mp4${tab}" "$T/asked" >"$T/some"; mv "$T/some" "$T/asked"; cut -f 1 "$T/asked" >"$T/questions"
asked=$(wc -l <"$T/asked")
k short ingest --precision fp32 -m demo --window 4 --hop 1 --files-from "$T/uncut" >/dev/null
ok $? "films without cuts, in short windows"
clips() { k "$1" search -k 999 --merge off --all --json --path "*/$2.mp4" x | wc -l; }
few=$(clips films harbour) many=$(clips short harbour)
[ $((2 * many)) -gt $((3 * few)) ]; ok $? "windows of 4 s every second are more clips than those of 8 s every four ($many, $few)"
floor "$(answers short 1 --all)" $((asked * 50 / 100)) "of $asked questions, in windows of 4 s every second"
floor "$(answers films 1 --all --in harbour.mp4)" 3 "of six questions, asked of one film in the usual windows"
