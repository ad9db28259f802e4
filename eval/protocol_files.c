/* protocol_files.c - which recipe of a protocol a file is for: the one whose fields its first
 * record has. */
#include "eval/lines_file.h"
#include "eval/pattern.h"
#include "eval/protocol.h"

#include <stdlib.h>
#include <string.h>

enum { PATTERNS = 9 };

typedef struct {
    const ks_eval_recipe *r;
    int fits, filled; /* filled: how many patterns found their fields */
    ks_error why;     /* of one that did not */
} trial;

static void patterns_of(const char *out[PATTERNS], const ks_eval_recipe *r)
{
    memcpy((void *)out,
           (const char *[PATTERNS]){r->film, r->text, r->class_, r->name, r->classes, r->question,
                                    r->right, r->from, r->to},
           PATTERNS * sizeof *out);
}

static int try_first(void *arg, const ks_record *r, ks_error *e)
{
    trial *t = arg;
    const char *patterns[PATTERNS];
    (void)e;
    patterns_of(patterns, t->r);
    t->fits = 1;
    for (int i = 0; i < PATTERNS && t->fits; i++) {
        char *made = NULL;
        if (!patterns[i]) continue;
        t->fits = ks_pattern_fill(&made, patterns[i], r, 0, "", &t->why) == 0;
        t->filled += t->fits;
        free(made);
    }
    return 1; /* one is enough */
}

static int is_for(const ks_eval_recipe *r, const char *variant)
{
    return !r->variant || (variant && strcmp(r->variant, variant) == 0);
}

/* The first recipe of the variant whose fields the file's first record has; NULL: none. A file
 * that another variant reads as data is no list of this one. */
int ks_recipe_find(const ks_eval_recipe **out, const ks_eval_protocol *p, const char *variant,
                   const char *file, ks_error *e)
{
    int json, other = 0, err = ks_records_is_json(&json, file, e);
    *out = NULL;
    for (int i = 0; i < p->n_recipes && !err && !*out; i++) {
        const ks_eval_recipe *r = &p->recipes[i];
        trial t = {.r = r};
        ks_error why = {0};
        if ((other && r->role >= KS_ROLE_SPLIT) || (r->form == KS_RECORDS_JSON) != json) continue;
        int got = ks_records_read(file, r->form, r->pattern, try_first, &t, &why);
        if (got == KS_EIO || got == KS_ENOMEM || (got < 0 && json))
            err = ks_fail(e, got, "%s", why.msg);
        else if (t.fits && is_for(r, variant)) *out = r;
        else other |= t.fits;
    }
    return err;
}

/* 1: the first line has the names of all fields that a CSV recipe wants. */
static int has_header(const ks_eval_recipe *r, const char *file)
{
    const char *patterns[PATTERNS];
    char *line, name[64];
    ks_lines f;
    ks_error e;
    int all = ks_lines_open(&f, file, &e) == 0 && ks_lines_next(&line, &f, &e) == 1;
    patterns_of(patterns, r);
    for (int i = 0; i < PATTERNS && all; i++)
        for (const char *at = patterns[i]; all && at && (at = strchr(at, '{')); at++) {
            snprintf(name, sizeof name, "%.*s", (int)strcspn(at + 1, ":}"), at + 1);
            all = *name == '@' || strstr(line, name) != NULL;
        }
    ks_lines_close(&f);
    return all;
}

/* How near a recipe comes to a file that it does not read, and why it does not. */
static int nearness(ks_error *why, const ks_eval_recipe *r, const char *file, int json)
{
    trial t = {.r = r};
    ks_error e = {0};
    if ((r->form == KS_RECORDS_JSON) != json) return 0;
    int got = ks_records_read(file, r->form, r->pattern, try_first, &t, &e);
    *why = got < 0 ? e : t.why;
    if (!*why->msg) return 0; /* no record in it */
    if (r->form == KS_RECORDS_CSV) return has_header(r, file) ? 1 + PATTERNS : 0;
    return got < 0 ? 1 : t.filled ? 1 + t.filled : 0;
}

int ks_recipe_none(const ks_eval_protocol *p, const char *file, ks_error *e)
{
    ks_error why, best = {0};
    int json = 0, nearest = 0, err = ks_records_is_json(&json, file, e);
    if (err) return err;
    for (int i = 0; i < p->n_recipes; i++) {
        int near = nearness(&why, &p->recipes[i], file, json);
        if (near <= nearest) continue;
        nearest = near;
        best = why;
    }
    return nearest ? ks_fail(e, KS_EFORMAT, "%.300s (%s reads %s)", best.msg, p->name, p->needs)
                   : ks_fail(e, KS_EFORMAT, "%s: is none of the files that %s reads: %s", file,
                             p->name, p->needs);
}

int ks_recipe_check_name(const ks_eval_protocol *p, const char *file, ks_error *e)
{
    const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
    if (!strcasestr(base, "train") && !(p->other && strstr(base, p->other))) return 0;
    return ks_fail(e, KS_EFORMAT,
                   "%s: by its name this is another split than %s is measured on; it reads %s",
                   file, p->name, p->needs);
}

int ks_eval_variants(const char **variants, int max, const ks_eval_protocol *p,
                     const char *const *files, int n_files, ks_error *e)
{
    int n = 0, err;
    for (int i = 0; i < p->n_recipes; i++) {
        const ks_eval_recipe *r = &p->recipes[i], *found;
        int known = r->role >= KS_ROLE_SPLIT;
        for (int k = 0; k < n && !known; k++)
            known = variants[k] == r->variant ||
                    (variants[k] && r->variant && strcmp(variants[k], r->variant) == 0);
        for (int k = 0; k < n_files && !known && n < max; k++) {
            if ((err = ks_recipe_find(&found, p, r->variant, files[k], e)) < 0) return err;
            if (!found || found->role >= KS_ROLE_SPLIT) continue;
            variants[n++] = found->variant;
            known = 1;
        }
    }
    for (int k = 0; k < n_files && n == 0; k++)
        if ((err = ks_recipe_any(p, files[k], e)) <= 0)
            return err < 0 ? err : ks_recipe_none(p, files[k], e);
    return n ? n
             : ks_fail(e, KS_EFORMAT, "%s: no annotations of %s, which reads %s", files[0], p->name,
                       p->needs);
}

int ks_recipe_any(const ks_eval_protocol *p, const char *file, ks_error *e)
{
    const ks_eval_recipe *found = NULL;
    int err = ks_recipe_find(&found, p, NULL, file, e);
    for (int i = 0; i < p->n_recipes && !found && !err; i++)
        err = ks_recipe_find(&found, p, p->recipes[i].variant, file, e);
    return err ? err : found != NULL;
}
