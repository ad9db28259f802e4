#!/bin/sh
# What goes on beside a hub: serve and watch, with one notice when the server is gone, a label given in the page; a
# worker while its hub is migrated; clocks that are wrong.
. tests/hub_test.sh
until_true() { n=0; while [ $n -lt 300 ] && ! eval "$1"; do n=$((n + 1)); sleep 0.2; done; [ $n -lt 300 ]; }

bash tests/clock_films.sh "$T/made" || echo "not ok - films"
mkdir "$T/films"; cp "$T/made/clock_6.mp4" "$T/films"
k -q store init; k -q root films="$T/films"; k -q ingest --encoder clock "$T/films"; ok $? "a hub with a film"

# --- what there is none of
k search --label bird x; is "$? $(grep -c 'no stored label is called so' "$T/err")" "4 1" "search --label: there is none"
k label --learnt bird; is "$? $(grep -c 'no label was taught' "$T/err")" "4 1" "label --learnt: there is none"
k search --said words; is "$? $(grep -c 'no film here has subtitles' "$T/err")" "4 1" "search --said: nobody says anything"
k dupes >"$T/out"; is "$? $(wc -c <"$T/err")" "1 0" "dupes asks the mirror"

# --- serve
XDG_DATA_HOME="$T/s" "$K" -L "$HUB" serve --socket "$T/page" >"$T/serve" 2>"$T/serve.err" & serve=$!; pids=$serve
until_true '[ -s "$T/serve" ]'; ok $? "serve"
token=$(sed -n 's/.*token=//p' "$T/serve" | head -n 1)
page() { curl -s --unix-socket "$T/page" -H "Authorization: Bearer $token" "http://localhost/api/v1/$1"; }
films() { page status | jq .videos; }
is "$(films)" 1 "shows the mirror"
cp "$T/made/clock_13.mp4" "$T/films"; k -q ingest --encoder clock "$T/films"
until_true '[ "$(films)" = 2 ]'; ok $? "and what comes while it runs"
say() { curl -s --unix-socket "$T/page" -H "Authorization: Bearer $token" -H 'X-Kinoseek: 1' -d "{\"set\":\"birds\",\"label\":\"$1\",\"video\":$(page videos | jq '.videos[0].video'),\"start\":0.5,\"end\":1.5,\"yes\":true}" http://localhost/api/v1/labels/say; }
is "$(say heron | jq -c .label)" '"heron"' "a label is given in the page"
until_true 'as f labels birds --json | grep -q heron'; ok $? "and every machine has it"
# its walls let it connect to nobody: a process beside it brings pictures, which stay for when the hub is away
thumb() { curl -s -o "$T/jpeg" -w '%{http_code}' --unix-socket "$T/page" -H "Authorization: Bearer $token" "http://localhost/thumb/$1.jpg"; }
is "$(thumb 1) $(head -c 3 "$T/jpeg" | od -An -tx1 | tr -d ' ')" "200 ffd8ff" "pictures come from the hub"
is "$(hub_sql "SELECT md5(jpeg) FROM kinoseek.thumbnail WHERE clip = 1")" "$(md5sum <"$T/jpeg" | cut -d' ' -f1)" "as they are there"
is "$(thumb 99999)" 404 "what there is none of is none"
sqlite3 "$(echo "$T"/s/kinoseek/hubs/*/mirror)/blobs.db" "UPDATE blob SET data = x'00112233' WHERE clip = 1"
is "$(thumb 1) $(hub_sql "SELECT md5(jpeg) FROM kinoseek.thumbnail WHERE clip = 1")" "200 $(md5sum <"$T/jpeg" | cut -d' ' -f1)" "one that is spoiled here is asked for again"
hub_sql "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'kinoseek'" >/dev/null; is "$(thumb 2)" 200 "through another connection, too"
XDG_DATA_HOME="$T/s" "$K" -L "$HUB" doctor --json >"$T/out" 2>"$T/err"; is "$(jq '.places.hub_cache | .bytes > 1000 and .most == 268435456' "$T/out")" true "doctor says what is kept"
is "$(XDG_DATA_HOME="$T/s" "$K" -L "$HUB" doctor 2>/dev/null | grep -c "frame vectors kept there, 256 MiB at most")" 1 "in words, too"
hub_down fast; until_true '[ -s "$T/serve.err" ]'; sleep 3
is "$(thumb 1) $(thumb 3)" "200 404" "while the hub is away there are those that are kept"
is "$(films) $(wc -l <"$T/serve.err") $(grep -c 'the mirror here answers' "$T/serve.err")" "2 1 1" "while the hub is away: one notice, and the mirror"
hub_up; cp "$T/made/clock_1.mp4" "$T/films"; k -q ingest --encoder clock "$T/films"
until_true '[ "$(films)" = 3 ]'; is "$? $(wc -l <"$T/serve.err")" "0 1" "when it is back it is asked again"
kids=$(pgrep -P $serve); kill $serve; wait $serve; is "$?" 0 "it ends"; pids=
is "$(for p in $kids; do kill -0 $p 2>/dev/null && echo $p; done)" "" "and nothing of it stays"

# --- watch
XDG_DATA_HOME="$T/a" "$K" -L "$HUB" watch --settle 0.2 --encoder clock --json >"$T/watch" 2>"$T/watch.err" & watch=$!; pids=$watch
until_true 'grep -q done "$T/watch"'; cp "$T/made/clock_20.mp4" "$T/films/w.mp4"
jobs() { hub_sql "SELECT count(*) FROM kinoseek.path WHERE rel = 'w.mp4'" 2>/dev/null; }
until_true '[ "$(jobs)" = 1 ] && grep -q w.mp4 "$T/watch"'; ok $? "watch hears of a film in a root, queues it and works"
until_true '! pgrep -P $watch >/dev/null'; hub_down fast; rm "$T/films/w.mp4"
until_true '[ -s "$T/watch.err" ]'; sleep 8; is "$(wc -l <"$T/watch.err")" 1 "while the hub is away: one notice"
hub_up; until_true '[ "$(jobs)" = 0 ]'; is "$? $(wc -l <"$T/watch.err")" "0 1" "and it goes on when it is back"
kill $watch; wait $watch; is "$?" 143 "it ends"; pids=

# --- an old worker beside a migration
mkdir "$T/films/long"; for i in 1 2 3 4 5 6; do cp "$T/made/clock_20.mp4" "$T/films/long/$i.mp4"; printf '\0\0\0\014free%04d' $i >>"$T/films/long/$i.mp4"; done
k -q ingest --queue "$T/films"
"$K" -L "$HUB" worker --lease 5 --encoder clock >"$T/out" 2>"$T/werr" & pids=$!; until_true '[ "$(hub_sql "SELECT count(*) FROM kinoseek.job WHERE state = 1")" = 1 ]'
hub_sql "UPDATE kinoseek.library SET schema = schema + 1"
all() { hub_sql "SELECT count(*) || ' ' || (SELECT count(*) FROM kinoseek.clip) || ' ' || (SELECT revision FROM kinoseek.library) FROM kinoseek.video WHERE made > 0"; }
before=$(all); wait $pids; is "$? $(wc -l <"$T/werr") $(grep -c 'update kinoseek' "$T/werr")" "2 1 1" "a worker whose hub is brought on in the middle ends with one sentence"
is "$(all)" "$before" "and has written nothing since"; pids=
k worker --idle-exit --encoder clock; is "$? $(grep -c 'update kinoseek' "$T/err") $(all)" "2 1 $before" "nor does another one begin"
hub_sql "UPDATE kinoseek.library SET schema = schema - 1; UPDATE kinoseek.job SET state = 0, token = NULL"
k worker --idle-exit --encoder clock >"$T/out"; ok $? "what it had in hand is made by one of the right version"

# --- clocks
cat >"$T/shift.c" <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static long shift; /* read at the start: the decoder's walls come later */
static int (*real)(clockid_t, struct timespec *);
static __attribute__((constructor)) void begin(void)
{
    const char *text = getenv("SHIFT");
    real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    shift = text ? atol(text) : 0;
}
int clock_gettime(clockid_t id, struct timespec *t)
{
    if (!real) begin();
    int bad = real(id, t);
    if (!bad && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) t->tv_sec += shift;
    return bad;
}
time_t time(time_t *to)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (to) *to = t.tv_sec;
    return t.tv_sec;
}
int gettimeofday(struct timeval *v, void *zone)
{
    struct timespec t;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &t);
    *v = (struct timeval){t.tv_sec, t.tv_nsec / 1000};
    return 0;
}
END
cc -O1 -fPIC -shared -o "$T/shift.so" "$T/shift.c" -ldl; ok $? "a clock that is wrong"
is "$(($(SHIFT=3600 LD_PRELOAD="$T/shift.so" date +%s) - $(date +%s) > 3500))" 1 "by an hour"
asan=$(ldd "$K" | awk '/libasan/ { print $3 }') # wants to be first
for shift in 3600 -3600; do
  cp "$T/made/clock_13.mp4" "$T/films/at$shift.mp4"; printf '\0\0\0\014free%4.4s' "$shift" >>"$T/films/at$shift.mp4"; k -q ingest --queue "$T/films"
  hub_sql "UPDATE kinoseek.job SET state = 1, token = gen_random_uuid(), who = 'other', lease = now() + interval '6 seconds'"
  SHIFT=$shift LD_PRELOAD="$asan $T/shift.so" "$K" -L "$HUB" worker --lease 5 --encoder clock >"$T/out" 2>"$T/err" & pids=$!
  sleep 3; is "$(hub_sql "SELECT DISTINCT who FROM kinoseek.job")" other "a machine $shift s off takes nothing before the server's clock says so"
  until_true '[ "$(hub_sql "SELECT count(*) FROM kinoseek.job")" = 0 ]'; ok $? "and takes it then"
  kill $pids; wait $pids 2>/dev/null; pids=
done
spans() { as f clips --json --path "*at$1.mp4" | jq -c '[.start, .end]'; }
is "$(spans 3600 | wc -l) $(spans 3600)" "$(spans -3600 | wc -l) $(spans -3600)" "they make the same clips"
