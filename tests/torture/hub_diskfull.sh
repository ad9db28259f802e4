#!/bin/bash
# hub_diskfull.sh - the server's disk is a tmpfs that is full (SIZES, in MiB): a worker's films and an import end where it ends,
# in words; what was said to be indexed is in the hub when there is room again, whole, and what was not is made then. Needs
# root, or user namespaces. SLICE=1: one size.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
if [ -z "${KS_IN_NAMESPACE:-}" ]; then
  if [ "$(id -u)" -eq 0 ]; then how=-m; else how="-Um --map-current-user --keep-caps"; fi
  exec env KS_IN_NAMESPACE=1 unshare $how bash "$0" "$@" || { echo "not ok - no namespaces here"; exit 1; }
fi
set -u
: "${BUILD:=build}"
case $BUILD in /*) K=$BUILD/kinoseek ;; *) K=$PWD/$BUILD/kinoseek ;; esac
T=$(mktemp -d); chmod 755 "$T"
. tests/hub_server.sh
mount -t tmpfs -o size=400m none "$T" || { echo "not ok - no tmpfs"; exit 1; }
chmod 755 "$T"; mkdir "$T/disk"; export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/a" LC_ALL=C.UTF-8
trap 'hub_down immediate >/dev/null 2>&1; cd /; umount "$T/disk" "$T" 2>/dev/null; rmdir "$T"' EXIT
is() { if [ "$1" = "$2" ]; then echo "ok - $3"; else echo "# got: $1"; echo "# want: $2"; echo "not ok - $3"; [ -e "$T/err" ] && sed 's/^/# /' "$T/err"; fi; }
k() { "$K" -L "$HUB" "$@" 2>"$T/err"; }
rows() { sqlite3 "$1/catalog.db" "SELECT hex(v.content), c.start, c.stop, hex(x.half), hex(f.data), hex(t.jpeg) FROM clip c JOIN video v ON v.id = c.video JOIN vector x ON x.clip = c.id LEFT JOIN frame_vectors f ON f.clip = c.id LEFT JOIN thumbnail t ON t.clip = c.id WHERE v.finished > 0 ORDER BY 1, 2, 3" | cksum; }
bash tests/clock_films.sh "$T/made" || echo "not ok - films"
mkdir "$T/films"
for ((i = 0; i < 24; i++)); do cp "$T/made/clock_20.mp4" "$T/films/f$i.mp4"; printf '\0\0\0\014free%04d' $i >>"$T/films/f$i.mp4"; done
"$K" -q -L "$T/lib" ingest --encoder clock "$T/films" 2>"$T/err"; is "$?" 0 "one machine's library"
for fill in ${SIZES:-$([ -n "${SLICE:-}" ] && echo 700 || echo "200 350 500 700 850")}; do
  mount -t tmpfs -o size=200m none "$T/disk"; chmod 1777 "$T/disk"; rm -rf "$T/a" "$T/w"
  export TMPDIR=$T/disk; hub_start || echo "not ok - a server"; unset TMPDIR
  hub_sql "ALTER SYSTEM SET log_statement = 'none'"; hub_sql "ALTER SYSTEM SET max_wal_size = '32MB'"; hub_sql "SELECT pg_reload_conf()" >/dev/null
  k -q store init; k -q root films="$T/films"; k -q ingest --queue "$T/films"; hub_sql CHECKPOINT
  # so much is left (KiB), and the rest of the disk is somebody else's
  left=$(df --output=avail -k "$T/disk" | tail -n 1); head -c $(((left - fill) * 1024)) /dev/zero >"$T/disk/others"
  XDG_DATA_HOME="$T/w" "$K" -q -L "$HUB" root films="$T/films" 2>/dev/null
  XDG_DATA_HOME="$T/w" timeout 240 "$K" -L "$HUB" worker --lease 5 --idle-exit --encoder clock >"$T/said" 2>"$T/err" & worker=$!
  for ((i = 0; i < 600; i++)); do kill -0 $worker 2>/dev/null || break; grep -q 'No space left' "$hub_dir/log" && break; sleep 0.1; done
  full=$(grep -c 'No space left' "$hub_dir/log"); sleep 3
  cp "$T/said" "$T/said.full"; n=$(grep -c indexed "$T/said.full")
  rm -f "$T/disk/others"; sleep 1
  for ((i = 0; i < 100; i++)); do hub_sql "SELECT 1" >/dev/null 2>&1 && break; hub_up >/dev/null 2>&1; sleep 0.2; done
  lost=0; while read -r film _; do
    [ "$(hub_sql "SELECT count(*) FROM kinoseek.video v JOIN kinoseek.path p ON p.video = v.id WHERE p.rel = '${film##*/}' AND v.finished = 1 AND v.clips = (SELECT count(*) FROM kinoseek.clip c JOIN kinoseek.vector x ON x.clip = c.id WHERE c.video = v.id)")" = 1 ] || lost=$((lost + 1))
  done < <(grep indexed "$T/said.full")
  is "$lost $((full > 0))" "0 1" "$fill KiB left: the disk was full after $n films, and what was said is kept"
  wait $worker; code=$?; is "$((code == 0 || code == 5))" 1 "a worker waits for room, or says why not"
  k worker --idle-exit --encoder clock >"$T/out"; is "$? $(hub_sql "SELECT count(*) FROM kinoseek.job")" "0 0" "with room again all is made"
  k -q backup "$T/back"; is "$(rows "$T/back")" "$(rows "$T/lib")" "and is one machine's to the byte"
  rm -rf "$T/back"; hub_down immediate >/dev/null 2>&1; umount "$T/disk"
done
