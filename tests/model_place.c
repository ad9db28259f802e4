#include "tests/model_place.h"

#include <check.h>
#include <string.h>

#include "encoder/slots.h"

void ks_model_place_new(ks_model_place *at, const char *file)
{
    snprintf(at->path, sizeof at->path, "%s/%.24s", ks_temp_folder(at->folder), file);
    snprintf(at->cache, sizeof at->cache, "%s/cache", at->folder);
}

int ks_model_place_open(ks_weights **w, const ks_model_place *at, const char *other, ks_error *e)
{
    return ks_weights_open(
        w, &(ks_weights_options){.model = other ? other : at->path, .cache = at->cache}, e);
}

void ks_model_place_refused(const ks_model_place *at, const char *what, int err, const ks_error *e,
                            const char *said)
{
    size_t n = strlen(at->path);
    ck_assert_msg(err == KS_EFORMAT || err == KS_ESHAPE, "%s: code %d (%s)", what, err, e->msg);
    ck_assert_msg(strncmp(e->msg, at->path, n) == 0 && strncmp(e->msg + n, ": ", 2) == 0 &&
                      strstr(e->msg, said),
                  "%s: said \"%s\"", what, e->msg);
}

void ks_model_place_load(ks_weights *w)
{
    static const size_t matrices[] = {offsetof(ks_stack, wq), offsetof(ks_stack, wk),
                                      offsetof(ks_stack, wv), offsetof(ks_stack, wo),
                                      offsetof(ks_stack, w1), offsetof(ks_stack, w2)};
    const int layers[KS_STACKS] = {w->info.spatial, w->info.temporal, w->info.auxiliary,
                                   w->info.text};
    for (int i = 0; i < KS_STACKS; i++)
        for (size_t k = 0; layers[i] > 0 && k < sizeof matrices / sizeof *matrices; k++) {
            ks_error e = {0};
            const float *x;
            size_t field = ks_stack_rows()[i].at + matrices[k];
            memcpy(&x, (const char *)w + field, sizeof x);
            ck_assert_ptr_null(x);
            ck_assert_msg(ks_weights_load(w, field, &e) == 0, "%s", e.msg);
        }
}
