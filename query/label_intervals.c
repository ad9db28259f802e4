/* label_intervals.c - from when to when a label is there: a model of two states over the
 * evidence of a film.
 *
 * Time is cut into bins of half a second. What speaks for a label in a bin is the mean over the
 * clips that cover it: three quarters the clip's evidence, a quarter that of its frame there. A
 * label is on or off; going from one to the other costs as much as three seconds of full
 * evidence. What a strict level finds is taken first, weaker levels fill what is left, so that a
 * weak span never widens a strong one; its score is the evidence of its better half. An end lies
 * where a shot begins or ends, if that is within a bin.
 *
 * Of what the everyday words take away from a label (label_judge.h; here a sharper maximum, of
 * temperature 0.1) three tenths are their mean over the film: a label's moments are told from
 * the film's others, and there the words are noise as well. Drawn films
 * (models/demo/eval/label_films.py), mean average precision at a temporal IoU of 0.5, one change
 * at a time on 24 films: as it was 0.748; share of the words here 0.7 0.770, 0.5 0.762, 1.3
 * 0.692; temperature 0.1 0.762, 0.4 0.597; the clip's evidence alone 0.755, 0.7 of it 0.754, 0.3
 * 0.745; half or all of a bin its shot's mean 0.750; the better quarter or the whole of a span
 * 0.746, 0.751; the other labels as words too 0.746. Together, by levels: -0.3 -0.8 -1.3 0.738,
 * half more 0.671, 0.3, 0.6 and 0.9 less 0.775, 0.786, 0.781; these four 0.790. On 24 others,
 * seen with three of these but not tuned on: 0.772, now 0.815; at 0.75: 0.724, 0.784.
 *
 * Earlier, on 40 films of 1,220 true spans, at 0.5 and 0.75: one level 0.679 and 0.635; two
 * 0.792 and 0.731; three 0.817 and 0.730. Cost of a change 2: 0.816, 0.720; 4: 0.811, 0.738. */
#include "query/label_film.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double levels[] = {-0.7, -1.2, -1.7, -2.2};
enum { LEVELS = sizeof levels / sizeof *levels, MOST_BINS = 40000 };
static const double bin_seconds = 0.5, change = 3, most_for = 6, no_clip = -3, clip_share = 0.75,
                    share_here = 0.7;

typedef struct {
    ks_label_film *f;
    int bins;
    double seconds;  /* a bin */
    double from;     /* of the first bin, seconds */
    float *evidence; /* [bins, labels] */
    int *covers;     /* [bins] clips */
    /* [dim, columns] the judge's vectors, a column each: many frames against them at once */
    float *across;
    float *cosine;              /* [columns] of a frame */
    double *of_clip, *of_frame; /* [labels] */
    double *rest, *mean;        /* [labels] what the words take away: of a clip; of the film */
    uint8_t *taken, *on;        /* [bins] */
    uint8_t *back;              /* [bins, 2] where the best way to a state came from */
} timeline;

static int no_memory(ks_error *e) { return ks_fail(e, KS_ENOMEM, "no memory for labels"); }

static int bin_of(const timeline *t, int64_t ticks)
{
    double at = (ks_seconds(ticks, t->f->video.tb) - t->from) / t->seconds;
    return at < 0 ? 0 : at >= t->bins ? t->bins - 1 : (int)at;
}

/* The centre of bin b lies in [start, end). */
static int lies_in(const timeline *t, int b, int64_t start, int64_t end)
{
    double at = t->from + (b + 0.5) * t->seconds;
    return at >= ks_seconds(start, t->f->video.tb) && at < ks_seconds(end, t->f->video.tb);
}

static int open_timeline(timeline *t, ks_label_film *f, ks_error *e)
{
    const ks_label_judge *j = f->judge;
    size_t labels = (size_t)f->o->n_labels, columns = (size_t)f->columns, dim = (size_t)j->dim,
           bins;
    int64_t end = f->clips[0].end;
    double length;

    for (int i = 1; i < f->n; i++) end = f->clips[i].end > end ? f->clips[i].end : end;
    *t = (timeline){
        .f = f, .seconds = bin_seconds, .from = ks_seconds(f->clips[0].start, f->video.tb)};
    length = ks_seconds(end, f->video.tb) - t->from;
    if (length / t->seconds > MOST_BINS - 1) t->seconds = length / (MOST_BINS - 1);
    t->bins = (int)ceil(length / t->seconds);
    t->bins = t->bins < 1 ? 1 : t->bins;
    bins = (size_t)t->bins;
    t->evidence = calloc(bins * labels + 1, sizeof *t->evidence);
    t->covers = calloc(bins, sizeof *t->covers);
    t->across = malloc((columns * dim + 1) * sizeof *t->across);
    t->cosine = malloc((columns + 1) * sizeof *t->cosine);
    t->of_clip = malloc((labels + 1) * sizeof *t->of_clip);
    t->of_frame = malloc((labels + 1) * sizeof *t->of_frame);
    t->rest = malloc((labels + 1) * sizeof *t->rest);
    t->mean = malloc((labels + 1) * sizeof *t->mean);
    t->taken = malloc(bins);
    t->on = malloc(bins);
    t->back = malloc(bins * 2);
    if (!t->evidence || !t->covers || !t->across || !t->cosine || !t->of_clip || !t->of_frame ||
        !t->taken || !t->on || !t->back)
        return no_memory(e);
    for (size_t c = 0; c < columns; c++)
        for (size_t d = 0; d < dim; d++) t->across[d * columns + c] = j->q[c * dim + d];
    return 0;
}

static void close_timeline(timeline *t)
{
    free(t->evidence);
    free(t->covers);
    free(t->across);
    free(t->cosine);
    free(t->of_clip);
    free(t->of_frame);
    free(t->rest);
    free(t->mean);
    free(t->taken);
    free(t->on);
    free(t->back);
}

/* cosine[columns] of one frame; stored frames are rounded, their length is not quite 1. */
static void score_frame(timeline *t, const float *v)
{
    int columns = t->f->columns, dim = t->f->judge->dim;
    double length = sqrt(ks_dot(v, v, dim));

    memset(t->cosine, 0, (size_t)columns * sizeof *t->cosine);
    for (int d = 0; d < dim; d++) {
        const float *row = t->across + (size_t)d * (size_t)columns;
        float x = v[d];
        for (int c = 0; c < columns; c++) t->cosine[c] += x * row[c];
    }
    for (int c = 0; c < columns; c++)
        t->cosine[c] = (float)((double)t->cosine[c] / fmax(length, 1e-12));
}

static void add_to_bin(timeline *t, int b)
{
    float *to = t->evidence + (size_t)b * (size_t)t->f->o->n_labels;

    for (int l = 0; l < t->f->o->n_labels; l++)
        to[l] += (float)(clip_share * t->of_clip[l] + (1 - clip_share) * t->of_frame[l]);
    t->covers[b]++;
}

/* The bins of clip i whose centres lie in [from, to) of it. */
static void add_part(timeline *t, int64_t from, int64_t to)
{
    for (int b = bin_of(t, from); b < t->bins && b <= bin_of(t, to); b++)
        if (lies_in(t, b, from, to)) add_to_bin(t, b);
}

/* What the words take away on the film's clips in the mean. */
static void mean_rest(timeline *t)
{
    ks_label_film *f = t->f;
    int labels = f->o->n_labels;

    for (int l = 0; l < labels; l++) t->mean[l] = 0;
    for (int i = 0; i < f->n; i++) {
        ks_label_evidence(t->of_clip, t->rest, f->judge,
                          f->cosines + (size_t)i * (size_t)f->columns, f->words);
        for (int l = 0; l < labels; l++) t->mean[l] += t->rest[l] / f->n;
    }
}

/* share of it here, the rest as everywhere in the film */
static void evidence_of(timeline *t, double *evidence, const float *cosine)
{
    ks_label_evidence(evidence, t->rest, t->f->judge, cosine, t->f->words);
    for (int l = 0; l < t->f->o->n_labels; l++)
        evidence[l] += (1 - share_here) * (t->rest[l] - t->mean[l]);
}

static int add_clip(timeline *t, int i, ks_error *e)
{
    ks_label_film *f = t->f;
    const ks_clip *c = &f->clips[i];
    size_t labels = (size_t)f->o->n_labels, dim = (size_t)f->judge->dim;
    float *v = NULL;
    int frames = 0, err = ks_index_frame_vectors(&v, &frames, f->judge->dim, f->x, c->id, e);

    if (err < 0 && err != KS_EDAMAGED) return err;
    evidence_of(t, t->of_clip, f->cosines + (size_t)i * (size_t)f->columns);
    memcpy(t->of_frame, t->of_clip, labels * sizeof *t->of_frame);
    if (err < 0 || frames < 1) add_part(t, c->start, c->end);
    for (int k = 0; err == 0 && k < frames; k++) {
        int64_t length = c->end - c->start;
        score_frame(t, v + (size_t)k * dim);
        evidence_of(t, t->of_frame, t->cosine);
        add_part(t, c->start + length * k / frames, c->start + length * (k + 1) / frames);
    }
    free(v);
    return 0;
}

static void average_bins(timeline *t)
{
    int labels = t->f->o->n_labels;

    for (int b = 0; b < t->bins; b++)
        for (int l = 0; l < labels; l++) {
            float *x = &t->evidence[(size_t)b * (size_t)labels + (size_t)l];
            *x = t->covers[b] ? *x / (float)t->covers[b] : (float)no_clip;
        }
}

/* on[bins]: the likelier course of the two states; bins that are taken are off. 1: it is on
 * somewhere. */
static int smooth(timeline *t, int label, double level)
{
    double off = 0, on = -change;
    int any = 0;

    for (int b = 0; b < t->bins; b++) {
        double e = (double)t->evidence[(size_t)b * (size_t)t->f->o->n_labels + (size_t)label];
        double g = fmax(-most_for, fmin(most_for, (e - level) / KS_LABEL_WIDTH)) * t->seconds / 2;
        double from_on = on - change, from_off = off - change;
        g = t->taken[b] ? -most_for * t->seconds / 2 : g;
        t->back[2 * b] = off < from_on;
        t->back[2 * b + 1] = on >= from_off;
        off = fmax(off, from_on) - g;
        on = fmax(on, from_off) + g;
    }
    for (int b = t->bins - 1, state = on > off; b >= 0; b--) {
        t->on[b] = (uint8_t)state;
        any |= state;
        state = t->back[2 * b + state];
    }
    return any;
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

/* Mean evidence of the better half of bins [from, to). */
static int better_half(double *out, const timeline *t, int label, int from, int to)
{
    int n = to - from, half = n > 1 ? n / 2 : 1;
    float *v = malloc((size_t)n * sizeof *v);

    if (!v) return -1;
    for (int b = from; b < to; b++)
        v[b - from] = t->evidence[(size_t)b * (size_t)t->f->o->n_labels + (size_t)label];
    qsort(v, (size_t)n, sizeof *v, by_value);
    *out = 0;
    for (int i = 0; i < half; i++) *out += (double)v[i] / half;
    free(v);
    return 0;
}

static int64_t ticks_at(const timeline *t, double seconds)
{
    ks_timebase tb = t->f->video.tb;
    return (int64_t)llround(seconds * tb.den / tb.num);
}

static void nearest(int64_t *at, int64_t edge, int64_t wanted, int64_t *least)
{
    int64_t off = edge > wanted ? edge - wanted : wanted - edge;

    if (off < *least) {
        *least = off;
        *at = edge;
    }
}

/* The start (or end) of bin b, or where a clip begins (ends) with its shot, within a bin of it. */
static int64_t edge_at(const timeline *t, int b, int is_end)
{
    const ks_label_film *f = t->f;
    int64_t wanted = ticks_at(t, t->from + b * t->seconds), at = wanted,
            least = ticks_at(t, t->seconds) + 1;

    for (int i = 0; i < f->n; i++) {
        const ks_clip *c = &f->clips[i];
        int first = i == 0 || f->clips[i - 1].end <= c->start;
        if (is_end && c->reason != KS_REASON_WINDOW) nearest(&at, c->end, wanted, &least);
        if (!is_end && first) nearest(&at, c->start, wanted, &least);
    }
    return at;
}

static double cosine_in(const timeline *t, int label, int64_t start, int64_t end)
{
    const ks_label_film *f = t->f;
    double sum = 0;
    int n = 0;

    for (int i = 0; i < f->n; i++)
        if (f->clips[i].start < end && f->clips[i].end > start) {
            sum += (double)f->cosines[(size_t)i * (size_t)f->columns + (size_t)label];
            n++;
        }
    return n ? sum / n : 0;
}

static int add_span(timeline *t, int label, int from, int to, ks_error *e)
{
    double evidence, score;
    ks_label_span s = {.label = label, .rank = 1, .clips = 1};
    ks_label_span *span;

    if (better_half(&evidence, t, label, from, to) < 0) return no_memory(e);
    score = ks_label_score(evidence);
    if (score < ks_label_least(t->f->o, label)) return 0;
    s.start = edge_at(t, from, 0);
    s.end = edge_at(t, to, 1);
    if (s.end <= s.start) /* both went to where something else ends */
        return 0;
    s.score = score;
    s.cosine = cosine_in(t, label, s.start, s.end);
    if (!(span = ks_label_next_span(t->f))) return no_memory(e);
    *span = s;
    return 0;
}

static int label_spans(timeline *t, int label, ks_error *e)
{
    int err = 0;

    memset(t->taken, 0, (size_t)t->bins);
    for (int k = 0; k < LEVELS && err == 0; k++) {
        if (!smooth(t, label, levels[k])) continue;
        for (int b = 0, to; b < t->bins && err == 0; b = to) {
            for (to = b; to < t->bins && t->on[to] == t->on[b]; to++) t->taken[to] |= t->on[to];
            if (t->on[b]) err = add_span(t, label, b, to, e);
        }
    }
    return err;
}

/* --- one at a time, and what is left --- */
static int by_score(const void *a, const void *b)
{
    const ks_label_span *x = a, *y = b;

    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x->start != y->start ? (x->start > y->start) - (x->start < y->start)
                                : x->label - y->label;
}

static int by_start(const void *a, const void *b)
{
    const ks_label_span *x = a, *y = b;

    if (x->start != y->start) return x->start < y->start ? -1 : 1;
    return by_score(a, b);
}

/* What the better spans leave of s: its longest part; 0: nothing. */
static int cut_away(ks_label_span *s, const ks_label_span *better, int n)
{
    for (int i = 0; i < n && s->start < s->end; i++) {
        int64_t before = better[i].start - s->start, behind = s->end - better[i].end;
        if (better[i].start >= s->end || better[i].end <= s->start) continue;
        if (before >= behind) s->end = better[i].start;
        else s->start = better[i].end;
    }
    return s->start < s->end;
}

/* Which, not each: at every moment the better label alone. */
static void one_at_a_time(ks_label_film *f)
{
    int kept = 0;

    for (int i = 0; i < f->n_spans; i++) {
        ks_label_span s = f->spans[i];
        if (cut_away(&s, f->spans, kept)) f->spans[kept++] = s;
    }
    f->n_spans = kept;
}

/* 1 less the score of the label that is likeliest there, by its better half. */
static int doubt(ks_label_span *s, const timeline *t, ks_error *e)
{
    int from = bin_of(t, s->start), to = bin_of(t, s->end - 1) + 1, best = 0;
    double most = -HUGE_VAL, evidence;

    for (int l = 0; l < t->f->o->n_labels; l++) {
        if (better_half(&evidence, t, l, from, to) < 0) return no_memory(e);
        if (evidence <= most) continue;
        most = evidence;
        best = l;
    }
    s->score = 1 - ks_label_score(most);
    s->cosine = cosine_in(t, best, s->start, s->end);
    return 0;
}

/* Spans of nothing: what is seen of the film and is in no span, from a second on. spans[n] by
 * start. */
static int add_nothing(timeline *t, ks_error *e)
{
    ks_label_film *f = t->f;
    int n = f->n_spans, err = 0;
    int64_t at = f->clips[0].start, end = at, second = ticks_at(t, 1);

    for (int i = 0; i < f->n; i++) end = f->clips[i].end > end ? f->clips[i].end : end;
    for (int i = 0; i <= n && err == 0; i++) {
        int64_t to = i < n ? f->spans[i].start : end;
        ks_label_span *s = to - at >= second ? ks_label_next_span(f) : NULL;
        if (to - at >= second && !s) return no_memory(e);
        if (s) {
            *s = (ks_label_span){.label = -1, .rank = 1, .start = at, .end = to, .clips = 1};
            err = doubt(s, t, e);
        }
        at = i < n && f->spans[i].end > at ? f->spans[i].end : at;
    }
    return err;
}

int ks_label_intervals(ks_label_film *f, ks_error *e)
{
    timeline t;
    int err = open_timeline(&t, f, e);

    if (err == 0) mean_rest(&t);
    for (int i = 0; i < f->n && err == 0; i++) err = add_clip(&t, i, e);
    if (err == 0) average_bins(&t);
    for (int l = 0; l < f->o->n_labels && err == 0; l++) err = label_spans(&t, l, e);
    if (err == 0 && f->n_spans) {
        qsort(f->spans, (size_t)f->n_spans, sizeof *f->spans, by_score);
        if (!f->o->each) one_at_a_time(f);
        qsort(f->spans, (size_t)f->n_spans, sizeof *f->spans, by_start);
    }
    if (err == 0 && f->o->none && (err = add_nothing(&t, e)) == 0)
        qsort(f->spans, (size_t)f->n_spans, sizeof *f->spans, by_start);
    close_timeline(&t);
    return err;
}
