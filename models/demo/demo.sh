#!/bin/sh
# The main job on the embedded model: ingest the demo films, ask ten questions, label, show the answers.
# Q="..." asks yours instead. BUILD names the build folder; the library is $BUILD/demo-library.
set -eu
cd "$(dirname "$0")/../.."
build=${BUILD:-build}
films=models/demo/films
library=$build/demo-library
kinoseek() { "$build/kinoseek" -L "$library" "$@"; }

echo "\$ kinoseek ingest $films"
# A library of earlier weights is of no use any more.
kinoseek -m demo ingest "$films" || { rm -rf "$library"; kinoseek -m demo ingest "$films"; }
if [ -n "${Q:-}" ]; then
  echo
  echo "\$ kinoseek search \"$Q\""
  kinoseek search "$Q" || [ $? -eq 1 ]
  exit 0
fi

tab=$(printf '\t')
asked=0
found=0
while IFS="$tab" read -r question file start end shown; do
  [ "${shown:-}" = demo ] || continue
  echo
  echo "\$ kinoseek search \"$question\""
  kinoseek search -k 3 "$question" || [ $? -eq 1 ]
  asked=$((asked + 1))
  # Right when the best moment is of that film and overlaps the true one.
  if kinoseek search -k 1 --all --print '{path}{tab}{start}{tab}{end}' "$question" |
    awk -F'\t' -v file="$file" -v start="$start" -v end="$end" \
      '{ n = split($1, part, "/"); exit !(part[n] == file && $2 < end && $3 > start) }'; then
    found=$((found + 1))
  fi
done < models/demo/questions.txt
echo
echo "The moment that was meant came first for $found of $asked questions."
echo
# What happens is what this model tells apart best; which thing it is, less so.
grep -E '^(something|two things|the camera)' models/demo/labels.txt >"$build/events.txt"
echo "\$ kinoseek label --labels events.txt -k 1 --path sports_day.mp4"
kinoseek label --labels "$build/events.txt" -k 1 --path sports_day.mp4
echo
echo "Ask your own: Q=\"four kiwis move to the left\" sh bootstrap demo   (what it knows: models/demo/README.md)"
