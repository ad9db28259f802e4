/* hub_queue.c - films to be done, and who is at them.
 *
 * A job is a content: two paths of one film are one job. Who claims it gets a token, and whatever
 * is written for it is written in a transaction that holds the job's row under that token: a
 * worker that was frozen and comes back finds another one there and writes nothing. Leases run by
 * the server's clock alone. A worker that was not heard of is no fault of the film's: five of them
 * are. */
#include "index/hub_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void ks_hub_job_free(ks_hub_job *job)
{
    free(job->rel);
    *job = (ks_hub_job){0};
}

/* 1: nothing more is to be done for it (as triage.c judges a library's own) */
static int is_done(const ks_pq_rows *r)
{
    int64_t finished = ks_pq_int(r, 0, 1), verdict = ks_pq_int(r, 0, 2);
    if (verdict == KS_VERDICT_FAILED) return ks_pq_int(r, 0, 3) >= 2;
    return verdict == KS_VERDICT_SKIPPED ||
           (finished && !(ks_pq_int(r, 0, 4) & (KS_VIDEO_LOST | KS_VIDEO_SURVEY)));
}

static int queue(ks_hub *h, const uint8_t content[24], const char *root, const char *rel,
                 const ks_stat *stat, ks_hub_pass pass, ks_error *e)
{
    ks_pq_rows r;
    int64_t revision = 0, video = 0;
    int done = 0, seen = 0, code = ks_hub_next_revision(&revision, h, e);
    if (code >= 0)
        code = ks_pq_ask(NULL, h->pq, e,
                         "INSERT INTO video(id, content) VALUES(nextval('video_id'), $1) ON "
                         "CONFLICT (content) DO NOTHING",
                         "b", content, (size_t)24);
    if (code >= 0)
        code = ks_pq_ask(&r, h->pq, e,
                         "SELECT v.id, f.finished, f.verdict, f.attempts, f.flags, v.made, "
                         "EXISTS (SELECT 1 FROM clip c, library l WHERE c.video = v.id AND c.space "
                         "= l.writing)::int4::int8 FROM "
                         "video v LEFT JOIN filled f ON f.id = v.id WHERE v.content = $1",
                         "b", content, (size_t)24);
    if (code > 0) {
        video = ks_pq_int(&r, 0, 0);
        int begun = ks_pq_int(&r, 0, 6) > 0; /* or surveyed */
        done = is_done(&r) || (begun && pass == KS_HUB_SURVEY_ONLY);
        if (begun) pass = KS_HUB_WHOLE;
        seen = done || ks_pq_int(&r, 0, 5) > 0;
    }
    if (code >= 0) ks_pq_free(&r);
    if (code >= 0) code = ks_hub_put_path(h, video, revision, root, rel, stat, e);
    /* mirrors see the path of what they see; what is unfinished has no revision yet */
    if (code >= 0 && seen)
        code = ks_pq_ask(NULL, h->pq, e, "UPDATE video SET revision = $2 WHERE id = $1", "ll",
                         video, revision);
    if (code < 0 || done) return code < 0 ? code : 0;
    if (pass != KS_HUB_SURVEY_ONLY) /* of whom a survey is all that was wanted */
        code = ks_pq_ask(NULL, h->pq, e, "UPDATE job SET pass = 1 WHERE content = $1 AND pass = 2",
                         "b", content, (size_t)24);
    if (code < 0) return code;
    /* what failed is tried again where somebody asks for it */
    return ks_pq_ask(
        NULL, h->pq, e,
        "INSERT INTO job(content, root, rel, size, mtime_ns, pass) VALUES($1, $2, $3,"
        " $4, $5, $6) ON CONFLICT (content) DO UPDATE SET root = $2, rel = $3, size = $4, "
        "mtime_ns = $5, state = 0, tries = 0, lost = 0, reason = '', pass = $6 WHERE job.state = "
        "2 RETURNING state",
        "btblll", content, (size_t)24, root, rel, strlen(rel), stat->size, stat->mtime_ns,
        (int64_t)pass);
}

int ks_hub_queue(ks_hub *h, const uint8_t content[24], const char *root, const char *rel,
                 const ks_stat *stat, ks_hub_pass pass, ks_error *e)
{
    assert(h && content && root && rel && stat);
    int code = ks_hub_begin(h, e);
    return code < 0 ? code : ks_hub_end(h, queue(h, content, root, rel, stat, pass, e), e);
}

static int roots_there(ks_pq_column *names, const ks_hub_roots *roots)
{
    int bad = 0;
    names->wide = 1;
    for (int i = 0; i < roots->n; i++)
        if (ks_hub_root_there(&roots->at[i]))
            bad |= ks_pq_put_bytes(names, roots->at[i].name, strlen(roots->at[i].name));
    return bad;
}

static int take_job(ks_hub_job *job, const ks_pq_rows *r, ks_error *e)
{
    size_t n, m, k, l;
    const void *content = ks_pq_bytes(&n, r, 0, 0);
    const char *root = ks_pq_bytes(&m, r, 0, 1), *rel = ks_pq_bytes(&k, r, 0, 2),
               *token = ks_pq_bytes(&l, r, 0, 5);
    if (!content || n != sizeof job->content || !root || !ks_hub_is_root_name(root, m) || !rel ||
        !ks_hub_is_rel(rel, k) || !token || l != KS_HUB_TOKEN - 1)
        return ks_fail(e, KS_EDAMAGED, "a job of the hub is none");
    memcpy(job->content, content, n);
    memcpy(job->root, root, m + 1);
    memcpy(job->token, token, l + 1);
    job->rel = strndup(rel, k);
    job->stat = ks_hub_stat(r, 0, 3);
    job->survey = ks_pq_int(r, 0, 6) > 0;
    return job->rel ? 1 : ks_fail(e, KS_ENOMEM, "no memory for a job");
}

int ks_hub_claim(ks_hub_job *job, int64_t *left, ks_hub *h, const ks_hub_roots *roots,
                 const char *worker, double lease, ks_error *e)
{
    assert(job && left && h && roots && worker && lease > 0);
    ks_pq_column names = {0};
    ks_pq_rows r = {0};
    *job = (ks_hub_job){0};
    int code = roots_there(&names, roots) ? ks_fail(e, KS_ENOMEM, "no memory for the roots") : 0;
    if (code >= 0)
        code = ks_pq_ask(
            &r, h->pq, e,
            "SELECT content, root, rel, size, mtime_ns, token::text, pass FROM claim($1, $2,"
            " $3, $4)",
            "tdal", worker, lease, &names, (int64_t)KS_HUB_SCHEMA);
    if (code > 0) code = take_job(job, &r, e);
    int got = code;
    ks_pq_free(&r);
    *left = 1;
    if (code == 0) /* it looks at the whole queue */
        code = ks_pq_ask(&r, h->pq, e, "SELECT jobs_left($1, $2)", "al", &names,
                         (int64_t)KS_HUB_SCHEMA);
    if (got == 0 && code > 0) *left = ks_pq_int(&r, 0, 0);
    ks_pq_free(&r);
    ks_pq_column_free(&names);
    if (code < 0) ks_hub_job_free(job);
    return code < 0 ? code : got;
}

int ks_hub_beat(ks_hub *h, const ks_hub_job *job, double lease, ks_error *e)
{
    int code = ks_pq_ask(NULL, h->pq, e, "SELECT beat($1, $2, $3, $4)", "btld", job->content,
                         sizeof job->content, job->token, (int64_t)KS_HUB_SCHEMA, lease);
    return code < 0 ? code : 0;
}

int ks_hub_give_back(ks_hub *h, const ks_hub_job *job, const char *reason, ks_hub_back how,
                     ks_error *e)
{
    int code = ks_pq_ask(NULL, h->pq, e, "SELECT give_back($1, $2, $3, $4, $5)", "btllt",
                         job->content, sizeof job->content, job->token, (int64_t)KS_HUB_SCHEMA,
                         (int64_t)how, reason ? reason : "");
    return code < 0 ? code : 0;
}

/* --- what a person asks of it --- */
typedef struct {
    ks_each_queued *each;
    void *arg;
} listing;

static int each_job(void *arg, const ks_pq_rows *r, ks_error *e)
{
    static const char *const states[] = {"queued", "working", "failed"};
    const listing *l = arg;
    size_t n, m;
    int64_t state = ks_pq_int(r, 0, 2);
    const char *root = ks_pq_bytes(&n, r, 0, 0), *rel = ks_pq_bytes(&m, r, 0, 1);
    if (!root || !rel || state < 0 || state > 2 || !ks_hub_is_rel(rel, m)) return 0;
    ks_hub_queued q = {.root = root,
                       .rel = rel,
                       .state = states[state],
                       .worker = ks_pq_bytes(&n, r, 0, 3),
                       .reason = ks_pq_bytes(&n, r, 0, 4),
                       .tries = ks_pq_int(r, 0, 5),
                       .lost = ks_pq_int(r, 0, 6),
                       .lease = ks_pq_double(r, 0, 7),
                       .survey = ks_pq_int(r, 0, 8) > 0};
    return l->each(l->arg, &q, e);
}

int ks_hub_list(ks_hub *h, ks_each_queued *each, void *arg, ks_error *e)
{
    listing l = {each, arg};
    return ks_pq_walk(h->pq, each_job, &l, e,
                      "SELECT root, rel, state, worker, reason, tries, lost, coalesce(extract(epoch"
                      " FROM lease - now()), 0)::float8, pass FROM job ORDER BY state = 0, state, "
                      "pass = 0, queued,"
                      " content",
                      "");
}

int ks_hub_retry(int64_t *jobs, ks_hub *h, ks_error *e)
{
    int code = ks_hub_begin(h, e), again = 0;
    if (code < 0) return code;
    code = ks_pq_ask(NULL, h->pq, e,
                     "UPDATE job SET state = 0, tries = 0, lost = 0, reason = '', queued = now() "
                     "WHERE state = 2 RETURNING 1::int8",
                     "");
    *jobs = code;
    /* films whose verdict it is */
    if (code >= 0)
        code = again = ks_pq_ask(NULL, h->pq, e,
                                 "INSERT INTO job(content, root, rel, size, mtime_ns) SELECT "
                                 "DISTINCT ON (v.id) v.content, p.root, p.rel, p.size, p.mtime_ns "
                                 "FROM filled v JOIN path p ON p.video = v.id WHERE v.verdict = $1 "
                                 "ORDER BY v.id, p.root, p.rel ON CONFLICT DO NOTHING RETURNING "
                                 "1::int8",
                                 "l", (int64_t)KS_VERDICT_FAILED);
    if (code >= 0)
        code = ks_pq_ask(NULL, h->pq, e,
                         "UPDATE video SET attempts = 0, made = 0 WHERE verdict = $1", "l",
                         (int64_t)KS_VERDICT_FAILED);
    if (code >= 0)
        code = ks_pq_ask(NULL, h->pq, e, "DELETE FROM next_video WHERE verdict = $1", "l",
                         (int64_t)KS_VERDICT_FAILED);
    *jobs += again;
    return ks_hub_end(h, code < 0 ? code : 0, e);
}

static int drop_by(int64_t *films, ks_hub *h, const char *worker, ks_error *e)
{
    int64_t revision = 0;
    int code = ks_hub_next_revision(&revision, h, e);
    if (code >= 0)
        code = ks_pq_ask(NULL, h->pq, e,
                         "INSERT INTO job(content, root, rel, size, mtime_ns) SELECT DISTINCT ON "
                         "(v.id) v.content, p.root, p.rel, p.size, p.mtime_ns FROM (SELECT * FROM "
                         "video UNION ALL SELECT * FROM next_video) v JOIN path p ON p.video = v.id"
                         " WHERE v.maker = $1 OR v.who = $1 ORDER BY v.id, p.root, p.rel ON "
                         "CONFLICT DO NOTHING",
                         "t", worker);
    if (code >= 0)
        code = ks_pq_ask(NULL, h->pq, e,
                         "WITH n AS (DELETE FROM next_video WHERE maker = $1 OR who = $1 RETURNING "
                         "id) DELETE FROM clip c USING n, library l WHERE c.video = n.id AND "
                         "c.space = l.writing",
                         "t", worker);
    if (code >= 0)
        code = ks_pq_ask(NULL, h->pq, e,
                         "DELETE FROM clip c USING video v WHERE c.video = v.id AND (v.maker = $1 "
                         "OR v.who = $1)",
                         "t", worker);
    if (code >= 0)
        code = ks_pq_ask(
            NULL, h->pq, e,
            "UPDATE video SET space = 0, finished = 0, verdict = 0, reason = '', "
            "attempts = 0, flags = 0, clips = 0, maker = '', who = '', made = 0, revision ="
            " $2 WHERE maker = $1 OR who = $1 RETURNING 1::int8",
            "tl", worker, revision);
    *films = code;
    return code < 0 ? code : 0;
}

int ks_hub_drop_by(int64_t *films, ks_hub *h, const char *worker, ks_error *e)
{
    assert(films && h && worker && worker[0]);
    *films = 0;
    int code = ks_hub_begin(h, e);
    return code < 0 ? code : ks_hub_end(h, drop_by(films, h, worker, e), e);
}
