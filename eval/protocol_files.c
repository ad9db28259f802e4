/* protocol_files.c - which recipe of a protocol a file is for: the one whose fields its first
 * record has. */
#include "eval/pattern.h"
#include "eval/protocol.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const ks_eval_recipe *r;
    int fits;
} trial;

static int try_first(void *arg, const ks_record *r, ks_error *e)
{
    trial *t = arg;
    const char *const patterns[] = {t->r->film,  t->r->text,    t->r->class_,
                                    t->r->name,  t->r->classes, t->r->question,
                                    t->r->right, t->r->from,    t->r->to};
    t->fits = 1;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns && t->fits; i++) {
        char *made = NULL;
        if (patterns[i]) t->fits = ks_pattern_fill(&made, patterns[i], r, 0, "", e) == 0;
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
        trial t = {r, 0};
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
