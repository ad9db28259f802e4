/* suite.h - what every libcheck program of ours ends with. */
#ifndef KS_TEST_SUITE_H
#define KS_TEST_SUITE_H

#include <check.h>

int ks_run_case(const char *name, TCase *t); /* runs it; the program's exit code */

#endif
