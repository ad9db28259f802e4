#!/bin/sh
# Deletions and moves on a hub, as its mirrors see them: renames, other folders, other roots, copies, forget, relocate, films
# that are still queued; and mounts that are empty, another root's or were never seen: nothing is deleted by those.
. tests/hub_test.sh
seen() { as "$1" -q sync; sqlite3 "$T/$1"/kinoseek/hubs/*/mirror/catalog.db "SELECT CAST(path AS TEXT) FROM path ORDER BY 1" | sed "s,$T/,," | paste -sd' '; }
clips() { as "$1" clips --json | wc -l; }

bash tests/clock_films.sh "$T/made" || echo "not ok - films"
mkdir -p "$T/films/sub" "$T/more" "$T/elsewhere"
cp "$T/made/clock_13.mp4" "$T/films/a.mp4"; cp "$T/made/clock_6.mp4" "$T/films/b.mp4"; cp "$T/made/clock_20.mp4" "$T/films/sub/c.mp4"
k -q store init; k -q root films="$T/films"; k -q root more="$T/more"
cp "$T/films/.kinoseek-root" "$T/elsewhere"; as b -q root films="$T/elsewhere" # machine b: the same root, and it has none of the files
k -q ingest --encoder clock "$T/films"; ok $? "three films"
is "$(seen a)" "films/a.mp4 films/b.mp4 films/sub/c.mp4" "machine a has them where they are"
is "$(seen b)" "elsewhere/a.mp4 elsewhere/b.mp4 elsewhere/sub/c.mp4" "so has b, where its root lies"
is "$(seen c)" "/films:/a.mp4 /films:/b.mp4 /films:/sub/c.mp4" "c has no root, and their names"
all=$(clips c)

# --- what no walk may delete
as b -q ingest --encoder clock "$T/elsewhere"; is "$? $(seen a)" "0 films/a.mp4 films/b.mp4 films/sub/c.mp4" "a machine that never saw the films says nothing of them"
mv "$T/films" "$T/away"; mkdir "$T/films"
k -q ingest --encoder clock "$T/films"; is "$? $(grep -c 'nothing of it is touched' "$T/err") $(seen b)" "2 1 elsewhere/a.mp4 elsewhere/b.mp4 elsewhere/sub/c.mp4" "an empty mount deletes nothing"
cp "$T/more/.kinoseek-root" "$T/films"
k -q ingest --encoder clock "$T/films"; is "$? $(grep -c 'nothing of it is touched' "$T/err") $(seen b)" "2 1 elsewhere/a.mp4 elsewhere/b.mp4 elsewhere/sub/c.mp4" "another root's mount deletes nothing"
k -q ingest --encoder clock; is "$? $(seen b)" "0 elsewhere/a.mp4 elsewhere/b.mp4 elsewhere/sub/c.mp4" "nor where all roots are walked"
k relocate "$T/more" "$T/films"; is "$? $(grep -c 'nothing of it is touched' "$T/err")" "2 1" "and nothing is said to be there"
rm -r "$T/films"; mv "$T/away" "$T/films"

# --- renames, folders, roots, copies
mv "$T/films/a.mp4" "$T/films/new name.mp4"; mv "$T/films/sub/c.mp4" "$T/more/c.mp4"; cp "$T/films/b.mp4" "$T/more/copy.mp4"
k ingest --encoder clock --json "$T/films" "$T/more" >"$T/out"; is "$(jq -r 'select(.event == "done") | .clips' "$T/out" | tail -n 1)" 0 "moves and copies make no clip"
is "$(seen b)" "/more:/c.mp4 /more:/copy.mp4 elsewhere/b.mp4 elsewhere/new name.mp4" "and reach every mirror"
is "$(clips c)" "$all" "with all the clips"
rm "$T/films/b.mp4"; k -q ingest --encoder clock "$T/films"; is "$(seen c) $(clips c)" "/films:/new name.mp4 /more:/c.mp4 /more:/copy.mp4 $all" "one of two paths goes, the film stays"
rm "$T/more/copy.mp4"; k -q ingest --encoder clock "$T/more"; is "$(seen c) $(($(clips c) < all))" "/films:/new name.mp4 /more:/c.mp4 1" "the other one goes, and the film"
is "$(hub_sql "SELECT count(*) FROM kinoseek.gone") $(hub_sql "SELECT count(*) FROM kinoseek.video")" "1 2" "it leaves a tombstone"

# --- forget
k forget "$T/films/none.mp4"; is "$? $(grep -c 'not in the library' "$T/err")" "1 1" "what is not there is not forgotten"
k forget /tmp/x.mp4; is "$? $(grep -c 'lies in no root' "$T/err")" "2 1" "nor what lies in no root"
k forget "$T/films/new"; is "$?" 1 "a part of a name is no folder"
is "$(k forget "$T/films/new name.mp4")" "Forgot 1 file; the file itself is untouched." "forget"
is "$(seen b)" "/more:/c.mp4" "the mirrors forget it"
is "$(as c forget --json /more:/ | jq .forgot)" 1 "a root that is not mounted here goes by its name"
is "$(seen a)$(clips a)" "0" "and is empty"
k -q ingest --encoder clock "$T/films" "$T/more"; is "$(seen a)" "films/new name.mp4 more/c.mp4" "ingest brings them back"
is "$(as a check --json | jq -r 'select(.invariant)')" "" "check finds nothing"

# --- relocate
mkdir "$T/more/deep"; mv "$T/more/c.mp4" "$T/more/deep/c.mp4"
k relocate "$T/more/c.mp4" "$T/nowhere"; is "$?" 4 "a place that is not there"
is "$(k relocate "$T/more/c.mp4" "$T/more/deep/c.mp4")" "Relocated 1 file." "a file"
mkdir "$T/films/from"; mv "$T/more/deep" "$T/films/from/"
is "$(k relocate --json "$T/more/deep" "$T/films/from/deep" | jq .relocated)" 1 "a folder, into another root"
is "$(seen b)" "elsewhere/from/deep/c.mp4 elsewhere/new name.mp4" "the mirrors follow"
k ingest --encoder clock --json "$T/films" "$T/more" >"$T/out"; is "$(jq -r 'select(.event == "file") | .verdict' "$T/out" | sort -u)" unchanged "and ingest finds all as it was said"
k relocate "$T/films/from/deep" "$T/films/from/deep"; is "$? $(seen b)" "0 elsewhere/from/deep/c.mp4 elsewhere/new name.mp4" "to where it is changes nothing"

# --- films that are still queued
cp "$T/made/clock_1.mp4" "$T/films/q.mp4"; cp "$T/made/clock_1.mp4" "$T/films/from/q2.mp4"
k -q ingest --queue "$T/films"; is "$(k queue --json | wc -l)" 1 "two paths of one content are one job"
k -q ingest --queue "$T/films"; k -q ingest --queue "$T/films"; is "$(sqlite3 "$T"/a/kinoseek/hubs/*/mirror/catalog.db "SELECT length(value) FROM setting WHERE key = 'hub.seen'")" $((2 * 33 + $(printf %s "$T/films/q.mp4$T/films/from/q2.mp4" | wc -c))) "where they were met waits for their rows, once"
k -q forget "$T/films/q.mp4"; is "$(k queue --json | jq -r .path)" "from/q2.mp4" "one of them is forgotten: it is made at the other"
mv "$T/films/from/q2.mp4" "$T/films/q3.mp4"; k -q relocate "$T/films/from/q2.mp4" "$T/films/q3.mp4"; is "$(k queue --json | jq -r .path)" "q3.mp4" "or where that lies now"
k -q forget "$T/films/q3.mp4"; is "$(k queue --json | wc -l)" 0 "both: it is not made"
k -q ingest --queue "$T/films"; k worker --idle-exit --encoder clock >"$T/out"; is "$? $(seen c)" "0 /films:/from/deep/c.mp4 /films:/new name.mp4 /films:/q.mp4 /films:/q3.mp4" "until somebody asks for it again"

# --- no film without its owner's word
hub_sql "CREATE ROLE r LOGIN IN ROLE kinoseek_reader"; HUB=${HUB%postgres}r; as r -q root films="$T/films"
as r forget "$T/films"; is "$? $(grep -c 'permission denied' "$T/err")" "5 1" "a reader forgets nothing"
as r relocate "$T/films/q3.mp4" "$T/films/from"; is "$? $(grep -c 'permission denied' "$T/err")" "5 1" "and moves nothing"
