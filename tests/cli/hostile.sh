#!/bin/sh
# Every odd file of the corpus, under a random name without extension: verdict, cause, frames, times.
: "${BUILD:=build}"
corpus=$(sh tests/hostile/corpus.sh) || { echo "not ok - the corpus cannot be made"; exit 1; }
here=$(pwd)
probe=$here/$BUILD/tests/prog_film_probe
decoder=$here/$BUILD/kinoseek-decode
case "$BUILD" in /*) probe=$BUILD/tests/prog_film_probe; decoder=$BUILD/kinoseek-decode ;; esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
check() { if [ "$2" = "$3" ]; then echo "ok - $1"; else echo "not ok - $1: $2, not $3"; fi; }

mkdir "$work/media"
: >"$work/names"
for f in "$corpus"/[0-9]*; do
  name=$(od -An -N8 -tx8 /dev/urandom | tr -d ' ')
  cp "$f" "$work/media/$name"
  printf '%s\t%s\n' "$name" "$(basename "$f")" >>"$work/names"
done
(cd "$work/media" && "$probe" "$decoder" *) >"$work/probe" 2>"$work/errors"
awk -F'\t' 'FNR == NR { real[$1] = $2; next } { $1 = real[$1]; print }' OFS='\t' "$work/names" "$work/probe" >"$work/rows"
# damage by offset hits other bytes where another ffmpeg wrote the film
expected=tests/hostile/expected.tsv
if [ "$(ffprobe -v error -show_program_version -of csv=p=0 | cut -d. -f1 | tr -dc 0-9)" -ge 7 ]; then
  awk -F'\t' 'FNR == NR { other[$1] = $0; next } { print ($1 in other) ? other[$1] : $0 }' tests/hostile/expected_7.tsv "$expected" >"$work/expected"
  expected=$work/expected
fi
awk -F'\t' -f tests/hostile/check_probe.awk "$expected" "$work/rows"
check "94 files, 94 rows" "$(wc -l <"$work/rows")" 94

# file-system objects: nothing blocks, nothing but regular files is opened
row() { (cd "$corpus/fs" && timeout 20 "$probe" "$decoder" "$1" | cut -f2,3); }
for object in fifo.mp4 dev_zero.mp4 sock.mp4 dir.mp4; do
  check "$object" "$(row "$object")" "$(printf 'error\t%s: not a regular file' "$object")"
done
check "dangling.mp4" "$(row dangling.mp4)" "$(printf 'error\tdangling.mp4: No such file or directory')"
check "loop_a" "$(row loop_a)" "$(printf 'error\tloop_a: Too many levels of symbolic links')"
check "sparse file of 4 GiB" "$(row 75_sparse_4GiB.mp4)" "$(printf 'indexed\t200')"
check "another container's extension" "$(row wrong_extension.avi)" "$(printf 'indexed\t200')"
(cd "$corpus/names" && find . -type f -print0 | xargs -0 "$probe" "$decoder") >"$work/odd" 2>/dev/null
# names with a newline make two lines each; count the verdicts
check "odd names are only names" "$(grep -c 'indexed.1.0.000' "$work/odd")" "$(find "$corpus/names" -type f -printf x | wc -c)"

# turned pictures are what ffmpeg's own turning gives, bit for bit
for f in 40_rotate90.mp4 41_rotate180.mp4 42_mirrored.mp4 44_matrix_all_zero.mp4 47_odd_175x143_444.mp4 52_full_range_mjpeg.avi 53_reserved_colour_tags.mp4 58_h264_422_10bit.mp4; do
  ours=$(KS_PROBE=raw "$probe" "$decoder" "$corpus/$f" | sha256sum)
  ffmpeg -v error -nostdin -y -i "$corpus/$f" -frames:v 1 -f rawvideo -pix_fmt rgb24 "$work/theirs" 2>"$work/said"
  if grep -q 'Invalid color space' "$work/said"; then # ffmpeg 7 refuses reserved tags; without them it is the same picture
    ffmpeg -v error -nostdin -y -i "$corpus/$f" -c copy -bsf:v h264_metadata=colour_primaries=2:transfer_characteristics=2:matrix_coefficients=2 "$work/plain.mp4"
    ffmpeg -v error -nostdin -y -i "$work/plain.mp4" -frames:v 1 -f rawvideo -pix_fmt rgb24 "$work/theirs"
  fi
  theirs=$(sha256sum <"$work/theirs")
  check "$f has ffmpeg's pixels" "$ours" "$theirs"
done

# any width: swscale leaves the last of a row undone where a row has no room for whole eights
for w in 18 34 100 322 324 326 340 426 630 854; do
  ffmpeg -v error -nostdin -y -f lavfi -i "testsrc2=s=${w}x48:r=25:d=0.1" -c:v libx264 -preset ultrafast -pix_fmt yuv420p "$work/wide.mp4"
  ours=$(KS_PROBE=raw "$probe" "$decoder" "$work/wide.mp4" | sha256sum)
  theirs=$(ffmpeg -v error -nostdin -i "$work/wide.mp4" -frames:v 1 -f rawvideo -pix_fmt rgb24 - | sha256sum)
  check "a picture $w wide has ffmpeg's pixels" "$ours" "$theirs"
done

# a side beyond 65535 is too large as well, however few points there are
for size in 16x65552 65552x16; do
  ffmpeg -v error -nostdin -y -f lavfi -i "color=s=$size:r=1:d=1" -c:v ffv1 "$work/long.mkv"
  check "$size" "$("$probe" "$decoder" "$work/long.mkv" | cut -f2,3,12)" "$(printf 'skipped\t0\tpicture too large')"
done

# tone mapping: white stays white, black black, colours keep their order (red half left, blue half right)
for f in 50_hdr10_pq.mp4 51_hlg.mp4 52_full_range_mjpeg.avi 55_prores4444_alpha.mov 57_gbrp12.mkv; do
  KS_PROBE=all "$probe" "$decoder" "$corpus/$f" >"$work/raw"
  python3 - "$work/raw" "$f" <<'PY'
import sys
raw = open(sys.argv[1], "rb").read()
w, h = (88, 72) if "88" in sys.argv[2] or sys.argv[2][:2] in ("55", "57") else (176, 144)
n = w * h * 3
frame = raw[23 * n:24 * n]  # t = 0.92: the clock shows 3, so bars 0 and 1 are white, bar 2 black
def mean(x, y):
    s = [0, 0, 0]
    for dy in range(-2, 3):
        for dx in range(-2, 3):
            i = ((y + dy) * w + x + dx) * 3
            for k in range(3): s[k] += frame[i + k]
    return [v / 25 for v in s]
white, black = mean(w // 16, h // 4), mean(5 * w // 16, h // 4)
red, blue = mean(w // 4, 3 * h // 4), mean(3 * w // 4, 3 * h // 4)
ok = min(white) > 235 and max(black) < 20 and red[0] > 2 * max(red[1:]) and blue[2] > 2 * max(blue[:2])
print(("ok - " if ok else "not ok - ") + sys.argv[2] + " colours: white %s black %s red %s blue %s" % (white, black, red, blue))
PY
done
