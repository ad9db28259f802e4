#!/bin/sh
# A slice of the libraries that tests/torture/libraries.sh asks of: 200 mutants with a seed of their own.
: "${BUILD:=build}"
exec "$BUILD/tests/prog_hostile_library" 20261130 0 200
