#!/bin/sh
# Each allocation and each file operation of the checkpoint and pack code is made to fail (tests/prog_faults.c).

[ -w /dev/shm ] && : "${TMPDIR:=/dev/shm}" # ten thousand small files: not through a journal
T=$(mktemp -d "${TMPDIR:-/tmp}/ks-faults-XXXXXX")
trap 'rm -rf "$T"' EXIT
# Without the thread cache of malloc, what is freed is free, and a leak of one block shows.
GLIBC_TUNABLES=glibc.malloc.tcache_count=0 "$BUILD/tests/prog_faults" "$T"
