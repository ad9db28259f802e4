#!/bin/sh
# embed FOLDER FILE.comp... - the shaders, compiled, as C arrays on standard output; FOLDER takes the compiled ones.
set -eu
to=$1; shift
printf '/* Made by encoder/shaders/embed.sh. */\n#include "encoder/vulkan_shaders.h"\n'
for file in "$@"; do
  name=$(basename "$file" .comp)
  glslangValidator -V --target-env vulkan1.1 --quiet -o "$to/$name.spv" "$file" >&2
  printf 'const uint32_t ks_shader_%s[] = {' "$name"
  od -An -v -tx4 <"$to/$name.spv" | sed 's/ *\([0-9a-f]\{8\}\)/0x\1,/g'
  printf '};\nconst size_t ks_shader_%s_bytes = sizeof ks_shader_%s;\n' "$name" "$name"
done
