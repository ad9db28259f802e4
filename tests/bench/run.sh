#!/bin/sh
# make bench: what each `kinoseek bench` measures, as CSV: machine,command,figure,value.
# MODEL=lvt-base (default demo) and FILM=... choose what is measured.
: "${BUILD:=build}" "${MODEL:=demo}" "${FILM:=models/demo/films/office.mp4}"
cd "$(dirname "$0")/../.." || exit 1
machine=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1 | tr ',' ' ')
echo "machine,command,figure,value"
bench() {
  "$BUILD/kinoseek" -q "$@" --json | jq -r --arg machine "$machine ($(nproc) cores)" --arg command "kinoseek $*" \
    'to_entries[] | select(.value | type == "number") | [$machine, $command, .key, .value] | @csv'
}
for precision in fp32 auto; do bench -m "$MODEL" --precision $precision bench encoder; done
bench bench decode "$FILM"
bench bench scan
