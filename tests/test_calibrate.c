/* test_calibrate.c - the scale: its numbers against plain sums, its cut-off against known laws,
 * its life in a library that grows. Seeded; the text tower is the small fixture's. */
#include "query/calibrate.h"
#include "tests/library_maker.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static ks_error e;

/* Uniform in (0, 1). */
static double uniform(uint64_t *seed)
{
    return ((double)(lib_random(seed) >> 11) + 0.5) / 9007199254740992.0;
}

START_TEST(deviations_are_population_deviations)
{
    float v[] = {1, 100, 2, 100, 3, 100, 4, 100};

    ck_assert(fabs(ks_deviation_of(v, 4, 2) - sqrt(1.25)) < 1e-12);
    ck_assert(ks_deviation_of(v + 1, 4, 2) == 0);
    ck_assert(ks_deviation_of(v, 0, 1) == 0);
}
END_TEST

/* The cut-off finds the 95 % point of a Gumbel law, and keeps near it when a quarter of the
 * held-out sentences are true of the library and score far above. */
START_TEST(the_cut_trusts_the_lower_part)
{
    uint64_t seed = 11;
    double sum = 0, dirty_sum = 0;
    enum { ROUNDS = 400, N = 116 };

    for (int round = 0; round < ROUNDS; round++) {
        double clean[N], dirty[N];
        for (int i = 0; i < N; i++) {
            clean[i] = dirty[i] = 3 - 0.5 * log(-log(uniform(&seed)));
            if (i % 4 == 0) dirty[i] += 4;
        }
        sum += ks_cut_of(clean, N, 0.05);
        dirty_sum += ks_cut_of(dirty, N, 0.05);
    }
    /* Exact: 3 + 0.5 * 2.97 = 4.485. */
    ck_assert_msg(fabs(sum / ROUNDS - 4.485) < 0.06, "mean cut %g", sum / ROUNDS);
    ck_assert_msg(fabs(dirty_sum / ROUNDS - 4.485) < 0.75, "with a quarter of true ones %g",
                  dirty_sum / ROUNDS);
}
END_TEST

START_TEST(odd_laws_have_a_cut_too)
{
    double same[100], one[] = {2};

    for (int i = 0; i < 100; i++) same[i] = 1;
    ck_assert(ks_cut_of(same, 100, 0.05) > 1 && ks_cut_of(same, 100, 0.05) < 1.01);
    ck_assert(ks_cut_of(one, 1, 0.05) >= 2);
    ck_assert(ks_cut_of(NULL, 0, 0.05) == 3);
    for (int i = 0; i < 100; i++) same[i] = -5;
    ck_assert(ks_cut_of(same, 100, 0.05) > 0); /* a cut-off of 0 or less would answer everything */
}
END_TEST

START_TEST(scores_rise)
{
    double last = 0;

    ck_assert(ks_score_of(-3, 2) == 0 && ks_score_of(0, 2) == 0 &&
              fabs(ks_score_of(2, 2) - 0.5) < 1e-12);
    for (double z = 0.01; z < 50; z += 0.01) {
        double s = ks_score_of(z, 3.3);
        ck_assert(s > last && s < 1);
        last = s;
    }
}
END_TEST

START_TEST(background_sentences)
{
    int n = ks_background_count(0), held = ks_background_count(1);

    ck_assert_int_ge(n, 200);
    ck_assert_int_ge(held, 100);
    for (int i = 0; i < n + held; i++)
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(ks_background_sentence(i >= n, i >= n ? i - n : i),
                             ks_background_sentence(j >= n, j >= n ? j - n : j));
}
END_TEST

START_TEST(pairs)
{
    static const float v[] = {1, 0, 0, 1, 0.6f, 0.8f};
    static const int64_t films[] = {1, 1, 2}, one[] = {1, 1, 1};
    double mean, deviation;

    ks_pairs_of(&mean, &deviation, v, films, 3, 2); /* 0-2 and 1-2 only: 0.6, 0.8 */
    ck_assert(fabs(mean - 0.7) < 1e-6 && fabs(deviation - 0.1) < 1e-6);
    ks_pairs_of(&mean, &deviation, v, one, 3, 2);
    ck_assert(fabs(mean - 1.4 / 3) < 1e-6);
    ks_pairs_of(&mean, &deviation, v, one, 1, 2);
    ck_assert(mean == 0 && deviation == 0);
}
END_TEST

START_TEST(label_tops)
{
    static const float cosine[] = {0.1f, 0.3f, 0.3f, 0.2f};
    int label[4];
    double score[4], sum = 0;

    ks_label_top(label, score, 4, cosine, 4);
    ck_assert(label[0] == 1 && label[1] == 2 && label[2] == 3 && label[3] == 0); /* ties by index */
    for (int i = 0; i < 4; i++) {
        double want = exp(((double)cosine[label[i]] - 0.3) / 0.01) / (2 + exp(-10) + exp(-20));
        ck_assert(fabs(score[i] - want) < 1e-5);
        sum += score[i];
    }
    ck_assert(fabs(sum - 1) < 1e-9);
    for (int k = 1; k < 4; k++) {
        int fewer[4] = {9, 9, 9, 9};
        double theirs[4];
        ks_label_top(fewer, theirs, k, cosine, 4);
        ck_assert_mem_eq(fewer, label, (size_t)k * sizeof *label);
        ck_assert_mem_eq(theirs, score, (size_t)k * sizeof *score);
        ck_assert_int_eq(fewer[k], 9);
    }
}
END_TEST

/* --- in a library --- */
static char dir[64];
static ks_index *x;
static ks_encoder *enc;
static int dim;

static void open_library(void)
{
    ks_encoder_options o = {.model = "tests/fixtures/lvt.npz",
                            .tokenizer = "tests/fixtures/lvt.spm",
                            .towers = KS_TOWER_TEXT,
                            .precision = KS_FP32,
                            .threads = 1};
    ks_space space;

    MUST(ks_encoder_open(&enc, &o, &e));
    dim = ks_encoder_info(enc)->dim;
    space = lib_space(dim);
    memcpy(space.model, ks_encoder_info(enc)->hash, sizeof space.model);
    lib_new_dir(dir);
    MUST(ks_index_open(&x, dir, KS_CREATE, &e));
    MUST(ks_index_set_space(x, &space, "", "", &e));
    for (int i = 0; i < 10; i++)
        lib_add(x, (char[]){'/', (char)('a' + i), 0}, (uint64_t)i + 1, 12, dim, 0);
}

static void close_library(void)
{
    ks_index_close(x);
    ks_encoder_close(enc);
    lib_remove_dir(dir);
}

/* A clip's measured mean and deviation are those of its cosines with the sentences, one by one. */
static void check_rows(void)
{
    int n = ks_background_count(0);
    float *v = malloc((size_t)dim * (size_t)(n + 1) * sizeof *v),
          *clip = v + (size_t)dim * (size_t)n, *scores = malloc((size_t)n * sizeof *scores);
    ks_cursor *c = NULL;
    ks_clip row;
    ks_scale s = {.x = x, .dim = dim, .median = 1};
    int64_t at = 0;

    ck_assert(v && scores);
    MUST(ks_scale_encode(&s, enc, &e));
    MUST(ks_scale_measure(&s, &e));
    for (int i = 0; i < n; i++)
        MUST(ks_text_vector(v + (size_t)i * (size_t)dim, enc, ks_background_sentence(0, i), &e));
    MUST(ks_index_clips(&c, x, NULL, &e));
    while (ks_clips_next(&row, c, &e) > 0) {
        double mean = 0;
        MUST(ks_index_clip_vector(clip, dim, x, row.id, &e));
        ck_assert(at < s.clips.n && s.clips.id[at] == row.id); /* ids ascend here as films do */
        for (int i = 0; i < n; i++)
            mean += (double)(scores[i] = (float)ks_dot(v + (size_t)i * (size_t)dim, clip, dim)) / n;
        ck_assert(fabs((double)s.clips.deviation[at] - ks_deviation_of(scores, n, 1)) < 1e-4);
        ck_assert(fabs((double)s.clips.mean[at++] - mean) < 1e-4);
    }
    ck_assert_int_eq(at, s.clips.n);
    ks_cursor_close(c);
    for (void **p =
             (void *[]){s.vectors, s.level, s.clips.id, s.clips.mean, s.clips.deviation, NULL};
         *p; p++)
        free(*p);
    free(v);
    free(scores);
}

START_TEST(a_library_that_grows)
{
    ks_scale_facts first, later;
    ks_scale *s;
    int changed;

    open_library();
    MUST(ks_calibrate(&changed, x, enc, &e));
    ck_assert_int_eq(changed, 1);
    MUST(ks_scale_open(&s, x, NULL, &e)); /* what is kept needs no tower */
    ks_scale_about(&first, s);
    ks_scale_close(s);
    ck_assert(first.sentences >= 200 && first.clips == 120 && first.cut > 0);
    ck_assert(first.false_positives <= 0.2); /* of sentences that random clips know nothing of */
    check_rows();
    MUST(ks_calibrate(&changed, x, enc, &e));
    ck_assert_int_eq(changed, 0);
    lib_add(x, "/small", 77, 6, dim, 0); /* a twentieth: rows for the new ones, the same cut-off */
    MUST(ks_scale_open(&s, x, NULL, &e));
    ks_scale_close(s);
    MUST(ks_calibrate(&changed, x, enc, &e));
    ck_assert_int_eq(changed, 1);
    MUST(ks_scale_open(&s, x, NULL, &e));
    ks_scale_about(&later, s);
    ks_scale_close(s);
    ck_assert(later.clips == 120 && later.cut == first.cut);
    check_rows();
    lib_add(x, "/large", 78, 30, dim, 0); /* a quarter: measured again */
    MUST(ks_calibrate(&changed, x, enc, &e));
    MUST(ks_scale_open(&s, x, NULL, &e));
    ks_scale_about(&later, s);
    ks_scale_close(s);
    ck_assert_int_eq((int)later.clips, 156);
    check_rows();
    close_library();
}
END_TEST

/* Searching a library whose scale was never kept, or is damaged, makes the same one in memory. */
START_TEST(made_in_memory)
{
    ks_scale_facts kept, made;
    ks_scale *s;
    double a, b;
    float q[64];

    open_library();
    MUST(ks_query_words(q, NULL, enc, "a dog", &e));
    MUST(ks_scale_open(&s, x, enc, &e));
    ks_scale_about(&made, s);
    a = ks_scale_z(s, 0.5, ks_scale_level(s, q));
    ks_scale_close(s);
    MUST(ks_calibrate(NULL, x, enc, &e));
    MUST(ks_scale_open(&s, x, NULL, &e));
    ks_scale_about(&kept, s);
    b = ks_scale_z(s, 0.5, ks_scale_level(s, q));
    ks_scale_close(s);
    ck_assert(made.cut == kept.cut && made.pair_mean == kept.pair_mean && made.clips == kept.clips);
    ck_assert(a == b && isfinite(a) && a != 0);
    for (size_t bytes = 0; bytes < 300; bytes += 37) {
        char junk[300];
        memset(junk, 0x5a, sizeof junk);
        memcpy(junk, "kscal 2", 8);
        MUST(ks_index_put(x, "calibration", junk, bytes, &e));
        MUST(ks_scale_open(&s, x, enc, &e));
        ks_scale_about(&made, s);
        ks_scale_close(s);
        ck_assert(made.cut == kept.cut);
    }
    close_library();
}
END_TEST

/* One clip, no clip, black clips: no crash, no division by nothing. */
START_TEST(small_libraries)
{
    ks_query_options o = {.k = 3};
    ks_scale *s;
    ks_hits hits;
    float q[64];
    int64_t id;

    open_library();
    ks_index_close(x);
    lib_remove_dir(dir);
    lib_new_dir(dir);
    MUST(ks_index_open(&x, dir, KS_CREATE, &e));
    MUST(ks_query_words(q, NULL, enc, "a dog", &e));
    MUST(ks_calibrate(NULL, x, enc, &e));
    MUST(ks_scale_open(&s, x, enc, &e));
    MUST(ks_query_run(&hits, x, s, q, dim, &o, &e));
    ck_assert_int_eq(hits.count + hits.below, 0);
    ks_hits_free(&hits);
    ks_scale_close(s);
    {
        ks_space space = lib_space(dim);
        memcpy(space.model, ks_encoder_info(enc)->hash, sizeof space.model);
        MUST(ks_index_set_space(x, &space, "", "", &e));
    }
    id = lib_add(x, "/one", 1, 1, dim, 0);
    MUST(ks_calibrate(NULL, x, enc, &e));
    MUST(ks_scale_open(&s, x, enc, &e));
    MUST(ks_query_run(&hits, x, s, q, dim, &o, &e));
    ck_assert_int_eq(hits.count + hits.below, 1);
    ck_assert(hits.at[0].video == id && isfinite(hits.at[0].score));
    ks_hits_free(&hits);
    ks_scale_close(s);
    close_library();
}
END_TEST

/* Against the library's, from 0 to where nothing is left. */
START_TEST(quick_exps)
{
    float v[1003], of[1003];
    double sum = 0;
    for (int i = 0; i < 1003; i++) of[i] = v[i] = -(float)i * (float)i * 1e-4f;
    double got = ks_quick_exps(v, 1003);
    for (int i = 0; i < 1003; i++) {
        double want = exp((double)of[i]);
        ck_assert_msg(fabs((double)v[i] - want) <= 3e-7 * want + 2e-38, "exp(%g) = %g, not %g",
                      (double)of[i], (double)v[i], want);
        sum += want;
    }
    ck_assert_msg(fabs(got - sum) < 1e-6 * sum, "%g, not %g", got, sum);
    ck_assert(ks_quick_exps(v, 0) >= 0 && ks_quick_exps(v, 0) <= 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("calibrate");
    TCase *c = tcase_create("calibrate");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(c, deviations_are_population_deviations);
    tcase_add_test(c, the_cut_trusts_the_lower_part);
    tcase_add_test(c, odd_laws_have_a_cut_too);
    tcase_add_test(c, scores_rise);
    tcase_add_test(c, background_sentences);
    tcase_add_test(c, pairs);
    tcase_add_test(c, label_tops);
    tcase_add_test(c, a_library_that_grows);
    tcase_add_test(c, made_in_memory);
    tcase_add_test(c, quick_exps);
    tcase_add_test(c, small_libraries);
    suite_add_tcase(s, c);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
