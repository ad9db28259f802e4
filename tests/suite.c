/* suite.c - one case is one suite is one run. */
#include "tests/suite.h"

/* a test that hangs; under ThreadSanitizer on a busy machine the longest take one minute */
enum { SECONDS = 300 };

int ks_run_case(const char *name, TCase *t)
{
    Suite *s = suite_create(name);
    tcase_set_timeout(t, SECONDS);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
