#!/bin/sh
# A day in the life: scripts a user would write around kinoseek, with the names, terminals and pipes they meet.
# Films are made by ffmpeg and ingested with the demo model, so that paths go all the way from disk to script.
set -u
: "${BUILD:=build}"
top=$PWD K=$PWD/$BUILD/kinoseek
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
unset NO_COLOR COLUMNS KINOSEEK_PLAYER TERM
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; [ -s "$T/err" ] && sed 's/^/# /' "$T/err"; fi; }
is() { if [ "$1" = "$2" ]; then ok 0 "$3"; else echo "# got: $1"; echo "# want: $2"; ok 1 "$3"; fi; }
k() { "$K" -q -L "$T/lib" "$@" 2>"$T/err"; }

mkdir "$T/films"
odd="$T/films/  two
lines 'single' \"double\" \$HOME \`x\` \\ %s <&> é.mp4"
plain="$T/films/plain.mp4"
ffmpeg -v error -f lavfi -i testsrc2=s=96x96:r=25 -t 4 -c:v libx264 -preset ultrafast "$odd" 2>"$T/err" </dev/null &&
  ffmpeg -v error -f lavfi -i smptebars=s=96x96:r=25 -t 4 -c:v libx264 -preset ultrafast "$plain" 2>"$T/err" </dev/null
ok $? "two films, one with a name from hell"
"$K" -L "$T/lib" -m demo --precision fp32 ingest "$T/films" --json >"$T/out" 2>"$T/err"; is "$?" 0 "ingest"
is "$(jq -r 'select(.event == "file") | .path' "$T/out" | sort | cksum)" "$(printf '%s\n%s\n' "$odd" "$plain" | sort | cksum)" "ingest --json names both"

is "$("$K" -L "$T/lib2" -m demo ingest -n "$plain" 2>&1 >/dev/null | grep -cE '^Videos: 1 file. New or changed: 1, [1-9][0-9.]* k?B')" 1 "sizes have the unit they deserve"

# --- xargs, jq, templates
k search --all -0 stripes >"$T/nul"
is "$(xargs -0 -n 1 sh -c 'test -f "$0" && echo there' <"$T/nul" | sort | uniq -c | tr -s ' ')" " 2 there" "search -0 | xargs -0: each path is a file"
is "$(k search --all -0 stripes | xargs -0 sha256sum --zero | wc -l)" "$(sha256sum --zero "$odd" "$plain" | wc -l)" "and other tools take them"
is "$(k search --all --json stripes | jq -r '.path' | sort | cksum)" "$(printf '%s\n%s\n' "$odd" "$plain" | sort | cksum)" "search --json | jq -r .path"
is "$(k search --all --json stripes | wc -l)" "$(k search --all --json stripes | jq -s length)" "a line an object, whatever a name holds"
is "$(k search --all -k 1 -0 --print '{path}' --in "$odd" stripes | tr -d '\0')" "$odd" "--print -0 gives the name's own bytes"
is "$(k search --all --in "$odd" --print 'mpv --start={start:s} --end={end:s} FILE' stripes 2>/dev/null | grep -c '^mpv --start=0[.0-9]* --end=4')" 1 "--print as an mpv command line"
k search --all --csv stripes >"$T/hits.csv"
is "$(python3 -c 'import csv, sys; print(sorted({r["path"] for r in csv.DictReader(open(sys.argv[1], newline=""))}) == sorted(sys.argv[2:]))' "$T/hits.csv" "$odd" "$plain")" True "CSV: a name of two lines is one cell"
printf 'stripes\ncolour bars\n' >"$T/labels"
k label --labels "$T/labels" --template '{}' --csv >"$T/labels.csv"
is "$(python3 -c 'import csv, sys; r = list(csv.DictReader(open(sys.argv[1], newline=""))); print(len({x["path"] for x in r}), {x["label"] for x in r} <= {"stripes", "colour bars"}, all(0 <= float(x["score"]) <= 1 for x in r))' "$T/labels.csv")" "2 True True" "labels in a spreadsheet reader"
is "$(k clips --json | jq -r .path | sort -u | cksum)" "$(printf '%s\n%s\n' "$odd" "$plain" | sort -u | cksum)" "clips --json"
k search --all --json --in "$odd" stripes | "$K" cut --hits - --to "$T/pieces/" >"$T/out" 2>"$T/err"; is "$?" 0 "search --json | cut takes the name"
is "$(grep -c "^$T/pieces/01-" "$T/out")" 1 "a folder written with its slash"
is "$(find "$T/pieces" -name '*.mp4' -print0 | tr -cd '\0' | wc -c)" 1 "and cuts one piece"
printf 'stripes\ncolour bars\n' >"$T/asks"
is "$(k search --all -k 1 --json --queries "$T/asks" | jq -r .query | tr '\n' '/')" "stripes/colour bars/" "queries from a file"

# --- a name on the screen is one line, and no escape of it reaches the terminal
is "$(k search --all stripes | wc -l)" 2 "a name with a line's end stays in its line"
is "$(k clips | wc -l)" "$(k clips --json | wc -l)" "in clips too"

# --- pipes
( k search --all --json stripes; echo $? >"$T/code" ) | head -n 1 >/dev/null; is "$(cat "$T/code")" 0 "search | head -n 1 ends with 0"
( k clips --json; echo $? >"$T/code" ) | true; is "$(cat "$T/code")" 0 "nobody reads: 0"
is "$(wc -c <"$T/err")" 0 "and no error is said"
escape=$(printf '\033')
for terminal in dumb xterm-256color xterm-kitty foot; do
  is "$(TERM=$terminal KITTY_WINDOW_ID=1 COLORTERM=truecolor k search --all stripes | grep -c "$escape")" 0 "no escape in a pipe ($terminal)"
done
is "$(k search --all stripes </dev/null | head -n 1 | cut -c 1-3)" " 1 " "without a terminal at all"

# --- terminals (script makes one)
if command -v script >/dev/null; then
  tty() { script -qec "stty cols $1 rows 24 2>/dev/null; TERM=xterm-256color $2 '$K' -q -L '$T/lib' search --all stripes" /dev/null </dev/null | tr -d '\r'; }
  widest() { sed "s/$escape\[[0-9;]*m//g" | grep -v 'Nothing else\|All of\|The best' | python3 -c 'import sys; print(max(len(l.rstrip("\n")) for l in sys.stdin))'; }
  is "$(tty 100 '' | grep -c "$escape\[[0-9]*m")" 2 "colours on a terminal"
  is "$(tty 100 NO_COLOR=1 | grep -c "$escape")" 0 "NO_COLOR"
  for columns in 120 80 60 40; do
    w=$(tty $columns '' | widest); [ "${w:-999}" -le $columns ]; ok $? "a terminal of $columns columns: lines of at most $columns ($w)"
  done
  w=$(tty 120 COLUMNS=60 | widest); [ "${w:-999}" -le 120 ]; ok $? "COLUMNS ($w)"
fi

# --- the page
k search --all --html "$T/page.html" stripes >/dev/null; is "$?" 0 "--html"
cat >"$T/page.py" <<'PY'
import sys
from html.parser import HTMLParser
VOID = {"meta", "img", "br", "hr", "link", "input", "source"}
class Page(HTMLParser):
    stack, outside, seen, bad = [], [], 0, []
    def handle_starttag(self, tag, attrs):
        for k, v in attrs:
            if k in ("src", "href", "srcset", "data") and v and not v.startswith(("data:", "file:", "#")): self.outside.append(v)
        self.seen += tag == "img"
        if tag not in VOID: self.stack.append(tag)
    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag: self.bad.append(tag)
text = open(sys.argv[1], encoding="utf-8").read()
p = Page(); p.feed(text); p.close()
print(text.lower().startswith("<!doctype html>"), p.stack, p.bad, p.outside, p.seen, "url(" in text.replace("url(data:", ""))
PY
is "$(python3 "$T/page.py" "$T/page.html")" "True [] [] [] 2 False" "the page: UTF-8, balanced, two pictures, nothing from outside"

cp "$T/page.html" "$T/page.old"
k search --all --html "$T/page.html" stripes >/dev/null; is "$? $(cat "$T/err")" "2 kinoseek search: $T/page.html: it is there already (--force replaces it)" "a page that is there stays"
k search --all --html /dev/full --force stripes >/dev/null
is "$? $(cat "$T/err")" "5 kinoseek: /dev/full: No space left on device" "a page that cannot be written: exit 5"
cmp -s "$T/page.html" "$T/page.old" && [ "$(ls "$T" | grep -c '^page')" = 3 ]; ok $? "the page that was there is as it was"

# --- the catalog with SQL, as its man page prints it
cat >"$T/sql.py" <<'PY'
import re, sqlite3, sys
page = open("man/kinoseek-catalog.5").read()
sql = [b for b in re.findall(r"\.nf\n(.*?)\.fi", page, re.S) if "ATTACH" in b]
db = sqlite3.connect(":memory:")
db.execute("ATTACH ? AS l", (sys.argv[1],))
db.execute("CREATE TABLE my_labels AS SELECT clip, 'mine' AS label FROM l.clips")
rows = []
for statement in sql[0].replace("'catalog.db'", "'" + sys.argv[1].replace("'", "''") + "'").split(";"):
    rows += db.execute(statement).fetchall()
print(len(sql), len(rows) == db.execute("SELECT count(*) FROM l.clips").fetchone()[0] > 0, {r[0] for r in rows}, all(r[2] >= 0 for r in rows))
PY
is "$(python3 "$T/sql.py" "$T/lib/catalog.db" 2>"$T/err")" "1 True {'mine'} True" "labels of one's own joined with clips"

# --- care
is "$(k status --bad)" "Every file went in wholly." "status --bad says that nothing is bad"
k status --bad --json >"$T/out"; is "$(wc -c <"$T/out")" 0 "and as JSON lines: none"
is "$("$K" -L "$T/none" search x 2>&1)" "kinoseek: $T/none: no library there (kinoseek ingest FOLDER makes one)" "without a library: what makes one"
k --precision fp32 -m demo bench ingest "$plain" --json >"$T/out"; is "$?" 0 "bench ingest"
is "$(jq '.bench == "ingest" and .clips >= 1 and .seconds > 0 and .x_realtime > 0 and .limit_gflop_per_second > 0 and .ratio > 0 and .decode_seconds > 0' "$T/out")" true "its seconds, the machine's limit, the ratio"
mv "$T/films" "$T/moved"
is "$(k relocate "$T/films" "$T/moved" --json | jq -c '[.library, .relocated]')" "[\"$T/lib\",2]" "relocate --json"
mv "$T/moved" "$T/films"
is "$("$K" -L "$T/lib" relocate "$T/moved" "$T/films")" "Relocated 2 files." "and back"
is "$(k forget "$T/films/none.mp4" 2>&1)$(cat "$T/err")" "kinoseek: $T/films/none.mp4: not in the library" "a path that is not there"
is "$(k forget --json "$T/films/none.mp4" | jq .forgot)" 0 "forget --json"
is "$("$K" -L "$T/lib" forget "$odd")" "Forgot 1 file; the file itself is untouched." "forget takes the name"
is "$(k search --all --json stripes | jq -r .path)" "$plain" "and it is gone"
is "$(k ingest "$T/films" 2>&1)$(cat "$T/err")" "" "-q: an ingest that goes well says nothing"
[ -s "$odd" ]; ok $? "from the library alone"

# --- one of each, and a film that is half there
ffmpeg -v error -f lavfi -i testsrc2=s=96x96:r=25 -t 4 -g 10 -c:v libx264 -preset ultrafast "$T/whole.mkv" </dev/null 2>"$T/err" && head -c "$(( $(stat -c %s "$T/whole.mkv") / 2 ))" "$T/whole.mkv" >"$T/films/ä half.mkv"
"$K" -L "$T/one" -m demo --precision fp32 ingest "$T/films/ä half.mkv" >"$T/out" 2>"$T/err"; is "$? $(head -n 1 "$T/out" | grep -c '^Indexed 1 file (1 clip, ')" "3 1" "one file, one clip"
said=$(sed -n 's/.*   partly *//p' "$T/out"); case $said in *" s missing") ok 0 "what is missing is said" ;; *) ok 1 "what is missing is said ($said)" ;; esac
is "$("$K" -L "$T/one" status --bad | sed 's/.*  partly *//')" "$said" "and status --bad says no less"
is "$(cd "$T/films" && "$K" -L "$T/one" status --bad | sed 's/partly.*//' | wc -m)" 45 "in its column, whatever the letters"
is "$("$K" -L "$T/one" status | grep -cE '^  1 video \(1 file\), 1 clip, |^  1 file did not')" 2 "status counts one as one"
is "$("$K" -L "$T/one" backup "$T/onecopy" | grep -c ': 1 video, 1 clip. ')" 1 "and so does backup"

# --- copies with a name that is no UTF-8
latin="$T/films/$(printf 'zz\357.mp4')"; cp "$plain" "$latin"; cp "$plain" "$T/films/z.mp4"
"$K" -q -L "$T/copies" -m demo --precision fp32 ingest "$T/films/z.mp4" "$plain" "$latin" >"$T/out" 2>"$T/err"
"$K" -q -L "$T/copies" search --all --json stripes >"$T/out" 2>"$T/err"
is "$(jq -r '.copies | length' "$T/out") $(jq -r '([.path_bytes // empty] + (.copies_bytes // []))[]' "$T/out" | while read -r c; do echo "$c" | base64 -d; echo; done | grep -acxF "$latin")" "2 1" "JSON has the bytes of copies, too"
mv "$plain" "$T/away"
is "$("$K" -q -L "$T/copies" search --all --json stripes 2>"$T/err" | jq -r '"\(.path) \(.missing) \(.copies[0])"')" "$T/films/z.mp4 null $plain" "a file that is not here: a copy that is names the moment"
is "$("$K" -q -L "$T/copies" label --labels "$T/labels" --json 2>"$T/err" | jq -r .path)" "$T/films/z.mp4" "and the label's"
mv "$T/away" "$plain"

# --- no home, no library's name
for command in "embed --text x" doctor "completion bash" "model list" "model info demo" "cut $plain@0-1 --to $T/pieces2"; do
  env -u HOME -u XDG_DATA_HOME -u XDG_CACHE_HOME "$K" -q $command >"$T/out" 2>"$T/err"; is "$?" 0 "${command%% *} needs no library, and so no home"
done
env -u HOME -u XDG_DATA_HOME "$K" search x >"$T/out" 2>"$T/err"; is "$? $(cat "$T/err")" "2 kinoseek search: neither HOME nor XDG_DATA_HOME is set: name the library with -L" "search does"
env -u HOME -u XDG_DATA_HOME "$K" model pull lvt-base >"$T/out" 2>"$T/err"; is "$? $(cat "$T/err")" "2 kinoseek model pull: neither HOME nor XDG_DATA_HOME is set" "model pull has nowhere to put a model"
"$K" -L "" search x >"$T/out" 2>"$T/err"; is "$? $(cat "$T/err")" "2 kinoseek search: -L names no folder: it is empty" "-L with nothing in it"

# --- streams that are closed: what is said must not go into a file of the library
for closed in '2>&-' '1>&- 2>&-' '0<&- 1>&- 2>&-'; do
  rm -rf "$T/closed"; eval "'$K' -v -L '$T/closed' -m demo --precision fp32 ingest '$plain' $closed"
  is "$(tr -d '0-9\n' <"$T/closed/writer.lock" | wc -c) $("$K" -L "$T/closed" check --json | jq .findings) $("$K" -L "$T/closed" clips | wc -l)" "0 0 1" "ingest $closed"
done
"$K" -L "$T/closed" clips >&- 2>"$T/err"; is "$? $(grep -c 'standard output' "$T/err")" "5 1" "a closed standard output is said"
is "$("$K" help help | head -n 1) $("$K" help --help | head -n 1)" "$("$K" help | head -n 1) $("$K" help | head -n 1)" "help of help"
