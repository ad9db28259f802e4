/* version.c - what --version says. */
#include "cli/commands.h"

int ks_print_version(FILE *out, const ks_globals *g)
{
    (void)g;
    fprintf(out, "kinoseek %s\n", KS_VERSION);
    return 0;
}
