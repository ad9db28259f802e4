#!/bin/sh
# corpus.sh - the 94 odd media files and the file-system objects in $BUILD/hostile, made once (10 s).
# Prints the folder. Any test may call it; two at once wait for each other.
: "${BUILD:=build}"
mkdir -p "$BUILD"
here=$(cd "$(dirname "$0")" && pwd)
to=$(cd "$BUILD" && pwd)/hostile
(
  flock 9
  [ -e "$to/.made" ] || {
    rm -rf "$to"
    bash "$here/make_hostile.sh" "$to" >"$BUILD/hostile.log" 2>&1
    n=$(find "$to" -maxdepth 1 -name '[0-9]*' -type f | wc -l)
    [ "$n" -eq 94 ] && : >"$to/.made"
  }
) 9>"$BUILD/hostile.lock"
[ -e "$to/.made" ] || { cat "$BUILD/hostile.log" >&2; exit 1; }
echo "$to"
