/* test_canonical.c - the canonical sentence is Python's, for every code point assigned in
 * Unicode 14
 * (tests/fixtures/canonical.tsv) and for sentences that put the rules together. */
#include <check.h>
#include <unistring/version.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#include "encoder/canonical.h"
#include "tests/suite.h"

typedef struct {
    unsigned first, last;
    int delta, space, punctuation, ignorable, cased, dotted;
} row;

static const char *add(char *to, unsigned c)
{
    to += strlen(to);
    int n = u8_uctomb((uint8_t *)to, c, 8);
    ck_assert_int_gt(n, 0);
    to[n] = 0;
    return to;
}

/* before c after -> canonical, against want, where want has "%" for c's own form. */
static void expect(const char *before, unsigned c, const char *after, const char *want)
{
    char words[64];
    char *got;
    ks_error e = {0, ""};
    strcpy(words, before);
    add(words, c);
    strcat(words, after);
    ck_assert_msg(ks_canonical(&got, words, &e) == 0, "U+%04X: %s", c, e.msg);
    ck_assert_msg(strcmp(got, want) == 0, "%sU+%04X%s gave '%s', not '%s'", before, c, after, got,
                  want);
    free(got);
}

static void check_code_point(const row *r, unsigned c)
{
    char lower[16] = "", want[64];
    /* a later Unicode made it a mark that case ignores */
    if (c == 0x1171e && _libunistring_version > 0x010000) return;
    if (r->space || r->punctuation) {
        expect("", c, "", ".");
        expect("a", c, "b", "a b.");
        expect("a", c, "\u03a3", "a \u03c3.");
        expect("a\u03a3", c, "a", "a\u03c2 a.");
        return;
    }
    add(lower, (unsigned)((int)c + r->delta));
    if (r->dotted) strcpy(lower, "i\u0307");
    snprintf(want, sizeof want, "%s.", c == 0x3a3 ? "\u03c3" : lower);
    expect("", c, "", want);
    if (c == 0x3a3) return; /* its neighbours are what the other rows ask about */
    snprintf(want, sizeof want, "%s%s.", lower, r->cased ? "\u03c2" : "\u03c3");
    expect("", c, "\u03a3", want);
    snprintf(want, sizeof want, "a%s%s.", lower, r->cased || r->ignorable ? "\u03c2" : "\u03c3");
    expect("a", c, "\u03a3", want);
    snprintf(want, sizeof want, "a%s%sa.", r->cased || r->ignorable ? "\u03c3" : "\u03c2", lower);
    expect("a\u03a3", c, "a", want);
}

START_TEST(every_code_point_of_unicode_14)
{
    FILE *in = fopen("tests/fixtures/canonical.tsv", "r");
    ck_assert_ptr_nonnull(in);
    row r = {0};
    char flags[16];
    int points = 0;
    while (fscanf(in, "%x %x %d %15s", &r.first, &r.last, &r.delta, flags) == 4) {
        r.space = strchr(flags, 's') != NULL;
        r.punctuation = strchr(flags, 'p') != NULL;
        r.ignorable = strchr(flags, 'i') != NULL;
        r.cased = strchr(flags, 'c') != NULL;
        r.dotted = strchr(flags, 'd') != NULL;
        for (unsigned c = r.first; c <= r.last; c++, points++) check_code_point(&r, c);
    }
    fclose(in);
    /* graphic and format, control, private use, less U+0000 */
    ck_assert_int_eq(points, 144697 + 65 + 137468 - 1);
}
END_TEST

static void unhex(char *out, const char *hex)
{
    for (; *hex && *hex != '-'; hex += 2) {
        unsigned byte;
        sscanf(hex, "%2x", &byte);
        *out++ = (char)byte;
    }
    *out = 0;
}

START_TEST(sentences)
{
    FILE *in = fopen("tests/fixtures/canonical_sentences.tsv", "r");
    ck_assert_ptr_nonnull(in);
    char a[1024], b[1024], words[512], want[512], *got;
    int n = 0;
    while (fscanf(in, "%1023s %1023s", a, b) == 2) {
        unhex(words, a);
        unhex(want, b);
        ck_assert_int_eq(ks_canonical(&got, words, NULL), 0);
        ck_assert_str_eq(got, want);
        free(got);
        n++;
    }
    fclose(in);
    ck_assert_int_gt(n, 300);
}
END_TEST

START_TEST(what_is_not_utf8_is_wrong_use)
{
    static const char *const bad[] = {"a\xff",    "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                      "\xe2\x82", "abc\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ks_error e = {0, ""};
        char *got;
        ck_assert_int_eq(ks_canonical(&got, bad[i], &e), KS_EUSAGE);
        ck_assert_ptr_nonnull(strstr(e.msg, "not UTF-8"));
        ck_assert_ptr_null(got);
    }
    ks_error e = {0, ""};
    char *got;
    ck_assert_int_eq(ks_canonical(&got, bad[5], &e), KS_EUSAGE);
    ck_assert_ptr_nonnull(strstr(e.msg, "byte 4 is 0x80"));
}
END_TEST

START_TEST(length_is_bounded)
{
    char *words = malloc(KS_WORDS_MAX + 2), *got;
    memset(words, 'A', KS_WORDS_MAX + 1);
    words[KS_WORDS_MAX + 1] = 0;
    ck_assert_int_eq(ks_canonical(&got, words, NULL), KS_EUSAGE);
    words[KS_WORDS_MAX] = 0;
    ck_assert_int_eq(ks_canonical(&got, words, NULL), 0);
    ck_assert_uint_eq(strlen(got), KS_WORDS_MAX + 1);
    free(got);
    free(words);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("canonical");
    tcase_add_test(tc, every_code_point_of_unicode_14);
    tcase_add_test(tc, sentences);
    tcase_add_test(tc, what_is_not_utf8_is_wrong_use);
    tcase_add_test(tc, length_is_bounded);
    return ks_run_case("canonical", tc);
}
