#!/bin/sh
# Kept queries: what is new is told once, by JSON, to a person, to a program; after kills, repairs and a film gone and back.
# And --translate, which goes the same way through a program of the user's.
set -u
: "${BUILD:=build}"
K=$PWD/$BUILD/kinoseek
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
unset KINOSEEK_TRANSLATE
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; [ -e "$T/err" ] && sed 's/^/# /' "$T/err"; fi; }
is() { if [ "$1" = "$2" ]; then ok 0 "$3"; else echo "# got: $1"; echo "# want: $2"; ok 1 "$3"; fi; }
k() { "$K" --precision fp32 -L "$T/lib" "$@" 2>"$T/err"; }
f=models/demo/films
mkdir "$T/v"
k save x search a ship; is "$?" 10 "no library, nothing to keep a query in"
cp $f/animals.mp4 "$T/v"; k -q -m demo ingest "$T/v"; ok $? "a first film"

# --- keeping
words="a snow cloud moves to the left"
k -q save weather search $words; ok $? "save"
k save weather search other words; is "$? $(grep -c 'forget-saved weather' "$T/err")" "2 1" "a name is taken once"
for wrong in "x a ship" "x search" "x" "" "x find a ship" "x search --json a ship" "x search --all a ship" "x search --after banana a ship"; do
  k save $wrong >/dev/null; is "$?" 2 "save $wrong: wrong use"
done
k save "$(printf 'a\nb')" search a ship >/dev/null; is "$?" 2 "a name with a line end is refused"
k -q save fruit search "a \"fruit\" -- of any kind" --path '*.mp4' --per-video 3 --longer 0.5
is "$(k saved --json | jq -c '[.name, .words, .options, .told, .waiting]' | tr '\n' ' ')" \
   '["fruit","a \"fruit\" -- of any kind",["--path","*.mp4","--per-video","3","--longer","0.5"],0,0] ["weather","'"$words"'",[],0,0] ' "saved --json: words and options come back as typed"
is "$(k saved | wc -l)" 2 "saved: a line a query"

k -q save both search a ship --then '0.5:a dog' --within 40 --not '=1:2' --and "@$f/../moments.png"
is "$(k saved --json | jq -c 'select(.name == "both").options')" "[\"--then\",\"0.5:a dog\",\"--within\",\"40\",\"--not\",\"=1:2\",\"--and\",\"@$(readlink -f models/demo/moments.png)\"]" "terms stay in their order, files are named from the root"
k forget-saved both

# --- telling
k -q ingest "$T/v" --json >"$T/e0"; is "$(jq -rs 'map(.event) | join(" ")' "$T/e0")" "file done" "what was there before is no news"
cp $f/weather.mp4 "$T/v"; k -q ingest "$T/v" --json >"$T/e1"; ok $? "a film comes"
is "$(jq -rs 'last.event' "$T/e1")" done "done is still the last event"
k search --json -k 50 --path '*weather.mp4' $words >"$T/all"
is "$(jq -c 'select(.event == "saved" and .name == "weather").hit' "$T/e1" | cksum) $(grep -c saved "$T/e1" | sed 's/^0$/none/')" "$(jq -c . "$T/all" | cksum) $(grep -c saved "$T/e1")" "each hit is told as search gives it"
is "$([ -s "$T/all" ] && echo some)" some "and there is one"
k -q ingest "$T/v" --json >"$T/e2"; is "$(grep -c saved "$T/e2")" 0 "once"
k forget "$T/v/weather.mp4" -q; k -q ingest "$T/v" --json >"$T/e3"
is "$(jq -r 'select(.name == "weather").hit.path' "$T/e3" | sort -u)" "$(readlink -f "$T/v")/weather.mp4" "a film that was forgotten is new when it is back"
cp "$T/v/weather.mp4" "$T/v/copy.mp4"; mv "$T/v/weather.mp4" "$T/v/w2.mp4"; k -q ingest "$T/v" --json >"$T/e4"; is "$(grep -c saved "$T/e4")" 0 "a copy and another name are no news"
k check >/dev/null; ok $? "check finds nothing"
k repair >/dev/null; k check >/dev/null; is "$? $(k saved --json | jq -sc 'map(.name), .[1].told > 0')" '0 ["fruit","weather"]
true' "repair keeps them"
k -q ingest "$T/v" --json >"$T/e5"; is "$(grep -c saved "$T/e5")" 0 "and what was told"
k backup "$T/b" >/dev/null; is "$("$K" -L "$T/b" saved --json | cksum)" "$(k saved --json | cksum)" "so does backup"
k compact >/dev/null; is "$(k saved | wc -l)" 2 "and compact"

# --- a moment of a film that is surveyed, looked at closer, then wholly in: told once
mkdir "$T/s"; cp $f/band.mp4 "$T/s"
s() { "$K" --precision fp32 -L "$T/surveyed" "$@" 2>"$T/err"; }
shrimp="a shrimp passes by to the left"
s -q -m demo ingest "$T/s" && s -q save shrimp search $shrimp && s -q save poodle search "the camera zooms in, a poodle"; cp $f/animals.mp4 "$T/s"
s -q ingest "$T/s" --survey only --json >"$T/e6"; is "$(jq -r 'select(.event == "saved") | "\(.name) \(.hit.surveyed)"' "$T/e6" | sort | paste -sd,)" "poodle true,shrimp true" "a surveyed film is news"
s -q search --json --closer 2h $shrimp >"$T/out"; is "$(head -1 "$T/out" | jq -c '[.surveyed, .sharpened, .start < 9.5]')" "[null,true,true]" "--closer finds the moment itself"
s -q ingest "$T/s" --json >"$T/e7"; is "$(jq -s '[.[] | select(.event == "saved") | {name, hit}] as $all | [$all[] | . as $a | $all[] | select(.name == $a.name and .hit.start < $a.hit.end and .hit.end > $a.hit.start)] | length == ($all | length)' "$T/e6" "$T/e7") $(jq -r 'select(.event == "saved") | .name' "$T/e7" | grep -c shrimp)" "true 0" "and neither it nor the whole pass is news of it"
is "$(s search --json $shrimp | head -1 | jq -c '[.surveyed, .path]')" "[null,\"$(readlink -f "$T/s")/animals.mp4\"]" "which has it"

# --- to people and programs
cat >"$T/hear" <<'EOF'
#!/bin/sh
cat >>"$(dirname "$0")/heard"; echo >>"$(dirname "$0")/heard"; echo said
EOF
chmod +x "$T/hear"
k -q save band search a big brown bear --path '*harbour*'
cp $f/harbour.mp4 "$T/v"; k -q ingest "$T/v" --notify "$T/no-such-program" >"$T/out"; is "$? $(grep -c "no-such-program: No such file" "$T/err") $(k saved --json | jq 'select(.name == "band").waiting > 0')" \
  "5 1 true" "a program that is not there: exit 5, and the hits wait"
k ingest "$T/v" --notify "$T/hear" >"$T/out"; ok $? "and the next run tells them"
is "$(jq -r 'select(.query == "a big brown bear") | .path' "$T/heard" | sed 's,.*/,,' | sort -u) $(grep -c '^band: .*harbour.mp4  0:17' "$T/out") $(grep -c '^said$' "$T/out")" \
   "harbour.mp4 1 0" "the program gets each hit as JSON, a person a line; its own words go elsewhere"
is "$(jq -s length "$T/heard")" "$(grep -cE '^(band|fruit|weather): ' "$T/out")" "as many"
k forget-saved band weather nothing; is "$? $(cat "$T/err")" "0 kinoseek: nothing: no query of that name is kept" "forget-saved"
is "$(k saved --json | jq -r .name)" fruit "and the other one stays"
k forget-saved nothing; is "$?" 1 "nothing forgotten: exit 1"
k saved x; is "$?" 2 "saved takes no words"

# --- killed at a random moment, again and again: the streams together tell each hit once
seed=${SEED:-$$}; echo "# seed $seed"
for i in 1 2 3 4 5 6; do
  k -q save "q$i" search $words >/dev/null
done
cp $f/weather.mp4 "$T/v/w3.mp4"; printf 'x' >>"$T/v/w3.mp4" # another film with the same picture
round=0; : >"$T/told"
while [ $round -lt 8 ]; do
  round=$((round + 1)); seed=$(((seed * 1103515245 + 12345) % 2147483648))
  "$K" --precision fp32 -L "$T/lib" -q ingest "$T/v" --json >"$T/part" 2>"$T/err" & pid=$!
  sleep "0.$(printf '%03d' $((seed / 65536 % 900)))"; kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null
  cat "$T/part" >>"$T/told"
done
k -q ingest "$T/v" --json >>"$T/told"
n=$(k search --json -k 50 --fold off --path '*w3.mp4' $words | wc -l)
grep -h '"saved"' "$T/told" | jq -r '"\(.name) \(.hit.start)"' | sort >"$T/lines"
is "$(grep -c '^q' "$T/lines") $(uniq -d "$T/lines" | wc -l)" "$((6 * n)) 0" "6 queries, 8 kills: $((6 * n)) hits told, none twice"
k check >/dev/null; ok $? "and the library is whole"

sqlite3 "$T/lib/catalog.db" "UPDATE saved SET query = 'x' WHERE name = 'q1'"
k check >/dev/null; is "$? $(k saved | grep -c '^q')$(grep -c 'kinoseek repair' "$T/err")" "3 51" "a rotten row: check finds it, saved leaves it out and says so"
k -q ingest "$T/v"; is "$?" 0 "and ingest goes on"

# --- --translate
cat >"$T/tr" <<'EOF'
#!/bin/sh
sed 's/eine Schneewolke zieht nach links/a snow cloud moves to the left/'
EOF
chmod +x "$T/tr"
german="eine Schneewolke zieht nach links"
is "$(k search --all --json --translate "$T/tr" $german | jq -c '[.path, .score]' | cksum)" "$(k search --all --json $words | jq -c '[.path, .score]' | cksum)" "--translate: as if asked in English"
k search --all --json --translate "$T/tr" $german >"$T/out"; is "$(cat "$T/err")" "kinoseek: translated: $words" "what came back is shown"
is "$(KINOSEEK_TRANSLATE="$T/tr" k search --all --json $german | cksum)" "$(cksum <"$T/out")" "so in the environment"
is "$(jq -r .query "$T/out" | sort -u)" "$german" "the words stay as typed in the answer"
k search --all $german >/dev/null; is "$(grep -c 'do not look English.*--translate' "$T/err")" 1 "words that do not look English: the notice names it"
is "$(KINOSEEK_TRANSLATE="$T/tr" k curve animals.mp4 --json $german | cksum)" "$(k curve animals.mp4 --json $words | cksum)" "curve, too"
for bad in "false" "$T/none" "true" "printf \\377" "yes"; do
  want=4; [ "$bad" = false ] || [ "$bad" = "$T/none" ] && want=5
  k search --translate "$bad" $german >/dev/null; code=$?
  is "$code $(wc -l <"$T/err")" "$want 1" "--translate $bad: one sentence, exit $code"
done
k search --all --json --translate 'echo $(touch '"$T"'/shell)' $german >/dev/null; is "$([ -e "$T/shell" ] && echo ran)" "" "no shell takes part"
