#!/bin/bash
# hub.sh - 8 workers (WORKERS) make 400 tiny films (FILMS) of a hub while 50 of them are killed, 5 are frozen past their lease,
# 30 sessions are cut and the server is restarted at once 3 times, in an order that SEED names and at moments that the queue's
# progress sets. Then nothing is lost, nothing there twice, and the rows are one local ingest's to the byte. SLICE=1: 3 workers,
# 20 films, 6 kills, 1 freeze, 4 cuts, 1 restart.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -u
K=$PWD/$BUILD/kinoseek
[ "${BUILD#/}" = "$BUILD" ] || K=$BUILD/kinoseek
T=$(mktemp -d)
. tests/hub_server.sh
declare -A pid
trap 'for p in "${pid[@]}"; do kill -CONT $p; kill -9 $p; done 2>/dev/null; wait 2>/dev/null; hub_stop; rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/a" LC_ALL=C.UTF-8
unset PGHOST PGSSLMODE PGPASSWORD
if [ -n "${SLICE:-}" ]; then workers=3 films=20 kills=6 freezes=1 cuts=4 restarts=1
else workers=${WORKERS:-8} films=${FILMS:-400} kills=${KILLS:-50} freezes=5 cuts=30 restarts=3; fi
seed=${SEED:-24}; RANDOM=$seed; lease=5
is() { if [ "$1" = "$2" ]; then echo "ok - $3"; else echo "# got: $1"; echo "# want: $2"; echo "not ok - $3"; fi; }
rows() { sqlite3 "$1/catalog.db" "SELECT hex(v.content), v.verdict, v.duration, c.start, c.stop, c.frames, c.reason, hex(x.half), hex(f.data), hex(t.jpeg) FROM clip c JOIN video v ON v.id = c.video JOIN vector x ON x.clip = c.id LEFT JOIN frame_vectors f ON f.clip = c.id LEFT JOIN thumbnail t ON t.clip = c.id WHERE v.finished > 0 ORDER BY 1, 4, 5" | cksum; }
hub_start || { echo "not ok - a server of our own"; exit 1; }
hub_sql "ALTER SYSTEM SET log_statement = 'none'"; hub_sql "SELECT pg_reload_conf()" >/dev/null

# --- films of three lengths (a free atom at the end makes another content)
bash tests/clock_films.sh "$T/made" || echo "not ok - films"
mkdir -p "$T/films"; lengths=(6 13 1 6)
for ((i = 0; i < films; i++)); do
  cp "$T/made/clock_${lengths[i % 4]}.mp4" "$T/films/f$i.mp4"; printf '\0\0\0\014free%04d' $i >>"$T/films/f$i.mp4"
done
"$K" -q -L "$T/lib" ingest --encoder clock "$T/films" 2>"$T/err"; is "$?" 0 "one machine's library"
k() { "$K" -L "$HUB" "$@" 2>"$T/err"; }
k -q store init; k -q root films="$T/films"; hub_sql "CREATE ROLE worker LOGIN IN ROLE kinoseek_worker"
W=${HUB%postgres}worker # with a worker's rights and no others
is "$(k ingest --queue "$T/films" | tail -n 1)" "$films films queued" "the queue"

# --- workers, and what happens to them
worker() { XDG_DATA_HOME="$T/w$1" "$K" -L "$W" worker --lease $lease --idle-exit --encoder clock >>"$T/w$1.out" 2>>"$T/w$1.err" & pid[$1]=$!; }
alive() { kill -0 "${pid[$1]}" 2>/dev/null; }
for ((m = 0; m < workers; m++)); do XDG_DATA_HOME="$T/w$m" "$K" -q -L "$W" root films="$T/films"; worker $m; done
bag=()
for ((i = 0; i < kills; i++)); do bag+=(kill); done
for ((i = 0; i < freezes; i++)); do bag+=(freeze); done
for ((i = 0; i < cuts; i++)); do bag+=(cut); done
for ((i = 0; i < restarts; i++)); do bag+=(restart); done
for ((i = ${#bag[@]} - 1; i > 0; i--)); do j=$((RANDOM % (i + 1))); t=${bag[i]}; bag[i]=${bag[j]}; bag[j]=$t; done
killed=0 frozen=0 cut=0 restarted=0 ended=0 at=0
now() { date +%s; }
begun=$(now)
happen() { # WHAT: 0 where it did
  local m=$((RANDOM % workers))
  case $1 in
    kill) alive $m || return 1; kill -9 "${pid[$m]}"; wait "${pid[$m]}" 2>/dev/null; killed=$((killed + 1)); worker $m ;;
    freeze) alive $m || return 1; kill -STOP "${pid[$m]}"; frozen=$((frozen + 1)); local p=${pid[$m]}; (sleep $((lease + 3)); kill -CONT $p 2>/dev/null) & ;;
    cut) local n; n=$(hub_sql "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity WHERE application_name = 'kinoseek' ORDER BY random() LIMIT 1) s"); [ "${n:-0}" -gt 0 ] || return 1; cut=$((cut + n)) ;;
    restart) hub_down immediate; hub_up; restarted=$((restarted + 1)) ;;
  esac
}
while [ $(($(now) - begun)) -lt "${HUB_LIMIT:-3000}" ]; do
  left=$(hub_sql "SELECT count(*) FROM kinoseek.job WHERE state < 2" 2>/dev/null) || { sleep 0.5; continue; }
  [ "$left" -gt 0 ] || break
  # all of it within the first nine tenths of the films
  if [ $at -lt ${#bag[@]} ] && [ $(((films - left) * 10 * ${#bag[@]})) -ge $((films * 9 * at)) ]; then happen "${bag[at]}" && at=$((at + 1)); fi
  for ((m = 0; m < workers; m++)); do alive $m || { ended=$((ended + 1)); worker $m; }; done
  sleep 0.2
done
for ((m = 0; m < workers; m++)); do wait "${pid[$m]}" 2>/dev/null; done
echo "# seed $seed, $(($(now) - begun)) s: $killed kills, $frozen freezes, $cut cut sessions, $restarted immediate restarts; $ended workers ended by themselves"
is "$killed $frozen $cut $restarted" "$kills $freezes $cuts $restarts" "all of it happened"
is "$(hub_sql "SELECT count(*) FROM kinoseek.job WHERE state < 2")" 0 "the queue is empty"
hub_sql "SELECT reason, lost, tries FROM kinoseek.job WHERE state = 2" | sed 's/^/# failed: /'
is "$(hub_sql "SELECT count(*) FROM kinoseek.job WHERE reason NOT LIKE 'its workers ended%'")" 0 "what has failed lost five workers"
k queue retry >"$T/out"; k worker --idle-exit --encoder clock >"$T/out"; is "$? $(hub_sql "SELECT count(*) FROM kinoseek.job")" "0 0" "and is made when it is asked for again"
is "$(hub_sql "SELECT count(*), count(DISTINCT (video, space, start, stop)) FROM kinoseek.clip c WHERE EXISTS (SELECT 1 FROM kinoseek.vector v WHERE v.clip = c.id)")" "$(sqlite3 "$T/lib/catalog.db" "SELECT count(*) || '|' || count(*) FROM clip")" "no clip is lost, none is there twice"
is "$(hub_sql "SELECT count(*), count(DISTINCT content) FROM kinoseek.video WHERE finished = 1")" "$films|$films" "nor a film"
k backup "$T/back" >"$T/out"; is "$(rows "$T/back")" "$(rows "$T/lib")" "content, times, vectors, frame vectors, thumbnails are one machine's to the byte"
is "$(k check --json | jq -r 'select(.invariant)')" "" "check finds nothing in a mirror"
is "$(cat "$T"/w*.err | grep -c -e ERROR -e Sanitizer -e 'Assertion' -e 'fault of ours')" 0 "no worker died of its own"
