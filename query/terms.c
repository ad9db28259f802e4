/* terms.c - the terms of a question as they are typed: [WEIGHT:]WORDS, [WEIGHT:]@FILE[@T],
 * [WEIGHT:]#CLIP, =WORDS.
 *
 * Text is borrowed from who hands it over; a sentence about it names the option and points at
 * the character. */
#include "query/terms.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *option;
    ks_op op;
} ops[] = {{"plus", KS_OP_PLUS}, {"minus", KS_OP_MINUS}, {"and", KS_OP_AND},      {"or", KS_OP_OR},
           {"not", KS_OP_NOT},   {"then", KS_OP_THEN},   {"unless", KS_OP_UNLESS}};

const char *ks_op_name(ks_op op)
{
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (ops[i].op == op) return ops[i].option;
    return "";
}

/* "--and 0:fog: a weight is more than 0, at character 1 (0:fog)" */
static int wrong(const char *option, const char *value, const char *at, const char *what,
                 ks_error *e)
{
    int character = 1;

    if (!*value) return ks_fail(e, KS_EUSAGE, "--%s: %s", option, what);
    for (const char *c = value; c < at; c++) character += (*c & 0xc0) != 0x80;
    return ks_fail(e, KS_EUSAGE, "--%s %.200s: %s, at character %d%s%.60s%s", option, value, what,
                   character, *at ? " (" : "", at, *at ? ")" : "");
}

/* The end of a weight with its colon, or text itself where it begins with none. "." alone is no
 * number. */
static const char *after_weight(const char *text)
{
    const char *at = text + strspn(text, "0123456789");

    if (*at == '.') at += 1 + strspn(at + 1, "0123456789");
    return *at == ':' && at > text && !(at == text + 1 && *text == '.') ? at + 1 : text;
}

static int read_weight(double *weight, const char **body, const char *option, const char *value,
                       ks_error *e)
{
    *weight = 1;
    *body = after_weight(value);
    if (*body == value)
        return *value == '-' && after_weight(value + 1) > value + 1
                   ? wrong(option, value, value, "a weight is more than 0; --minus takes away", e)
                   : 0;
    /* not strtod: the decimal point is a dot in every locale */
    double whole = 0, unit = 1;
    int part = 0;
    for (const char *c = value; *c != ':'; c++) {
        if (*c == '.') {
            part = 1;
        } else if (part) {
            unit /= 10;
            whole += (*c - '0') * unit;
        } else {
            whole = whole * 10 + (*c - '0');
        }
    }
    if (!(whole > 0)) return wrong(option, value, value, "a weight is more than 0", e);
    if (whole > KS_WEIGHT_MAX)
        return wrong(option, value, value,
                     "a weight is 1000 at most; words that begin so stand after =", e);
    *weight = whole;
    return 0;
}

static int read_clip(ks_term *t, const char *option, const char *value, const char *number,
                     ks_error *e)
{
    char *end;

    errno = 0;
    t->clip = strtoll(number, &end, 10);
    if (*number < '0' || *number > '9')
        return wrong(option, value, number,
                     "the number of a clip follows #; words that begin so stand after =", e);
    if (*end)
        return wrong(option, value, end,
                     "only digits follow #; words that begin so stand after =", e);
    if (errno || t->clip < 1) return wrong(option, value, number, "no clip has that number", e);
    t->kind = KS_TERM_CLIP;
    return 0;
}

static int read_body(ks_term *t, const char *option, const char *value, const char *body,
                     ks_error *e)
{
    if (*body == '#') return read_clip(t, option, value, body + 1, e);
    t->kind = *body == '@' ? KS_TERM_FILE : KS_TERM_WORDS;
    t->text = *body == '@' || *body == '=' ? body + 1 : body;
    if (t->kind == KS_TERM_FILE && !*t->text)
        return wrong(option, value, t->text,
                     "the name of a file follows @; words that begin so stand after =", e);
    if (t->text[strspn(t->text, " \t\r\n")] == 0)
        return wrong(option, value, t->text, "the words are empty", e);
    return 0;
}

static int append(ks_terms *terms, const ks_term *t, ks_error *e)
{
    ks_term *at;

    if (terms->n == KS_TERMS_MAX)
        return ks_fail(e, KS_EUSAGE, "a question has %d terms at most", KS_TERMS_MAX);
    if (!(at = realloc(terms->at, ((size_t)terms->n + 1) * sizeof *at)))
        return ks_fail(e, KS_ENOMEM, "no memory for a question");
    terms->at = at;
    at[terms->n++] = *t;
    return 0;
}

int ks_terms_add(ks_terms *terms, const char *option, const char *value, ks_error *e)
{
    assert(terms && option && value);
    ks_term t = {.within = -1, .weight = 1};
    const char *body;
    size_t i = 0;
    int err;

    while (i < sizeof ops / sizeof *ops && strcmp(ops[i].option, option) != 0) i++;
    if (i < sizeof ops / sizeof *ops) {
        t.op = ops[i].op;
        if ((err = read_weight(&t.weight, &body, option, value, e)) < 0 ||
            (err = read_body(&t, option, value, body, e)) < 0)
            return err;
    } else if (strcmp(option, "image") == 0) {
        t.op = KS_OP_PLUS;
        t.kind = KS_TERM_PICTURE;
        t.text = value;
    } else if (strcmp(option, "like") == 0) {
        t.op = KS_OP_PLUS;
        if ((err = read_clip(&t, option, value, *value == '#' ? value + 1 : value, e)) < 0)
            return err;
    } else {
        return 0;
    }
    if (terms->ended && t.op != KS_OP_UNLESS)
        return ks_fail(e, KS_EUSAGE, "--%s after --unless: what must not follow ends a question",
                       option);
    terms->ended |= t.op == KS_OP_UNLESS;
    err = append(terms, &t, e);
    return err < 0 ? err : 1;
}

int ks_terms_within(ks_terms *terms, double seconds, ks_error *e)
{
    assert(terms);
    ks_term *last = terms->n ? &terms->at[terms->n - 1] : NULL;

    while (last && last > terms->at && last->op != KS_OP_THEN && last->op != KS_OP_UNLESS) last--;
    if (!last || (last->op != KS_OP_THEN && last->op != KS_OP_UNLESS))
        return ks_fail(e, KS_EUSAGE,
                       "--within stands after the --then or --unless whose time it is");
    if (last->within >= 0)
        return ks_fail(e, KS_EUSAGE, "--within was given twice for one --%s", ks_op_name(last->op));
    last->within = seconds;
    return 0;
}

int ks_terms_begin(ks_terms *terms, ks_error *e)
{
    assert(terms);
    int first = 0;

    while (first < terms->n && terms->at[first].op != KS_OP_PLUS) first++;
    if (first == terms->n)
        return ks_fail(e, KS_EUSAGE,
                       terms->n ? "--%s combines with something: say what to look for before it"
                                : "say what to look for",
                       terms->n ? ks_op_name(terms->at[0].op) : "");
    ks_term t = terms->at[first];
    memmove(terms->at + 1, terms->at, (size_t)first * sizeof t);
    t.op = KS_OP_BEGIN;
    terms->at[0] = t;
    return 0;
}

void ks_terms_free(ks_terms *terms)
{
    free(terms->at);
    *terms = (ks_terms){0};
}
