#!/bin/sh
# odd_places.sh - all the odd places of tests/odd_places.py.
[ -n "${SLICE:-}" ] && MANY=12 || MANY=0
MANY=$MANY exec sh tests/cli/odd_places.sh
