#!/bin/sh
# The law of layers, tried on one offending file a rule: each file of tests/layers/ must be refused.
cd "$(dirname "$0")/.." || exit 1
failed=0
for file in $(find tests/layers -name '*.c' | sort); do
  if awk -v root=tests/layers -f tests/layers.awk "$file" >/dev/null; then
    echo "layers: $file breaks a rule and was let through"; failed=1
  fi
done
exit $failed
