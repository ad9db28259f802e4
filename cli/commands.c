/* commands.c - the list of commands, in the order of --help, and the options of all of them. */
#include "cli/commands.h"

#include <assert.h>
#include <string.h>

extern const ks_command ks_cmd_ingest, ks_cmd_watch;
extern const ks_command ks_cmd_search;
extern const ks_command ks_cmd_similar;
extern const ks_command ks_cmd_curve;
extern const ks_command ks_cmd_label;
extern const ks_command ks_cmd_labels;
extern const ks_command ks_cmd_teach;
extern const ks_command ks_cmd_sample, ks_cmd_outliers, ks_cmd_dupes;
extern const ks_command ks_cmd_clips;
extern const ks_command ks_cmd_cut;
extern const ks_command ks_cmd_export_vectors;
extern const ks_command ks_cmd_save, ks_cmd_saved, ks_cmd_forget_saved;
extern const ks_command ks_cmd_forget;
extern const ks_command ks_cmd_relocate;
extern const ks_command ks_cmd_serve;
extern const ks_command ks_cmd_status;
extern const ks_command ks_cmd_check;
extern const ks_command ks_cmd_repair;
extern const ks_command ks_cmd_store_init, ks_cmd_store_index, ks_cmd_store_migrate, ks_cmd_root,
    ks_cmd_sync;
extern const ks_command ks_cmd_import, ks_cmd_worker, ks_cmd_queue;
extern const ks_command ks_cmd_backup;
extern const ks_command ks_cmd_compact;
extern const ks_command ks_cmd_embed;
extern const ks_command ks_cmd_features;
extern const ks_command ks_cmd_model_list;
extern const ks_command ks_cmd_model_info;
extern const ks_command ks_cmd_model_pull;
extern const ks_command ks_cmd_model_verify;
extern const ks_command ks_cmd_model_random;
extern const ks_command ks_cmd_eval_retrieval, ks_cmd_eval_classify, ks_cmd_eval_multilabel,
    ks_cmd_eval_choice, ks_cmd_eval_probe;
extern const ks_command ks_cmd_eval_mine;
extern const ks_command ks_cmd_doctor;
extern const ks_command ks_cmd_completion;
extern const ks_command ks_cmd_manual;
extern const ks_command ks_cmd_bench_decode;
extern const ks_command ks_cmd_bench_accuracy;
extern const ks_command ks_cmd_bench_encoder;
extern const ks_command ks_cmd_bench_scan;
extern const ks_command ks_cmd_bench_query;
extern const ks_command ks_cmd_bench_ingest;

const ks_command *const ks_commands[] = {
    &ks_cmd_ingest,
    &ks_cmd_watch,
    &ks_cmd_search,
    &ks_cmd_similar,
    &ks_cmd_curve,
    &ks_cmd_save,
    &ks_cmd_saved,
    &ks_cmd_forget_saved,
    &ks_cmd_label,
    &ks_cmd_labels,
    &ks_cmd_teach,
    &ks_cmd_clips,
    &ks_cmd_cut,
    &ks_cmd_dupes,
    &ks_cmd_sample,
    &ks_cmd_outliers,
    &ks_cmd_export_vectors,
    &ks_cmd_forget,
    &ks_cmd_relocate,
    &ks_cmd_serve,
    &ks_cmd_status,
    &ks_cmd_check,
    &ks_cmd_repair,
    &ks_cmd_backup,
    &ks_cmd_compact,
    &ks_cmd_store_init,
    &ks_cmd_store_migrate,
    &ks_cmd_store_index,
    &ks_cmd_root,
    &ks_cmd_worker,
    &ks_cmd_queue,
    &ks_cmd_import,
    &ks_cmd_sync,
    &ks_cmd_embed,
    &ks_cmd_features,
    &ks_cmd_model_list,
    &ks_cmd_model_info,
    &ks_cmd_model_pull,
    &ks_cmd_model_verify,
    &ks_cmd_model_random,
    &ks_cmd_eval_retrieval,
    &ks_cmd_eval_classify,
    &ks_cmd_eval_multilabel,
    &ks_cmd_eval_choice,
    &ks_cmd_eval_probe,
    &ks_cmd_eval_mine,
    &ks_cmd_doctor,
    &ks_cmd_completion,
    &ks_cmd_manual,
    &ks_cmd_bench_encoder,
    &ks_cmd_bench_accuracy,
    &ks_cmd_bench_decode,
    &ks_cmd_bench_scan,
    &ks_cmd_bench_ingest,
    &ks_cmd_bench_query,
    NULL,
};

const ks_option ks_global_options[] = {
    {'L', "library", KS_OPT_TEXT, offsetof(ks_globals, library), "LIBRARY",
     "folder of the library, or postgresql://..."},
    {'m', "model", KS_OPT_TEXT, offsetof(ks_globals, setup.model), "MODEL",
     "a name of `model list`, an .npz or .safetensors"},
    {0, "tokenizer", KS_OPT_TEXT, offsetof(ks_globals, setup.tokenizer), "FILE",
     "sentencepiece model of the text tower"},
    {0, "precision", KS_OPT_TEXT, offsetof(ks_globals, setup.precision), "auto|fp32|bf16|int8",
     "arithmetic of the encoder"},
    {0, "device", KS_OPT_TEXT, offsetof(ks_globals, setup.device), "DEVICE",
     "what encodes: auto, cpu, gpu or gpu:N (see doctor)"},
    {0, "threads", KS_OPT_COUNT, offsetof(ks_globals, setup.threads), "N", "threads to use (all)"},
    {'q', "quiet", KS_OPT_FLAG, offsetof(ks_globals, quiet), NULL, "results and errors alone"},
    {'v', "verbose", KS_OPT_FLAG, offsetof(ks_globals, verbose), NULL, "say more on stderr"},
    {'h', "help", KS_OPT_FLAG, offsetof(ks_globals, help), NULL, "this help, or the command's"},
    {0, "version", KS_OPT_FLAG, offsetof(ks_globals, version), NULL,
     "versions of kinoseek and its libraries"},
    {0},
};

const ks_command *ks_find_command(const char *first, const char *second, int *words)
{
    assert(words);
    size_t n = strlen(first);

    for (const ks_command *const *c = ks_commands; *c; c++) {
        const char *name = (*c)->name;
        if (strcmp(name, first) == 0) {
            *words = 1;
            return *c;
        }
        if (second && strncmp(name, first, n) == 0 && name[n] == ' ' &&
            strcmp(name + n + 1, second) == 0) {
            *words = 2;
            return *c;
        }
    }
    *words = 0;
    return NULL;
}

const char *ks_meant_command(const char *word)
{
    const char *names[64];
    int n = 0;

    for (const ks_command *const *c = ks_commands; *c && n < 64; c++) names[n++] = (*c)->name;
    return ks_nearest_name(word, names, n);
}

int ks_exit_code(int err)
{
    switch (err) {
    case KS_OK: return 0;
    case KS_EUSAGE:
    case KS_ESPACE: return 2;
    case KS_EFORMAT:
    case KS_ESHAPE:
    case KS_ENOTFOUND: return 4;
    case KS_EDAMAGED: return 6;
    case KS_ENOLIBRARY: return 10;
    case KS_EBUSY: return 11;
    case KS_ESTOP: return 130;
    default: return 5; /* KS_ENOMEM, KS_EIO, KS_ENET, KS_EDENIED */
    }
}
