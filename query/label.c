/* label.c - labels over a library, film by film: every column's vector (label_vectors.c,
 * label_judge.c) against every clip. */
#include "query/label_film.h"
#include "query/label_vectors.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- one film at a time --- */
typedef struct {
    ks_label_film film;
    const float *q; /* [columns, dim] */
    int dim;
    ks_on_label *row;
    void *arg;
    int stopped, failed;
} labelling;

static int keep_block(void *arg, const ks_clip *clips, const float *scores, int m)
{
    labelling *w = arg;
    ks_label_film *l = &w->film;
    size_t columns = (size_t)l->columns;

    if (l->n + m > l->room) {
        int room = (l->n + m) * 3 / 2;
        ks_clip *c = realloc(l->clips, (size_t)room * sizeof *c);
        float *f;
        w->failed = 1; /* until both have grown */
        if (!c) return 1;
        l->clips = c;
        if (!(f = realloc(l->cosines, (size_t)room * columns * sizeof *f))) return 1;
        l->cosines = f;
        w->failed = 0;
        l->room = room;
    }
    for (int i = 0; i < m; i++)
        for (size_t k = 0; k < columns; k++)
            l->cosines[(size_t)(l->n + i) * columns + k] = scores[k * (size_t)m + (size_t)i];
    memcpy(l->clips + l->n, clips, (size_t)m * sizeof *clips);
    l->n += m;
    return 0;
}

/* Index of clip i in order of start (ties by id): the catalog's order, made sure of. */
static int out_of_order(const ks_label_film *l)
{
    for (int i = 1; i < l->n; i++)
        if (l->clips[i].start < l->clips[i - 1].start) return 1;
    return 0;
}

static int sort_clips(ks_label_film *l, ks_error *e)
{
    size_t columns = (size_t)l->columns;
    float *row;

    if (!out_of_order(l)) return 0;
    if (!(row = malloc(columns * sizeof *row)))
        return ks_fail(e, KS_ENOMEM, "no memory for labels");
    for (int i = 1; i < l->n; i++) { /* nearly sorted: insertion */
        ks_clip c = l->clips[i];
        int j = i;
        memcpy(row, l->cosines + (size_t)i * columns, columns * sizeof *row);
        for (; j > 0 && l->clips[j - 1].start > c.start; j--) {
            l->clips[j] = l->clips[j - 1];
            memcpy(l->cosines + (size_t)j * columns, l->cosines + (size_t)(j - 1) * columns,
                   columns * sizeof *row);
        }
        l->clips[j] = c;
        memcpy(l->cosines + (size_t)j * columns, row, columns * sizeof *row);
    }
    free(row);
    return 0;
}

static void emit(labelling *w)
{
    const ks_label_film *f = &w->film;

    for (int i = 0; i < f->n_spans && !w->stopped; i++) {
        const ks_label_span *s = &f->spans[i];
        ks_label_row row = {.video = f->video.id,
                            .tb = f->video.tb,
                            .start = s->start,
                            .end = s->end,
                            .label = s->label,
                            .rank = s->rank,
                            .score = s->score / s->clips,
                            .cosine = s->cosine / s->clips,
                            .path = f->video.path};
        w->stopped = w->row(w->arg, &row);
    }
}

static int label_film(labelling *w, ks_error *e)
{
    ks_label_film *f = &w->film;
    const ks_label_options *o = f->o;
    ks_filter filter = o->filter;
    int err;

    filter.video = f->video.id;
    filter.path_glob = NULL;
    f->n = f->n_spans = 0;
    for (int l = 0; l <= o->n_labels; l++) f->latest[l] = -1;
    if ((err = ks_index_scores(f->x, w->q, f->columns, w->dim, &filter, keep_block, w, e)) < 0)
        return err;
    if (w->failed) return ks_fail(e, KS_ENOMEM, "no memory for labels");
    if (f->n == 0) /* nothing of it can be read */
        return 0;
    if ((err = sort_clips(f, e)) < 0) return err;
    err = o->per_video   ? ks_label_whole(f, e)
          : o->intervals ? ks_label_intervals(f, e)
          : o->each      ? ks_label_each(f, e)
                         : ks_label_which(f, e);
    if (err == 0) emit(w);
    if (err == 0 && o->done && !w->stopped) w->stopped = o->done(w->arg, &f->video);
    return err;
}

/* --- all videos --- */
typedef struct {
    int64_t id;
    char *path;
    ks_timebase tb;
    int64_t duration, finished;
    uint8_t content[24];
    int place;
} labelled;

static int by_video(const void *a, const void *b)
{
    const labelled *x = a, *y = b;

    if (x->id != y->id) return x->id < y->id ? -1 : 1;
    return x->place - y->place;
}

static int by_place(const void *a, const void *b)
{
    return ((const labelled *)a)->place - ((const labelled *)b)->place;
}

/* Every video that passes the filter once, under the path asked for, else its first (of those where
 * a file is), in the order of the catalog. */
static int list_videos(labelled **out, int *n, ks_index *x, const ks_filter *f, ks_error *e)
{
    ks_cursor *c = NULL;
    ks_video v;
    int room = 0, kept = 0, err = ks_index_files(&c, x, f, e);

    while (err >= 0 && (err = ks_files_next(&v, c, e)) > 0) {
        if (v.verdict != KS_VERDICT_INDEXED && v.verdict != KS_VERDICT_PARTLY) continue;
        if (*n == room) {
            labelled *more = realloc(*out, (size_t)(room * 2 + 64) * sizeof *more);
            if (!more) {
                err = ks_fail(e, KS_ENOMEM, "no memory for labels");
                break;
            }
            *out = more;
            room = room * 2 + 64;
        }
        (*out)[*n] = (labelled){.id = v.id,
                                .path = strdup(v.path),
                                .tb = v.tb,
                                .duration = v.duration,
                                .finished = v.finished,
                                .place = *n};
        memcpy((*out)[*n].content, v.content, sizeof v.content);
        if (!(*out)[(*n)++].path) err = ks_fail(e, KS_ENOMEM, "no memory for labels");
    }
    ks_cursor_close(c);
    if (err < 0 || *n == 0) return err;
    qsort(*out, (size_t)*n, sizeof **out, by_video);
    for (int i = 0; i < *n; i++) {
        labelled *same = kept && (*out)[kept - 1].id == (*out)[i].id ? &(*out)[kept - 1] : NULL;
        if (!same) {
            (*out)[kept++] = (*out)[i];
            continue;
        }
        if ((access(same->path, F_OK) != 0 ||
             (f->shown && strcmp((*out)[i].path, f->shown) == 0)) &&
            access((*out)[i].path, F_OK) == 0) {
            free(same->path);
            same->path = (*out)[i].path;
        } else {
            free((*out)[i].path);
        }
    }
    *n = kept;
    qsort(*out, (size_t)*n, sizeof **out, by_place);
    return 0;
}

static int make_room(ks_label_film *f, ks_error *e)
{
    f->latest = malloc(((size_t)f->o->n_labels + 1) * sizeof *f->latest);
    f->evidence = malloc(((size_t)f->o->n_labels + 1) * sizeof *f->evidence);
    f->enough = malloc(((size_t)f->o->n_labels + 1) * sizeof *f->enough);
    f->words = malloc(((size_t)f->columns + 1) * sizeof *f->words);
    for (int l = 0; l < f->o->n_labels && f->enough; l++)
        f->enough[l] = ks_label_enough(ks_label_least(f->o, l));
    return f->latest && f->evidence && f->enough && f->words
               ? 0
               : ks_fail(e, KS_ENOMEM, "no memory for labels");
}

static int label_films(labelling *w, ks_error *e)
{
    const ks_label_options *o = w->film.o;
    labelled *films = NULL;
    int n = 0, err = list_videos(&films, &n, w->film.x, &o->filter, e);

    for (int i = 0; i < n && err == 0 && !w->stopped; i++) {
        ks_video *v = &w->film.video;
        *v = (ks_video){.id = films[i].id,
                        .path = films[i].path,
                        .tb = films[i].tb,
                        .duration = films[i].duration,
                        .finished = films[i].finished};
        memcpy(v->content, films[i].content, sizeof v->content);
        if (!o->due || o->due(w->arg, v)) err = label_film(w, e);
    }
    for (int i = 0; i < n; i++) free(films[i].path);
    free(films);
    return err;
}

int ks_label(ks_index *x, ks_encoder *enc, const ks_label_options *o, ks_on_label *row, void *arg,
             ks_error *e)
{
    assert(x && enc && o && row);
    int dim = ks_encoder_info(enc)->dim, judged = o->each || o->none || o->intervals, err = 0;
    float *vectors = malloc(((size_t)o->n_labels + 1) * (size_t)dim * sizeof *vectors);
    ks_label_judge judge = {0};
    labelling w = {.film = {.x = x, .o = o, .columns = o->n_labels},
                   .q = vectors,
                   .dim = dim,
                   .row = row,
                   .arg = arg};

    assert(!judged || o->scale);
    if (!vectors) err = ks_fail(e, KS_ENOMEM, "no memory for labels");
    if (err == 0) err = ks_label_vectors(vectors, enc, o, e);
    if (err == 0 && judged &&
        (err = ks_label_judge_open(&judge, o->scale, enc, vectors, o, e)) == 0) {
        w.film.judge = &judge;
        w.film.columns = judge.labels + judge.words;
        w.q = judge.q;
    }
    if (err == 0) err = make_room(&w.film, e);
    /* the labels are encoded by now: that may take minutes */
    if (err == 0 && (err = ks_index_snapshot(x, e)) == 0) {
        err = label_films(&w, e);
        ks_index_release(x);
    }
    ks_label_judge_close(&judge);
    free(vectors);
    free(w.film.clips);
    free(w.film.cosines);
    free(w.film.spans);
    free(w.film.latest);
    free(w.film.evidence);
    free(w.film.enough);
    free(w.film.words);
    return err;
}
