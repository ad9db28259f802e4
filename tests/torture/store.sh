#!/bin/sh
# The store under faults: power loss, each write, fsync, rename and allocation failing or ending in a kill, a disk
# that is full at every page, flipped bits, mutated search copies. prog_library writes as ingest does. SLICE=1: every
# 61st place from one that SEED names, fewer bits and copies than make check has.
: "${BUILD:=build}"
lib=$PWD/$BUILD/tests/prog_library
states=2400; step=1; pages=1; mutants=5000; flips=1500; seed=${SEED:-7}
if [ -n "${SLICE:-}" ]; then states=80; step=61; pages=67; mutants=60; flips=30; fi
t=$(mktemp -d) || exit 1
trap 'rm -rf "$t"' EXIT
say() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; fi; }
films=9; clips=4; dim=64; kind=1

# 1. Power loss: whatever of the unsynced writes reached the disk, what was said is there and the library checks.
mkdir "$t/power"
python3 tests/torture/crashsim.py --dir "$t/power" --states "$states" \
  --check "$lib verify {dir} $clips $dim $kind \$ACKED && $lib search {dir} $dim $kind 3" \
  -- "$lib" grow "$t/power" 0 $films $clips $dim $kind >"$t/out" 2>&1
say $? "power loss: $(tail -n 1 "$t/out" | cut -c 1-300)"

# 2. Each call of one kind fails once, from then on, is cut short, or is the last (kill): then the next run goes on.
${CC:-cc} -O2 -fPIC -shared tests/torture/faultlib.c -o "$t/fault.so" -ldl || exit 1
sweep() { # function, errno, extra variables
  fn=$1; shift
  rm -rf "$t/lib" "$t/count"
  env FI_FN="$fn" FI_AT=0 FI_COUNT="$t/count" FI_PATH="$t/lib" LD_PRELOAD="$t/fault.so" "$lib" grow "$t/lib" 0 $films $clips $dim $kind >/dev/null 2>&1
  calls=$(awk 'END { print $2 }' "$t/count"); tried=0; bad=0; at=$((1 + seed % (step < calls ? step : calls))); deaths=0
  while [ "$at" -le "$calls" ]; do
    rm -rf "$t/lib"; : >"$t/acked"
    env FI_FN="$fn" FI_AT="$at" FI_PATH="$t/lib" "$@" LD_PRELOAD="$t/fault.so" "$lib" grow "$t/lib" 0 $films $clips $dim $kind >"$t/acked" 2>"$t/err"
    code=$?
    case "$code" in 0|5|6|137) ;; *) deaths=$((deaths + 1)); echo "# $fn $at $*: exit $code: $(head -c 200 "$t/err")" ;; esac
    "$lib" verify "$t/lib" $clips $dim $kind "$t/acked" >"$t/out" 2>&1 && "$lib" search "$t/lib" $dim $kind 4 >>"$t/out" 2>&1 || {
      bad=$((bad + 1)); echo "# $fn $at $*: $(head -n 2 "$t/out")"; }
    tried=$((tried + 1)); at=$((at + step))
  done
  [ "$bad" -eq 0 ] && [ "$deaths" -eq 0 ] && [ "$tried" -gt 0 ]
  say $? "$fn $*: $tried faults of $calls calls, $bad bad, $deaths deaths"
}
sweep write FI_ERRNO=28
sweep write FI_ERRNO=28 FI_STICKY=1
sweep write FI_ERRNO=28 FI_SHORT=1
sweep write FI_KILL=1
sweep fsync FI_ERRNO=5
sweep fsync FI_ERRNO=5 FI_STICKY=1
sweep fsync FI_KILL=1
sweep rename FI_ERRNO=5
sweep rename FI_KILL=1
sweep open FI_ERRNO=24
sweep unlink FI_KILL=1

# 3. A disk of k pages, for every k: exit 5 and what was said is kept; with room, the same command ends.
alone=$(sh tests/own_mounts.sh)
if [ -n "$alone" ]; then
  cat >"$t/full.sh" <<'IN'
lib=$1; t=$2; k=$3; films=$4; clips=$5; dim=$6; kind=$7
mkdir -p "$t/disk"
mount -t tmpfs -o size=$((k * 4096)) none "$t/disk" || exit 3
"$lib" grow "$t/disk/lib" 0 "$films" "$clips" "$dim" "$kind" >"$t/acked" 2>"$t/err"
code=$?
[ "$code" -eq 5 ] || [ "$code" -eq 0 ] || { echo "exit $code at $k pages: $(head -c 200 "$t/err")"; exit 1; }
if [ -e "$t/disk/lib/catalog.db" ]; then
  mount -o remount,size=64m "$t/disk" || exit 3
  "$lib" verify "$t/disk/lib" "$clips" "$dim" "$kind" "$t/acked" || { echo "bad at $k pages"; exit 1; }
fi
"$lib" grow "$t/disk/lib" 0 "$films" "$clips" "$dim" "$kind" >"$t/acked" 2>"$t/err" || [ ! -e "$t/disk/lib/catalog.db" ] || { echo "does not go on at $k pages"; exit 1; }
exit "$code"
IN
  full=0; good=0; bad=0; k=1
  while [ "$good" -lt 3 ] && [ "$k" -lt 400 ]; do
    unshare $alone sh "$t/full.sh" "$lib" "$t" $k $films $clips $dim $kind >"$t/out" 2>&1
    case $? in 0) good=$((good + 1)) ;; 5) full=$((full + 1)) ;; *) bad=$((bad + 1)); echo "# $(head -n 2 "$t/out")" ;; esac
    k=$((k + pages))
  done
  [ "$bad" -eq 0 ] && [ "$full" -gt 0 ]; say $? "disk full at $full sizes, enough at $good, $bad bad"
else
  echo "not ok - disk full: this machine lets nobody make a mount namespace"
fi

# 4. Bits and copies.
KS_FLIPS=$flips "$BUILD/tests/test_check" >"$t/out" 2>&1; say $? "flipped bits: $(grep '^#' "$t/out")"
KS_MUTANTS=$mutants "$BUILD/tests/test_copy" >"$t/out" 2>&1; say $? "$mutants mutants of a search copy change no answer"
KS_MUTANTS=$((mutants / 5)) "$BUILD/tests/test_faiss" >"$t/out" 2>&1; say $? "$((mutants / 5)) mutants of lists change no answer"
