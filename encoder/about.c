/* about.c - the encoder's libraries and what this machine has. */
#include <cblas.h>
#include <stdio.h>

#include "encoder/encoder.h"

int ks_encoder_about(ks_fact *facts, int max)
{
    int n = 0;
    if (n < max) {
        facts[n].name = "OpenBLAS";
        snprintf(facts[n].value, sizeof facts[n].value, "%s, core %s", openblas_get_config(), openblas_get_corename());
        n++;
    }
    return n;
}
