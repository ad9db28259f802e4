#!/bin/sh
# Which library and model: an option beats the environment, that beats the configuration file, that beats the default;
# doctor says what holds and who said it; a file that cannot be read so is refused by its line, and nothing is done.
set -u
K=$PWD/$BUILD/kinoseek
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export HOME="$T/home" XDG_CACHE_HOME="$T/cache" LC_ALL=C.UTF-8
unset XDG_CONFIG_HOME XDG_DATA_HOME KINOSEEK_LIBRARY KINOSEEK_TRANSLATE KINOSEEK_PLAYER
C=$HOME/.config/kinoseek/config
mkdir -p "${C%/*}"
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; [ -e "$T/err" ] && sed 's/^/# /' "$T/err"; fi; }
is() { if [ "$1" = "$2" ]; then ok 0 "$3"; else echo "# got: $1"; echo "# want: $2"; ok 1 "$3"; fi; }
set_of() { "$K" "$@" doctor --json 2>"$T/err" | jq -c '[.settings | .library, .model, .translate, .player | [.value, .from, .line // 0]]'; }

D=$HOME/.local/share/kinoseek/default
none='[["'$D'","default",0],["demo","default",0],[null,"default",0],["mpv","default",0]]'
is "$(set_of)" "$none" "nobody said anything"
is "$("$K" doctor --json | jq -c '.settings.file | [.path, .exists]')" "[\"$C\",false]" "the file need not be there"
: >"$C"; is "$(set_of)" "$none" "an empty file says nothing"
printf '# mine\n\n  library=~/films lib \nmodel\t=\tlvt-large\r\n  # player = vlc\nplayer = vlc -f = {path}\ntranslate=tr a b' >"$C"
file='["'$HOME'/films lib","file",3],["lvt-large","file",4],["tr a b","file",7],["vlc -f = {path}","file",6]'
is "$(set_of)" "[$file]" "the file says all four"
is "$(XDG_CONFIG_HOME=/nonexistent set_of)" "$none" "XDG_CONFIG_HOME: another file"
is "$(XDG_CONFIG_HOME=relative set_of)" "[$file]" "a relative one is none"
is "$(XDG_CONFIG_HOME=$HOME/.config HOME='' "$K" doctor 2>&1)" "kinoseek doctor: $C:3: ~/ leads nowhere: HOME is no absolute path" "without a home that is said"
is "$(KINOSEEK_LIBRARY=rel/ative KINOSEEK_TRANSLATE=t KINOSEEK_PLAYER=p set_of)" '[["rel/ative","environment",0],["lvt-large","file",4],["t","environment",0],["p","environment",0]]' "the environment beats it"
is "$(KINOSEEK_LIBRARY='' KINOSEEK_PLAYER='' set_of)" "[$file]" "an empty variable says nothing"
is "$(KINOSEEK_LIBRARY=/there set_of -L /here -m demo | cut -d, -f1-6)" '[["/here","option",0],["demo","option",0]' "an option beats both"
printf 'library = postgresql:///films' >"$C"; is "$(set_of | jq -c '.[0]')" '["postgresql:///films","file",1]' "a hub is a library, too"
for a in 'postgresql://me:hush@h/films' 'postgresql://h/films?password=hush' 'postgres://me@h:5432,me:hush@i/films' 'service=films sslpassword=hush'; do
  is "$("$K" -L "$a" doctor 2>&1 | grep -c hush) $("$K" -L "$a" doctor --json 2>&1 | grep -c hush)" "0 0" "no password of an address is shown: $a"
done
is "$("$K" -L postgresql://me@h:5432/films doctor --json | jq -r '.settings.library | .value // .')" postgresql://me@h:5432/films "a name and a port are"
printf 'library=/a\nmodel = lvt-large\ntranslate=tr a b\nplayer = vlc -f = {path}\n' >"$C"
is "$("$K" -L /here doctor | sed -n '/^settings/,/^encoder/p' | sed '1d;$d')" "  file               $C
  library            /here (-L)
  model              lvt-large (line 2 of the file)
  translate          tr a b (line 3 of the file)
  player             vlc -f = {path} (line 4 of the file)" "in words"

# --- what is refused
bad() { # name, sentence: stdin is the file
  cat >"$C"; "$K" status >"$T/out" 2>"$T/err"
  is "$? $(cat "$T/out" "$T/err")" "2 kinoseek status: $C$2" "refused: $1"
}
printf 'library = /a\n\nlibary = /b\n' | bad "an unknown key" ":3: there is no setting libary (did you mean library?)"
printf 'threads = 4\n' | bad "a key that is none" ":1: there is no setting threads"
printf 'library = /a\nlibrary = /a\n' | bad "a key said twice" ":2: library was said in line 1"
printf 'library\n' | bad "no =" ":1: a line is key = value, not \"library\""
printf '#\nplayer = \n' | bad "no value" ":2: player has no value"
printf 'library = here\n' | bad "a library relative to wherever one stands" ":1: library wants a path from / or ~/ on, not \"here\""
printf 'model = my.npz\n' | bad "such a model" ":1: model wants a path from / or ~/ on, not \"my.npz\""
printf 'player = a\nmodel = de\0mo\n' | bad "a zero byte" ":2: a zero byte"
head -c 70000 /dev/zero | tr '\0' '#' | bad "a long file" ": a configuration of more than 64 KiB"
rm "$C"; mkdir "$C"; "$K" status 2>"$T/err"; is "$? $(cat "$T/err")" "2 kinoseek status: $C: the configuration is no file" "refused: a folder"
rmdir "$C"; printf 'no\n' >"$C"
"$K" doctor >"$T/out" 2>"$T/err"; is "$? $(cat "$T/out")" "2 " "doctor names the line, too"
"$K" status --help >/dev/null 2>"$T/err" && "$K" --version >/dev/null 2>"$T/err"; ok $? "help and version need no configuration"

# --- it works: ingest, search, status, serve and watch take the library that is set, a new one the model
mkdir "$T/films"; film=$T/films/weather.mp4; cp models/demo/films/weather.mp4 "$film"
printf 'library = %s\nmodel = %s\n' "$T/set" "$PWD/models/demo/demo.npz" >"$C"
"$K" ingest "$T/films" >/dev/null 2>"$T/err"; is "$? $(grep -c "using the model" "$T/err")" "0 0" "ingest makes it, and needs not say which model it took"
is "$("$K" status --json | jq -r '.library, .model' | paste -sd' ')" "$T/set $PWD/models/demo/demo.npz" "status is about it"
is "$(ls "$HOME")" "" "the default library is not made"
is "$("$K" search --all -k 1 --json rain | jq -r .path)" "$film" "search finds in it"
KINOSEEK_LIBRARY=$T/other "$K" search rain >/dev/null 2>"$T/err"; is "$?" 10 "the environment leads elsewhere"
printf 'library = %s\nmodel = nothing\nplayer = echo played\n' "$T/set" >"$C"
is "$("$K" search --all -k 1 rain --open 1 2>"$T/err" | tail -n 1 | sed 's/--start=[0-9.]*//')" "played  $film" "the player of the file is started"
"$K" ingest "$film" >/dev/null 2>"$T/err"; ok $? "a library that is there keeps its own model"
KINOSEEK_LIBRARY=$T/new "$K" ingest "$film" >/dev/null 2>"$T/err"; is "$? $(cut -d: -f2 "$T/err")" "4  nothing" "a new one wants the model that is set"
"$K" serve --listen 127.0.0.1:0 >"$T/out" 2>"$T/err" & p=$!
for i in $(seq 100); do grep -q Listening "$T/out" && break; sleep 0.1; done
is "$(python3 - "$(sed -n 's/^Listening on //p' "$T/out")" 2>"$T/err" <<'END' | jq -r .library
import sys, urllib.request
base, token = sys.argv[1].split("/?token=")
ask = urllib.request.Request(base + "/api/v1/status", headers={"Authorization": "Bearer " + token})
print(urllib.request.urlopen(ask).read().decode())
END
)" "$T/set" "serve serves it"
kill "$p"; wait "$p" 2>/dev/null
"$K" watch --every 1s --json >"$T/out" 2>"$T/err" & p=$!
for i in $(seq 100); do grep -q '"event":"done"' "$T/out" && break; sleep 0.1; done
kill "$p"; wait "$p" 2>/dev/null
is "$(jq -r 'select(.event == "file") | .path + " " + .verdict' "$T/out" | head -n 1)" "$film unchanged" "watch goes on with it"
