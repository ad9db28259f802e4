#!/bin/sh
# Each allocation and each file operation of ours fails once, in the commands that open an encoder: the
# program says so and exits, or goes on and answers exactly as without the fault; it never dies. SLICE=1: every 53rd,
# from one that SEED names.
: "${BUILD:=build}"
step=1; first=1; [ -n "${SLICE:-}" ] && step=53 && first=$((1 + ${SEED:-7} % 6))
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
${CC:-cc} -O2 -fPIC -shared tests/torture/own_faults.c -o "$work/faults.so" -ldl || exit 1
program=$PWD/$BUILD/kinoseek
python3 - "$work/clip.npy" <<'PY' || exit 1
import struct, sys
head = b"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 54, 54, 3), }"
head += b" " * (117 - len(head)) + b"\n"
open(sys.argv[1], "wb").write(b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + bytes(i * 7 % 256 for i in range(2 * 54 * 54 * 3)))
PY

# One run: $1 kind, $2 which; the command in "$@" behind them. The cache is new for every run if $fresh.
run() {
  kind=$1; at=$2; shift 2
  [ -z "$fresh" ] || rm -rf "$work/cache"
  rm -f "$work/out.npy" "$work/out.npy.part"
  timeout 60 env FAULT_KIND="$kind" FAULT_AT="$at" FAULT_COUNT="$work/count" XDG_CACHE_HOME="$work/cache" \
    LD_PRELOAD="$work/faults.so" "$program" --threads 2 "$@" >"$work/out" 2>"$work/err"
}

sweep() {
  name=$1; shift
  for kind in alloc file; do
    run "$kind" 0 "$@"
    code=$?; mv "$work/out" "$work/want"; [ -e "$work/out.npy" ] && cp "$work/out.npy" "$work/want.npy"
    total=$(cat "$work/count"); bad=0; said=0; survived=0; i=$first
    if [ "$code" -ne 0 ]; then echo "not ok - $name runs without a fault ($code: $(cat "$work/err"))"; return; fi
    while [ "$i" -le "$total" ]; do
      run "$kind" "$i" "$@"; code=$?
      if [ "$code" -eq 0 ]; then
        survived=$((survived + 1)); cmp -s "$work/out" "$work/want" || { bad=$((bad + 1)); echo "# $kind $i: exit 0 and another answer"; }
        [ ! -e "$work/want.npy" ] || cmp -s "$work/out.npy" "$work/want.npy" || { bad=$((bad + 1)); echo "# $kind $i: exit 0 and another file"; }
      elif [ "$code" -gt 11 ] || [ ! -s "$work/err" ] || [ -e "$work/out.npy" ]; then
        bad=$((bad + 1)); echo "# $kind $i: exit $code: $(head -n 2 "$work/err")"
      else said=$((said + 1)); fi
      i=$((i + step))
    done
    rm -f "$work/want.npy"
    if [ "$bad" -eq 0 ] && [ "$total" -gt 5 ]; then result=ok; else result="not ok"; fi
    echo "$result - $name: of $total ${kind}s every ${step}. failed once: $said said so, $survived went on, $bad wrong"
  done
}

fresh=1
sweep "first use of an npz" -m tests/fixtures/lvt.npz embed --text "a dog, jumping" --npy "$work/clip.npy"
sweep "first use of a safetensors" -m tests/fixtures/small_hf/model.safetensors embed --ids 5,7
fresh=
sweep "a known model" -m tests/fixtures/lvt.npz embed --text "a dog, jumping" --npy "$work/clip.npy" --npy "$work/clip.npy"
sweep "features" -m tests/fixtures/classifier.npz features --npy "$work/clip.npy" -o "$work/out.npy"
