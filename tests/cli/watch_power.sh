#!/bin/bash
# watch_power.sh - `watch --on-ac --nice` on a machine whose plug is ours to pull: a film waits for it, and is let go without.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
export LC_ALL=C
K=$BUILD/kinoseek
T=$(mktemp -d); trap 'kill -CONT $child 2>/dev/null; kill $pid 2>/dev/null; rm -rf "$T"' EXIT
export TMPDIR=$T XDG_CACHE_HOME=$T/cache
ok() { if [ "$1" = 0 ]; then echo "ok - $2"; else echo "not ok - $2"; fi; }
is() { if [ "$1" = "$2" ]; then echo "ok - $3"; else echo "not ok - $3"; echo "# got:  $1"; echo "# want: $2"; fi; }
alone=$(sh tests/own_mounts.sh)
[ -n "$alone" ] && [ -d /sys/class/power_supply ] || { echo "ok - no mounts of our own here, or no power_supply: not tried"; exit 0; }
films() { "$K" -L "$T/lib" clips --json 2>/dev/null | jq -r '.path | sub(".*/"; "")' | sort -u | paste -sd,; }
until_films() { for i in $(seq 1500); do [ "$(films)" = "$1" ] && return; sleep 0.1; done; }
plug() { # 1: in
  echo "$1" >"$T/power/AC/online"
  [ "$1" = 1 ] && echo Charging >"$T/power/BAT0/status" || echo Discharging >"$T/power/BAT0/status"
}
mkdir -p "$T/power/AC" "$T/power/BAT0" "$T/in"; echo Mains >"$T/power/AC/type"; echo Battery >"$T/power/BAT0/type"; plug 0
bash tests/clock_films.sh "$T/made" || echo "not ok - films"
printf "file '%s/made/clock_20.mp4'\n" "$T" "$T" >"$T/one"; for i in 1 2 3 4 5; do cat "$T/one"; done >"$T/list"
ffmpeg -hide_banner -nostdin -v error -y -f concat -safe 0 -i "$T/list" -c copy "$T/long.mp4" # three minutes: it lasts while it is looked for
cp "$T/made/clock_6.mp4" "$T/in/a.mp4"

watch() {
  unshare $alone sh -c 'mount --bind "$1" /sys/class/power_supply && shift && exec "$@"' - "$T/power" \
    "$K" -q -L "$T/lib" watch --encoder clock --settle 0.4 --every 0 --on-ac --survey off "$@" >"$T/out" 2>"$T/err" & pid=$!
}
watch "$T/in"
sleep 2
is "$(films)" "" "on battery a film waits"
plug 1; until_films a.mp4
is "$(films)" a.mp4 "until the plug is in"

# --- the plug is pulled while a film is at work: its ingest is held still until it has been told ---
pick() { child=; for i in $(seq 3000); do child=$(pgrep -P "$pid" -f ' ingest ') && return; sleep 0.01; done; }
until_idle() { for i in $(seq 600); do [ -z "$(pgrep -P "$pid")" ] && return; sleep 0.1; done; }
until_idle; mv "$T/long.mp4" "$T/in/long.mp4"; pick; kill -STOP $child
plug 0
for i in $(seq 600); do told=$((0x$(sed -n 's/^ShdPnd:\t//p' /proc/$child/status) >> 14 & 1)); [ $told = 1 ] && break; sleep 0.1; done
is "$told" 1 "without the plug it is told to stop"
kill -CONT $child; until_idle
is "$(films) $(kill -0 $pid 2>/dev/null; echo $?)" "a.mp4 0" "and does, while the watch goes on"
sleep 2
is "$(pgrep -P "$pid" | wc -l)" 0 "nothing is done on battery"
plug 1; until_films a.mp4,long.mp4
is "$(films)" a.mp4,long.mp4 "with the plug in it goes on, to the end"
until_idle; kill -TERM $pid; wait $pid; is $? 143 "a signal ends it"
"$K" -L "$T/lib" check >"$T/out" 2>&1; ok $? "the library checks"

ffmpeg -hide_banner -nostdin -v error -y -ss 20 -i "$T/in/long.mp4" -c copy "$T/in/more.mp4"
watch --nice; pick
for i in $(seq 600); do nice=$(ps -o ni= -p "$child" | tr -d ' '); [ "$nice" = 0 ] || break; done # it says so itself, first of all
is "$nice" 19 "--nice: its ingest is the last in line"
kill -TERM $pid; wait $pid; is $? 143 "a signal ends it, at work or not"
