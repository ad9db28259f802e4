/* Words that are written: how they are asked, and the names of films as FTS5 holds them, against
 * known answers and against the rows that they are made of. */
#include "index/catalog.h"
#include "tests/library_maker.h"
#include "tests/suite.h"

#include <stdlib.h>
#include <string.h>

enum { DIM = 16 };
static ks_error e;

START_TEST(test_what_is_asked_is_read)
{
    static const struct {
        const char *text, *match;
    } good[] = {{"tax", "(\"tax\" )"},
                {" tax\t return ", "(\"tax\" \"return\" )"},
                {"\"tax return\" -cat", "(\"tax return\" ) NOT \"cat\""},
                {"-\"a cat\" dog", "(\"dog\" ) NOT \"a cat\""},
                {"don't", "(\"don't\" )"},
                {"a\"b c\"d", "(\"a\" \"b c\" \"d\" )"},
                {"NEAR(a b) OR x*", "(\"NEAR(a\" \"b)\" \"OR\" \"x*\" )"},
                {"name:x ^y", "(\"name:x\" \"^y\" )"},
                {"caf\xc3\xa9 \xe6\x97\xa5", "(\"caf\xc3\xa9\" \"\xe6\x97\xa5\" )"}};

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char *match = NULL;
        MUST(ks_match_read(&match, "said", good[i].text, &e));
        ck_assert_str_eq(match, good[i].match);
        free(match);
    }
}
END_TEST

START_TEST(test_errors_point_at_the_character)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"", "--said: there are no words"},
        {" \t", "--said: there are no words"},
        {"-cat", "--said -cat: a word that is there must be among them, at character 1 (-cat)"},
        {"dog - cat", "--said dog - cat: no word stands here, at character 5 (- cat)"},
        {"\xc3\xa9 \"tax",
         "--said \xc3\xa9 \"tax: the phrase has no second quote, at character 3 (\"tax)"},
        {"a \"\"", "--said a \"\": no word stands here, at character 3 (\"\")"},
        {"a ...", "--said a ...: no word stands here, at character 3 (...)"},
        {"a --b", NULL}, /* -b is a word with a sign before it: not this one */
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *match = NULL;
        int err = ks_match_read(&match, "said", bad[i].text, &e);
        ck_assert_int_eq(err, bad[i].message ? KS_EUSAGE : 0);
        if (bad[i].message) ck_assert_str_eq(e.msg, bad[i].message);
        free(match);
    }
    char many[400] = "";
    char *match;
    for (int i = 0; i < 65; i++) strcat(many, "a ");
    ck_assert_int_eq(ks_match_read(&match, "said", many, &e), KS_EUSAGE);
    ck_assert_ptr_nonnull(strstr(e.msg, "64 words at most, at character 129"));
}
END_TEST

/* --- names --- */
/* The films that `words` find, as digits in the order of their ids. */
static const char *named(ks_index *x, const char *words, const ks_filter *f)
{
    static char out[80];
    int64_t video[20], bits = 0;
    char *match;
    int n;

    MUST(ks_match_read(&match, "words", words, &e));
    MUST(ks_index_named(video, &n, 20, x, match, f, &e));
    free(match);
    for (int i = 0; i < n; i++) bits |= INT64_C(1) << video[i];
    out[0] = 0;
    for (int i = 0; i < 63; i++)
        if (bits >> i & 1) sprintf(out + strlen(out), "%d", i);
    return out;
}

static ks_index *library(char dir[64])
{
    static const char *const paths[] = {"/home/anna/Videos/holidays/2019/lake_day.mp4",
                                        "/home/anna/Videos/holidays/2020/Lake Day 2.mkv",
                                        "/home/anna/Videos/BirthdayParty.mp4",
                                        "/mnt/disk/odd/b\377d caf\303\251.mp4",
                                        "/home/anna/Videos/holidays/.hidden",
                                        "/home/anna/Videos/noending"};
    static const char folders[] = "/home/anna/Videos\0/home/anna/Videos/holidays";
    ks_space space = lib_space(DIM);
    ks_index *x;

    lib_new_dir(dir);
    MUST(ks_index_open(&x, dir, KS_CREATE, &e));
    MUST(ks_index_set_space(x, &space, "m", "t", &e));
    MUST(ks_index_put(x, KS_FOLDERS_KEY, folders, sizeof folders, &e));
    for (int i = 0; i < 6; i++) lib_add(x, paths[i], (uint64_t)i + 1, 2, DIM, 0);
    return x;
}

static int findings(const char *dir)
{
    ks_index *x;
    MUST(ks_index_open(&x, dir, KS_READ, &e));
    int n = ks_index_check(x, NULL, NULL, &e);
    MUST(n);
    ks_index_close(x);
    return n;
}

START_TEST(test_films_are_found_by_their_names)
{
    char dir[64];
    ks_index *x = library(dir);

    ck_assert_str_eq(named(x, "lake", NULL), "12");
    ck_assert_str_eq(named(x, "lakes DAYS", NULL), "12"); /* stems, whatever the case */
    ck_assert_str_eq(named(x, "2019 lake", NULL), "1");
    ck_assert_str_eq(named(x, "lake -2019", NULL), "2");
    ck_assert_str_eq(named(x, "\"day 2\"", NULL), "2");
    ck_assert_str_eq(named(x, "birthdayparty", NULL), "3");
    ck_assert_str_eq(named(x, "birthday party", NULL), "3");
    ck_assert_str_eq(named(x, "cafe", NULL), "4"); /* without accents */
    ck_assert_str_eq(named(x, "odd", NULL), "4");  /* no folder above it was named: its own */
    ck_assert_str_eq(named(x, "hidden", NULL), "5");
    ck_assert_str_eq(named(x, "noending", NULL), "6");
    ck_assert_str_eq(named(x, "holidays", NULL), "125");
    /* nothing of the outermost folder that was named and what lies above it, and no endings */
    ck_assert_str_eq(named(x, "anna", NULL), "");
    ck_assert_str_eq(named(x, "videos", NULL), "");
    ck_assert_str_eq(named(x, "mp4", NULL), "");
    ck_assert_str_eq(named(x, "disk", NULL), "");
    ck_assert_str_eq(named(x, "lake", &(ks_filter){.path_glob = "*.mkv"}), "2");
    ck_assert_str_eq(named(x, "lake", &(ks_filter){.after = INT64_C(1) << 40}), "");
    ks_index_close(x);
    ck_assert_int_eq(findings(dir), 0);
    lib_remove_dir(dir);
}
END_TEST

START_TEST(test_names_follow_their_paths)
{
    char dir[64];
    ks_index *x = library(dir);
    ks_video v;
    int64_t changed;

    ck_assert_int_eq(ks_index_find(&v, x, "/home/anna/Videos/BirthdayParty.mp4", &e), 1);
    v.path = "/home/anna/Videos/wedding.mp4"; /* a copy: both names */
    MUST(ks_index_set_path(x, &v, &e));
    ck_assert_str_eq(named(x, "wedding", NULL), "3");
    ck_assert_str_eq(named(x, "party", NULL), "3");
    MUST(ks_index_drop_path(x, "/home/anna/Videos/BirthdayParty.mp4", &e));
    ck_assert_str_eq(named(x, "wedding", NULL), "3");
    ck_assert_str_eq(named(x, "party", NULL), "");
    MUST(ks_index_drop_path(x, "/home/anna/Videos/wedding.mp4", &e)); /* and the film is gone */
    ck_assert_str_eq(named(x, "wedding", NULL), "");
    MUST(ks_index_relocate(&changed, x, "/home/anna/Videos/holidays/2019",
                           "/home/anna/Videos/holidays/brazil", &e));
    ck_assert_str_eq(named(x, "2019", NULL), "");
    ck_assert_str_eq(named(x, "brazil", NULL), "1");
    /* a path that goes over to another film */
    ck_assert_int_eq(ks_index_find(&v, x, "/home/anna/Videos/noending", &e), 1);
    v.path = "/mnt/disk/odd/b\377d caf\303\251.mp4";
    MUST(ks_index_set_path(x, &v, &e));
    ck_assert_str_eq(named(x, "odd", NULL), "6");
    /* not committed, not found */
    MUST(ks_index_begin(x, &e));
    MUST(ks_index_drop_path(x, "/home/anna/Videos/noending", &e));
    ck_assert_str_eq(named(x, "noending", NULL), "");
    ck_assert_int_eq(ks_index_end(x, KS_EIO, &e), KS_EIO);
    ck_assert_str_eq(named(x, "noending", NULL), "6");
    MUST(ks_index_compact(x, &e));
    ck_assert_str_eq(named(x, "brazil", NULL), "1");
    ks_index_close(x);
    ck_assert_int_eq(findings(dir), 0);
    lib_remove_dir(dir);
}
END_TEST

/* Words that FTS5 has and no row, or the other way round: check says so, repair mends it. */
START_TEST(test_words_that_rot_are_found)
{
    static const char *const damage[] = {
        "DELETE FROM film_words_data WHERE id > 10",
        "INSERT INTO film_words(rowid, name) VALUES(1, 'zebra')",
        "INSERT INTO film_words(film_words, rowid, name) VALUES('delete', 1, (SELECT name FROM "
        "film_name "
        "WHERE video = 1))",
        "UPDATE film_name SET name = 'zebra' WHERE video = 1",
        "DELETE FROM film_name WHERE video = 2",
        "UPDATE film_words_data SET block = zeroblob(40) WHERE id > 10"};
    char dir[64], path[100];
    sqlite3 *db;
    ks_index *x = library(dir);

    ks_index_close(x);
    snprintf(path, sizeof path, "%s/catalog.db", dir);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, damage[_i], NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    ck_assert_int_gt(findings(dir), 0);
    MUST(ks_index_repair(dir, NULL, NULL, &e));
    ck_assert_int_eq(findings(dir), 0);
    MUST(ks_index_open(&x, dir, KS_READ, &e));
    ck_assert_str_eq(named(x, "lake", NULL), "12");
    ck_assert_str_eq(named(x, "zebra", NULL), "");
    ks_index_close(x);
    lib_remove_dir(dir);
}
END_TEST

/* --- what is said --- */
static int join_line(void *arg, const ks_subtitle_line *l)
{
    char *out = arg;
    sprintf(out + strlen(out), "%lld@%lld:%s ", (long long)l->video, (long long)l->start_us,
            l->text);
    return 0;
}

static const char *lines(ks_index *x, const char *said, const ks_subtitle_part *part)
{
    static char out[2000];
    char *match;
    out[0] = 0;
    MUST(ks_match_read(&match, "said", said, &e));
    MUST(ks_index_subtitles(x, match, NULL, part, join_line, out, &e));
    free(match);
    return out;
}

static void put_lines(ks_index *x, int64_t video, const char *path, const char *word)
{
    const ks_subtitle_line line[] = {
        {0, 5000, 6000, "common"}, {0, 1000, 3000, word}, {0, 5000, 6000, "common"}};
    MUST(ks_index_put_subtitles(x, &(ks_subtitle_file){video, path, {7, 8, 0, 0}, "noted", 0}, line,
                                3, &e));
}

/* The clips that --said leaves, by the rows and by the search that goes over copies. */
static int said_clips(ks_index *x, const char *said)
{
    char *match;
    float q[DIM];
    ks_found found;
    ks_cursor *c;
    ks_clip clip;
    int n = 0, err;
    MUST(ks_match_read(&match, "said", said, &e));
    const ks_filter f = {.said = match};
    lib_vector(q, DIM, 0, 1);
    MUST(ks_index_clips(&c, x, &f, &e));
    while ((err = ks_clips_next(&clip, c, &e)) > 0) n++;
    MUST(err);
    ks_cursor_close(c);
    MUST(ks_index_search(&found, x, q, DIM, 1000, &f, KS_SEARCH_EXACT, &e));
    ck_assert_int_eq(found.count, n);
    ks_found_free(&found);
    free(match);
    return n;
}

START_TEST(test_lines_come_back)
{
    char dir[64];
    ks_index *x = library(dir);

    ck_assert_int_eq(ks_index_has_subtitles(x, &e), 0);
    put_lines(x, 1, "", "alpha");
    put_lines(x, 1, "/home/anna/Videos/holidays/2019/lake_day.srt", "beta");
    put_lines(x, 3, "", "alpha beta");
    ck_assert_int_eq(ks_index_has_subtitles(x, &e), 1);
    /* by path, then time; one that stands in two places once */
    ck_assert_str_eq(lines(x, "common", NULL), "3@5000:common 1@5000:common ");
    ck_assert_str_eq(lines(x, "alpha", NULL), "3@1000:alpha beta 1@1000:alpha ");
    ck_assert_str_eq(lines(x, "beta -alpha", NULL), "1@1000:beta ");
    ck_assert_str_eq(lines(x, "common", &(ks_subtitle_part){0, 5000}), "");
    ck_assert_str_eq(lines(x, "common", &(ks_subtitle_part){5999, 9000}),
                     "3@5000:common 1@5000:common ");
    put_lines(x, 1, "", "gamma"); /* in place of what was there */
    ck_assert_str_eq(lines(x, "alpha", NULL), "3@1000:alpha beta ");
    ck_assert_int_gt(said_clips(x, "gamma"), 0);
    ck_assert_int_eq(said_clips(x, "delta"), 0);
    MUST(ks_index_publish(x, 1, &e));
    ck_assert_int_gt(said_clips(x, "gamma"), 0);
    MUST(ks_index_drop_subtitles(x, 3, "", &e));
    MUST(ks_index_drop_subtitles(x, 3, "", &e)); /* it is gone */
    ck_assert_str_eq(lines(x, "alpha", NULL), "");
    MUST(ks_index_drop_path(x, "/home/anna/Videos/holidays/2019/lake_day.mp4", &e));
    ck_assert_str_eq(lines(x, "common", NULL), "");
    ck_assert_int_eq(ks_index_has_subtitles(x, &e), 0);
    ks_index_close(x);
    ck_assert_int_eq(findings(dir), 0);
    lib_remove_dir(dir);
}
END_TEST

/* As for names. What is left out of damaged rows is read again: its place has no row any more. */
START_TEST(test_lines_that_rot_are_found)
{
    static const struct {
        const char *sql, *left;
    } damage[] = {{"DELETE FROM subtitle_words_data WHERE id > 10", "1@1000:alpha 2@1000:alpha "},
                  {"INSERT INTO subtitle_words(rowid, text) VALUES(1, 'zebra')",
                   "1@1000:alpha 2@1000:alpha "},
                  {"UPDATE subtitle SET text = 'zebra' WHERE id = 2", "2@1000:alpha "},
                  {"DELETE FROM subtitle WHERE id = 3", "2@1000:alpha "},
                  {"UPDATE subtitle_file SET lines = 4 WHERE id = 1", "2@1000:alpha "},
                  {"UPDATE subtitle SET start_us = 99999 WHERE id = 2", "2@1000:alpha "}};
    char dir[64], path[100];
    sqlite3 *db;
    ks_index *x = library(dir);

    put_lines(x, 1, "", "alpha");
    put_lines(x, 2, "", "alpha");
    ks_index_close(x);
    snprintf(path, sizeof path, "%s/catalog.db", dir);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, damage[_i].sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    ck_assert_int_gt(findings(dir), 0);
    MUST(ks_index_repair(dir, NULL, NULL, &e));
    ck_assert_int_eq(findings(dir), 0);
    MUST(ks_index_open(&x, dir, KS_READ, &e));
    ck_assert_str_eq(lines(x, "alpha", NULL), damage[_i].left);
    ck_assert_str_eq(lines(x, "zebra", NULL), "");
    ks_index_close(x);
    lib_remove_dir(dir);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("texts");
    tcase_add_test(t, test_what_is_asked_is_read);
    tcase_add_test(t, test_errors_point_at_the_character);
    tcase_add_test(t, test_films_are_found_by_their_names);
    tcase_add_test(t, test_names_follow_their_paths);
    tcase_add_loop_test(t, test_words_that_rot_are_found, 0, 6);
    tcase_add_test(t, test_lines_come_back);
    tcase_add_loop_test(t, test_lines_that_rot_are_found, 0, 6);
    return ks_run_case("texts", t);
}
