#!/bin/bash
# powerloss.sh - at least 2,000 states of the disk after a power loss during an ingest (crashsim.py: writes that were
# not synced kept, lost or torn; directory entries likewise), each judged by judge/after_crash.sh. Needs strace. SLICE=1: 80.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -u
K=$BUILD/kinoseek D=$BUILD/tests/prog_dump
command -v strace >/dev/null || { echo "not ok - no strace"; exit 1; }
[ -x "$D" ] || { echo "not ok - no prog_dump: make tests"; exit 1; }
states=${STATES:-4000}; [ -n "${SLICE:-}" ] && states=80
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
bash tests/clock_films.sh "$T/films"; rm "$T/films/clock_20.mp4"
export KS_FILMS=$T/films KS_WHOLE=$T/whole.dump BUILD
export KS_SAY="ingest $T/films --encoder clock --window 2 --hop 0.4 --shots off --commit-every 0 --workers 1 --json -q"
$K -L "$T/whole" $KS_SAY >/dev/null 2>&1; $D "$T/whole" >"$KS_WHOLE"
$K -L "$T/lib" ${KS_SAY/$T\/films/$T/films/clock_1.mp4} >/dev/null 2>&1 # the folder itself is there before
python3 tests/torture/crashsim.py --dir "$T/lib" --states "$states" --seed "${SEED:-1}" --check "sh tests/torture/judge/after_crash.sh {dir}" -- \
  $K -L "$T/lib" $KS_SAY >"$T/log" 2>&1
tail -1 "$T/log" | sed 's/^/# /'
tried=$(grep -oE '[0-9]+ distinct crash states' "$T/log" | grep -oE '^[0-9]+'); bad=$(grep -oE '[0-9]+ BAD' "$T/log" | grep -oE '^[0-9]+')
least=2000; [ -n "${SLICE:-}" ] && least=50
[ "${tried:-0}" -ge $least ] && echo "ok - $tried states of the disk tried" || echo "not ok - only ${tried:-0} states tried"
[ "${bad:-1}" -eq 0 ] && echo "ok - none of them lost or broke anything" || echo "not ok - ${bad:-?} of them lost or broke something"
