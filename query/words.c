/* words.c - what was typed becomes a vector. */
#include "query/language.h"
#include "query/query.h"

#include <assert.h>

int ks_query_words(float *q, int *is_english, ks_encoder *enc, const char *words, ks_error *e)
{
    assert(q && enc && words);
    if (is_english) *is_english = ks_looks_english(words);
    return ks_text_vector(q, enc, words, e);
}
