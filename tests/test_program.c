/* Programs of the user's: what they are given, say, and how they end. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "session/session.h"
#include "tests/suite.h"

static ks_error e;
static ks_program p;

static char *many(size_t n)
{
    char *text = malloc(n + 1);

    ck_assert_ptr_nonnull(text);
    memset(text, 'x', n);
    text[n] = 0;
    return text;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

START_TEST(what_is_given_comes_whole)
{
    static const size_t sizes[] = {0, 1, 4096, 32768, 65537, 700000};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *text = many(sizes[i]), *said = NULL;
        ck_assert_int_eq(ks_program_start(&p, "wc  -c", text, 1, &e), 0);
        ck_assert_int_eq(ks_program_end(&said, &p, 20, &e), 0);
        ck_assert_int_eq(atoll(said), (long long)sizes[i]);
        free(said);
        free(text);
    }
}
END_TEST

START_TEST(nobody_reads)
{
    char *text = many(700000);

    ck_assert_int_eq(ks_program_start(&p, "true", text, 0, &e), 0);
    ck_assert_int_eq(ks_program_end(NULL, &p, 20, &e), 0);
    ck_assert_int_eq(ks_program_start(&p, "false", text, 0, &e), 0);
    ck_assert_int_eq(ks_program_end(NULL, &p, 20, &e), KS_EIO);
    ck_assert_ptr_nonnull(strstr(e.msg, "code 1"));
    free(text);
}
END_TEST

START_TEST(late_ones_are_stopped)
{
    double began = now();
    char *said = NULL;

    ck_assert_int_eq(ks_program_start(&p, "sleep 100", "", 1, &e), 0);
    ck_assert_int_eq(ks_program_end(&said, &p, 0.2, &e), KS_EIO);
    ck_assert_ptr_null(said);
    ck_assert_int_eq(ks_program_start(&p, "sleep 100", "", 0, &e), 0);
    ck_assert_int_eq(ks_program_end(NULL, &p, 0.2, &e), KS_EIO);
    ck_assert_ptr_nonnull(strstr(e.msg, "did not end"));
    ck_assert(now() - began < 50);
}
END_TEST

START_TEST(wrong_ones)
{
    char *text = many(2000000), *said = NULL;

    ck_assert_int_eq(ks_program_start(&p, " \t", "a", 1, &e), KS_EUSAGE);
    ck_assert_int_eq(ks_program_start(&p, "/nowhere/at/all", "a", 1, &e), KS_EIO);
    ck_assert_ptr_nonnull(strstr(e.msg, "/nowhere/at/all"));
    ck_assert_int_eq(ks_program_start(&p, "cat", text, 1, &e), KS_EUSAGE);
    text[50000] = 0;
    ck_assert_int_eq(ks_program_start(&p, "cat", text, 1, &e), 0);
    ck_assert_int_eq(ks_program_end(&said, &p, 20, &e), KS_EFORMAT); /* more than it may say */
    ck_assert_ptr_null(said);
    free(text);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("programs");

    tcase_add_test(t, what_is_given_comes_whole);
    tcase_add_test(t, nobody_reads);
    tcase_add_test(t, late_ones_are_stopped);
    tcase_add_test(t, wrong_ones);
    return ks_run_case("programs", t);
}
