/* test_label.c - labels as vectors: the mean of their sentences, and what the next run need not
 * encode again. */
#include "query/label_vectors.h"
#include "tests/npz_build.h"
#include "tests/suite.h"

#include <glob.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { N = 40, ROOM = 64 };
static char folder[64], cache[80], text[N][16];
static const char *labels[N];
static ks_encoder *enc;
static int D;
static void (*told)(void *, const char *);
static int64_t rows; /* that went through the text tower */
static ks_error e;

static void count(void *arg, const char *name, const float *x, int64_t n, int64_t cols)
{
    (void)arg, (void)x, (void)cols;
    if (strcmp(name, "text_embedding") == 0) rows += n;
}

static void open_encoder(void)
{
    ks_encoder_options o = {.model = "tests/fixtures/lvt.npz",
                            .towers = KS_TOWER_TEXT,
                            .precision = KS_FP32,
                            .threads = 2,
                            .cache = cache,
                            .notice = told};
    ck_assert_msg(ks_encoder_open(&enc, &o, &e) == 0, "%s", e.msg);
    D = ks_encoder_info(enc)->dim;
    ks_encoder_tap(enc, count, NULL);
}

static void setup(void)
{
    snprintf(cache, sizeof cache, "%s/cache", ks_temp_folder(folder));
    open_encoder();
    for (int i = 0; i < N; i++) {
        snprintf(text[i], sizeof text[i], "dog %c%c", 'a' + i % 26, 'a' + i / 26);
        labels[i] = text[i];
    }
}

static void teardown(void)
{
    ks_encoder_close(enc);
    ks_remove_folder(folder);
}

static int64_t run(float *v, const ks_label_options *o)
{
    rows = 0;
    memset(v, 0, (size_t)o->n_labels * (size_t)D * sizeof *v);
    ck_assert_msg(ks_label_vectors(v, enc, o, &e) == 0, "%s", e.msg);
    return rows;
}

static int64_t tokens_of(const char *words)
{
    ks_sentence s;
    ck_assert_int_eq(ks_text_tokens(&s, enc, words, &e), 0);
    return s.count + 1;
}

/* One label in the plainest way. */
static void plainly(float *out, const char *label)
{
    float v[ROOM];
    double length = 0;
    memset(out, 0, (size_t)D * sizeof *out);
    for (int t = 0; ks_label_template(t); t++) {
        const char *form = ks_label_template(t), *hole = strstr(form, "{}");
        char words[200];
        snprintf(words, sizeof words, "%.*s%s%s", (int)(hole - form), form, label, hole + 2);
        ck_assert_int_eq(ks_text_vector(v, enc, words, &e), 0);
        for (int d = 0; d < D; d++) out[d] += v[d] / 28;
    }
    for (int d = 0; d < D; d++) length += (double)out[d] * (double)out[d];
    for (int d = 0; d < D; d++) out[d] = (float)(out[d] / sqrt(length));
}

START_TEST(a_label_is_the_mean_of_its_sentences)
{
    float v[N * ROOM], want[ROOM];
    run(v, &(ks_label_options){.labels = labels, .n_labels = N});
    for (int i = 0; i < N; i++) {
        plainly(want, labels[i]);
        for (int d = 0; d < D; d++) ck_assert(fabsf(v[i * D + d] - want[d]) < 1e-6f);
    }
}
END_TEST

/* Its own sentences in place of the templates, less half of what it is not; kept for the next
 * run like any other. */
START_TEST(a_label_of_its_own_sentences)
{
    const char *const prompts[] = {"a dog runs", "the {} of a house"}, *const nots[] = {"a cat",
                                                                                        "a bird"};
    ks_label_def defs[3] = {{0},
                            {.prompts = prompts, .n_prompts = 2, .nots = nots, .n_nots = 2},
                            {.prompts = prompts, .n_prompts = 1}};
    ks_label_options o = {.labels = labels, .n_labels = 3, .defs = defs};
    float v[3 * ROOM], w[3 * ROOM], plain[3 * ROOM], one[ROOM], want[ROOM] = {0};
    const char *const words[] = {"a dog runs", "the dog ba of a house", "a cat", "a bird"};
    const float share[] = {0.5f, 0.5f, -0.25f, -0.25f};
    double length = 0;
    ck_assert_int_gt(run(v, &o), 0);
    ck_assert_int_eq(run(w, &o), 0);
    ck_assert_mem_eq(v, w, (size_t)(3 * D) * sizeof *v);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(ks_text_vector(one, enc, words[i], &e), 0);
        for (int d = 0; d < D; d++) want[d] += one[d] * share[i];
    }
    for (int d = 0; d < D; d++) length += (double)want[d] * (double)want[d];
    for (int d = 0; d < D; d++) ck_assert(fabs((double)v[D + d] - want[d] / sqrt(length)) < 1e-6);
    ck_assert_int_eq(ks_text_vector(one, enc, "a dog runs", &e), 0);
    for (int d = 0; d < D; d++) ck_assert(fabsf(v[2 * D + d] - one[d]) < 1e-6f);
    o.defs = NULL;
    run(plain, &o);
    ck_assert_mem_eq(v, plain, (size_t)D * sizeof *v);
    ck_assert_mem_ne(v + D, plain + D, (size_t)D * sizeof *v);
}
END_TEST

START_TEST(the_next_run_encodes_what_is_new)
{
    float v[N * ROOM], w[N * ROOM];
    const char *const forms[] = {"a {}", "{}"};
    ks_label_options o = {.labels = labels, .n_labels = N, .templates = forms, .n_templates = 2};
    ck_assert_int_gt(run(v, &o), 0);
    ks_encoder_close(enc);
    open_encoder();
    ck_assert_int_eq(run(w, &o), 0);
    ck_assert_mem_eq(v, w, (size_t)(N * D) * sizeof *v);
    labels[7] = "water";
    ck_assert_int_eq(run(w, &o), tokens_of("a water") + tokens_of("water"));
    ck_assert_mem_eq(v, w, (size_t)(7 * D) * sizeof *v);
    ck_assert_mem_ne(v + 7 * D, w + 7 * D, (size_t)D * sizeof *v);
    ck_assert_mem_eq(v + 8 * D, w + 8 * D, (size_t)((N - 8) * D) * sizeof *v);
    labels[7] = text[7]; /* and the one before is still known */
    ck_assert_int_eq(run(w, &o), 0);
    ck_assert_mem_eq(v, w, (size_t)(N * D) * sizeof *v);
}
END_TEST

START_TEST(other_templates_are_encoded_anew)
{
    float v[N * ROOM], kept[N * ROOM];
    const char *const forms[] = {"a {}", "{} b"}, *const swapped[] = {"{} b", "a {}"},
                      *const joined[] = {"a {} 4:{} b"};
    ks_label_options o = {.labels = labels, .n_labels = N, .templates = forms, .n_templates = 2};
    run(v, &o);
    o.templates = swapped;
    ck_assert_int_gt(run(v, &o), 0);
    o.n_templates = 1;
    ck_assert_int_gt(run(v, &o), 0);
    o.templates = joined;
    ck_assert_int_gt(run(v, &o), 0);
    o = (ks_label_options){.labels = labels, .n_labels = N};
    ck_assert_int_gt(run(v, &o), 0);
    ck_assert_int_eq(run(kept, &o), 0);
    ck_assert_mem_eq(v, kept, (size_t)(N * D) * sizeof *v);
}
END_TEST

START_TEST(a_label_that_cannot_be_read_stops)
{
    float v[N * ROOM];
    ks_label_options o = {.labels = labels, .n_labels = N};
    labels[20] = "\xff";
    ck_assert_int_eq(ks_label_vectors(v, enc, &o, &e), KS_EUSAGE);
    labels[20] = text[20];
    ck_assert_int_gt(run(v, &o), 0);
    ck_assert_int_eq(run(v, &o), 0);
}
END_TEST

/* More labels than anybody waits for; the first N are labels[]. */
static void never_ends(void)
{
    enum { MANY = 1000000 };
    const char **many = malloc(MANY * sizeof *many);
    float *v = malloc((size_t)MANY * (size_t)D * sizeof *v);
    ks_label_options o = {.labels = many, .n_labels = MANY};
    char *more = malloc(MANY * 16);
    for (int i = 0; i < MANY; i++) {
        snprintf(more + i * 16, 16, "cat %d", i);
        many[i] = i < N ? labels[i] : more + i * 16;
    }
    open_encoder();
    ks_label_vectors(v, enc, &o, &e);
    _exit(0);
}

START_TEST(a_run_that_is_killed_keeps_what_it_had)
{
    float v[N * ROOM], w[N * ROOM];
    char pattern[120];
    glob_t found = {0};
    int status;
    ks_label_options o = {.labels = labels, .n_labels = N};
    snprintf(pattern, sizeof pattern, "%s/*.vectors", cache);
    ks_encoder_close(enc);
    pid_t pid = fork();
    if (pid == 0) never_ends();
    for (int i = 0; i < 400 && glob(pattern, 0, NULL, &found) != 0; i++) usleep(50000);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status)); /* nobody saw its end */
    ck_assert_uint_eq(found.gl_pathc, 1);
    globfree(&found);
    open_encoder();
    ck_assert_int_eq(run(v, &o), 0);
    ks_encoder_close(enc);
    ks_remove_folder(cache);
    open_encoder();
    ck_assert_int_gt(run(w, &o), 0);
    ck_assert_mem_eq(v, w, (size_t)(N * D) * sizeof *v);
}
END_TEST

static int notices;

static void notice(void *arg, const char *sentence)
{
    (void)arg;
    notices += strstr(sentence, "cut off") != NULL;
}

/* That a label was too long is said every time, so it is encoded every time. */
START_TEST(a_label_that_was_cut_is_not_kept)
{
    float v[N * ROOM];
    char much[8 * 80] = "";
    ks_label_options o = {.labels = labels,
                          .n_labels = 3,
                          .templates = (const char *const[]){"a {}"},
                          .n_templates = 1};
    ks_encoder_close(enc);
    told = notice;
    open_encoder();
    for (int i = 0; i < 80; i++) strcat(much, "water ");
    labels[1] = much;
    for (int round = 0; round < 2; round++) {
        notices = 0;
        ck_assert_int_eq(run(v, &o),
                         round == 0 ? 65 + tokens_of("a dog aa") + tokens_of("a dog ca") : 65);
        ck_assert_int_eq(notices, 1);
    }
}
END_TEST

START_TEST(equal_labels_and_none)
{
    float v[N * ROOM];
    ks_label_options o = {.labels = labels, .n_labels = 3};
    labels[2] = labels[0];
    run(v, &o);
    ck_assert_mem_eq(v, v + 2 * D, (size_t)D * sizeof *v);
    ck_assert_int_eq(run(v, &o), 0);
    ck_assert_mem_eq(v, v + 2 * D, (size_t)D * sizeof *v);
    o.n_labels = 0;
    ck_assert_int_eq(run(v, &o), 0);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("label");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_label_is_the_mean_of_its_sentences);
    tcase_add_test(t, a_label_of_its_own_sentences);
    tcase_add_test(t, the_next_run_encodes_what_is_new);
    tcase_add_test(t, other_templates_are_encoded_anew);
    tcase_add_test(t, a_label_that_cannot_be_read_stops);
    tcase_add_test(t, a_run_that_is_killed_keeps_what_it_had);
    tcase_add_test(t, a_label_that_was_cut_is_not_kept);
    tcase_add_test(t, equal_labels_and_none);
    return ks_run_case("label", t);
}
