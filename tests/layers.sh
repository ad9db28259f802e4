#!/bin/sh
# The law of layers, tried on one offending file a rule: each file of tests/layers/ must be refused.
cd "$(dirname "$0")/.." || exit 1
failed=0
for file in $(find tests/layers -name '*.c' | sort); do
  if awk -v root=tests/layers -f tests/layers.awk "$file" >/dev/null; then
    echo "layers: $file breaks a rule and was let through"; failed=1
  fi
done

# A header is read in one sitting (one whose name ends in _body is code).
for file in */*.h; do
  lines=$(wc -l <"$file")
  case $file in *_body.h | tests/*) ;; *) [ "$lines" -le 200 ] || { echo "layers: $file has $lines lines; a header has 200 at most"; failed=1; } ;; esac
done

# One dialect (.clang-format): at most 100 columns, and as clang-format 14 writes it. Other versions of it (Debian 13's is
# 19) break lines elsewhere: there the columns alone are looked at.
sources=$(find . \( -name 'build*' -o -name .git \) -prune -o \( -name '*.c' -o -name '*.h' -o -name '*.cc' \) -print | sort)
# shellcheck disable=SC2086
LC_ALL=C.UTF-8 grep -nE '^.{101}' $sources | sed 's/^\([^:]*:[0-9]*\):.*/layers: \1 is over 100 columns/' | grep . && failed=1
if clang-format --version 2>/dev/null | grep -q 'version 14\.'; then
  # shellcheck disable=SC2086
  clang-format --dry-run $sources 2>&1 | sed -n 's/^\([^:]*:[0-9]*\):.*clang-format-violations.*/layers: \1 is not formatted (make format)/p' |
    sort -u | head -n 20 | grep . && failed=1
fi
exit $failed
