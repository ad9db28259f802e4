/* words.c - what was typed becomes a vector. */
#include "query/calibrate.h"
#include "query/language.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int ks_query_words(float *q, int *is_english, ks_encoder *enc, const char *words, const char *without, ks_error *e)
{
    int dim = ks_encoder_info(enc)->dim, err;
    float *other;
    double length;

    if (is_english)
        *is_english = ks_looks_english(words);
    if ((err = ks_text_vector(q, enc, words, e)) < 0 || !without)
        return err;
    if (!(other = malloc((size_t)dim * sizeof *other)))
        return ks_fail(e, KS_ENOMEM, "no memory for a query");
    if ((err = ks_text_vector(other, enc, without, e)) == 0) {
        /* Half: the whole vector turns "beach, not people" into the opposite of people. */
        for (int d = 0; d < dim; d++)
            q[d] -= 0.5f * other[d];
        length = sqrt(ks_dot(q, q, dim));
        for (int d = 0; d < dim; d++)
            q[d] = (float)(q[d] / fmax(length, 1e-12));
    }
    free(other);
    return err;
}
