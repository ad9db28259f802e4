#!/bin/bash
# diskfull.sh - a small tmpfs as the library's disk, of every size from too small to large enough (steps of 16 KiB):
# exit 5 and nothing broken while it is full; with room again the next ingest ends as an undisturbed one. Needs root
# or user namespaces. SLICE=1: every 12th size.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -u
if [ -z "${KS_IN_NAMESPACE:-}" ]; then
  alone=$(sh tests/own_mounts.sh)
  [ -n "$alone" ] || { echo "not ok - no namespaces here"; exit 1; }
  exec env KS_IN_NAMESPACE=1 unshare $alone bash "$0" "$@"
fi
K=$BUILD/kinoseek D=$BUILD/tests/prog_dump
[ -x "$D" ] || { echo "not ok - no prog_dump: make tests"; exit 1; }
T=$(mktemp -d); trap 'umount "$T/disk" 2>/dev/null; rm -rf "$T"' EXIT
step=16; [ -n "${SLICE:-}" ] && step=192
bash tests/clock_films.sh "$T/films"; rm "$T/films/clock_20.mp4"
say="ingest $T/films --encoder clock --window 2 --hop 0.4 --shots off --commit-every 0 --workers 1 -q"
$K -L "$T/whole" $say >/dev/null 2>&1; $D "$T/whole" >"$T/whole.dump"
mkdir "$T/disk"; full=0 bad=0 sizes=0
for ((kb = 64; kb <= 2400; kb += step)); do
  mount -t tmpfs -o size=${kb}k none "$T/disk" || { echo "not ok - no tmpfs"; exit 1; }
  sizes=$((sizes + 1))
  $K -L "$T/disk/lib" $say >"$T/out" 2>"$T/err"; code=$?
  [ $code -eq 5 ] && full=$((full + 1))
  [ $code -eq 5 ] || [ $code -eq 0 ] || { bad=$((bad + 1)); echo "# $kb KiB: exit $code: $(tail -1 "$T/err")"; }
  if [ $code -eq 5 ]; then
    mount -o remount,size=32m "$T/disk"
    $K -L "$T/disk/lib" $say >"$T/out" 2>"$T/err" || { bad=$((bad + 1)); echo "# $kb KiB, with room again: exit $?: $(tail -1 "$T/err")"; }
  fi
  $D "$T/disk/lib" 2>&1 | cmp -s - "$T/whole.dump" || { bad=$((bad + 1)); echo "# $kb KiB: another library"; }
  umount "$T/disk"
  [ $code -eq 0 ] && break
done
echo "# $sizes sizes, full at $full of them, the last $kb KiB"
[ $bad -eq 0 ] && [ $full -gt 3 ] && echo "ok - disk full at $full sizes: exit 5, and resumed to the same library" || echo "not ok - disk full: $bad bad of $sizes sizes ($full full)"
