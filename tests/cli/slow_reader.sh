#!/bin/bash
# A reader that stands still holds no snapshot: beside `clips` and `label` in a pipe that nobody empties a library is
# compacted, and what they print is whole when the reader goes on.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
K=$BUILD/kinoseek
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME=$T/cache LC_ALL=C TMPDIR=$T
ok() { if [ "$1" = 0 ]; then echo "ok - $2"; else echo "not ok - $2"; fi; }
"$BUILD/tests/prog_made" make "$T/lib" 3000 tests/fixtures/lvt.npz; ok $? "a library of 3,000 clips"
printf 'a cat\nthe rain\n' >"$T/labels"
for ask in "clips --json" "label --labels $T/labels --json"; do
  mkfifo "$T/pipe"
  "$K" -m tests/fixtures/lvt.npz -L "$T/lib" $ask >"$T/pipe" 2>"$T/err" & asker=$!
  exec 7<"$T/pipe"
  still=0
  for i in $(seq 300); do # until it waits for its reader: asleep, ten times in a row
    sleep 0.05; [ "$(awk '{ print $3 }' "/proc/$asker/stat" 2>/dev/null)" = S ] && still=$((still + 1)) || still=0
    [ $still -ge 10 ] && break
  done
  [ $still -ge 10 ]; ok $? "${ask%% *} waits for its reader"
  timeout 60 "$K" -L "$T/lib" compact >"$T/out" 2>"$T/err2"; ok $? "beside it the library is compacted: $(cat "$T/err2")"
  cat <&7 >"$T/got"; exec 7<&-; wait $asker; ok $? "it ends well ($(cat "$T/err"))"
  rm "$T/pipe"
  "$K" -m tests/fixtures/lvt.npz -L "$T/lib" $ask >"$T/want" 2>"$T/err"
  cmp -s "$T/got" "$T/want"; ok $? "and every line has come ($(wc -l <"$T/got"))"
done
"$K" -L "$T/lib" clips --json | head -n 1 >"$T/got"; is="${PIPESTATUS[*]}"; [ "$is" = "0 0" ]; ok $? "a reader that leaves is no error ($is)"
TMPDIR=/nonexistent "$K" -L "$T/lib" clips --json | cmp -s - <("$K" -L "$T/lib" clips --json); ok $? "without TMPDIR it is written directly"
