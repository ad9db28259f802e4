#!/bin/sh
# Vectors out of a library, rows as other tools read them, -o, --sidecars and --fps of the commands that write formats.
set -u
K=$BUILD/kinoseek
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; [ -e "$T/err" ] && sed 's/^/# /' "$T/err" | tail -n 5; fi; }
is() { if [ "$1" = "$2" ]; then ok 0 "$3"; else echo "# got: $1"; echo "# want: $2"; ok 1 "$3"; fi; }
mkdir "$T/films"; lake="$T/films/lake.mp4" pier="$T/films/pier.mov"; : >"$lake"; : >"$pier"
printf '%s\t2.002\t10.01\ta dog\n%s\t12.012\t20.02\ta boat\n%s\t0\t8.008\ta traffic jam\n' "$lake" "$lake" "$pier" |
  "$BUILD/tests/prog_sentences" "$T/lib" tests/fixtures/lvt.npz tests/fixtures/lvt.spm 2>"$T/err"
ok $? "a library of sentences"
k() { "$K" --precision fp32 -L "$T/lib" "$@" 2>"$T/err"; }

# --- vectors
k export vectors -o "$T/v.npz" >"$T/out"; is "$? $(cat "$T/out")" "0 3 vectors of $("$K" -L "$T/lib" status --json | jq .dim 2>/dev/null || echo 64) numbers in $T/v.npz." "export vectors to an .npz" 
k export vectors -o "$T/v.npy" --dtype f4 --json >"$T/out"; is "$? $(jq -r .rows "$T/out")" "0 3" "and an .npy"
cat >"$T/read.py" <<'PY'
import io, json, struct, sys, zipfile
def npy(b):                                     # the format's own rules: no numpy here
    assert b[:8] == b"\x93NUMPY\1\0"; n = struct.unpack("<H", b[8:10])[0]; assert (10 + n) % 64 == 0
    h = eval(b[10:10 + n], {"__builtins__": {}}); assert h["fortran_order"] is False
    count = 1
    for d in h["shape"]: count *= d
    kind = {"<f2": "e", "<f4": "f", "<i8": "q", "<f8": "d", "<U64": "64I"}[h["descr"]]
    return h["shape"], list(struct.unpack("<" + (kind if "U" in h["descr"] else "%d%s" % (count, kind)), b[10 + n:]))
z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None
a = {n: npy(z.read(n)) for n in z.namelist()}
shape, v = a["vectors.npy"]; side = json.load(open(sys.argv[2].replace(".npy", ".json")))
shape4, v4 = npy(open(sys.argv[2], "rb").read()); ids = npy(open(sys.argv[2].replace(".npy", ".ids.npy"), "rb").read())[1]
import sqlite3
rows = sqlite3.connect("file:%s/catalog.db?mode=ro" % sys.argv[3], uri=True).execute("SELECT clip, video, start, \"end\", vector_f16 FROM clips ORDER BY video, start").fetchall()
want = [x for r in rows for x in struct.unpack("<%de" % shape[1], r[4])]
model = "".join(map(chr, a["model.npy"][1])).rstrip("\0")
print(shape == shape4 == (3, side["dim"]), v == want, v4 == want, ids == a["ids.npy"][1] == [r[0] for r in rows], a["videos.npy"][1] == [r[1] for r in rows],
      a["start.npy"][1] == [r[2] for r in rows], a["end.npy"][1] == [r[3] for r in rows], model == side["model"] and len(model) == 64)
PY
is "$(python3 "$T/read.py" "$T/v.npz" "$T/v.npy" "$T/lib" 2>"$T/err")" "True True True True True True True True" "both hold what the catalog holds, to the bit"
if python3 -c 'import numpy' 2>/dev/null; then
  is "$(python3 -c 'import numpy as n, sys; z = n.load(sys.argv[1]); print(z["vectors"].dtype, z["vectors"].shape[0], z["ids"].dtype, str(z["model"])[:0] == "")' "$T/v.npz")" "float16 3 int64 True" "numpy reads it"
fi
before=$(stat -c '%i %s %y' "$T/v.npy"); k export vectors -o "$T/v.npy" >/dev/null; is "$? $(stat -c '%i %s %y' "$T/v.npy")" "2 $before" "what is there stays"
k export vectors -o "$T/v.npy" --force >/dev/null; is "$? $(jq -r .dtype "$T/v.json")" "0 f2" "--force replaces all three"
k export vectors -o "$T/pier.npz" --path 'pier*' --json >"$T/out"; is "$(jq .rows "$T/out")" 1 "--path"
k export vectors -o "$T/none.npz" --path 'none*' --json >"$T/out"; is "$? $(jq .rows "$T/out")" "1 0" "none is an array of none, and exit 1"
k export vectors -o "$T/v.txt" >/dev/null; is "$?" 2 "another ending is wrong use"
k export vectors >/dev/null; is "$?" 2 "and so is none"

# --- clips in the formats
is "$(k clips --format csv | tr -d '\r' | sed -n 2p)" "$(k clips --json | head -n 1 | jq -r '[.id, .video, .path, .start, .end, .frames, .reason] | @csv' | sed 's/"//g; s/,2.002,10.01,/,2.002,10.010,/')" "clips --format csv is --json as a table"
is "$(k clips --format jsonl | cksum)" "$(k clips --json | cksum)" "and jsonl is --json"
is "$(k clips --format otio | jq '.tracks.children[0].children | length')" 3 "clips into an editor"

# --- where to
k search --all --format srt -o "$T/subs/" a dog; is "$? $(ls "$T/subs" | tr '\n' ' ')" "0 lake.srt pier.srt " "-o FOLDER/: a file a film"
k search --all --format srt -o "$T/subs/" a dog; is "$?" 2 "and never over one that is there"
k search --all --format srt -o "$T/none/yet/" a dog; is "$? $(ls "$T/none/yet" | tr '\n' ' ')" "0 lake.srt pier.srt " "with the folders above it"
k search --all --format srt --sidecars a dog; is "$? $(ls "$T/films" | tr '\n' ' ')" "0 lake.mp4 lake.srt pier.mov pier.srt " "--sidecars: beside the films"
k search --all --format otio --sidecars a dog; is "$?" 2 "what is no file a film is no sidecar"
long="$T/$(printf 'n%.0s' $(seq 251)).vtt"; k search --all --in lake.mp4 --format vtt -o "$long" a dog; k search --all --in lake.mp4 --format vtt -o "$long" --force a dog; is "$? $(ls -a "$T" | grep -c kinoseek)" "0 0" "a name as long as names can be, also with --force"
k search --all --json -o "$T/hits.jsonl" a dog; is "$? $(wc -l <"$T/hits.jsonl")" "0 3" "-o with --json"
k search --all -o "$T/x" a dog >/dev/null; is "$? $(ls "$T/x" 2>/dev/null)" "2 " "-o needs a format"
k search --all --format label-studio a dog >/dev/null; is "$?" 2 "a folder of files says where"
k search --all --format label-studio -o "$T/ls" a dog; is "$? $(jq -r '.[0].data.video' "$T/ls/tasks.json" | sed 's/.*d=//')" "0 ${lake#/}" "label-studio"
for f in csv jsonl otio via mpv-edl; do
  for to in "$T/nodir/" "$T/subs"; do k search --all --format $f -o "$to" a dog; is "$? $(cat "$T/err")" "2 kinoseek search: $to: $f is one file for all films: name a file" "$f in a folder: $to"; done
done
k search --all --format hf -o "$T/films" a dog; is "$? $(jq -r .file_name "$T/films/metadata.jsonl" | sort -u | tr '\n' ' ')" "0 lake.mp4 pier.mov " "hf names files from the folder"
k search --all --format hf -o "$T/ls" a dog; is "$?" 2 "films elsewhere have no place in it"
is "$(k search --all --in lake.mp4 --format resolve-edl --fps 25 a dog | sed -n 's/^001 .* C  *\([^ ]*\) .*/\1/p')" "01:00:02:00" "--fps"
is "$(k search --all --in lake.mp4 --format resolve-edl --fps 29.97ndf a dog | sed -n 2p)" "FCM: NON-DROP FRAME" "--fps 29.97ndf"
k search --all --format cmx3600 --fps 14.7 a dog >/dev/null; is "$?" 2 "a rate that timecode does not count"
is "$(k search --all --format csv a dog | tr -d '\r' | awk -F, 'NR > 1 { print $NF }' | sort -u)" "a dog" "each line has its question"

# --- FCPXML against the rules of its version
k search --all --format fcpxml -o "$T/hits.fcpxml" 'a <dog> & "b"'
xmllint --noout --dtdvalid tests/readers/fcpxml-1.10.dtd "$T/hits.fcpxml" 2>"$T/err"; ok $? "FCPXML 1.10 is valid"
sed 's/<media-rep.*\/>//' "$T/hits.fcpxml" >"$T/broken.fcpxml"; xmllint --noout --dtdvalid tests/readers/fcpxml-1.10.dtd "$T/broken.fcpxml" 2>/dev/null
is "$?" 3 "and the rules refuse a file without its media"

# --- films that a camera stamped: what an editor conforms by
mkdir "$T/cam"
ff() { ffmpeg -v error -f lavfi -i "testsrc2=s=128x72:$1" -c:v libx264 -preset ultrafast -pix_fmt yuv420p $2 "$T/cam/$3" 2>"$T/err" || ok 1 "a film $3"; }
ff r=25:d=4 "-timecode 14:09:42:00 -metadata:s:v reel_name=A001" a.mov
ff r=30000/1001:d=4 "-timecode 23:59:58;10" drop.mov
ff r=30000/1001:d=4 "-timecode 23:59:58:10" whole.mov
ff r=25:d=6 "-vf select=not(mod(n\,3))+not(mod(n\,7)) -fps_mode vfr" uneven.mp4
"$K" -L "$T/camlib" -m demo ingest "$T/cam" >/dev/null 2>"$T/err"; ok $? "four camera films go in"
cam() { "$K" -L "$T/camlib" clips --in "$1" --format "$2" 2>"$T/err"; }
is "$(cam a.mov cmx3600 | sed -n 's/^001  \([^ ]*\) .* C  *\([^ ]* [^ ]*\) .*/\1 \2/p')" "A001 14:09:42:00 14:09:46:00" "CMX 3600: the reel and the camera's timecode"
is "$(cam drop.mov cmx3600 | sed -n 's/^001 .* C  *\([^ ]* [^ ]*\) .*/\1/p')" "23:59:58;10 00:00:02;10" "drop-frame, over midnight"
is "$(cam whole.mov cmx3600 | sed -n 's/^FCM: \(.*\)/\1/p; s/^001 .* C  *\([^ ]* [^ ]*\) .*/\1/p' | tr '\n' ' ')" "NON-DROP FRAME 23:59:58:10 00:00:02:10 " "29.97 that drops nothing"
first=$(((14 * 3600 + 9 * 60 + 42) * 25))
is "$(cam a.mov otio | jq -c '.tracks.children[0].children[0] | [.source_range.start_time.value, .media_references.DEFAULT_MEDIA.available_range.start_time.value, .metadata.cmx_3600.reel]')" "[$first,$first,\"A001\"]" "OTIO counts from it"
is "$(cam a.mov xmeml | sed -n '/<file /,/<\/file>/s/.*<\(string\|frame\|displayformat\)>\(.*\)<.*/\2/p' | tr '\n' ' ')" "14:09:42:00 $first NDF " "xmeml has it"
is "$(cam a.mov fcpxml | grep -o ' start="[^"]*"' | sort -u | tr -d '\n')" " start=\"$first/25s\"" "FCPXML starts there"
is "$(cam a.mov resolve-edl | grep -c '^001 .* 01:00:00:00 ')" 1 "Resolve's markers count on its timeline"
cam uneven.mp4 cmx3600 >"$T/out"; is "$? $(cat "$T/out" "$T/err")" "2 kinoseek clips: uneven.mp4: its frames come at no even rate, and cmx3600 counts frames: say at which with --fps" "a rate that varies is said, and nothing written"
"$K" -L "$T/camlib" clips --in uneven.mp4 --format cmx3600 --fps 25 2>"$T/err" | grep -q '^001 '; ok $? "--fps is the way out"
is "$(cam uneven.mp4 vtt | grep -c -- '-->')" "$("$K" -L "$T/camlib" clips --in uneven.mp4 --json 2>/dev/null | wc -l)" "what counts seconds takes it"
is "$("$K" -L "$T/camlib" search x --all --in a.mov --print '{start:tc}' 2>"$T/err")" "14:09:42:00" "--print {start:tc}, too"

# --- killed while it writes: the whole file or none; with --force the old one or the new
k clips --format csv >"$T/want.csv"
died=0; half=""
for call in write fsync linkat rename; do
  for n in 1 2 3; do
    for force in "" --force; do
      rm -f "$T/o.csv"; [ -z "$force" ] || echo mine >"$T/o.csv"
      # shellcheck disable=SC2086
      strace -f -qq -o /dev/null -e trace="$call" -e "inject=$call:signal=KILL:when=$n" "$K" -L "$T/lib" clips --format csv -o "$T/o.csv" $force >/dev/null 2>&1 || died=$((died + 1))
      [ ! -e "$T/o.csv" ] || cmp -s "$T/o.csv" "$T/want.csv" || { [ -n "$force" ] && [ "$(cat "$T/o.csv")" = mine ]; } || half="$half $call:$n$force"
    done
  done
done
[ "$died" -ge 4 ]; ok $? "killed in $died runs"
is "$half" "" "no half file under a name"
