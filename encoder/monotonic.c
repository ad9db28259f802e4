/* monotonic.c - seconds that have gone by: for every room (ks.h). */
#include "ks.h"

#include <time.h>

double ks_monotonic(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
