#!/bin/sh
# Every single allocation and file operation of the checkpoint and pack code fails (a slice takes one of eight scenes).

[ -w /dev/shm ] && : "${TMPDIR:=/dev/shm}" # ten thousand small files: not through a journal
T=$(mktemp -d "${TMPDIR:-/tmp}/ks-faults-XXXXXX")
trap 'rm -rf "$T"' EXIT
# make check runs every third fault of all scenes (tests/cli/file_faults.sh); this is the whole of it.
[ -n "${SLICE:-}" ] && scene=check || { FULL=1; export FULL; }
GLIBC_TUNABLES=glibc.malloc.tcache_count=0 "$BUILD/tests/prog_faults" "$T" ${scene:+"$scene"}
