#!/bin/sh
# Labels that stay: label --store, labels, corrections by hand and from tools, search --label, kills in between.
# A library of sentences (prog_sentences), a small random model: the right answer is known, whatever the weights.
set -u
K=$BUILD/kinoseek
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; [ -e "$T/err" ] && sed 's/^/# /' "$T/err" | tail -n 5; fi; }
is() { if [ "$1" = "$2" ]; then ok 0 "$3"; else echo "# got: $1"; echo "# want: $2"; ok 1 "$3"; fi; }
mkdir "$T/films"; lake="$T/films/lake.mp4" pier="$T/films/pier.mov"; : >"$lake"; : >"$pier"
made() { "$BUILD/tests/prog_sentences" "$T/lib" tests/fixtures/lvt.npz tests/fixtures/lvt.spm 2>"$T/err"; }
printf '%s\t0\t8\ta dog jumping into water\n%s\t8\t16\ta boat on the water\n%s\t0\t8\ta traffic jam\n%s\t8\t16\ta dog jumping into water\n' "$lake" "$lake" "$pier" "$pier" | made
ok $? "a library of sentences"
k() { "$K" --precision fp32 -L "$T/lib" "$@" 2>"$T/err"; }
at() { jq -r '"\(.path | split("/")[-1]) \(.start + 0)-\(.end + 0) \(.label)\(if .said then " said" else "" end)"' | tr '\n' '/'; }
printf 'name,parent\na dog jumping into water,animal\na boat on the water,thing\na traffic jam,thing\n' >"$T/l.csv"
label() { k label -l "$T/l.csv" --template '{}' --store things "$@"; }

# --- stored, once
k labels >"$T/out"; is "$? $(cat "$T/out")" "1 No labels are kept here: kinoseek label --labels FILE --store SET keeps them." "no labels yet"
k labels things; is "$? $(cat "$T/err")" "4 kinoseek: things: no label set is called so (kinoseek labels lists them)" "no such set"
is "$(label)" "things: labelled 2 films (4 spans)." "label --store"
is "$(label)" "things: labelled 0 films (0 spans), 2 as before." "what is known is not labelled again"
want="lake.mp4 0-8 a dog jumping into water/lake.mp4 8-16 a boat on the water/pier.mov 0-8 a traffic jam/pier.mov 8-16 a dog jumping into water/"
is "$(k labels things --json | at)" "$want" "labels SET"
is "$(k labels --json)" '{"set":"things","how":"which","labels":3,"films":2,"spans":4,"said":0}' "labels: the sets"
is "$(k labels things --label thing --json | at)" "lake.mp4 8-16 a boat on the water/pier.mov 0-8 a traffic jam/" "a parent's labels"
is "$(k labels things --in pier.mov --format csv | wc -l) $(k labels things --format elan -o "$T/eaf/"; ls "$T/eaf" | tr '\n' ' ')" "3 lake.eaf pier.eaf " "in the formats"
is "$(k search --all --json --merge off --label animal -k 9 x | jq -r ".start + 0" | sort -n | tr '\n' ' ')" "0 8 " "search --label, by a parent"
is "$(k similar "$lake@4" --json --merge off --label 'a traffic jam' | jq -r .path)" "$pier" "similar --label"
k search --label horse x; is "$? $(cat "$T/err")" "4 kinoseek: horse: no stored label is called so (kinoseek label --store keeps them)" "a label that nobody stored"
is "$(sqlite3 -readonly "$T/lib/catalog.db" "SELECT label, count(*) FROM labels GROUP BY 1 ORDER BY 2 DESC LIMIT 1; SELECT labels, films FROM label_sets")" "a dog jumping into water|2
3|2" "SQL sees them"
printf '%s\t0\t8\ta boat on the water\n' "$T/films/new.mp4" | made
is "$(label)" "things: labelled 1 film (1 span), 2 as before." "a film that came is labelled alone"
sed -i 's/a traffic jam,thing/a tram,thing/' "$T/l.csv"
is "$(label) $(k labels --json | jq -c '[.labels, .films, .spans]')" "things: labelled 3 films (4 spans). [3,3,4]" "another list labels all again, and what is no more in it is gone"
sed -i 's/a tram,thing/a traffic jam,thing/' "$T/l.csv"; label >/dev/null

# --- said by people
k labels things --say lake.mp4@0-8 no a dog jumping into water >/dev/null; is "$?" 0 "--say no"
k labels things --say "$pier@0:02-0:06" yes a dog jumping into water >/dev/null; is "$?" 0 "--say yes"
want="lake.mp4 8-16 a boat on the water/new.mp4 0-8 a boat on the water/pier.mov 0-8 a traffic jam/pier.mov 2-6 a dog jumping into water said/pier.mov 8-16 a dog jumping into water/"
said() { k labels things --json | at | tr '/' '\n' | sort | tr '\n' '/'; }
is "$(said)" "$want" "a person's word counts"
sed -i 's/animal/beast/' "$T/l.csv"; label >/dev/null; is "$(said)" "$want" "and stays when all is labelled again"
for bad in '--say lake.mp4@0-8 maybe x' '--say lake.mp4@0-8 yes' '--say lake.mp4 yes x' '--say lake.mp4@8-2 yes x' '--say lake.mp4@99-100 yes x' '--say #99999 yes x' '--say none.mp4@0-1 yes x'; do
  k labels things $bad >/dev/null; code=$?; [ "$code" -eq 2 ] || [ "$code" -eq 4 ]; ok $? "$bad is refused ($code)"
done
is "$(said)" "$want" "and changes nothing"
printf 'path,start,end,label,answer\n%s,8,16,a boat on the water,no\nlake.mp4,9,11,a swan,yes\nnowhere.mp4,0,1,a swan,yes\n' "$lake" >"$T/said.csv"
is "$(k labels things --read "$T/said.csv") $(cat "$T/err")" "things: 2 said. kinoseek: $T/said.csv: 1 of 3 spans name films that are not in the library, as nowhere.mp4" "--read: CSV"
is "$(k labels things --in lake.mp4 --json | at)" "lake.mp4 9-11 a swan said/" "as it says"
k labels things --in pier.mov --format elan -o "$T/pier.eaf"; sed -i 's/a traffic jam/a tram/' "$T/pier.eaf"
k labels things --read "$T/pier.eaf" --whole >/dev/null; is "$? $(k labels things --in pier.mov --json | at | tr '/' '\n' | sort | tr '\n' '/')" \
  "0 pier.mov 0-8 a tram said/pier.mov 2-6 a dog jumping into water said/pier.mov 8-16 a dog jumping into water said/" "--whole: corrected in ELAN, read back"
printf 'path,start,end,label\npier.mov,3,5,a dog jumping into water\npier.mov,8,14,a cat\n' >"$T/newer.csv"
k labels things --read "$T/newer.csv" --whole >/dev/null; is "$? $(k labels things --in pier.mov --json | at | tr '/' '\n' | sort | tr '\n' '/')" \
  "0 pier.mov 3-5 a dog jumping into water said/pier.mov 8-14 a cat said/" "--whole: what an earlier file said, and a part of a span, is taken back"
is "$(k search --all --json --merge off --label 'a swan' -k 9 x | jq -r '"\(.start + 0)"')" 8 "what was said bounds a search, too"

# --- what a file says of films that it holds nothing of, of spans that overlap, of films by other names
gone() { k labels things --in "$pier" --json | at; }
again() { printf 'path,start,end,label\npier.mov,3,5,a cat\n' >"$T/one.csv"; k labels things --read "$T/one.csv" --whole >/dev/null; [ -n "$(gone)" ]; }
pier_url="file://$(printf %s "$pier" | sed 's/ /%20/g')"
printf '<?xml version="1.0"?><ANNOTATION_DOCUMENT><HEADER><MEDIA_DESCRIPTOR MEDIA_URL="%s"/></HEADER><TIME_ORDER/><TIER TIER_ID="x"/></ANNOTATION_DOCUMENT>' "$pier_url" >"$T/none.eaf"
printf '[{"data":{"video":"%s","fps":25},"annotations":[{"result":[]}]}]' "$pier" >"$T/none.ls"
printf '{"project":{},"attribute":{},"file":{"1":{"fname":"pier.mov","src":""}},"view":{"1":{"fid_list":["1"]}},"metadata":{}}' >"$T/none.via"
printf '{"classes":[],"labels":{"pier":[]}}' >"$T/none.51"
printf '{"version":"1.3","taxonomy":[],"database":{"pier":{"subset":"validation","annotations":[]}}}' >"$T/none.anet"
printf 'path,start,end,label\npier.mov,,,\n' >"$T/none.csv"
for f in eaf ls via 51 anet csv; do
  again; ok $? "the film has a label again"
  k labels things --read "$T/none.$f" >/dev/null; is "$? $(gone)" "0 pier.mov 3-5 a cat said/" "--read: a file that says nothing changes nothing ($f)"
  k labels things --read "$T/none.$f" --whole >/dev/null; is "$? $(gone)" "0 " "--whole: the film's last annotation is gone ($f)"
done
again; printf '{"database":{"pier":{"subset":"testing","annotations":[]}}}' >"$T/testing.anet"
k labels things --read "$T/testing.anet" --whole >/dev/null; is "$? $(gone)" "1 pier.mov 3-5 a cat said/" "what ActivityNet keeps to itself of testing is no word"
printf 'path,start,end,label\npier.mov,5,7,a cat\npier.mov,10,12,a cat\npier.mov,6,8,a cat\npier.mov,5.5,6,a cat\npier.mov,8,9,a cat\npier.mov,6,7,a gull\n' >"$T/over.csv"
k labels things --read "$T/over.csv" --whole >/dev/null
is "$? $(gone | tr '/' '\n' | sort | tr '\n' '/')" "0 pier.mov 10-12 a cat said/pier.mov 5-8 a cat said/pier.mov 6-7 a gull said/pier.mov 8-9 a cat said/" "spans of one label that overlap are one, those that touch are two"
k labels fresh --read "$T/over.csv" >"$T/out"; is "$? $(cat "$T/out")" "0 fresh: 6 said, in a set that is new." "--read begins a set"
is "$(k labels fresh --json | jq -r .path | sort -u) $(k labels --json | jq -c 'select(.set == "fresh") | [.how, .labels, .films, .spans]')" "$pier [\"said\",2,1,4]" "which is kept like any other"
k labels fresh --forget >/dev/null
# one film by seven names, from another folder
mkdir -p "$T/else/films"; ln -s "$pier" "$T/else/films/linked.mov"
said_by() { k labels things --read "$T/one.csv" --whole >/dev/null; [ -z "$1" ] || k labels things --read "$1" --whole >"$T/out"; echo "$? $(gone)"; }
csv() { printf 'path,start,end,label\n%s,1,2,a name\n' "$1" >"$T/else/named.csv"; said_by "$T/else/named.csv"; }
for name in pier.mov pier /elsewhere/films/pier.mov films/linked.mov 1a2b3c4d-pier.mov /data/upload/7/0a1b2c3d-pier.mov pier.mp4 C:/films/pier.mov; do
  is "$(csv "$name")" "0 pier.mov 1-2 a name said/" "a film called $name"
done
printf '[{"data":{"video":"http://host/data/upload/1/0a1b2c3d-pier.mov?x=1","fps":25},"annotations":[{"result":[{"value":{"ranges":[{"start":26,"end":50}],"timelinelabels":["a name"]}}]}]}]' >"$T/else/upload.json"
is "$(said_by "$T/else/upload.json")" "0 pier.mov 1-2 a name said/" "an upload of Label Studio's"
printf '<?xml version="1.0"?><ANNOTATION_DOCUMENT><HEADER><MEDIA_DESCRIPTOR MEDIA_URL="file:///gone/was.mov" RELATIVE_MEDIA_URL="./films/linked.mov"/></HEADER><TIME_ORDER><TIME_SLOT TIME_SLOT_ID="a" TIME_VALUE="1000"/><TIME_SLOT TIME_SLOT_ID="b" TIME_VALUE="2000"/></TIME_ORDER><TIER TIER_ID="x"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="z" TIME_SLOT_REF1="a" TIME_SLOT_REF2="b"><ANNOTATION_VALUE>a name</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER></ANNOTATION_DOCUMENT>' >"$T/else/moved.eaf"
is "$(said_by "$T/else/moved.eaf")" "0 pier.mov 1-2 a name said/" "ELAN's path from its own file"
printf '{"classes":["named"],"labels":{"pier":[{"label":0,"support":[26,50]}]}}' >"$T/frames.json"
for c in "labels things --read $T/frames.json" "teach named --from $T/frames.json" "eval mine $T/frames.json" "cut --to $T/pieces --hits $T/frames.json"; do
  # shellcheck disable=SC2086
  k $c >/dev/null; is "$? $(grep -c 'give it (--fps)' "$T/err")" "2 1" "frames without a rate: ${c%% *} says --fps"
  # shellcheck disable=SC2086
  k $c --fps 25/1 >/dev/null; [ $? -ne 2 ]; ok $? "and takes it"
done
k teach named --forget >/dev/null
mkdir "$T/b"; twin="$T/b/pier.mkv"; : >"$twin"; printf '%s\t0\t8\ta dog jumping into water\n' "$twin" | made
csv pier.mov >"$T/out"; is "$(cat "$T/out")" "0 pier.mov 1-2 a name said/" "a base name before a stem"
csv pier >/dev/null; printf 'path,start,end,label\npier,1,2,x\n' >"$T/two.csv"; k labels things --read "$T/two.csv" >/dev/null
is "$? $(cat "$T/err")" "2 kinoseek labels: pier: may be $twin or $pier: name it by its path" "a stem of two films names both"
mkdir "$T/c"; : >"$T/c/pier.mov"; printf '%s\t0\t8\ta dog jumping into water\n' "$T/c/pier.mov" | made
k labels things --read "$T/one.csv" >/dev/null; is "$? $(grep -c "may be $T/c/pier.mov or $pier" "$T/err")" "2 1" "and so does a name of two"
printf 'path,start,end,label\n/moved/films/pier.mov,1,2,a name\n' >"$T/tail.csv"
k labels things --read "$T/tail.csv" >/dev/null; is "$? $(gone | grep -c '1-2 a name')" "0 1" "unless their folders tell them apart"
k forget "$twin" "$T/c/pier.mov" >/dev/null
k check >/dev/null; is "$?" 0 "check"
k labels things --forget >/dev/null; is "$? $(k labels --json)" "0 " "--forget"

# --- clips that show much, and clips that are like none
cat >"$T/pick.py" <<'PY'
"""Is each sampled clip the one farthest from those before, each outlier the least near? pick.py CATALOG sample|outliers < ids"""
import math, sqlite3, struct, sys
rows = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True).execute("SELECT clip, video, vector_f16 FROM clips").fetchall()
v = {c: struct.unpack(f"<{len(x) // 2}e", x) for c, _, x in rows}; film = {c: f for c, f, _ in rows}
dot = lambda a, b: sum(x * y for x, y in zip(v[a], v[b]))
ids = [int(x) for x in sys.stdin.read().split()]
assert len(set(ids)) == len(ids)
if sys.argv[2] == "sample":
    for i in range(1, len(ids)):
        far = lambda c: max(dot(c, b) for b in ids[:i])
        assert far(ids[i]) <= min(far(c) for c in v if c not in ids[:i]) + 1e-4, i
else:
    near = {c: sorted((dot(c, b) for b in v if film[b] != film[c]), reverse=True)[:5] for c in v}
    near = {c: sum(n) / len(n) for c, n in near.items()}
    for i, c in enumerate(ids): assert near[c] <= min(near[b] for b in v if b not in ids[:i]) + 1e-4, i
print(len(ids))
PY
ids() { jq .id; }
is "$(k sample -n 4 --json | ids | python3 "$T/pick.py" "$T/lib/catalog.db" sample)" 4 "sample: each the farthest from those before"
is "$(k sample -n 3 --seed 7 --json | cksum)" "$(k sample -n 3 --seed 7 --json | cksum)" "the same seed, the same clips"
is "$(k sample -n 99 --json | ids | sort -u | wc -l) $(k sample -n 99 --in lake.mp4 --json | jq -r .path | sort | uniq -c | sed 's/^ *//')" "$(k clips --json | wc -l) 2 $lake" "no more than there are; filters"
is "$(k outliers -n 3 --json | ids | python3 "$T/pick.py" "$T/lib/catalog.db" outliers)" 3 "outliers: the least near first"
k sample --in none.mp4 >/dev/null; is "$?" 4 "sample of a film that is not there"
k sample -n 3 x; is "$?" 2 "it takes no words"

# --- whether, none
is "$(k label -l "$T/l.csv" --template '{}' --each --none nothing --merge off --json | jq -r .score | awk '$1 < 0 || $1 > 1' | wc -l)" 0 "--each: scores from 0 to 1"
k label -l "$T/l.csv" --intervals -k 2 >/dev/null; is "$?" 2 "--intervals and -k exclude each other"
k label -l "$T/l.csv" --store '' >/dev/null; is "$?" 2 "--store without a name is wrong use"
chmod -w "$T/lib"; [ "$(id -u)" -ne 0 ] && { label >/dev/null; is "$?" 5 "a library that cannot be written"; }; chmod +w "$T/lib"

# --- taught
i=0; while [ $i -lt 6 ]; do printf '%s/t/%d.mp4\t0\t8\ta dog jumping into water\n%s/t/%d.mp4\t8\t16\ta traffic jam\n%s/t/%d.mp4\t16\t24\ta boat on the water\n' "$T" $i "$T" $i "$T" $i; i=$((i + 1)); done | made
k teach dog --json --yes 0.mp4@0-8 1.mp4@2 2.mp4@0-8 --no 0.mp4@8-16 "$T/t/1.mp4@8-16" --yes=3.mp4@0-8 >"$T/out"; is "$? $(jq -c '[.yes, .no, .films, .average_precision]' "$T/out")" "0 [4,2,4,null]" "teach: too few to say"
is "$(k teach dog --json --yes 4.mp4@0-8 --no 2.mp4@8-16 3.mp4@16-24 4.mp4@8-16 5.mp4@16-24 | jq -c '[.yes, .no, .films, .average_precision, .high]')" "[5,6,6,1,1]" "examples add up, and its worth is measured"
is "$(k label --learnt dog --path '*/t/*' --merge off --json | jq -r '"\(.start + 0) \(.label)"' | sort | uniq -c | awk '{ print $1, $2, $3 }' | tr '\n' '/')" "6 0 dog/" "label --learnt"
is "$(k label --learnt dog --path '*/t/*' --store taught) $(k search --all --merge off --fold off --json --label dog -k 99 x | jq -r .path | sort -u | wc -l)" "taught: labelled 6 films (6 spans). 6" "stored like any other"
k labels taught --say 0.mp4@16-24 yes dog >/dev/null; is "$(k teach dog --json | jq -c '[.yes, .no]')" "[6,6]" "what people said teaches"
printf 'path,start,end,label,answer\n5.mp4,0,8,dog,yes\n5.mp4,8,16,cat,yes\n3.mp4,16,24,dog,no\n' >"$T/teach.csv"; is "$(k teach dog --json --from "$T/teach.csv" | jq -c '[.yes, .no]')" "[7,7]" "--from a file: other labels are none of it, what was said twice is one"
before=$(k teach --list --json); k teach Dog --from "$T/teach.csv" >/dev/null; is "$? $(sed 's/.*none of/none of/' "$T/err")" "4 none of it is called Dog; it names dog, cat" "a list that knows no such name says which it knows"
is "$(k teach --list --json)" "$before" "and nothing is learnt of it"
k teach dog --export "$T/dog.json"; is "$? $(jq -r .name "$T/dog.json")" "0 dog" "--export"
k teach dog --export "$T/dog.json"; is "$?" 2 "which replaces nothing"
k teach hound --import "$T/dog.json"; is "$? $(k teach --list --json | jq -r .name | tr '\n' ' ')" "0 dog hound " "--import, --list"
is "$(k label --learnt hound --path '*/t/*' --merge off --json | jq -c '[.start, .score]' | cksum)" "$(k label --learnt dog --path '*/t/*' --merge off --json | jq -c '[.start, .score]' | cksum)" "and it says the same"
k teach hound --forget >/dev/null; k teach hound --forget >/dev/null; is "$?" 4 "--forget, once"
sed 's/"model":"./"model":"z/' "$T/dog.json" >"$T/other.json"; k teach --import "$T/other.json"; is "$?" 2 "of another model"
for bad in '{}' '[' "$(sed 's/"w":\[[^,]*,/"w":["x",/' "$T/dog.json")" "$(sed 's/"w":\[[^,]*,/"w":[/' "$T/dog.json")" "$(sed 's/"bias":[^,]*/"bias":null/' "$T/dog.json")"; do
  printf '%s' "$bad" >"$T/bad.json"; k teach --import "$T/bad.json"; is "$?" 4 "a file that is none: $(grep -o 'json: .*' "$T/err" | cut -c1-60)"
done
k teach cat --yes 0.mp4@8-16 >/dev/null; is "$? $(grep -c 'stood in' "$T/err")" "0 1" "without --no clips of the library stand in, and it is said"
k teach cat; k teach bird; is "$?" 2 "nothing to learn from"
k teach; is "$?" 2 "no name"
k label --learnt bird; is "$?" 4 "a label that nobody taught"
k check >/dev/null; is "$?" 0 "check knows them"

# --- killed while labels are stored: all or nothing of a film, and the next run ends what was begun
i=0; while [ $i -lt 300 ]; do printf '%s/m/%d.mp4\t0\t8\ta dog jumping into water\n%s/m/%d.mp4\t8\t16\ta boat on the water\n' "$T" $i "$T" $i; i=$((i + 1)); done | made
whole=0 partly=0
for wait in 0.02 0.04 0.06 0.08 0.1 0.12 0.15 0.2; do
  label >/dev/null & pid=$!; sleep $wait; kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null
  [ "$(k labels things --json | jq -r .path | sort | uniq -c | awk '$1 != 2 && !/new.mp4/ && !/\/t\//' | wc -l)" = 0 ] || partly=$((partly + 1))
  k check >/dev/null || partly=$((partly + 1)); whole=$((whole + 1))
done
is "$whole $partly" "8 0" "killed at eight moments: every film is labelled wholly or not at all"
label >/dev/null; is "$(k labels --json | jq -c 'select(.set == "things") | [.films, .spans]')" "[309,623]" "the next run labels the rest"
cp -r "$T/lib" "$T/rot"; python3 - "$T/rot/catalog.db" <<'PY'
import sqlite3, sys
d = sqlite3.connect(sys.argv[1]); d.execute("UPDATE label_span SET score = 0.123 WHERE id = (SELECT max(id) FROM label_span)"); d.commit()
PY
"$K" -L "$T/rot" check >/dev/null 2>&1; is "$?" 3 "check names a rotten span"
"$K" -L "$T/rot" labels things --json 2>"$T/err" | wc -l >"$T/n"; is "$(cat "$T/n") $(grep -c 'damaged row' "$T/err")" "622 1" "it is left out and said"
"$K" -L "$T/rot" repair >/dev/null 2>&1; "$K" -L "$T/rot" check >/dev/null 2>&1; is "$? $("$K" -L "$T/rot" labels things --json 2>/dev/null | wc -l)" "0 622" "repair keeps the others"
