#!/bin/sh
# A film of two paths is shown under the one that was asked for, and that is there.
set -u
K=$BUILD/kinoseek
case $K in /*) ;; *) K=$PWD/$K ;; esac
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
is() { if [ "$1" = "$2" ]; then echo "ok - $3"; else echo "not ok - $3"; echo "# got: $1"; echo "# want: $2"; sed 's/^/# /' "$T/err" | tail -n 5; fi; }
k() { "$K" -L "$T/lib" "$@" 2>"$T/err"; }
mkdir -p "$T/a" "$T/z"
ffmpeg -hide_banner -nostdin -v error -y -f lavfi -i "testsrc2=s=64x64:r=10" -t 12 -c:v libx264 -preset ultrafast "$T/a/one.mp4" </dev/null
cp "$T/a/one.mp4" "$T/z/one.mp4"
k -q ingest --encoder clock "$T/a" "$T/z"; is "$? $(sqlite3 -readonly "$T/lib/catalog.db" 'SELECT count(*), count(DISTINCT video) FROM path')" "0 2|1" "one film, two paths"
printf 'path,start,end,label\n%s,1,3,dog\n' "$T/a/one.mp4" >"$T/l.csv"; k labels W --read "$T/l.csv" >"$T/out"; is "$?" 0 "a label of it"
at() { jq -r .path | sort -u; }
for of in labels clips; do
  case $of in labels) words="labels W" ;; *) words=clips ;; esac
  # shellcheck disable=SC2086
  is "$(k $words --json | at)" "$T/a/one.mp4" "$of: the first path"
  case $of in labels) glob="--path" ;; *) glob="--in" ;; esac
  # shellcheck disable=SC2086
  is "$(k $words $glob '*/z/*' --json | at)" "$T/z/one.mp4" "$of: the one that matches"
done
is "$(k labels W --in "$T/z/one.mp4" --json | at)" "$T/z/one.mp4" "labels: the one that is named"
# every command that shows moments: --in by path, by pattern; the film that is asked about
printf 'dog\n' >"$T/labels.txt"; "$K" -q -L "$T/real" -m demo ingest "$T/a" "$T/z" >/dev/null
r() { "$K" -L "$T/real" "$@" 2>"$T/err"; }
for film in "$T/z/one.mp4" '*/z/*'; do
  is "$(r search --all dog --in "$film" --json | at)" "$T/z/one.mp4" "search --in $film"
  is "$(r label -l "$T/labels.txt" --in "$film" --json | at)" "$T/z/one.mp4" "label --in $film"
  is "$(r sample -n 1 --in "$film" --json | at)" "$T/z/one.mp4" "sample --in $film"
  is "$(k labels W --in "$film" --json | at)" "$T/z/one.mp4" "labels --in $film"
  is "$(r search --all dog --in "$film" --format fiftyone -o "$T/51" --force; jq -r '.[]' "$T/51/data.json")" "$T/z/one.mp4" "and its exports"
done
is "$(r similar "$T/z/one.mp4@2" --json | at) $(r similar "$T/z/one.mp4" --json | at)" "$T/z/one.mp4 $T/z/one.mp4" "similar: the film that is asked about"
is "$(cd "$T/z" && r similar one.mp4@2 --in "$T/a/one.mp4" --json | at)" "$T/a/one.mp4" "but where --in names one"
is "$(r search --all dog --json | at) $(r search --all dog --in 1 --json | at)" "$T/a/one.mp4 $T/a/one.mp4" "nothing asked: the first"
echo user >"$T/a/one.srt"
k labels W --path '*/z/*' --format srt --sidecars --force >"$T/out"; is "$? $(cat "$T/a/one.srt") $(grep -c dog "$T/z/one.srt")" "0 user 1" "a sidecar stands beside it, the other folder's file stays"
mv "$T/a/one.mp4" "$T/gone.mp4"
is "$(k labels W --json | at) $(k clips --json | at)" "$T/z/one.mp4 $T/z/one.mp4" "where one has gone, the other"
k labels W --json | k cut --hits - --to "$T/p" >"$T/out"; is "$? $(wc -l <"$T/out")" "0 1" "which is cut, too"
mv "$T/z/one.mp4" "$T/gone2.mp4"
is "$(k labels W --json | at)" "$T/a/one.mp4" "where none is there, the first"
