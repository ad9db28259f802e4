#!/bin/sh
# pack FOLDER FILE... - the files, gzipped and as they are, as a C table on standard output; FOLDER takes the gzipped ones
# meanwhile.
set -eu
to=$1; shift
printf '/* Made by serve/pack.sh. */\n#include "serve/page.h"\n'
bytes() { od -An -v -tu1 | sed 's/^ *//; s/  */,/g; s/$/,/'; printf '};\n'; }
i=0
for file in "$@"; do
  gzip -9nc "$file" >"$to/page.gz"
  printf 'static const unsigned char file_%d[] = {' "$i"; bytes <"$to/page.gz"
  printf 'static const unsigned char plain_%d[] = {' "$i"; bytes <"$file"
  i=$((i + 1))
done
printf 'const ks_page_file ks_page_files[] = {\n'
i=0
for file in "$@"; do
  printf '    {"%s", file_%d, sizeof file_%d, plain_%d, sizeof plain_%d, "%s"},\n' "$(basename "$file")" "$i" "$i" "$i" "$i" "$(cksum <"$file" | awk '{ printf "%08x%08x", $1, $2 }')"
  i=$((i + 1))
done
printf '    {0},\n};\n'
rm -f "$to/page.gz"
