#!/bin/sh
# liars.sh - model pull from servers that lie in every way of tests/pull_server.py, four states of what was there each.
K=$(pwd)/${BUILD:-build}/kinoseek
T=$(mktemp -d "${TMPDIR:-/tmp}/ks-liars-XXXXXX"); trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" HOME="$T" no_proxy=127.0.0.1 NO_PROXY=127.0.0.1
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
mkdir -p "$T/bin" "$T/share/kinoseek/models"
cp "$K" "$T/bin/kinoseek"
"$T/bin/kinoseek" -q model random --like lvt-toy --seed 5 -o "$T/toy.npz" || echo "not ok - a toy to serve"
printf 'toy\tmodel\ttoy.npz\t%s\t%s\thttp://127.0.0.1:1/none\n' "$(wc -c <"$T/toy.npz")" "$(sha256sum "$T/toy.npz" | cut -d' ' -f1)" \
  >"$T/share/kinoseek/models/released.tsv"
seeds=${SEEDS:-1 2 3}; many=0; [ -z "${SLICE:-}" ] || { seeds=${SEED:-1}; many=80; }
for s in $seeds; do python3 tests/pull_liars.py "$T/bin/kinoseek" "$T/toy.npz" "$T/liars" "$s" "$many"; done
