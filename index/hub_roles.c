/* hub_roles.c - who may do what in a hub.
 *
 * The owner of the schema may do everything. kinoseek_reader reads the rows and cannot see a token.
 * kinoseek_worker may call the functions below and read what a hub says of itself, and nothing
 * else: each asks first whether the film is this login's now, by a token that only the one who
 * claimed it was told, and writes that film alone. They run with the owner's rights, so nothing in
 * them is looked up by a path that the caller could have set. A NULL token is the owner's. */
#include "index/hub_rows.h"

#include <string.h>

static const char *const roles[KS_HUB_ROLES] = {"kinoseek_reader", "kinoseek_worker"};

/* $1 content, $2 token, $3 version, where nothing else is said. Parameters have no names: those
 * could be columns. KS001: the fence; KS002: another version (pq.c) */
#define INSIDE  " LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $f$ "
#define DEFINER " LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$ "
#define END     " END $f$;"

static const char inside[] =
    "CREATE FUNCTION kinoseek.same_version(bigint) RETURNS void" INSIDE
    "DECLARE have bigint; BEGIN SELECT l.schema INTO have FROM kinoseek.library l;"
    " IF have IS DISTINCT FROM $1 THEN RAISE EXCEPTION 'the hub is of version %, this kinoseek"
    " knows %: update kinoseek', have, $1 USING ERRCODE = 'KS002'; END IF;" END

    "CREATE FUNCTION kinoseek.fence(bytea, text, bigint) RETURNS kinoseek.job" INSIDE
    "DECLARE j kinoseek.job; BEGIN PERFORM kinoseek.same_version($3);"
    " IF $2 IS NULL THEN IF NOT pg_has_role(session_user, current_user, 'MEMBER') THEN"
    " RAISE EXCEPTION 'only the owner writes without a lease' USING ERRCODE = '42501'; END IF;"
    " RETURN NULL; END IF;"
    " SELECT * INTO j FROM kinoseek.job q WHERE q.content = $1 AND q.token::text = $2 AND q.who ="
    " session_user AND q.state = 1 FOR UPDATE;"
    " IF NOT FOUND THEN RAISE EXCEPTION 'another worker has this film now' USING ERRCODE ="
    " 'KS001'; END IF; RETURN j;" END

    /* whoever changes what a mirror sees holds the library row until the commit */
    "CREATE FUNCTION kinoseek.next_revision(bigint) RETURNS bigint" INSIDE
    "DECLARE r bigint; BEGIN UPDATE kinoseek.library SET revision = revision + 1 WHERE schema = $1"
    " RETURNING revision INTO r; IF r IS NULL THEN PERFORM kinoseek.same_version($1); END IF;"
    " RETURN r;" END

    /* video, revision, root, rel, size, mtime_ns */
    "CREATE FUNCTION kinoseek.put_path(bigint, bigint, text, bytea, bigint, bigint) RETURNS "
    "void" INSIDE
    "DECLARE had bigint; BEGIN SELECT p.video INTO had FROM kinoseek.path p WHERE p.root ="
    " $3 AND p.rel = $4 AND p.video <> $1;"
    " INSERT INTO kinoseek.path VALUES($3, $4, $1, $5, $6) ON CONFLICT (root, rel) DO UPDATE SET"
    " video = $1, size = $5, mtime_ns = $6;"
    " IF had IS NOT NULL THEN UPDATE kinoseek.video SET revision = $2 WHERE id = had;"
    " WITH d AS (DELETE FROM kinoseek.video v WHERE v.id = had AND NOT EXISTS (SELECT 1 FROM"
    " kinoseek.path p WHERE p.video = v.id) RETURNING v.id) INSERT INTO kinoseek.gone SELECT d.id,"
    " $2 FROM d; END IF;" END;

/* All of a film's row but who it is. */
#define FILM_OF(r)                                                                                 \
    "space = " r ".space, finished = " r ".finished, verdict = " r ".verdict, "                    \
    "attempts = " r ".attempts, tb_num = " r ".tb_num, tb_den = " r ".tb_den, "                    \
    "duration = " r ".duration, film_date = " r ".film_date, "                                     \
    "date_source = " r ".date_source, width = " r ".width, height = " r ".height, "                \
    "flags = " r ".flags, clips = " r ".clips, sum = " r ".sum, hash = " r ".hash, "               \
    "rate_num = " r ".rate_num, rate_den = " r ".rate_den, "                                       \
    "seconds_missing = " r ".seconds_missing, fps = " r ".fps, reason = " r ".reason, "            \
    "timecode = " r ".timecode, reel = " r ".reel, keys = " r ".keys, "                            \
    "maker = " r ".maker, who = " r ".who, made = " r ".made, revision = " r ".revision, "         \
    "top = " r ".top"
#define FILM_N FILM_OF("n")
#define FILM_V FILM_OF("v")

static const char switching[] =
    "CREATE FUNCTION kinoseek.filling(bigint) RETURNS void" INSIDE
    "BEGIN IF NOT EXISTS (SELECT 1 FROM kinoseek.library l WHERE l.writing = $1) THEN RAISE"
    " EXCEPTION 'the hub has another model now' USING ERRCODE = 'KS001'; END IF;" END

    /* revision; true: every film that mirrors have is through in the new space, and takes its
     * place */
    "CREATE FUNCTION kinoseek.finish_switch(bigint) RETURNS boolean" INSIDE
    "BEGIN IF EXISTS (SELECT 1 FROM kinoseek.library l WHERE l.space = l.writing) OR EXISTS (SELECT"
    " 1 FROM kinoseek.video v WHERE v.finished = 1 AND NOT EXISTS (SELECT 1 FROM"
    " kinoseek.next_video n WHERE n.id = v.id)) THEN RETURN false; END IF;"
    " DELETE FROM kinoseek.kept k USING kinoseek.next_video n WHERE k.kind = 4 AND k.content ="
    " n.content; UPDATE kinoseek.next_video SET made = $1, revision = $1;"
    " UPDATE kinoseek.video v SET " FILM_N " FROM kinoseek.next_video n WHERE n.id = v.id;"
    " DELETE FROM kinoseek.next_video; UPDATE kinoseek.library SET space = writing;"
    " RETURN true;" END;

static const char queue[] =
    /* name, seconds, roots, version */
    "CREATE FUNCTION kinoseek.claim(text, float8, bytea[], bigint) RETURNS SETOF "
    "kinoseek.job" DEFINER "BEGIN PERFORM kinoseek.same_version($4);"
    " UPDATE kinoseek.job SET state = 2, token = NULL, reason = 'its workers ended without a word, "
    "'"
    " || (lost + 1) || ' of them' WHERE state = 1 AND lease < now() AND lost + 1 >= 5;"
    " RETURN QUERY UPDATE kinoseek.job j SET state = 1, token = gen_random_uuid(), worker = "
    "left($1,"
    " 80), who = session_user, tries = j.tries + 1, lost = j.lost + j.state, lease = now() +"
    " least(greatest($2, 1), 86400) * interval '1 second' WHERE j.content = (SELECT q.content FROM"
    " kinoseek.job q WHERE (q.state = 0 OR q.state = 1 AND q.lease < now()) AND q.root = ANY"
    " (SELECT convert_from(u.n, 'UTF8') FROM unnest($3) AS u(n)) ORDER BY q.pass = 0,"
    " q.state, q.queued, q.content FOR UPDATE SKIP LOCKED LIMIT 1) RETURNING j.*;" END

    "CREATE FUNCTION kinoseek.jobs_left(bytea[], bigint) RETURNS bigint" DEFINER
    "BEGIN PERFORM kinoseek.same_version($2); RETURN (SELECT count(*) FROM kinoseek.job q WHERE"
    " q.state < 2 AND q.root = ANY (SELECT convert_from(u.n, 'UTF8') FROM unnest($1) AS u(n)));" END

    "CREATE FUNCTION kinoseek.beat(bytea, text, bigint, float8) RETURNS void" DEFINER
    "BEGIN PERFORM kinoseek.fence($1, coalesce($2, ''), $3); UPDATE kinoseek.job SET lease = now()"
    " + least(greatest($4, 1), 86400) * interval '1 second' WHERE content = $1;" END

    /* state (0; 2: failed; 3: there is nothing to survey), reason */
    "CREATE FUNCTION kinoseek.give_back(bytea, text, bigint, bigint, text) RETURNS void" DEFINER
    "BEGIN PERFORM kinoseek.fence($1, coalesce($2, ''), $3);"
    " IF $4 = 3 THEN DELETE FROM kinoseek.job WHERE content = $1 AND pass = 2; END IF;"
    " UPDATE kinoseek.job SET state = CASE WHEN $4 IN (0, 3) THEN 0 ELSE 2 END, token = NULL,"
    " lease = NULL, reason = left($5, 300), queued = now(), pass = CASE WHEN $4 = 3 THEN 0 ELSE"
    " pass END WHERE content = $1;" END

    /* 1: the film is this login's now; without a lock, for who only reads */
    "CREATE FUNCTION kinoseek.holds(bytea, text, bigint) RETURNS boolean" INSIDE
    "BEGIN PERFORM kinoseek.same_version($3); RETURN EXISTS (SELECT 1 FROM kinoseek.job q WHERE"
    " q.content = $1 AND q.token::text = $2 AND q.who = session_user AND q.state = 1);" END

    /* the film as far as it is there, for who goes on with it */
    "CREATE FUNCTION kinoseek.job_film(bytea, text, bigint) RETURNS SETOF kinoseek.video" DEFINER
    "DECLARE v kinoseek.video; BEGIN IF kinoseek.holds($1, $2, $3) THEN"
    " SELECT q.* INTO v FROM kinoseek.filled q WHERE q.content = $1; IF FOUND THEN RETURN NEXT v;"
    " RETURN; END IF; SELECT q.* INTO v FROM kinoseek.video q WHERE q.content = $1;"
    /* in the new space it was never made */
    " IF FOUND THEN v.space := 0; v.finished := 0; v.verdict := 0; v.reason := ''; v.attempts := 0;"
    " v.flags := 0; v.clips := 0; v.made := 0; RETURN NEXT v; END IF; END IF;" END

    "CREATE TYPE kinoseek.clip_row AS (id bigint, start bigint, stop bigint, frames bigint, reason"
    " bigint, sum bigint, half bytea, half_sum bigint, n_frames bigint, data bytea, data_sum "
    "bigint,"
    " jpeg bytea, jpeg_sum bigint);"
    "CREATE FUNCTION kinoseek.job_clips(bytea, text, bigint, bigint) RETURNS SETOF"
    " kinoseek.clip_row" DEFINER
    "BEGIN IF kinoseek.holds($1, $2, $3) THEN RETURN QUERY SELECT c.id, c.start, c.stop, c.frames,"
    " c.reason, c.sum, x.half, x.sum, f.frames, f.data, f.sum, t.jpeg, t.sum FROM kinoseek.video v"
    " JOIN kinoseek.clip c ON c.video = v.id JOIN kinoseek.vector x ON x.clip = c.id LEFT JOIN"
    " kinoseek.frame_vectors f ON f.clip = c.id LEFT JOIN kinoseek.thumbnail t ON t.clip = c.id"
    " WHERE v.content = $1 AND c.space = $4 ORDER BY c.start, c.stop, c.reason; END IF;" END;

static const char films[] =
    /* the first that comes fixes it: model, numbers, its path, the tokenizer's, ingest.made,
     * precision */
    "CREATE FUNCTION kinoseek.put_space(bytea, text, bigint, text, bigint[], bytea, bytea, bytea,"
    " bytea) RETURNS void" DEFINER
    "DECLARE s bigint; r bigint; BEGIN PERFORM kinoseek.fence($1, $2, $3);"
    " SELECT l.writing INTO s FROM kinoseek.library l FOR UPDATE;"
    /* of a new model the first worker says in which arithmetic */
    " IF s <> 0 AND ($9 IS NULL OR EXISTS (SELECT 1 FROM kinoseek.setting t WHERE t.key ="
    " 'precision/' || s)) THEN RETURN; END IF; r := kinoseek.next_revision($3);"
    " IF s = 0 THEN s := 1;"
    " INSERT INTO kinoseek.space VALUES(1, $4, $5[1], $5[2], $5[3], $5[4], $5[5], $6, $7);"
    " UPDATE kinoseek.library SET space = 1, writing = 1;"
    " IF $8 IS NOT NULL THEN INSERT INTO kinoseek.setting VALUES('ingest.made', $8, r) ON CONFLICT"
    " DO NOTHING; END IF; END IF;"
    " IF $9 IS NOT NULL THEN INSERT INTO kinoseek.setting VALUES('precision/' || s, $9, r) ON "
    "CONFLICT"
    " DO NOTHING; END IF;" END

    /* maker: the film's number, made where it was not */
    "CREATE FUNCTION kinoseek.film_of(bytea, text, bigint, text) RETURNS bigint" DEFINER
    "DECLARE f bigint; BEGIN PERFORM kinoseek.fence($1, $2, $3);"
    " INSERT INTO kinoseek.video(id, content, maker, who) VALUES(nextval('kinoseek.video_id'), $1,"
    " left($4, 80), session_user) ON CONFLICT (content) DO NOTHING;"
    " SELECT v.id INTO f FROM kinoseek.video v WHERE v.content = $1; RETURN f;" END

    "CREATE TYPE kinoseek.span AS (start bigint, stop bigint, reason bigint);"
    "CREATE FUNCTION kinoseek.film_spans(bytea, text, bigint, bigint) RETURNS SETOF "
    "kinoseek.span" DEFINER
    "BEGIN PERFORM kinoseek.fence($1, $2, $3); RETURN QUERY SELECT c.start, c.stop, c.reason FROM"
    " kinoseek.video v JOIN kinoseek.clip c ON c.video = v.id WHERE v.content = $1 AND c.space = $4"
    " ORDER BY c.start, c.stop, c.reason;" END

    "CREATE FUNCTION kinoseek.clip_ids(bytea, text, bigint, bigint) RETURNS SETOF bigint" DEFINER
    "BEGIN PERFORM kinoseek.fence($1, $2, $3); RETURN QUERY SELECT nextval('kinoseek.clip_id') FROM"
    " generate_series(1, least($4, 1024));" END

    /* space; clips $5 to $10, vectors to $13, frame vectors to $17, thumbnails to $20. A clip that
     * another worker brought meanwhile stays as it is, and what belongs to ours with it finds no
     * row to belong to; rows of another film are none of this one's. */
    "CREATE FUNCTION kinoseek.put_clips(bytea, text, bigint, bigint, bigint[], bigint[], bigint[],"
    " bigint[], bigint[], bigint[], bigint[], bytea[], bigint[], bigint[], bigint[], bytea[],"
    " bigint[], bigint[], bytea[], bigint[]) RETURNS void" DEFINER
    "DECLARE f bigint; BEGIN PERFORM kinoseek.fence($1, $2, $3); PERFORM kinoseek.filling($4);"
    " SELECT v.id INTO STRICT f FROM kinoseek.video v WHERE v.content = $1;"
    " IF EXISTS (SELECT 1 FROM unnest($5) AS u(i) WHERE u.i > (SELECT s.last_value FROM"
    " kinoseek.clip_id s)) THEN RAISE EXCEPTION 'a clip has a number that nobody gave it'; END IF;"
    " INSERT INTO kinoseek.clip SELECT u.i, f, $4, u.a, u.b, u.n, u.r, u.s FROM unnest($5, $6, $7,"
    " $8, $9, $10) AS u(i, a, b, n, r, s) ON CONFLICT (video, space, start, stop, reason) DO "
    "NOTHING;"
    " INSERT INTO kinoseek.vector SELECT u.i, u.h, u.s FROM unnest($11, $12, $13) AS u(i, h, s)"
    " WHERE EXISTS (SELECT 1 FROM kinoseek.clip c WHERE c.id = u.i AND c.video = f);"
    " INSERT INTO kinoseek.frame_vectors SELECT u.i, u.n, u.d, u.s FROM unnest($14, $15, $16, $17)"
    " AS u(i, n, d, s) WHERE EXISTS (SELECT 1 FROM kinoseek.clip c WHERE c.id = u.i AND c.video ="
    " f); INSERT INTO kinoseek.thumbnail SELECT u.i, u.j, u.s FROM unnest($18, $19, $20) AS u(i, j,"
    " s) WHERE EXISTS (SELECT 1 FROM kinoseek.clip c WHERE c.id = u.i AND c.video = f);" END;

static const char verdict[] =
    /* space; starts, stops, reasons of all its clips: what is there beside them (another plan's)
     * goes, what is missing was said to be sent, and was not. Then its row: numbers $8 (space,
     * finished, verdict, attempts, tb_num, tb_den, duration, film_date, date_source, width, height,
     * flags, clips, sum, hash, rate_num, rate_den), seconds_missing, fps, reason, timecode, reel,
     * keys, maker. Searches see it from here on. */
    "CREATE FUNCTION kinoseek.end_film(bytea, text, bigint, bigint, bigint[], bigint[], bigint[], "
    "bigint[],"
    " float8, float8, bytea, bytea, bytea, bytea, text) RETURNS bigint" DEFINER
    "DECLARE j kinoseek.job; v kinoseek.video; l kinoseek.library; r bigint; n bigint;"
    " BEGIN j := kinoseek.fence($1, $2, $3); SELECT q.* INTO l FROM kinoseek.library q;"
    " SELECT q.* INTO STRICT v FROM kinoseek.video q WHERE q.content = $1;"
    " DELETE FROM kinoseek.clip c WHERE c.video = v.id AND (c.space <> $4 AND c.space <> l.space OR"
    " c.space = $4 AND (c.start, c.stop, c.reason) NOT IN (SELECT u.a, u.b, u.c FROM unnest($5, "
    "$6, $7) AS u(a, b, c)));"
    " SELECT count(*) INTO n FROM kinoseek.clip c JOIN kinoseek.vector x ON x.clip = c.id WHERE"
    " c.video = v.id AND c.space = $4; IF n <> cardinality($5) THEN RAISE EXCEPTION"
    " '% of % clips of a film are there', n, cardinality($5); END IF;"
    /* from here to the commit nobody else finishes anything */
    " r := kinoseek.next_revision($3); PERFORM kinoseek.filling($4);"
    " SELECT q.* INTO l FROM kinoseek.library q;"
    " v.space := $8[1]; v.finished := $8[2]; v.verdict := $8[3]; v.attempts := $8[4];"
    " v.tb_num := $8[5]; v.tb_den := $8[6]; v.duration := $8[7]; v.film_date := $8[8];"
    " v.date_source := $8[9]; v.width := $8[10]; v.height := $8[11]; v.flags := $8[12];"
    " v.clips := $8[13]; v.sum := $8[14]; v.hash := nullif($8[15], 0); v.rate_num := $8[16];"
    " v.rate_den := $8[17]; v.seconds_missing := $9; v.fps := $10; v.reason := $11;"
    " v.timecode := $12; v.reel := $13; v.keys := $14; v.maker := left($15, 80);"
    " v.who := session_user; v.made := r; v.revision := r;"
    " v.top := (SELECT coalesce(max(c.id), 0) FROM kinoseek.clip c WHERE c.video = v.id AND "
    "c.space = $4);"
    " IF l.space = l.writing THEN UPDATE kinoseek.video q SET " FILM_V " WHERE q.id = v.id;"
    /* spans of labels were of the clips it had */
    " DELETE FROM kinoseek.kept k WHERE k.kind = 4 AND k.content = $1;"
    " ELSE DELETE FROM kinoseek.next_video q WHERE q.id = v.id;"
    " INSERT INTO kinoseek.next_video SELECT v.*; END IF;"
    " IF $2 IS NOT NULL THEN PERFORM kinoseek.put_path(v.id, r, j.root, j.rel, j.size, "
    "j.mtime_ns);"
    " IF j.pass = 1 AND v.flags & 64 <> 0 THEN UPDATE kinoseek.job q SET pass = 0, state = 0, "
    "token ="
    " NULL, lease = NULL, tries = 0, lost = 0, reason = '', queued = now() WHERE q.content = $1;"
    " ELSE DELETE FROM kinoseek.job q WHERE q.content = $1; END IF; END IF;"
    " PERFORM kinoseek.finish_switch(r); RETURN r;" END;

static const char kept[] =
    /* the revision that the words were said at, kinds, names, contents, ats, datas, sums, 1: what
     * is there already is not said again. A worker brings all subtitles of its film, and nothing
     * else. 0 where nothing is new. */
    "CREATE FUNCTION kinoseek.put_kept(bytea, text, bigint, bigint, bigint[], bytea[], bytea[],"
    " bytea[], bytea[], bigint[], bigint) RETURNS bigint" DEFINER
    "DECLARE r bigint := 0; m bigint; k bytea; i int; BEGIN PERFORM kinoseek.fence($1, $2, $3);"
    " IF $2 IS NOT NULL THEN IF EXISTS (SELECT 1 FROM unnest($5, $7) AS u(k, c) WHERE u.k <> 11 OR"
    " u.c IS DISTINCT FROM $1) THEN RAISE EXCEPTION 'a worker brings subtitles of its film alone'"
    " USING ERRCODE = '42501'; END IF;"
    " DELETE FROM kinoseek.kept q WHERE q.kind = 11 AND q.content = $1; END IF;"
    " FOR i IN 1 .. cardinality($5) LOOP m := 0; k := NULL;"
    " IF $5[i] = 4 THEN SELECT v.made INTO m FROM kinoseek.video v WHERE v.content = $7[i];"
    " CONTINUE WHEN m IS NULL OR m = 0 OR m > $4; END IF;"
    " IF $5[i] > 2 THEN k := sha256(int8send($5[i]) || int4send(octet_length($6[i])) || $6[i] ||"
    " $7[i] || $8[i]); END IF;"
    " CONTINUE WHEN $11 = 1 AND EXISTS (SELECT 1 FROM kinoseek.kept q WHERE q.kind = $5[i] AND"
    " q.name = $6[i] AND q.content = $7[i] AND q.at = $8[i] AND q.data = $9[i] AND q.made = m);"
    " IF r = 0 THEN r := kinoseek.next_revision($3); END IF;"
    " IF $5[i] IN (3, 7, 10) THEN DELETE FROM kinoseek.kept q WHERE q.name = $6[i] AND q.kind ="
    " ANY (CASE $5[i] WHEN 3 THEN '{1,2,4,5}' WHEN 7 THEN '{6,8}' ELSE '{9}' END::bigint[]); END "
    "IF;"
    " INSERT INTO kinoseek.kept VALUES(nextval('kinoseek.kept_id'), k, $5[i], $6[i], $7[i], $8[i],"
    " m, $9[i], $10[i], r, session_user) ON CONFLICT (key) DO UPDATE SET id ="
    " nextval('kinoseek.kept_id'), made = m, data = $9[i], sum = $10[i], revision = r, who ="
    " session_user; END LOOP; RETURN r;" END;

/* Those of an older kinoseek go. */
static const char before[] =
    "DO $f$ DECLARE o regprocedure; t regtype; BEGIN FOR o IN SELECT p.oid FROM pg_catalog.pg_proc "
    "p"
    " WHERE p.pronamespace = 'kinoseek'::regnamespace LOOP EXECUTE 'DROP FUNCTION ' || o; END LOOP;"
    " FOR t IN SELECT t.oid FROM pg_catalog.pg_type t JOIN pg_catalog.pg_class c ON c.oid ="
    " t.typrelid WHERE c.relnamespace = 'kinoseek'::regnamespace AND c.relkind = 'c' LOOP EXECUTE"
    " 'DROP TYPE ' || t; END LOOP; END $f$;";

int ks_hub_make_functions(ks_hub *h, ks_error *e)
{
    int code = ks_pq_script(h->pq, before, e);
    if (code >= 0) code = ks_pq_script(h->pq, inside, e);
    if (code >= 0) code = ks_pq_script(h->pq, switching, e);
    if (code >= 0) code = ks_pq_script(h->pq, kept, e);
    if (code >= 0) code = ks_pq_script(h->pq, queue, e);
    if (code >= 0) code = ks_pq_script(h->pq, films, e);
    if (code >= 0) code = ks_pq_script(h->pq, verdict, e);
    if (code < 0) return code;
    return ks_pq_script(h->pq, "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA kinoseek FROM PUBLIC", e);
}

static int has_role(ks_hub *h, int i, ks_error *e)
{
    return ks_pq_ask(NULL, h->pq, e, "SELECT 1::int8 FROM pg_catalog.pg_roles WHERE rolname = $1",
                     "t", roles[i]);
}

/* Roles are of the whole server; an owner who may not make them leaves that to who may. */
int ks_hub_make_roles(int *there, ks_hub *h, ks_error *e)
{
    static const char *const make[KS_HUB_ROLES] = {"CREATE ROLE kinoseek_reader NOLOGIN",
                                                   "CREATE ROLE kinoseek_worker NOLOGIN"};
    int code = 0;
    *there = 0;
    for (int i = 0; i < KS_HUB_ROLES && code >= 0; i++) {
        code = has_role(h, i, e);
        if (code > 0) ++*there;
        if (code != 0) continue;
        code = ks_pq_script(h->pq, "SAVEPOINT role", e);
        if (code >= 0) code = ks_pq_script(h->pq, make[i], e);
        const char *state = ks_pq_state(h->pq);
        if (code >= 0) ++*there;
        else if (strcmp(state, "42501") == 0 || strcmp(state, "42710") == 0)
            code = ks_pq_script(h->pq, "ROLLBACK TO role", e);
    }
    return code < 0 ? code : 0;
}

int ks_hub_grant(ks_hub *h, ks_error *e)
{
    static const char *const grants[KS_HUB_ROLES] = {
        "GRANT USAGE ON SCHEMA kinoseek TO kinoseek_reader;"
        "GRANT SELECT ON kinoseek.library, kinoseek.space, kinoseek.setting, kinoseek.root,"
        " kinoseek.video, kinoseek.next_video, kinoseek.gone, kinoseek.path, kinoseek.clip, "
        "kinoseek.vector,"
        " kinoseek.frame_vectors, kinoseek.thumbnail, kinoseek.kept TO kinoseek_reader;"
        "GRANT SELECT(content, root, rel, size, mtime_ns, state, tries, lost, worker, who, lease,"
        " reason, queued, pass) ON kinoseek.job TO kinoseek_reader",
        "GRANT USAGE ON SCHEMA kinoseek TO kinoseek_worker;"
        "GRANT SELECT ON kinoseek.library, kinoseek.space, kinoseek.setting, kinoseek.root TO"
        " kinoseek_worker;"
        "GRANT EXECUTE ON FUNCTION kinoseek.claim, kinoseek.jobs_left, kinoseek.beat,"
        " kinoseek.give_back, kinoseek.job_film, kinoseek.job_clips, kinoseek.put_space,"
        " kinoseek.film_of, kinoseek.film_spans, kinoseek.clip_ids, kinoseek.put_clips,"
        " kinoseek.end_film, kinoseek.put_kept TO kinoseek_worker"};
    int code = 0;
    for (int i = 0; i < KS_HUB_ROLES && code >= 0; i++) {
        code = has_role(h, i, e);
        if (code > 0) code = ks_pq_script(h->pq, grants[i], e);
    }
    return code < 0 ? code : 0;
}
