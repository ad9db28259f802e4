/* hub_pull_paths.c - where the films that are pulled lie on this machine. */
#include "index/hub_pull.h"

#include <stdlib.h>
#include <string.h>

/* Where a root is mounted here; else a place that no film can have. malloc'ed */
char *ks_pull_here(const ks_pull *p, const char *root, const char *rel, size_t n)
{
    char *path = NULL;
    for (int i = 0; p->roots && i < p->roots->n; i++)
        if (strcmp(p->roots->at[i].name, root) == 0)
            return asprintf(&path, "%s/%.*s", p->roots->at[i].path, (int)n, rel) < 0 ? NULL : path;
    return asprintf(&path, "/%s:/%.*s", root, (int)n, rel) < 0 ? NULL : path;
}

/* Where this machine saw a file only its mirror knows, and without that no walk could tell a film
 * that was deleted from one on a disk that is not mounted here. So what a pull takes away or gives
 * to another film is remembered until its end: two films may have swapped names. */
static int remember_paths(ks_pull *p, const char *path, ks_error *e)
{
    return ks_run(p->x, e,
                  "INSERT OR IGNORE INTO temp.was_path SELECT path, video, size, mtime_ns, device, "
                  "inode FROM path WHERE device <> 0 AND (video = ?1 OR path = ?2)",
                  "lb", path ? (int64_t)0 : p->row.v.id, path ? path : "", path ? strlen(path) : 0);
}

static int put_path(ks_pull *p, const char *path, ks_stat stat, ks_error *e)
{
    int64_t there = 0, device = 0, inode = 0; /* of this machine; the hub knows none */
    size_t n = strlen(path);
    int code = ks_integer(&there, p->x, e, "SELECT count(*) FROM path WHERE path = ?1", "b", path,
                          n);
    if (code >= 0 && there) code = remember_paths(p, path, e);
    if (code >= 0)
        code = ks_integer(&device, p->x, e,
                          "SELECT coalesce((SELECT device FROM temp.was_path WHERE path = ?1), 0)",
                          "b", path, n);
    if (code >= 0 && device)
        code = ks_integer(&inode, p->x, e,
                          "SELECT coalesce((SELECT inode FROM temp.was_path WHERE path = ?1 AND "
                          "video = ?2 AND size = ?3 AND mtime_ns = ?4), 0)",
                          "blll", path, n, p->row.v.id, stat.size, stat.mtime_ns);
    if (code >= 0)
        code = ks_run(p->x, e,
                      "REPLACE INTO path VALUES(?1, ?2, ?3, ?4, ?5, ?6, ks_sum(4, ?1, ?2, ?3, ?4, "
                      "?5, ?6))",
                      "blllll", path, n, p->row.v.id, stat.size, stat.mtime_ns, device, inode);
    if (code >= 0 && !there) ks_totals_add(p->x, &(ks_totals){.paths = 1}, 1);
    return code;
}

static int drop_paths(ks_pull *p, ks_error *e)
{
    int code = remember_paths(p, NULL, e);
    if (code < 0) return code;
    code = ks_run(p->x, e, "DELETE FROM path WHERE video = ?1", "l", p->row.v.id);
    if (code >= 0) ks_totals_add(p->x, &(ks_totals){.paths = -sqlite3_changes(p->x->db)}, 1);
    return code;
}

static int each_path(void *arg, const ks_pq_rows *r, ks_error *e)
{
    ks_pull *p = arg;
    size_t n, m;
    const char *root = ks_pq_bytes(&n, r, 0, 0), *rel = ks_pq_bytes(&m, r, 0, 1);
    if (!root || !rel || !ks_hub_is_root_name(root, n) || !ks_hub_is_rel(rel, m)) {
        ks_pull_refuse(p, "a path of video", p->row.v.id, "it leads out of its root");
        return 0;
    }
    char *path = ks_pull_here(p, root, rel, m);
    int code = !path ? ks_fail(e, KS_ENOMEM, "no memory for a path")
               : strlen(path) > KS_MAX_PATH
                   ? (ks_pull_refuse(p, "a path of video", p->row.v.id, "it is too long"), 0)
                   : put_path(p, path, ks_hub_stat(r, 0, 2), e);
    free(path);
    return code;
}

int ks_pull_paths(ks_pull *p, ks_error *e)
{
    int code = drop_paths(p, e);
    if (code < 0) return code;
    code = p->job ? put_path(p, p->path, p->job->stat, e)
                  : ks_pq_walk(p->h->pq, each_path, p, e,
                               "SELECT root, rel, size, mtime_ns FROM path WHERE video = $1 ORDER "
                               "BY root, rel",
                               "l", p->row.v.id);
    return code < 0 ? code : ks_name_keep(p->x, p->row.v.id, e);
}

int ks_pull_all_paths(ks_pull *p, ks_error *e)
{
    ks_pq_rows r = {0};
    int64_t id = 0;
    int code = 1;
    while (code > 0) {
        code = ks_pq_ask(&r, p->h->pq, e,
                         "SELECT id FROM video WHERE id > $1 AND revision > 0 "
                         "ORDER BY id LIMIT 1000",
                         "l", id);
        for (int i = 0, n = code; i < n && code >= 0; i++) {
            int64_t there = 0;
            p->row.v.id = id = ks_pq_int(&r, i, 0);
            code = ks_integer(&there, p->x, e, "SELECT count(*) FROM video WHERE id = ?1", "l", id);
            if (code >= 0 && there) code = ks_pull_paths(p, e);
            if (code >= 0) code = 1;
        }
        ks_pq_free(&r);
    }
    return code;
}

/* --- roots --- */
/* With other roots than the last time every path is another: 1, and what they are. */
int ks_pull_other_roots(ks_pull *p, char **now, ks_error *e)
{
    char *text = NULL;
    size_t room = 0, bytes = 0;
    void *was = NULL;
    FILE *f = open_memstream(&text, &room);
    if (!f) return ks_fail(e, KS_ENOMEM, "no memory for the roots");
    for (int i = 0; p->roots && i < p->roots->n; i++)
        fprintf(f, "%s=%s\n", p->roots->at[i].name, p->roots->at[i].path);
    fclose(f);
    int code = text ? ks_index_get(&was, &bytes, p->x, KS_HUB_ROOTS_KEY, e)
                    : ks_fail(e, KS_ENOMEM, "no memory for the roots");
    if (code >= 0) code = !was || bytes != room || memcmp(was, text, bytes) != 0;
    free(was);
    if (now && code > 0) *now = text;
    else free(text);
    return code;
}

static int each_root(void *arg, const ks_pq_rows *r, ks_error *e)
{
    FILE *f = ((void **)arg)[1];
    size_t n;
    const char *name = ks_pq_bytes(&n, r, 0, 0);
    if (!name || !ks_hub_is_root_name(name, n)) return 0;
    char *path = ks_pull_here(((void **)arg)[0], name, "", 0);
    if (!path) return ks_fail(e, KS_ENOMEM, "no memory for the roots");
    path[strlen(path) - 1] = 0; /* the blank rest of a path */
    fwrite(path, 1, strlen(path) + 1, f);
    free(path);
    return 0;
}

/* A film's name begins below its root, on every machine. */
int ks_pull_note_folders(ks_pull *p, ks_error *e)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&text, &bytes);
    void *arg[2] = {p, f};
    if (!f) return ks_fail(e, KS_ENOMEM, "no memory for the roots");
    int code = ks_pq_walk(p->h->pq, each_root, arg, e, "SELECT name FROM root ORDER BY name", "");
    fclose(f);
    if (code >= 0) code = ks_index_put(p->x, KS_FOLDERS_KEY, text, bytes, e);
    free(text);
    return code;
}

int ks_pull_note_roots(ks_pull *p, ks_error *e)
{
    char *now = NULL;
    int other = ks_pull_other_roots(p, &now, e);
    int code = now ? ks_index_put(p->x, KS_HUB_ROOTS_KEY, now, strlen(now), e) : other;
    free(now);
    return code < 0 ? code : other;
}
