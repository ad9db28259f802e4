/* hub_schema.c - how a hub is made, and brought from version to version: tables, then the functions
 * and roles of hub_roles.c, in one transaction that one machine at a time has. */
#include "index/hub_rows.h"

#include <assert.h>

/* What brings a hub from version i to i + 1. Vectors stay in their rows (a scan that follows TOAST
 * takes five times as long); pictures and frame vectors lie outside, uncompressed, as they are. */
static const char *const steps[KS_HUB_SCHEMA] = {
    "CREATE SCHEMA kinoseek;"
    "CREATE TABLE kinoseek.library(one bigint PRIMARY KEY CHECK(one = 1), id text NOT NULL,"
    " created bigint NOT NULL, schema bigint NOT NULL, space bigint NOT NULL, revision bigint NOT "
    "NULL);"
    "INSERT INTO kinoseek.library SELECT 1, replace(gen_random_uuid()::text, '-', ''),"
    " extract(epoch FROM now())::bigint, 1, 0, 0;"
    "CREATE TABLE kinoseek.space(id bigint PRIMARY KEY, model text NOT NULL, dim bigint NOT NULL"
    " CHECK(dim BETWEEN 1 AND 8192), frames bigint NOT NULL, sampler bigint NOT NULL, resize bigint"
    " NOT NULL, precision bigint NOT NULL, model_path bytea NOT NULL, tokenizer_path bytea NOT "
    "NULL);"
    "CREATE TABLE kinoseek.setting(key text PRIMARY KEY, value bytea NOT NULL,"
    " revision bigint NOT NULL);"
    "CREATE TABLE kinoseek.root(name text PRIMARY KEY CHECK(name ~ '^[A-Za-z0-9._-]{1,63}$'),"
    " id text NOT NULL CHECK(id ~ '^[0-9a-f]{32}$'));"
    "CREATE SEQUENCE kinoseek.video_id; CREATE SEQUENCE kinoseek.clip_id;"
    "CREATE TABLE kinoseek.video(id bigint PRIMARY KEY, content bytea NOT NULL UNIQUE"
    " CHECK(octet_length(content) = 24), space bigint NOT NULL DEFAULT 0, finished bigint NOT NULL"
    " DEFAULT 0, verdict bigint NOT NULL DEFAULT 0, reason bytea NOT NULL DEFAULT '', attempts"
    " bigint NOT NULL DEFAULT 0, tb_num bigint NOT NULL DEFAULT 1 CHECK(tb_num > 0), tb_den bigint"
    " NOT NULL DEFAULT 1 CHECK(tb_den > 0), duration bigint NOT NULL DEFAULT 0, seconds_missing"
    " float8 NOT NULL DEFAULT 0, film_date bigint NOT NULL DEFAULT 0, date_source bigint NOT NULL"
    " DEFAULT 0, width bigint NOT NULL DEFAULT 0, height bigint NOT NULL DEFAULT 0, fps float8 NOT"
    " NULL DEFAULT 0, flags bigint NOT NULL DEFAULT 0, clips bigint NOT NULL DEFAULT 0, sum bigint"
    " NOT NULL DEFAULT 0, hash bigint, timecode bytea NOT NULL DEFAULT '', reel bytea NOT NULL"
    " DEFAULT '', rate_num bigint NOT NULL DEFAULT 0, rate_den bigint NOT NULL DEFAULT 0, keys"
    " bytea, maker text NOT NULL DEFAULT '', made bigint NOT NULL DEFAULT 0, revision bigint NOT"
    " NULL DEFAULT 0);"
    "CREATE INDEX video_revision ON kinoseek.video(revision);"
    "CREATE INDEX video_maker ON kinoseek.video(maker);"
    "ALTER TABLE kinoseek.video ALTER keys SET STORAGE EXTERNAL;"
    "CREATE TABLE kinoseek.gone(video bigint PRIMARY KEY, revision bigint NOT NULL);"
    "CREATE INDEX gone_revision ON kinoseek.gone(revision);"
    "CREATE TABLE kinoseek.path(root text NOT NULL REFERENCES kinoseek.root, rel bytea NOT NULL,"
    " video bigint NOT NULL REFERENCES kinoseek.video, size bigint NOT NULL, mtime_ns bigint NOT"
    " NULL, PRIMARY KEY(root, rel));"
    "CREATE INDEX path_video ON kinoseek.path(video);"
    "CREATE TABLE kinoseek.clip(id bigint PRIMARY KEY CHECK(id > 0), video bigint NOT NULL"
    " REFERENCES kinoseek.video ON DELETE CASCADE, space bigint NOT NULL REFERENCES kinoseek.space,"
    " start bigint NOT NULL, stop bigint NOT NULL CHECK(start <= stop), frames bigint NOT NULL"
    " CHECK(frames >= 0), reason bigint NOT NULL, sum bigint NOT NULL,"
    " UNIQUE(video, space, start, stop));"
    "CREATE TABLE kinoseek.vector(clip bigint PRIMARY KEY REFERENCES kinoseek.clip ON DELETE"
    " CASCADE, half bytea NOT NULL CHECK(octet_length(half) BETWEEN 2 AND 16384), sum bigint NOT"
    " NULL);"
    "ALTER TABLE kinoseek.vector ALTER half SET STORAGE MAIN;"
    "CREATE TABLE kinoseek.frame_vectors(clip bigint PRIMARY KEY REFERENCES kinoseek.clip ON DELETE"
    " CASCADE, frames bigint NOT NULL, data bytea NOT NULL, sum bigint NOT NULL);"
    "ALTER TABLE kinoseek.frame_vectors ALTER data SET STORAGE EXTERNAL;"
    "CREATE TABLE kinoseek.thumbnail(clip bigint PRIMARY KEY REFERENCES kinoseek.clip ON DELETE"
    " CASCADE, jpeg bytea NOT NULL, sum bigint NOT NULL);"
    "ALTER TABLE kinoseek.thumbnail ALTER jpeg SET STORAGE EXTERNAL;",

    /* the queue: a job is a content, so two paths of it are one; state 0 queued, 1 at work, 2
     * failed */
    "CREATE TABLE kinoseek.job(content bytea PRIMARY KEY CHECK(octet_length(content) = 24), root"
    " text NOT NULL REFERENCES kinoseek.root, rel bytea NOT NULL, size bigint NOT NULL, mtime_ns"
    " bigint NOT NULL, state bigint NOT NULL DEFAULT 0, tries bigint NOT NULL DEFAULT 0, lost"
    " bigint NOT NULL DEFAULT 0, token uuid, worker text NOT NULL DEFAULT '', who name NOT NULL"
    " DEFAULT '', lease timestamptz, reason text NOT NULL DEFAULT '', queued timestamptz NOT NULL"
    " DEFAULT now());"
    "CREATE INDEX job_next ON kinoseek.job(state, queued, content);",

    /* who made a film is the login, whatever name it gives itself; lengths of what comes in; the
     * functions (hub_roles.c) follow */
    "ALTER TABLE kinoseek.video ADD who text NOT NULL DEFAULT '';"
    "CREATE INDEX video_who ON kinoseek.video(who);"
    "ALTER TABLE kinoseek.video ADD CHECK(octet_length(reason) <= 1024 AND octet_length(timecode)"
    " <= 64 AND octet_length(reel) <= 256 AND octet_length(keys) <= 16777216 AND"
    " octet_length(maker) <= 256) NOT VALID;"
    "ALTER TABLE kinoseek.path ADD CHECK(octet_length(rel) BETWEEN 1 AND 4096) NOT VALID;"
    "ALTER TABLE kinoseek.frame_vectors ADD CHECK(octet_length(data) <= 67108864) NOT VALID;"
    "ALTER TABLE kinoseek.thumbnail ADD CHECK(octet_length(jpeg) <= 4194304) NOT VALID;",

    /* what people keep beside films, and subtitles, as words (kept.h) in the order of their id; a
     * later one with the same key takes the place of an earlier one; made: the film's, that spans
     * are of */
    "CREATE SEQUENCE kinoseek.kept_id;"
    "CREATE TABLE kinoseek.kept(id bigint PRIMARY KEY, key bytea UNIQUE, kind bigint NOT NULL"
    " CHECK(kind BETWEEN 1 AND 11), name bytea NOT NULL CHECK(octet_length(name) <= 4352), content"
    " bytea NOT NULL DEFAULT '' CHECK(octet_length(content) IN (0, 24)), at bytea NOT NULL"
    " CHECK(octet_length(at) <= 8192), made bigint NOT NULL DEFAULT 0, data bytea NOT NULL"
    " CHECK(octet_length(data) <= 33554432), sum bigint NOT NULL, revision bigint NOT NULL, who"
    " text NOT NULL DEFAULT '');"
    "ALTER TABLE kinoseek.kept ALTER data SET STORAGE EXTERNAL;"
    "CREATE INDEX kept_revision ON kinoseek.kept(revision);"
    "CREATE INDEX kept_content ON kinoseek.kept(content) WHERE content <> '';"
    "CREATE INDEX kept_name ON kinoseek.kept(kind, name);",

    /* another model (hub_switch.c): workers fill the space `writing`, mirrors have `space`; rows of
     * films that are through in the new one wait in next_video until all are. swept: no clip of a
     * space that is neither is left. made: what is in the space that is filled */
    "ALTER TABLE kinoseek.library ADD writing bigint NOT NULL DEFAULT 0;"
    "UPDATE kinoseek.library SET writing = space;"
    "ALTER TABLE kinoseek.space ADD swept bigint NOT NULL DEFAULT 0;"
    "CREATE TABLE kinoseek.next_video(LIKE kinoseek.video INCLUDING ALL);"
    "ALTER TABLE kinoseek.next_video ADD FOREIGN KEY(id) REFERENCES kinoseek.video ON DELETE "
    "CASCADE;"
    "CREATE VIEW kinoseek.filled AS SELECT v.* FROM kinoseek.video v, kinoseek.library l WHERE"
    " l.space = l.writing UNION ALL SELECT n.* FROM kinoseek.next_video n;",

    /* surveys, which go first. pass 0: the whole pass; 1: a survey, then the whole; 2: a survey.
     * A film that mirrors have as surveyed has clips of the whole pass under way as well: those
     * with numbers above `top`, and perhaps of just the seconds of a picture */
    "ALTER TABLE kinoseek.job ADD pass bigint NOT NULL DEFAULT 0 CHECK(pass BETWEEN 0 AND 2);"
    "DROP INDEX kinoseek.job_next;"
    "CREATE INDEX job_next ON kinoseek.job((pass = 0), state, queued, content);"
    /* those at work; of nothing that a heartbeat changes */
    "CREATE INDEX job_working ON kinoseek.job(lost) WHERE state = 1;"
    "ALTER TABLE kinoseek.clip ADD UNIQUE(video, space, start, stop, reason);"
    "ALTER TABLE kinoseek.clip DROP CONSTRAINT clip_video_space_start_stop_key;"
    "ALTER TABLE kinoseek.video ADD top bigint NOT NULL DEFAULT 9223372036854775807;"
    "ALTER TABLE kinoseek.next_video ADD top bigint NOT NULL DEFAULT 9223372036854775807;"
    "CREATE OR REPLACE VIEW kinoseek.filled AS SELECT v.* FROM kinoseek.video v, kinoseek.library l"
    " WHERE l.space = l.writing UNION ALL SELECT n.* FROM kinoseek.next_video n;"};

/* What is made belongs to whom the hub belongs, whoever brings it on: a function with its owner's
 * rights must not have an administrator's. */
static int as_owner(ks_hub *h, ks_error *e)
{
    int code = ks_pq_ask(
        NULL, h->pq, e,
        "SELECT set_config('role', r.rolname::text, true) FROM pg_catalog.pg_namespace n"
        " JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner WHERE n.nspname ="
        " 'kinoseek'",
        "");
    return code < 0 ? code : 0;
}

static int make(ks_hub_made *out, ks_hub *h, int migrate, ks_error *e)
{
    int64_t version = 0;
    /* one at a time, whoever else has the same thought; it goes with the transaction */
    int code = ks_pq_ask(NULL, h->pq, e, "SELECT pg_catalog.pg_advisory_xact_lock($1)", "l",
                         (int64_t)KS_APPLICATION_ID);
    if (code >= 0) code = ks_hub_version(&version, h, e);
    if (code < 0) return code;
    if (version > KS_HUB_SCHEMA)
        return ks_fail(e, KS_EUSAGE,
                       "%s: the hub is of version %lld, this kinoseek knows %d: update kinoseek",
                       ks_pq_name(h->pq), (long long)version, KS_HUB_SCHEMA);
    if (migrate && version == 0)
        return ks_fail(e, KS_ENOLIBRARY, "%s: no hub there (kinoseek store init makes one)",
                       ks_pq_name(h->pq));
    if (!migrate && version > 0)
        return ks_fail(e, KS_EUSAGE, "%s: there is a hub already", ks_pq_name(h->pq));
    code = ks_hub_make_roles(&out->roles, h, e);
    if (code >= 0 && version > 0) code = as_owner(h, e);
    for (int64_t v = version; v < KS_HUB_SCHEMA && code >= 0; v++, out->made = 1)
        code = ks_pq_script(h->pq, steps[v], e);
    if (code >= 0 && out->made) code = ks_hub_make_functions(h, e);
    if (code >= 0) code = ks_hub_grant(h, e);
    if (code >= 0 && out->made)
        code = ks_pq_ask(NULL, h->pq, e, "UPDATE kinoseek.library SET schema = $1", "l",
                         (int64_t)KS_HUB_SCHEMA);
    return code < 0 ? code : 0;
}

int ks_hub_make(ks_hub_made *out, const char *where, int migrate, double patience, ks_error *e)
{
    assert(out && where);
    ks_hub *h;
    *out = (ks_hub_made){0};
    int code = ks_hub_connect(&h, where, patience, e);
    if (code < 0) return code;
    code = ks_hub_begin(h, e);
    if (code >= 0) code = ks_hub_end(h, make(out, h, migrate, e), e);
    ks_hub_close(h);
    return code;
}
