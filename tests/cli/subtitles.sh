#!/bin/sh
# What is said: subtitles inside films and beside them, how they are written and damaged, how they change, and
# `search --said`, against the same worked out from `clips --json` and the lines themselves.
set -u
: "${BUILD:=build}"
K=$PWD/$BUILD/kinoseek
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; [ -e "$T/err" ] && sed 's/^/# /' "$T/err"; fi; }
is() { if [ "$1" = "$2" ]; then ok 0 "$3"; else echo "# got: $1"; echo "# want: $2"; ok 1 "$3"; fi; }
k() { "$K" --precision fp32 -L "$T/lib" "$@" 2>"$T/err"; }
ff() { ffmpeg -v error -nostdin -y "$@" 2>"$T/err"; }
V=$T/v; mkdir "$V"; V=$(readlink -f "$V")
film() { ff -f lavfi -i "testsrc=size=64x64:rate=5:duration=${2:-9}" -c:v mpeg4 "$1"; }

# --- inside: each container and codec; a name of its own in each line
cat >"$T/in.srt" <<'E'
1
00:00:01,000 --> 00:00:03,000
The <i>quick</i> KIND fox

2
00:00:04,500 --> 00:00:06,250
jumps over
the lazy dog
E
film "$T/film.mkv"
for f in "mkv srt" "mkv ass" "mkv webvtt" "mp4 mov_text" "mov mov_text" "webm webvtt"; do
  set -- $f
  sed "s/KIND/$1$2/" "$T/in.srt" | tr -d _ >"$T/one.srt"
  if [ "$1" = webm ]; then video="-c:v libvpx"; else video="-c:v copy"; fi
  ff -i "$T/film.mkv" -i "$T/one.srt" -map 0:v -map 1 $video -c:s "$2" "$V/$1-$2.$1" || ok 1 "ffmpeg made $f"
done
# one whose clock does not begin at 0
sed "s/KIND/late/" "$T/in.srt" >"$T/one.srt"
ff -i "$T/film.mkv" -i "$T/one.srt" -map 0:v -map 1 -c:v copy -c:s srt -output_ts_offset 20 "$V/late.mkv"
k -q -m demo ingest "$V" --json >"$T/e"; ok $? "films with subtitles go in"
is "$(jq -c 'select(.event == "subtitles") | [.lines, .reason]' "$T/e" | sort | uniq -c | sed 's/^ *//')" '7 [2,""]' "each tells of its two lines"
for n in mkvsrt mkvass mkvwebvtt mp4movtext movmovtext webmwebvtt late; do
  is "$(k search --said "quick $n" --json | jq -c '[.by, .said[0].start + 0, .said[0].end + 0, .said[0].text]')" "[\"said\",1,3,\"The quick $n fox\"]" "$n: its line, its times, no tags"
done
is "$(k search --said '"over the"' --json | jq -r '.said[0].text' | sort | uniq -c | sed 's/^ *//')" "7 jumps over the lazy dog" "a line of two is one"
is "$(k search --said 'quick -fox'; echo $?) $(cat "$T/err")" "1 Nobody says that here." "a word that must not be there"
k search --said '"fox quick"' >/dev/null; is $? 1 "a phrase has its order"
k search --said 'a "b' >/dev/null; is "$? $(cat "$T/err")" '2 kinoseek search: --said a "b: the phrase has no second quote, at character 3 ("b)' "what is wrong is pointed at"
is "$(k check >/dev/null; echo $?)" 0 "check"

# --- a library of before: its films get their lines without being encoded again
cp -r "$T/lib" "$T/old"
sqlite3 "$T/old/catalog.db" "DROP VIEW subtitles; DROP TABLE subtitle_words; DROP TABLE subtitle; DROP TABLE subtitle_file; PRAGMA user_version = 10" 2>"$T/err"
"$K" -L "$T/old" search --said fox >/dev/null 2>"$T/err"; is "$? $(grep -c 'no film here has subtitles' "$T/err")" "4 1" "an older library says that it has none"
"$K" -L "$T/old" ingest "$V" --json 2>"$T/err" >"$T/e"
is "$? $(jq -rs 'map(select(.event == "file").verdict) | unique | join(" ")' "$T/e") $(jq -s 'map(select(.event == "subtitles")) | length' "$T/e") $(jq -s 'last.clips' "$T/e")" "0 unchanged 7 0" "the next ingest reads them, and encodes nothing"
is "$("$K" -L "$T/old" search --said 'quick late' --json | jq -r '.said[0].start + 0')" 1 "and they are found"
rm -rf "$T/old"; rm -rf "$T/lib"

# --- beside: names, kinds, characters
rm "$V"/*
for n in srt vtt ass mark marks latin bom le be crlf upper cut other; do cp "$T/film.mkv" "$V/$n.mkv"; printf '%s' "$n" >>"$V/$n.mkv"; done
cp "$T/film.mkv" "$V/part.mkv"; printf 1 >>"$V/part.mkv"; cp "$T/film.mkv" "$V/part.two.mkv"; printf 2 >>"$V/part.two.mkv"
line() { printf '1\n00:00:02,000 --> 00:00:04,000\n%s\n\n' "$1"; }
line "plain text" >"$V/srt.srt"
printf 'WEBVTT\n\nNOTE nothing\n\n00:02.000 --> 00:04.000 align:start\n<v Bob>plain <b>text</b>\n' >"$V/vtt.vtt"
cat >"$V/ass.ass" <<'E'
[Script Info]
ScriptType: v4.00+
[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,20,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,unheard
Dialogue: 0,0:00:02.00,0:00:04.00,Default,Bob,0,0,0,,{\pos(1,2)\b1}plain{\b0}\Ntext
Dialogue: 0,0:00:05.00,0:00:06.00,Default,,0,0,0,,{\p1}m 0 0 l 9 9{\p0}
E
line "plain text" >"$V/mark.en.srt"
line "plain text" >"$V/marks.pt-BR.forced.srt"
line "caf$(printf '\351') plain text $(printf '\223')x$(printf '\224')" >"$V/latin.srt"
{ printf '\357\273\277'; line "café plain text"; } >"$V/bom.srt"
{ printf '\377\376'; line "café plain text 😀" | iconv -t UTF-16LE; } >"$V/le.srt"
{ printf '\376\377'; line "café plain text 😀" | iconv -t UTF-16BE; } >"$V/be.srt"
line "plain text" | sed 's/$/\r/' >"$V/crlf.srt"
line "plain text" >"$V/upper.SRT"
line "plain text" >"$V/part.two.srt"
line "nobody's" >"$V/srt2.srt"
printf 'this is a letter\n' >"$V/other.srt"
awk 'BEGIN { for (i = 0; i < 40000; i++) printf "%d\n00:00:%02d,000 --> 00:00:%02d,500\nplain text of line %d that is long enough\n\n", i + 1, i % 8, i % 8, i }' >"$V/cut.srt"
k -q -m demo ingest "$V" --json >"$T/e"; ok $? "films with subtitles beside them go in"
is "$(k search --said '"plain text"' -k 99999 --json | jq -r '.path | sub(".*/"; "")' | sort -u | tr '\n' ' ')" "ass.mkv be.mkv bom.mkv crlf.mkv cut.mkv latin.mkv le.mkv mark.mkv marks.mkv part.two.mkv srt.mkv upper.mkv vtt.mkv " "each by its name, and only that"
is "$(k search --said 'cafe plain' --json | jq -r '.said[0].text' | sort -u)" "café plain text
café plain text “x”
café plain text 😀" "UTF-8, UTF-16 and Latin-1 are the same words"
is "$(k search --said '"plain text" -line' --json | jq -c '[.start + 0, .end + 0]' | sort -u)" "[2,4]" "times"
is "$(jq -r 'select(.event == "subtitles" and .reason != "") | [(.path | sub(".*/"; "")), .reason] | join(": ")' "$T/e" | sort)" "cut.srt: more than 1 MiB of text: the rest is left out
latin.srt: no Unicode: taken for Latin-1
other.srt: not SubRip, WebVTT or ASS" "what is to be said of some is said"
is "$(sqlite3 "$T/lib/catalog.db" "SELECT sum(length(CAST(text AS BLOB))) BETWEEN 1000000 AND 1048576 FROM subtitles WHERE beside LIKE '%cut.srt'")" 1 "1 MiB is kept"
k search --said unheard >/dev/null; is $? 1 "a comment is not said"
k search --said "m 0" >/dev/null; is $? 1 "nor is a drawing"

# --- they change, come and go, and so do their films
k ingest "$V" --json >"$T/e"; is "$(jq -rs 'map(.event) | unique | join(" ")' "$T/e")" "done file" "nothing is read twice"
line "other words" >"$V/srt.srt"; touch -d '2001-01-01' "$V/srt.srt"; k -q ingest "$V"
is "$(k search --said '"other words"' --json | jq -r .path) $(k search --said '"plain text"' -k 99999 --json | grep -c srt.mkv)" "$V/srt.mkv 0" "a file that changed is read again"
rm "$V/vtt.vtt"; k -q ingest "$V"; is "$(k search --said '"plain text"' -k 99999 --json | grep -c vtt.mkv)" 0 "one that is gone takes its lines along"
mkdir "$V/sub"; mv "$V/mark.mkv" "$V/mark.en.srt" "$V/sub"; mv "$V/bom.mkv" "$V/sub/bombom.mkv"; mv "$V/bom.srt" "$V/sub/bombom.srt"; k -q ingest "$V"
is "$(k search --said '"plain text" -line' -k 99999 --json | jq -r '.path | sub(".*/v/"; "")' | grep sub | sort | tr '\n' ' ')" "sub/bombom.mkv sub/mark.mkv " "a film that is moved or renamed with its file"
rm "$V/upper.mkv"; k -q ingest "$V"; is "$(k search --said '"plain text"' -k 99999 --json | grep -c upper)" 0 "a film that is gone takes its lines along"
k ingest "$V/crlf.mkv" -q; ok $? "a film named by itself"
is "$(k check >/dev/null; echo $?) $(sqlite3 "$T/lib/catalog.db" "SELECT count(*) FROM subtitle_file f WHERE video NOT IN (SELECT id FROM video)")" "0 0" "check"
before=$(k search --said plain -k 99999 --json | cksum)
k repair >/dev/null; is "$(k check >/dev/null; echo $?) $(k search --said plain -k 99999 --json | cksum)" "0 $before" "repair keeps every line"
k compact >/dev/null; is "$(k search --said plain -k 99999 --json | cksum)" "$before" "compact, too"
k backup "$T/b" >/dev/null; is "$("$K" -L "$T/b" search --said plain -k 99999 --json 2>/dev/null | cksum)" "$before" "and backup"

# --- with what is seen: clips within 3 s of a line, as clips --json and the lines say
rm -rf "$T/lib"; rm -r "$V"/*
film "$V/long.mkv" 60
for s in 3 17 18 33 47; do printf '%d\n00:00:%02d,250 --> 00:00:%02d,750\nsee the number %d\n\n' $s $s $((s + 1)) $s; done >"$V/long.srt"
k -q -m demo ingest "$V"
for s in 3 17 33 47; do
  want=$(k clips --json | jq -c --argjson s $s 'select(.start - 3 < $s + 1.75 and .end + 3 > $s + 0.25) | .id' | sort -n | tr '\n' ' ')
  got=$(k search numbers and colours --all -k 1000 --merge off --fold off --said "number $s" --json | jq -c 'select(.by == null) | .clips[]' | sort -n | tr '\n' ' ')
  is "$got" "$want" "--said number $s: the clips near it"
done
is "$(k search numbers --all -k 1 --said 'number 33' --json | jq -c '.said')" '[{"start":33.25,"end":34.75,"text":"see the number 33"}]' "with the line"
is "$(k search numbers --all --said nothing; echo $?)" 1 "and none where nobody says so"
is "$(k search numbers --all -k 99 --merge off --said 'number -17' --json | jq -s 'map(.clips) | add | unique | length')" "$(k clips --json | jq -c 'select(any((3, 18, 33, 47) as $s | .start - 3 < $s + 1.75 and .end + 3 > $s + 0.25; .)) | .id' | wc -l)" "of several lines"
is "$(k search --said number -k 2 --json | jq -c '[.rank, .start + 0]' | tr '\n' ' ')" "[1,3.25] [2,17.25] " "lines alone stand in order of time, -k of them"
is "$(k search --said 'number 33' --format srt | grep -c 'see the number 33') $(k search --said 'number 33' --csv | grep -c 'long.mkv,33.250,34.750')" "1 1" "and leave in any format"

# --- 200 damaged files, seeded: each is read, or said to be wrong; the decoder's sanitizers find nothing
cp "$V/long.srt" "$T/long.srt"; rm -rf "$T/lib"; rm "$V"/*; cp "$T/film.mkv" "$V/x.mkv"; mkdir "$T/good"
cp "$T/long.srt" "$T/good/1.srt"; printf 'WEBVTT\n\nSTYLE\n::cue {}\n\n00:02.000 --> 00:04.000\n<v Bob>plain\n\n1\n01:00:02.000 --> 01:00:04.000\n<c.x>text</c> &amp; more\n' >"$T/good/2.vtt"
printf '[Script Info]\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\nDialogue: 0,0:00:02.00,0:00:04.00,Default,,0,0,0,,{\\p1}a{\\i1}b\\Nc\n' >"$T/good/3.ass"
{ printf '\377\376'; line "text" | iconv -t UTF-16LE; } >"$T/good/4.srt"
python3 - "$T/good" "$V" "${MUTANTS:-200}" "${SEED:-20261129}" <<'E'
import os, random, sys
good, to, n, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
r = random.Random(seed)
files = [(f[-4:], open(os.path.join(good, f), "rb").read()) for f in sorted(os.listdir(good))]
odd = [b"-->", b"\n\n", b"99999999999999999999", b"-1", b"{\\p9", b"{", b"}", b"<", b"\0" * 40, b"\xff", b"\xed\xa0\x80", b"00:00:00,000 --> 00:00:00,000",
       b"9:99:99,999", b"," * 12, b"\xd8\x00\xd8", b"A" * 5000, b"%s%n", b"\r", b"\n1\n00:00:01,0 --> 300:00:00,0\nx\n"]
for i in range(n):
    end, b = files[r.randrange(len(files))]
    b = bytearray(b)
    for _ in range(r.randrange(1, 9)):
        at = r.randrange(len(b) + 1)
        kind = r.randrange(5)
        if kind == 0: b[at:at + r.randrange(1, 9)] = bytes(r.randrange(256) for _ in range(r.randrange(9)))
        elif kind == 1: b[at:at] = odd[r.randrange(len(odd))]
        elif kind == 2: del b[at:at + r.randrange(1, 40)]
        elif kind == 3: b[at:at] = b[r.randrange(len(b) + 1):][:r.randrange(200)]
        else: b = b[:at] or bytearray(b"x")
    open(os.path.join(to, "x.m%d%s" % (i, end)), "wb").write(b)
E
k -q -m demo ingest "$V" --json >"$T/e"; ok $? "${MUTANTS:-200} damaged files beside a film (seed ${SEED:-20261129})"
is "$(jq -r 'select(.event == "subtitles").reason' "$T/e" | grep -c 'decoder') $(sqlite3 "$T/lib/catalog.db" "SELECT count(*) FROM subtitle_file WHERE path <> x''")" "0 ${MUTANTS:-200}" "none stops the decoder, each has its row"
is "$(sqlite3 "$T/lib/catalog.db" "SELECT count(*) FROM subtitles WHERE start < 0 OR \"end\" <= start OR \"end\" > 4294967296 OR text = '' OR length(CAST(text AS BLOB)) >= 1000") $(jq -s 'map(select(.event == "subtitles" and .lines > 0)) | length > 20' "$T/e")" "0 true" "what is kept is of a film's times, and most are read"
is "$(k check >/dev/null; echo $?) $(k search --said text -k 9999 --json | jq -s 'length > 0')" "0 true" "check and search go on"
