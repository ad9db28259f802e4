#!/bin/sh
# after_crash.sh LIBRARY - judges one state of a disk after a power loss: the library opens, what was acknowledged in
# the JSON lines of the file $ACKED is indexed, and (one state in 25) the next ingest ends as an undisturbed one.
# KS_FILMS, KS_SAY, KS_WHOLE and BUILD come from powerloss.sh.
K=$BUILD/kinoseek D=$BUILD/tests/prog_dump
"$D" "$1" >"$1.now" 2>"$1.err" || { cat "$1.err"; exit 1; }
jq -r 'select(.event == "file" and (.verdict == "indexed" or .verdict == "unchanged")) | .path' <"$ACKED" 2>/dev/null | while read -r path; do
  grep -qF "$path | indexed |" "$1.now" || { echo "lost: $path"; exit 1; }
done || exit 1
count=$(cat "$KS_FILMS/../count" 2>/dev/null || echo 0); echo $((count + 1)) >"$KS_FILMS/../count"
[ $((count % 25)) -eq 0 ] || exit 0
# shellcheck disable=SC2086
"$K" -L "$1" $KS_SAY >/dev/null 2>"$1.err" || { cat "$1.err"; exit 1; }
"$D" "$1" | cmp -s - "$KS_WHOLE" || { echo "another library after the next ingest"; exit 1; }
