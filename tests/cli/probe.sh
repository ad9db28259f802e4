#!/bin/sh
# eval probe: a head learnt on a frozen model, its official checkpoint, the same bits however it came, refusals by name.
set -u
K=$PWD/$BUILD/kinoseek
F=$PWD/tests/fixtures
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export XDG_CACHE_HOME="$T/cache" XDG_DATA_HOME="$T/data" LC_ALL=C.UTF-8
ok() { if [ "$1" -eq 0 ]; then echo "ok - $2"; else echo "not ok - $2"; [ -e "$T/err" ] && sed 's/^/# /' "$T/err"; fi; }
is() { if [ "$1" = "$2" ]; then ok 0 "$3"; else echo "# got: $1"; echo "# want: $2"; ok 1 "$3"; fi; }
tab=$(printf '\t')

# A film whose seconds are red, green, blue in turn, each a little different.
ffmpeg -nostdin -v error -f lavfi -i "color=s=54x54:r=8:d=36,format=gbrp,geq=r='if(eq(mod(floor(T)\,3)\,0)\,200\,60)+40*sin(9*T+X/20)':g='if(eq(mod(floor(T)\,3)\,1)\,200\,60)+40*cos(5*T)':b='if(eq(mod(floor(T)\,3)\,2)\,200\,60)+40*sin(3*T+Y/30)'" \
  -c:v ffv1 -pix_fmt gbrp "$T/colours.mkv" 2>"$T/err"
ok $? "a film is made"
second=0
while [ $second -lt 36 ]; do
  for name in red green blue; do
    [ $second -lt 18 ] && list=train || list=test
    echo "colours.mkv@$second-$((second + 1))$tab$name" >>"$T/$list"
    second=$((second + 1))
  done
done
probe() { "$K" -q -m "$F/lvt.npz" eval probe --media "$T" --train "$T/train" --test "$T/test" --frames 4 --rate 0.01 --json "$@" 2>"$T/err"; }

for head in linear attentive; do
  probe --head $head --epochs 60 -o "$T/$head.npz" >"$T/$head.json"
  is "$?" 0 "the $head head is learnt"
  is "$(jq -c '[.task,.head,.classes,.train,.train_missing,.of_one,.n,.missing,.shared,.top1,.mean_class_top1,.top5]' "$T/$head.json")" \
    "[\"probe\",\"$head\",3,18,0,0,18,0,0,1,1,1]" "$head: what it is worth"
  is "$(paste -sd' ' "$T/$head.classes.txt")" "blue green red" "$head: its classes, in the order of the logits"
  is "$("$K" model info "$T/$head.npz" --json | jq -c '[.kind,.dim,.heads,.classes]')" '["classifier",16,2,3]' "$head: is a classifier"
  wrong=0
  for n in 18 19 35; do
    "$K" -q -m "$T/$head.npz" features --stage logits --video "$T/colours.mkv@$n-$((n + 1))" -o "$T/logits.npy" --force 2>"$T/err"
    said=$(python3 -c "
import struct, sys
x = struct.unpack('<3f', open(sys.argv[1], 'rb').read()[-12:])
print(['blue', 'green', 'red'][x.index(max(x))])" "$T/logits.npy")
    [ "$said" = "$(sed -n "$((n - 17))p" "$T/test" | cut -f2)" ] || wrong=$((wrong + 1))
  done
  is "$wrong" 0 "$head: features --stage logits says the same of three films"
  probe --head $head --epochs 60 -o "$T/$head.npz" >/dev/null
  is "$?" 2 "$head: a classifier that is there is not replaced"
done
cp "$T/attentive.npz" "$T/first.npz"

# The same bits: any number of threads, from tokens that are kept and from new ones, another seed others.
for threads in 1 2 5; do
  probe --head attentive --epochs 60 --threads $threads -o "$T/again.npz" --force >"$T/again.json"
  cmp -s "$T/again.npz" "$T/first.npz" && cmp -s "$T/again.json" "$T/attentive.json"
  ok $? "the same bits with $threads threads"
done
is "$(find "$T/cache/kinoseek/tokens" -type f | wc -l | tr -d ' ')" 36 "tokens of 36 films are kept"
for file in $(find "$T/cache/kinoseek/tokens" -type f | head -n 5); do printf 'X' | dd of="$file" bs=1 seek=700 conv=notrunc 2>/dev/null; done
for file in $(find "$T/cache/kinoseek/tokens" -type f | tail -n 5); do : >"$file"; done
probe --head attentive --epochs 60 -o "$T/again.npz" --force >/dev/null
cmp -s "$T/again.npz" "$T/first.npz"
ok $? "the same bits from tokens that were damaged"
probe --head attentive --epochs 60 --seed 1 -o "$T/other.npz" >/dev/null
cmp -s "$T/other.npz" "$T/first.npz"
is "$?" 1 "another seed gives others"

# Killed while tokens are made, and in the middle of the training: nothing is left but tokens, and the bits are the same.
rm -rf "$T/cache/kinoseek/tokens"
"$K" -m "$F/lvt.npz" eval probe --media "$T" --train "$T/train" --test "$T/test" --frames 4 --head attentive --epochs 1000000 -o "$T/killed.npz" 2>"$T/log" &
pid=$!
until [ "$(find "$T/cache/kinoseek/tokens" -type f 2>/dev/null | wc -l)" -ge 3 ] || ! kill -0 $pid 2>/dev/null; do sleep 0.02; done
kill -9 $pid; wait $pid 2>/dev/null
"$K" -m "$F/lvt.npz" eval probe --media "$T" --train "$T/train" --test "$T/test" --frames 4 --head attentive --epochs 1000000 -o "$T/killed.npz" 2>"$T/log" &
pid=$!
until [ "$(find "$T/cache/kinoseek/tokens" -type f 2>/dev/null | wc -l)" -ge 36 ] || ! kill -0 $pid 2>/dev/null; do sleep 0.02; done
sleep 0.2
kill -9 $pid 2>/dev/null
is "$?" 0 "it learns for long"
wait $pid 2>/dev/null
is "$(ls "$T" | grep -c killed)" 0 "a run that was killed leaves no classifier"
probe --head attentive --epochs 60 -o "$T/again.npz" --force >/dev/null
cmp -s "$T/again.npz" "$T/first.npz"
ok $? "the same bits after kills"

# Films that are missing are counted and named; of the test they count as wrong.
{ cat "$T/train"; echo "gone.mkv${tab}red"; echo "colours.mkv@90-91${tab}red"; } >"$T/train.gone"
{ cat "$T/test"; echo "train${tab}blue"; echo "also gone.mkv${tab}blue"; } >"$T/test.gone"
"$K" -m "$F/lvt.npz" eval probe --media "$T" --train "$T/train.gone" --test "$T/test.gone" --frames 4 --head linear --json -o "$T/gone.npz" >"$T/gone.json" 2>"$T/err"
is "$(jq -c '[.train,.train_missing,.n,.missing,.top1]' "$T/gone.json")" '[20,2,20,2,0.9]' "missing films are counted"
is "$(grep -c '^kinoseek: missing: .*\(gone.mkv\|colours.mkv\|train\)' "$T/err")" 4 "and named"
{ cat "$T/train.gone"; echo "lost.mkv${tab}red"; } >"$T/train.lost"; { cat "$T/test"; echo "lost.mkv${tab}blue"; echo "lost.mkv@2-3${tab}blue"; } >"$T/test.lost"
"$K" -m "$F/lvt.npz" eval probe --media "$T" --train "$T/train.lost" --test "$T/test.lost" --frames 4 --head linear --epochs 1 --json -o "$T/lost.npz" 2>"$T/err" >"$T/lost.json"
is "$(jq -c '[.missing,.shared]' "$T/lost.json") $(grep -c 'learnt from' "$T/err")" "[2,0] 0" "nothing is learnt from a film that is missing"
printf 'gone.mkv\tred\nalso gone.mkv\tblue\n' >"$T/test.none"
"$K" -q -m "$F/lvt.npz" eval probe --media "$T" --train "$T/train" --test "$T/test.none" --frames 4 --head linear --epochs 1 -o "$T/no.npz" >"$T/out" 2>"$T/err"
is "$? $(wc -c <"$T/out") $(cat "$T/err")" "4 0 kinoseek: $T/test.none: no film of the list is to be had in $T" "a test of missing films is no figure"
ln -s /dev/full "$T/no.npz"
"$K" -q -m "$F/lvt.npz" eval probe --media "$T" --train "$T/train" --test "$T/test" --frames 4 --head linear --epochs 1 -o "$T/no.npz" >"$T/out" 2>"$T/err"
is "$? $(ls "$T" | grep -c '^no\.classes')" "5 0" "no classes are left of a classifier that could not be written"
rm "$T/no.npz"
{ cat "$T/train"; echo "colours.mkv@20-21${tab}teal"; } >"$T/train.one"
"$K" -m "$F/lvt.npz" eval probe --media "$T" --train "$T/train.one" --test "$T/test" --frames 4 --head linear --json -o "$T/one.npz" >"$T/one.json" 2>"$T/err"
is "$(jq -c '[.classes,.of_one,.shared]' "$T/one.json")" '[4,1,1]' "a class of one film, a film of both lists are counted"
grep -q "^kinoseek: class 'teal' learns from one film" "$T/err"
ok $? "the class is named"

is "$(tail -n 1 "$T/err")" "kinoseek: 1 film of --test was learnt from, as colours.mkv@20-21, line 3 of $T/test and line 19 of $T/train.one" "and so is the film of both"
is "$(grep -cE '^(films|epoch)' "$T/err")" 0 "a pipe gets no line a film or epoch"
# The same film by other paths: a link, a hard link, a copy, ./, and a part of it.
ln -s colours.mkv "$T/soft.mkv"; ln "$T/colours.mkv" "$T/hard.mkv"; cp "$T/colours.mkv" "$T/copy.mkv"
for other in soft.mkv hard.mkv copy.mkv ./colours.mkv; do
  { cat "$T/train"; echo "$other@20.5-22${tab}red"; } >"$T/train.leak"
  "$K" -m "$F/lvt.npz" eval probe --media "$T" --train "$T/train.leak" --test "$T/test" --frames 4 --head linear --json -o "$T/leak.npz" --force >"$T/leak.json" 2>"$T/err"
  is "$(jq -c .shared "$T/leak.json")" 2 "two seconds of --test are learnt from by way of $other"
done
"$K" -q -m "$F/lvt.npz" eval probe --media "$T" --train "$T/train" --test "$T/test" --head linear --epochs 0 -o "$T/no.npz" >/dev/null 2>"$T/err"
is "$? $(cat "$T/err")" "2 kinoseek eval probe: --epochs is 1 at least" "no epochs are refused"

no() { # LIST TEXT WHAT
  "$K" -q -m "$F/lvt.npz" eval probe --media "$T" --train "$T/$1" --test "$T/test" --frames 4 --head linear -o "$T/no.npz" >/dev/null 2>"$T/err"
  is "$? $(cat "$T/err")" "4 kinoseek: $T/$1$2" "$3"
}
{ cat "$T/train"; echo "no tab"; } >"$T/bad"; no bad ":19: a line is: film, a tab, its class" "a line without a tab is refused"
{ cat "$T/train"; echo "a${tab}b${tab}c"; } >"$T/bad"; no bad ":19: a line is: film, a tab, its class" "a line of three fields is refused"
{ cat "$T/train"; echo "colours.mkv${tab}"; } >"$T/bad"; no bad ":19: a line is: film, a tab, its class" "an empty class is refused"
{ cat "$T/train"; head -n 2 "$T/train" | tail -n 1; } >"$T/bad"
no bad ":19: film 'colours.mkv@1-2' stands in line 2 already" "a film that stands twice is refused"
{ cat "$T/train"; echo "./soft.mkv@1-2${tab}blue"; } >"$T/bad"
no bad ":19: film './soft.mkv@1-2' stands in line 2 already, as colours.mkv@1-2" "also by another path"
{ cat "$T/train"; echo "colours.mkv@3-2${tab}red"; } >"$T/bad"
no bad ":19: $T/colours.mkv@3-2: the end is not after the start" "a segment that ends before it starts is refused"
grep red "$T/train" >"$T/bad"; no bad ": all films are of class 'red': two classes are needed" "one class alone is refused"
grep -v red "$T/train" >"$T/bad"
"$K" -q -m "$F/lvt.npz" eval probe --media "$T" --train "$T/bad" --test "$T/test" --frames 4 --head linear -o "$T/no.npz" >/dev/null 2>"$T/err"
is "$? $(cat "$T/err")" "4 kinoseek: $T/test:1: class 'red' has no film in $T/bad" "a class without films to learn from is refused"
{ cat "$T/train"; echo "gone.mkv${tab}teal"; } >"$T/bad"; no bad ": no film of class 'teal' could be read" "a class whose films are all missing is refused"
printf '# nothing\n\n' >"$T/bad"; no bad ": it names no film" "an empty list is refused"
printf 'a\t\377\n' >"$T/bad"; no bad ":1: not UTF-8" "a list that is not UTF-8 is refused"
probe --head linear --rate 1e30 -o "$T/no.npz" >/dev/null
is "$?" 2 "a rate that diverges is said"
is "$(ls "$T" | grep -c '^no\.')" 0 "nothing is left of what was refused"
