#!/bin/sh
# hub_front.sh - stands where the program does in a test of one machine (cli/hub_both.sh): what writes films goes to the folder
# as ever; what reads them is asked of a hub that has the same films. KS_REAL: the program; KS_FRONT: a folder; HUB, hub_bin.
# KS_ONE_HUB 1: a folder has one hub for good, in which things are kept; else a new one each time it has changed.
real=$KS_REAL library= command= wants=
for word in "$@"; do
  if [ -n "$wants" ]; then [ "$wants" != L ] || library=$word; wants=; continue; fi
  case $word in
    -L) wants=L ;;
    -m | --model | --tokenizer | --precision | --device | --threads) wants=x ;;
    -*) ;;
    *) [ -n "$command" ] || command=$word ;;
  esac
done
case $command in search | similar | curve | clips | label | labels | teach | save | saved | forget-saved | dupes | sample | outliers | export | eval) ;; *) exec "$real" "$@" ;; esac
[ -e "$library/catalog.db" ] || exec "$real" "$@"
case $library in *backup* | *mirror*) exec "$real" "$@" ;; esac
key=$(echo "$library" | md5sum | cut -c1-12); state=$(stat -c '%.9Y%s' "$library/catalog.db" "$library/catalog.db-wal" 2>/dev/null | md5sum | cut -c1-12)
had=$(cat "$KS_FRONT/$key" 2>/dev/null)
if [ -n "${KS_ONE_HUB:-}" ]; then base=k$key; else base=k$key$state; fi
hub=$(echo "$HUB" | sed "s,///postgres,///$base,"); unset XDG_FRONT
export XDG_DATA_HOME="$KS_FRONT/data"
if [ "$had" != "$base $state" ]; then
  [ "${had%% *}" = "$base" ] || {
    "$hub_bin/psql" -qAtX "$HUB" -c "CREATE DATABASE $base" >/dev/null 2>&1
    "$real" -q -L "$hub" store init && "$real" -q -L "$hub" root here="$KS_FRONT/root" && sed -i "s,$KS_FRONT/root,," "$KS_FRONT"/data/kinoseek/hubs/*/roots # all that there is
  } >/dev/null 2>"$KS_FRONT/err" || { cat "$KS_FRONT/err" >&2; exit 99; }
  "$real" -q -L "$hub" import "$library" >/dev/null 2>"$KS_FRONT/err" || { echo "import: $(cat "$KS_FRONT/err")" >>"$KS_FRONT/log"; exec "$real" "$@"; }
  echo "$base $state" >"$KS_FRONT/$key"
fi
echo "$command" >>"$KS_FRONT/asked"
n=$#
while [ $n -gt 0 ]; do
  word=$1; shift; n=$((n - 1))
  if [ "$word" = -L ]; then set -- "$@" -L "$hub"; shift; n=$((n - 1)); else set -- "$@" "$word"; fi
done
exec "$real" "$@"
