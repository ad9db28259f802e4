/* api_question.c - see api_question.h. */
#include "serve/api_question.h"

#include <assert.h>
#include <string.h>

static int is_among(const char *name, const char *const *names)
{
    for (; names && *names; names++)
        if (strcmp(name, *names) == 0) return 1;
    return 0;
}

static int take(ks_asked_for *a, const char *name, const char *value, ks_error *e)
{
    int blank = value[strspn(value, " \t\r\n")] == 0, err;

    if (!ks_is_utf8(value)) return ks_fail(e, KS_EUSAGE, "%.40s is not UTF-8 text", name);
    if ((strcmp(name, "merge") == 0 || strcmp(name, "fold") == 0) && strcmp(value, "on") != 0 &&
        strcmp(value, "off") != 0)
        return ks_fail(e, KS_EUSAGE, "%s takes on or off, not \"%.40s\"", name, value);
    if (strcmp(name, "film") == 0)
        return ks_fail(e, KS_EUSAGE, "there is no parameter film: similar takes video and t");
    if (blank && (strcmp(name, "q") == 0 || strcmp(name, "words") == 0)) return 0;
    if ((err = ks_question_set(&a->q, &a->terms, name, value, e)) == 0)
        return ks_fail(e, KS_EUSAGE, "there is no parameter %.40s", name);
    return err < 0 ? err : 0;
}

static int no_files(const ks_terms *t, ks_error *e)
{
    for (int i = 0; i < t->n; i++)
        if (t->at[i].kind != KS_TERM_WORDS && t->at[i].kind != KS_TERM_CLIP)
            return ks_fail(e, KS_EUSAGE, "%.100s: a term is words or #CLIP here", t->at[i].text);
    return 0;
}

static int read_all(ks_asked_for *a, const ks_call *c, const char *const *others, ks_error *e)
{
    const ks_params *p = &c->params;
    int err = 0;

    *a = (ks_asked_for){0};
    for (int i = 0; i < p->n && err == 0; i++)
        if (!is_among(p->name[i], others)) err = take(a, p->name[i], p->value[i], e);
    if (err == 0) err = no_files(&a->terms, e);
    if (a->terms.n) a->q.terms = &a->terms;
    return err;
}

int ks_asked_read(ks_asked_for *a, const ks_call *c, const char *const *others, ks_error *e)
{
    assert(a && c);
    int err = read_all(a, c, others, e);

    return err == 0 && !a->q.words && a->terms.n ? ks_terms_begin(&a->terms, e) : err;
}

int ks_asked_of_picture(ks_asked_for *a, const ks_call *c, ks_error *e)
{
    assert(a && c);
    int err = read_all(a, c, NULL, e);

    if (err == 0 && (a->q.words || a->q.like))
        err = ks_fail(e, KS_EUSAGE,
                      "a picture begins a question: words stand in and, plus, not ...");
    return err;
}

void ks_asked_drop(ks_asked_for *a) { ks_terms_free(&a->terms); }

int ks_asked_something(const ks_asked_for *a) { return a->q.words || a->q.like || a->terms.n; }
