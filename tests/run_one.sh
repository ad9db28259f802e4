#!/bin/sh
# One test, $1: tests/test_*.c (its libcheck program) or a shell script (TAP). Its log goes to $logs/NAME, how many passed
# and failed to $logs/NAME.sum; a line is said, and where it failed the log's end. $limit: seconds for a script.
source=$1
name=$(basename "$source"); name=${name%.*}
log=$logs/$name
start=$(date +%s)
case $source in
  *.c)
    "$BUILD/tests/$name" >"$log" 2>&1
    code=$?
    line=$(sed -n 's/^[0-9]*%: Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\)$/\1 \2 \3/p' "$log" | tail -n 1)
    # shellcheck disable=SC2086
    set -- $line
    bad=$(( ${2:-0} + ${3:-0} )); good=$(( ${1:-0} - bad )) ;;
  *)
    timeout "$limit" sh "$source" >"$log" 2>&1
    code=$?
    good=$(grep -c '^ok ' "$log"); bad=$(grep -c '^not ok ' "$log") ;;
esac
# what died, or tested nothing, has failed
if [ "$bad" -eq 0 ] && { [ "$code" -ne 0 ] || [ "$good" -eq 0 ]; }; then bad=1; fi
echo "$good $bad" >"$log.sum"
{
  printf '%-28s %4d passed %4d failed  %3d s\n' "$name" "$good" "$bad" $(( $(date +%s) - start ))
  [ "$bad" -eq 0 ] || grep -vE '^[0-9]+%:' "$log" | tail -n 40
} >"$log.said"
cat "$log.said"
