#!/bin/sh
# model pull against a local server that cuts, lies and redirects (tests/pull_server.py).

K=$(pwd)/$BUILD/kinoseek
SERVER=$(pwd)/tests/pull_server.py
T=$(mktemp -d "${TMPDIR:-/tmp}/ks-pull-XXXXXX")
server=
trap '[ -n "$server" ] && kill "$server" 2>/dev/null; rm -rf "$T"' EXIT
ok() { echo "ok - $1"; }
no() { echo "not ok - $1"; [ -z "${2:-}" ] || echo "# $2"; }
is() { if [ "$1" = "$2" ]; then ok "$3"; else no "$3" "$1 is not $2"; fi; }
has() { case $1 in *"$2"*) ok "$3" ;; *) no "$3" "\"$1\" lacks \"$2\"" ;; esac; }
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" HOME="$T" no_proxy=127.0.0.1 NO_PROXY=127.0.0.1
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY

# A program of its own with a table of its own: the "released" model is a toy of 0.6 MB.
mkdir -p "$T/bin" "$T/share/kinoseek/models" "$T/cache"
cp "$K" "$T/bin/kinoseek"
P=$T/bin/kinoseek
"$P" -q model random --like lvt-toy --seed 5 -o "$T/toy.npz" || no "a toy to serve"
bytes=$(wc -c <"$T/toy.npz"); sha=$(sha256sum "$T/toy.npz" | cut -d' ' -f1)
printf 'spm' >"$T/spm"; spmsha=$(sha256sum "$T/spm" | cut -d' ' -f1)
table() { # address [sha] [bytes]
  printf 'toy\tmodel\ttoy.npz\t%s\t%s\t%s\n' "${3:-$bytes}" "${2:-$sha}" "$1" >"$T/share/kinoseek/models/released.tsv"
}
table http://127.0.0.1:1/none
python3 "$SERVER" "$T/toy.npz" "$T/log" >"$T/port" 2>/dev/null &
server=$!
i=0; while [ ! -s "$T/port" ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
at=http://127.0.0.1:$(cat "$T/port")
there=$T/data/kinoseek/models/toy/toy.npz
clean() { rm -rf "$T/data"; : >"$T/log"; }
pull() { "$P" -q model pull toy "$@" >"$T/out" 2>"$T/err"; code=$?; err=$(cat "$T/err"); }
whole() { if cmp -s "$T/toy.npz" "$there"; then ok "$1"; else no "$1" "$err"; fi; }
absent() { if [ ! -e "$there" ]; then ok "$1"; else no "$1"; fi; }
left() { ls "$T/data/kinoseek/models/toy" 2>/dev/null | tr '\n' ' '; }

clean; table "$at/good"; pull
is $code 0 "a good server: exit 0"; whole "a good server: the file"
is "$(cat "$T/out")" "$there" "prints where it is"; is "$(left)" "toy.npz " "nothing else is left"
pull; is $code 0 "pulled again: exit 0"; is "$(grep -c . "$T/log")" 1 "pulled again: nothing is fetched"

clean; pull --from "$at/cut"
is $code 0 "connections that are cut: exit 0"; whole "connections that are cut: the file"
has "$(cat "$T/log")" 'bytes=100000- "v1" 206' "resumed with If-Range"

# Two at once: one fetches, the other is told so and touches nothing; as does a copy of one's own.
clean; "$P" -q model pull toy --from "$at/slow" >"$T/first.out" 2>"$T/first.err" & first=$!
i=0; while [ ! -s "$there.part" ] && [ $i -lt 50 ]; do sleep 0.1; i=$((i + 1)); done
pull --from "$at/good"; is $code 11 "two at once: the second is told so"; has "$err" "another kinoseek is fetching it" "in a sentence"
[ "$(wc -c <"$there.part")" -gt 0 ] && ok "and what came so far is still there" || no "what came so far"
pull --from "$T/toy.npz"; is $code 0 "a copy of one's own does not wait"; whole "and is the file"
wait $first; is $? 0 "the first one ends well ($(cat "$T/first.err"))"; whole "with the file"; is "$(left)" "toy.npz " "and nothing else is left"

clean; pull --from "$at/moved"; whole "redirected: the file"
clean; pull --from "$at/loop"; is $code 5 "redirected for ever: exit 5"; has "$err" "edirect" "and says so"
clean; pull --from "$at/plain"; whole "no ETag, no Range: the file"
clean; pull --from "$at/changed"; whole "the file changes between tries: started over"
has "$(cat "$T/log")" '/changed bytes=100000- "1" 200' "its If-Range did not hold"
clean; pull --from "$at/other"; whole "a part that nobody asked for is not taken"

clean; pull --from "$at/short"; is $code 5 "length and body too short: exit 5"; absent "too short: no file"; has "$err" "the file has $bytes" "says both lengths"
is "$(left)" "" "nothing of it is fetched"
clean; pull --from "$at/long"; is $code 5 "too long: exit 5"; absent "too long: no file"; has "$err" "the file has $bytes" "says so"
is "$(wc -l <"$T/log") $(left)" "1 " "asked once, and nothing of it is taken"
clean; pull --from "$at/lies"; is $code 5 "it says more than it sends: exit 5, though all would come"; absent "no file"
clean; pull --from "$at/page"; is $code 5 "a login page: exit 5"; absent "a login page: no file"
clean; pull --from "$at/404"; is $code 5 "404: exit 5"; has "$err" "answers 404" "404: says so"; is "$(grep -c . "$T/log")" 1 "404: asked once"
clean; pull --from "$at/500"; is $code 5 "500: exit 5"; is "$(grep -c . "$T/log")" 5 "500: asked five times"
is "$(wc -l <"$T/err")" 1 "one sentence"

clean; table "$at/good" 0000000000000000000000000000000000000000000000000000000000000000; pull
is $code 4 "wrong SHA-256: exit 4"; has "$err" "SHA-256" "says so"; is "$(left)" "" "and keeps nothing"
# Where no SHA-256 is known, every tensor is checked.
cp "$T/toy.npz" "$T/bad.npz"; printf 'X' | dd of="$T/bad.npz" bs=1 seek=300000 conv=notrunc 2>/dev/null
clean; table "$at/good" -; pull --from "$T/bad.npz"
is $code 4 "a damaged copy: exit 4"; has "$err" "damaged" "names the tensor"; absent "a damaged copy: no file"
pull --from "$T/toy.npz"; is $code 0 "--from FILE: exit 0"; whole "--from FILE"
clean; mkdir -p "$T/mirror"; cp "$T/toy.npz" "$T/mirror/"; pull --from "$T/mirror"; whole "--from FOLDER"
clean; pull --from "file://$T/toy.npz"; whole "--from file://"
clean; pull --from "$T/nothing"; is $code 4 "--from a file that is not there: exit 4"
clean; table "http://127.0.0.1:1/none"; pull; is $code 5 "nobody listens: exit 5"; has "$err" "no network" "says so"
clean; pull --from "http://no-such-name.invalid/x"; is $code 5 "no such name: exit 5"; has "$err" "--from FILE" "says what to do"
clean; pull --from "ftp://127.0.0.1/x"; is $code 5 "another protocol: exit 5"

clean; table "$at/good"; printf 'toy\ttokenizer\ttoy.spm\t3\t%s\thttp://127.0.0.1:1/none\n' "$spmsha" >>"$T/share/kinoseek/models/released.tsv"
pull --from "$T/nothing"; is "$code $err" "4 kinoseek: $T/nothing: No such file or directory" "a copy that is not there is said before the tokenizer is fetched"
pull --from "$T/toy.npz"; is $code 5 "no network for the tokenizer: exit 5"; has "$err" "--tokenizer-from FILE" "says what to do"; is "$(left)" "" "an empty part is not left"
pull --from "$T/toy.npz" --tokenizer-from "$T/spm"; is "$code $(left)" "0 toy.npz toy.spm " "both from copies: no network is needed"

# --- what lies there already ---
table "$at/good"
part() { clean; mkdir -p "${there%/*}"; head -c 560000 "$T/toy.npz" >"$there.part"; printf '%s\n"v1"\n' "$at/cut" >"$there.part.from"; }
kept() { if cmp -s -n 560000 "$T/toy.npz" "$there.part" && [ "$(wc -c <"$there.part")" -ge 560000 ]; then ok "$1: the part of 95 % is kept"; else no "$1: the part of 95 % is kept" "$(ls -l "${there%/*}")"; fi; }
head -c 1000 "$T/toy.npz" >"$T/small.npz"; mkfifo "$T/fifo"
for from in "$T/nothing" "$T/small.npz" "$T/bad.npz" "$there.part" /dev/zero "$T/fifo" /dev/null "$at/page" "$at/404" "$at/short" "$at/long" "http://127.0.0.1:1/none"; do
  part; timeout 60 "$P" -q model pull toy --from "$from" >"$T/out" 2>"$T/err"; code=$?
  case $code in 4 | 5) ok "--from ${from##*/}: exit $code" ;; *) no "--from ${from##*/}" "exit $code" ;; esac
  kept "--from ${from##*/}"; is "$(ls "${there%/*}" | grep -c copy)" 0 "and nothing else is left"
done
part; pull --from "$at/cut"; whole "and the same command goes on"; has "$(head -n 1 "$T/log")" "bytes=560000-" "from there"
part; pull --from "$T/toy.npz"; is "$code $(left)" "0 toy.npz " "a right copy takes its place"
clean; mkdir -p "${there%/*}"; truncate -s "$bytes" "$there"; pull --from "$at/good"; is $code 0 "a file of the right length that is none: exit 0"; whole "is replaced"
truncate -s 0 "$there"; truncate -s "$bytes" "$there"; pull --from "$T/toy.npz"; whole "by a copy too"
printf X | dd of="$there" bs=1 seek=99 conv=notrunc 2>/dev/null; pull --from "$T/nothing"; is "$code $(wc -c <"$there")" "4 $bytes" "and stays where nothing better is to be had"
clean; mkdir -p "${there%/*}"; mkfifo "$there.part.from"; timeout 20 "$P" -q model pull toy --from "$at/cut" >"$T/out" 2>"$T/err"; is $? 0 "a pipe where the note is: exit 0"; whole "the file"
echo precious >"$T/precious"
for kind in -s "" ; do
  clean; mkdir -p "${there%/*}"; ln $kind "$T/precious" "$there.part"; pull --from "$at/good"; is "$code $(cat "$T/precious")" "5 precious" "a link (${kind:-hard}) for a part is not written through"
done
clean; mkdir -p "${there%/*}"; mkfifo "$there.part"; timeout 20 "$P" -q model pull toy --from "$at/good" >"$T/out" 2>"$T/err"; is $? 5 "a pipe for a part: exit 5"
clean; pull --from "$at/page"; case $err in *"is kept"*) no "nothing is said to be kept where nothing is" "$err" ;; *) ok "nothing is said to be kept where nothing is" ;; esac

# --- ways to lie: a slice; `make torture` runs all ---
python3 "${SERVER%/*}/pull_liars.py" "$P" "$T/toy.npz" "$T/liars" "${SEED:-3}" 24

# Killed in the middle, the next run goes on.
clean; table "$at/good"
python3 - "$at" "$P" "$there" <<'PY' || no "killed in the middle"
import os, subprocess, sys, time
p = subprocess.Popen([sys.argv[2], "-q", "model", "pull", "toy", "--from", sys.argv[1] + "/cut"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
part = sys.argv[3] + ".part"
for _ in range(2000):
    if os.path.exists(part) and os.path.getsize(part) >= 100000: break
    time.sleep(0.002)
p.kill(); p.wait()
sys.exit(0 if os.path.exists(part) and not os.path.exists(sys.argv[3]) else 1)
PY
: >"$T/log"; pull --from "$at/cut"; whole "killed and resumed"
if head -n 1 "$T/log" | grep -q 'bytes=[1-9]'; then ok "it went on where it was"; else no "it went on where it was" "$(head -n 1 "$T/log")"; fi

# The proxy is respected: our server plays one, and sees an absolute address.
clean; http_proxy=$at no_proxy= NO_PROXY= "$P" -q model pull toy --from http://elsewhere.invalid/good >/dev/null 2>&1
has "$(cat "$T/log")" "http://elsewhere.invalid/good" "http_proxy is used"

"$P" model pull >"$T/out" 2>"$T/err"; is $? 2 "no name: exit 2"
"$P" model pull nosuch >"$T/out" 2>"$T/err"; is $? 2 "an unknown name: exit 2"
if ldd "$K" | grep -q libcurl; then no "kinoseek is not linked to libcurl"; else ok "kinoseek is not linked to libcurl"; fi
