#!/bin/sh
# Every protocol on annotation files in the published formats, with the demo's films under real-looking ids: from the files
# to the figures, held against the vectors of `embed` by brute force (tests/eval_protocols.py). What is of another split,
# stands twice or has no film is refused, or counted and named. Four frames a film, for speed.
set -u
K=$PWD/$BUILD/kinoseek P=tests/eval_protocols.py
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; [ -e "$T/err" ] && sed 's/^/# /' "$T/err"; fi; }
is() { if [ "$1" = "$2" ]; then ok 0 "$3"; else echo "# got: $1"; echo "# want: $2"; ok 1 "$3"; fi; }

python3 $P make "$T" models/demo/films 2>"$T/err"; ok $? "annotations and films are made"
set --; while IFS= read -r one; do set -- "$@" --video "$one"; done <"$T/videos.args"
"$K" -m demo embed --frames 4 "$@" -o "$T/v.npy" 2>"$T/err"; ok $? "their vectors"
set --; while IFS= read -r one; do set -- "$@" --text "$one"; done <"$T/texts.args"
"$K" -q -m demo embed "$@" -o "$T/t.npy" 2>"$T/err"; ok $? "and those of the sentences"

# protocol NAME TASK FILE...
protocol() {
  name=$1 task=$2; shift 2
  for f; do shift; set -- "$@" "$T/$f"; done
  "$K" -m demo eval "$task" --protocol "$name" --media "$T/films" --frames 4 --json --annotations "$@" 2>"$T/err"
}
protocol msrvtt-1k retrieval MSRVTT_JSFUSION_test.csv >"$T/all.jsonl"
is "$(jq -c '[.videos,.missing,.films_published,[.films.missing[].id]]' "$T/all.jsonl")" '[7,1,1000,["video9001"]]' "the film that is absent is counted and named"
protocol vatex retrieval vatex_validation_v1.0.json vatex_test_list.txt >>"$T/all.jsonl"
protocol activitynet retrieval val_1.json >>"$T/all.jsonl"
is "$(tail -n 1 "$T/all.jsonl" | jq -c '[.texts_cut,.films.made+.films.kept]')" '[1,4]' "a paragraph that is cut is counted; v_ may be missing from a film's name"
protocol didemo retrieval didemo_test_data.json >>"$T/all.jsonl"
protocol msvd retrieval AllVideoDescriptions.txt msvd_test_list.txt >>"$T/all.jsonl"
protocol k400 classify kinetics_val.csv >>"$T/all.jsonl"
is "$(tail -n 1 "$T/all.jsonl" | jq -c '[.classes,.templates]')" '[4,"clip-kinetics"]' "k400 by CLIP's templates"
protocol ssv2-temporal classify eval_ssv2_temporal.csv >>"$T/all.jsonl"
protocol ssv2-events classify eval_ssv2_events.csv >>"$T/all.jsonl"
protocol ssv2-events classify something-something-v2-validation.json ssv2_classes.txt >"$T/official.jsonl"
is "$(jq -c '[.task,.n,.classes,.top1,.map]' "$T/official.jsonl")" "$(tail -n 2 "$T/all.jsonl" | jq -c '[.task,.n,.classes,.top1,.map]')" "VideoCon's table and the data set's own file agree"
protocol nextqa-hard choice nextqa-atphard.csv nextqa-atphard-statements.csv >>"$T/all.jsonl"
protocol nextqa-hard choice nextqa_val.csv atp-hard-ct4.txt >"$T/rows.jsonl"
is "$(jq -c '[.variant,.n,.accuracy]' "$T/rows.jsonl")" "$(tail -n 2 "$T/all.jsonl" | head -n 1 | jq -c '[.variant,.n,.accuracy]')" "rows of val.csv by number are VideoCon's table"
protocol charades multilabel Charades_v1_test.csv Charades_v1_classes.txt >>"$T/all.jsonl"
protocol charades-sta choice charades_sta_test.txt >>"$T/all.jsonl"
is "$(tail -n 1 "$T/all.jsonl" | jq -c '[.n,.ties,.missing]')" '[8,2,1]' "a sentence that stands twice for a film ties"
python3 $P judge "$T" "$T/all.jsonl" "$T/official.jsonl" "$T/rows.jsonl" >"$T/said" 2>"$T/err"
is "$(cat "$T/said")" "14 measures" "every figure is that of the vectors"

# --- for a person
"$K" -m demo eval retrieval --protocol msrvtt-1k --media "$T/films" --frames 4 --annotations "$T/MSRVTT_JSFUSION_test.csv" --fit squash,crop >"$T/out" 2>"$T/err"
grep -q 'The source leaves open' "$T/out" && grep -q 'Not the published set: that has 1000 films, the annotations 7' "$T/out"; ok $? "what is open and chosen is said first"
is "$(grep -c '^fit: ' "$T/out") $(grep -c 'LvT-B public' "$T/out")" "2 2" "both fits beside the published figures"

# --- as many films, captions and questions as the published sets have
mkdir "$T/all" && python3 $P full "$T/all" 2>"$T/err"; ok $? "files of the published counts"
while read -r name task films texts files; do
  # shellcheck disable=SC2086
  (cd "$T/all" && "$K" eval "$task" --protocol "$name" --video-vectors "$films.npy" --text-vectors "$texts.npy" --annotations $files) >"$T/out" 2>"$T/err"
  [ $? -eq 0 ] && ! grep -q 'Not the published set' "$T/out" && [ "$(wc -c <"$T/err")" -eq 0 ] && grep -q 'public\|elsewhere' "$T/out"; ok $? "$name as a whole: $films films, $texts texts"
done <"$T/all/full"

# --- refused, with the line
refused() { what=$1 sentence=$2; shift 2; protocol "$@" >"$T/out"; code=$?
  [ $code -eq 4 ] && grep -qF "$sentence" "$T/err" && [ ! -s "$T/out" ]; ok $? "$what"; }
msr=MSRVTT_JSFUSION_test.csv
(cat "$T/$msr"; echo 'ret9,msr7010,video7010,again') >"$T/twice.csv"
refused "a film that stands twice" "twice.csv:9: video_id 'video7010' stands twice" msrvtt-1k retrieval twice.csv
(cat "$T/$msr"; echo 'ret9,msr12,video12,of the first seven thousand') >"$T/mixed.csv"
refused "a caption of another split" "mixed.csv:9: a caption of another split: 'video12'" msrvtt-1k retrieval mixed.csv
(cat "$T/$msr"; echo 'ret9,msr7030') >"$T/short.csv"
refused "a row that is too short" "short.csv:9: 2 fields, the header has 4" msrvtt-1k retrieval short.csv
(cat "$T/$msr"; echo 'ret9,msr7030,video7030,"never closed') >"$T/open.csv"
refused "a quote that is not closed" "open.csv:9: a quote is not closed" msrvtt-1k retrieval open.csv
sed '3s/validate/train/' "$T/kinetics_val.csv" >"$T/kin.csv"
refused "a film of the training split" "kin.csv:3: a record of another split, 'train'" k400 classify kin.csv
cp "$T/$msr" "$T/MSRVTT_train.9k.csv"
refused "a file that is called train" "MSRVTT_train.9k.csv: by its name this is another split" msrvtt-1k retrieval MSRVTT_train.9k.csv
cp "$T/val_1.json" "$T/val_2.json"
refused "the other annotation of the same films" "val_2.json: by its name" activitynet retrieval val_2.json
sed 's/"v_ehGHCYKzyZ8"/"v_QOlSCBRmfWY"/' "$T/val_1.json" >"$T/dup.json"
refused "an id twice in JSON" "dup.json:" activitynet retrieval dup.json
grep -qi 'duplicate' "$T/err"; ok $? "which is said"
jq '. + [.[0]]' "$T/vatex_validation_v1.0.json" >"$T/vdup.json"
refused "a film twice in an array" "vdup.json:$(grep -n '^  {' "$T/vdup.json" | tail -n 1 | cut -d: -f1): video_id '-0CTDDhhmQA_000010_000020' stands twice" vatex retrieval vdup.json
echo 'nobody_000000_000010' >"$T/list.txt"
refused "a film of the list without a caption" "list.txt:1: film 'nobody_000000_000010' has no caption" vatex retrieval vatex_validation_v1.0.json list.txt
sed 's/##.*//' "$T/charades_sta_test.txt" >"$T/sta.txt"
refused "a file that is none of them" "reads charades_sta_test.txt" charades-sta choice sta.txt
(head -n 2 "$T/charades_sta_test.txt"; echo '3MSZA one two##words') >"$T/sta2.txt"
refused "a time that is none" "sta2.txt:3: no time in seconds: 'one'" charades-sta choice sta2.txt
sed '$s/$/ zz/' "$T/ssv2_classes.txt" >"$T/ssv2_other.txt"
refused "a class that no film has" "ssv2_other.txt:$(wc -l <"$T/ssv2_other.txt" | tr -d ' '): no film of the annotations has the class" ssv2-events classify something-something-v2-validation.json ssv2_other.txt
refused "actions without their names" "the list of classes is needed too" charades multilabel Charades_v1_test.csv
sed 's/c001/c009/' "$T/Charades_v1_test.csv" >"$T/acts.csv"
refused "an action that there is not" "no class of the list: 'c009'" charades multilabel acts.csv Charades_v1_classes.txt
(cat "$T/atp-hard-ct4.txt"; echo 4000) >"$T/far.txt"
refused "rows of another file" "far.txt:$(wc -l <"$T/far.txt" | tr -d ' '): numbers row 4000" nextqa-hard choice nextqa_val.csv far.txt
echo 4000 >"$T/beyond.txt"
refused "rows that are all of another file" "beyond.txt:1: numbers row 4000, the annotations have fewer" nextqa-hard choice nextqa_val.csv beyond.txt
echo 99999999999999999999 >"$T/beyond.txt"
refused "a number beyond all files" "beyond.txt:1: no number of a row: '99999999999999999999'" nextqa-hard choice nextqa_val.csv beyond.txt
(cat "$T/atp-hard-ct4.txt"; head -n 1 "$T/atp-hard-ct4.txt") >"$T/rows.txt"
refused "a row that is numbered twice" "rows.txt:$(wc -l <"$T/rows.txt" | tr -d ' '): row $(head -n 1 "$T/atp-hard-ct4.txt") stands in line 1 already" nextqa-hard choice nextqa_val.csv rows.txt
(cat "$T/nextqa-atphard-statements.csv"; sed -n 2p "$T/nextqa-atphard-statements.csv") >"$T/again-statements.csv"
refused "a statement that stands twice" "again-statements.csv:$(wc -l <"$T/again-statements.csv" | tr -d ' '): the row stands in line 2 already" nextqa-hard choice nextqa-atphard.csv again-statements.csv
echo '{"a": [1,}' >"$T/bad.json"
refused "JSON that is none" "bad.json:1:" vatex retrieval bad.json
ln -s "$PWD/models/demo/films/street.mp4" "$T/films/sub/video7010.mkv"
refused "an id with two films" "'video7010' has two films" msrvtt-1k retrieval $msr
rm "$T/films/sub/video7010.mkv"
sed '$s/,[01]$/,maybe/' "$T/eval_ssv2_temporal.csv" >"$T/maybe.csv"
refused "a match that is neither right nor wrong" "maybe.csv:$(grep -n '^"*videos/' "$T/maybe.csv" | tail -n 1 | cut -d: -f1): neither right (1) nor wrong (0): 'maybe'" ssv2-temporal classify maybe.csv
jq '.["v_ehGHCYKzyZ8"].sentences = []' "$T/val_1.json" >"$T/mute.json"
refused "a film without sentences" "mute.json:$(grep -n '"v_ehGHCYKzyZ8"' "$T/mute.json" | cut -d: -f1): no text for film 'v_ehGHCYKzyZ8'" activitynet retrieval mute.json
jq '.["v_ehGHCYKzyZ8"].sentences = ["", " \t"]' "$T/val_1.json" >"$T/blank.json"
refused "a film of blank sentences" "no text for film 'v_ehGHCYKzyZ8'" activitynet retrieval blank.json
jq '.["v_QOlSCBRmfWY"].sentences |= [""] + . + [" "]' "$T/val_1.json" >"$T/padded.json"
is "$(protocol activitynet retrieval padded.json | jq -c '[.t2v,.v2t]')" "$(protocol activitynet retrieval val_1.json | jq -c '[.t2v,.v2t]')" "a blank sentence of a paragraph is none"
awk -F'[_ ]' 'BEGIN { print "VideoID,Start,End,WorkerID,Source,AnnotationTime,Language,Description" }
  /^#/ || !NF { next } { n = NF; split($0, w, " "); id = w[1]; sub(/^[^ ]* /, ""); match(id, /_[0-9]+_[0-9]+$/); split(substr(id, RSTART + 1), t, "_")
  print substr(id, 1, RSTART - 1) "," t[1] "," t[2] ",1,clean,1,English,\"" $0 "\"" }' "$T/AllVideoDescriptions.txt" >"$T/msvd.csv"
protocol msvd retrieval msvd.csv msvd_test_list.txt | jq -c '[.texts,.t2v,.v2t]' >"$T/out"
sed '3i -wa0umYJVGg,271,276,1,clean,1,English,' "$T/msvd.csv" >"$T/gap.csv"
is "$(protocol msvd retrieval gap.csv msvd_test_list.txt | jq -c '[.texts,.t2v,.v2t]') $(grep -c "^kinoseek: $T/gap.csv:3: 1 text of no words is left out" "$T/err")" "$(cat "$T/out") 1" "a row without a description is left out, and said"
awk -F, -v OFS=, '/^-wa0umYJVGg/ { $8 = "" } 1' "$T/msvd.csv" >"$T/gone.csv"
refused "a film whose descriptions are all empty" "gone.csv:2: no text for film '-wa0umYJVGg_271_276'" msvd retrieval gone.csv msvd_test_list.txt
(cat "$T/$msr"; echo 'ret9,msr7030,video7030, ') >"$T/blank.csv"
refused "a caption of no words" "blank.csv:9: text_id 'video7030#7' has no words" msrvtt-1k retrieval blank.csv
sed '2s/,[^,]*$//' "$T/$msr" >"$T/first.csv"
refused "a first row that is too short" "first.csv:2: 3 fields, the header has 4" msrvtt-1k retrieval first.csv
sed '2s/,[0-9]*,[0-9]*,validate/,soon,later,validate/' "$T/kinetics_val.csv" >"$T/soon.csv"
refused "a first row with a time that is none" "soon.csv:2: 'time_start' is not what is expected there" k400 classify soon.csv
refused "a first line of another form" "sta.txt:1: a line is {film} {from} {to}##{text} here" charades-sta choice sta.txt
jq '.["v_QOlSCBRmfWY"].sentences = []' "$T/val_1.json" >"$T/first.json"
refused "a first film without sentences" "first.json:2: no 'sentences'" activitynet retrieval first.json
protocol msrvtt-1k classify $msr >/dev/null; is "$?" 2 "a protocol under another task"
