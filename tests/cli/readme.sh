#!/bin/sh
# README's transcript is what the program says today: its commands are run again and compared.
#
# Masked on both sides: durations, speeds, dates (the films' mtime) and score bars' last eighths.
# `sh tests/cli/readme.sh --write` puts today's answers into README.md.
: "${BUILD:=build}"
mode=${1:-compare}
K=$(pwd)/$BUILD/kinoseek
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8 COLUMNS=100

# What a person sees: stdout is a terminal of 100 columns. (What is said about the moments is not among them elsewhere.)
on_a_terminal='
import fcntl, os, pty, struct, subprocess, sys, termios
us, them = pty.openpty()
fcntl.ioctl(them, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
p = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=them, stderr=subprocess.DEVNULL)
os.close(them)
while True:
    try: data = os.read(us, 65536)
    except OSError: break
    sys.stdout.buffer.write(data.replace(b"\r\n", b"\n"))
p.wait()
'

awk '/^<!-- transcript -->/ { on = 1; next } /^<!-- end -->/ { on = 0 } on && !/^```/' README.md >"$T/told"
grep '^\$ kinoseek ' "$T/told" | sed 's/^\$ kinoseek //' >"$T/commands"
while IFS= read -r line; do
  echo "\$ kinoseek $line"
  eval "set -- $line"
  NO_COLOR=1 python3 -c "$on_a_terminal" "$K" --precision fp32 "$@"
  echo
done <"$T/commands" >"$T/said"
sed -i '$d' "$T/said"

if [ "$mode" = --write ]; then
  awk -v said="$T/said" '/^<!-- end -->/ { on = 0 } !on { print }
    /^<!-- transcript -->/ { on = 1; print "```"; while ((getline l < said) > 0) print l; print "```" }' README.md >"$T/new"
  cp "$T/new" README.md
  exit 0
fi
mask() {
  sed -E 's/ in [0-9.,]+ (ms|s|min|h)\b/ in N/g; s/[0-9.,]+ (ms|s|min|h)\b/N \1/g; s/[0-9]{1,2} [A-Z][a-z]{2} [0-9]{4}/DATE/g; s/[▏▎▍▌▋▊▉█]+ */BAR /g; s/[0-9.]+×/N×/g' "$1"
}
[ "$(wc -l <"$T/commands")" -ge 3 ] && echo "ok - README has a transcript" || echo "not ok - README has a transcript"
mask "$T/told" >"$T/a"; mask "$T/said" >"$T/b"
if cmp -s "$T/a" "$T/b"; then echo "ok - README's transcript is what the program says"
else echo "not ok - README's transcript is what the program says"; diff "$T/a" "$T/b" | sed 's/^/# /'; fi
