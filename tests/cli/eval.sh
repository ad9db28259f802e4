#!/bin/sh
# eval on made vectors: files of every kind that numpy writes, figures known by hand, refusals by name.
set -u
K=$BUILD/kinoseek
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; [ -e "$T/err" ] && sed 's/^/# /' "$T/err"; fi; }
is() { if [ "$1" = "$2" ]; then ok 0 "$3"; else echo "# got: $1"; echo "# want: $2"; ok 1 "$3"; fi; }

cat >"$T/make.py" <<'END_PY'
"""What numpy.save, savez and savez_compressed write, without numpy."""
import struct, sys, zipfile
folder = sys.argv[1]
def npy(descr, shape, payload, fortran=False):
    head = "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }" % (descr, fortran, shape)
    head += " " * (64 - (len(head) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + payload
def rows(v, code):
    return npy("<f" + {"e": "2", "f": "4", "d": "8"}[code], (len(v), len(v[0])), b"".join(struct.pack("<%d%s" % (len(r), code), *r) for r in v))
def names(v):
    w = max(len(n) for n in v)
    return npy("<U%d" % w, "(%d,)" % len(v), b"".join(n.ljust(w, "\0").encode("utf-32-le") for n in v))
def npz(path, method, **arrays):
    with zipfile.ZipFile(path, "w", method) as z:
        for name, data in arrays.items():
            z.writestr(name + ".npy", data)
# Text i belongs to film i; of film 3 and text 3 each has a nearer one, and comes second.
videos = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0.6, 0.8]]
texts = [[2, 0.1, 0], [0, 1, 0], [0, 0, 3], [0, 1, 0.2]]
for code, name in (("e", "f2"), ("f", "f4"), ("d", "f8")):
    open("%s/v.%s.npy" % (folder, name), "wb").write(rows(videos, code))
open(folder + "/t.npy", "wb").write(rows(texts, "d"))
order = [3, 1, 0, 2]
for path, method in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
    npz("%s/v.%s.npz" % (folder, path), method, vectors=rows([videos[i] for i in order], "f"), ids=names(["fil\u00e9%d" % i for i in order]))
npz(folder + "/three.npz", zipfile.ZIP_STORED, vectors=rows(videos[:3], "f"), ids=names(["fil\u00e9%d" % i for i in range(3)]))
open(folder + "/nan.npy", "wb").write(rows(videos[:3] + [[float("nan"), 0, 1]], "f"))
open(folder + "/cut.npy", "wb").write(rows(videos, "f")[:-1])
turned = npy("<f4", (4, 3), b"".join(struct.pack("<4f", *c) for c in zip(*videos)), True)
open(folder + "/fortran.npy", "wb").write(turned)
npz(folder + "/fortran.npz", zipfile.ZIP_STORED, vectors=turned, ids=names(["fil\u00e9%d" % i for i in range(4)]))
for called in ("video_ids", "id", "names", "keys"):
    npz("%s/called.%s.npz" % (folder, called), zipfile.ZIP_STORED, vectors=rows([videos[i] for i in order], "f"), **{called: names(["fil\u00e9%d" % i for i in order])})
npz(folder + "/number.npz", zipfile.ZIP_STORED, vectors=rows(videos, "f"), frame_ids=npy("<i8", "(4,)", struct.pack("<4q", 3, 2, 1, 0)))
npz(folder + "/other.npz", zipfile.ZIP_STORED, vectors=rows(videos, "f"), captions=names(["x", "y"]), label=npy("<i8", "(4,)", struct.pack("<4q", 3, 2, 1, 0)))
npz(folder + "/named.npz", zipfile.ZIP_STORED, vectors=rows(videos, "f"), ids=names(["fil\u00e9%d" % i for i in range(4)]), paths=names(["a", "b", "c", "d"]))
npz(folder + "/right.npz", zipfile.ZIP_STORED, vectors=rows(texts[:3], "d"), ids=names(["t0", "t1", "t2"]))
open(folder + "/wide.npy", "wb").write(rows([r + [1] for r in videos], "f"))
END_PY
python3 "$T/make.py" "$T" 2>"$T/err"
ok $? "vectors as numpy writes them"
tab=$(printf '\t')
for i in 0 1 2 3; do
  echo "filé$i" >>"$T/videos"
  echo "t$i${tab}a sentence" >>"$T/texts"
  echo "filé$i${tab}t$i" >>"$T/map"
done
ev() { task=$1; shift; "$K" eval "$task" --videos "$T/videos" --texts "$T/texts" --map "${map:-$T/map}" --text-vectors "$T/t.npy" --json "$@" 2>"$T/err"; }
for v in v.f2.npy v.f4.npy v.f8.npy v.stored.npz v.deflated.npz fortran.npy fortran.npz named.npz other.npz; do
  is "$(ev retrieval --video-vectors "$T/$v" | jq -c '[.videos,.texts,.missing,.ties,.t2v.r1,.t2v.r5,.t2v.median_rank,.t2v.mean_rank,.v2t.r1]')" \
    '[4,4,0,0,0.75,1,1,1.25,0.75]' "retrieval of $v"
done
is "$(ev retrieval --video-vectors "$T/three.npz" | jq -c '[.videos,.missing,.t2v.n,.t2v.r1,.t2v.mean_rank]')" '[4,1,4,0.75,1.75]' "a missing film counts as wrong"
is "$(cat "$T/err")" "kinoseek: 1 without a vector counts as wrong: filé3" "and is said"
is "$(ev classify --video-vectors "$T/v.f4.npy" | jq -c '[.n,.classes,.top1,.top5,.mean_class_top1]')" '[4,4,0.75,1,0.75]' "classify"
is "$(ev multilabel --video-vectors "$T/v.f4.npy" | jq -c '[.classes,.classes_with_none,.map]')" '[4,0,0.875]' "multilabel"
for i in 0 1 2 3; do printf 'q%s\tfilé%s\tt%s\t1\nq%s\tfilé%s\tt%s\t0\n' $i $i $i $i $i $(( (i + 3) % 4 )); done >"$T/options"
is "$("$K" eval choice --videos "$T/videos" --texts "$T/texts" --map "$T/options" --video-vectors "$T/v.f4.npy" --text-vectors "$T/t.npy" --json 2>"$T/err" | jq -c '[.n,.accuracy,.ties]')" \
  '[4,0.75,0]' "choice"
# A question is whole or wrong: of q0 the wrong option has no vector, of q3 the right one.
"$K" eval choice --videos "$T/videos" --texts "$T/texts" --map "$T/options" --video-vectors "$T/v.f4.npy" --text-vectors "$T/right.npz" --json >"$T/out" 2>"$T/err"
is "$(jq -c '[.n,.missing,.accuracy]' "$T/out") $(cat "$T/err")" "[4,1,0.5] kinoseek: 1 without a vector counts as wrong: t3" "an option without a vector earns nothing"
# --- what nothing asks for
head -n 3 "$T/map" >"$T/map3"; head -n 1 "$T/map" >"$T/map1"
is "$(map=$T/map3 ev retrieval --video-vectors "$T/three.npz" | jq -c '[.missing,.t2v.n]') $(cat "$T/err")" "[1,3] kinoseek: 1 without a vector, which nothing asks for, is no wrong answer to others: filé3" "a missing film that nothing asks for"
is "$(map=$T/map1 ev classify --video-vectors "$T/v.f4.npy" | jq -c '[.n,.missing,.without_class]') $(cat "$T/err")" "[1,0,3] kinoseek: 3 films of the list have no class and are not judged: filé1, filé2, filé3" "films without a class are said"
"$K" -q eval classify --videos "$T/videos" --texts "$T/texts" --map "$T/map1" --video-vectors "$T/v.f4.npy" --text-vectors "$T/t.npy" >"$T/out" 2>"$T/err"
is "$(head -n 1 "$T/out")" "1 videos, 4 classes, missing 0, ties 0, without a class 3" "and stand in the report"
for called in video_ids id names keys; do
  ev retrieval --video-vectors "$T/called.$called.npz" >"$T/out"
  is "$? $(wc -c <"$T/out") $(cat "$T/err")" "4 0 kinoseek: $T/called.$called.npz: holds '$called', which is not read: the names of its rows are an array called 'ids'" "names that are called $called are refused"
done
ev retrieval --video-vectors "$T/number.npz" >"$T/out"
is "$? $(wc -c <"$T/out") $(grep -c "holds 'frame_ids', which is not read" "$T/err")" "4 0 1" "numbers that are called ids, too"
no() { ev retrieval --video-vectors "$T/$1" >/dev/null; is "$? $(cat "$T/err")" "4 kinoseek: $T/$1: $2" "$1 is refused"; }
no nan.npy "the vector of 'filé3' holds NaN or Inf"
no cut.npy "its size does not fit its shape"
ev retrieval --video-vectors "$T/wide.npy" >/dev/null
is "$? $(cat "$T/err")" "4 kinoseek: $T/wide.npy: its vectors have 4 numbers, those of $T/t.npy 3" "two widths are refused"
"$K" eval retrieval --videos "$T/videos" 2>"$T/err"
is "$?" 2 "lists are needed"
is "$("$K" eval retrieval --videos "$T/videos" --texts "$T/texts" --map "$T/map" --video-vectors "$T/v.f4.npy" --text-vectors "$T/t.npy" 2>"$T/err" | head -n 1)" \
  "4 videos, 4 texts, missing 0, ties 0" "for a person"
is "$("$K" eval retrieval --videos "$T/videos" --texts "$T/texts" --map "$T/map" --video-vectors "$T/v.f4.npy" --text-vectors "$T/t.npy" 2>"$T/err" | grep -c 'mean rank 1.25 ')" 2 "a mean rank between whole ones"
person() { task=$1 map=$2; shift 2; "$K" -q eval "$task" --videos "$T/videos" --texts "$T/texts" --map "$map" --video-vectors "$T/three.npz" --text-vectors "$T/t.npy" "$@" 2>"$T/err"; }
for task in retrieval classify multilabel; do
  is "$(person $task "$T/map" | grep -c 'missing 1')" 1 "$task: what is missing stands in the report"
done
is "$(person choice "$T/options" | grep -c 'missing 1')" 1 "choice: what is missing stands in the report"
# --- nothing is embedded: what says how is refused
for how in "--fit crop" "--frames 4" "--media $T" "--templates colab"; do
  # shellcheck disable=SC2086
  person retrieval "$T/map" $how >"$T/out"; is "$? $(wc -c <"$T/out") $(grep -c -e ": ${how%% *} goes without --[a-z]*-vectors" "$T/err")" "2 0 1" "${how%% *} beside vectors"
done
