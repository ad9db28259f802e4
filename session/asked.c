/* asked.c - a question as text: options by name, the form of a URL, one list of terms, a title. */
#include "session/session.h"

#include "session/open.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int ks_question_terms(ks_terms *out, const ks_question *q, ks_error *e)
{
    ks_term first = {.op = KS_OP_BEGIN, .weight = 1, .within = -1, .clip = q->like};
    int more = q->terms ? q->terms->n : 0, begun = q->words || q->image || q->film || q->like;

    *out = (ks_terms){0};
    if (!(out->at = malloc(((size_t)more + 1) * sizeof *out->at)))
        return ks_fail(e, KS_ENOMEM, "no memory for a query");
    first.kind = q->words   ? KS_TERM_WORDS
                 : q->image ? KS_TERM_PICTURE
                 : q->film  ? KS_TERM_FILE
                            : KS_TERM_CLIP;
    first.text = q->words ? q->words : q->image ? q->image : q->film;
    if (begun) out->at[out->n++] = first;
    if (more) memcpy(out->at + out->n, q->terms->at, (size_t)more * sizeof *out->at);
    out->n += more;
    return 0;
}

/* --- a title --- */
static void say_term(FILE *f, const ks_term *t)
{
    if (t->op != KS_OP_BEGIN) fprintf(f, " --%s ", ks_op_name(t->op));
    if (t->weight != 1) fprintf(f, "%g:", t->weight);
    if (t->kind == KS_TERM_CLIP)
        fprintf(f, t->op == KS_OP_BEGIN ? "clip %lld" : "#%lld", (long long)t->clip);
    else fprintf(f, "%s%s", t->op != KS_OP_BEGIN && t->kind != KS_TERM_WORDS ? "@" : "", t->text);
    if (t->within >= 0) fprintf(f, " --within %g", t->within);
}

char *ks_question_title(const ks_question *q)
{
    char *title = NULL;
    size_t bytes;
    ks_terms terms;
    ks_error ignored;
    FILE *f;

    if (ks_question_lines(q)) return strdup(q->said);
    if (ks_question_terms(&terms, q, &ignored) < 0) return NULL;
    if ((f = open_memstream(&title, &bytes)) != NULL) {
        for (int i = 0; i < terms.n; i++) say_term(f, &terms.at[i]);
        if (fclose(f) != 0) {
            free(title);
            title = NULL;
        }
    }
    ks_terms_free(&terms);
    return title;
}

/* --- options by name --- as on the command line, one that takes a value is given once */
static const struct {
    const char *name;
    char kind; /* t text, c count, from 1 on; s seconds, f flag */
    size_t at;
} fields[] = {{"words", 't', offsetof(ks_question, words)},
              {"q", 't', offsetof(ks_question, words)},
              {"film", 't', offsetof(ks_question, film)},
              {"top", 'c', offsetof(ks_question, k)},
              {"k", 'c', offsetof(ks_question, k)},
              {"per-video", 'c', offsetof(ks_question, per_video)},
              {"path", 't', offsetof(ks_question, path)},
              {"after", 't', offsetof(ks_question, after)},
              {"before", 't', offsetof(ks_question, before)},
              {"in", 't', offsetof(ks_question, in)},
              {"merge", 't', offsetof(ks_question, merge)},
              {"fold", 't', offsetof(ks_question, fold)},
              {"label", 't', offsetof(ks_question, label)},
              {"said", 't', offsetof(ks_question, said)},
              {"longer", 's', offsetof(ks_question, longer)},
              {"shorter", 's', offsetof(ks_question, shorter)},
              {"sort", 't', offsetof(ks_question, sort)},
              {"min-score", 's', offsetof(ks_question, min_score)},
              {"film-longer", 's', offsetof(ks_question, film_longer)},
              {"film-shorter", 's', offsetof(ks_question, film_shorter)},
              {"min-height", 'c', offsetof(ks_question, min_height)},
              {"orientation", 't', offsetof(ks_question, orientation)},
              {"all", 'f', offsetof(ks_question, all)},
              {"exact", 'f', offsetof(ks_question, exact)},
              {"ann", 'f', offsetof(ks_question, ann)},
              {"refine", 'f', offsetof(ks_question, refine)},
              {"explain", 'f', offsetof(ks_question, explain)},
              {"not-self", 'f', offsetof(ks_question, not_self)}};

static int read_count(int *out, const char *name, const char *value, ks_error *e)
{
    long long n = 0;

    for (const char *c = value; *c; c++) {
        n = *c >= '0' && *c <= '9' ? n * 10 + (*c - '0') : -1;
        if (n < 0 || n > INT_MAX) break;
    }
    if (!*value || n < 0 || n > INT_MAX)
        return ks_fail(e, KS_EUSAGE, "%s takes a whole number, not \"%s\"", name, value);
    if (n == 0) return ks_fail(e, KS_EUSAGE, "%s is 1 at least", name);
    *out = (int)n;
    return 0;
}

static int read_field(void *to, char kind, const char *name, const char *value, ks_error *e)
{
    switch (kind) {
    case 't': *(const char **)to = value; return 0;
    case 'c': return read_count(to, name, value, e);
    case 's':
        return ks_parse_seconds(to, value) < 0
                   ? ks_fail(e, KS_EUSAGE, "%s takes a number or a time (90, 1:30, 4h), not \"%s\"",
                             name, value)
                   : 0;
    default: *(int *)to = strcmp(value, "0") != 0 && strcmp(value, "false") != 0; return 0;
    }
}

/* 1: the i-th field was given before, by whichever of its names; it is now. */
static int is_given(ks_question *q, size_t i)
{
    size_t first = 0;
    while (fields[first].at != fields[i].at) first++;
    uint64_t bit = UINT64_C(1) << first, before = q->given & bit;
    q->given |= bit;
    return before != 0;
}

int ks_question_set(ks_question *q, ks_terms *terms, const char *name, const char *value,
                    ks_error *e)
{
    double seconds;
    int err;

    if (strcmp(name, "within") == 0) {
        if (ks_parse_seconds(&seconds, value) < 0)
            return ks_fail(e, KS_EUSAGE,
                           "--within takes a number or a time (90, 1:30, 4h), not \"%s\"", value);
        return (err = ks_terms_within(terms, seconds, e)) < 0 ? err : 1;
    }
    if ((err = ks_terms_add(terms, name, value, e)) != 0) return err;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (strcmp(fields[i].name, name) == 0) {
            void *to = (char *)q + fields[i].at;
            if (fields[i].kind != 'f' && is_given(q, i))
                return ks_fail(e, KS_EUSAGE, "%s was given twice", name);
            return (err = read_field(to, fields[i].kind, name, value, e)) < 0 ? err : 1;
        }
    return 0;
}

/* --- a URL --- */
static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* In place; a NUL in it (%00) is none of a text. */
static int decode(char *text, ks_error *e)
{
    char *to = text;

    for (const char *c = text; *c; c++) {
        if (*c == '%') {
            int high = hex(c[1]), low = high < 0 ? -1 : hex(c[2]);
            if (low < 0 || high + low == 0)
                return ks_fail(e, KS_EUSAGE, "%.200s: %% and two digits, not 00, stand for a byte",
                               text);
            *to++ = (char)(16 * high + low);
            c += 2;
        } else {
            *to++ = *c == '+' ? ' ' : *c;
        }
    }
    *to = 0;
    return 0;
}

int ks_question_read_url(ks_question *q, ks_terms *terms, char *text, ks_error *e)
{
    char *rest = text;
    int err = 0;

    while (err >= 0 && rest && *rest) {
        char *name = strsep(&rest, "&"), *value = name;
        strsep(&value, "=");
        value = value ? value : name + strlen(name);
        if (!*name) continue;
        if ((err = decode(name, e)) == 0 && (err = decode(value, e)) == 0 &&
            (err = ks_question_set(q, terms, name, value, e)) == 0)
            err = ks_fail(e, KS_EUSAGE, "there is no parameter %.100s", name);
    }
    if (err >= 0 && !q->words && !q->film && (terms->n || !q->said)) err = ks_terms_begin(terms, e);
    q->terms = terms;
    return err < 0 ? err : 0;
}
