/* label.c - zero-shot labels: every label's vector (label_vectors.c) against every clip.
 *
 * A clip's scores are a softmax over all labels at temperature 0.01 (the video-text colab of the official
 * repository). */
#include "query/calibrate.h"
#include "query/label_vectors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- one video at a time --- */
typedef struct {
    int label, rank;
    int64_t start, end;
    double score, cosine; /* sums over its clips */
    int clips, last;      /* how many; index of the last one */
} span;
typedef struct {
    ks_clip *clips;   /* [n] of one video */
    float *cosines;   /* [n, labels] */
    int n, room;
    span *spans;
    int n_spans, room_spans;
    int *latest;      /* [labels] the latest span of each label, -1: none in this video */
    int *top;         /* [labels] the best of a clip */
    double *score;    /* [labels] theirs */
    const ks_label_options *o;
    ks_on_label *row;
    void *arg;
    int stopped, failed;
} labelling;

static int keep_block(void *arg, const ks_clip *clips, const float *scores, int m)
{
    labelling *l = arg;
    size_t labels = (size_t)l->o->n_labels;

    if (l->n + m > l->room) {
        int room = (l->n + m) * 3 / 2;
        ks_clip *c = realloc(l->clips, (size_t)room * sizeof *c);
        float *f;
        l->failed = 1; /* until both have grown */
        if (!c)
            return 1;
        l->clips = c;
        if (!(f = realloc(l->cosines, (size_t)room * labels * sizeof *f)))
            return 1;
        l->cosines = f;
        l->failed = 0;
        l->room = room;
    }
    for (int i = 0; i < m; i++)
        for (size_t k = 0; k < labels; k++)
            l->cosines[(size_t)(l->n + i) * labels + k] = scores[k * (size_t)m + (size_t)i];
    memcpy(l->clips + l->n, clips, (size_t)m * sizeof *clips);
    l->n += m;
    return 0;
}

void ks_label_top(int *label, double *score, int k, const float *cosine, int n)
{
    double sum = 0, most = -2;

    for (int i = 0; i < n; i++)
        most = fmax(most, (double)cosine[i]);
    for (int i = 0; i < n; i++)
        sum += exp(((double)cosine[i] - most) / 0.01);
    for (int i = 0, kept = 0; i < n && k > 0; i++) {
        int at;
        if (kept == k && cosine[i] <= cosine[label[k - 1]])
            continue;
        for (at = kept < k ? kept++ : k - 1; at > 0 && cosine[i] > cosine[label[at - 1]]; at--)
            label[at] = label[at - 1];
        label[at] = i;
    }
    for (int r = 0; r < k; r++)
        score[r] = exp(((double)cosine[label[r]] - most) / 0.01) / sum;
}

/* One more, not yet set; NULL: no memory. */
static span *next_span(labelling *l)
{
    if (l->n_spans == l->room_spans) {
        int room = l->room_spans * 2 + 64;
        span *s = realloc(l->spans, (size_t)room * sizeof *s);
        if (!s)
            return NULL;
        l->spans = s;
        l->room_spans = room;
    }
    return &l->spans[l->n_spans++];
}

/* Clip i bears the label at this rank: the label's latest span goes on if it held the clip before at the same rank and
 * touches this one, else a new span begins. (Ranks joined, a label that was first once and third beside it, at 1e-8, was
 * said to be first all along: 12 of 31 spans of the demo with -k 3.) */
static int bear(labelling *l, int i, int label, int rank, double score)
{
    const ks_clip *c = &l->clips[i];
    double cosine = (double)l->cosines[(size_t)i * (size_t)l->o->n_labels + (size_t)label];
    span *s = l->latest[label] >= 0 ? &l->spans[l->latest[label]] : NULL;

    if (!s || l->o->apart || s->rank != rank || s->last != i - 1 || c->start > s->end) {
        if (!(s = next_span(l)))
            return -1;
        l->latest[label] = l->n_spans - 1;
        *s = (span){.label = label, .rank = rank, .start = c->start, .end = c->end};
    }
    s->end = c->end > s->end ? c->end : s->end;
    s->score += score;
    s->cosine += cosine;
    s->clips++;
    s->last = i;
    return 0;
}

static void emit(labelling *l, const ks_video *v)
{
    for (int i = 0; i < l->n_spans && !l->stopped; i++) {
        const span *s = &l->spans[i];
        ks_label_row row = {.video = v->id, .tb = v->tb, .start = s->start, .end = s->end, .label = s->label, .rank = s->rank,
                            .score = s->score / s->clips, .cosine = s->cosine / s->clips, .path = v->path};
        l->stopped = l->row(l->arg, &row);
    }
}

/* Index of clip i in order of start (ties by id): the catalog's order, made sure of. */
static int out_of_order(const labelling *l)
{
    for (int i = 1; i < l->n; i++)
        if (l->clips[i].start < l->clips[i - 1].start)
            return 1;
    return 0;
}

static int sort_clips(labelling *l, ks_error *e)
{
    size_t labels = (size_t)l->o->n_labels;
    float *row;

    if (!out_of_order(l))
        return 0;
    if (!(row = malloc(labels * sizeof *row)))
        return ks_fail(e, KS_ENOMEM, "no memory for labels");
    for (int i = 1; i < l->n; i++) { /* nearly sorted: insertion */
        ks_clip c = l->clips[i];
        int j = i;
        memcpy(row, l->cosines + (size_t)i * labels, labels * sizeof *row);
        for (; j > 0 && l->clips[j - 1].start > c.start; j--) {
            l->clips[j] = l->clips[j - 1];
            memcpy(l->cosines + (size_t)j * labels, l->cosines + (size_t)(j - 1) * labels, labels * sizeof *row);
        }
        l->clips[j] = c;
        memcpy(l->cosines + (size_t)j * labels, row, labels * sizeof *row);
    }
    free(row);
    return 0;
}

/* pooled[labels]: of each label the largest softmax of any clip; best[labels]: that clip. */
static void pool(double *pooled, int *best, const labelling *l)
{
    int labels = l->o->n_labels;

    for (int k = 0; k < labels; k++)
        pooled[k] = -1;
    for (int i = 0; i < l->n; i++) {
        const float *cosine = l->cosines + (size_t)i * (size_t)labels;
        double most = -2, sum = 0;
        for (int k = 0; k < labels; k++)
            most = fmax(most, (double)cosine[k]);
        for (int k = 0; k < labels; k++)
            sum += exp(((double)cosine[k] - most) / 0.01);
        for (int k = 0; k < labels; k++) {
            double score = exp(((double)cosine[k] - most) / 0.01) / sum;
            if (score > pooled[k]) {
                pooled[k] = score;
                best[k] = i;
            }
        }
    }
}

/* A film of many moments bears a label if one of its clips does: the k labels of the largest pooled softmax.
 * Average precision of 44 true labels over the 13 demo films: the mean of the clips' vectors 0.08, the mean of their
 * softmaxes 0.51, the largest cosine 0.54, the largest softmax 0.57. */
static int whole_video(labelling *l, int k, ks_error *e)
{
    int labels = l->o->n_labels;
    double *pooled = malloc((size_t)labels * sizeof *pooled);
    int *best = malloc((size_t)labels * sizeof *best), err = 0;
    int64_t end = l->clips[0].end;

    if (!pooled || !best)
        err = ks_fail(e, KS_ENOMEM, "no memory for labels");
    else
        pool(pooled, best, l);
    for (int i = 1; i < l->n; i++)
        end = l->clips[i].end > end ? l->clips[i].end : end;
    for (int r = 0; r < k && err == 0; r++) {
        int top = 0;
        span *s = next_span(l);
        for (int i = 1; i < labels; i++)
            top = pooled[i] > pooled[top] ? i : top;
        if (!s) {
            err = ks_fail(e, KS_ENOMEM, "no memory for labels");
            break;
        }
        *s = (span){.label = top, .rank = r + 1, .start = l->clips[0].start, .end = end, .score = pooled[top], .clips = 1,
                    .cosine = (double)l->cosines[(size_t)best[top] * (size_t)labels + (size_t)top]};
        pooled[top] = -1;
    }
    free(pooled);
    free(best);
    return err;
}

static int label_video(labelling *l, ks_index *x, const float *vectors, int dim, const ks_video *v, ks_error *e)
{
    int k = l->o->k > 0 ? l->o->k : 1, err;
    ks_filter f = l->o->filter;

    k = k > l->o->n_labels ? l->o->n_labels : k;
    f.video = v->id;
    f.path_glob = NULL;
    l->n = l->n_spans = 0;
    for (int i = 0; i < l->o->n_labels; i++)
        l->latest[i] = -1;
    if ((err = ks_index_scores(x, vectors, l->o->n_labels, dim, &f, keep_block, l, e)) < 0)
        return err;
    if (l->failed)
        return ks_fail(e, KS_ENOMEM, "no memory for labels");
    if (l->n == 0)
        return 0;
    if ((err = sort_clips(l, e)) < 0)
        return err;
    if (l->o->per_video && (err = whole_video(l, k, e)) < 0)
        return err;
    for (int i = 0; i < l->n && !l->o->per_video; i++) {
        ks_label_top(l->top, l->score, k, l->cosines + (size_t)i * (size_t)l->o->n_labels, l->o->n_labels);
        for (int r = 0; r < k; r++)
            if (bear(l, i, l->top[r], r + 1, l->score[r]) < 0)
                return ks_fail(e, KS_ENOMEM, "no memory for labels");
    }
    emit(l, v);
    return 0;
}

/* --- all videos --- */
typedef struct {
    int64_t id;
    char *path;
    ks_timebase tb;
    int place;
} labelled;

static int by_video(const void *a, const void *b)
{
    const labelled *x = a, *y = b;

    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return x->place - y->place;
}

static int by_place(const void *a, const void *b) { return ((const labelled *)a)->place - ((const labelled *)b)->place; }

/* Every video that passes the filter once, under its first path (of those where a file is), in the order of the catalog. */
static int list_videos(labelled **out, int *n, ks_index *x, const ks_filter *f, ks_error *e)
{
    ks_cursor *c = NULL;
    ks_video v;
    int room = 0, kept = 0, err = ks_index_files(&c, x, f, e);

    while (err >= 0 && (err = ks_files_next(&v, c, e)) > 0) {
        if (v.verdict != KS_VERDICT_INDEXED && v.verdict != KS_VERDICT_PARTLY)
            continue;
        if (*n == room) {
            labelled *more = realloc(*out, (size_t)(room * 2 + 64) * sizeof *more);
            if (!more) {
                err = ks_fail(e, KS_ENOMEM, "no memory for labels");
                break;
            }
            *out = more;
            room = room * 2 + 64;
        }
        (*out)[*n] = (labelled){v.id, strdup(v.path), v.tb, *n};
        if (!(*out)[(*n)++].path)
            err = ks_fail(e, KS_ENOMEM, "no memory for labels");
    }
    ks_cursor_close(c);
    if (err < 0 || *n == 0)
        return err;
    qsort(*out, (size_t)*n, sizeof **out, by_video);
    for (int i = 0; i < *n; i++) {
        labelled *same = kept && (*out)[kept - 1].id == (*out)[i].id ? &(*out)[kept - 1] : NULL;
        if (!same) {
            (*out)[kept++] = (*out)[i];
            continue;
        }
        if (access(same->path, F_OK) != 0 && access((*out)[i].path, F_OK) == 0) {
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

int ks_label(ks_index *x, ks_encoder *enc, const ks_label_options *o, ks_on_label *row, void *arg, ks_error *e)
{
    int dim = ks_encoder_info(enc)->dim, n = 0, err = 0;
    size_t labels = (size_t)o->n_labels;
    labelling l = {.o = o, .row = row, .arg = arg, .latest = malloc((labels + 1) * sizeof(int)),
                   .top = malloc((labels + 1) * sizeof(int)), .score = malloc((labels + 1) * sizeof(double))};
    float *vectors = malloc((labels + 1) * (size_t)dim * sizeof *vectors);
    labelled *videos = NULL;

    if (!vectors || !l.latest || !l.top || !l.score)
        err = ks_fail(e, KS_ENOMEM, "no memory for labels");
    if (err == 0)
        err = ks_label_vectors(vectors, enc, o, e);
    if (err == 0 && (err = ks_index_snapshot(x, e)) == 0) { /* the labels are encoded by now: that may take minutes */
        err = list_videos(&videos, &n, x, &o->filter, e);
        for (int i = 0; i < n && err == 0 && !l.stopped; i++) {
            ks_video v = {.id = videos[i].id, .path = videos[i].path, .tb = videos[i].tb};
            err = label_video(&l, x, vectors, dim, &v, e);
        }
        ks_index_release(x);
    }
    for (int i = 0; i < n; i++)
        free(videos[i].path);
    free(videos);
    free(vectors);
    free(l.clips);
    free(l.cosines);
    free(l.spans);
    free(l.latest);
    free(l.top);
    free(l.score);
    return err;
}
