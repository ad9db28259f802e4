#!/bin/sh
# model verify, on a toy whose figures are the official code's: it passes; one block perturbed, it is named.

K=$(pwd)/$BUILD/kinoseek
T=$(mktemp -d "${TMPDIR:-/tmp}/ks-verify-XXXXXX")
trap 'rm -rf "$T"' EXIT
ok() { echo "ok - $1"; }
no() { echo "not ok - $1"; [ -z "${2:-}" ] || echo "# $2"; }
is() { if [ "$1" = "$2" ]; then ok "$3"; else no "$3" "$1 is not $2"; fi; }
has() { case $1 in *"$2"*) ok "$3" ;; *) no "$3" "\"$1\" lacks \"$2\"" ;; esac; }
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data"
"$BUILD/tests/prog_verify_toy" "$T" || no "the toy and its figures"
verify() { "$K" model verify "$T/$1.npz" --as toy --figures "$T/figures.tsv" --clip "$T/clip.npy" >"$T/out" 2>"$T/err"; code=$?; out=$(cat "$T/out"); err=$(cat "$T/err"); }

verify good
is $code 0 "the good one passes"; has "$out" "clip4                  22 of 22 figures right" "all figures of the clip"
has "$out" "7 of 7 figures right" "all figures of the text"; has "$out" "every CRC right" "all tensors"
for stage in spatial.0 spatial.1 temporal.0 temporal.1 auxiliary.0 auxiliary.1 text.0 text.1; do
  verify $stage
  is $code 4 "$stage perturbed: exit 4"
  has "$err" "$stage.npz: the first stage that is wrong is $stage (" "$stage is named"
done
verify good; is $code 0 "the good one still passes"

# Damage behind the cache's back: verify reads all of the file, whatever was vouched for.
cp "$T/good.npz" "$T/flip.npz"; printf 'X' | dd of="$T/flip.npz" bs=1 seek=100000 conv=notrunc 2>/dev/null
verify flip; is $code 4 "a flipped byte: exit 4"; has "$err" "is damaged: its CRC-32" "the tensor is named"
# One element of a tensor that was published, by 1e-5: its CRC is right, its fingerprint is not.
verify finger; is $code 4 "a changed weight: exit 4"; has "$err" "tensor params/vision_encoder/patch_projection/linear/bias ends with" "its fingerprint is named"
"$K" model verify "$T/good.npz" --as lvt-base >"$T/out" 2>"$T/err"; is $? 4 "a toy is not lvt-base"
has "$(cat "$T/err")" "the released lvt-base has 990527124" "and its size says so"
"$K" model verify "$T/good.npz" --as lvt-bsae >"$T/out" 2>"$T/err"; is $? 2 "a slip in --as: exit 2"
has "$(cat "$T/err")" "--as lvt-bsae: no released model has this name" "and is not passed over"
"$K" model verify "$T/nothing.npz" >"$T/out" 2>"$T/err"; is $? 4 "no such file: exit 4"
"$K" model verify "$T/good.npz" --as toy --figures "$T/clip.npy" >"$T/out" 2>"$T/err"; is $? 4 "figures that are none: exit 4"
"$K" model verify "$T/good.npz" >"$T/out" 2>"$T/err"; is $? 0 "a model nobody released: bytes only"
has "$(cat "$T/out")" "of no released model" "and says so"
