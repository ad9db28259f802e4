/* test_label_each.c - whether a label is there, and from when to when: against plain sums, and
 * on films made for it. */
#include "query/label_judge.h"
#include "tests/library_maker.h"
#include "tests/npz_build.h"
#include "tests/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LABELS = 6, DIM_MOST = 64, FRAMES = 4, MOST_ROWS = 4000 };
static const char *const names[LABELS] = {
    "dog", "cat", "a lake", "traffic jam", "people at a barbecue", "a red tram"};
static const char *const bare[] = {"{}"};
static char folder[64], library[80];
static ks_encoder *enc;
static ks_index *x;
static ks_scale *scale;
static float label[LABELS][DIM_MOST];
static int D;
static ks_error e;

typedef struct {
    ks_label_row at[MOST_ROWS];
    int n;
} rows;
static rows got;

static int take(void *arg, const ks_label_row *row)
{
    rows *r = arg;
    ck_assert_int_lt(r->n, MOST_ROWS);
    r->at[r->n++] = *row;
    return 0;
}

static void run(const ks_label_options *asked)
{
    ks_label_options o = *asked;
    o.labels = names;
    o.n_labels = LABELS;
    o.templates = bare;
    o.n_templates = 1;
    o.scale = scale;
    got.n = 0;
    MUST(ks_label(x, enc, &o, take, &got, &e));
}

static void unit(float *v)
{
    double length = sqrt(ks_dot(v, v, D));
    for (int d = 0; d < D; d++) v[d] = (float)(v[d] / length);
}

/* What is seen at a second of the film: label `shown`, or noise; never quite the label itself. */
static void look(float *v, int shown, uint64_t seed)
{
    lib_vector(v, D, 0, seed);
    for (int d = 0; d < D && shown >= 0; d++) v[d] = label[shown][d] + 0.15f * v[d];
    unit(v);
}

/* Label 1 is shown from 20 to 44 s, 3 from 60 to 72 s, 5 from 70 to 90 s. */
static int shown_at(double t)
{
    return t >= 20 && t < 44 ? 1 : t >= 60 && t < 70 ? 3 : t >= 70 && t < 90 ? 5 : -1;
}

static void add_film(const char *path, uint64_t content)
{
    enum { CLIPS = 30 };
    static float v[CLIPS][DIM_MOST], f[CLIPS][FRAMES][DIM_MOST];
    ks_clip_data clips[CLIPS];
    ks_video video = {.path = path,
                      .stat.size = 1,
                      .reason = "",
                      .verdict = KS_VERDICT_INDEXED,
                      .tb = {1, 1000},
                      .duration = 124000,
                      .width = 16,
                      .height = 16,
                      .fps = 25};
    memcpy(video.content, &content, sizeof content);
    for (int i = 0; i < CLIPS; i++) {
        memset(v[i], 0, sizeof v[i]);
        for (int k = 0; k < FRAMES; k++) {
            look(f[i][k], content == 1 ? shown_at(4 * i + 2 * k + 1) : -1,
                 content * 1000 + (uint64_t)(i * 8 + k));
            for (int d = 0; d < D; d++) v[i][d] += f[i][k][d];
        }
        unit(v[i]);
        clips[i] = (ks_clip_data){
            .clip = {.start = 4000 * i,
                     .end = 4000 * i + 8000,
                     .frames = FRAMES,
                     .reason = i == CLIPS - 1 ? KS_REASON_TAIL : KS_REASON_WINDOW},
            .vector = v[i],
            .frame_vectors = (const float *)f[i]};
        if (sizeof f[i] != (size_t)(FRAMES * D) * sizeof(float)) /* rows of D, not of DIM_MOST */
            for (int k = 0; k < FRAMES; k++)
                memmove((float *)f[i] + k * D, f[i][k], (size_t)D * sizeof(float));
    }
    MUST(ks_index_add_video(&video.id, x, &video, &e));
    MUST(ks_index_add_clips(x, video.id, clips, CLIPS, &e));
    MUST(ks_index_end_video(x, &video, &e));
}

/* 8 s: clips of 0 - 4, 2 - 6 and 4 - 8 s; label 2 is shown up to 3 s, label 4 from 5 s on. */
static void add_short_film(void)
{
    static float v[3][DIM_MOST], f[3][FRAMES * DIM_MOST];
    ks_clip_data clips[3];
    ks_video video = {.path = "/films/c.mp4",
                      .stat.size = 1,
                      .content = {3},
                      .reason = "",
                      .verdict = KS_VERDICT_INDEXED,
                      .tb = {1, 1000},
                      .duration = 8000,
                      .width = 16,
                      .height = 16,
                      .fps = 25};
    for (int i = 0; i < 3; i++) {
        double start = 2 * i, end = start + 4;
        memset(v[i], 0, sizeof v[i]);
        for (int k = 0; k < FRAMES; k++) {
            double at = start + (end - start) * (k + 0.5) / FRAMES;
            float *to = f[i] + k * D;
            look(to, at < 3 ? 2 : at > 5 ? 4 : -1, 31000 + (uint64_t)(i * 8 + k));
            for (int d = 0; d < D; d++) v[i][d] += to[d];
        }
        unit(v[i]);
        clips[i] = (ks_clip_data){.clip = {.start = (int64_t)(start * 1000),
                                           .end = (int64_t)(end * 1000),
                                           .frames = FRAMES,
                                           .reason = i == 2 ? KS_REASON_TAIL : KS_REASON_WINDOW},
                                  .vector = v[i],
                                  .frame_vectors = f[i]};
    }
    MUST(ks_index_add_video(&video.id, x, &video, &e));
    MUST(ks_index_add_clips(x, video.id, clips, 3, &e));
    MUST(ks_index_end_video(x, &video, &e));
}

static void setup(void)
{
    char cache[96];
    ks_temp_folder(folder);
    snprintf(cache, sizeof cache, "%s/cache", folder);
    snprintf(library, sizeof library, "%s/lib", folder);
    ks_encoder_options o = {.model = "tests/fixtures/lvt.npz",
                            .towers = KS_TOWER_TEXT,
                            .precision = KS_FP32,
                            .threads = 2,
                            .cache = cache};
    MUST(ks_encoder_open(&enc, &o, &e));
    const ks_info *info = ks_encoder_info(enc);
    D = info->dim;
    ck_assert_int_le(D, DIM_MOST);
    for (int l = 0; l < LABELS; l++) MUST(ks_text_vector(label[l], enc, names[l], &e));
    ks_space space = {.dim = D, .frames = FRAMES, .sampler = 1, .resize = 10};
    memcpy(space.model, info->hash, sizeof space.model);
    MUST(ks_index_open(&x, library, KS_CREATE, &e));
    MUST(ks_index_set_space(x, &space, "", "", &e));
    add_film("/films/a.mp4", 1);
    add_film("/films/b.mp4", 2);
    add_short_film();
    MUST(ks_scale_open(&scale, x, enc, &e));
}

static void teardown(void)
{
    ks_scale_close(scale);
    ks_index_close(x);
    ks_encoder_close(enc);
    ks_remove_folder(folder);
}

/* In the plainest way: z of the label less the soft maximum over the words that do not say
 * nearly the same; *rest: that. Over time it is sharper. */
static double plain_parts(double *rest, const float *clip, int l, int over_time)
{
    double soft = over_time ? 0.1 : 0.2;
    int words = ks_everyday_count();
    double mean = 0, squares = 0, *near = malloc((size_t)words * sizeof *near),
           *z = malloc((size_t)words * sizeof *z), sum = 0;
    float v[DIM_MOST];
    for (int w = 0; w < words; w++) {
        ck_assert_int_eq(ks_text_vector(v, enc, ks_everyday_word(w), &e), 0);
        near[w] = ks_dot(v, label[l], D);
        z[w] = (ks_dot(v, clip, D) - ks_scale_level(scale, v)) / scale->median;
        mean += near[w] / words;
    }
    for (int w = 0; w < words; w++) squares += (near[w] - mean) * (near[w] - mean) / words;
    for (int w = 0; w < words; w++)
        if (near[w] - mean <= 3.5 * sqrt(squares) && near[w] <= 0.999) sum += exp(z[w] / soft);
    free(near);
    free(z);
    *rest = soft * log(sum);
    return (ks_dot(label[l], clip, D) - ks_scale_level(scale, label[l])) / scale->median - *rest;
}

static double plain_evidence(const float *clip, int l)
{
    double rest;
    return plain_parts(&rest, clip, l, 0);
}

static double score_of(double evidence) { return 1 / (1 + exp(-(evidence + 0.6) / 0.3)); }

static double plain_score(const float *clip, int l) { return score_of(plain_evidence(clip, l)); }

START_TEST(scores_are_what_they_are_said_to_be)
{
    float v[DIM_MOST];
    run(&(ks_label_options){.each = 1, .apart = 1, .least = -1, .filter = {.video = 1}});
    ck_assert_int_eq(got.n, 30 * LABELS);
    for (int i = 0; i < got.n; i += 7) {
        const ks_label_row *r = &got.at[i];
        ck_assert_int_eq(r->start % 4000, 0);
        MUST(ks_index_clip_vector(v, D, x, 1 + r->start / 4000, &e));
        ck_assert_msg(fabs(r->score - plain_score(v, r->label)) < 1e-4,
                      "row %d: %g, by plain sums %g", i, r->score, plain_score(v, r->label));
        ck_assert(fabs(r->cosine - ks_dot(v, label[r->label], D)) < 1e-5);
    }
}
END_TEST

/* Of a clip its labels are ranked by score; a threshold of its own, --least, -k and none are
 * kept to. */
START_TEST(what_is_there_and_what_is_not)
{
    ks_label_def defs[LABELS] = {{0}};
    double best[30] = {0};
    int over = 0;
    run(&(ks_label_options){.each = 1, .apart = 1, .least = -1, .filter = {.video = 1}});
    rows all = got;
    for (int i = 0; i < all.n; i++) {
        double *b = &best[all.at[i].start / 4000];
        *b = fmax(*b, all.at[i].score);
        over += all.at[i].score >= 0.5;
    }
    run(&(ks_label_options){.each = 1, .apart = 1, .none = 1, .filter = {.video = 1}});
    for (int i = 0; i < got.n; i++) {
        const ks_label_row *r = &got.at[i];
        if (r->label < 0)
            ck_assert(best[r->start / 4000] < 0.5 &&
                      fabs(r->score - (1 - best[r->start / 4000])) < 1e-9);
        else ck_assert(r->score >= 0.5 && over-- > 0);
        ck_assert(i == 0 || r->start != got.at[i - 1].start ||
                  (r->rank == got.at[i - 1].rank + 1 && r->score <= got.at[i - 1].score));
    }
    ck_assert_int_eq(over, 0);
    run(&(ks_label_options){.each = 1, .apart = 1, .k = 1, .filter = {.video = 1}});
    for (int i = 0; i < got.n; i++)
        ck_assert(got.at[i].rank == 1 &&
                  fabs(got.at[i].score - best[got.at[i].start / 4000]) < 1e-9);
    for (int l = 0; l < LABELS; l++)
        defs[l] = (ks_label_def){.name = names[l], .parent = "", .threshold = l == 1 ? 0.9 : 1};
    run(&(ks_label_options){.each = 1, .apart = 1, .defs = defs, .filter = {.video = 1}});
    for (int i = 0; i < got.n; i++) ck_assert(got.at[i].score >= (got.at[i].label == 1 ? 0.9 : 1));
    run(&(ks_label_options){.none = 1, .apart = 1, .filter = {.video = 1}}); /* which, or none */
    ck_assert_int_eq(got.n, 30);
    for (int i = 0; i < got.n; i++)
        ck_assert_int_eq(got.at[i].label < 0, best[got.at[i].start / 4000] < 0.5);
}
END_TEST

static void has_span(int l, double from, double to)
{
    int found = 0;
    for (int i = 0; i < got.n; i++) {
        const ks_label_row *r = &got.at[i];
        found += r->video == 1 && r->label == l && fabs((double)r->start / 1000 - from) <= 2.01 &&
                 fabs((double)r->end / 1000 - to) <= 2.01 && r->score > 0.5;
    }
    ck_assert_msg(found == 1, "label %d from %g to %g: %d times", l, from, to, found);
}

START_TEST(from_when_to_when)
{
    run(&(ks_label_options){.intervals = 1, .each = 1});
    has_span(1, 20, 44);
    has_span(3, 60, 70);
    has_span(5, 70, 90);
    for (int i = 0; i < got.n; i++)
        ck_assert(got.at[i].rank == 1 && got.at[i].end > got.at[i].start && got.at[i].score >= 0.5);
}
END_TEST

/* One at a time: no two at a moment, and with `none` every moment of the film from 0 to 124 s is
 * in one, but holes of less than a second. */
START_TEST(one_at_a_time_and_the_rest)
{
    for (int least = -1; least <= 0; least++) {
        int64_t at = 0;
        run(&(ks_label_options){.intervals = 1, .none = 1, .least = least, .filter = {.video = 1}});
        ck_assert_int_gt(got.n, 3);
        for (int i = 0; i < got.n; i++) {
            ck_assert(got.at[i].start >= at && got.at[i].start - at < 1000 &&
                      got.at[i].end > got.at[i].start);
            at = got.at[i].end;
        }
        ck_assert(at > 123000 && at <= 124000);
    }
    has_span(1, 20, 44);
    has_span(5, 70, 90);
}
END_TEST

START_TEST(whole_films)
{
    double best[LABELS] = {0};
    run(&(ks_label_options){.each = 1, .apart = 1, .least = -1});
    for (int i = 0; i < got.n; i++)
        if (got.at[i].video == 1)
            best[got.at[i].label] = fmax(best[got.at[i].label], got.at[i].score);
    run(&(ks_label_options){.each = 1, .per_video = 1, .none = 1});
    for (int i = 0; i < got.n; i++)
        if (got.at[i].video == 1)
            ck_assert(got.at[i].label >= 0 && got.at[i].score >= 0.5 &&
                      fabs(got.at[i].score - best[got.at[i].label]) < 1e-9);
    for (int l = 0; l < LABELS; l++) {
        int n = 0;
        for (int i = 0; i < got.n; i++) n += got.at[i].video == 1 && got.at[i].label == l;
        ck_assert_int_eq(n, best[l] >= 0.5);
    }
}
END_TEST

/* --- intervals by plain sums and every course of on and off there is --- */
enum { BINS = 16, SHORT = 3 };

/* Of a clip or a frame: three tenths of what is taken away are the mean of the film's clips. */
static double over_time(const float *v, int l, const double *mean)
{
    double rest, whole = plain_parts(&rest, v, l, 1);
    return whole + 0.3 * (rest - mean[l]);
}

static void mean_rest(double mean[LABELS])
{
    ks_filter filter = {.video = SHORT};
    ks_cursor *c = NULL;
    ks_clip clip;
    int n = 0;
    memset(mean, 0, LABELS * sizeof *mean);
    MUST(ks_index_clips(&c, x, &filter, &e));
    for (; ks_clips_next(&clip, c, &e) > 0; n++)
        for (int l = 0; l < LABELS; l++) {
            float v[DIM_MOST];
            double rest;
            MUST(ks_index_clip_vector(v, D, x, clip.id, &e));
            plain_parts(&rest, v, l, 1);
            mean[l] += rest;
        }
    ks_cursor_close(c);
    for (int l = 0; l < LABELS; l++) mean[l] /= n;
}

/* e of every half second: the mean over the clips that cover its middle, three quarters the
 * clip's, one that of its frame there. */
static void plain_bins(double bins[LABELS][BINS])
{
    int covers[BINS] = {0};
    ks_filter filter = {.video = SHORT};
    ks_cursor *c = NULL;
    ks_clip clip;
    double mean[LABELS];
    mean_rest(mean);
    memset(bins, 0, sizeof(double) * LABELS * BINS);
    MUST(ks_index_clips(&c, x, &filter, &e));
    while (ks_clips_next(&clip, c, &e) > 0) {
        float v[DIM_MOST], *frames = NULL;
        int n = 0;
        MUST(ks_index_clip_vector(v, D, x, clip.id, &e));
        MUST(ks_index_frame_vectors(&frames, &n, D, x, clip.id, &e));
        ck_assert_int_eq(n, FRAMES);
        for (int k = 0; k < n; k++) unit(frames + k * D);
        for (int b = 0; b < BINS; b++) {
            int64_t at = 500 * b + 250;
            if (at < clip.start || at >= clip.end) continue;
            int k = (int)((at - clip.start) * n / (clip.end - clip.start));
            covers[b]++;
            for (int l = 0; l < LABELS; l++)
                bins[l][b] += 0.75 * over_time(v, l, mean) +
                              0.25 * over_time(frames + k * D, l, mean);
        }
        free(frames);
    }
    ks_cursor_close(c);
    for (int b = 0; b < BINS; b++)
        for (int l = 0; l < LABELS; l++) bins[l][b] /= covers[b];
}

/* The best course of all: bit b, on in bin b. A change costs 3, a bin what speaks for it. */
static unsigned best_course(const double *bins, double level, unsigned taken)
{
    double most = -HUGE_VAL;
    unsigned best = 0;
    for (unsigned on = 0; on < 1u << BINS; on++) {
        double sum = 0;
        for (int b = 0, state = 0; b < BINS; b++) {
            double g = fmax(-6, fmin(6, (bins[b] - level) / 0.3)) / 4;
            int is = on >> b & 1;
            if (taken >> b & 1) g = -1.5;
            sum += (is ? g : -g) - 3 * (is != state);
            state = is;
        }
        if (sum > most) {
            most = sum;
            best = on;
        }
    }
    return best;
}

static double better_half(const double *bins, int from, int to)
{
    double sum = 0;
    int n = to - from, half = n > 1 ? n / 2 : 1, used[BINS] = {0};
    for (int i = 0; i < half; i++) {
        int top = -1;
        for (int b = from; b < to; b++)
            if (!used[b] && (top < 0 || bins[b] > bins[top])) top = b;
        used[top] = 1;
        sum += bins[top] / half;
    }
    return sum;
}

static int is_among_got(int l, int64_t start, int64_t end, double score)
{
    for (int i = 0; i < got.n; i++)
        if (got.at[i].label == l && got.at[i].start == start && got.at[i].end == end &&
            fabs(got.at[i].score - score) < 1e-3)
            return 1;
    return 0;
}

/* Ends lie on half seconds, or where the film begins and ends, half a second around it. */
START_TEST(intervals_are_the_best_course)
{
    static const double levels[] = {-0.7, -1.2, -1.7, -2.2};
    double bins[LABELS][BINS];
    int n = 0;
    plain_bins(bins);
    run(&(ks_label_options){.intervals = 1, .each = 1, .least = -1, .filter = {.video = SHORT}});
    for (int l = 0; l < LABELS; l++) {
        unsigned taken = 0;
        for (int k = 0; k < 4; k++) {
            unsigned on = best_course(bins[l], levels[k], taken);
            for (int b = 0, to; b < BINS; b = to) {
                for (to = b; to < BINS && (on >> to & 1) == (on >> b & 1); to++) {}
                if (!(on >> b & 1)) continue;
                int64_t start = b <= 1 ? 0 : 500 * b, end = to >= BINS - 1 ? 8000 : 500 * to;
                double score = score_of(better_half(bins[l], b, to));
                ck_assert_msg(is_among_got(l, start, end, score), "label %d, %d - %d, %g", l,
                              (int)start, (int)end, score);
                n++;
            }
            taken |= on;
        }
    }
    ck_assert_int_eq(got.n, n);
    ck_assert_int_ge(n, 2);
    printf("%d intervals\n", n);
}
END_TEST

/* What lies beside the spans: 1 less the best label's score there. */
START_TEST(intervals_of_nothing)
{
    double bins[LABELS][BINS];
    int n = 0;
    plain_bins(bins);
    run(&(ks_label_options){.intervals = 1, .each = 1, .none = 1, .filter = {.video = SHORT}});
    for (int i = 0; i < got.n; i++) {
        const ks_label_row *r = &got.at[i];
        double most = -HUGE_VAL;
        if (r->label >= 0) continue;
        for (int l = 0; l < LABELS; l++)
            most = fmax(most,
                        better_half(bins[l], (int)(r->start / 500), (int)((r->end + 499) / 500)));
        ck_assert_msg(fabs(r->score - (1 - score_of(most))) < 1e-3, "%g, by plain sums %g",
                      r->score, 1 - score_of(most));
        n++;
    }
    ck_assert_int_ge(n, 1);
}
END_TEST

/* Which of these, of a clip and of a whole film: a softmax of the stored vectors. */
START_TEST(which_is_a_softmax)
{
    double best[LABELS] = {0}, sums = 0;
    int at[30] = {0};
    run(&(ks_label_options){.apart = 1, .k = LABELS, .filter = {.video = 1}});
    ck_assert_int_eq(got.n, 30 * LABELS);
    for (int i = 0; i < got.n; i++) {
        const ks_label_row *r = &got.at[i];
        float v[DIM_MOST];
        double sum = 0, score;
        MUST(ks_index_clip_vector(v, D, x, 1 + r->start / 4000, &e));
        for (int l = 0; l < LABELS; l++) sum += exp(100 * ks_dot(v, label[l], D));
        score = exp(100 * ks_dot(v, label[r->label], D)) / sum;
        ck_assert_msg(fabs(score - r->score) < 1e-4, "%g, by plain sums %g", r->score, score);
        best[r->label] = fmax(best[r->label], score);
        ck_assert_int_eq(r->rank, ++at[r->start / 4000]);
    }
    run(&(ks_label_options){.per_video = 1, .k = LABELS, .filter = {.video = 1}});
    ck_assert_int_eq(got.n, LABELS);
    for (int i = 0; i < got.n; i++) {
        ck_assert(fabs(got.at[i].score - best[got.at[i].label]) < 1e-4);
        ck_assert(got.at[i].start == 0 && got.at[i].end == 124000);
        ck_assert(i == 0 || got.at[i].score <= got.at[i - 1].score);
        sums += got.at[i].score;
    }
    ck_assert_msg(sums > 1.5, "three labels are shown, and their scores sum to %g", sums);
}
END_TEST

/* Without templates: whether is asked in the words as they stand, which by the 28. */
START_TEST(the_words_as_they_stand)
{
    static const ks_label_options ways[] = {
        {.each = 1, .least = -1}, {.none = 1}, {.intervals = 1, .least = -1}, {.k = LABELS}};
    for (size_t i = 0; i < 4; i++) {
        ks_label_options o = ways[i];
        run(&o);
        rows *want = malloc(sizeof *want);
        ck_assert_ptr_nonnull(want);
        *want = got;
        o.labels = names;
        o.n_labels = LABELS;
        o.scale = scale;
        got.n = 0;
        MUST(ks_label(x, enc, &o, take, &got, &e));
        int same = want->n == got.n;
        for (int k = 0; k < got.n && same; k++)
            same = fabs(got.at[k].score - want->at[k].score) < 1e-6;
        ck_assert_int_eq(same, i < 3);
        free(want);
    }
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("label_each");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, scores_are_what_they_are_said_to_be);
    tcase_add_test(t, what_is_there_and_what_is_not);
    tcase_add_test(t, from_when_to_when);
    tcase_add_test(t, one_at_a_time_and_the_rest);
    tcase_add_test(t, whole_films);
    tcase_add_test(t, intervals_are_the_best_course);
    tcase_add_test(t, intervals_of_nothing);
    tcase_add_test(t, which_is_a_softmax);
    tcase_add_test(t, the_words_as_they_stand);
    return ks_run_case("label_each", t);
}
