#!/bin/sh
# The cache: no weight is kept twice, doctor says what lies there, --clear-cache takes it away and nothing else.
set -u
K=$PWD/$BUILD/kinoseek
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
C=$T/cache/kinoseek
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; [ -e "$T/err" ] && sed 's/^/# /' "$T/err"; fi; }
is() { if [ "$1" = "$2" ]; then ok 0 "$3"; else echo "# got: $1"; echo "# want: $2"; ok 1 "$3"; fi; }
embed() { "$K" -q -m demo --precision "$1" embed --text "a dog" --image models/demo/moments.png -o "$T/v.npy" --force 2>"$T/err"; }

is "$("$K" doctor --json | jq -c '[.places.cache.bytes,.places.cache.files]')" '[0,0]' "a cache that is not there is empty"
is "$("$K" doctor --clear-cache --json | jq -c '[.files,.bytes,.others]')" '[0,0,0]' "and can be cleared"
embed fp32; ok $? "a model is used"
cp "$T/v.npy" "$T/first.npy"
weights=$("$K" model info demo --json | jq '.parameters * 4')
is "$("$K" doctor --json | jq "(.places.cache.bytes - 65536) * 100 <= $weights * 105")" true "its cache is at most 1.05 times its floats"
find "$C" -type f -printf '%b\n' | awk '{ n++; b += $1 * 512 } END { print "[" b "," n "]" }' >"$T/find"
is "$("$K" doctor --json | jq -c '[.places.cache.bytes,.places.cache.files]')" "$(cat "$T/find")" "doctor says what find says"

# What is not ours stays: files by other names, folders, links and what they lead to.
echo mine >"$T/mine"; echo notes >"$C/notes.txt"; mkdir "$C/folder"; echo x >"$C/folder/x"; ln -s "$T/mine" "$C/cpu.choice.link"
mkdir "$C/tokens"; echo t >"$C/tokens/0123456789abcdef"; echo t >"$C/tokens/photo.jpg"
is "$("$K" doctor --clear-cache --json 2>"$T/err" | jq -c '[.files > 5,.bytes > 1000000,.others]')" '[true,true,4]' "the cache is cleared"
is "$(cd "$C" && find . | sort | paste -sd' ')" ". ./cpu.choice.link ./folder ./folder/x ./notes.txt ./tokens ./tokens/photo.jpg" "what is not ours stays"
is "$(cat "$T/mine")" mine "what a link leads to, too"
embed fp32; cmp -s "$T/v.npy" "$T/first.npy"
ok $? "afterwards all is made anew, with the same bits"
"$K" -q -m demo embed --text "a cat" --text "a dog" >/dev/null 2>"$T/err" &
"$K" doctor --clear-cache >/dev/null 2>>"$T/err"
wait $!
ok $? "a program at work does not mind"
rm -rf "$C"; mkdir -p "$T/cache"; ln -s "$T" "$C"
"$K" doctor --clear-cache >/dev/null 2>"$T/err"
is "$(ls "$T/mine" "$T/first.npy" | wc -l | tr -d ' ')" 2 "a folder that is a link loses nothing of others"
env -u XDG_CACHE_HOME HOME= "$K" doctor --clear-cache 2>"$T/err"
is "$?" 2 "without a place there is nothing to clear"
