#!/bin/bash
# made.sh - a library remembers how it was made: what a later ingest does not say is as it was said last.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
export LC_ALL=C
K=$BUILD/kinoseek
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
export TMPDIR=$T XDG_CACHE_HOME=$T/cache
ok() { if [ "$1" = 0 ]; then echo "ok - $2"; else echo "not ok - $2"; fi; }
is() { if [ "$1" = "$2" ]; then echo "ok - $3"; else echo "not ok - $3"; echo "# got:  $1"; echo "# want: $2"; fi; }
run() { "$K" -L "$T/lib" ingest --encoder clock --json "$@" 2>"$T/err" >"$T/out"; code=$?; }
clips() { "$K" -L "$T/lib" clips --json --in "$1" | jq -r '"\(.start + 0)-\(.end + 0) \(.frames)"' | paste -sd,; }
done_() { jq -r "select(.event == \"done\") | .$1" "$T/out"; }
bash tests/clock_films.sh "$T/made" || echo "not ok - films"
mkdir "$T/in"; cp "$T/made/clock_6.mp4" "$T/in/"

run "$T/in" --frames 8 --window 2 --hop 1 --shots off --fit pad --hidden
is "$code $(clips clock_6.mp4) $(done_ left)" "0 0-2 8,1-3 8,2-4 8,3-5 8,4-6 8 0" "a library of its own frames, window and hop"
cp "$T/made/clock_1.mp4" "$T/in/.seen.mp4"; cp "$T/made/clock_13.mp4" "$T/in/later.mp4"
run
is "$code $(clips later.mp4 | cut -d, -f1-4) $(clips later.mp4 | tr , '\n' | wc -l)" "0 0-2 8,1-3 8,2-4 8,3-5 8 12" "plain ingest goes on so"
is "$(clips .seen.mp4)" "0-1 8" "with what begins with a dot"
run --frames 16; is "$code $(grep -c -- 'frames' "$T/err")" "2 1" "other frames are still another space"
run --fit crop; is "$code" 2 "and another fit"
mkdir "$T/more"; cp "$T/made/clock_20.mp4" "$T/more/"
run "$T/more" --window 5
is "$(clips clock_20.mp4 | cut -d, -f1,2)" "0-5 8,2.5-7.5 8" "another window has its own half as hop"
cp "$T/made/clock_6.mp4" "$T/more/x.mp4"; printf x >>"$T/more/x.mp4"; run
is "$(clips x.mp4 | cut -d, -f1)" "0-5 8" "and what was said last is remembered"
cp "$T/made/clock_1.mp4" "$T/in/.late.mp4"; printf x >>"$T/in/.late.mp4"; run --no-hidden; run
is "$("$K" -L "$T/lib" clips --json | grep -c '\.late')" 0 "--no-hidden takes back, for later runs too"
"$K" -L "$T/lib" check >/dev/null 2>&1; ok $? "and the library checks"

# Fewer frames of short shots: of the library, like --frames; a picture alone keeps all.
run() { "$K" -L "$T/few" ingest --encoder clock --json "$@" 2>"$T/err" >"$T/out"; code=$?; }
few() { "$K" -L "$T/few" clips --json --in "$1" | jq -r '"\(.reason) \(.frames)"' | sort -u | paste -sd,; }
run "$T/made/clock_6.mp4" --short-shots 4 --shots off
is "$code $(few clock_6.mp4)" "0 shot 4" "a shot of one clip has the frames that were asked for"
cp "$T/made/clock_20.mp4" "$T/made/clock_1.mp4" "$T/more"; run "$T/more" --stills
is "$code $(few clock_1.mp4) $(few clock_20.mp4)" "0 shot 4 tail 16,window 16" "later runs go on so; longer shots have all"
run "$T/more" --short-shots 8; is "$code $(grep -c 'short shots 4.*short shots 8' "$T/err")" "2 1" "another number is another space"
run "$T/more" --short-shots 16; is "$code" 2 "and so is as many as of any"
"$K" -L "$T/few" check >/dev/null 2>&1; ok $? "and the library checks"

# Without a folder: what to name is said.
"$K" -L "$T/one" ingest --encoder clock -q "$T/made/clock_6.mp4" >/dev/null 2>&1
"$K" -L "$T/one" ingest --encoder clock >"$T/out" 2>"$T/err"; code=$?
is "$code $(grep -c "kinoseek ingest $T/made\$" "$T/err")" "2 1" "a library of single films names a folder to go on with"

# What is left is told, as text and as a number.
"$K" -L "$T/left" ingest --encoder clock --json --budget 0.001 "$T/made" >"$T/out" 2>"$T/err"

is "$(done_ left) $(done_ files)" "4 5" "a budget that is used up leaves all films (two paths are of one), and --json says so"
