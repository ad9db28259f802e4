#!/bin/bash
# label_kills.sh - every write, fsync, open, unlink and truncate of what keeps labels (label --store, labels --say, teach,
# label --learnt --store): killed there; and failing there, once and from then on. After each: check finds nothing, what was
# said and taught before is there, no film is labelled in part, backup, compact and repair carry it all, and the same command
# again ends as an undisturbed one. A failure is exit 5 or, where it was no harm, 0. SLICE=1: every 29th place, from one that
# SEED names.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -u
K=$BUILD/kinoseek P=$BUILD/tests/prog_sentences
[ -x "$P" ] || { echo "not ok - no prog_sentences: make tests"; exit 1; }
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
step=${STEP:-1}; [ -n "${SLICE:-}" ] && step=29
seed=${SEED:-20}
cc -O2 -fPIC -shared -o "$T/faultlib.so" tests/torture/faultlib.c -ldl || { echo "not ok - faultlib does not build"; exit 1; }
k() { "$K" -q --precision fp32 -L "$@"; }

# A library in which something is said and taught already, and films that came since.
films() { for ((i = $1; i < $2; i++)); do printf '/films/%d.mp4\t0\t8\ta dog jumping into water\n/films/%d.mp4\t8\t16\ta boat on the water\n/films/%d.mp4\t16\t24\ta traffic jam\n' $i $i $i; done | "$P" "$T/base" tests/fixtures/lvt.npz tests/fixtures/lvt.spm; }
printf 'name,parent\na dog jumping into water,animal\na boat on the water,thing\na traffic jam,thing\n' >"$T/l.csv"
films 0 8
{ k "$T/base" label -l "$T/l.csv" --template '{}' --store things
  k "$T/base" labels things --say 0.mp4@0-8 no a dog jumping into water
  k "$T/base" labels things --say 1.mp4@9-14 yes a swan
  k "$T/base" teach swan --yes 1.mp4@8-16 2.mp4@8-16 --no 1.mp4@0-8 3.mp4@16-24; } >/dev/null || { echo "not ok - a library with labels"; exit 1; }
films 8 40
things="label -l $T/l.csv --template {} --store things"
say="labels things --say 2.mp4@16-24 yes a tram"
teach="teach dog --yes 1.mp4@0-8 2.mp4@0-8 3.mp4@0-8 4.mp4@0-8 5.mp4@0-8 --no 1.mp4@8-16 2.mp4@16-24 3.mp4@8-16 4.mp4@8-16 5.mp4@16-24"
learnt="label --learnt swan --store taught"
forget="labels things --forget"

dump() { # LIBRARY: all that is kept of labels, less dates and the numbers of rows
  sqlite3 -readonly "$1/catalog.db" "SELECT 'set', name, hash, how FROM label_set ORDER BY 2; SELECT 'label', s.name, l.name, l.parent FROM label l JOIN label_set s ON s.id = l.label_set ORDER BY 2, 3;
SELECT 'film', s.name, f.video, f.hash FROM label_film f JOIN label_set s ON s.id = f.label_set ORDER BY 2, 3; SELECT 'span', s.name, l.name, n.video, n.start, n.stop, n.rank, n.score, n.said FROM label_span n JOIN label l ON l.id = n.label JOIN label_set s ON s.id = l.label_set ORDER BY 2, 3, 4, 5;
SELECT 'said', label_set, label, hex(content), start_us, stop_us, yes FROM label_said ORDER BY 2, 3, 4, 5; SELECT 'learnt', name, hex(w), bias, yeses, noes, films FROM learnt ORDER BY 2; SELECT 'example', learnt, hex(content), start_us, stop_us, yes FROM example ORDER BY 2, 3, 4"
}
part() { # films of which the set has another number of spans than its whole labelling gives, and that nobody spoke of
  sqlite3 -readonly "$1/catalog.db" "SELECT count(*) FROM (SELECT f.video AS v, (SELECT count(*) FROM label_span n JOIN label l ON l.id = n.label WHERE l.label_set = f.label_set AND n.video = f.video AND NOT n.said) AS n FROM label_film f JOIN label_set s ON s.id = f.label_set AND s.name = 'things'
WHERE f.video > 3) WHERE n <> 3"
}
before() { # what was said and taught before is there still
  [ "$(sqlite3 -readonly "$1/catalog.db" "SELECT count(*) FROM label_said WHERE label_set = 'things' AND label IN ('a swan', 'a dog jumping into water') AND start_us <> 16000000")" = 2 ] &&
  [ "$(sqlite3 -readonly "$1/catalog.db" "SELECT (SELECT count(*) FROM learnt WHERE name = 'swan'), (SELECT count(*) FROM example)  >= 4")" = "1|1" ]
}
places() { rm -rf "$T/lib" "$T/n"; cp -r "$T/base" "$T/lib"; FI_PROG=kinoseek FI_FN=$1 FI_PATH=$T/lib FI_COUNT=$T/n LD_PRELOAD=$T/faultlib.so k "$T/lib" $2 >/dev/null 2>&1; awk '{ print $2 }' "$T/n"; }
sweep() { # NAME WORDS FN, settings of faultlib
  local name=$1 words=$2 fn=$3 n bad=0 codes=0 tried=0 at code; shift 3
  rm -rf "$T/whole"; cp -r "$T/base" "$T/whole"; k "$T/whole" $words >/dev/null 2>&1; dump "$T/whole" >"$T/whole.dump"
  n=$(places "$fn" "$words")
  [ "${n:-0}" -gt 0 ] || return
  for ((at = 1 + seed % (step < n ? step : n); at <= n; at += step)); do
    rm -rf "$T/lib"; cp -r "$T/base" "$T/lib"; tried=$((tried + 1))
    bash -c 'env "$@"; exit $?' - "$@" FI_PROG=kinoseek FI_FN=$fn FI_AT=$at FI_PATH="$T/lib" LD_PRELOAD="$T/faultlib.so" "$K" -q --precision fp32 -L "$T/lib" $words >"$T/out" 2>"$T/err"; code=$?
    case " $* " in *FI_KILL*) [ $code -eq 137 ] || [ $code -eq 0 ] ;; *) [ $code -eq 5 ] || [ $code -eq 0 ] ;; esac || { codes=$((codes + 1)); echo "# $fn $at ($*): exit $code: $(tail -1 "$T/err")"; }
    [ "$words" = "$forget" ] || before "$T/lib" || { bad=$((bad + 1)); echo "# $fn $at ($*): what was said before is lost"; }
    k "$T/lib" check >"$T/out" 2>&1 || { bad=$((bad + 1)); echo "# $fn $at ($*): check: $(head -1 "$T/out")"; continue; }
    [ "$(part "$T/lib")" = 0 ] || { bad=$((bad + 1)); echo "# $fn $at ($*): a film is labelled in part"; }
    dump "$T/lib" >"$T/now"; rm -rf "$T/copy"
    k "$T/lib" backup "$T/copy" >"$T/out" 2>&1 && dump "$T/copy" | cmp -s - "$T/now" || { bad=$((bad + 1)); echo "# $fn $at ($*): the backup is another"; }
    { k "$T/copy" compact && k "$T/copy" repair; } >"$T/out" 2>&1 && dump "$T/copy" | cmp -s - "$T/now" || { bad=$((bad + 1)); echo "# $fn $at ($*): compact and repair lost something"; }
    k "$T/lib" $words >"$T/out" 2>"$T/err" || [ "$words" = "$forget" ] || { bad=$((bad + 1)); echo "# $fn $at ($*): the next run: exit $?: $(tail -1 "$T/err")"; continue; }
    dump "$T/lib" | cmp -s - "$T/whole.dump" || { bad=$((bad + 1)); echo "# $fn $at ($*): the next run ends otherwise"; dump "$T/lib" | diff - "$T/whole.dump" | head -3; }
  done
  [ $bad -eq 0 ] && [ $codes -eq 0 ] && [ $tried -gt 0 ] && echo "ok - $name: $tried of $n places" || echo "not ok - $name: $bad bad, $codes wrong exits, $tried of $n places"
}
all() { # NAME WORDS
  sweep "$1: killed at a write" "$2" write FI_KILL=1
  sweep "$1: killed at an fsync" "$2" fsync FI_KILL=1
  sweep "$1: killed at an open" "$2" open FI_KILL=1
  sweep "$1: killed at an unlink" "$2" unlink FI_KILL=1
  sweep "$1: killed at a truncate" "$2" ftruncate FI_KILL=1
  sweep "$1: disk full once" "$2" write FI_ERRNO=28
  sweep "$1: disk full from then on" "$2" write FI_ERRNO=28 FI_STICKY=1
  sweep "$1: fsyncs that fail from then on" "$2" fsync FI_ERRNO=5 FI_STICKY=1
}
all "label --store" "$things"
all "labels --say" "$say"
all "teach" "$teach"
all "label --learnt --store" "$learnt"
all "labels --forget" "$forget"
