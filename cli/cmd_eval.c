/* cmd_eval.c - `eval retrieval|classify|multilabel|choice`: the measures of the field on vectors that are there. */
#include "cli/commands.h"
#include "eval/eval.h"
#include "formats/formats.h"

#include <math.h>

typedef struct {
    const char *videos, *texts, *map, *video_vectors, *text_vectors;
    int json;
} eval_fields;

static const ks_option options[] = {
    {0, "videos", KS_OPT_TEXT, offsetof(eval_fields, videos), "TSV", "video_id [path [start end]]"},
    {0, "texts", KS_OPT_TEXT, offsetof(eval_fields, texts), "TSV", "text_id text"},
    {0, "map", KS_OPT_TEXT, offsetof(eval_fields, map), "TSV", "video_id text_id: what is right"},
    {0, "video-vectors", KS_OPT_TEXT, offsetof(eval_fields, video_vectors), "FILE", "[n, D] .npy in the list's order, or .npz with ids"},
    {0, "text-vectors", KS_OPT_TEXT, offsetof(eval_fields, text_vectors), "FILE", "the same of the texts"},
    {0, "json", KS_OPT_FLAG, offsetof(eval_fields, json), NULL, "one JSON line"},
    {0},
};

typedef struct {
    ks_eval_set set;
    ks_eval_vectors videos, texts;
} measured;

static int take(ks_eval_vectors *out, const ks_eval_list *list, const char *path, ks_error *e)
{
    ks_named_rows file;
    int err = ks_named_rows_read(&file, path, e);
    if (!err) err = ks_eval_take(out, list, &file, path, e);
    ks_named_rows_free(&file);
    return err;
}

static int load(measured *m, ks_eval_task task, const eval_fields *f, ks_error *e)
{
    if (!f->videos || !f->texts || !f->map) return ks_fail(e, KS_EUSAGE, "give --videos, --texts and --map: what is asked of what, and what is right");
    if (!f->video_vectors || !f->text_vectors) return ks_fail(e, KS_EUSAGE, "give --video-vectors and --text-vectors (kinoseek embed -o makes such files)");
    int err = ks_eval_read_lists(&m->set, task, f->videos, f->texts, f->map, e);
    if (!err) err = take(&m->videos, &m->set.videos, f->video_vectors, e);
    if (!err) err = take(&m->texts, &m->set.texts, f->text_vectors, e);
    if (!err && (task == KS_EVAL_CLASSIFY || task == KS_EVAL_MULTILABEL)) err = ks_eval_average_classes(&m->texts, &m->set, e);
    return err;
}

static void drop(measured *m)
{
    ks_eval_vectors_free(&m->videos);
    ks_eval_vectors_free(&m->texts);
    ks_eval_set_free(&m->set);
}

static void begin_json(ks_json *j, const char *task)
{
    ks_json_start(j, stdout);
    ks_json_open(j, NULL, '{');
    ks_json_text(j, "task", task);
}

/* A count of queries that went wrong for want of a vector is said even where nobody asked. */
static void say_missing(const ks_globals *g, int64_t missing)
{
    if (missing > 0 && !g->quiet) fprintf(stderr, "kinoseek: %lld without a vector: they count as wrong\n", (long long)missing);
}

static void print_ranks(ks_json *j, const char *key, const ks_eval_ranks *r)
{
    ks_json_open(j, key, '{');
    ks_json_int(j, "n", r->n);
    ks_json_rate(j, "r1", r->r1);
    ks_json_rate(j, "r5", r->r5);
    ks_json_rate(j, "r10", r->r10);
    ks_json_rate(j, "median_rank", r->median_rank);
    ks_json_rate(j, "mean_rank", r->mean_rank);
    ks_json_rate(j, "r1_low", r->r1_low);
    ks_json_rate(j, "r1_high", r->r1_high);
    ks_json_close(j);
}

static void show_ranks(const char *name, const ks_eval_ranks *r)
{
    printf("%s  R@1 %5.1f %% (%.1f to %.1f)  R@5 %5.1f %%  R@10 %5.1f %%  median rank %g  mean rank %.1f  of %lld\n", name, 100 * r->r1, 100 * r->r1_low,
           100 * r->r1_high, 100 * r->r5, 100 * r->r10, r->median_rank, r->mean_rank, (long long)r->n);
}

static int retrieval(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    const eval_fields *f = fields;
    measured m = {0};
    ks_eval_retrieval_figures r;
    ks_json j;
    (void)args;
    int err = n ? ks_fail(e, KS_EUSAGE, "eval takes lists and vectors by their options") : load(&m, KS_EVAL_RETRIEVAL, f, e);
    if (!err) err = ks_eval_retrieval(&r, &m.set, &m.videos, &m.texts, e);
    drop(&m);
    if (err) return err;
    say_missing(g, r.missing);
    if (!f->json) {
        printf("%lld videos, %lld texts, ties %lld\n", (long long)r.videos, (long long)r.texts, (long long)r.ties);
        show_ranks("text to video", &r.t2v);
        show_ranks("video to text", &r.v2t);
        return 0;
    }
    begin_json(&j, "retrieval");
    ks_json_int(&j, "videos", r.videos);
    ks_json_int(&j, "texts", r.texts);
    ks_json_int(&j, "missing", r.missing);
    ks_json_int(&j, "ties", r.ties);
    print_ranks(&j, "t2v", &r.t2v);
    print_ranks(&j, "v2t", &r.v2t);
    ks_json_close(&j);
    return 0;
}

static int classify(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    const eval_fields *f = fields;
    measured m = {0};
    ks_eval_classify_figures r;
    ks_json j;
    (void)args;
    int err = n ? ks_fail(e, KS_EUSAGE, "eval takes lists and vectors by their options") : load(&m, KS_EVAL_CLASSIFY, f, e);
    if (!err) err = ks_eval_classify(&r, &m.set, &m.videos, &m.texts, e);
    drop(&m);
    if (err) return err;
    say_missing(g, r.missing);
    if (!f->json) {
        printf("%lld videos, %lld classes, ties %lld\n", (long long)r.n, (long long)r.classes, (long long)r.ties);
        printf("top-1 %5.1f %% (%.1f to %.1f)  top-5 %5.1f %%  mean over classes %5.1f %%\n", 100 * r.top1, 100 * r.top1_low, 100 * r.top1_high,
               100 * r.top5, 100 * r.mean_class_top1);
        return 0;
    }
    begin_json(&j, "classify");
    ks_json_int(&j, "n", r.n);
    ks_json_int(&j, "classes", r.classes);
    ks_json_int(&j, "missing", r.missing);
    ks_json_int(&j, "ties", r.ties);
    ks_json_rate(&j, "top1", r.top1);
    ks_json_rate(&j, "top5", r.top5);
    ks_json_rate(&j, "mean_class_top1", r.mean_class_top1);
    ks_json_rate(&j, "top1_low", r.top1_low);
    ks_json_rate(&j, "top1_high", r.top1_high);
    ks_json_close(&j);
    return 0;
}

static int multilabel(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    const eval_fields *f = fields;
    measured m = {0};
    ks_eval_multilabel_figures r;
    ks_json j;
    (void)args;
    int err = n ? ks_fail(e, KS_EUSAGE, "eval takes lists and vectors by their options") : load(&m, KS_EVAL_MULTILABEL, f, e);
    if (!err) err = ks_eval_multilabel(&r, &m.set, &m.videos, &m.texts, e);
    drop(&m);
    if (err) return err;
    say_missing(g, r.missing);
    if (!f->json) {
        printf("mAP %5.1f %% over %lld classes of %lld videos; %lld classes have no video\n", 100 * r.map, (long long)(r.classes - r.classes_with_none),
               (long long)r.n, (long long)r.classes_with_none);
        return 0;
    }
    begin_json(&j, "multilabel");
    ks_json_int(&j, "n", r.n);
    ks_json_int(&j, "classes", r.classes);
    ks_json_int(&j, "classes_with_none", r.classes_with_none);
    ks_json_int(&j, "missing", r.missing);
    ks_json_rate(&j, "map", r.map);
    ks_json_close(&j);
    return 0;
}

static int choice(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    const eval_fields *f = fields;
    measured m = {0};
    ks_eval_choice_figures r;
    ks_json j;
    (void)args;
    int err = n ? ks_fail(e, KS_EUSAGE, "eval takes lists and vectors by their options") : load(&m, KS_EVAL_CHOICE, f, e);
    if (!err) err = ks_eval_choice(&r, &m.set, &m.videos, &m.texts, e);
    drop(&m);
    if (err) return err;
    say_missing(g, r.missing);
    if (!f->json) {
        printf("%5.1f %% (%.1f to %.1f) of %lld questions, ties %lld\n", 100 * r.accuracy, 100 * r.low, 100 * r.high, (long long)r.n, (long long)r.ties);
        return 0;
    }
    begin_json(&j, "choice");
    ks_json_int(&j, "n", r.n);
    ks_json_int(&j, "missing", r.missing);
    ks_json_int(&j, "ties", r.ties);
    ks_json_rate(&j, "accuracy", r.accuracy);
    ks_json_rate(&j, "low", r.low);
    ks_json_rate(&j, "high", r.high);
    ks_json_close(&j);
    return 0;
}

#define KS_EVAL_COMMAND(object, word, what, notes) \
    extern const ks_command object; \
    const ks_command object = {.name = "eval " #word, .usage = "", .brief = what, .more = notes, .options = options, .alone = 1, \
                               .fields = sizeof(eval_fields), .run = word}

KS_EVAL_COMMAND(ks_cmd_eval_retrieval, retrieval, "Recall of text to video and video to text, on your vectors",
                "Rank: 1 + the wrong ones whose score is at least that of the best right one, so\n"
                "ties count against. A row without a vector is missing and counts as wrong.\n"
                "The map takes any number of pairs each way.\n");
KS_EVAL_COMMAND(ks_cmd_eval_classify, classify, "Top-1 and top-5 of one class a video, on your vectors",
                "Texts are classes; several rows of one text_id are averaged, as CLIP does. The\n"
                "map has one line a video.\n");
KS_EVAL_COMMAND(ks_cmd_eval_multilabel, multilabel, "Mean average precision of classes, on your vectors",
                "Average precision as scikit-learn's average_precision_score, mean over the\n"
                "classes that have a video.\n");
KS_EVAL_COMMAND(ks_cmd_eval_choice, choice, "Accuracy of multiple choice, on your vectors",
                "The map is question_id, video_id, text_id, 0 or 1. A tie with a wrong option\n"
                "counts against.\n");
