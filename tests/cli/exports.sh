#!/bin/sh
# Exports are read back by the programs they are for: ffmpeg, ffprobe, mpv and opentimelineio where they are.
# Labels too: JSON lines, CSV, spans.
set -u
K=$BUILD/kinoseek top=$PWD
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; [ -e "$T/err" ] && sed 's/^/# /' "$T/err"; fi; }
is() { if [ "$1" = "$2" ]; then ok 0 "$3"; else echo "# got: $1"; echo "# want: $2"; ok 1 "$3"; fi; }

film="$T/sea & sand; #1 = 100%.mp4"
ffmpeg -v error -f lavfi -i testsrc2=s=160x90:r=30000/1001 -t 40 -c:v libx264 -preset ultrafast -g 30 "$film" 2>"$T/err"
ok $? "a film of 40 s"
ffmpeg -v error -ss 2 -i "$film" -frames:v 1 "$T/thumb.jpg" 2>"$T/err"
tab=$(printf '\t')
cat >"$T/list" <<END
$film${tab}2.002${tab}10.01${tab}a dog jumping into water
$film${tab}12.012${tab}20.02${tab}a boat on the water
$film${tab}16.016${tab}24.024${tab}a boat on the water
$film${tab}30.03${tab}38.038${tab}people at a barbecue
$T/other.mp4${tab}0${tab}8${tab}a traffic jam at night
END
"$top/$BUILD/tests/prog_sentences" "$T/lib" "$top/tests/fixtures/lvt.npz" "$top/tests/fixtures/lvt.spm" "$T/thumb.jpg" <"$T/list" 2>"$T/err"
ok $? "a library of sentences"
k() { "$K" --precision fp32 -L "$T/lib" "$@" 2>"$T/err"; }
film() { k search --all -k 9 --in "$film" "$@" "a boat on the water; & <> = #"; }

# --- one film: chapters
film --format ffmetadata >"$T/chapters.txt"
ffmpeg -v error -y -i "$film" -i "$T/chapters.txt" -map_metadata 1 -map_chapters 1 -map 0 -c copy "$T/with.mkv" 2>"$T/err"
ok $? "ffmpeg takes the chapters"
is "$(ffprobe -v error -show_chapters -of json "$T/with.mkv" | jq -r '.chapters | map(.start_time[:-3]) | join(" ")')" "2.002 12.012 30.030" "they start where the moments do"
is "$(ffprobe -v error -show_chapters -of json "$T/with.mkv" | jq -r '.chapters[0].tags.title')" "a boat on the water; & <> = #" "and are called as asked, odd characters and all"
k clips --in "$film" --format ffmetadata >"$T/over.ffmeta"; ffmpeg -v error -y -i "$film" -i "$T/over.ffmeta" -map_chapters 1 -map 0 -c copy "$T/over.mkv" 2>"$T/err"
is "$(ffprobe -v error -show_chapters -of json "$T/over.mkv" | jq -r '.chapters | map((.start_time, .end_time)[:-3]) | join(" ")')" "2.002 10.010 12.012 20.020 16.016 24.024 30.030 38.038" "chapters that overlap keep their ends"
"$K" -L "$T/lib" search --path none.mp4 --format mpv-edl -o "$T/none.edl" a boat >/dev/null 2>"$T/err"; is "$? $(ls "$T/none.edl" 2>/dev/null)" "1 " "nothing found is no EDL, which mpv would refuse"
film --format vtt >"$T/hits.vtt"
is "$(ffprobe -v error -show_packets -of json "$T/hits.vtt" 2>"$T/err" | jq -r '.packets | map(.pts_time) | join(" ")')" "2.002000 12.012000 30.030000" "WebVTT as ffmpeg reads it"
is "$(ffmpeg -v error -i "$T/hits.vtt" -f srt - 2>/dev/null | sed -n 3p | sed 's/&amp;/\&/; s/&lt;/</; s/&gt;/>/')" "a boat on the water; & <> = #" "its text is escaped"
film --format srt >"$T/hits.srt"
is "$(ffmpeg -v error -i "$T/hits.srt" -f srt - 2>/dev/null | sed -n 3p)" "a boat on the water; & ‹› = #" "SubRip has nothing that ffmpeg takes for a tag"
k search --all --format vtt a boat >/dev/null; is "$?" 2 "chapters of several films are wrong use"

# --- edit lists
film --format mpv-edl >"$T/hits.edl"
is "$(head -n 1 "$T/hits.edl")" "# mpv EDL v0" "mpv EDL"
printf '%s\t13.2666667\t16.7666667\ta dog\n' "$T/thirds.mp4" | "$top/$BUILD/tests/prog_sentences" "$T/thirds" "$top/tests/fixtures/lvt.npz" "$top/tests/fixtures/lvt.spm" 2>"$T/err"
is "$("$K" --precision fp32 -L "$T/thirds" search --all a dog --format mpv-edl 2>"$T/err" | sed -n 's/^.*mp4,\([^,]*\),\([^,]*\),.*/\1 \2/p' | awk '{ print ($1 > 13.26665 && $1 < 13.266667 && $1 + $2 > 16.76665 && $1 + $2 < 16.766667) }')" 1 "a range holds its first frame, and not the first of what comes next"
if command -v mpv >/dev/null; then
  length=$(mpv --no-config --vo=null --ao=null --frames=1 --term-playing-msg='LENGTH=${=duration}' "$T/hits.edl" 2>&1 | sed -n 's/.*LENGTH=//p')
  is "$(echo "${length:-0}" | awk '{ print ($1 > 27.9 && $1 < 28.2) }')" 1 "mpv plays 28 s of it"
fi
film --format cmx3600 >"$T/hits.cmx"
is "$(grep -c '^FCM: DROP FRAME' "$T/hits.cmx")" 1 "CMX 3600: drop frame for 29.97"
is "$(film --json -k 1 | jq -r '.start')" "$(film --json -k 1 | jq -r '.start')" "answers repeat"
is "$(sed -n 's/^001  AX       V     C        \([^ ]* [^ ]*\) \([^ ]*\) .*/\2/p' "$T/hits.cmx")" "01:00:00;00" "its record side starts at one hour"
is "$(grep -oE '00:00:02;00 00:00:10;00|00:00:12;00 00:00:24;00|00:00:30;00 00:00:38;00' "$T/hits.cmx" | wc -l)" 3 "its timecodes are the moments'"
film --format otio >"$T/hits.otio"
is "$(jq -r '.tracks.children[0].children | map(.source_range.start_time.value | tostring) | sort_by(tonumber) | join(" ")' "$T/hits.otio")" "60 360 900" "OTIO: frame numbers at the film's rate"
is "$(jq -r '.tracks.children[0].children[0].media_references.DEFAULT_MEDIA.target_url' "$T/hits.otio" | sed 's/%20/ /g; s/%26/\&/; s/%3B/;/; s/%23/#/; s/%3D/=/; s/%25/%/')" "file://$film" "OTIO: the film's URL"
if python3 -c 'import opentimelineio' 2>/dev/null; then
  is "$(python3 -c 'import opentimelineio as o, sys; t = o.adapters.read_from_file(sys.argv[1]); print(len(list(t.tracks[0])))' "$T/hits.otio" 2>"$T/err")" 3 "opentimelineio reads it"
fi

# --- every rate: numbers and timecodes against counting label after label
labels() { python3 - "$1" "$2" <<'PY'
import sys
from fractions import Fraction
rate, frame = Fraction(sys.argv[1]), int(sys.argv[2])
whole = round(rate); drop = {30: 2, 60: 4}.get(whole, 0) if rate.denominator == 1001 else 0
h = m = s = f = 0
for _ in range(frame):
    f += 1
    if f == whole: f = 0; s += 1
    if s == 60:
        s = 0; m += 1
        if drop and m % 10: f = drop
    if m == 60: m = 0; h += 1
print("%02d:%02d:%02d%s%02d" % (h, m, s, ";" if drop else ":", f))
PY
}
for rate in 24000/1001 30000/1001 60000/1001 24 25 50; do
  name=$(echo "$rate" | tr / _); a=43210; b=43333
  python3 -c 'import sys; from fractions import Fraction as F; r = F(sys.argv[1]); print("%s\t%.6f\t%.6f\ta boat on the water\t%.6f" % ("/films/a.mp4", 43210 / r, 43333 / r, r))' "$rate" >"$T/list"
  "$top/$BUILD/tests/prog_sentences" "$T/at_$name" "$top/tests/fixtures/lvt.npz" "$top/tests/fixtures/lvt.spm" <"$T/list" 2>"$T/err"
  at() { "$K" --precision fp32 -L "$T/at_$name" search --all "$@" a boat 2>"$T/err"; }
  is "$(at --format otio | jq -r '.tracks.children[0].children[0].source_range | [.start_time.value, .duration.value, (.start_time.rate * 1000 | round)] | map(tostring) | join(" ")')" \
    "$a $((b - a)) $(python3 -c "print(round($rate * 1000))")" "$rate: OTIO has the frames"
  is "$(at --format cmx3600 | sed -n 's/^001  AX       V     C        //p' | cut -d ' ' -f 1,2)" "$(labels "$rate" $a) $(labels "$rate" $b)" "$rate: timecodes"
  at --format otio >"$T/at_$name.otio"; at --format cmx3600 >"$T/at_$name.edl"
  if python3 -c 'import opentimelineio, otio_cmx3600_adapter' 2>/dev/null; then
    is "$(python3 -c 'import opentimelineio as o, sys; from fractions import Fraction as F; r = float(F(sys.argv[2]))
for f, k in ((sys.argv[1] + ".otio", {}), (sys.argv[1] + ".edl", {"rate": r})):
    c = list(o.adapters.read_from_file(f, **k).find_clips())[0].source_range
    print(round(c.start_time.value), round(c.duration.value), end=" ")' "$T/at_$name" "$rate" 2>"$T/err")" "$a $((b - a)) $a $((b - a)) " "$rate: opentimelineio reads both alike"
  fi
done

# --- a name that is no UTF-8: readers of a text format refuse all of it for one such byte
latin="$T/$(printf 'na\357ve.mp4')"; cp "$film" "$latin"
printf '%s\t0\t8\ta boat on the water\n' "$latin" >"$T/list"
"$top/$BUILD/tests/prog_sentences" "$T/latin" "$top/tests/fixtures/lvt.npz" "$top/tests/fixtures/lvt.spm" <"$T/list" 2>"$T/err"
for format in jsonl csv vtt ffmetadata cmx3600 otio; do
  "$K" --precision fp32 -L "$T/latin" similar "$latin" --format $format >"$T/latin.$format" 2>"$T/err"
  is "$? $(python3 -c 'import sys; t = open(sys.argv[1], encoding="utf-8").read().replace("\\ufffd", "\ufffd"); print("\ufffd" in t or "na%EFve" in t)' "$T/latin.$format" 2>"$T/err")" "0 True" "$format is UTF-8, also of a name that is not"
done
is "$(jq -r .path_bytes "$T/latin.jsonl" | base64 -d)" "$latin" "JSON has its bytes"
is "$(python3 -c 'import csv, os, sys, urllib.request as u; p = next(csv.DictReader(open(sys.argv[1], newline="", encoding="utf-8")))["path"]; print(p[:7], u.url2pathname(p[7:]).encode("utf-8", "surrogateescape") != b"", os.fsencode(sys.argv[2]) == __import__("urllib.parse").parse.unquote_to_bytes(p[7:]))' "$T/latin.csv" "$latin" 2>"$T/err")" "file:// True True" "CSV has its file: URL"
"$K" --precision fp32 -L "$T/latin" similar "$latin" --format fiftyone -o "$T/latin51" 2>"$T/err"; is "$(jq -r '.[]' "$T/latin51/data.json" | sed 's/.*\///')" "na%EFve.mp4" "and so has FiftyOne's manifest"
is "$("$K" -L "$T/latin" labels said --read "$T/latin51" 2>"$T/err")" "said: 1 said, in a set that is new." "which is read back"
"$K" --precision fp32 -L "$T/latin" similar "$latin" --format hf -o "$T" 2>"$T/err"; is "$? $(ls "$T/metadata.jsonl" 2>/dev/null)" "2 " "hf names no such film: said before the first byte"

# --- cut
film --json | "$K" cut --hits - --reencode --to "$T/pieces" >"$T/out" 2>"$T/err"
is "$?" 0 "search --json | cut"
is "$(ls "$T/pieces" | wc -l)" 3 "a piece a moment"
is "$(for p in "$T"/pieces/*; do ffprobe -v error -count_frames -select_streams v -show_entries stream=nb_read_frames -of csv=p=0 "$p"; done | tr '\n' ' ' | tr -d , | xargs -n 1 | sort -n | tr '\n' ' ')" "240 240 360 " "exact to the frame when re-encoded"
"$K" cut "$film@0:05-0:06.5" --to "$T/copy" >/dev/null 2>"$T/err"; is "$?" 0 "a copy needs no key frame at its start"
is "$(ffmpeg -v error -xerror -i "$(ls "$T"/copy/*)" -f null - 2>&1 | wc -l)" 0 "and decodes without a fault"
"$K" cut "$film@6-5" --to "$T/copy" >/dev/null 2>&1; is "$?" 2 "an end before its start is wrong use"
is "$("$K" cut "$film@1-2" --json --to "$T/copy" | jq -r .path)" "$film" "its JSON has the film's whole path"
is "$(cd "$T" && "$top/$K" cut "./${film##*/}@1-2" --json --to "$T/copy" | jq -r .path)" "$film" "wherever one stands"
printf 'a dog\n' | "$K" cut --hits - --to "$T/copy" >/dev/null 2>"$T/err"; is "$? $(cat "$T/err")" "4 kinoseek: -: its first line names no column \"path\" with \"start\" and \"end\"" "one sentence for a line that is no hit"
# Red, 58 frames of green from frame 100 on, blue: no change lies on a millisecond.
ffmpeg -v error -f lavfi -i color=red:s=64x64:r=30:d=10 -vf "drawbox=c=lime:t=fill:enable='between(n,100,157)',drawbox=c=blue:t=fill:enable='gte(n,158)'" -frames:v 240 \
  -c:v libx264 -x264-params keyint=1000:scenecut=0 -force_key_frames 'expr:eq(n,100)+eq(n,158)' "$T/rgb.mp4" 2>"$T/err"
frames() { ffmpeg -v error -i "$1" -vf scale=1:1 -f rawvideo -pix_fmt rgb24 - | od -An -v -tu1 -w3 | awk '{ print ($1 > 128 ? "r" : $2 > 128 ? "g" : "b") }' | uniq -c | xargs; }
"$K" cut "$T/rgb.mp4@3.333-5.267" "$T/rgb.mp4@5.267-8" --reencode --to "$T/rgb" >/dev/null 2>"$T/err"
is "$(frames "$T/rgb/01-rgb-0h00m03s-0h00m05s.mp4"), $(frames "$T/rgb/02-rgb-0h00m05s-0h00m08s.mp4")" "58 g, 82 b" "times rounded to milliseconds lose no frame and take none of the next scene"
"$K" cut "$T/rgb.mp4@3.333-5.267" "$T/rgb.mp4@5.267-8" --to "$T/rgbcopy" >/dev/null 2>"$T/err"
is "$(frames "$T/rgbcopy/01-rgb-0h00m03s-0h00m05s.mp4"), $(frames "$T/rgbcopy/02-rgb-0h00m05s-0h00m08s.mp4")" "58 g, 82 b" "a copy begins with the key frame that is there"
long=$(printf 'x'; printf '\343\201\202%.0s' $(seq 70)); cp "$film" "$T/$long.mp4"
is "$("$K" cut "$T/$long.mp4@1-2" --to "$T/long")" "$T/long/01-$(printf %s "$long" | head -c 100)-0h00m01s-0h00m02s.mp4" "a long name is cut between characters"
mkdir "$T/bin"; cp "$K" "$T/bin/kinoseek" # beside a decoder that may not write more than a few blocks
printf '#!/bin/sh\ntrap "" XFSZ; ulimit -f 16; exec "%s" "$@"\n' "$top/$BUILD/kinoseek-decode" >"$T/bin/kinoseek-decode"; chmod +x "$T/bin/kinoseek-decode"
"$T/bin/kinoseek" cut "$film@0-30" --to "$T/full" >/dev/null 2>"$T/err"
is "$? $(sed 's/\.mp4: [A-Z].*/.mp4/' "$T/err")" "5 kinoseek: $T/full/01-sea & sand; #1 = 100%-0h00m00s-0h00m30s.mp4" "an output that cannot be written: exit 5, and its name"
is "$(ls "$T/full")" "" "nothing is left of it"
for signal in INT TERM KILL; do timeout -s $signal 0.3 "$K" cut "$film@0-40" "$film@0-39" "$film@0-38" "$film@0-37" --reencode --to "$T/stopped" >/dev/null 2>&1; done
is "$(ls "$T/stopped" | grep -v '^0[1-4].*-0h00m00s-0h00m[34][0-9]s\( ([23])\)\{0,1\}\.mp4$')" "" "a cut that is stopped leaves whole pieces alone"
"$K" cut "$T/none.mp4@1-2" --to "$T/copy" >/dev/null 2>&1; is "$?" 4 "a film that is not there is exit 4"

# --- thumbnails
k search --all -k 1 --pictures kitty a dog >"$T/kitty"
is "$(grep -c "$(printf '\033')_Ga=T,f=24,s=" "$T/kitty")" 1 "kitty gets a picture"
k search --all -k 1 --pictures sixel a dog >"$T/sixel"
is "$(grep -c "$(printf '\033')Pq" "$T/sixel")" 1 "sixels"
k search --all --html "$T/page.html" a dog >/dev/null
is "$(grep -o 'data:image/jpeg;base64,[^"]*' "$T/page.html" | head -n 1 | cut -d, -f 2 | base64 -d | cmp - "$T/thumb.jpg" && echo same)" same "the page holds the thumbnails"

# --- labels
printf 'a dog jumping into water\na boat on the water\npeople at a barbecue\n' >"$T/labels"
k label --labels "$T/labels" --template '{}' --json --in "$film" >"$T/labels.json"; is "$?" 0 "label exits 0"
is "$(jq -r '[.start + 0, .end + 0, .label] | map(tostring) | join("/")' "$T/labels.json" | tr '\n' ' ')" "2.002/10.01/a dog jumping into water 12.012/24.024/a boat on the water 30.03/38.038/people at a barbecue " "each clip its label, equal neighbours one span"
is "$(k label -l "$T/labels" --template '{}' --json --in "$film" --merge off | wc -l)" 4 "--merge off: a clip a row"
is "$(k label -l "$T/labels" --template '{}' --json --in "$film" --merge off -k 3 | jq -s 'map(.score) | add | . > 3.999 and . < 4.001')" true "the softmax over all labels sums to one a clip"
cat "$T/labels" "$T/labels" >"$T/twice"
is "$(k label -l "$T/twice" --template '{}' --json --in "$film" -k 4 | cksum)" "$(k label -l "$T/labels" --template '{}' --json --in "$film" -k 4 | cksum)" "a label that stands twice is one"
seq 70 >"$T/many"
is "$(k label -l "$T/many" --template '{}' --json --in "$film" --merge off -k 100 | jq -c '[.start, .rank]' | sort -u | wc -l)" 280 "-k beyond the labels: each clip has them all"
is "$(k label -l "$T/many" --template '{}' --json --in "$film" --merge off -k 70 | jq -s 'group_by(.start) | map(sort_by(.rank) | map(.cosine)) | all(. == (sort | reverse))')" true "best first"
is "$(k label -l "$T/labels" --per-video --json | wc -l)" 2 "--per-video: a film a row"
k label -l "$T/labels" --template '{}' --json --in "$film" --merge off -k 3 | jq -s 'group_by(.label) | map(max_by(.score) | {"label": .label, score, cosine}) | sort_by(-.score)' >"$T/best.json"
is "$(k label -l "$T/labels" --template '{}' --per-video --json --in "$film" -k 3 | jq -cs 'map({"label": .label, score, cosine})')" "$(jq -c . "$T/best.json")" "--per-video: a label is as true of a film as of its best clip"
is "$(k label -l "$T/labels" --template '{}' --per-video --json --in "$film" -k 3 | jq -r '[.rank, .start, .end] | map(tostring) | join("/")' | tr '\n' ' ')" "1/2.002/38.038 2/2.002/38.038 3/2.002/38.038 " "over the whole of it"
k label -l "$T/labels" --template '{}' --csv >"$T/labels.csv"
is "$(python3 -c 'import csv,sys; r = list(csv.DictReader(open(sys.argv[1], newline=""))); print(len(r), sorted(r[0]))' "$T/labels.csv")" "4 ['cosine', 'end', 'label', 'path', 'rank', 'score', 'start', 'video']" "labels as python reads CSV"
printf 'id,name\n0,abseiling\n1,"catching, or throwing, a ""ball"""\n' >"$T/k400.csv"
# The second time nothing is encoded; without the kept vectors, with damaged ones, without a cache the answer is the same.
answers() { k label -l "$T/labels" --template 'a {}' --merge off -k 3 --json; }
answers >"$T/first"; kept=$(echo "$T"/cache/kinoseek/*.vectors)
is "$(stat -c %a "$kept")" 600 "the vectors of labels are kept, for their owner"
grep -q "barbecue" "$kept"; is "$?" 1 "and do not say what the labels are"
is "$(answers | cmp - "$T/first" && cat "$T/err")" "" "the same from the kept ones"
printf x | dd of="$kept" bs=1 seek=90 conv=notrunc 2>/dev/null
is "$(answers | cmp - "$T/first" && cat "$T/err")" "" "and after damage, without a word"
rm "$kept" && mkdir "$kept"
is "$(answers | cmp - "$T/first" && cat "$T/err")" "" "and where they cannot be kept"
rmdir "$kept"
is "$(XDG_CACHE_HOME=/dev/null answers | cmp - "$T/first" && echo same)" same "and without a cache"
is "$(k label -l "$T/k400.csv" --per-video -k 2 --json --in "$film" | jq -r .label | sort | tr '\n' '/')" 'abseiling/catching, or throwing, a "ball"/' "a class list of a data set, as it is"
k label -l "$T/labels" extra >/dev/null; is "$? $(cat "$T/err")" "2 kinoseek label: extra: it takes no words; --labels names the file of labels, --in a film" "a word too many is named"
printf 'id, name\n0, abseiling\n1, "catching, or throwing, a ""ball"""\n' >"$T/spaced.csv"
is "$(k label -l "$T/spaced.csv" --per-video -k 2 --json --in "$film" | jq -r .label | sort | tr '\n' '/')" 'abseiling/catching, or throwing, a "ball"/' "with a blank behind each comma, too"
for set in k400:400 k600:600 k700:700 activitynet:200 UCF101:101 hmdb51:51 ssv2:174 mit:339; do
  is "$(sort -u models/labels/$(echo "${set%:*}" | tr A-Z a-z).txt | grep -c .)" "${set#*:}" "the label set ${set%:*} is whole"
done
is "$(k label -l HMDB51 --template '{}' --per-video -k 99 --json --in "$film" | jq -r .label | sort | cksum)" "$(sort models/labels/hmdb51.txt | cksum)" "--labels hmdb51: a set that ships, by name"
echo 'a dog' >"$T/hmdb51"; is "$(k label -l "$T/hmdb51" --template '{}' --per-video -k 9 --json --in "$film" | jq -r .label)" "a dog" "a path is the file"
echo '{"templates":["{}"],"labels":["a boat on the water",{"name":"pets","prompts":["a dog jumping into water","a dog jumping into water"]},{"name":"meal","prompts":["people at a {}","people at a barbecue"],"not":["a cat"]}]}' >"$T/set.json"
is "$(k label -l "$T/set.json" --json --merge off --in "$film" | head -n 1 | jq -r .label)" "pets" "labels with sentences of their own, from JSON"
: >"$T/empty"; k label -l "$T/empty" >/dev/null; is "$?" 4 "no labels is exit 4"
k label -l "$T/none" >/dev/null; is "$?" 4 "no such file is exit 4"
is "$(k label -l "$T/labels" --least 2)" "No label scores as high as that." "--least above all: said as it is"
k label -l "$T/labels" --template 'no hole' >/dev/null; is "$?" 2 "a template without {} is wrong use"
k label -l "$T/labels" --template '{}' --merge off -k 2 --format ffmetadata --in "$film" >"$T/two.ffmeta"
ffmpeg -v error -y -i "$film" -i "$T/two.ffmeta" -map_chapters 1 -map 0 -c copy "$T/two.mkv" 2>"$T/err"
is "$(ffprobe -v error -show_chapters -of json "$T/two.mkv" | jq -r '.chapters | "\(length) \(map((.end_time | tonumber) > (.start_time | tonumber)) | all) \(.[0].tags.title | split(", ")[0])"')" "4 true a dog jumping into water" "labels that begin together are one chapter, the best first"
is "$(k label -l "$T/labels" --template '{}' --format vtt --in "$film" | grep -c -- '-->')" 3 "labels as WebVTT"
