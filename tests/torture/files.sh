#!/bin/sh
# Every single allocation and file operation of the checkpoint and pack code fails (a slice takes every third).

[ -w /dev/shm ] && : "${TMPDIR:=/dev/shm}" # ten thousand small files: not through a journal
T=$(mktemp -d "${TMPDIR:-/tmp}/ks-faults-XXXXXX")
trap 'rm -rf "$T"' EXIT
[ -n "${SLICE:-}" ] || { FULL=1; export FULL; }
GLIBC_TUNABLES=glibc.malloc.tcache_count=0 "$BUILD/tests/prog_faults" "$T"
