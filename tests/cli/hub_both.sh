#!/bin/bash
# Tests of one machine on both stores: each test below runs whole once more with hub_front.sh in the program's place, so that
# what it asks of its library is asked of a hub with the same films. Named after it: what is of a folder alone (its catalog
# read or spoilt by SQL, its clips' numbers or its path, a program killed in it or
# copied elsewhere).
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
. tests/hub_test.sh
hub_sql "ALTER SYSTEM SET fsync = off"; hub_sql "ALTER SYSTEM SET log_statement = 'none'"; hub_sql "SELECT pg_reload_conf()" >/dev/null
mkdir "$T/build"; chmod 755 "$T"
for f in "${K%/*}"/*; do ln -s "$f" "$T/build/"; done
rm "$T/build/kinoseek"; cp tests/hub_front.sh "$T/build/kinoseek"; chmod +x "$T/build/kinoseek"
both() { # TEST ASKED NAMES...: at least so often the hub is asked
  name=$1 least=$2; shift 2; printf '%s\n' "$@" >"$T/of_a_folder"
  rm -rf "$T/front"; mkdir -p "$T/front/root"
  KS_REAL=$K KS_FRONT=$T/front HUB=$HUB hub_bin=$hub_bin BUILD=$(realpath --relative-to=. "$T/build") sh "tests/cli/$name.sh" >"$T/tap" 2>&1
  grep '^not ok' "$T/tap" | sed 's/^not ok - //' | grep -v -x -F -f "$T/of_a_folder" >"$T/others"
  asked=$(wc -l <"$T/front/asked"); n=$(grep -c '^ok' "$T/tap")
  is "$(cat "$T/others") $((asked >= least && n > 0))" " 1" "$name: $n of its tests pass on a hub, asked $asked times"
  if [ -s "$T/others" ]; then grep '^not ok' -B 4 "$T/tap" | sed 's/^/# /' | head -20; fi
}
rm -f "$T/err"
both search 100 ""
both curve 15 ""
both dupes 5 ""
both copies 20 ""
both export 60 "both hold what the catalog holds, to the bit"
both exports 60 "an output that cannot be written: exit 5, and its name" "nothing is left of it"
both eval_mine 40 "the same twice" "with its line" "a second moment that is absent" # they name the library
KS_ONE_HUB=1; export KS_ONE_HUB
both labels 150 "SQL sees them" "killed at eight moments: every film is labelled wholly or not at all" "check names a rotten span" "it is left out and said" "repair keeps the others"
