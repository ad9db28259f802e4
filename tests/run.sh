#!/bin/sh
# Run every unit test (libcheck programs) and every shell test (TAP), then say "N passed, N failed".
# BUILD names the build folder; arguments name the tests to run (default: all).
# KS_LEAVE names some to leave out.
: "${BUILD:=build}"
cd "$(dirname "$0")/.." || exit 1
export BUILD
# What this person has set is not what is tested.
XDG_CONFIG_HOME=/nonexistent; export XDG_CONFIG_HOME
unset KINOSEEK_LIBRARY KINOSEEK_TRANSLATE KINOSEEK_PLAYER
logs=$BUILD/test-logs
rm -rf "$logs"; mkdir -p "$logs"
passed=0; failed=0
wanted() {
  case " ${KS_LEAVE:-} " in *" $1 "*) echo "$1: left out here"; return 1 ;; esac
  [ -z "$only" ] && return 0
  for w in $only; do [ "$w" = "$1" ] && return 0; done
  return 1
}
only="$*"
export CK_DEFAULT_TIMEOUT=${CK_DEFAULT_TIMEOUT:-300}
for source in tests/test_*.c; do
  [ -e "$source" ] || continue
  name=$(basename "$source" .c)
  wanted "$name" || continue
  start=$(date +%s)
  "$BUILD/tests/$name" >"$logs/$name" 2>&1
  code=$?
  line=$(sed -n 's/^[0-9]*%: Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\)$/\1 \2 \3/p' "$logs/$name" | tail -n 1)
  set -- $line
  checks=${1:-0}; bad=$(( ${2:-0} + ${3:-0} ))
  if [ "$checks" -eq 0 ]; then bad=1; checks=1; fi
  if [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; checks=$((checks + 1)); fi
  passed=$((passed + checks - bad)); failed=$((failed + bad))
  printf '%-28s %4d passed %4d failed  %3d s\n' "$name" $((checks - bad)) "$bad" $(( $(date +%s) - start ))
  [ "$bad" -eq 0 ] || { grep -vE '^[0-9]+%:' "$logs/$name" | tail -n 40; }
done
for script in tests/cli/*.sh; do
  [ -e "$script" ] || continue
  name=$(basename "$script" .sh)
  wanted "$name" || continue
  start=$(date +%s)
  timeout 1200 sh "$script" >"$logs/$name" 2>&1
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
