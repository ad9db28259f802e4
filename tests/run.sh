#!/bin/sh
# Run every unit test (libcheck programs) and every shell test (TAP), then say "N passed, N failed".
# BUILD names the build folder; arguments name the tests to run (default: all). KS_LEAVE names some to leave out.
# JOBS: how many at once; default: as many as there are cores, at most 4. TORTURE=1: tests/torture/*.sh instead.
: "${BUILD:=build}"
cd "$(dirname "$0")/.." || exit 1
export BUILD
[ -z "${SLICE:-}" ] || export SLICE
# What this person has set is not what is tested.
XDG_CONFIG_HOME=/nonexistent; export XDG_CONFIG_HOME
unset KINOSEEK_LIBRARY KINOSEEK_TRANSLATE KINOSEEK_PLAYER
export CK_DEFAULT_TIMEOUT="${CK_DEFAULT_TIMEOUT:-300}"
logs=$BUILD/test-logs; limit=1200
[ -z "${TORTURE:-}" ] || { logs=$BUILD/torture-logs; limit=${KS_TORTURE_LIMIT:-36000}; }
export logs limit
rm -rf "$logs"; mkdir -p "$logs"
jobs=${JOBS:-$(nproc 2>/dev/null || echo 2)}
[ "$jobs" -le 4 ] || [ -n "${JOBS:-}" ] || jobs=4
only=$*
# The longest first: what begins last should not be what ends last.
first="test_towers test_kernels test_check hub_live hub ingest serve export search label_kept films survey closer glance hub_both"
[ -z "${TORTURE:-}" ] || first="chaos page hub matrix kills survey_kills closer_kills"
every() {
  if [ -n "${TORTURE:-}" ]; then ls tests/torture/*.sh
  else ls tests/test_*.c tests/cli/*.sh; fi | awk -v first="$first" '
    BEGIN { n = split(first, f, " ") }
    { all[NR] = $0; name = $0; sub(/.*\//, "", name); sub(/\.[a-z]*$/, "", name); by[name] = $0 }
    END { for (i = 1; i <= n; i++) if (f[i] in by) { print by[f[i]]; done[by[f[i]]] = 1 }
          for (i = 1; i <= NR; i++) if (!(all[i] in done)) print all[i] }'
}
every | while read -r source; do
  name=$(basename "$source"); name=${name%.*}
  case " ${KS_LEAVE:-} " in *" $name "*) echo "$name: left out here" >&2; continue ;; esac
  [ -z "$only" ] || case " $only " in *" $name "*) ;; *) continue ;; esac
  echo "$source"
done >"$logs/list"
xargs -r -P "$jobs" -n 1 sh tests/run_one.sh <"$logs/list"
# one that left no sum has failed
while read -r source; do
  name=$(basename "$source"); cat "$logs/${name%.*}.sum" 2>/dev/null || echo "0 1"
done <"$logs/list" | awk '{ p += $1; f += $2 } END { printf "%d passed, %d failed\n", p, f; exit f > 0 || p == 0 }'
