/* test_eval.c - every measure of eval against brute force, on random, tied, many-to-many and
 * missing sets. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "eval/eval.h"
#include "tests/suite.h"

static uint64_t state;

static uint32_t draw(uint32_t n)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % n;
}

/* Small whole numbers, so that ties come of themselves, also of directions of different length;
 * equal rows now and then; never zero. */
static void draw_vectors(ks_eval_vectors *v, int64_t n, int64_t dim, int missing)
{
    ks_error e = {0};
    ck_assert_int_eq(ks_eval_room(v, n, dim, &e), 0);
    double x[16];
    for (int64_t i = 0; i < n; i++) {
        if (missing && draw(6) == 0) continue;
        for (int64_t d = 0; d < dim; d++) x[d] = (double)draw(3) - 1;
        x[0] += 3;
        if (i > 0 && v->has[i - 1] && draw(3) == 0)
            memcpy(x, v->x + (i - 1) * dim, (size_t)dim * sizeof *x);
        double length = draw(3) ? 1 + 0.1 * (double)draw(90) : 1;
        for (int64_t d = 0; d < dim; d++) x[d] *= length;
        ck_assert_int_eq(ks_eval_put(v, i, x), 0);
    }
}

/* Rows of a set without files: ids are numbers, or classes by number of text modulo `classes`. */
typedef struct {
    ks_eval_set set;
    ks_eval_vectors videos, texts;
} world;

static void make_world(world *w, ks_eval_task task, int64_t n, int64_t m, int64_t classes)
{
    memset(w, 0, sizeof *w);
    int missing = (int)draw(2);
    draw_vectors(&w->videos, n, 1 + draw(12), missing);
    draw_vectors(&w->texts, m, w->videos.dim, missing);
    w->set = (ks_eval_set){.task = task,
                           .videos = {calloc((size_t)n, sizeof(ks_eval_row)), n},
                           .texts = {calloc((size_t)m, sizeof(ks_eval_row)), m}};
    w->set.pairs = calloc((size_t)(n * m), sizeof *w->set.pairs);
    w->set.class_of = calloc((size_t)m, sizeof *w->set.class_of);
    for (int64_t i = 0; i < m; i++) w->set.class_of[i] = i % classes;
}

static void pair(world *w, int64_t question, int64_t video, int64_t text, int right)
{
    w->set.pairs[w->set.n_pairs++] = (ks_eval_pair){
        .question = question, .video = video, .text = text, .right = right};
}

static void free_world(world *w)
{
    ks_eval_vectors_free(&w->videos);
    ks_eval_vectors_free(&w->texts);
    ks_eval_set_free(&w->set);
}

/* Cosines of these rows differ by more than this, or by rounding alone. */
static const double rounding = 1e-12;

static double cosine(const world *w, int64_t v, int64_t t)
{
    double s = 0;
    if (!w->videos.has[v] || !w->texts.has[t]) return -INFINITY;
    for (int64_t d = 0; d < w->videos.dim; d++)
        s += w->videos.x[v * w->videos.dim + d] * w->texts.x[t * w->videos.dim + d];
    return s;
}

static int is_right(const world *w, int64_t v, int64_t t)
{
    for (int64_t i = 0; i < w->set.n_pairs; i++)
        if (w->set.pairs[i].video == v && w->set.pairs[i].text == t) return 1;
    return 0;
}

/* Rank by the words of the definition; 0: no query; below 0: missing, no hit in any gallery. */
static int64_t plain_rank(const world *w, int64_t query, int from_texts, int64_t gallery)
{
    double best = -INFINITY;
    int any = 0;
    for (int64_t g = 0; g < gallery; g++) {
        int64_t v = from_texts ? g : query, t = from_texts ? query : g;
        if (!is_right(w, v, t)) continue;
        any = 1;
        if (cosine(w, v, t) > best) best = cosine(w, v, t);
    }
    if (!any) return 0;
    if (isinf(best)) return -gallery;
    int64_t rank = 1;
    for (int64_t g = 0; g < gallery; g++) {
        int64_t v = from_texts ? g : query, t = from_texts ? query : g;
        rank += !is_right(w, v, t) && cosine(w, v, t) >= best - rounding;
    }
    return rank;
}

static void check_ranks(const world *w, const ks_eval_ranks *got, int from_texts)
{
    int64_t queries = from_texts ? w->texts.n : w->videos.n,
            gallery = from_texts ? w->videos.n : w->texts.n, n = 0, first = 0, ten = 0;
    double sum = 0, below = 0, not_above = 0;
    for (int64_t q = 0; q < queries; q++) {
        int64_t r = plain_rank(w, q, from_texts, gallery);
        if (r == 0) continue;
        n++;
        first += r == 1;
        ten += r > 0 && r <= 10;
        r = llabs(r);
        sum += (double)r;
        below += (double)r < got->median_rank;
        not_above += (double)r <= got->median_rank;
    }
    ck_assert_int_eq(got->n, n);
    if (n == 0) {
        ck_assert(isnan(got->r1));
        return;
    }
    ck_assert_double_eq_tol(got->r1, (double)first / (double)n, 1e-12);
    ck_assert_double_eq_tol(got->r10, (double)ten / (double)n, 1e-12);
    ck_assert_double_eq_tol(got->mean_rank, sum / (double)n, 1e-9);
    ck_assert(2 * below <= (double)n && 2 * not_above >= (double)n); /* what a median is */
    ck_assert(got->r1_low <= got->r1 && got->r1 <= got->r1_high);
}

START_TEST(retrieval_as_defined)
{
    for (int seed = 1; seed <= 400; seed++) {
        world w;
        ks_error e = {0};
        ks_eval_retrieval_figures r;
        state = (uint64_t)seed;
        int64_t n = 1 + draw(23), m = 1 + draw(23);
        make_world(&w, KS_EVAL_RETRIEVAL, n, m, m);
        for (int64_t v = 0; v < n; v++)
            for (int64_t t = 0; t < m; t++)
                if (draw((uint32_t)m) < 2) pair(&w, 0, v, t, 1);
        ck_assert_msg(ks_eval_retrieval(&r, &w.set, &w.videos, &w.texts, &e) == 0, "seed %d: %s",
                      seed, e.msg);
        ck_assert_int_eq(r.missing, w.videos.missing + w.texts.missing);
        check_ranks(&w, &r.t2v, 1);
        check_ranks(&w, &r.v2t, 0);
        free_world(&w);
    }
}
END_TEST

START_TEST(classes_as_defined)
{
    for (int seed = 1; seed <= 300; seed++) {
        world w;
        ks_error e = {0};
        ks_eval_classify_figures r;
        state = (uint64_t)seed * 77;
        int64_t n = 1 + draw(30), classes = 2 + draw(9), m = classes * (1 + draw(3)), first = 0,
                five = 0, present = 0;
        make_world(&w, KS_EVAL_CLASSIFY, n, m, classes);
        for (int64_t v = 0; v < n; v++) pair(&w, 0, v, draw((uint32_t)classes), 1);
        ck_assert_msg(ks_eval_average_classes(&w.texts, &w.set, &e) == 0, "seed %d: %s", seed,
                      e.msg);
        ck_assert_int_eq(ks_eval_classify(&r, &w.set, &w.videos, &w.texts, &e), 0);
        double hits[16] = {0}, all[16] = {0}, mean = 0;
        for (int64_t i = 0; i < n; i++) {
            int64_t v = w.set.pairs[i].video, right = w.set.pairs[i].text, rank = 1;
            double s = cosine(&w, v, right);
            for (int64_t c = 0; c < classes; c++)
                rank += c != right && cosine(&w, v, c) >= s - rounding;
            first += !isinf(s) && rank == 1;
            five += !isinf(s) && rank <= 5;
            hits[right] += !isinf(s) && rank == 1;
            all[right]++;
        }
        for (int64_t c = 0; c < classes; c++) {
            if (all[c] == 0) continue;
            mean += hits[c] / all[c];
            present++;
        }
        ck_assert_int_eq(r.classes, classes);
        ck_assert_double_eq_tol(r.top1, (double)first / (double)n, 1e-12);
        ck_assert_double_eq_tol(r.top5, (double)five / (double)n, 1e-12);
        ck_assert_double_eq_tol(r.mean_class_top1, mean / (double)present, 1e-9);
        free_world(&w);
    }
}
END_TEST

/* Area under the steps, threshold by threshold, quadratic; scores of -Inf are never found. */
static double plain_precision(const double *score, const uint8_t *right, int n)
{
    double sum = 0, before = 0, all = 0;
    for (int i = 0; i < n; i++) all += right[i];
    for (double last = INFINITY;;) {
        double next = -INFINITY, hits = 0, seen = 0;
        for (int i = 0; i < n; i++)
            if (score[i] < last - rounding && score[i] > next) next = score[i];
        if (isinf(next)) return sum;
        for (int i = 0; i < n; i++) {
            seen += score[i] >= next - rounding;
            hits += score[i] >= next - rounding && right[i];
        }
        sum += (hits / all - before) * hits / seen;
        before = hits / all;
        last = next;
    }
}

START_TEST(average_precision_as_defined)
{
    for (int seed = 1; seed <= 300; seed++) {
        double score[40], got;
        uint8_t right[40];
        ks_error e = {0};
        state = (uint64_t)seed * 1009;
        int n = 1 + (int)draw(40), any = 0;
        for (int i = 0; i < n; i++) {
            score[i] = (double)draw(9) / 8;
            any |= right[i] = (uint8_t)(draw(3) == 0);
        }
        ck_assert_int_eq(ks_average_precision(&got, score, right, n, &e), 0);
        if (!any) ck_assert(isnan(got));
        else ck_assert_msg(fabs(got - plain_precision(score, right, n)) < 1e-12, "seed %d", seed);
    }
    /* Figures that scikit-learn 1.3 gives for the same lists. */
    double got, score[4] = {0.1, 0.4, 0.35, 0.8};
    ks_error e = {0};
    ck_assert_int_eq(ks_average_precision(&got, score, (uint8_t[4]){0, 0, 1, 1}, 4, &e), 0);
    ck_assert_double_eq_tol(got, 0.8333333333333333, 1e-15);
}
END_TEST

START_TEST(multilabel_as_defined)
{
    for (int seed = 1; seed <= 300; seed++) {
        world w;
        ks_error e = {0};
        ks_eval_multilabel_figures r;
        state = (uint64_t)seed * 4099;
        int64_t n = 1 + draw(30), classes = 1 + draw(9), m = classes * (1 + draw(3)), judged = 0;
        double sum = 0;
        make_world(&w, KS_EVAL_MULTILABEL, n, m, classes);
        for (int64_t v = 0; v < n; v++)
            for (int64_t c = 0; c < classes; c++)
                if (draw(4) == 0) pair(&w, 0, v, c, 1);
        ck_assert_int_eq(ks_eval_average_classes(&w.texts, &w.set, &e), 0);
        ck_assert_int_eq(ks_eval_multilabel(&r, &w.set, &w.videos, &w.texts, &e), 0);
        for (int64_t c = 0; c < classes; c++) {
            double score[32];
            uint8_t right[32];
            int any = 0;
            for (int64_t v = 0; v < n; v++) {
                score[v] = cosine(&w, v, c);
                any |= right[v] = (uint8_t)is_right(&w, v, c);
            }
            judged += any;
            if (any) sum += plain_precision(score, right, (int)n);
        }
        ck_assert_int_eq(r.classes_with_none, classes - judged);
        if (judged == 0) ck_assert(isnan(r.map));
        else
            ck_assert_msg(fabs(r.map - sum / (double)judged) < 1e-9, "seed %d: %.12g, not %.12g",
                          seed, r.map, sum / (double)judged);
        free_world(&w);
    }
}
END_TEST

/* A film without a vector is never found: two of three right ones are there, first and second. */
START_TEST(missing_films_earn_nothing)
{
    double got;
    ks_error e = {0};
    ck_assert_int_eq(ks_average_precision(&got, (double[4]){0.9, 0.8, -INFINITY, -INFINITY},
                                          (uint8_t[4]){1, 1, 1, 0}, 4, &e),
                     0);
    ck_assert_double_eq_tol(got, 2.0 / 3, 1e-15);
    ck_assert_int_eq(ks_average_precision(&got, (double[1]){-INFINITY}, (uint8_t[1]){1}, 1, &e), 0);
    ck_assert_double_eq(got, 0);
}
END_TEST

/* The same direction at other lengths: its cosines differ by the rounding of the lengths alone. */
START_TEST(directions_tie_at_any_length)
{
    enum { D = 96, N = 40 };
    ks_eval_row row[N];
    ks_eval_pair own[N];
    ks_eval_vectors videos, texts;
    ks_error e = {0};
    ks_eval_retrieval_figures r;
    double x[D], y[D];
    state = 11;
    for (int d = 0; d < D; d++) x[d] = (double)draw(2001) / 1000 - 1;
    ck_assert_int_eq(ks_eval_room(&videos, N, D, &e), 0);
    ck_assert_int_eq(ks_eval_room(&texts, N, D, &e), 0);
    for (int i = 0; i < N; i++) {
        own[i] = (ks_eval_pair){.video = i, .text = i, .right = 1};
        for (int d = 0; d < D; d++) y[d] = x[d] * (0.1 + 0.37 * i);
        ck_assert_int_eq(ks_eval_put(&videos, i, y), 0);
        for (int d = 0; d < D; d++) y[d] = (double)draw(2001) / 1000 - 1;
        ck_assert_int_eq(ks_eval_put(&texts, i, y), 0);
    }
    ks_eval_set set = {
        .videos = {row, N}, .texts = {row, N}, .pairs = own, .n_pairs = N, .class_of = NULL};
    ck_assert_int_eq(ks_eval_retrieval(&r, &set, &videos, &texts, &e), 0);
    ck_assert(r.t2v.r10 == 0 && r.t2v.mean_rank == N && r.ties == N);
    ks_eval_vectors_free(&videos);
    ks_eval_vectors_free(&texts);
}
END_TEST

START_TEST(choice_as_defined)
{
    for (int seed = 1; seed <= 200; seed++) {
        world w;
        ks_error e = {0};
        ks_eval_choice_figures r;
        state = (uint64_t)seed * 31;
        int64_t n = 1 + draw(20), m = 8, hits = 0;
        make_world(&w, KS_EVAL_CHOICE, n, m, m);
        w.set.questions = (ks_eval_list){calloc((size_t)n, sizeof(ks_eval_row)), n};
        for (int64_t q = 0; q < n; q++) {
            int64_t right = draw(5);
            int good = 1;
            for (int64_t t = 0; t < 5; t++) pair(&w, q, q, t, t == right);
            for (int64_t t = 0; t < 5; t++)
                good &= !isinf(cosine(&w, q, t)) &&
                        (t == right || cosine(&w, q, t) < cosine(&w, q, right) - rounding);
            hits += good;
        }
        ck_assert_int_eq(ks_eval_choice(&r, &w.set, &w.videos, &w.texts, &e), 0);
        ck_assert_double_eq_tol(r.accuracy, (double)hits / (double)n, 1e-12);
        free_world(&w);
    }
}
END_TEST

/* Films a, b, c and texts t, u, v; b and u have no vector. */
static void check_without(ks_eval_task task, const ks_eval_pair *pairs, int64_t n,
                          const char *asked, const char *idle)
{
    ks_eval_row film[3] = {{.id = (char *)(uintptr_t) "a"},
                           {.id = (char *)(uintptr_t) "b"},
                           {.id = (char *)(uintptr_t) "c"}},
                text[3] = {{.id = (char *)(uintptr_t) "t"},
                           {.id = (char *)(uintptr_t) "u"},
                           {.id = (char *)(uintptr_t) "v"}};
    int64_t class_of[3] = {0, 1, 2};
    ks_eval_pair own[3];
    memcpy(own, pairs, (size_t)n * sizeof *own);
    ks_eval_set set = {.task = task,
                       .videos = {film, 3},
                       .texts = {text, 3},
                       .pairs = own,
                       .n_pairs = n,
                       .class_of = class_of};
    uint8_t has[3] = {1, 0, 1};
    ks_eval_vectors x = {.has = has, .n = 3, .dim = 1, .missing = 1};
    ks_eval_names a, b;
    ks_error e = {0};
    ck_assert_int_eq(ks_eval_without_vector(&a, &b, &set, task, &x, &x, &e), 0);
    ck_assert_str_eq(a.ids, asked);
    ck_assert_str_eq(b.ids, idle);
}

START_TEST(missing_rows_are_told_apart)
{
    static const ks_eval_pair both[] = {{.video = 0, .text = 1}, {.video = 1, .text = 2}},
                              none[] = {{.video = 0, .text = 0}, {.video = 2, .text = 2}};
    check_without(KS_EVAL_RETRIEVAL, both, 2, "b, u", "");
    check_without(KS_EVAL_RETRIEVAL, none, 2, "", "b, u"); /* candidates the fewer */
    check_without(KS_EVAL_CLASSIFY, both, 2, "b, u", "");
    check_without(KS_EVAL_CLASSIFY, none, 2, "", "u"); /* a film without a class is not asked */
    check_without(KS_EVAL_MULTILABEL, both, 2, "b, u", "");
    check_without(KS_EVAL_MULTILABEL, none, 2, "", "b"); /* nor a class without a film */
    check_without(KS_EVAL_CHOICE, both, 2, "b, u", "");
    check_without(KS_EVAL_CHOICE, none, 2, "", "");
}
END_TEST

START_TEST(films_without_a_class_are_counted)
{
    world w;
    ks_error e = {0};
    ks_eval_names names;
    ks_eval_classify_figures r;
    state = 3;
    make_world(&w, KS_EVAL_CLASSIFY, 9, 2, 2);
    for (int i = 0; i < 9; i++) {
        w.set.videos.at[i].id = malloc(2);
        snprintf(w.set.videos.at[i].id, 2, "%c", 'a' + i);
    }
    pair(&w, 0, 3, 1, 1);
    ck_assert_int_eq(ks_eval_without_class(&names, &w.set, &e), 0);
    ck_assert_int_eq(names.n, 8);
    ck_assert_str_eq(names.ids, "a, b, c, e, f and 3 more");
    ck_assert_int_eq(ks_eval_classify(&r, &w.set, &w.videos, &w.texts, &e), 0);
    ck_assert(r.n == 1 && r.without_class == 8);
    free_world(&w);
}
END_TEST

START_TEST(wilson_known)
{
    double low, high;
    ks_wilson(&low, &high, 500, 1000);
    ck_assert_double_eq_tol(low, 0.469068, 1e-5); /* the textbook's */
    ck_assert_double_eq_tol(high, 0.530932, 1e-5);
    ks_wilson(&low, &high, 0, 10);
    ck_assert_double_eq(low, 0);
    ck_assert_double_eq_tol(high, 0.277533, 1e-5);
    ks_wilson(&low, &high, 0, 0);
    ck_assert(isnan(low) && isnan(high));
}
END_TEST

/* Three pairs have 27 resamplings: their means, each with its chance, say where the interval may
 * lie. */
START_TEST(bootstrap_of_three)
{
    const double a[3] = {1, 0, 1}, b[3] = {0, 0, 1};
    double low, high, again[2];
    ks_error e = {0};
    /* mean of a - b over a draw: k/3 with k of Binomial(3, 1/3): 0 has 8/27, 1 has 1/27. */
    ck_assert_int_eq(ks_bootstrap_difference(&low, &high, a, b, 3, 1, &e), 0);
    ck_assert_double_eq(low, 0);
    ck_assert_double_eq(high, 1); /* 1/27 is more than 2.5 % */
    ck_assert_int_eq(ks_bootstrap_difference(&again[0], &again[1], b, a, 3, 1, &e), 0);
    ck_assert(again[0] == -1 && again[1] == 0);
    double x[400], y[400];
    state = 5;
    for (int i = 0; i < 400; i++) x[i] = draw(100) < 60, y[i] = draw(100) < 40;
    ck_assert_int_eq(ks_bootstrap_difference(&low, &high, x, y, 400, 9, &e), 0);
    /* 1.96 sqrt((0.24 + 0.24) / 400) = 0.068 each way */
    ck_assert_msg(low > 0.05 && high < 0.35 && high - low > 0.11 && high - low < 0.16, "%g to %g",
                  low, high);
    ck_assert_int_eq(ks_bootstrap_difference(&again[0], &again[1], x, y, 400, 9, &e), 0);
    ck_assert(again[0] == low && again[1] == high);
    ck_assert_int_eq(ks_bootstrap_difference(&low, &high, x, y, 0, 1, &e), 0);
    ck_assert(isnan(low) && isnan(high));
}
END_TEST

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

/* Lists that are refused, and the line that the sentence names. */
START_TEST(lists_refused_by_line)
{
    static const struct {
        ks_eval_task task;
        const char *videos, *texts, *map, *said;
    } rows[] = {
        {KS_EVAL_RETRIEVAL, "a\nb\na\n", "t\tx\n", "a\tt\n", "v:3: video_id 'a' stands twice"},
        {KS_EVAL_RETRIEVAL, "a\n", "t\tx\nt\ty\n", "a\tt\n", "t:2: text_id 't' stands twice"},
        {KS_EVAL_RETRIEVAL, "a\n", "t\tx\n", "# map\na\tu\n",
         "m:2: text_id 'u' is not in the list"},
        {KS_EVAL_RETRIEVAL, "a\n", "t\tx\n", "a\tt\na\tt\n",
         "m:2: the pair 'a', 't' stands in line 1 already"},
        {KS_EVAL_RETRIEVAL, "a\tf\t1\n", "t\tx\n", "a\tt\n",
         "v:1: a video is: video_id [path [start end]]"},
        {KS_EVAL_RETRIEVAL, "a\tf\t5\t2\n", "t\tx\n", "a\tt\n",
         "v:1: start and end are seconds, and the end is after the start"},
        {KS_EVAL_RETRIEVAL, "a\n", "t\tx\ty\n", "a\tt\n",
         "t:1: a text is: text_id, a tab, the text"},
        {KS_EVAL_RETRIEVAL, "a\n", "t\tx\nu\t \n", "a\tt\n", "t:2: text_id 'u' has no words"},
        {KS_EVAL_RETRIEVAL, "a\n", "t\t\n", "a\tt\n", "t:1: text_id 't' has no words"},
        {KS_EVAL_RETRIEVAL, "a\n", "t\t\xff\n", "a\tt\n", "t:1: not UTF-8"},
        {KS_EVAL_RETRIEVAL, "a\n", "t\tx\n", "#\n", "m: no video is paired with a text"},
        {KS_EVAL_CLASSIFY, "a\n", "t\tx\nu\ty\n", "a\tt\na\tu\n",
         "m:2: video 'a' has two classes, 't' and 'u': that is a multilabel set"},
        {KS_EVAL_RETRIEVAL, "# none\n", "t\tx\n", "a\tt\n", "v: no video in it"},
        {KS_EVAL_RETRIEVAL, "a\n", "", "a\tt\n", "t: no text in it"},
        {KS_EVAL_CHOICE, "a\n", "t\tx\nu\ty\n", "q\ta\tt\t1\nr\ta\tt\t0\nr\ta\tu\t1\n",
         "m:1: question 'q' has one option"},
        {KS_EVAL_CHOICE, "a\n", "t\tx\nu\ty\n", "q\ta\tt\t0\nq\ta\tu\t0\n",
         "m:1: question 'q' has no right option"},
        {KS_EVAL_CHOICE, "a\n", "t\tx\nu\ty\n", "q\ta\tt\t1\nq\ta\tu\t1\n",
         "m:2: question 'q' has two right options"},
        {KS_EVAL_CHOICE, "a\nb\n", "t\tx\nu\ty\n", "q\ta\tt\t1\nq\tb\tu\t0\n",
         "m:2: question 'q' is about two films"},
        {KS_EVAL_CHOICE, "a\n", "t\tx\nu\ty\n", "q\ta\tt\t1\nq\ta\tt\t0\n",
         "m:2: the pair 'a', 't' stands in line 1 already"},
        {KS_EVAL_CHOICE, "a\n", "t\tx\n", "q\ta\tt\t2\n",
         "m:1: an option is right (1) or wrong (0)"},
        {KS_EVAL_RETRIEVAL, "# films\nvideo_id\na\n", "t\tx\n", "a\tt\n",
         "v:2: 'video_id' is a header, and lists have none"},
        {KS_EVAL_RETRIEVAL, "a\n", "Text_ID\ttext\nt\tx\n", "a\tt\n",
         "t:1: 'Text_ID' is a header, and lists have none"},
        {KS_EVAL_RETRIEVAL, "a\n", "t\tx\n", "video_id\ttext_id\na\tt\n",
         "m:1: 'video_id' is a header, and lists have none"},
        {KS_EVAL_CHOICE, "a\n", "t\tx\n", "question_id\tvideo_id\ttext_id\tright\n",
         "m:1: 'question_id' is a header, and lists have none"},
    };
    char folder[] = "/tmp/ks_eval_XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ks_eval_set set;
        ks_error e = {0};
        write_file("v", rows[i].videos);
        write_file("t", rows[i].texts);
        write_file("m", rows[i].map);
        ck_assert_int_lt(ks_eval_read_lists(&set, rows[i].task, "v", "t", "m", &e), 0);
        ck_assert_str_eq(e.msg, rows[i].said);
        ks_eval_set_free(&set);
    }
    ks_eval_set set;
    ks_error e = {0};
    write_file("v", "\xef\xbb\xbf"
                    "a\tfilm.mp4\t1.5\t3\r\nb\r\n");
    write_file("t", "t\tone\nt\tanother\n");
    write_file("m", "b\tt\na\tt\n");
    ck_assert_msg(ks_eval_read_lists(&set, KS_EVAL_CLASSIFY, "v", "t", "m", &e) == 0, "%s", e.msg);
    ck_assert(set.videos.n == 2 && set.texts.n == 2 && set.n_pairs == 2 && set.class_of[1] == 0);
    ck_assert_str_eq(set.videos.at[0].value, "film.mp4");
    ck_assert_double_eq(set.videos.at[0].to, 3);
    ck_assert_int_eq(set.pairs[0].video, 0);
    ks_eval_set_free(&set);
    for (int i = 0; i < 3; i++) unlink((const char *const[]){"v", "t", "m"}[i]);
    ck_assert_int_eq(chdir("/"), 0);
    rmdir(folder);
}
END_TEST

START_TEST(vectors_refused_by_name)
{
    ks_eval_row row[2] = {{.id = (char *)(uintptr_t) "one"}, {.id = (char *)(uintptr_t) "two"}};
    ks_eval_list list = {row, 2};
    double x[4] = {1, 0, NAN, 1};
    char *ids[2] = {row[1].id, row[0].id};
    ks_named_rows v = {.x = x, .rows = 2, .dim = 2};
    ks_eval_vectors out;
    ks_error e = {0};
    ck_assert_int_eq(ks_eval_take(&out, &list, &v, "f.npy", &e), KS_EFORMAT);
    ck_assert_str_eq(e.msg, "f.npy: the vector of 'two' holds NaN or Inf");
    v.ids = ids;
    ck_assert_int_eq(ks_eval_take(&out, &list, &v, "f.npz", &e), KS_EFORMAT);
    ck_assert_str_eq(e.msg, "f.npz: the vector of 'one' holds NaN or Inf");
    x[2] = 0, x[3] = 0;
    ck_assert_int_eq(ks_eval_take(&out, &list, &v, "f.npz", &e), KS_EFORMAT);
    ck_assert_str_eq(e.msg, "f.npz: the vector of 'one' is zero");
    x[3] = 5e-300;
    ck_assert_int_eq(ks_eval_take(&out, &list, &v, "f.npz", &e), 0);
    ck_assert(out.missing == 0 && out.x[1] == 1 && out.x[2] == 1);
    ks_eval_vectors_free(&out);
    ids[0] = row[0].id;
    ck_assert_int_eq(ks_eval_take(&out, &list, &v, "f.npz", &e), KS_EFORMAT);
    ck_assert_str_eq(e.msg, "f.npz: id 'one' stands 2 times, in the list 1 time");
    ids[0] = (char *)(uintptr_t) "1", ids[1] = (char *)(uintptr_t) "2";
    ck_assert_int_eq(ks_eval_take(&out, &list, &v, "f.npz", &e), KS_EFORMAT);
    ck_assert_str_eq(e.msg, "f.npz: none of its 2 ids is in the list: it has '1', the list 'one'; "
                            "name the vectors as the list does");
    v.ids = NULL;
    list.n = 1;
    ck_assert_int_eq(ks_eval_take(&out, &list, &v, "f.npy", &e), KS_ESHAPE);
}
END_TEST

/* A class has several texts: a file gives a vector each, in its own order, or one for all. */
START_TEST(several_texts_of_an_id)
{
    ks_eval_row row[3] = {{.id = (char *)(uintptr_t) "one"},
                          {.id = (char *)(uintptr_t) "two"},
                          {.id = (char *)(uintptr_t) "one"}};
    ks_eval_list list = {row, 3};
    double x[8] = {0, 1, 1, 0, 1, 1, 1, 0};
    char *ids[4] = {row[1].id, row[0].id, row[0].id, row[1].id};
    ks_named_rows v = {.x = x, .rows = 3, .dim = 2, .ids = ids};
    ks_eval_vectors out;
    ks_error e = {0};
    ck_assert_msg(ks_eval_take(&out, &list, &v, "f.npz", &e) == 0, "%s", e.msg);
    ck_assert(out.missing == 0 && out.x[0] == 1 && out.x[3] == 1 && out.x[4] == out.x[5]);
    ks_eval_vectors_free(&out);
    v.rows = 2;
    ck_assert_int_eq(ks_eval_take(&out, &list, &v, "f.npz", &e), 0);
    ck_assert(out.missing == 0 && out.x[0] == 1 && out.x[4] == 1);
    ks_eval_vectors_free(&out);
    v.rows = 4;
    ck_assert_int_eq(ks_eval_take(&out, &list, &v, "f.npz", &e), KS_EFORMAT);
    ck_assert_str_eq(e.msg, "f.npz: id 'two' stands 2 times, in the list 1 time");
    ids[0] = row[0].id, ids[3] = (char *)(uintptr_t) "nobody";
    ck_assert_int_eq(ks_eval_take(&out, &list, &v, "f.npz", &e), KS_EFORMAT);
    ck_assert_str_eq(e.msg, "f.npz: id 'one' stands 3 times, in the list 2 times");
    ids[1] = ids[3];
    v.rows = 4;
    ck_assert_msg(ks_eval_take(&out, &list, &v, "f.npz", &e) == 0, "%s", e.msg);
    ck_assert(out.missing == 1 && !out.has[1]);
    ks_eval_vectors_free(&out);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("eval");
    tcase_add_test(t, retrieval_as_defined);
    tcase_add_test(t, classes_as_defined);
    tcase_add_test(t, average_precision_as_defined);
    tcase_add_test(t, multilabel_as_defined);
    tcase_add_test(t, missing_films_earn_nothing);
    tcase_add_test(t, directions_tie_at_any_length);
    tcase_add_test(t, choice_as_defined);
    tcase_add_test(t, missing_rows_are_told_apart);
    tcase_add_test(t, films_without_a_class_are_counted);
    tcase_add_test(t, wilson_known);
    tcase_add_test(t, bootstrap_of_three);
    tcase_add_test(t, lists_refused_by_line);
    tcase_add_test(t, vectors_refused_by_name);
    tcase_add_test(t, several_texts_of_an_id);
    return ks_run_case("eval", t);
}
