/* hub_feed.c - see hub_feed.h. The mirror, brought up to date first, says what is new: the walk
 * and the judgement are ingest's own. */
#include <stdlib.h>
#include <string.h>

#include "cli/hub_feed.h"
#include "cli/hub_library.h"
#include "cli/hub_seen.h"

typedef struct {
    ks_hub *h;
    ks_hub_roots roots;
    ks_index *x; /* the mirror */
    ks_hub_move
        *move; /* [n_move] paths that are others, or gone; rel and root are owned by `own` */
    int n_move, room_move;
    ks_seen seen; /* files as they lie here: inode and device stay in the mirror */
    char **own;   /* [n_own] */
    int n_own, room_own;
    int64_t queued;
    const ks_ingest_options *o;
    ks_hub_pass pass;
} feed;

static int no_memory(ks_error *e)
{
    return ks_fail(e, KS_ENOMEM, "no memory for the list of files");
}

/* A copy that lives as long as the feed; NULL: no memory */
static const char *own(feed *d, const char *text)
{
    if (d->n_own == d->room_own) {
        int room = d->room_own ? 2 * d->room_own : 64;
        char **more = reallocarray(d->own, (size_t)room, sizeof *more);
        if (!more) return NULL;
        d->own = more;
        d->room_own = room;
    }
    char *copy = strdup(text);
    if (copy) d->own[d->n_own++] = copy;
    return copy;
}

static int add_move(feed *d, int64_t video, const char *path, ks_stat stat, ks_error *e)
{
    const char *rel;
    const ks_hub_root *root = ks_hub_place(&rel, &d->roots, path);
    if (!root) return 0; /* a link led out of it */
    if (d->n_move == d->room_move) {
        int room = d->room_move ? 2 * d->room_move : 64;
        ks_hub_move *more = reallocarray(d->move, (size_t)room, sizeof *more);
        if (!more) return no_memory(e);
        d->move = more;
        d->room_move = room;
    }
    ks_hub_move *m = &d->move[d->n_move];
    *m = (ks_hub_move){video, root->name, own(d, rel), stat};
    if (!m->rel) return no_memory(e);
    d->n_move++;
    return 0;
}

static void on_begin(void *arg, int64_t bytes)
{
    static const ks_hub_pass passes[] = {[KS_SURVEY_OFF] = KS_HUB_WHOLE,
                                         [KS_SURVEY_FIRST] = KS_HUB_SURVEY_FIRST,
                                         [KS_SURVEY_ONLY] = KS_HUB_SURVEY_ONLY};
    feed *d = arg;
    int much = d->o->unsaid & KS_UNSAID_SURVEY && bytes >= KS_SURVEY_MUCH;
    d->pass = passes[much ? KS_SURVEY_FIRST : d->o->survey];
}

static int on_film(void *arg, const uint8_t content[24], const ks_video *at, ks_error *e)
{
    feed *d = arg;
    const char *rel;
    const ks_hub_root *root = ks_hub_place(&rel, &d->roots, at->path);
    if (!root) return 0;
    int err = ks_hub_queue(d->h, content, root->name, rel, &at->stat, d->pass, e);
    d->queued += err > 0;
    return err < 0 ? err : ks_seen_add(&d->seen, at, e);
}

static int on_path(void *arg, const ks_video *at, const char *drop, ks_error *e)
{
    feed *d = arg;
    ks_video was;
    int err = ks_index_find(&was, d->x, at->path, e);
    if (err < 0 && err != KS_EDAMAGED) return err;
    int same = err == 1 && was.id == at->id;
    err = ks_seen_add(&d->seen, at, e);
    if (err == 0 && (!same || !ks_stat_untouched(was.stat, at->stat)))
        err = add_move(d, at->id, at->path, at->stat, e);
    if (err == 0 && drop) err = add_move(d, 0, drop, (ks_stat){0}, e);
    return err;
}

/* A file that this machine never saw may lie on a disk that is not mounted here. */
static int on_gone(void *arg, const char *path, ks_error *e)
{
    feed *d = arg;
    ks_video was;
    int err = ks_index_find(&was, d->x, path, e);
    if (err != 1) return err == KS_EDAMAGED ? 0 : err;
    return was.stat.device ? add_move(d, 0, path, (ks_stat){0}, e) : 0;
}

/* Each path lies in a root that is mounted here; without any, all of those. */
static int choose_paths(const char ***paths, int *n, feed *d, const ks_ingest_options *o,
                        ks_error *e)
{
    const char *rel;
    char inside[4200];
    int err = 0;
    *paths = calloc((size_t)(o->n + d->roots.n) + 1, sizeof **paths);
    *n = 0;
    if (!*paths) return no_memory(e);
    for (int i = 0; i < d->roots.n && o->n == 0; i++)
        if (ks_hub_root_there(&d->roots.at[i])) (*paths)[(*n)++] = d->roots.at[i].path;
    for (int i = 0; i < o->n && err == 0; i++) {
        char *real = realpath(o->paths[i], NULL);
        snprintf(inside, sizeof inside, "%.4096s/x", real ? real : o->paths[i]);
        const ks_hub_root *root = ks_hub_place(&rel, &d->roots, inside);
        if (!real) err = ks_fail(e, KS_ENOTFOUND, "%s: it is not there", o->paths[i]);
        else if (!root)
            err = ks_fail(e, KS_EUSAGE, "%s lies in no root of the hub: kinoseek root NAME=FOLDER",
                          o->paths[i]);
        else if (!ks_hub_root_there(root))
            err = ks_fail(e, KS_EUSAGE,
                          "%s is not the root %s now (its file .kinoseek-root says so): nothing of "
                          "it is touched",
                          root->path, root->name);
        else if (!((*paths)[(*n)++] = own(d, real))) err = no_memory(e);
        free(real);
    }
    if (err == 0 && *n == 0)
        err = ks_fail(e, KS_EUSAGE,
                      "no root of the hub is mounted here: kinoseek root NAME=FOLDER");
    return err;
}

/* Of films whose workers are through; theirs they bring themselves. */
static int on_subtitles(void *arg, ks_index *x, ks_error *e)
{
    return ks_ingest_subtitles(x, arg, e);
}

static void close_feed(feed *d)
{
    for (int i = 0; i < d->n_own; i++) free(d->own[i]);
    free(d->own);
    free(d->move);
    ks_seen_free(&d->seen);
    ks_index_close(d->x);
    ks_hub_close(d->h);
    ks_hub_roots_free(&d->roots);
}

int ks_feed(int64_t *queued, ks_ingest_summary *sum, const ks_globals *g,
            const ks_ingest_options *o, ks_error *e)
{
    feed d = {.o = o};
    char *folder = NULL, *mirror = NULL;
    const char **paths = NULL;
    ks_ingest_options own_options = *o;
    ks_ingest_queue hooks = {on_begin, on_film, on_path, on_gone, &d};
    int n = 0, err = ks_hub_here(&folder, &d.roots, g, e);
    if (err == 0) err = choose_paths(&paths, &n, &d, o, e);
    if (err == 0) err = ks_hub_sync(&mirror, NULL, g, e);
    /* what was told at the last walk has its rows by now */
    if (err == 0) err = ks_seen_waiting(&d.seen, mirror, e);
    if (err == 0) err = ks_seen_keep(&d.seen, mirror, e);
    ks_seen_free(&d.seen);
    if (err == 0) err = ks_seen_waiting(&d.seen, mirror, e);
    if (err == 0) err = ks_reach_hub(&d.h, g, e);
    if (err == 0) err = ks_index_open(&d.x, mirror, KS_READ, e);
    own_options.paths = paths;
    own_options.n = n;
    own_options.dry_run = 1;
    own_options.queue = &hooks;
    if (err == 0) err = ks_ingest(sum, d.x, NULL, &own_options, e);
    ks_index_close(d.x);
    d.x = NULL;
    if (err == 0) err = ks_hub_move_paths(d.h, d.move, d.n_move, e);
    if (err == 0) err = ks_seen_keep(&d.seen, mirror, e);
    if (err == 0 && o->decoder) err = ks_keep_in_mirror(g, on_subtitles, &own_options, e);
    *queued = d.queued;
    close_feed(&d);
    free((void *)paths);
    free(mirror);
    free(folder);
    return err;
}
