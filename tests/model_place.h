/* model_place.h - a new folder for one model file and its packs.
 *
 *   static ks_model_place at;
 *   ks_model_place_new(&at, "model.npz");      before each test
 *   ks_model_place_open(&w, &at, NULL, &e);    at.path, or another file, with packs in at.cache
 *   ks_remove_folder(at.folder);               after it */
#ifndef KS_MODEL_PLACE_H
#define KS_MODEL_PLACE_H

#include "encoder/weights.h"
#include "tests/npz_build.h"

typedef struct {
    char folder[64], cache[80], path[96];
} ks_model_place;

void ks_model_place_new(ks_model_place *at, const char *file);
int ks_model_place_open(ks_weights **w, const ks_model_place *at, const char *other, ks_error *e);

/* What every refusal of a file is: KS_EFORMAT or KS_ESHAPE, and a sentence that starts with the
 * file and holds `said`. */
/* the stacks' matrices, which no pack keeps; until close */
void ks_model_place_load(ks_weights *w);
void ks_model_place_refused(const ks_model_place *at, const char *what, int err, const ks_error *e,
                            const char *said);

#endif
