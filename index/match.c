/* match.c - what a person asks of written words, as a question to FTS5.
 *
 * FTS5's own language has operators, columns and prefixes, and its errors speak of tokens. Here
 * every word becomes a quoted string, so nothing that is typed is ever an operator of it. */
#include "index/index.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 64 }; /* words and phrases: FTS5 takes 256 in a row, nobody types them */

/* "--said -cat: ... , at character 1 (-cat)" */
static int wrong(const char *option, const char *text, const char *at, const char *what,
                 ks_error *e)
{
    int character = 1;

    for (const char *c = text; c < at; c++) character += (*c & 0xc0) != 0x80;
    return ks_fail(e, KS_EUSAGE, "--%s %.200s: %s, at character %d%s%.60s%s", option, text, what,
                   character, *at ? " (" : "", at, *at ? ")" : "");
}

/* 1: FTS5 may find a word in it. Bytes above ASCII may be letters; where they are none (a dash),
 * it reads nothing there and leaves the string out. */
static int has_word(const char *from, const char *to)
{
    for (; from < to; from++) {
        unsigned char c = (unsigned char)*from;
        if (c >= 0x80 || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z')) return 1;
    }
    return 0;
}

typedef struct {
    const char *begin, *end; /* without quotes and sign */
    int away;                /* -word */
} piece;

static int is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* The piece that begins at *at, which moves behind it. */
static int read_piece(piece *p, const char **at, const char *option, const char *text, ks_error *e)
{
    const char *first = *at, *c = first;

    p->away = *c == '-';
    c += p->away;
    if (*c == '"') {
        p->begin = ++c;
        while (*c && *c != '"') c++;
        if (!*c) return wrong(option, text, p->begin - 1, "the phrase has no second quote", e);
        p->end = c++;
    } else {
        p->begin = c;
        while (*c && !is_blank(*c) && *c != '"') c++;
        p->end = c;
    }
    *at = c;
    return has_word(p->begin, p->end) ? 0 : wrong(option, text, first, "no word stands here", e);
}

static void put(FILE *f, const piece *p)
{
    putc('"', f);
    for (const char *c = p->begin; c < p->end; c++) {
        if (*c == '"') putc('"', f);
        putc(*c, f);
    }
    putc('"', f);
}

static int write_match(char **out, const piece *p, int n, ks_error *e)
{
    size_t bytes;
    FILE *f = open_memstream(out, &bytes);

    if (!f) return ks_fail(e, KS_ENOMEM, "no memory for a question");
    putc('(', f);
    for (int i = 0; i < n; i++)
        if (!p[i].away) put(f, &p[i]), putc(' ', f);
    putc(')', f);
    for (int i = 0; i < n; i++)
        if (p[i].away) fputs(" NOT ", f), put(f, &p[i]);
    if (fclose(f) == 0) return 0;
    free(*out);
    *out = NULL;
    return ks_fail(e, KS_ENOMEM, "no memory for a question");
}

int ks_match_read(char **out, const char *option, const char *text, ks_error *e)
{
    piece p[MOST];
    int n = 0, wanted = 0, err;

    *out = NULL;
    for (const char *at = text;; n++) {
        while (is_blank(*at)) at++;
        if (!*at) break;
        if (n == MOST) return wrong(option, text, at, "64 words at most", e);
        if ((err = read_piece(&p[n], &at, option, text, e)) < 0) return err;
        wanted += !p[n].away;
    }
    if (n == 0) return ks_fail(e, KS_EUSAGE, "--%s: there are no words", option);
    if (!wanted) return wrong(option, text, text, "a word that is there must be among them", e);
    return write_match(out, p, n, e);
}
