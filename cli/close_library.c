/* close_library.c - the end of a command that read a library: what was left out is said once. */
#include "cli/commands.h"

#include <assert.h>

void ks_say_damage(const ks_index *x, const ks_globals *g, int err)
{
    int64_t n = x && err >= 0 ? ks_index_damaged(x) : 0;

    if (n > 0)
        fprintf(stderr,
                n == 1 ? "kinoseek: %s: %lld damaged row was left out: run kinoseek repair\n"
                       : "kinoseek: %s: %lld damaged rows were left out: run kinoseek repair\n",
                g->library, (long long)n);
}

void ks_close_library(ks_index *x, const ks_globals *g, int err)
{
    assert(g);
    ks_say_damage(x, g, err);
    ks_index_close(x);
}
