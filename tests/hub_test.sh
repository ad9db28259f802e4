# hub_test.sh - how a test of a hub begins: . tests/hub_test.sh
# T: a folder of its own, HUB: a server of its own (hub_server.sh), K: the program; both go with it, and so do $pids. ok and is
# say TAP, k asks the hub, as MACHINE has a mirror of its own.
set -u
: "${BUILD:=build}"
case $BUILD in /*) K=$BUILD/kinoseek ;; *) K=$PWD/$BUILD/kinoseek ;; esac
T=$(mktemp -d)
. tests/hub_server.sh
hub_test_ends() {
  for p in ${pids:-}; do kill -CONT $p; kill -9 $p; done 2>/dev/null
  wait 2>/dev/null
  hub_stop
  rm -rf "$T"
}
trap hub_test_ends EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/a" LC_ALL=C.UTF-8
unset PGHOST PGSSLMODE PGPASSWORD
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; [ -e "$T/err" ] && sed 's/^/# /' "$T/err"; fi; }
is() { if [ "$1" = "$2" ]; then ok 0 "$3"; else echo "# got: $1"; echo "# want: $2"; ok 1 "$3"; fi; }
k() { "$K" -L "$HUB" "$@" 2>"$T/err"; }
as() { m=$1; shift; XDG_DATA_HOME="$T/$m" k "$@"; }
hub_start; code=$?
ok $code "a server of our own"
[ $code -eq 0 ] || exit 1
