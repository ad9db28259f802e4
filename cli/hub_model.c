/* hub_model.c - see hub_model.h. What the new space is an empty library says, into which `ingest`
 * switches as into any: no second set of rules. */
#include "cli/hub_model.h"
#include "cli/hub_library.h"
#include "cli/temporary_folder.h"

#include <stdlib.h>

/* 1: x fills the new space; 0: the hub has none that could be changed */
static int work_out(ks_index *x, ks_hub *h, const ks_ingest_options *o, ks_encoder *enc,
                    ks_error *e)
{
    ks_ingest_options own = *o;
    ks_ingest_summary sum;
    const char *none = ".kinoseek-no-film"; /* no folder is walked for this */
    ks_library *l = malloc(sizeof *l);
    int err = l ? ks_hub_pull_spaces(x, h, e) : ks_fail(e, KS_ENOMEM, "no memory");
    if (err == 0) err = ks_index_library(l, x, e);
    int there = err == 0 && l->space.dim > 0;
    free(l);
    if (err < 0 || !there) return err;
    own.paths = &none;
    own.n = 1;
    own.event = NULL;
    own.at_work = NULL;
    own.switch_space = 1;
    err = ks_ingest(&sum, x, enc, &own, e);
    return err < 0 ? err : 1;
}

int ks_hub_change_model(const ks_globals *g, const ks_ingest_options *o, ks_encoder *enc,
                        ks_error *e)
{
    char *folder = NULL;
    ks_hub *h = NULL;
    ks_index *x = NULL;
    int err = ks_temporary_folder(&folder, e);
    if (err == 0) err = ks_reach_hub(&h, g, e);
    if (err == 0) err = ks_index_open(&x, folder, KS_CREATE, e);
    if (err == 0) err = work_out(x, h, o, enc, e);
    if (err > 0) err = ks_hub_switch(h, x, e);
    ks_index_close(x);
    ks_hub_close(h);
    if (folder) ks_remove_files(folder);
    free(folder);
    return err;
}

int ks_hub_end_model(const ks_globals *g, ks_error *e)
{
    ks_hub *h = NULL;
    int err = ks_reach_hub(&h, g, e);
    if (err == 0) err = ks_hub_tidy(h, e);
    ks_hub_close(h);
    return err;
}
