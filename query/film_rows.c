/* film_rows.c - films of a query by id, each read once. */
#include "query/film_rows.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint32_t slot_of(const ks_films *films, int64_t id)
{
    return (uint32_t)((uint64_t)id * 0x9e3779b97f4a7c15u >> 40) & (uint32_t)(films->size - 1);
}

/* The place of the id, or the free one where it belongs. */
static int32_t *find(const ks_films *films, int64_t id)
{
    uint32_t i = slot_of(films, id);

    while (films->slots[i] && films->at[films->slots[i] - 1].id != id)
        i = (i + 1) & (uint32_t)(films->size - 1);
    return &films->slots[i];
}

static int room_for_one(ks_films *films)
{
    int room = films->room ? films->room * 2 : 16;
    ks_film *at;

    if (films->n < films->room) return 0;
    if (!(at = realloc(films->at, (size_t)room * sizeof *at))) return -1;
    films->at = at;
    free(films->slots);
    films->size = 2 * room;
    films->room = 0;
    if (!(films->slots = calloc((size_t)films->size, sizeof *films->slots))) return -1;
    films->room = room;
    for (int i = 0; i < films->n; i++) *find(films, at[i].id) = i + 1;
    return 0;
}

static int add_path(ks_film *f, const char *path)
{
    char **more = realloc(f->paths, (size_t)(f->n_paths + 1) * sizeof *more);

    if (!more) return -1;
    f->paths = more;
    if (!(more[f->n_paths] = strdup(path))) return -1;
    f->n_paths++;
    return 0;
}

/* The path that was asked for, else the first; one that leads nowhere (a disk that is not here)
 * gives way to a copy that is there. */
static void choose_path(ks_film *f, const char *shown)
{
    int best = -1;

    for (int i = 0; i < f->n_paths && f->n_paths > 1; i++) {
        int asked = shown && strcmp(f->paths[i], shown) == 0;
        if ((best < 0 || asked) && access(f->paths[i], F_OK) == 0) best = i;
        if (best >= 0 && (!shown || asked)) break;
    }
    if (best > 0) {
        char *there = f->paths[best];
        memmove(f->paths + 1, f->paths, (size_t)best * sizeof *f->paths);
        f->paths[0] = there;
    }
}

static int read_paths(ks_film *f, const ks_film_ask *ask, ks_error *e)
{
    ks_filter filter = {.video = f->id, .path_glob = ask->filter->path_glob};
    ks_cursor *c = NULL;
    ks_video v;
    int err = ks_index_files(&c, ask->x, &filter, e);

    while (err >= 0 && (err = ks_files_next(&v, c, e)) > 0) {
        f->tb = v.tb;
        f->film_date = v.film_date;
        f->duration = v.duration;
        f->first = v.first;
        f->fps = v.fps;
        f->rate_num = v.rate_num;
        f->rate_den = v.rate_den;
        f->variable = (v.flags & KS_VIDEO_VFR) != 0;
        f->date_source = v.date_source;
        memcpy(f->timecode, v.timecode, sizeof f->timecode);
        memcpy(f->reel, v.reel, sizeof f->reel);
        if (add_path(f, v.path) < 0) err = ks_fail(e, KS_ENOMEM, "no memory for hits");
    }
    ks_cursor_close(c);
    if (err == 0 && f->n_paths == 0) {
        ks_index_nameless(ask->x, f->id);
        return ks_fail(e, KS_EDAMAGED, "video %lld of a clip has no path", (long long)f->id);
    }
    choose_path(f, ask->filter->shown);
    return err;
}

typedef struct {
    const ks_film_ask *ask;
    ks_film *f;
    int room, failed;
} loading;

static int room_for_clips(loading *l, int m)
{
    ks_film *f = l->f;
    int room = 2 * l->room + m;
    ks_scored *more;
    float *cosines;

    if (f->n + m <= l->room) return 0;
    if (!(more = realloc(f->clips, (size_t)room * sizeof *more))) return -1;
    f->clips = more;
    if (l->ask->queries > 1) {
        if (!(cosines = realloc(f->cosines,
                                (size_t)room * (size_t)l->ask->queries * sizeof *cosines)))
            return -1;
        f->cosines = cosines;
    }
    l->room = room;
    return 0;
}

/* The cosines of clip i with all queries, where they stay. */
static const float *cosines_of(ks_film *f, const ks_film_ask *ask, const float *scores, int m,
                               int i)
{
    float *kept;

    if (ask->queries == 1) return scores + i;
    kept = f->cosines + (size_t)f->n * (size_t)ask->queries;
    for (int t = 0; t < ask->queries; t++) kept[t] = scores[(size_t)t * (size_t)m + (size_t)i];
    return kept;
}

/* scores [queries, m] */
static int load_block(void *arg, const ks_clip *clips, const float *scores, int m)
{
    loading *l = arg;
    ks_film *f = l->f;

    if (room_for_clips(l, m) < 0) return l->failed = 1;
    for (int i = 0; i < m; i++) {
        const float *cosine = cosines_of(f, l->ask, scores, m, i);
        int survey = clips[i].reason == KS_REASON_SURVEY;
        f->clips[f->n] = (ks_scored){clips[i].id,
                                     clips[i].start,
                                     clips[i].end,
                                     l->ask->worth(l->ask->arg, cosine, survey),
                                     (double)*cosine,
                                     0,
                                     f->n,
                                     survey};
        f->n++;
        if (clips[i].end - clips[i].start > f->longest) f->longest = clips[i].end - clips[i].start;
    }
    return 0;
}

static int before(const ks_scored *a, int64_t start, int64_t id)
{
    return a->start != start ? a->start < start : a->id < id;
}

static int by_start(const void *a, const void *b)
{
    const ks_scored *x = a, *y = b;

    return before(x, y->start, y->id) ? -1 : before(y, x->start, x->id);
}

static int read_clips(ks_film *f, const ks_film_ask *ask, ks_error *e)
{
    ks_filter filter = *ask->filter;
    loading l = {.ask = ask, .f = f};
    int err;

    filter.video = f->id;
    if ((err = ks_index_scores(ask->x, ask->q, ask->queries, ask->dim, &filter, load_block, &l,
                               e)) < 0)
        return err;
    if (l.failed) return ks_fail(e, KS_ENOMEM, "no memory for hits");
    if (f->n) qsort(f->clips, (size_t)f->n, sizeof *f->clips, by_start);
    return 0;
}

int ks_films_get(ks_film **out, ks_films *films, int64_t id, const ks_film_ask *ask, ks_error *e)
{
    int32_t *slot;
    int err;

    if (room_for_one(films) < 0) return ks_fail(e, KS_ENOMEM, "no memory for hits");
    slot = find(films, id);
    if (*slot == 0) {
        films->at[films->n] = (ks_film){.id = id};
        *slot = ++films->n; /* freed with the others, also half read */
        *out = &films->at[films->n - 1];
        if ((err = read_paths(*out, ask, e)) < 0 || (err = read_clips(*out, ask, e)) < 0)
            return err;
    }
    *out = &films->at[*slot - 1];
    return 0;
}

const ks_film *ks_films_read(const ks_films *films, int64_t id)
{
    int32_t at = films->n ? *find(films, id) : 0;

    return at ? &films->at[at - 1] : NULL;
}

int ks_film_clip(const ks_film *f, const ks_clip *clip)
{
    int low = 0, high = f->n;

    while (low < high) {
        int middle = low + (high - low) / 2;
        if (before(&f->clips[middle], clip->start, clip->id)) low = middle + 1;
        else high = middle;
    }
    return low < f->n && f->clips[low].id == clip->id ? low : -1;
}

void ks_films_free(ks_films *films)
{
    for (int i = 0; i < films->n; i++) {
        for (int p = 0; p < films->at[i].n_paths; p++) free(films->at[i].paths[p]);
        free(films->at[i].paths);
        free(films->at[i].clips);
        free(films->at[i].cosines);
    }
    free(films->at);
    free(films->slots);
    *films = (ks_films){0};
}
