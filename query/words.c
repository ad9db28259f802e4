/* words.c - what was typed becomes a vector. */
#include "query/calibrate.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Frequent small words of other languages that are not English words, and of English. */
static const char *const foreign[] = {
    "der", "das", "und", "ein", "eine", "einen", "einem", "mit", "auf", "im", "ist", "nicht", "vom", "zum", "zur", "wie", "wird",
    "el", "los", "las", "una", "unos", "con", "del", "que", "por", "para", "sobre", "perro", "gato",
    "le", "les", "une", "des", "du", "avec", "dans", "sur", "qui", "est", "et", "aux", "chien",
    "il", "gli", "della", "nel", "che", "sul", "uno", "di", "het", "een", "van", "met", "op", "zijn", "och", "ett", "som", "med", "og",
    "um", "uma", "com", "em", "na", "dos", "nie", "jest", "sie", "bir", "ve",
};
static const char *const english[] = {
    "a", "an", "the", "of", "in", "on", "at", "with", "and", "or", "to", "from", "is", "are", "into", "over", "under", "by",
    "someone", "person", "people", "man", "woman", "child", "two", "their", "his", "her", "its", "while", "through",
};

static int among(const char *word, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(word, list[i]) == 0)
            return 1;
    return 0;
}

/* Letters outside Latin script, or only foreign small words: a guess that costs nothing but a notice. */
static int looks_english(const char *words)
{
    char word[32];
    size_t n = 0;
    int wide = 0, letters = 0, strange = 0, known = 0;

    for (const unsigned char *s = (const unsigned char *)words;; s++) {
        if (*s >= 0xce && *s != 0xe2) /* lead bytes of U+0380 and above; 0xe2 is mostly punctuation */
            wide++;
        letters += isalpha(*s) != 0;
        if (isalpha(*s) && *s < 0x80) {
            if (n < sizeof word - 1)
                word[n++] = (char)tolower(*s);
            continue;
        }
        word[n] = 0;
        if (n) {
            strange += among(word, foreign, sizeof foreign / sizeof *foreign);
            known += among(word, english, sizeof english / sizeof *english);
        }
        n = 0;
        if (!*s)
            break;
    }
    return 2 * wide <= letters && !(strange > known);
}

int ks_query_words(float *q, int *is_english, ks_encoder *enc, const char *words, const char *without, ks_error *e)
{
    int dim = ks_encoder_info(enc)->dim, err;
    float *other;
    double length;

    if (is_english)
        *is_english = looks_english(words);
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
