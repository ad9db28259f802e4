/* hub_pull_films.c - a film that is pulled: its row, what belongs to it, and what it had here. */
#include "index/hub_pull.h"

#include <math.h>
#include <string.h>

/* 1, 0: it is no film */
static int take_film(ks_pull *p, const ks_pq_rows *r, int i, ks_error *e)
{
    ks_video *v = &p->row.v;
    size_t n;
    const void *content = ks_pq_bytes(&n, r, i, 1);
    memset(&p->row, 0, sizeof p->row);
    v->id = ks_pq_int(r, i, 0);
    if (!content || n != sizeof v->content || v->id <= 0 || !ks_pull_is_int(r, i, 4, 0) ||
        ks_pq_int(r, i, 4) > KS_VERDICT_FAILED || !ks_pull_is_int(r, i, 6, 0) ||
        !ks_pull_is_int(r, i, 7, 1) || !ks_pull_is_int(r, i, 8, 1) ||
        !ks_pull_is_int(r, i, 12, 0) || !ks_pull_is_int(r, i, 13, 0) ||
        !ks_pull_is_int(r, i, 14, 0) || !ks_pull_is_int(r, i, 16, 0) ||
        !ks_pull_is_int(r, i, 22, 0) || !ks_pull_is_int(r, i, 23, 0) ||
        !ks_pull_text(p->row.reason, sizeof p->row.reason, r, i, 5) ||
        !ks_pull_text(v->timecode, sizeof v->timecode, r, i, 20) ||
        !ks_pull_text(v->reel, sizeof v->reel, r, i, 21) || !isfinite(ks_pq_double(r, i, 10)) ||
        !isfinite(ks_pq_double(r, i, 15)))
        return 0;
    memcpy(v->content, content, n);
    p->row.space = ks_pq_int(r, i, 2);
    p->finished = ks_pq_int(r, i, 3);
    v->verdict = (ks_verdict)ks_pq_int(r, i, 4);
    v->reason = p->row.reason;
    v->attempts = (int)ks_pq_int(r, i, 6);
    v->tb = (ks_timebase){(int32_t)ks_pq_int(r, i, 7), (int32_t)ks_pq_int(r, i, 8)};
    v->duration = ks_pq_int(r, i, 9);
    v->seconds_missing = ks_pq_double(r, i, 10);
    v->film_date = ks_pq_int(r, i, 11);
    v->date_source = (int)ks_pq_int(r, i, 12);
    v->width = (int)ks_pq_int(r, i, 13);
    v->height = (int)ks_pq_int(r, i, 14);
    v->fps = ks_pq_double(r, i, 15);
    v->flags = (int)ks_pq_int(r, i, 16);
    p->row.clips = ks_pq_int(r, i, 17);
    p->hash = ks_pq_int(r, i, 19);
    v->rate_num = (int)ks_pq_int(r, i, 22);
    v->rate_den = (int)ks_pq_int(r, i, 23);
    v->path = "";
    p->made = ks_pq_int(r, i, 25);
    p->revision = ks_pq_int(r, i, 26);
    p->top = ks_pq_int(r, i, 27);
    int seen = v->verdict == KS_VERDICT_INDEXED || v->verdict == KS_VERDICT_PARTLY;
    if (!p->job && seen != (p->finished != 0)) return 0;
    int64_t sum = 0;
    if (ks_integer(&sum, p->x, e,
                   "SELECT ks_sum(3, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, "
                   "?15, ?16, ?17, ?18)",
                   "lbllitiiildliiidil", v->id, v->content, sizeof v->content, p->row.space,
                   (int64_t)0, (int)v->verdict, v->reason, v->attempts, v->tb.num, v->tb.den,
                   v->duration, v->seconds_missing, v->film_date, v->date_source, v->width,
                   v->height, v->fps, v->flags, p->row.clips) < 0)
        return e ? e->code : KS_EIO;
    int good = p->made == 0 || sum == ks_pq_int(r, i, 18);
    /* it is tried again, and what comes of that is no older word */
    if (p->job && v->verdict == KS_VERDICT_FAILED) v->verdict = KS_VERDICT_NONE;
    return good;
}

static int put_keys(ks_pull *p, const ks_pq_rows *r, int i, ks_error *e)
{
    size_t n;
    const char *keys = ks_pq_bytes(&n, r, i, 24);
    if (!keys || memchr(keys, 0, n)) return ks_index_put_keys(p->x, p->row.v.id, &(ks_keys){0}, e);
    return ks_run(p->x, e, "REPLACE INTO key_index VALUES(?1, ?2, ks_sum(16, ?1, ?2))", "lt",
                  p->row.v.id, keys);
}

/* 1: its clips are in x as they are in the hub */
static int has_clips(const ks_pull *p, const ks_video_row *old)
{
    return old && old->finished > 0 && p->finished && p->made <= p->had;
}

/* A clip that is gone from the hub, or says that it is another film's, is missed here. */
static int count_clips(ks_pull *p, int64_t said, int64_t refused, ks_error *e)
{
    int64_t here = 0;
    char why[80];
    int code = ks_integer(&here, p->x, e, "SELECT count(*) FROM clip WHERE video = ?1", "l",
                          p->row.v.id);
    snprintf(why, sizeof why, "%lld of its %lld clips are there", (long long)here, (long long)said);
    if (code >= 0 && here != said && p->out->refused == refused)
        ks_pull_refuse(p, "video", p->row.v.id, why);
    return code;
}

static int write_film(ks_pull *p, const ks_pq_rows *r, int i, ks_video_row *old, ks_error *e)
{
    int64_t other = 0, id = p->row.v.id, said = p->row.clips, refused = p->out->refused;
    int same = has_clips(p, old);
    int code = ks_integer(&other, p->x, e, "SELECT id FROM video WHERE content = ?1 AND id <> ?2",
                          "bl", p->row.v.content, sizeof p->row.v.content, id);
    if (code >= 0 && other) {
        ks_pull_refuse(p, "video", id, "another film of the hub has its content");
        return 0;
    }
    if (code >= 0 && same) { /* renamed, or another path: what searches see stays where it is */
        p->row.finished = old->finished;
        p->row.clips = old->clips;
    }
    if (code >= 0 && old && !same) code = ks_video_hide(p->x, &p->library, old, e);
    if (code >= 0 && old && !same) code = ks_clips_delete(p->x, id, 0, e);
    if (code >= 0 && old && !same) code = ks_labels_drop_film(p->x, id, e);
    if (code >= 0 && old && !same) code = ks_subtitles_drop_film(p->x, id, e);
    if (code >= 0) code = ks_video_write(&p->row, p->x, e);
    if (code >= 0 && !same && (p->finished || p->what & KS_HUB_UNFINISHED))
        code = ks_pull_clips(p, e);
    if (code >= 0 && !same && p->finished) code = count_clips(p, said, refused, e);
    if (code >= 0 && !same && p->finished) {
        p->row.finished = 0;
        p->row.space = p->library.writing;
        code = ks_video_show(p->x, &p->library, &p->row, e);
        if (code >= 0) code = ks_video_write(&p->row, p->x, e);
    }
    if (code >= 0 && p->hash) code = ks_index_put_full_hash(p->x, id, (uint64_t)p->hash, e);
    if (code >= 0) code = put_keys(p, r, i, e);
    if (code >= 0) code = ks_pull_paths(p, e);
    if (id >= p->library.next_video) p->library.next_video = id + 1;
    p->out->films++;
    return code < 0 ? code : ks_library_write(&p->library, p->x, e);
}

int ks_pull_drop_film(ks_pull *p, int64_t video, ks_error *e)
{
    int64_t there = 0;
    int code = ks_integer(&there, p->x, e, "SELECT count(*) FROM video WHERE id = ?1", "l", video);
    if (code < 0 || !there) return code;
    code = ks_video_drop(p->x, video, e);
    if (code >= 0) code = ks_library_read(&p->library, p->x, e);
    p->out->gone++;
    return code;
}

int ks_pull_film(ks_pull *p, const ks_pq_rows *r, int i, ks_error *e)
{
    ks_video_row old;
    int code = take_film(p, r, i, e);
    if (code == 0)
        ks_pull_refuse(p, "video", p->row.v.id,
                       "it is no film's row, or does not match its "
                       "checksum");
    if (code <= 0) return code;
    /* taken back, to be made again */
    if (p->row.v.verdict == KS_VERDICT_NONE && !(p->what & KS_HUB_UNFINISHED))
        return ks_pull_drop_film(p, p->row.v.id, e);
    int64_t id = p->row.v.id, paths = 1;
    code = ks_video_read(&old, p->x, id, e);
    if (code >= 0) code = write_film(p, r, i, code > 0 ? &old : NULL, e);
    if (code >= 0 && !p->job)
        code = ks_integer(&paths, p->x, e,
                          "SELECT (SELECT count(*) FROM path WHERE video = ?1) OR NOT EXISTS "
                          "(SELECT 1 FROM video WHERE id = ?1)",
                          "l", id);
    return code < 0 || paths ? code
                             : ks_pull_drop_film(p, id, e); /* none of its paths can be had */
}
