/* api_question.c - see api_question.h. */
#include "serve/api_question.h"

#include <string.h>

enum { MOST = 100000 };

/* Those with a text of their own. */
static const struct {
    const char *name;
    size_t field;
} texts[] = {{"q", offsetof(ks_question, words)},       {"not", offsetof(ks_question, without)},
             {"path", offsetof(ks_question, path)},     {"after", offsetof(ks_question, after)},
             {"before", offsetof(ks_question, before)}, {"in", offsetof(ks_question, in)},
             {"merge", offsetof(ks_question, merge)},   {"fold", offsetof(ks_question, fold)}};
static const char *const others[] = {"k",     "top",   "per-video", "longer",   "shorter",
                                     "all",   "exact", "ann",       "not-self", "clip",
                                     "video", "t",     "format",    "fps"};

static int is_known(const char *name)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(name, texts[i].name) == 0) return 1;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(name, others[i]) == 0) return 1;
    return 0;
}

static int read_texts(ks_question *q, const ks_params *p, ks_error *e)
{
    for (int i = 0; i < p->n; i++) {
        if (!is_known(p->name[i]))
            return ks_fail(e, KS_EUSAGE, "there is no parameter %.40s", p->name[i]);
        if (!ks_is_utf8(p->value[i]))
            return ks_fail(e, KS_EUSAGE, "%s is not UTF-8 text", p->name[i]);
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *value = ks_param(p, texts[i].name);
        if (value && *value) *(const char **)(void *)((char *)q + texts[i].field) = value;
    }
    if (q->words && q->words[strspn(q->words, " \t\r\n")] == 0) q->words = NULL;
    if (q->without && q->without[strspn(q->without, " \t\r\n")] == 0) q->without = NULL;
    for (int i = 0; i < 2; i++) {
        const char *value = i ? q->fold : q->merge;
        if (value && strcmp(value, "on") != 0 && strcmp(value, "off") != 0)
            return ks_fail(e, KS_EUSAGE, "%s takes on or off, not \"%.40s\"", i ? "fold" : "merge",
                           value);
    }
    return 0;
}

int ks_question_read(ks_question *q, const ks_call *c, ks_error *e)
{
    const ks_params *p = &c->params;
    int64_t k = 0, per_video = 0, clip = 0;
    int err;

    *q = (ks_question){0};
    if ((err = read_texts(q, p, e)) < 0 || (err = ks_param_int(&k, p, "top", 1, MOST, e)) < 0 ||
        (err = ks_param_int(&k, p, "k", 1, MOST, e)) < 0 ||
        (err = ks_param_int(&per_video, p, "per-video", 0, MOST, e)) < 0 ||
        (err = ks_param_int(&clip, p, "clip", 1, INT64_MAX, e)) < 0 ||
        (err = ks_param_seconds(&q->longer, p, "longer", e)) < 0 ||
        (err = ks_param_seconds(&q->shorter, p, "shorter", e)) < 0 ||
        (err = ks_param_flag(&q->all, p, "all", e)) < 0 ||
        (err = ks_param_flag(&q->exact, p, "exact", e)) < 0 ||
        (err = ks_param_flag(&q->ann, p, "ann", e)) < 0 ||
        (err = ks_param_flag(&q->not_self, p, "not-self", e)) < 0)
        return err;
    q->k = (int)k;
    q->per_video = (int)per_video;
    q->like = clip;
    if (q->without && !q->words) return ks_fail(e, KS_EUSAGE, "not goes with q");
    return 0;
}
