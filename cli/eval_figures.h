/* eval_figures.h - the figures of one measure: for people, as JSON, beside the published ones. */
#ifndef KS_EVAL_FIGURES_H
#define KS_EVAL_FIGURES_H

#include "eval/eval.h"
#include "formats/formats.h"

typedef struct {
    ks_eval_task task;
    union {
        ks_eval_retrieval_figures retrieval;
        ks_eval_classify_figures classify;
        ks_eval_multilabel_figures multilabel;
        ks_eval_choice_figures choice;
    };
} ks_figures_of;

const char *ks_eval_task_name(ks_eval_task task);
int ks_figures_measure(ks_figures_of *out, ks_eval_task task, const ks_eval_set *set,
                       const ks_eval_vectors *videos, const ks_eval_vectors *texts, ks_error *e);
void ks_figures_json(ks_json *j, const ks_figures_of *f); /* members of the object that is open */
void ks_figures_show(FILE *out, const ks_figures_of *f);
/* A table: each published figure of this measure, as it is here (with its interval) and as
 * others have it; and as JSON. */
void ks_figures_beside(FILE *out, const ks_figures_of *f, const ks_eval_protocol *p);
void ks_figures_beside_json(ks_json *j, const ks_figures_of *f, const ks_eval_protocol *p);

#endif
