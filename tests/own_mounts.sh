#!/bin/sh
# How unshare(1) gives a program mounts of its own: as root, or in a user namespace where the system lets anybody have one.
# Nothing: in no way.
for how in -m -Urm; do
  unshare $how mount -t tmpfs none /mnt 2>/dev/null && { echo "$how"; exit 0; }
done
