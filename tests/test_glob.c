/* test_glob.c - the language of patterns against fnmatch, which has the same rules but for '**'
 * and for locales. */
#include "tests/suite.h"

#include "index/index.h"
#include "tests/library_maker.h"

#include <fnmatch.h>
#include <string.h>

static void word(char *out, size_t room, const char *letters, uint64_t *seed)
{
    size_t n = lib_random(seed) % room;
    for (size_t i = 0; i < n; i++) out[i] = letters[lib_random(seed) % strlen(letters)];
    out[n] = 0;
}

START_TEST(test_against_fnmatch)
{
    uint64_t seed = 16;
    char p[12], t[12];
    int matched = 0;
    for (int i = 0; i < 400000; i++) {
        word(p, sizeof p, i & 1 ? "ab/*?[]!-\\" : "aab/*?", &seed);
        word(t, sizeof t, "aaab/-]", &seed);
        /* fnmatch's own: a set that a '/' or a '\' ends, classes like [[:alpha:]], an escape at
         * the end or of a '/' */
        if (strstr(p, "**") || strstr(p, "\\/") ||
            (strchr(p, '[') && (strchr(p, '/') || strchr(p, '\\'))) || strstr(p, "[[") ||
            (p[0] && p[strlen(p) - 1] == '\\'))
            continue;
        int wide = fnmatch(p, t, 0) == 0, narrow = fnmatch(p, t, FNM_PATHNAME) == 0;
        matched += wide;
        ck_assert_msg(ks_glob(p, t, 1) == wide, "'%s' on '%s': %d", p, t, wide);
        ck_assert_msg(ks_glob(p, t, 0) == narrow, "'%s' on '%s' in one folder: %d", p, t, narrow);
    }
    ck_assert_int_gt(matched, 10000);
}
END_TEST

START_TEST(test_folders)
{
    ck_assert(ks_glob("a/**/b", "a/b", 0) && ks_glob("a/**/b", "a/x/y/b", 0) &&
              !ks_glob("a/**/b", "a/xb", 0));
    ck_assert(ks_glob("**.mp4", "a/b.mp4", 0) && !ks_glob("*.mp4", "a/b.mp4", 0) &&
              ks_glob("*.mp4", "a/b.mp4", 1));
    ck_assert(ks_glob("[!a]", "\xff", 0) && ks_glob("\\*", "*", 0) && !ks_glob("\\*", "a", 1) &&
              ks_glob("[", "[", 1));
    /* what would be exponential by trying every split */
    ck_assert(!ks_glob(
        "*a*a*a*a*a*a*a*a*a*a*a*a*b",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1));
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("glob");
    tcase_add_test(t, test_against_fnmatch);
    tcase_add_test(t, test_folders);
    return ks_run_case("glob", t);
}
