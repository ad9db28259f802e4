/* suite.c - one case is one suite is one run. */
#include "tests/suite.h"

int ks_run_case(const char *name, TCase *t, double seconds)
{
    Suite *s = suite_create(name);
    if (seconds > 0) tcase_set_timeout(t, seconds);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
