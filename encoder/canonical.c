/* canonical.c - see canonical.h. Three rules are not libunistring's simple mapping and are spelt
 * out: capital sigma (final or not), dotted capital I (two code points), and Python's white
 * space, which is Unicode's and the four separators U+001C to U+001F. */
#include "encoder/canonical.h"

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>
#include <unistr.h>

enum {
    SIGMA = 0x3a3,
    SMALL_SIGMA = 0x3c3,
    FINAL_SIGMA = 0x3c2,
    DOTTED_I = 0x130,
    DOT_ABOVE = 0x307
};

static int is_punctuation(ucs4_t c)
{
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
           (c >= '{' && c <= '~');
}

static int is_space(ucs4_t c)
{
    if (c < 0x80) return c == ' ' || (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x1f);
    return uc_is_property_white_space(c);
}

/* What follows in p[n]: the first code point that case can see, is it cased? Punctuation is already
 * a space to the reference when it asks this. */
static int cased_follows(const uint8_t *p, size_t n)
{
    while (n > 0) {
        ucs4_t c;
        int bytes = u8_mbtouc(&c, p, n);
        if (is_punctuation(c)) return 0;
        if (!uc_is_property_case_ignorable(c)) return uc_is_property_cased(c);
        p += bytes;
        n -= (size_t)bytes;
    }
    return 0;
}

typedef struct {
    uint8_t *text;
    size_t size, room;
} writer;

static int put(writer *w, ucs4_t c)
{
    if (w->room - w->size < 8) {
        uint8_t *more = realloc(w->text, w->room * 2 + 64);
        if (!more) return -1;
        w->text = more;
        w->room = w->room * 2 + 64;
    }
    w->size += (size_t)u8_uctomb(w->text + w->size, c, (ptrdiff_t)(w->room - w->size));
    return 0;
}

static int put_lower(writer *w, ucs4_t c, int after_cased, const uint8_t *rest, size_t n)
{
    if (c == SIGMA)
        return put(w, after_cased && !cased_follows(rest, n) ? FINAL_SIGMA : SMALL_SIGMA);
    if (c == DOTTED_I) return put(w, 'i') || put(w, DOT_ABOVE);
    return put(w, uc_tolower(c));
}

static int write_words(writer *w, const uint8_t *p, size_t n)
{
    /* a space is owed; the last code point that case sees is cased */
    int space = 0, after_cased = 0;
    while (n > 0) {
        ucs4_t c;
        int bytes = u8_mbtouc(&c, p, n);
        p += bytes;
        n -= (size_t)bytes;
        if (is_punctuation(c) || is_space(c)) {
            space = w->size > 0;
            after_cased = 0; /* no white space is case-ignorable */
            continue;
        }
        if (space && put(w, ' ')) return -1;
        space = 0;
        if (put_lower(w, c, after_cased, p, n)) return -1;
        if (!uc_is_property_case_ignorable(c)) after_cased = uc_is_property_cased(c);
    }
    return put(w, '.') || put(w, 0) ? -1 : 0;
}

int ks_canonical(char **out, const char *words, ks_error *e)
{
    size_t n = strlen(words);
    *out = NULL;
    if (n > KS_WORDS_MAX)
        return ks_fail(e, KS_EUSAGE, "a sentence of %zu bytes: %d at most", n, KS_WORDS_MAX);
    const uint8_t *text = (const uint8_t *)words, *bad = u8_check(text, n);
    if (bad)
        return ks_fail(e, KS_EUSAGE, "the words are not UTF-8 (byte %zu is 0x%02x)",
                       (size_t)(bad - text) + 1, *bad);
    writer w = {NULL, 0, 0};
    if (write_words(&w, text, n) != 0) {
        free(w.text);
        return ks_fail(e, KS_ENOMEM, "no memory for a sentence");
    }
    *out = (char *)w.text;
    return 0;
}
