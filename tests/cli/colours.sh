#!/bin/sh
# Six known colours in every way that a film may hold them (tests/colour_films.py): what comes out is within 6 of 255.
: "${BUILD:=build}"
probe=$BUILD/tests/prog_film_probe decoder=$BUILD/kinoseek-decode
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 tests/colour_films.py "$work" || { echo "not ok - the films cannot be made"; exit 1; }
while IFS='	' read -r name colours; do
  KS_PROBE=raw "$probe" "$decoder" "$work/$name" >"$work/raw"
  python3 - "$work/raw" "$name" "$colours" <<'PY'
import sys
raw, name, colours = open(sys.argv[1], "rb").read(), sys.argv[2], sys.argv[3].split()
ok, seen = len(raw) == 192 * 32 * 3, []
for k, wanted in enumerate(colours if ok else []):
    pixels = [raw[3 * (192 * y + 32 * k + x):][:3] for y in range(12, 20) for x in range(12, 20)]
    mean = [sum(p[i] for p in pixels) / len(pixels) for i in range(3)]
    off = max(abs(a - int(b)) for a, b in zip(mean, wanted.split(",")))
    ok &= off <= 6
    seen.append("%s%s" % (",".join("%.0f" % m for m in mean), "" if off <= 6 else "!"))
print(("ok - " if ok else "not ok - ") + name + ": " + " ".join(seen) + ("" if ok else " not " + " ".join(colours)))
PY
done <"$work/expected.tsv"
