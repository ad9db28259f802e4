#!/bin/sh
# The long hunts: every tests/torture/*.sh (TAP), one after the other; "N passed, N failed" at the end.
# SLICE=1 asks each for a short seeded slice; arguments name the parts to run (default: all).
: "${BUILD:=build}"
cd "$(dirname "$0")/.." || exit 1
export BUILD SLICE
logs=$BUILD/torture-logs
mkdir -p "$logs"
passed=0; failed=0
only="$*"
for script in tests/torture/*.sh; do
  [ -e "$script" ] || continue
  name=$(basename "$script" .sh)
  [ -z "$only" ] || case " $only " in *" $name "*) ;; *) continue ;; esac
  start=$(date +%s)
  timeout "${KS_TORTURE_LIMIT:-36000}" sh "$script" >"$logs/$name" 2>&1
  code=$?
  good=$(grep -c '^ok ' "$logs/$name"); bad=$(grep -c '^not ok ' "$logs/$name")
  if [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
  if [ "$good" -eq 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
  passed=$((passed + good)); failed=$((failed + bad))
  printf '%-28s %4d passed %4d failed  %3d s\n' "$name" "$good" "$bad" $(( $(date +%s) - start ))
  [ "$bad" -eq 0 ] || tail -n 40 "$logs/$name"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
