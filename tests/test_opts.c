/* test_opts.c - option tables, times, dates, "did you mean", JSON text. Known answers. */
#include "cli/commands.h"
#include "cli/opts.h"
#include "cli/terminal.h"
#include "session/session.h"
#include "formats/formats.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int flag, count;
    const char *text, *choice;
    double number;
    ks_opt_list words, pictures;
} fields;
typedef struct {
    const char *library;
    int quiet;
} globals;

static const ks_option table[] = {
    {'f', "flag", KS_OPT_FLAG, offsetof(fields, flag), NULL, "a flag"},
    {'k', "top", KS_OPT_COUNT, offsetof(fields, count), "N", "a count"},
    {0, "path", KS_OPT_TEXT, offsetof(fields, text), "GLOB", "a text"},
    {0, "merge", KS_OPT_TEXT, offsetof(fields, choice), "on|off", "a choice"},
    {0, "longer", KS_OPT_NUMBER, offsetof(fields, number), "SECONDS", "a number"},
    {0, "text", KS_OPT_LIST, offsetof(fields, words), "WORDS", "a list"},
    {0, "image", KS_OPT_LIST, offsetof(fields, pictures), "FILE", "another"},
    {0},
};
static const ks_option global_table[] = {
    {'L', "library", KS_OPT_TEXT, offsetof(globals, library), "DIR", "library"},
    {'q', "quiet", KS_OPT_FLAG, offsetof(globals, quiet), NULL, "quiet"},
    {0},
};

static fields f;
static globals g;
static char *args[32];
static int n_args;
static ks_error e;

/* Parse a line that is split at blanks. */
static int parse(const char *line)
{
    static char copy[256];
    char *argv[32];
    int argc = 0;

    ks_parse_free(&f, table);
    memset(&f, 0, sizeof f);
    memset(&g, 0, sizeof g);
    memset(&e, 0, sizeof e);
    snprintf(copy, sizeof copy, "%s", line);
    for (char *w = strtok(copy, " "); w; w = strtok(NULL, " ")) argv[argc++] = w;
    return ks_parse(&f, table, &g, global_table, argc, argv, args, &n_args, &e);
}

START_TEST(every_form_of_an_option)
{
    ck_assert_int_eq(
        parse("a dog -k 5 --path=x/*.mp4 --longer 1:30 -fq -L lib jumping --merge off"), 0);
    ck_assert_int_eq(f.count, 5);
    ck_assert_str_eq(f.text, "x/*.mp4");
    ck_assert_str_eq(f.choice, "off");
    ck_assert(f.number == 90);
    ck_assert_int_eq(f.flag, 1);
    ck_assert_int_eq(g.quiet, 1);
    ck_assert_str_eq(g.library, "lib");
    ck_assert_int_eq(n_args, 3);
    ck_assert_str_eq(args[2], "jumping");
    ck_assert_int_eq(parse("-k12 - -- --path -k"), 0);
    ck_assert_int_eq(f.count, 12);
    ck_assert_int_eq(n_args, 3);
    ck_assert_str_eq(args[0], "-");
    ck_assert_str_eq(args[1], "--path");
    ck_assert_int_eq(parse("--path --longer"), 0); /* a value may look like an option */
    ck_assert_str_eq(f.text, "--longer");
}
END_TEST

START_TEST(lists_keep_the_order_over_all_lists)
{
    ck_assert_int_eq(parse("--text a --image b --text c --text= --image d"), 0);
    ck_assert_int_eq(f.words.n, 3);
    ck_assert_int_eq(f.pictures.n, 2);
    ck_assert_str_eq(f.words.at[1], "c");
    ck_assert_str_eq(f.words.at[2], "");
    ck_assert_int_eq(f.words.order[0], 0);
    ck_assert_int_eq(f.pictures.order[0], 1);
    ck_assert_int_eq(f.words.order[1], 2);
    ck_assert_int_eq(f.words.order[2], 3);
    ck_assert_int_eq(f.pictures.order[1], 4);
    ks_parse_free(&f, table);
    ck_assert_int_eq(f.words.n, 0);
}
END_TEST

START_TEST(wrong_use_says_what_was_meant)
{
    static const char *const cases[][2] = {
        {"--pth x", "there is no option --pth (did you mean --path?)"},
        {"--lon 3", "there is no option --lon (did you mean --longer?)"},
        {"--library", "--library needs DIR"},
        {"--zzzzzz", "there is no option --zzzzzz"},
        {"-z", "there is no option -z"},
        {"-fz", "there is no option -z"},
        {"-k", "-k needs N"},
        {"-k x", "--top takes a whole number, not \"x\""},
        {"-k -3", "--top takes a whole number, not \"-3\""},
        {"-k 99999999999", "--top takes a whole number, not \"99999999999\""},
        {"--merge maybe", "--merge takes on|off, not \"maybe\""},
        {"--merge=", "--merge takes on|off, not \"\""},
        {"--flag=1", "--flag takes no value"},
        {"-k 3 --top 4", "--top was given twice"},
        {"--merge on --merge=on", "--merge was given twice"},
        {"--longer never", "--longer takes a number or a time (90, 1:30, 4h), not \"never\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_int_eq(parse(cases[i][0]), KS_EUSAGE);
        ck_assert_str_eq(e.msg, cases[i][1]);
    }
}
END_TEST

START_TEST(globals_in_front_of_the_command)
{
    char *argv[] = {"-L", "x", "-q", "search", "-k", "3"};
    int used = 0;

    memset(&g, 0, sizeof g);
    ck_assert_int_eq(ks_parse_leading(&g, global_table, 6, argv, &used, &e), 0);
    ck_assert_int_eq(used, 3);
    ck_assert_str_eq(g.library, "x");
    ck_assert_int_eq(g.quiet, 1);
}
END_TEST

START_TEST(times)
{
    static const struct {
        const char *text;
        double seconds;
    } good[] = {
        {"0", 0},      {"12.5", 12.5},  {".5", 0.5}, {"4:12", 252},    {"1:02:03.040", 3723.04},
        {"4h", 14400}, {"1h30m", 5400}, {"90s", 90}, {"1h1m1s", 3661}, {"2m3", 123},
    };
    static const char *const bad[] = {"",      "-3",      "x",       "1:2:3:4", "1e999", "nan",
                                      "inf",   "4x",      "1:",      ":3",      "1:30h", "3 4",
                                      "1:-3",  "+3",      "1s\v-9",  "1:\t2",   "1:nan", "0X10",
                                      "1:0X2", "1h infs", "1m\n0x4s"};
    double s;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_assert_msg(ks_parse_seconds(&s, good[i].text) == 0, "%s", good[i].text);
        ck_assert_msg(fabs(s - good[i].seconds) < 1e-9, "%s is %g", good[i].text, s);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(ks_parse_seconds(&s, bad[i]) < 0, "\"%s\" was read as %g", bad[i], s);
}
END_TEST

/* Whatever is typed: a number from 0 to 317 years of seconds, or no time at all. */
START_TEST(any_time_that_is_typed)
{
    static const char letters[] = "0123456789999999eE.:hms+-xpn if";
    unsigned long long seed = 42;
    char text[40];
    int good = 0;
    for (int i = 0; i < 20000; i++) {
        size_t n = 1 + (seed >> 60);
        for (size_t k = 0; k < n; k++) {
            seed = seed * 6364136223846793005ull + 1442695040888963407ull;
            text[k] = letters[(seed >> 33) % (k == 0 ? 16 : sizeof letters - 1)];
        }
        text[n] = 0;
        double s = -7;
        int err = ks_parse_seconds(&s, text);
        ck_assert_msg(err == -1 || (s >= 0 && s <= 1e10), "\"%s\" is %g", text, s);
        good += err == 0;
    }
    ck_assert_int_gt(good, 500);
}
END_TEST

START_TEST(dates)
{
    /* date -u -d ... +%s */
    static const struct {
        const char *text;
        int end;
        int64_t seconds;
    } good[] = {
        {"2019", 0, 1546300800},
        {"2019", 1, 1577836800},
        {"2019-07", 0, 1561939200},
        {"2019-12", 1, 1577836800},
        {"2019-07-12", 0, 1562889600},
        {"2019-07-12", 1, 1562976000},
        {"2020-02-29", 1, 1583020800},
        {"2019-07-12T18:30", 0, 1562956200},
        {"2019-07-12 18:30", 1, 1562956260},
        {"1961-04-12", 0, -275270400},
    };
    static const char *const bad[] = {"",
                                      "x",
                                      "12",
                                      "2019-13",
                                      "2019-02-30",
                                      "2019-07-12T18",
                                      "2019-07-12T25:00",
                                      "2019x",
                                      "2019-07-12T18:30Z",
                                      "-201",
                                      "20190712"};
    int64_t s;

    setenv("TZ", "UTC", 1);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_assert_msg(ks_parse_date(&s, good[i].text, good[i].end) == 0, "%s", good[i].text);
        ck_assert_msg(s == good[i].seconds, "%s is %lld", good[i].text, (long long)s);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(ks_parse_date(&s, bad[i], 0) < 0, "\"%s\" was read as %lld", bad[i],
                      (long long)s);
}
END_TEST

/* What was typed and what is echoed: case does not count, escapes do not act, and no answer at
 * all is no wish. */
START_TEST(typed_and_echoed)
{
    static const char *const names[] = {"ingest", "search", "similar", "clips", "cut", "label"};
    static const char *const typed[][2] = {
        {"SEARCH", "search"}, {"Clps", "clips"},  {"CUT", "cut"},   {"ct", "cut"},
        {"INGEST", "ingest"}, {"lable", "label"}, {"SI", "similar"}};
    char text[] = "a\033[31mb\a\177\xc2\x9b"
                  "c\xc3\xa4\n";

    for (size_t i = 0; i < sizeof typed / sizeof *typed; i++) {
        const char *meant = ks_nearest_name(typed[i][0], names, 6);
        ck_assert_msg(meant && strcmp(meant, typed[i][1]) == 0, "%s: %s", typed[i][0],
                      meant ? meant : "nothing");
    }
    ck_assert_ptr_null(ks_nearest_name("xyz", names, 6));
    ks_harmless(text);
    ck_assert_str_eq(text, "a?[31mb???c\xc3\xa4?");
}
END_TEST

START_TEST(nearest_names)
{
    static const char *const names[] = {"search", "similar", "status", "model pull", "cut"};

    ck_assert_str_eq(ks_nearest_name("serach", names, 5), "search");
    ck_assert_str_eq(ks_nearest_name("sim", names, 5), "similar");
    ck_assert_str_eq(ks_nearest_name("satus", names, 5), "status");
    ck_assert_ptr_null(ks_nearest_name("s", names, 5)); /* three begin so */
    ck_assert_ptr_null(ks_nearest_name("elephant", names, 5));
    ck_assert_ptr_null(
        ks_nearest_name("a-word-of-more-than-forty-letters-is-not-compared-at-all", names, 5));
}
END_TEST

/* Every command's table is sound: names unique, help fits a screen of 80 x 24, and names every
 * option. */
static int shows(const char *text, const char *option)
{
    size_t n = strlen(option);

    for (const char *at = text; (at = strstr(at, option)); at++)
        if (at > text + 1 && at[-1] == '-' && at[-2] == '-' &&
            !strchr("-abcdefghijklmnopqrstuvwxyz", at[n]))
            return 1;
    return 0;
}

/* Lines of a text that ends with one, none wider than 80. */
static int lines_of(char *text, const char *what)
{
    int lines = 0;

    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        size_t shown = 0;
        lines++;
        for (char *s = line; *s; s++) shown += (*s & 0xc0) != 0x80;
        ck_assert_msg(shown <= 80, "%s --help: %zu columns: %s", what, shown, line);
    }
    return lines;
}

START_TEST(tables_of_the_commands)
{
    for (const ks_command *const *c = ks_commands; *c; c++) {
        char *help = NULL;
        size_t size = 0;
        int lines = 0;
        FILE *out = open_memstream(&help, &size);

        ck_assert((*c)->run && (*c)->brief && strlen((*c)->brief) <= 60);
        for (const ks_option *o = (*c)->options; o && o->name; o++) {
            ck_assert_msg(o->at < (*c)->fields, "%s --%s writes outside its struct", (*c)->name,
                          o->name);
            ck_assert_msg((o->type == KS_OPT_FLAG) == (o->arg == NULL), "%s --%s", (*c)->name,
                          o->name);
            for (const ks_option *p = o + 1; p->name; p++)
                ck_assert_msg(strcmp(o->name, p->name) != 0 &&
                                  (!o->letter || o->letter != p->letter),
                              "%s has --%s twice", (*c)->name, o->name);
            for (const ks_option *p = ks_global_options; p->name; p++)
                ck_assert_msg(strcmp(o->name, p->name) != 0 &&
                                  (!o->letter || o->letter != p->letter),
                              "%s --%s hides a global", (*c)->name, o->name);
        }
        ks_print_help(out, *c);
        fclose(out);
        ck_assert(size > 20);
        ck_assert(help[size - 1] == '\n');
        for (const ks_option *o = (*c)->options; o && o->name; o++)
            ck_assert_msg(shows(help, o->name), "%s --help says nothing of --%s", (*c)->name,
                          o->name);
        for (size_t i = 0; i < size; i++) lines += help[i] == '\n';
        ck_assert_msg(lines <= 24, "%s --help has %d lines", (*c)->name, lines);
        lines_of(help, (*c)->name);
        free(help);
    }
}
END_TEST

START_TEST(overview_of_the_commands)
{
    char *text = NULL;
    size_t size = 0;
    int lines = 0, names = 0;
    FILE *out = open_memstream(&text, &size);

    ks_print_overview(out);
    fclose(out);
    for (size_t i = 0; i < size; i++) lines += text[i] == '\n';
    ck_assert_msg(lines <= 24, "--help has %d lines", lines);
    for (const ks_command *const *c = ks_commands; *c; c++, names++) {
        char name[40];
        snprintf(name, sizeof name, "%.*s%s", (int)strcspn((*c)->name, " "), (*c)->name,
                 strchr((*c)->name, ' ') ? " ..." : "");
        ck_assert_msg(strstr(text, name), "--help does not name %s", (*c)->name);
    }
    ck_assert_int_gt(names, 20);
    for (const ks_option *o = ks_global_options; o->name; o++)
        ck_assert_msg(shows(text, o->name), "--help does not name --%s", o->name);
    lines_of(text, "kinoseek");
    free(text);
}
END_TEST

START_TEST(json_text)
{
    static const float v[] = {0.1f, -1e-30f, 1.0f / 3};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    ks_json j;

    ks_json_start(&j, out);
    ks_json_open(&j, NULL, '{');
    ks_json_text(&j, "a", "q\" b\\ \n\t\x01 \xc3\xa9 \xf0\x9f\x90\x95");
    ks_json_text(&j, "bad", "\xff \xc0\x80 \xed\xa0\x80 \xf5\x80\x80\x80 \xe2\x82");
    ks_json_path(&j, "path",
                 "a\xff"
                 "b");
    ks_json_open(&j, "n", '[');
    ks_json_int(&j, NULL, -9007199254740993);
    ks_json_number(&j, NULL, (double)NAN);
    ks_json_seconds(&j, NULL, -0.0001);
    ks_json_seconds(&j, NULL, 252.3456);
    ks_json_bool(&j, NULL, 1);
    ks_json_close(&j);
    ks_json_floats(&j, "v", v, 3);
    ks_json_close(&j);
    ks_json_open(&j, NULL, '[');
    ks_json_close(&j);
    fclose(out);
    ck_assert_str_eq(text, "{\"a\":\"q\\\" b\\\\ \\n\\t\\u0001 \xc3\xa9 \xf0\x9f\x90\x95\","
                           "\"bad\":\"\\ufffd \\ufffd\\ufffd \\ufffd\\ufffd\\ufffd "
                           "\\ufffd\\ufffd\\ufffd\\ufffd \\ufffd\\ufffd\","
                           "\"path\":\"a\\ufffdb\",\"path_bytes\":\"Yf9i\","
                           "\"n\":[-9007199254740993,null,0.000,252.346,true],"
                           "\"v\":[0.100000001,-1e-30,0.333333343]}\n[]\n");
    free(text);
}
END_TEST

/* Seeded: every float that is written reads back as the same bits. */
START_TEST(json_floats_read_back)
{
    uint32_t state = 20261123;

    for (int i = 0; i < 20000; i++) {
        char *text = NULL;
        size_t size = 0;
        float v, back;
        ks_json j;
        FILE *out = open_memstream(&text, &size);
        state = state * 1664525u + 1013904223u;
        memcpy(&v, &state, sizeof v);
        ks_json_start(&j, out);
        ks_json_floats(&j, NULL, &v, 1);
        fclose(out);
        if (isfinite(v)) {
            back = strtof(text + 1, NULL);
            ck_assert_msg(memcmp(&v, &back, sizeof v) == 0, "%s is not %a", text, (double)v);
        } else {
            ck_assert_str_eq(text, "[null]\n");
        }
        free(text);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("opts");
    TCase *c = tcase_create("opts");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(c, every_form_of_an_option);
    tcase_add_test(c, lists_keep_the_order_over_all_lists);
    tcase_add_test(c, wrong_use_says_what_was_meant);
    tcase_add_test(c, globals_in_front_of_the_command);
    tcase_add_test(c, times);
    tcase_add_test(c, any_time_that_is_typed);
    tcase_add_test(c, typed_and_echoed);
    tcase_add_test(c, dates);
    tcase_add_test(c, nearest_names);
    tcase_add_test(c, tables_of_the_commands);
    tcase_add_test(c, overview_of_the_commands);
    tcase_add_test(c, json_text);
    tcase_add_test(c, json_floats_read_back);
    suite_add_tcase(s, c);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
