#!/bin/sh
# The man pages against the code: what a command prints as JSON is on its page, what is on the page is in the code,
# every field and form of --print is taken, every example can be read by the program.
set -u
: "${BUILD:=build}"
K=$PWD/$BUILD/kinoseek
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; fi; }
is() { if [ "$1" = "$2" ]; then ok 0 "$3"; else echo "# got: $1"; echo "# want: $2"; ok 1 "$3"; fi; }
L="-L $T/lib"
plain() { sed -e 's/\\f[BRI]//g; s/\\-/-/g; s/\\&//g; s/\\e/\\/g'; }
# The terms of one section of a page.
terms() { "$K" manual "$1" | plain | awk -v want=".SH $2" '/^\.SH/ { on = $0 == want } on && last == ".TP" { print } { last = $0 }'; }
# Members that the objects on stdin have, "scale.cut"; elements of lists count as their list.
members() { jq -r 'paths | map(select(type == "string")) | join(".")' | sort -u; }
none() { wc -l <"$1" | tr -d ' '; }

f=models/demo/films/weather.mp4
"$K" -q $L -m demo --precision fp32 ingest --json $f README.md >"$T/ingest.json" 2>/dev/null
"$K" -q $L ingest --json $f >>"$T/ingest.json" 2>/dev/null
printf 'rain\nsnow\n' >"$T/labels"
"$K" $L search --all --json rain >"$T/search.json" 2>/dev/null
"$K" $L search --all --explain --json rain >>"$T/search.json" 2>/dev/null
"$K" $L curve --json weather.mp4 rain >"$T/curve.json" 2>/dev/null
"$K" $L similar --json $f >"$T/similar.json" 2>/dev/null
"$K" -q $L save rain search rain; "$K" $L saved --json >"$T/saved.json"
"$K" $L label --labels "$T/labels" --json >"$T/label.json" 2>/dev/null
"$K" $L clips --json >"$T/clips.json"
"$K" $L status --json >"$T/status.json"; "$K" $L status --bad --json >>"$T/status.json"
"$K" $L check --json >"$T/check.json"
"$K" $L backup --json "$T/copy" >"$T/backup.json"
"$K" $L compact --json >"$T/compact.json"
"$K" -L "$T/copy" repair --json >"$T/repair.json"
"$K" -L "$T/copy" forget --json README.md >"$T/forget.json"
"$K" -L "$T/copy" relocate --json models/demo/films models/demo/films >"$T/relocate.json"
"$K" $L export vectors -o "$T/copy/v.npy" --json >"$T/export vectors.json"
"$K" cut $f@0-1 --to "$T/pieces" --json >"$T/cut.json"
"$K" -q -m demo embed --text rain >"$T/embed.json"
"$K" model list --json >"$T/model list.json"
"$K" model info demo --json >"$T/model info.json"
"$K" doctor --json >"$T/doctor.json"
seen=0
for file in "$T"/*.json; do
  command=$(basename "$file" .json); page=kinoseek-$(echo "$command" | tr ' ' '-')
  terms "$page" JSON | sort -u >"$T/told"
  # A member is told by its own name, or by that of the object that holds it.
  members <"$file" | while IFS= read -r m; do
    grep -qxF "$m" "$T/told" || grep -qxF "${m%.*}" "$T/told" || grep -qxF "${m%%.*}" "$T/told" || grep -q "^$m\." "$T/told" || echo "$m"
  done >"$T/untold"
  [ -s "$file" ] && seen=$((seen + 1))
  is "$(paste -sd' ' "$T/untold")" "" "$command: every member that is printed is on the page"
  while IFS= read -r m; do grep -qE "ks_json_[a-z]+\(.*\"${m##*.}\"|\"${m##*.}\"," cli/*.c formats/*.c encoder/about.c || grep -q "part = \"$m\"" cli/cmd_doctor.c || echo "$m"; done <"$T/told" >"$T/gone"
  is "$(paste -sd' ' "$T/gone")" "" "$command: every member on the page is in the code"
done
is "$seen" 20 "of 20 commands"
is "$("$K" manual | while read -r page; do "$K" manual "$page" | grep -q '^\.SH EXIT STATUS' || echo "$page"; done)" "" "every page says what its exit codes mean"

# --- templates
terms kinoseek-search TEMPLATES | tr -d '{}' >"$T/fields"
"$K" $L search --print '{nothing}' x 2>&1 | sed 's/.*(//; s/).*//' | tr ' ' '\n' | sort >"$T/taken"
is "$(sort "$T/fields" | cmp - "$T/taken" && echo same)" same "the page names the fields that --print takes"
for form in '{start:time}' '{end:ms}' '{best:s}' '{length:frame}' '{start:tc}' '{start:.3f}' '{score:.3f}' '{rank:d}' '{rank:03d}' '{path:name}' '{date:%Y-%m-%d}'; do
  "$K" $L search --all --print "$form" rain >"$T/out" 2>"$T/err"; ok $? "and takes $form"
done
is "$(terms kinoseek-search TEMPLATES | grep -c .)" "$("$K" manual kinoseek-similar | plain | grep -cE '^\{[a-z]+\}$')" "similar has them, too"

# --- globs: what the page says
touch "$T/none"
count() { "$K" $L clips --json --in "$1" | wc -l; }
all=$(count '*')
is "$(count 'weath*') $(count 'demo/films/*') $(count '*/demo/films/*') $(count 'w?ather.mp[3-5]') $(count 'films') $(count 'w\eather.mp4') $(count '*demo*weather*')" "$all $all $all $all 0 $all 0" "names without /, paths and their ends with one"

# --- examples: each is read by the program (--help ends it there)
for page in $("$K" manual); do "$K" manual "$page" | plain | awk '/^\.SH/ { on = $2 == "EXAMPLES" } on && /^kinoseek /'; done | sed 's/ [|>&].*//; s/^kinoseek //' >"$T/examples"
while IFS= read -r line; do
  eval "set -- $line"; "$K" "$@" --help >"$T/out" 2>"$T/err" || echo "$line: $(cat "$T/err")"
done <"$T/examples" >"$T/wrong"
is "$(cat "$T/wrong")" "" "every example ($(none "$T/examples")) has options that there are"
[ "$(none "$T/examples")" -ge 10 ]; ok $? "there are examples"
