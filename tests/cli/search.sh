#!/bin/sh
# A day in the life of `search`: what people and their scripts do with the answers.
# A library of sentences (prog_sentences), a small random model: the right answer is known, whatever the weights.
set -u
K=$BUILD/kinoseek top=$PWD
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
unset NO_COLOR COLUMNS KINOSEEK_PLAYER
n=0
ok() { n=$((n + 1)); if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; [ -e "$T/err" ] && sed 's/^/# /' "$T/err"; fi; }
is() { if [ "$1" = "$2" ]; then ok 0 "$3"; else echo "# got: $1"; echo "# want: $2"; ok 1 "$3"; fi; }

mkdir "$T/films" "$T/films/trip"
lake="$T/films/trip/lake day.mp4"
for f in "$lake" "$T/films/city.mp4" "$T/films/home.mp4"; do : >"$f"; done
odd=$(printf '%s/films/b\377d.mp4' "$T"); : >"$odd"
{
  printf '%s\t0\t8\ta boat on the water\n' "$lake"
  printf '%s\t4\t12\ta dog jumping into water\n' "$lake"
  printf '%s\t8\t16\ta dog jumping into water\n' "$lake"
  printf '%s\t16\t24.5\tpeople at a barbecue\n' "$lake"
  printf '%s\t0\t8\ta traffic jam at night\n' "$T/films/city.mp4"
  printf '%s\t3600\t3608\ta tram in the rain\n' "$T/films/city.mp4"
  printf '%s\t0\t8\ta cat on a sofa\n' "$T/films/home.mp4"
  printf '%s\t4\t12\ta child blowing out candles\n' "$T/films/home.mp4"
  printf '%s\t0\t8\tan old film about trains\n' "$odd"
  printf '%s/films/gone.mp4\t0\t8\tsoldiers marching\n' "$T"
} >"$T/list"
"$BUILD/tests/prog_sentences" "$T/lib" "$PWD/tests/fixtures/lvt.npz" "$PWD/tests/fixtures/lvt.spm" <"$T/list" 2>"$T/err"
ok $? "a library of sentences"
k() { "$K" --precision fp32 -L "$T/lib" "$@" 2>"$T/err"; }

# --- JSON
k search --all --json a dog jumping into water >"$T/out"
is "$?" 0 "search exits 0"
is "$(head -n 1 "$T/out" | jq -r '[.rank, .start + 0, .end + 0, (.clips | length)] | map(tostring) | join(" ")')" "1 4 16 2" "two clips are one moment, with its times"
is "$(head -n 1 "$T/out" | jq -r .path)" "$lake" "JSON paths are absolute"
is "$(jq -r '.rank' "$T/out" | tr '\n' ' ')" "$(jq -r '.score' "$T/out" | awk '{print NR}' | tr '\n' ' ')" "ranks count from 1"
is "$(jq -s 'map(.score) == (map(.score) | sort | reverse)' "$T/out")" true "scores fall with the rank"
is "$(jq -s 'all(.score >= 0 and .score <= 1 and .cosine <= 1.0001 and .best >= .start and .best < .end)' "$T/out")" true "scores and times are in range"
is "$(k search --all -k 1 --json an old film about trains | jq -r .path_bytes | base64 -d | od -An -tx1 | tr -d ' \n')" "$(printf '%s' "$odd" | od -An -tx1 | tr -d ' \n')" "a path that is not UTF-8 comes back in base64"
is "$(k search --all -k 3 --json --merge off a dog jumping into water | jq -s 'map(.clips | length) | add')" 3 "--merge off: a clip a hit"
is "$(k search --all -k 2147483647 --json --merge off a dog jumping into water | wc -l)" "$(k clips --json | wc -l)" "a huge -k: all there is"
is "$(k search --json --all --in city.mp4 -k 9 a dog jumping into water | jq -r .path | sort -u)" "$T/films/city.mp4" "--in names one film"
k search --all --not '' a cat >/dev/null; is "$? $(cat "$T/err")" "2 kinoseek search: --not: the words are empty" "--not of nothing is wrong use: it moved every score"
# --- names of films and folders, below what is seen
k search --json zzz lake days >"$T/out"
is "$?" 1 "a name must have all the words"
k search --json the lake days >"$T/out"
is "$? $(jq -c 'select(.by == "name") | [.path, (.start, .end, .best, .score, .cosine | . + 0), .clips]' "$T/out")" "0 [\"$lake\",0,24.5,0,0,0,[]]" "a film that is called so is found, and said to be"
is "$(jq -s 'map(.by) == ((map(.by) | map(select(. == null))) + (map(.by) | map(select(. != null)))) and map(.rank) == [range(1; length + 1)]' "$T/out")" true "names stand below what is seen"
is "$(k search --json --all -k 2 the lake days | jq -rs 'map(.by) | tostring')" "[null,null]" "-k bounds both"
is "$(for w in city home trip; do k search --all -k 1 $w; cat "$T/err"; done | grep -c '^1 more film is called so; -k 2 shows it')" "$(for w in city home trip; do k search --all -k 1 --json $w | jq -r .path; done | paste -d' ' - - - | awk -v t="$T/films/" '{ print ($1 != t "city.mp4") + ($2 != t "home.mp4") + ($3 " " $4 != t "trip/lake day.mp4") }')" "and says where one had no room"
k search the lake days >"$T/out"; grep -q '^ 1  name      .*lake day' "$T/out" && grep -q 'what is listed is called so' "$T/err"; ok $? "people see it as such"
is "$(k search --json trip | jq -r .path)" "$lake" "a folder's name"
is "$(k search --json trip --path city.mp4; echo $?)" 1 "filters hold for names"
is "$(k search --csv the lake days | wc -l) $(k search -0 the lake days | wc -c)" "1 0" "no format has a name as a moment"
printf '%s\t0\t8\ta lake\n' "$T/yt/A lake [dQw4w9] *?\\.mp4" "$T/yt/A lake d.mp4" | "$BUILD/tests/prog_sentences" "$T/yt" "$PWD/tests/fixtures/lvt.npz" "$PWD/tests/fixtures/lvt.spm" 2>"$T/err"
for name in "A lake [dQw4w9] *?\\.mp4" "yt/A lake [dQw4w9] *?\\.mp4" "$T/yt/A lake [dQw4w9] *?\\.mp4" 'A lake \[*'; do
  is "$("$K" --precision fp32 -L "$T/yt" search --json --all --in "$name" a lake 2>"$T/err" | jq -r .path)" "$T/yt/A lake [dQw4w9] *?\\.mp4" "--in $name: a name as it is, else a pattern"
done
is "$(k search --json --all --path 'trip/*' -k 9 a tram in the rain | jq -r .path | sort -u)" "$lake" "--path filters"
is "$(k search --json --all --path trip/ -k 9 a tram in the rain | jq -r .path | sort -u)" "$lake" "--path takes a folder by its name"
is "$(k search --json --all --path "$(dirname "$lake")" -k 9 a tram in the rain | jq -r .path | sort -u)" "$lake" "and by its place"
is "$(k search --all --path nowhere a cat >/dev/null; echo "$? $(cat "$T/err")" | head -n 1)" "1 kinoseek: no clip here passes --path" "a filter that nothing passes is named"
is "$(k search --all --path '*' --after 1999 --in city.mp4 --before 2019-02-15 --json a cat >/dev/null; head -n 1 "$T/err")" "kinoseek: no clip here passes all of --path, --after, --before, --in" "and all of them, where none is to blame alone"
is "$(k search --json --all -k 20 --merge off --sort film a cat | jq -r '[.path, .start] | @tsv' | LC_ALL=C sort -c -t "$(printf '\t')" -k 1,1 -k 2,2n 2>&1)$(k search --json --all -k 20 --merge off --sort film a cat | jq -r '.path' | sort | uniq -c | wc -l)" "$(k search --json --all -k 20 --merge off a cat | jq -r .path | sort -u | wc -l)" "--sort film: by path and time"
is "$(k search --json --all -k 20 --sort date a cat | jq -s 'map(.date) == (map(.date) | sort) and map(.rank) == [range(1; length + 1)]')" true "--sort date: the oldest first, ranks as shown"
is "$(k search --json --all -k 20 --sort film a cat | jq -s 'map(.clips) | sort' -c)" "$(k search --json --all -k 20 a cat | jq -s 'map(.clips) | sort' -c)" "order changes, the answer does not"
is "$(k search --json --all -k 20 --min-score 0.2 a cat | jq -s 'length > 0 and all(.score >= 0.2)')" "$(k search --json --all -k 20 a cat | jq -s 'any(.score >= 0.2)')" "--min-score"
is "$(k search --json --all -k 20 --film-longer 1m a cat | jq -r .path | sort -u)" "$(k search --json --all -k 20 --in city.mp4 a cat | jq -r .path | sort -u)" "--film-longer is of films"
is "$(k search --json --all -k 20 --orientation landscape --min-height 360 a cat | wc -l) $(k search --json --all -k 20 --min-height 361 a cat | wc -l) $(k search --json --all -k 20 --orientation portrait a cat | wc -l)" "$(k search --json --all -k 20 a cat | wc -l) 0 0" "size and shape of films"
is "$(k search --json --all --per-video 1 -k 9 a cat on a sofa | jq -r .path | sort | uniq -d)" "" "--per-video bounds each film"
is "$(k search --json --all --longer 8.2 -k 9 x | jq -r ".start + 0")" "16" "--longer is by clip"
is "$(k search --json --all --longer 8 -k 9 x | jq -r ".start + 0") $("$K" manual kinoseek-search | grep -c "^only clips \(longer\|shorter\) than this")" "16 2" "--longer 8 is not for clips of 8 s, and says so"
is "$(k search --json --all --after 2019-02-15 --before 2019-03-15 -k 9 x | jq -r .path | sort -u)" "$T/films/city.mp4" "--after and --before are dates of films"
is "$(TZ=UTC k search --json --all --before 1970 -k 9 x | jq -r .path)$(TZ=UTC k search --json --all --after 1970 -k 9 x | jq -r .path | sort -u | wc -l)" 5 "and so is the second that all others are counted from"
is "$(k search --json --all --merge off -k 9 --not '#1' a cat on a sofa | jq -s 'map(.clips[0] == 1) | any')" false "--not: no clip that shows it"
is "$(k search --json --all -k 1 soldiers marching | jq .missing)" true "a missing file is said"

# --- pipes
is "$(k search --all -k 1 -0 a dog jumping into water | xargs -0 -n 1 ls)" "$lake" "-0 | xargs -0 ls"
is "$(k search --all -k 2 -0 a dog jumping into water | tr -cd '\0' | wc -c)" 2 "-0 ends each path by NUL"
is "$(k search --all -k 1 --print '{rank}:{path:name}:{start:time}-{end:ms}:{start:tc}:{start:frame}{tab}{score:.1f}' a tram in the rain | cut -f 1)" "1:city.mp4:1:00:00-01:00:08.000:01:00:00;00:107892" "--print: clocks, drop-frame timecode, frames"
is "$(export TZ=UTC; k search --all -k 1 --print '{rank:03d}|{rank:4d}|{rank:2}|{score:7.1f}|{start:s}|{start:010.2f}|{date:%Y/%m}|{date}|{date:%H:%M %%}' a tram in the rain | sed 's/|[^|]*|3600/|S|3600/')" \
  "001|   1| 1|S|3600.000|0003600.00|2019/03|2019-03-02|00:00 %" "--print: widths, seconds, dates"
for form in '{start:banana}' '{start:times}' '{score:time}' '{rank:.3f}' '{rank:1234d}' '{path:stem}' '{date:Y}' '{date:%Q}' '{query:s}' '{tab:2}' '{clips:d}' '{start:}' '{score:.f}'; do
  k search --print "$form" x >/dev/null; is "$? $(grep -cF -- "--print: $form: " "$T/err")" "2 1" "--print $form is wrong use, and says what it takes"
done
k search --print '{nothing}' x >/dev/null; is "$?" 2 "--print with an unknown field is wrong use"
k search --all --json a dog | head -c 10 >/dev/null
( k search --all --json a dog; echo $? >"$T/code" ) | head -c 1 >/dev/null; is "$(cat "$T/code")" 0 "a closed pipe ends with 0"
is "$(wc -c <"$T/err")" 0 "and says nothing"
k search --all --json a dog >/dev/full; is "$?" 5 "a full disk is exit 5"
k search --all --csv -k 2 a dog jumping into water >"$T/hits.csv"
is "$(python3 -c 'import csv,sys; r = list(csv.DictReader(open(sys.argv[1], newline=""))); print(len(r), r[0]["path"], r[0]["start"], r[0]["query"])' "$T/hits.csv")" "2 $lake 4.000 a dog jumping into water" "CSV as python reads it"
for bad in '\377' 'a\0b'; do
  printf "a dog\n\n$bad\n" >"$T/bad"; k search --all --queries "$T/bad" --json >"$T/out"
  is "$? $(cat "$T/err")" "4 kinoseek: $T/bad: line 3 is not UTF-8 text" "a query that is no text: its line is named"
done
k search --all --queries "$T/list" --html "$T/page.html"; is "$? $(ls "$T/page.html" 2>/dev/null)" "2 " "--queries is no page: it held the last one alone"
printf 'a dog jumping into water\n\na tram in the rain\r\n' | k search --all -k 1 --json --queries - >"$T/out"
is "$(jq -r '[.query, .start + 0] | map(tostring) | join("/")' "$T/out" | tr '\n' ' ')" "a dog jumping into water/4 a tram in the rain/3600 " "queries from a file"

# --- bench query
k bench query --rounds 2 --json a dog >/dev/null; is "$?" 2 "bench query takes its words between quotes"
k bench query --rounds 2 --json 'a dog jumping into water' >"$T/out"; is "$?" 0 "bench query"
is "$(jq -r '[.clips, .found, .approximate] | map(tostring) | join(" ")' "$T/out")" "$(k clips --json | wc -l) $(k search --all -k 10 --json 'a dog jumping into water' | wc -l) false" "over all clips, as many moments as search finds"
is "$(jq '.words_seconds > 0 and .seconds > 0 and .limit_seconds > 0 and .limit_gigabytes_per_second > 0 and (.ratio - .seconds / .limit_seconds | fabs) < 1e-3 * .ratio' "$T/out")" true "its seconds, the limit and the ratio of both"
"$K" -L "$T/none" bench query >/dev/null 2>&1; is "$?" 10 "bench query of no library"
TMPDIR=$T k -m demo bench query --made 1000,2000 --rounds 1 --json >"$T/out"; is "$? $(jq -s 'map(.clips), all(.[]; [to_entries[] | select(.key | endswith("seconds")) | .value] | length == 14 and all(. > 0))' -c "$T/out" | tr '\n' ' ')" "0 [1000,2000] true " "bench query --made: whole commands on libraries that it makes"
is "$(ls -d "$T"/kinoseek-* 2>/dev/null)" "" "and takes away again"
TMPDIR=$T k bench query --made 10 >/dev/null; is "$?" 2 "a library of ten clips has too few films"

# --- for people
is "$(k search --all -k 1 a tram in the rain | head -n 1 | grep -c '█.*1:00:00 – 1:00:08.* 2 Mar 2019')" 1 "a bar, times, a date"
is "$(cd "$T/films" && "$top/$K" --precision fp32 -L "$T/lib" search --all -k 1 a dog jumping into water | head -n 1 | grep -c ' trip/lake day.mp4 ')" 1 "a path is shown from where one stands"
is "$(LC_ALL=C k search --all -k 1 a dog jumping into water | LC_ALL=C grep -c '[^ -~]')" 0 "plain ASCII in a plain locale"
is "$(k search --all -k 1 soldiers marching | grep -c 'no longer there')" 1 "a missing file is marked"
is "$(k search --all --raw -k 1 a dog jumping into water | head -n 1 | grep -cE ' 0\.[0-9]{3}  [01]\.[0-9]{4}')" 1 "--raw shows numbers"
k search --path 'nothing*' a dog >"$T/out"; is "$?" 1 "nothing found is exit 1"
is "$(cat "$T/err" "$T/out" | tr '\n' ' ')" "kinoseek: no clip here passes --path Nothing here to look through. " "and no error; said beside the data, not among them"
# Moments are data: what is said about them goes to stderr where stdout is no terminal, and nowhere under -q.
k search --all -k 3 a dog jumping into water >"$T/out"
is "$(grep -c '^ [1-9] ' "$T/out") $(wc -l <"$T/out") $(grep -c '^The best 3 of 10 clips ' "$T/err")" "3 3 1" "a pipe holds moments alone"
is "$(k search a submarine | wc -l) $(grep -c '^Nothing here clearly looks like that. The nearest: ' "$T/err")" "0 1" "and nothing where nothing is found"
k -q search --all a dog jumping into water >"$T/out"; is "$(wc -l <"$T/out") $(wc -c <"$T/err")" "$(k search --all --json a dog jumping into water | wc -l) 0" "-q: no word about them"
k -q search a submarine >"$T/out"; is "$? $(cat "$T/out" "$T/err" | wc -c)" "1 0" "nor that there are none"
KINOSEEK_PLAYER="echo play" k search --all -k 1 --open 1 a dog jumping into water | tail -n 1 >"$T/out"
is "$(cat "$T/out")" "play --start=4.000 $lake" "--open starts the player at the second"
is "$(KINOSEEK_PLAYER='echo {start}|{path}' k search --all --open 1 -k 1 a tram in the rain | tail -n 1)" "3600.000|$T/films/city.mp4" "KINOSEEK_PLAYER fills {path} and {start}"
KINOSEEK_PLAYER=/nowhere/player k search --all --open 1 -k 1 a tram >/dev/null; is "$?" 5 "no such player is exit 5"
is "$(k search --all --html - a dog jumping into water | sed -n '1s/<html.*//p;$p' | paste -sd' '; ls ./- 2>/dev/null)" "<!doctype html> </main></html>" "--html -: the page and nothing else on standard output"
is "$(k search --all --format csv -o - a dog jumping into water; ls ./- 2>/dev/null)" "$(k search --all --csv a dog jumping into water)" "-o -: the lines on standard output"
k search --html - --json x >/dev/null; is "$?" 2 "not beside other lines"
k search --all --html "$T/page.html" a dog jumping into water >/dev/null
is "$(grep -c '<figure>' "$T/page.html")" "$(k search --all --json a dog jumping into water | wc -l)" "--html: a figure a moment"
is "$(grep -c 'https\{0,1\}://' "$T/page.html")" 0 "the page loads nothing from elsewhere"
k search der Hund springt in das Wasser >/dev/null; is "$(grep -c English "$T/err")" 1 "a query that does not look English gets a notice"
k -q search der Hund springt in das Wasser >/dev/null; is "$(wc -c <"$T/err")" 0 "-q: no notice"
if command -v script >/dev/null; then
  narrow=$(COLUMNS=60 script -qec "stty cols 60; LC_ALL=C.UTF-8 TERM=dumb '$K' --precision fp32 -L '$T/lib' search --all -k 3 a dog jumping into water" /dev/null | head -n 3 | awk '{ sub(/\r$/, ""); if (length($0) > most) most = length($0) } END { print (most <= 78) }')
  is "$narrow" 1 "a narrow terminal gets short paths"
  is "$(NO_COLOR=1 TERM=xterm script -qec "'$K' --precision fp32 -L '$T/lib' search --all -k 1 a dog" /dev/null | grep -c "$(printf '\033')")" 0 "NO_COLOR: no colour"
fi

# --- like and similar
clip=$(k search --all -k 1 --json a tram in the rain | jq '.clips[0]')
is "$(k search --like "$clip" --json -k 3 | head -n 1 | jq -r '[.start + 0, (.score > 0.99)] | map(tostring) | join(" ")')" "3600 true" "--like: the clip itself first"
is "$(k similar "$T/films/city.mp4@1:00:03" --json -k 1 | jq ".start + 0")" "3600" "similar FILE@T: the stored clip nearest T is first"
is "$(k similar "$T/films/city.mp4@1:00:03" --json -k 20 --not-self | jq -s 'map(select(.start == 3600)) | length')" 0 "--not-self leaves it out"
is "$(k similar "$T/films/city.mp4" --json -k 20 --not-self --merge off | jq -rs 'map(.path | test("city")) | "\(length) \(any)"')" "8 false" "of a whole film: all of it"
is "$(k similar "$T/films/home.mp4" --json -k 4 | wc -l)" 4 "similar always gives k hits"

# --- wrong use
k search >/dev/null; is "$?" 2 "no words is wrong use"
k search --pth x y >/dev/null; is "$(grep -c 'did you mean --path' "$T/err")" 1 "did you mean"
k serach x >/dev/null; is "$(grep -c 'did you mean search' "$T/err")" 1 "did you mean, for commands"
k search --format maybe x >/dev/null; is "$?" 2 "an unknown format is wrong use"
"$K" -L "$T/none" search x >/dev/null 2>&1; is "$?" 10 "no library is exit 10"
k search --in nowhere.mp4 x >/dev/null; is "$?" 4 "--in a film that is not there is exit 4"
k search "$(printf 'a\377b')" >/dev/null; is "$?" 2 "words that are not UTF-8 are wrong use"
"$K" search x --precision fp32 -L "$T/lib" -k 1 --all --json >"$T/out" 2>/dev/null; is "$(wc -l <"$T/out")" 1 "globals work after the command"
is "$(k status --json | jq '.clips == 10 and .scale.held_out >= 100 and .scale.sentences >= 200')" true "status --json"
is "$(k search --all --json --exact a dog jumping into water)" "$(k search --all --json a dog jumping into water)" "--exact answers the same"
[ "$n" -gt 0 ]

# --- versions: each is a number or says that the library is not here
"$K" --version >"$T/version" 2>"$T/err"; is "$?" 0 "--version"
is "$(for l in 'OpenBLAS' 'sentencepiece' 'libunistring' 'zlib' 'jansson' 'libmd' 'SQLite' 'FAISS' 'xxHash' 'libavcodec' 'libavformat' 'libswscale'; do
  grep -qE "^  $l +(OpenBLAS )?[0-9]+\.[0-9]+" "$T/version" || echo "$l"; done)" "" "--version has a number for every library"
is "$(grep -cE '^  (oneDNN|libcurl) +([0-9]+\.|not here)' "$T/version")" 2 "oneDNN and libcurl too, where they are"
if [ "$(uname -m)" = x86_64 ]; then
  is "$(OPENBLAS_CORETYPE=Nehalem "$K" doctor 2>"$T/err" | grep -c 'OpenBLAS core  *Nehalem; this CPU could run a wider one: OPENBLAS_CORETYPE=')" "$(grep -qw avx2 /proc/cpuinfo && echo 1 || echo 0)" "doctor says that a wider core of OpenBLAS would fit"
fi
is "$("$K" -L not/there/yet doctor --json 2>"$T/err" | jq -c '.places.library | [.path, .free_bytes > 1000]')$("$K" -L not/there/yet doctor | grep -cE ' library +not/there/yet, [0-9.]+ GB free$')" '["not/there/yet",true]1' "doctor: the disk of a library that is to be made here"
long=tests/fixtures/../fixtures/../fixtures/../fixtures/../fixtures/../fixtures/lvt.npz # as long as a pulled model's
is "$("$K" -m $long doctor --json 2>"$T/err" | jq -r '.places.model | "\(.path) \(.dim) \(.dtype)"')" "$long 16 f4" "doctor: the whole path of a model"
is "$(env -u XDG_CACHE_HOME HOME=home "$K" doctor --json 2>"$T/err" | jq .places.cache)" null "doctor: a HOME that is no absolute path has no cache"
is "$("$K" doctor --json 2>"$T/err" | jq -r '(keys == ["decoder", "encoder", "gpu", "index", "machine", "network", "places", "settings", "version"]) and .places.library != null and .places.model != null and .decoder.sandbox != null and .decoder.hwaccels != null')" true "doctor: machine, places, model, sandbox, devices, libraries"
# What a program asks for is a value of its own, never part of a sentence.
"$K" doctor --json >"$T/out" 2>"$T/err"
is "$(jq -c '[.machine.cores, .machine.memory_bytes, .places.model.frames, .places.library.free_bytes] | map(type) | unique' "$T/out")" '["number"]' "doctor --json: numbers are numbers"
is "$(jq -c '[.decoder.sandbox, .decoder.hwaccels, .encoder.cpu_path] | map(type) | unique' "$T/out")" '["array"]' "lists are lists"
# (A GPU is called as its driver calls it: "llvmpipe (LLVM 15.0.6, 256 bits)".)
is "$(jq -r 'del(.gpu | .[keys[] | select(startswith("gpu_"))]) | .. | strings | select(test("; |GB|for this process|\\(|: "))' "$T/out" | grep -cvxF "$(jq -r '.. | .notes? // empty | .[]' "$T/out")")" 0 "sentences stand in notes alone"
is "$("$K" -m nothing doctor --json | jq -c '.places.model | [.name, .path, (.error | length > 9)]')" '["nothing",null,true]' "a model that is not there"

# --- words that come in groups have help too; no words are wrong use
for group in model bench; do
  "$K" $group --help >"$T/help" 2>"$T/err"; is "$?:$(wc -c <"$T/err")" 0:0 "$group --help"
  is "$(grep -cE '^  [a-z]+ +[A-Z]' "$T/help")" "$("$K" $group 2>&1 | tr ',' '\n' | grep -c .)" "$group --help has a line for each of its commands"
  is "$("$K" help $group; "$K" $group -h)" "$(cat "$T/help" "$T/help")" "help $group and $group -h say the same"
done
"$K" help model list >"$T/out"; is "$?:$(head -n 1 "$T/out")" "0:usage: kinoseek model list [options]" "help of one of them"
"$K" help model lst >"$T/out" 2>"$T/err"; is "$?" 2 "help of a word that the group has not"
for words in '' '  '; do
  k search "$words" >"$T/out" 2>"$T/err"; is "$?:$(wc -c <"$T/out")" 2:0 "empty words are wrong use ('$words')"
done
is "$(printf 'a dog jumping into water\n  \n\n' | k search --queries - --all -k 1 --json | wc -l)" 1 "empty lines among queries are left out"

# --- what was meant
is "$("$K" serach x 2>&1)" "kinoseek: there is no command serach (did you mean search?)" "a command nearly right"
is "$("$K" help serach 2>&1)" "kinoseek: there is no command serach (did you mean search?)" "help of it too"
is "$("$K" search --per-vdeo 2 x 2>&1)" "kinoseek search: there is no option --per-vdeo (did you mean --per-video?)" "an option nearly right"
