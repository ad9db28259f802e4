/* hub_pull_clips.c - the clips of a film that is pulled, with their vectors; pictures and frame
 * vectors where they are wanted. */
#include "index/hub_pull.h"

#include <math.h>
#include <string.h>

/* Finite and of unit length (invariant 2), or no search may meet it. */
static int is_vector(const uint16_t *half, size_t bytes, int dim)
{
    double length = 0;
    if (bytes != 2 * (size_t)dim) return 0;
    for (int d = 0; d < dim; d++) {
        uint16_t h;
        memcpy(&h, half + d, sizeof h);
        double v = (double)ks_float_from_half(h);
        length += v * v;
    }
    return isfinite(length) && fabs(sqrt(length) - 1) <= 1e-3;
}

/* 1: the row went in; 0: its sum, or another row of that number, is against it. */
static int insert(ks_pull *p, ks_error *e, int code)
{
    (void)e;
    return code < 0 ? code : sqlite3_changes(p->x->db) == 1;
}

static int put_clip(ks_pull *p, const ks_pq_rows *r, ks_error *e)
{
    int64_t id = ks_pq_int(r, 0, 0), start = ks_pq_int(r, 0, 1), stop = ks_pq_int(r, 0, 2),
            frames = ks_pq_int(r, 0, 3), reason = ks_pq_int(r, 0, 4), video = p->row.v.id,
            space = p->library.writing;
    size_t n;
    const void *half = ks_pq_bytes(&n, r, 0, 6);
    if (id <= 0 || start > stop || start < -KS_MAX_TICK || stop > KS_MAX_TICK || frames < 0 ||
        frames > INT32_MAX || reason < 0 || reason > INT32_MAX) {
        ks_pull_refuse(p, "clip", id, "its numbers are none");
        return 0;
    }
    if (!half || !is_vector(half, n, p->space.dim)) {
        ks_pull_refuse(p, "clip", id, "its vector is none of unit length");
        return 0;
    }
    int code = insert(p, e,
                      ks_run(p->x, e,
                             "INSERT OR IGNORE INTO clip SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 "
                             "WHERE ks_sum(5, ?1, ?2, ?3, ?4, ?5, ?6, ?7) = ?8",
                             "llllllll", id, video, space, start, stop, frames, reason,
                             ks_pq_int(r, 0, 5)));
    if (code == 0) ks_pull_refuse(p, "clip", id, "it does not match its checksum");
    if (code <= 0) return code;
    code = insert(p, e,
                  ks_run(p->x, e,
                         "INSERT OR IGNORE INTO vector SELECT ?1, ?5, ?6 WHERE ks_sum(6, ?1, ?2, "
                         "?3, ?4, ?5) = ?6",
                         "llllbl", id, space, start, stop, half, n, ks_pq_int(r, 0, 7)));
    if (code < 0) return code;
    if (code > 0) return 1;
    ks_pull_refuse(p, "clip", id, "its vector does not match its checksum");
    code = ks_run(p->x, e, "DELETE FROM clip WHERE id = ?1", "l", id);
    return code < 0 ? code : 0;
}

static int put_blobs(ks_pull *p, const ks_pq_rows *r, ks_error *e)
{
    int64_t id = ks_pq_int(r, 0, 0);
    size_t n;
    int code = 1;
    const void *data = ks_pq_bytes(&n, r, 0, 9);
    if (data) {
        code = insert(p, e,
                      ks_run(p->x, e,
                             "INSERT OR IGNORE INTO frame_vectors SELECT ?1, ?2, ?3, ?4 WHERE "
                             "ks_sum(7, ?1, ?2, ?3) = ?4",
                             "llbl", id, ks_pq_int(r, 0, 8), data, n, ks_pq_int(r, 0, 10)));
        if (code == 0)
            ks_pull_refuse(p, "frame vectors of clip", id, "they do not match their checksum");
    }
    data = code < 0 ? NULL : ks_pq_bytes(&n, r, 0, 11);
    if (data) {
        code = insert(p, e,
                      ks_run(p->x, e,
                             "INSERT OR IGNORE INTO thumbnail SELECT ?1, ?2, ?3 WHERE ks_sum(8, "
                             "?1, ?2) = ?3",
                             "lbl", id, data, n, ks_pq_int(r, 0, 12)));
        if (code == 0) ks_pull_refuse(p, "thumbnail of clip", id, "it does not match its checksum");
    }
    return code < 0 ? code : 0;
}

static int each_clip(void *arg, const ks_pq_rows *r, ks_error *e)
{
    ks_pull *p = arg;
    ks_totals t;
    int64_t id = ks_pq_int(r, 0, 0);
    int code = put_clip(p, r, e);
    if (code <= 0) return code;
    code = put_blobs(p, r, e);
    if (code >= 0) code = ks_clip_bytes(&t, p->x, id, e);
    if (code < 0) return code;
    ks_totals_add(p->x, &t, 1);
    if (id >= p->library.next_clip) p->library.next_clip = id + 1;
    p->out->clips++;
    p->unwritten++;
    return 0;
}

#define CLIP_COLUMNS "SELECT c.id, c.start, c.stop, c.frames, c.reason, c.sum, v.half, v.sum"
#define CLIP_ROWS    " FROM clip c JOIN vector v ON v.clip = c.id"
#define CLIP_BLOBS                                                                                 \
    ", f.frames, f.data, f.sum, t.jpeg, t.sum" CLIP_ROWS                                           \
    " LEFT JOIN frame_vectors f ON f.clip = c.id LEFT JOIN thumbnail t ON t.clip = c.id"
#define CLIP_WHERE " WHERE c.video = $1 AND c.space = $2 AND c.id <= $3 ORDER BY c.start, c.stop"

int ks_pull_clips(ks_pull *p, ks_error *e)
{
    if (p->job)
        return ks_pq_walk(p->h->pq, each_clip, p, e, "SELECT * FROM job_clips($1, $2, $3, $4)",
                          "btll", p->job->content, sizeof p->job->content, p->job->token,
                          (int64_t)KS_HUB_SCHEMA, p->library.writing);
    return ks_pq_walk(p->h->pq, each_clip, p, e,
                      p->what & KS_HUB_BLOBS ? CLIP_COLUMNS CLIP_BLOBS CLIP_WHERE
                                             : CLIP_COLUMNS CLIP_ROWS CLIP_WHERE,
                      "lll", p->row.v.id, p->library.writing, p->top);
}
