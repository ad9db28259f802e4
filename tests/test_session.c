/* A library of sentences asked through a session: words, pictures, clips and films; one session
 * or many, one after the other or at once, before and after the library grew. The right answer
 * is known, whatever the weights are. */
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/search_run.h"
#include "decoder/spawn.h"
#include "session/session.h"
#include "tests/library_maker.h"
#include "tests/suite.h"

#define FILM "models/demo/films/weather.mp4"
static const char model[] = "tests/fixtures/lvt.npz", tokenizer[] = "tests/fixtures/lvt.spm",
                  film[] = FILM, picture[] = "models/demo/moments.png";
static char folder[64], library[96], cache[96], decoder[PATH_MAX], said[1024];
static ks_setup setup;
static ks_error e;

static void hear(void *arg, const char *sentence)
{
    ck_assert_ptr_eq(arg, said);
    snprintf(said + strlen(said), sizeof said - strlen(said), "%s\n", sentence);
}

static void make_library(const char *at, const char *list)
{
    const char *build = getenv("BUILD") ? getenv("BUILD") : "build";
    char command[512];
    FILE *f;

    snprintf(command, sizeof command, "%s/tests/prog_sentences %s %s %s", build, at, model,
             tokenizer);
    ck_assert_ptr_nonnull(f = popen(command, "w"));
    fputs(list, f);
    ck_assert_int_eq(pclose(f), 0);
}

static void begin(void)
{
    const char *build = getenv("BUILD") ? getenv("BUILD") : "build";

    lib_new_dir(folder);
    snprintf(library, sizeof library, "%s/lib", folder);
    snprintf(cache, sizeof cache, "%s/cache", folder);
    snprintf(decoder, sizeof decoder, "%s/kinoseek-decode", build);
    setenv("XDG_CACHE_HOME", cache, 1);
    said[0] = 0;
    setup = (ks_setup){
        .precision = "fp32", .threads = 1, .decoder = decoder, .notice = hear, .notice_arg = said};
    make_library(library, "/films/lake.mp4\t0\t8\ta boat on the water\t25\n"
                          "/films/lake.mp4\t4\t12\ta dog jumping into water\t25\n"
                          "/films/lake.mp4\t16\t24.5\tpeople at a barbecue\t25\n"
                          "/films/city.mp4\t0\t8\ta traffic jam at night\t30\n"
                          "/films/city.mp4\t3600\t3608\ta tram in the rain\t30\n"
                          "/films/home.mp4\t0\t8\ta cat on a sofa\t50\n");
}

static void end(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static ks_session *session(void)
{
    ks_session *s;

    MUST(ks_session_open(&s, library, &setup, &e));
    return s;
}

static ks_answer ask(ks_session *s, ks_question q)
{
    ks_answer a;

    MUST(ks_ask(&a, s, &q, NULL, &e));
    return a;
}

static void same_answers(const ks_answer *a, const ks_answer *b)
{
    ck_assert_int_eq(a->hits.count, b->hits.count);
    ck_assert_int_eq(a->hits.below, b->hits.below);
    for (int i = 0; i < a->hits.count + a->hits.below; i++) {
        ck_assert_int_eq(a->at[i].clips[0], b->at[i].clips[0]);
        ck_assert(a->at[i].score == b->at[i].score && a->at[i].cosine == b->at[i].cosine);
    }
}

START_TEST(test_words_with_film_facts)
{
    ks_session *s = session();
    ks_answer a = ask(s, (ks_question){.words = "a tram in the rain", .all = 1, .k = 3});

    ck_assert_int_eq(a.hits.count, 3);
    ck_assert_int_eq(a.hits.searched, 6);
    ck_assert_str_eq(a.title, "a tram in the rain");
    ck_assert_str_eq(a.at[0].path, "/films/city.mp4");
    ck_assert_str_eq(a.at[0].title, a.title);
    ck_assert_int_eq(a.at[0].rank, 1);
    ck_assert_double_eq(ks_seconds(a.at[0].start, a.at[0].tb), 3600);
    ck_assert_double_eq(a.at[0].duration, 3608);
    ck_assert_double_eq(a.at[0].fps, 30);
    ck_assert_int_eq(a.at[0].missing, 1);
    ck_assert_str_eq(said, "");
    ks_answer_free(&a);
    ks_answer_free(&a); /* zeros are fine */
    ks_session_close(s);
    ks_session_close(NULL);
}
END_TEST

/* Whatever was asked before, an answer is what a fresh session gives: encoder and scale are
 * right for each question. */
START_TEST(test_any_order)
{
    const ks_question questions[] = {{.image = picture},
                                     {.words = "a cat on a sofa", .all = 1},
                                     {.film = film},
                                     {.like = 2},
                                     {.words = "a dog jumping into water"},
                                     {.film = "/films/lake.mp4@20"},
                                     {.image = picture, .k = 2}};
    enum { N = sizeof questions / sizeof *questions };
    ks_session *one = session();

    for (int i = 0; i < N; i++) {
        ks_session *fresh = session();
        ks_answer a = ask(one, questions[i]), b = ask(fresh, questions[i]);
        same_answers(&a, &b);
        ck_assert_int_gt(a.hits.count + a.hits.below, 0);
        ks_answer_free(&a);
        ks_answer_free(&b);
        ks_session_close(fresh);
    }
    ks_session_close(one);
}
END_TEST

START_TEST(test_clips_and_films_of_the_library)
{
    ks_session *s = session();
    ks_answer a = ask(s, (ks_question){.like = 3, .k = 2});

    ck_assert_str_eq(a.title, "clip 3");
    ck_assert_int_eq(a.at[0].clips[0], 3);
    ck_assert_double_eq_tol(a.at[0].cosine, 1, 1e-3);
    ks_answer_free(&a);
    a = ask(s, (ks_question){.like = 3, .not_self = 1});
    for (int i = 0; i < a.hits.count; i++) ck_assert_int_ne(a.at[i].clips[0], 3);
    ks_answer_free(&a);
    a = ask(s, (ks_question){.film = "/films/lake.mp4@7"}); /* centres are 4, 8 and 20.25 */
    ck_assert_int_eq(a.at[0].clips[0], 2);
    ks_answer_free(&a);
    /* it ends at 24.5 */
    ck_assert_int_eq(ks_ask(&a, s, &(ks_question){.film = "/films/lake.mp4@24.6"}, NULL, &e),
                     KS_ENOTFOUND);
    ck_assert_str_eq(e.msg, "/films/lake.mp4: nothing is at 24.6 s, the film is 24.5 s long");
    a = ask(s, (ks_question){.film = "/films/lake.mp4@24.5"});
    ck_assert_int_eq(a.at[0].clips[0], 3);
    ks_answer_free(&a);
    a = ask(s, (ks_question){.film = "/films/lake.mp4", .not_self = 1});
    for (int i = 0; i < a.hits.count; i++) ck_assert_str_ne(a.at[i].path, "/films/lake.mp4");
    ks_answer_free(&a);
    ks_session_close(s);
}
END_TEST

/* A film that is not in the library, asked about just before and just behind its end (26.467 s). */
START_TEST(test_seconds_of_a_foreign_film)
{
    ks_session *s = session();
    ks_answer a = ask(s, (ks_question){.film = FILM "@26.4"});

    ks_answer_free(&a);
    ck_assert_int_eq(ks_ask(&a, s, &(ks_question){.film = FILM "@27"}, NULL, &e), KS_ENOTFOUND);
    ck_assert_ptr_nonnull(strstr(e.msg, "nothing is at 27 s, the film is 2"));
    ck_assert_int_eq(ks_ask(&a, s, &(ks_question){.film = FILM "@1:00:00"}, NULL, &e),
                     KS_ENOTFOUND);
    ks_session_close(s);
}
END_TEST

START_TEST(test_options_and_errors)
{
    ks_session *s = session();
    ks_query_options o;
    ks_answer a;
    int64_t id;

    MUST(ks_question_options(&o, s,
                             &(ks_question){.k = 7,
                                            .in = "home.mp4",
                                            .merge = "off",
                                            .fold = "off",
                                            .after = "1970-01-01",
                                            .ann = 1},
                             &e));
    ck_assert_int_eq(o.k, 7);
    ck_assert_int_eq(o.filter.video, 3);
    ck_assert_int_eq(o.apart + o.unfolded, 2);
    ck_assert_int_eq(o.how, KS_SEARCH_ANN);
    ck_assert_int_ne(o.filter.after, 0);
    ck_assert_int_eq(ks_question_options(&o, s, &(ks_question){.before = "soon"}, &e), KS_EUSAGE);
    ck_assert_int_eq(ks_question_options(&o, s, &(ks_question){.exact = 1, .ann = 1}, &e),
                     KS_EUSAGE);
    ck_assert_int_eq(ks_ask(&a, s, &(ks_question){.words = "x", .in = "nothing.mp4"}, NULL, &e),
                     KS_ENOTFOUND);
    ck_assert_ptr_null(a.at);
    ck_assert_int_eq(ks_ask(&a, s, &(ks_question){.words = "\xff"}, NULL, &e), KS_EUSAGE);
    ck_assert_int_eq(ks_ask(&a, s, &(ks_question){.image = "Makefile"}, NULL, &e), KS_EFORMAT);
    ck_assert_int_eq(ks_ask(&a, s, &(ks_question){.like = 99}, NULL, &e), KS_ENOTFOUND);
    /* three are called so */
    ck_assert_int_eq(ks_find_video(&id, ks_session_index(s), "*.mp4", &e), KS_EUSAGE);
    MUST(ks_find_video(&id, ks_session_index(s), "2", &e));
    ck_assert_int_eq(id, 2);
    ks_session_close(s);
    ck_assert_int_eq(ks_session_open(&s, "/nonexistent/library", &setup, &e), KS_ENOLIBRARY);
    ck_assert_ptr_null(s);
}
END_TEST

START_TEST(test_notices_are_heard)
{
    ks_session *s = session();
    ks_answer a = ask(s, (ks_question){.words = "ein Hund springt ins Wasser", .all = 1});

    ck_assert_ptr_nonnull(strstr(said, "do not look English"));
    ks_answer_free(&a);
    ks_session_close(s);
}
END_TEST

/* A reader that stays open sees what a writer adds, on the scale that the writer left. */
START_TEST(test_a_library_that_grows)
{
    ks_session *s = session(), *fresh;
    const ks_question q = {.words = "soldiers marching", .all = 1};
    ks_session_state *before = malloc(sizeof *before), *after = malloc(sizeof *after);
    ks_answer a = ask(s, q), b;

    MUST(ks_session_status(before, s, &e));
    ck_assert_int_eq(a.hits.searched, 6);
    ks_answer_free(&a);
    make_library(library, "/films/war.mp4\t0\t8\tsoldiers marching\t24\n");
    a = ask(s, q);
    fresh = session();
    b = ask(fresh, q);
    ck_assert_str_eq(a.at[0].path, "/films/war.mp4");
    same_answers(&a, &b);
    MUST(ks_session_status(after, s, &e));
    ck_assert_int_gt(after->library.generation, before->library.generation);
    ck_assert_int_eq(after->state.clips, before->state.clips + 1);
    ck_assert_int_eq(after->at_work, 0);
    ks_answer_free(&a);
    ks_answer_free(&b);
    ks_session_close(s);
    ks_session_close(fresh);
    free(before);
    free(after);
}
END_TEST

static const ks_question asked[] = {
    {.words = "a dog jumping into water", .all = 1}, {.film = film}, {.like = 5}};

static void *worker(void *answers)
{
    ks_answer *a = answers;
    ks_session *s;
    ks_error mine;

    if (ks_session_open(&s, library, &setup, &mine) < 0) return NULL;
    for (int i = 0; i < 3; i++)
        if (ks_ask(&a[i], s, &asked[i], NULL, &mine) < 0) a[i] = (ks_answer){0};
    ks_session_close(s);
    return a;
}

START_TEST(test_a_session_a_thread)
{
    enum { THREADS = 4 };
    pthread_t thread[THREADS];
    static ks_answer a[THREADS][3];

    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, worker, a[i]), 0);
    for (int i = 0; i < THREADS; i++) ck_assert_int_eq(pthread_join(thread[i], NULL), 0);
    for (int i = 0; i < THREADS; i++)
        for (int j = 0; j < 3; j++) {
            ck_assert_int_gt(a[i][j].hits.count, 0);
            same_answers(&a[i][j], &a[0][j]);
        }
    for (int i = 0; i < THREADS; i++)
        for (int j = 0; j < 3; j++) ks_answer_free(&a[i][j]);
}
END_TEST

/* Its program is killed between two pictures: the next one has another. */
START_TEST(test_a_decoder_that_is_gone)
{
    ks_session *s = session();
    ks_answer a = ask(s, (ks_question){.image = picture});
    ks_decoder *d;
    ks_image image;
    uint8_t *pixels;

    ks_answer_free(&a);
    MUST(ks_session_decoder(&d, s, &e));
    ck_assert_int_eq(kill(d->pid, SIGKILL), 0);
    ck_assert_int_lt(ks_picture(&image, &pixels, d, picture, 0, NULL, &e), 0);
    ck_assert_int_eq(ks_decoder_gone(d), 1);
    a = ask(s, (ks_question){.image = picture});
    ck_assert_int_gt(a.hits.count, 0);
    ks_answer_free(&a);
    ks_session_close(s);
}
END_TEST

/* `search ARGS...` as the command line reads it. */
static void read_arguments(ks_question *q, ks_terms *terms, char *words, int argc, char **argv)
{
    int used;
    const ks_command *c = ks_find_command("search", NULL, &used);
    ks_search_fields fields = {0};
    char *args[16];
    int n;

    MUST(ks_parse(&fields, c->options, NULL, NULL, argc, argv, args, &n, &e));
    words[0] = 0;
    for (int i = 0; i < n; i++) sprintf(words + strlen(words), "%s%s", i ? " " : "", args[i]);
    *q = fields.ask;
    q->words = n ? words : NULL;
    MUST(ks_search_terms(terms, &fields, n > 0, &e));
    q->terms = terms;
    ks_parse_free(&fields, c->options);
}

static void same_terms(const ks_terms *a, const ks_terms *b)
{
    ck_assert_int_eq(a->n, b->n);
    for (int i = 0; i < a->n; i++) {
        ck_assert_int_eq(a->at[i].op, b->at[i].op);
        ck_assert_int_eq(a->at[i].kind, b->at[i].kind);
        ck_assert(a->at[i].weight == b->at[i].weight && a->at[i].within == b->at[i].within &&
                  a->at[i].clip == b->at[i].clip);
        ck_assert(a->at[i].text ? strcmp(a->at[i].text, b->at[i].text) == 0 : !b->at[i].text);
    }
}

static void same_parts(const ks_answer *a, const ks_answer *b)
{
    for (int i = 0; i < a->hits.count + a->hits.below; i++) {
        ck_assert_int_eq(a->at[i].n_parts, b->at[i].n_parts);
        for (int p = 0; p < a->at[i].n_parts; p++)
            ck_assert(a->at[i].parts[p].term == b->at[i].parts[p].term &&
                      a->at[i].parts[p].score == b->at[i].parts[p].score);
    }
}

START_TEST(test_the_form_of_a_url_says_the_same)
{
    static const struct {
        const char *url;
        const char *args[12];
    } forms[] = {
        {"q=a+boat&then=people%20at+a+barbecue&within=0:30&all=1",
         {"a", "boat", "--then", "people at a barbecue", "--within", "30", "--all"}},
        {"q=a+cat&minus=0.5:a+sofa&plus=%232&k=3&all=1",
         {"--minus", "0.5:a sofa", "a", "cat", "--plus=#2", "-k3", "--all"}},
        {"q=a+dog&or=a+tram&not=%3Da+boat&per-video=1&all=1",
         {"a dog", "--or", "a tram", "--not", "=a boat", "--per-video", "1", "--all"}},
        {"q=a+tram&unless=rain&within=1h&path=*city*&merge=off&all=1",
         {"a", "tram", "--unless", "rain", "--within", "1h", "--path", "*city*", "--merge", "off",
          "--all"}},
        {"and=a+cat&like=5&fold=off&all=1",
         {"--and", "a cat", "--like", "5", "--fold=off", "--all"}},
        {"image="
         "models/demo/moments.png"
         "&plus=a+cat&longer=8.2",
         {"--image", picture, "--plus", "a cat", "--longer", "8.2"}},
        {"plus=%40/films/lake.mp4%404&plus=%40/films/city.mp4%403604&top=2",
         {"--plus", "@/films/lake.mp4@4", "--plus", "@/films/city.mp4@3604", "-k", "2"}},
    };
    ks_session *s = session();

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        ks_question typed, sent = {0};
        ks_terms terms[2] = {{0}, {0}};
        char words[256], url[256];
        char *argv[12];
        int argc = 0;

        for (; argc < 12 && forms[i].args[argc]; argc++)
            ck_assert_ptr_nonnull(argv[argc] = strdup(forms[i].args[argc]));
        read_arguments(&typed, &terms[0], words, argc, argv);
        snprintf(url, sizeof url, "%s", forms[i].url);
        MUST(ks_question_read_url(&sent, &terms[1], url, &e));
        same_terms(&terms[0], &terms[1]);
        ks_answer a = ask(s, typed), b = ask(s, sent);
        ck_assert_int_gt(a.hits.count, 0);
        ck_assert_str_eq(a.title, b.title);
        same_answers(&a, &b);
        same_parts(&a, &b);
        ks_answer_free(&a);
        ks_answer_free(&b);
        ks_terms_free(&terms[0]);
        ks_terms_free(&terms[1]);
        while (argc) free(argv[--argc]);
    }
    ks_session_close(s);
}
END_TEST

START_TEST(test_a_url_that_is_none)
{
    static const char *const bad[] = {"q=a&then=",
                                      "q=a%0",
                                      "q=a%00b",
                                      "q=a&colour=red",
                                      "and=a",
                                      "q=a&q=b",
                                      "q=a&within=3",
                                      "q=a&k=x",
                                      "q=a&k=99999999999",
                                      "q=a&then=b&within=never",
                                      "q=a&not=%231x",
                                      "",
                                      "&&&"};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ks_question q = {0};
        ks_terms terms = {0};
        char url[64];
        snprintf(url, sizeof url, "%s", bad[i]);
        ck_assert_msg(ks_question_read_url(&q, &terms, url, &e) == KS_EUSAGE, "%s", bad[i]);
        ks_terms_free(&terms);
    }
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("questions");
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, test_words_with_film_facts);
    tcase_add_test(t, test_any_order);
    tcase_add_test(t, test_clips_and_films_of_the_library);
    tcase_add_test(t, test_seconds_of_a_foreign_film);
    tcase_add_test(t, test_options_and_errors);
    tcase_add_test(t, test_notices_are_heard);
    tcase_add_test(t, test_a_library_that_grows);
    tcase_add_test(t, test_a_session_a_thread);
    tcase_add_test(t, test_a_decoder_that_is_gone);
    tcase_add_test(t, test_the_form_of_a_url_says_the_same);
    tcase_add_test(t, test_a_url_that_is_none);
    return ks_run_case("session", t);
}
