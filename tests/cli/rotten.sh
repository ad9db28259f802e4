#!/bin/sh
# One row of one table is not what it was written as: every way to ask ends, answers from all the rest, leaves the row
# out and says so once. A library of sentences (prog_sentences), a small random model.
set -u
K=$BUILD/kinoseek
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8 NO_COLOR=1
unset COLUMNS KINOSEEK_PLAYER
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; fi; }

mkdir "$T/films"
{
  printf '%s/films/lake.mp4\t0\t8\ta boat on the water\n' "$T"
  printf '%s/films/lake.mp4\t4\t12\ta dog jumping into water\n' "$T"
  printf '%s/films/city.mp4\t0\t8\ta traffic jam at night\n' "$T"
  printf '%s/films/city.mp4\t3600\t3608\ta tram in the rain\n' "$T"
  printf '%s/films/home.mp4\t0\t8\ta cat on a sofa\n' "$T"
  printf '%s/films/home.mp4\t60\t68\ta child blowing out candles\n' "$T"
} >"$T/list"
for f in lake city home; do : >"$T/films/$f.mp4"; done
"$BUILD/tests/prog_sentences" "$T/good" "$PWD/tests/fixtures/lvt.npz" "$PWD/tests/fixtures/lvt.spm" <"$T/list" 2>"$T/err"
[ -d "$T/good" ]; ok $? "a library of sentences"; [ -d "$T/good" ] || exit 1
printf 'a cat on a sofa\na tram in the rain\n' >"$T/labels"; printf 'a cat on a sofa\nthe rain\n' >"$T/queries"

# table, what happens to it. The row is one of home.mp4's first clip, or of home.mp4; rowid tables only differ in name.
rot() {
  python3 - "$T/lib/catalog.db" "$1" <<'PY'
import sqlite3, sys
c = sqlite3.connect(sys.argv[1], isolation_level=None)
clip, video, space = c.execute("SELECT c.id, c.video, c.space FROM clip c JOIN path p ON p.video = c.video WHERE CAST(p.path AS TEXT) LIKE '%home%' ORDER BY c.start").fetchone()
half = bytearray(c.execute("SELECT half FROM vector WHERE clip = ?", (clip,)).fetchone()[0]); half[20] ^= 1
c.execute("INSERT OR IGNORE INTO frame_vectors VALUES(?, 1, x'00', 0)", (clip,)) if sys.argv[2] == "frame_vectors" else 0
c.execute("INSERT OR IGNORE INTO thumbnail VALUES(?, x'00', 0)", (clip,)) if sys.argv[2] == "thumbnail" else 0
n = c.execute({
  "vector": "UPDATE vector SET half = :half WHERE clip = :clip",
  "clip": "UPDATE clip SET stop = stop + 1 WHERE id = :clip",
  "clip_reason": "UPDATE clip SET sum = sum + 1 WHERE id = :clip",
  "video": "UPDATE video SET fps = fps + 1 WHERE id = :video",
  "video_finished": "UPDATE video SET finished = 0 WHERE id = :video",
  "path": "UPDATE path SET size = size + 1 WHERE video = :video",
  "path_gone": "DELETE FROM path WHERE video = :video",
  "frame_vectors": "UPDATE frame_vectors SET sum = 7 WHERE clip = :clip",
  "thumbnail": "UPDATE thumbnail SET sum = 7 WHERE clip = :clip",
  "setting": "UPDATE setting SET value = x'01'",
  "totals": "UPDATE totals SET clips = clips + 1",
  "segment": "UPDATE segment SET header = header + 1",
  "space": "UPDATE space SET frames = frames + 1",
}[sys.argv[2]], {"half": bytes(half), "clip": clip, "video": video}).rowcount
assert n > 0, sys.argv[2]
PY
}

# name of the way, exit codes that are right, words. Lines of other films are those of the sound library.
ways() {
  cat <<'WAYS'
all|0|search --all -k 100 --json a cat on a sofa
one|0|search --all -k 1 --json a cat on a sofa
apart|0|search --all -k 100 --merge off --json a cat on a sofa
exact|0|search --all -k 100 --exact --json a cat on a sofa
ann|0|search --all -k 100 --ann --json a cat on a sofa
cut|0 1|search --json a cat on a sofa
table|0|search --all a cat on a sofa
in|0 1 4 6|search --all -k 100 --in home.mp4 --json a cat on a sofa
path|0|search --all -k 100 --path *.mp4 --json a cat on a sofa
after|0|search --all -k 100 --after 1960 --json a cat on a sofa
longer|0|search --all -k 100 --longer 1 --json a cat on a sofa
queries|0|search --all --queries QUERIES --json
like|0|search --like 3 -k 100 --json
similar|0|similar FILMS/city.mp4 -k 100 --json
similar_at|0|similar FILMS/city.mp4@3604 -k 100 --json
label|0|label --labels LABELS --json
label_video|0|label --labels LABELS --per-video --json
clips|0 6|clips --json
status|0|status --json
csv|0|search --all -k 100 --csv a cat on a sofa
vtt|0|search --all -k 100 --in city.mp4 --format vtt a cat on a sofa
chapters|0|search --all -k 100 --in city.mp4 --format ffmetadata a cat on a sofa
mpv|0|search --all -k 100 --format mpv-edl a cat on a sofa
edl|0|search --all -k 100 --format cmx3600 a cat on a sofa
otio|0|search --all -k 100 --format otio a cat on a sofa
print|0|search --all -k 100 --print {path} a cat on a sofa
nul|0|search --all -k 100 -0 a cat on a sofa
html|0|search --all -k 100 --html PAGE --force --json a cat on a sofa
label_csv|0|label --labels LABELS --csv
vectors|0 6|export vectors -o VECTORS --force
label_otio|0|label --labels LABELS --format otio
WAYS
}

ask() { # library, way's words; output and error in $T/out, $T/err
  words=$(echo "$2" | sed "s#QUERIES#$T/queries#; s#LABELS#$T/labels#; s#PAGE#$T/page.html#; s#VECTORS#$T/v.npz#; s#FILMS#$T/films#")
  set -f; timeout -s KILL 10 "$K" --precision fp32 -L "$1" $words >"$T/out" 2>"$T/all"; code=$?; set +f
  grep -v ' open one with: ' "$T/all" >"$T/err"
}
others() { jq -r 'select(.path and (.path | endswith("home.mp4") | not)) | [.path, .start, .end, .cosine] | map(tostring) | join(" ")' "$T/out" | sort; }

ways | while IFS='|' read -r way codes words; do
  ask "$T/good" "$words"; case $words in *--json*) others >"$T/want.$way" ;; esac
  [ -s "$T/err" ] && echo "$way says of a sound library: $(cat "$T/err")"
done >"$T/bad"
ok "$([ -s "$T/bad" ]; echo $((1 - $?)))" "(a sound library: nothing is said) $(cat "$T/bad")"

for table in vector clip clip_reason video video_finished path path_gone frame_vectors thumbnail setting segment totals space; do
  rm -rf "$T/lib"; cp -r "$T/good" "$T/lib"; rot $table
  ways | while IFS='|' read -r way codes words; do
    case "$table/$words" in # what an export reads is what a search reads: pictures, frames, films
      vector/*|video/*|path/*|thumbnail/*|frame_vectors/*) ;; *--format*|*--csv*|*--print*|*-0*|*--html*|*--like*|*--after*|*--longer*) continue ;;
    esac
    ask "$T/lib" "$words"
    case " $codes " in *" $code "*) ;; *) echo "$way: exit $code ($(head -n 1 "$T/err"));" ;; esac
    case "$table $code" in "path_gone 4") continue ;; esac # no row says that such a film was ever here
    [ "$code" = 1 ] || [ "$code" = 6 ] || [ -s "$T/out" ] || echo "$way: nothing shown;"
    case $words in *--json*) others | cmp -s - "$T/want.$way" || [ "$way" = one ] || echo "$way: other films have changed;" ;; esac
    n=$(grep -c 'kinoseek repair' "$T/err") m=$(wc -l <"$T/err")
    [ "$n" = "$m" ] && [ "$n" -le 1 ] || echo "$way: said $m lines: $(cat "$T/err");"
    # Who met the row has said so.
    case "$table/$way" in
      vector/all|vector/apart|clip/all|clip_reason/apart|video/all|video/clips|video/label|video_finished/all|path/all|path/clips|path_gone/all|path_gone/clips|thumbnail/html|frame_vectors/all)
        [ "$n" = 1 ] || echo "$way: the row was left out in silence;" ;;
    esac
  done >"$T/bad"
  ok "$([ -s "$T/bad" ]; echo $((1 - $?)))" "a rotten row of $table: ways to ask $(head -c 600 "$T/bad" | tr '\n' ' ')"
done
