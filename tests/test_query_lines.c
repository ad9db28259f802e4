/* One question, twice: as a command line and as a URL. 2,000 seeded lines, most of them mutated,
 * are taken by both or refused by both, and what is taken is the same question. (CLI.md: option
 * names are parameter names.) The seed is printed where they differ; LINES and SEED in the
 * environment. */
#include "cli/search_run.h"
#include "session/session.h"
#include "tests/library_maker.h"
#include "tests/suite.h"

#include <stdlib.h>
#include <string.h>

extern const ks_option ks_search_options[];

enum { PARTS = 8, VALUE = 64 };
typedef struct {
    const char *name; /* NULL: the words */
    char value[VALUE];
} part;

/* Options that narrow, order and combine; values that are right, before they are mutated. */
static const struct {
    const char *name, *values[5];
    int fixed; /* a choice: the option table itself knows its values */
} options[] = {{"plus", {"red", "0.5:fog", "#17", "=2:1 victory", "@a.mp4@1:02"}, 0},
               {"minus", {"blue", "2:fog", "#1", "=@home", "a:b"}, 0},
               {"and", {"rain", ".25:fog", "#9", "12:30 train", "caf\xc3\xa9"}, 0},
               {"or", {"snow", "1:x", "#2", "=x", "y"}, 0},
               {"not", {"sun", "3:x", "#3", "=x", "y"}, 0},
               {"then", {"a dog", "0.1:x", "#4", "=x", "y"}, 0},
               {"unless", {"a cat", "1000:x", "#5", "=x", "y"}, 0},
               {"within", {"10", "1:30", "4h", "90s", "0.5"}, 0},
               {"like", {"5", "17", "1", "99", "3"}, 0},
               {"path", {"*.mp4", "trip/", "[a-z]", "\\*", "x y"}, 0},
               {"after", {"2019", "2019-07", "2019-07-12", "1970", "x"}, 0},
               {"said", {"tax return", "\"tax return\"", "-cat dog", "a", "b"}, 0},
               {"top", {"5", "1", "10", "100", "2147483647"}, 0},
               {"per-video", {"1", "2", "3", "4", "5"}, 0},
               {"min-height", {"720", "1080", "1", "2", "3"}, 0},
               {"longer", {"3", "0.5", "1:30", "90s", "1h30m"}, 0},
               {"min-score", {"0.5", "1", "0", ".25", "0.75"}, 0},
               {"film-longer", {"1m", "90", "2h", "1:02:03", "5"}, 0},
               {"merge", {"on", "off", "on", "off", "on"}, 1},
               {"sort", {"score", "date", "film", "date", "film"}, 1},
               {"all", {"", "", "", "", ""}, 1},
               {"exact", {"", "", "", "", ""}, 1},
               {"refine", {"", "", "", "", ""}, 1}};

static uint64_t seed;

static size_t roll(size_t n) { return (size_t)(lib_random(&seed) % n); }

/* A byte that is another, more or gone; never a NUL, which no argument has. */
static void mutate(char value[VALUE])
{
    static const char odd[] = "0:#@=-.,+% \t\"\\&;e9\xc3\xff~";
    size_t n = strlen(value), at = roll(n + 1);
    char c = roll(2) ? odd[roll(sizeof odd - 1)] : (char)(1 + roll(255));

    switch (roll(3)) {
    case 0:
        if (at < n) value[at] = c;
        break;
    case 1:
        if (n + 2 < VALUE) {
            memmove(value + at + 1, value + at, n - at + 1);
            value[at] = c;
        }
        break;
    default:
        if (at < n) memmove(value + at, value + at + 1, n - at);
    }
}

static int make_line(part *p)
{
    int n = 0, words = roll(8) != 0;

    if (words) {
        p[n].name = NULL;
        snprintf(p[n++].value, VALUE, "%s", roll(2) ? "a red star" : "fog");
    }
    for (int more = (int)roll(PARTS - 1); more > 0; more--) {
        size_t o = roll(sizeof options / sizeof *options);
        p[n].name = options[o].name;
        snprintf(p[n].value, VALUE, "%s", options[o].values[roll(5)]);
        for (size_t times = options[o].fixed ? 0 : roll(4); times > 0; times--) mutate(p[n].value);
        n++;
    }
    return n;
}

static int is_flag(const char *name)
{
    const ks_option *o = ks_search_options;
    while (strcmp(o->name, name) != 0) o++;
    return o->type == KS_OPT_FLAG;
}

/* --- both ways --- */
typedef struct {
    ks_question q;
    ks_terms terms;
    int err;
    ks_error e;
    ks_search_fields f;
    char text[PARTS * (VALUE * 3 + 32)];
} asked;

static void by_line(asked *a, part *p, int n)
{
    char name[PARTS][32], *argv[2 * PARTS + 2], *args[2 * PARTS + 2];
    int argc = 0, n_args = 0, begun = 0;

    memset(a, 0, sizeof *a);
    for (int i = 0; i < n; i++) {
        if (!p[i].name) continue;
        snprintf(name[i], sizeof name[i], "--%s", p[i].name);
        argv[argc++] = name[i];
        if (!is_flag(p[i].name)) argv[argc++] = p[i].value;
    }
    argv[argc++] = (char *)(uintptr_t) "--";
    for (int i = 0; i < n; i++)
        if (!p[i].name) argv[argc++] = p[i].value, begun = 1;
    a->err = ks_parse(&a->f, ks_search_options, NULL, NULL, argc, argv, args, &n_args, &a->e);
    int terms = 0;
    for (int i = 0; i < KS_TERM_OPTIONS; i++) terms += a->f.terms[i].n;
    /* cmd_search.c */
    if (a->err == 0 && !begun && !terms && !a->f.ask.said)
        a->err = ks_fail(&a->e, KS_EUSAGE, "say what to look for");
    if (a->err == 0) a->err = ks_search_terms(&a->terms, &a->f, begun || !terms, &a->e);
    a->q = a->f.ask;
    a->q.words = begun ? args[0] : NULL;
}

static void by_url(asked *a, const part *p, int n)
{
    char *to = a->text;

    memset(a, 0, sizeof *a);
    for (int i = 0; i < n; i++) {
        to += sprintf(to, "%s%s=", i ? "&" : "", p[i].name ? p[i].name : "q");
        for (const char *c = p[i].value; *c; c++)
            to += sprintf(to, *c == ' ' ? "+" : "%%%02x", (unsigned)(unsigned char)*c);
    }
    a->err = ks_question_read_url(&a->q, &a->terms, a->text, &a->e);
}

/* --- the same --- */
static int same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static int same_number(double a, double b) { return memcmp(&a, &b, sizeof a) == 0; }

static int same_terms(const ks_terms *a, const ks_terms *b)
{
    int same = a->n == b->n && a->ended == b->ended;

    for (int i = 0; i < a->n && same; i++) {
        const ks_term *x = &a->at[i], *y = &b->at[i];
        same = x->op == y->op && x->kind == y->kind && same_text(x->text, y->text) &&
               x->clip == y->clip && same_number(x->weight, y->weight) &&
               same_number(x->within, y->within);
    }
    return same;
}

static int same(const asked *a, const asked *b)
{
    const ks_question *x = &a->q, *y = &b->q;

    return same_terms(&a->terms, &b->terms) && same_text(x->words, y->words) &&
           same_text(x->path, y->path) && same_text(x->after, y->after) &&
           same_text(x->said, y->said) && same_text(x->merge, y->merge) &&
           same_text(x->sort, y->sort) && x->k == y->k && x->per_video == y->per_video &&
           x->min_height == y->min_height && same_number(x->longer, y->longer) &&
           same_number(x->min_score, y->min_score) && same_number(x->film_longer, y->film_longer) &&
           x->all == y->all && x->exact == y->exact && x->refine == y->refine;
}

static void print_line(const part *p, int n)
{
    for (int i = 0; i < n; i++)
        fprintf(stderr, " %s%s '%s'", p[i].name ? "--" : "", p[i].name ? p[i].name : "",
                p[i].value);
    putc('\n', stderr);
}

START_TEST(test_a_line_and_its_url_are_one_question)
{
    const char *lines = getenv("LINES_ASKED"), *from = getenv("SEED");
    long n = lines ? atol(lines) : 2000, taken = 0, differ = 0;
    uint64_t first = from ? strtoull(from, NULL, 10) : 20261129;

    for (long i = 0; i < n; i++) {
        static asked line, url;
        part p[PARTS];
        seed = first * 1000003 + (uint64_t)i;
        int parts = make_line(p);
        by_line(&line, p, parts);
        by_url(&url, p, parts);
        if ((line.err < 0) != (url.err < 0) || (line.err == 0 && !same(&line, &url))) {
            fprintf(stderr, "seed %llu line %ld:", (unsigned long long)first, i);
            print_line(p, parts);
            fprintf(stderr, "  line: %s\n  url: %s\n", line.err < 0 ? line.e.msg : "taken",
                    url.err < 0 ? url.e.msg : "taken");
            differ++;
        }
        taken += line.err == 0;
        ks_terms_free(&line.terms);
        ks_terms_free(&url.terms);
        ks_parse_free(&line.f, ks_search_options);
    }
    ck_assert_int_eq(differ, 0);
    ck_assert_int_gt(taken, n / 5);
    ck_assert_int_lt(taken, n * 4 / 5);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("lines");
    tcase_set_timeout(t, 0);
    tcase_add_test(t, test_a_line_and_its_url_are_one_question);
    return ks_run_case("query_lines", t);
}
