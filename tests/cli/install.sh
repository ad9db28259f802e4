#!/bin/sh
# make install into a folder: the program finds its parts there, a C program finds the library, shells
# find their completion, man finds the pages.
set -u
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
P=$T/usr
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; [ -e "$T/err" ] && sed 's/^/# /' "$T/err" | tail -n 20; fi; }
is() { if [ "$1" = "$2" ]; then ok 0 "$3"; else echo "# got: $1"; echo "# want: $2"; ok 1 "$3"; fi; }
case "$BUILD" in *-*) echo "ok - sanitizer builds are not installed"; exit 0 ;; esac

make -s install BUILD="$BUILD" PREFIX="$P" >"$T/err" 2>&1; ok $? "make install"
is "$("$P/bin/kinoseek" doctor --json | jq -r .places.decoder)" "$P/libexec/kinoseek/kinoseek-decode" "the program finds its decoder"
is "$("$P/bin/kinoseek" eval retrieval --protocol msrvtt-1k 2>&1)" "kinoseek eval retrieval: msrvtt-1k needs --annotations: MSRVTT_JSFUSION_test.csv" "and its protocols"
is "$(find "$P/share/man/man1" -name 'kinoseek*.1' | wc -l)" "$("$BUILD/kinoseek" manual | wc -l)" "a man page a command"
if command -v man >/dev/null && man --version >/dev/null 2>&1; then
  is "$(for p in "$P"/share/man/man1/*.1 "$P"/share/man/man5/*.5; do LC_ALL=C.UTF-8 MANROFFSEQ='' man --warnings -E UTF-8 -l -Tutf8 -Z "$p" 2>&1 >/dev/null; done)" "" "man has no warning about any"
fi
export PKG_CONFIG_PATH="$P/lib/pkgconfig"
# shellcheck disable=SC2046
${CC:-cc} -std=c11 -Wall -Wextra -Werror tests/example/search.c $(pkg-config --cflags --libs kinoseek) -o "$T/shared" 2>"$T/err"
ok $? "the example links with the shared library"
printf '/films/a.mp4\t0\t8\ta dog jumping into water\n/films/b.mp4\t4\t12\ta tram in the rain\n/films/c.mp4\t8\t16\ta cat on a sofa\n' |
  "$BUILD/tests/prog_sentences" "$T/lib" tests/fixtures/lvt.npz tests/fixtures/lvt.spm 2>"$T/err"
is "$(LD_LIBRARY_PATH=$P/lib "$T/shared" "$T/lib" tests/fixtures/lvt.npz tests/fixtures/lvt.spm 'a tram in the rain' 2>"$T/err" | head -n 1 | cut -d ' ' -f 1,3,4)" "1 /films/b.mp4 4.000" "and answers"
# shellcheck disable=SC2046
${CC:-cc} -std=c11 tests/example/search.c $(pkg-config --cflags kinoseek) "$P/lib/libkinoseek.a" $(pkg-config --static --libs kinoseek | sed 's/-lkinoseek //') -o "$T/static" 2>"$T/err"
ok $? "the example links with the static library"
is "$("$T/static" "$T/lib" tests/fixtures/lvt.npz tests/fixtures/lvt.spm 'a cat on a sofa' 2>"$T/err" | head -n 1 | cut -d ' ' -f 1,3)" "1 /films/c.mp4" "and answers"
# What the page of the library promises: find, label, export, each below 60 lines.
for example in find label export; do
  # shellcheck disable=SC2046
  ${CC:-cc} -std=c11 -Wall -Wextra -Werror tests/example/$example.c $(pkg-config --cflags --libs kinoseek-ingest) -o "$T/$example" 2>"$T/err"
  is "$? $(wc -l <tests/example/$example.c | awk '{ print ($1 < 60) }')" "0 1" "example $example.c: linked, and short"
done
example() { name=$1; shift; LD_LIBRARY_PATH=$P/lib "$T/$name" "$T/lib" "$@" 2>"$T/err"; }
is "$(example find 'a tram in the rain' | head -n 1 | cut -d ' ' -f 1,3,4)" "1 /films/b.mp4 4.000-12.000" "find finds"
printf 'a tram in the rain\na cat on a sofa\n' >"$T/labels"
is "$(example label 'a tram in the rain' 'a cat on a sofa' | sed 's/ [^ ]* / /; s/ [^ ]*$//' | sort)" "$("$BUILD/kinoseek" --precision fp32 -L "$T/lib" label -l "$T/labels" --json 2>"$T/err" | jq -r '"\(.path) \(.label)"' | sort)" "label labels as the program does"
is "$(example export otio 'a cat on a sofa' | jq -r '.tracks.children[0].children[0].name')" "c.mp4" "export exports"
is "$(sqlite3 -cmd ".load $P/lib/kinoseek/kinoseek" -readonly "$T/lib/catalog.db" "SELECT path FROM kinoseek_search('a cat on a sofa', 1)" 2>"$T/err")" "/films/c.mp4" "the installed extension answers"
is "$(nm -D --defined-only "$P/lib/libkinoseek.so" | grep -c 'ks_query_run@@KINOSEEK_0')" 1 "symbols have a version"
is "$(nm -D --defined-only "$P/lib/libkinoseek.so" "$P/lib/libkinoseek-ingest.so" | awk 'NF == 3 && $2 != "A" { sub(/@.*/, "", $3); print $3 }' |
  while read -r s; do grep -rqw "$s" "$P/include/kinoseek" || echo "$s"; done)" "" "only what the headers declare is exported"
is "$(ldd "$P/bin/kinoseek" | grep -cE 'libav|libsw')" 0 "kinoseek is not linked to libav"
bash -n "$P/share/bash-completion/completions/kinoseek" 2>"$T/err"; ok $? "bash reads its completion"
complete() { bash -c '. "$0"; COMP_WORDS=(kinoseek "$@"); COMP_CWORD=$#; _kinoseek 2>/dev/null; echo "${COMPREPLY[*]}"' "$P/share/bash-completion/completions/kinoseek" "$@"; }
is "$(complete sea)" "search" "bash completes commands"
is "$(complete -L lib search --per-v)" "--per-video" "options of the command, after a global one"
is "$(complete search --merge o)" "on off" "values of an option"
is "$(complete search --merge = o)/$(complete search --merge =)" "on off/on off" "after --option=, too"
is "$(complete --precision = fp32 sea)" "search" "a value after = is no command"
is "$(complete model in)" "info" "second words"
is "$(complete bench q)" "query" "of bench too"
# zsh in a terminal of its own: a line, a tab, and what stands there then.
if command -v zsh >/dev/null; then
  zsh -n "$P/share/zsh/site-functions/_kinoseek" 2>"$T/err"; ok $? "zsh reads its completion"
  cat >"$T/tab.zsh" <<'END'
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PS1=; autoload -U compinit; compinit -u -D; setopt no_beep; LISTMAX=0; source $1; print -r -- rea''dy"
zpty -r z out '*ready*'
shift
for line; do
  zpty -n -w z "$line"$'\t'$'\x01'"print -r -- '<"$'\x05'">'"$'\n'
  zpty -r z out '*[^'\'']<*>*'
  print -r -- "${${out##*<}%%>*}"
done
zpty -d z
END
  is "$(timeout 120 zsh -f "$T/tab.zsh" "$P/share/zsh/site-functions/_kinoseek" 'kinoseek sea' 'kinoseek bench que' 'kinoseek -L lib search --per-v' 'kinoseek search --merge of' | sed 's/ *$//' | tr '\n' '/')" \
    "kinoseek search/kinoseek bench query/kinoseek -L lib search --per-video/kinoseek search --merge off/" "zsh completes commands, second words, options, values"
fi
if command -v fish >/dev/null; then
  fish -n "$P/share/fish/vendor_completions.d/kinoseek.fish" 2>"$T/err"; ok $? "fish reads its completion"
  tab() { HOME=$T fish --no-config -c "source '$P/share/fish/vendor_completions.d/kinoseek.fish'; complete -C '$1'" 2>"$T/err" | cut -f 1 | sort | tr '\n' ' '; }
  is "$(tab 'kinoseek sea')$(tab 'kinoseek model in')$(tab 'kinoseek -L lib search --per-v')$(tab 'kinoseek search --merge ')" "search info --per-video off on " "fish completes commands, second words, options, values"
fi
is "$(readelf -d "$P/lib/libkinoseek.so" | sed -n 's/.*soname: \[\(.*\)\]/\1/p')" libkinoseek.so.0 "the library has a soname"
is "$(readelf -d "$P/lib/libkinoseek-ingest.so" | grep -c 'NEEDED.*\[libkinoseek.so.0\]')" 1 "the second one needs the first by it"
is "$(pkg-config --modversion kinoseek kinoseek-ingest | sort -u)" "$("$P/bin/kinoseek" --version | sed -n '1s/kinoseek //p')" "kinoseek.pc has the program's version"
# Debian's package: the program's version, what bootstrap installs to build, a home for every file (dh_missing asks again).
is "$(sed -n '1s/.*(\(.*\)).*/\1/p' debian/changelog)" "$("$P/bin/kinoseek" --version | sed -n '1s/kinoseek //p')" "the Debian package has the program's version"
is "$(sed -n '/^build="/,/"$/p' bootstrap | sed 's/^build=//' | tr -d '"' | tr ' ' '\n' | grep -vxE '|gcc|g\+\+|make|libc6-dev' | while read -r p; do grep -qE "^ $p( |,|$)" debian/control || echo "$p"; done)" "" "it is built with what bootstrap installs"
make -s install BUILD="$BUILD" DESTDIR="$T/deb" PREFIX=/usr LIBDIR=/usr/lib/cpu >"$T/err" 2>&1; ok $? "make install LIBDIR="
is "$(cd "$T/deb" && find . ! -type d | sed 's,^./,,' | while read -r f; do
  n=0; for w in $(cat "$OLDPWD"/debian/*.install); do case "$f" in $w|$w/*) n=$((n + 1)) ;; esac; done; [ "$n" -eq 1 ] || echo "$n $f"; done)" "" "each file goes into one package"
make -s uninstall PREFIX="$P" >"$T/err" 2>&1; ok $? "make uninstall"
is "$(find "$P" ! -type d; find "$P" -name '*kinoseek*')" "" "nothing is left, no link and no folder either"
make -s install BUILD="$BUILD" DESTDIR="$T/stage" PREFIX=/opt/seek >"$T/err" 2>&1; ok $? "make install DESTDIR= PREFIX="
is "$(ls "$T/stage")$(ls "$T/stage/opt")$(sed -n 's/^prefix=//p' "$T/stage/opt/seek/lib/pkgconfig/kinoseek.pc")" "optseek/opt/seek" "all below DESTDIR, kinoseek.pc without it"
is "$(find "$T/stage" -type l ! -exec test -e {} \; -print)" "" "no link leads nowhere"
# Names with spaces and quotes: nothing goes elsewhere, and nothing elsewhere is taken away.
odd="$T/o'd \"d/kino seek; touch $T/no"; mkdir -p "$T/o'd" "$T/elsewhere"; echo kept >"$T/o'd/kept"
(cd "$T/elsewhere" && mkdir seek "seek;" && echo kept >seek/kept)
make -s install BUILD="$BUILD" PREFIX="$odd" >"$T/err" 2>&1; ok $? "make install PREFIX= with spaces and quotes"
is "$("$odd/bin/kinoseek" --version | sed -n '1s/ .*//p')$("$odd/bin/kinoseek" doctor | grep -c 'kino seek')" "kinoseek$("$odd/bin/kinoseek" doctor | grep -c "kino seek")" "the program there runs"
make -s uninstall PREFIX="$odd" >"$T/err" 2>&1; ok $? "make uninstall of it"
is "$(find "$T/o'd \"d" ! -type d; cat "$T/o'd/kept" "$T/elsewhere/seek/kept"; ls "$T/no" 2>/dev/null)" "kept
kept" "takes away its own files and nothing else"
make -s install BUILD="$BUILD" PREFIX="$T/with space" >"$T/err" 2>&1; eval "set -- $(PKG_CONFIG_PATH="$T/with space/lib/pkgconfig" pkg-config --cflags kinoseek)"
is "$1" "-I$T/with space/include/kinoseek" "pkg-config finds its headers"
# Completion offers models after model pull, info and verify.
P=$T/stage/opt/seek
is "$(PATH=$P/bin:$PATH complete model pull lvt-)" "lvt-base lvt-large" "names of models after model pull"
U=$P/lib/systemd/user
is "$(ls "$U" | paste -sd,) $(grep -l '@[A-Z]*@' "$U"/* | wc -l)" "kinoseek-ingest.service,kinoseek-ingest.timer,kinoseek-watch.service 0" "units for a person's own systemd"
if command -v systemd-analyze >/dev/null; then
  for u in watch ingest; do
    x=$(systemd-analyze security --offline=true "$U/kinoseek-$u.service" 2>/dev/null | sed -n 's/.*exposure level for.*: \([0-9.]*\) .*/\1/p')
    awk -v x="$x" 'BEGIN { exit !(x != "" && x <= 2.0) }'; ok $? "the exposure of kinoseek-$u.service is at most 2.0 ($x)"
  done
fi
is "$("$T/stage/opt/seek/bin/kinoseek" completion fish | grep -c '^complete.*__fish_use_subcommand .*-a model ')" 1 "fish is told of a group once"
# The program moves, and with it the model that a library was made with: it is found where it is now.
ffmpeg -v error -f lavfi -i testsrc2=s=96x96:r=25 -t 4 -c:v libx264 -preset ultrafast "$T/film.mp4" 2>"$T/err" </dev/null
"$T/stage/opt/seek/bin/kinoseek" -q -L "$T/moves" -m demo ingest "$T/film.mp4" >/dev/null 2>"$T/err"; mv "$T/stage/opt" "$T/stage/else"
"$T/stage/else/seek/bin/kinoseek" -q -L "$T/moves" search --all stripes >/dev/null 2>"$T/err"; is "$?" 0 "search finds the model of a library when the program moved"
cp "$T/film.mp4" "$T/again.mp4"; echo >>"$T/again.mp4"
"$T/stage/else/seek/bin/kinoseek" -q -L "$T/moves" ingest "$T/again.mp4" >/dev/null 2>"$T/err"; is "$?" 0 "ingest does"
is "$("$T/stage/else/seek/bin/kinoseek" -L "$T/moves" status --json | jq -r '.model, .tokenizer' | paste -sd' ')" "$T/stage/else/seek/share/kinoseek/models/demo/demo.npz $T/stage/else/seek/share/kinoseek/models/demo/demo.spm" "and remembers where it is"
mv "$T/stage/else" "$T/stage/opt"; mv "$T/stage/opt/seek/share/kinoseek/models" "$T/away"
"$T/stage/opt/seek/bin/kinoseek" -q -L "$T/moves" search --all stripes >/dev/null 2>"$T/err"; is "$? $(grep -c 'not there any more; name it with -m' "$T/err")" "4 1" "where it is nowhere, that is said"
mv "$T/away" "$T/stage/opt/seek/share/kinoseek/models"
make -s uninstall DESTDIR="$T/stage" PREFIX=/opt/seek >"$T/err" 2>&1
is "$(find "$T/stage" ! -type d)" "" "and nothing is left of that"
