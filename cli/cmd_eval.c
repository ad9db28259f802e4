/* cmd_eval.c - `eval retrieval|classify|multilabel|choice`: the measures of the field, on
 * vectors or on films, on lists or by a protocol. */
#include "cli/commands.h"
#include "cli/eval_figures.h"
#include "cli/eval_watch.h"
#include "cli/terminal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    ks_opt_list annotations;
    const char *videos, *texts, *map, *video_vectors, *text_vectors, *media, *protocol, *fit,
        *templates;
    int json, frames;
} eval_fields;

static const ks_option options[] = {
    {0, "videos", KS_OPT_TEXT, offsetof(eval_fields, videos), "TSV", "video_id [path [start end]]"},
    {0, "texts", KS_OPT_TEXT, offsetof(eval_fields, texts), "TSV", "text_id text"},
    {0, "map", KS_OPT_TEXT, offsetof(eval_fields, map), "TSV", "video_id text_id: what is right"},
    {0, "protocol", KS_OPT_TEXT, offsetof(eval_fields, protocol), "NAME",
     "msrvtt-1k, k400 ...: instead of lists"},
    {0, "annotations", KS_OPT_LIST, offsetof(eval_fields, annotations), "FILE",
     "the data set's own files"},
    {0, "media", KS_OPT_TEXT, offsetof(eval_fields, media), "DIR",
     "its films, to be embedded (-m)"},
    {0, "video-vectors", KS_OPT_TEXT, offsetof(eval_fields, video_vectors), "FILE",
     ".npy in the list's order, or .npz with ids"},
    {0, "text-vectors", KS_OPT_TEXT, offsetof(eval_fields, text_vectors), "FILE",
     "the same of the texts"},
    {0, "json", KS_OPT_FLAG, offsetof(eval_fields, json), NULL, "one JSON line a measure"},
    {0, "frames", KS_OPT_COUNT, offsetof(eval_fields, frames), "N", "frames of a film (16)"},
    {0, "fit", KS_OPT_TEXT, offsetof(eval_fields, fit), "LIST",
     "squash, crop, pad; squash,crop: both (squash)"},
    {0, "templates", KS_OPT_TEXT, offsetof(eval_fields, templates), "NAME",
     "clip-kinetics, colab, none, or a file"},
    {0},
};

enum { FRAMES = 16, FRAMES_MOST = 4096, FITS = 3, VARIANTS = 4 };
static const char *const fit_names[FITS] = {"squash", "crop", "pad"};

/* One run. */
typedef struct {
    const ks_globals *g;
    const eval_fields *f;
    ks_eval_task task;
    ks_setup setup;  /* g's, whose notices the watch sees */
    ks_encoder *enc; /* NULL: all vectors come from files */
    ks_watch watch;
    ks_eval_protocol protocol;
    const char **files;
    int n_files;
    const char *variant; /* NULL: there is but one reading */
    char **templates;
    int n_templates;
    const char *templates_name;
    ks_fit fits[FITS];
    int n_fits;
    ks_eval_set set;
    ks_eval_vectors videos, texts;
} run;

/* --- what is asked for --- */

static int read_fits(run *r, ks_error *e)
{
    const char *at = r->f->fit ? r->f->fit : "squash";
    while (*at) {
        size_t n = strcspn(at, ",");
        int fit = 0;
        while (fit < FITS && (strlen(fit_names[fit]) != n || strncmp(fit_names[fit], at, n) != 0))
            fit++;
        for (int i = 0; i < r->n_fits; i++)
            if ((int)r->fits[i] == fit) fit = FITS;
        if (fit == FITS)
            return ks_fail(e, KS_EUSAGE,
                           "--fit %s: squash, crop or pad, each once, with commas between",
                           r->f->fit);
        r->fits[r->n_fits++] = (ks_fit)fit;
        at += n + (at[n] == ',' && at[n + 1]);
        if (*at == ',') return ks_fail(e, KS_EUSAGE, "--fit %s: a comma too many", r->f->fit);
    }
    return r->n_fits ? 0 : ks_fail(e, KS_EUSAGE, "--fit: squash, crop or pad");
}

static int add_template(run *r, const char *text, ks_error *e)
{
    char **grown = (char **)realloc((void *)r->templates,
                                    (size_t)(r->n_templates + 1) * sizeof *grown);
    if (!grown) return ks_fail(e, KS_ENOMEM, "no memory for templates");
    r->templates = grown;
    grown[r->n_templates] = strdup(text);
    return grown[r->n_templates] ? (r->n_templates++, 0)
                                 : ks_fail(e, KS_ENOMEM, "no memory for templates");
}

static int template_file(run *r, const char *path, ks_error *e)
{
    FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    int err = 0;
    if (!f)
        return ks_fail(e, KS_ENOTFOUND,
                       "--templates %s: neither clip-kinetics, colab, none, nor a file: %s", path,
                       strerror(errno));
    for (int n = 1; !err && getline(&line, &room, f) >= 0; n++) {
        line[strcspn(line, "\r\n")] = 0;
        if (*line == 0 || *line == '#') continue;
        if (!strstr(line, "{}") || !ks_is_utf8(line))
            err = ks_fail(e, KS_EFORMAT, "%s:%d: a template is UTF-8 text with {} for the label",
                          path, n);
        else err = add_template(r, line, e);
    }
    if (!err && ferror(f)) err = ks_fail(e, KS_EIO, "%s: cannot be read", path);
    if (!err && r->n_templates == 0) err = ks_fail(e, KS_EFORMAT, "%s: no template in it", path);
    free(line);
    fclose(f);
    return err;
}

static int read_templates(run *r, ks_error *e)
{
    const char *name = r->f->templates         ? r->f->templates
                       : r->protocol.templates ? r->protocol.templates
                                               : "none",
               *text;
    int err = 0;
    r->templates_name = name;
    if (strcmp(name, "none") == 0) return 0;
    if (strcmp(name, "colab") == 0) return add_template(r, "a video of {}.", e);
    if (strcmp(name, "clip-kinetics") != 0) return template_file(r, name, e);
    for (int i = 0; !err && (text = ks_label_template(i)); i++) err = add_template(r, text, e);
    return err;
}

/* Annotations stand behind their option, several in a row as a shell's * gives them. */
static int read_protocol(run *r, int n, char **args, ks_error *e)
{
    const eval_fields *f = r->f;
    if (!f->protocol)
        return n || f->annotations.n
                   ? ks_fail(e, KS_EUSAGE, "%s: files of annotations go with --protocol",
                             n ? args[0] : f->annotations.at[0])
                   : 0;
    if (f->videos || f->texts || f->map)
        return ks_fail(e, KS_EUSAGE, "--protocol goes without lists: it reads --annotations");
    int err = ks_eval_protocol_open(&r->protocol, &r->setup, f->protocol, e);
    if (err) return err;
    if (r->protocol.task != r->task)
        return ks_fail(e, KS_EUSAGE, "%s is a protocol of `eval %s`", f->protocol,
                       ks_eval_task_name(r->protocol.task));
    if (n + f->annotations.n == 0)
        return ks_fail(e, KS_EUSAGE, "%s needs --annotations: %s", f->protocol, r->protocol.needs);
    r->files = calloc((size_t)(n + f->annotations.n), sizeof *r->files);
    if (!r->files) return ks_fail(e, KS_ENOMEM, "no memory");
    for (int i = 0; i < f->annotations.n; i++) r->files[r->n_files++] = f->annotations.at[i];
    for (int i = 0; i < n; i++) r->files[r->n_files++] = args[i];
    return 0;
}

/* What says how to embed is of no use where vectors come from files. */
static int check_vectors(const eval_fields *f, ks_error *e)
{
    const char *how = f->fit ? "--fit" : f->frames ? "--frames" : f->media ? "--media" : NULL;
    if (f->video_vectors && how)
        return ks_fail(e, KS_EUSAGE, "%s goes without --video-vectors: no film is embedded", how);
    if (f->text_vectors && f->templates)
        return ks_fail(e, KS_EUSAGE,
                       "--templates goes without --text-vectors: no text is embedded");
    return 0;
}

static int begin(run *r, int n, char **args, ks_error *e)
{
    const eval_fields *f = r->f;
    r->setup = r->g->setup;
    r->setup.notice = ks_watch_notice;
    r->setup.notice_arg = &r->watch;
    ks_watch_open(&r->watch, r->g);
    if (f->frames > FRAMES_MOST)
        return ks_fail(e, KS_EUSAGE, "--frames %d is more than this program takes", f->frames);
    int err = check_vectors(f, e);
    if (!err) err = read_protocol(r, n, args, e);
    if (!err && !f->protocol && (!f->videos || !f->texts || !f->map))
        err = ks_fail(e, KS_EUSAGE,
                      "give --videos, --texts and --map: what is asked of what, and what is right; "
                      "or --protocol");
    if (!err) err = read_fits(r, e);
    if (!err) err = read_templates(r, e);
    if (!err && f->protocol && !f->video_vectors && !f->media)
        err = ks_fail(e, KS_EUSAGE,
                      "give --media with the films of %s, or --video-vectors and --text-vectors",
                      f->protocol);
    return err;
}

/* Once there is something to embed: the lists were judged before. */
static int open_model(run *r, ks_error *e)
{
    int towers = (r->f->video_vectors ? 0 : KS_TOWER_VIDEO) |
                 (r->f->text_vectors ? 0 : KS_TOWER_TEXT);
    if (r->enc || towers == 0) return 0;
    int err = ks_open_encoder(&r->enc, &r->setup, NULL, towers, KS_FP32, e);
    if (!err && ks_encoder_info(r->enc)->kind != KS_LVT)
        err = ks_fail(e, KS_EUSAGE,
                      "eval needs an LvT model: this one gives no video and text vectors");
    return err;
}

static void end(run *r)
{
    ks_eval_vectors_free(&r->videos);
    ks_eval_vectors_free(&r->texts);
    ks_eval_set_free(&r->set);
    ks_eval_protocol_close(&r->protocol);
    for (int i = 0; i < r->n_templates; i++) free(r->templates[i]);
    free((void *)r->templates);
    free((void *)r->files);
    ks_watch_close(&r->watch);
    ks_encoder_close(r->enc);
}

/* --- vectors --- */

static int take(ks_eval_vectors *out, const ks_eval_list *list, const char *path, ks_error *e)
{
    ks_named_rows file;
    int err = ks_named_rows_read(&file, path, e);
    if (!err) err = ks_eval_take(out, list, &file, path, e);
    ks_named_rows_free(&file);
    return err;
}

static ks_eval_how how_of(run *r, ks_fit fit)
{
    return (ks_eval_how){.setup = &r->setup,
                         .enc = r->enc,
                         .media = r->f->media,
                         .prefix = r->protocol.prefix,
                         .frames = r->f->frames ? r->f->frames : FRAMES,
                         .fit = fit,
                         .templates = (const char *const *)r->templates,
                         .n_templates = r->n_templates,
                         .step = ks_watch_step,
                         .arg = &r->watch};
}

/* What files hold, before a word is said; and that it fits together. */
static int take_files(run *r, ks_error *e)
{
    const eval_fields *f = r->f;
    int64_t model = r->enc ? ks_encoder_info(r->enc)->dim : 0;
    int err = 0;
    ks_eval_vectors_free(&r->texts);
    ks_eval_vectors_free(&r->videos);
    if (f->text_vectors) err = take(&r->texts, &r->set.texts, f->text_vectors, e);
    if (!err && f->video_vectors) err = take(&r->videos, &r->set.videos, f->video_vectors, e);
    if (err || (!f->text_vectors && !f->video_vectors)) return err;
    int64_t texts = f->text_vectors ? r->texts.dim : model,
            videos = f->video_vectors ? r->videos.dim : model;
    if (texts == videos) return 0;
    return ks_fail(e, KS_ESHAPE, "%s: its vectors have %lld numbers, those of %s %lld",
                   f->video_vectors ? f->video_vectors : f->text_vectors,
                   (long long)(f->video_vectors ? videos : texts),
                   f->video_vectors && f->text_vectors ? f->text_vectors : "the model",
                   (long long)(f->video_vectors ? texts : videos));
}

static int take_texts(run *r, ks_error *e)
{
    ks_eval_how how = how_of(r, KS_SQUASH);
    int err = 0;
    if (!r->f->text_vectors) {
        r->watch.quiet_notices = 1;
        err = ks_eval_embed_texts(&r->texts, &r->set.texts, &how, e);
        r->watch.quiet_notices = 0;
        if (!err) ks_watch_texts_done(&r->watch);
    }
    if (!err && (r->task == KS_EVAL_CLASSIFY || r->task == KS_EVAL_MULTILABEL))
        err = ks_eval_average_classes(&r->texts, &r->set, e);
    return err;
}

static int take_videos(run *r, ks_fit fit, ks_error *e)
{
    ks_eval_how how = how_of(r, fit);
    if (r->f->video_vectors) return 0;
    ks_eval_vectors_free(&r->videos);
    ks_watch_films_begin(&r->watch);
    int err = ks_eval_embed_films(&r->videos, &r->set.videos, &how, e);
    if (!err) ks_watch_films_done(&r->watch);
    return err;
}

/* --- what is said --- */

/* What the published set has more or less than this one: said, never assumed away. */
static void say_size(const char *noun, int64_t published, int64_t here)
{
    if (published && published != here)
        printf("  Not the published set: that has %lld %s, the annotations %lld.\n",
               (long long)published, noun, (long long)here);
}

static void say_blank(const ks_eval_set *set)
{
    if (set->blank)
        fprintf(stderr, "kinoseek: %s:%lld: %lld text%s of no words %s left out\n", set->blank_file,
                (long long)set->blank_line, (long long)set->blank, set->blank == 1 ? "" : "s",
                set->blank == 1 ? "is" : "are");
}

static void say_protocol(const run *r)
{
    const ks_eval_protocol *p = &r->protocol;
    printf("%s%s%s\n", p->title, r->variant ? ": " : "", r->variant ? r->variant : "");
    for (int i = 0; i < p->n_open; i++) printf("  The source leaves open: %s.\n", p->open[i]);
    for (int i = 0; i < p->n_chosen; i++) printf("  Here: %s.\n", p->chosen[i]);
    if (r->f->templates) printf("  Asked for: --templates %s.\n", r->f->templates);
    if (r->f->frames) printf("  Asked for: --frames %d.\n", r->f->frames);
    say_size("films", p->films, r->set.videos.n);
    say_size("texts", p->texts, r->set.texts.n);
    say_size("questions", p->questions, r->set.questions.n);
}

static void json_texts(ks_json *j, const char *key, char *const *at, int n)
{
    ks_json_open(j, key, '[');
    for (int i = 0; i < n; i++) ks_json_text(j, NULL, at[i]);
    ks_json_close(j);
}

static void json_protocol(ks_json *j, const run *r, const ks_figures_of *f)
{
    const ks_eval_protocol *p = &r->protocol;
    ks_json_text(j, "protocol", p->name);
    if (r->variant) ks_json_text(j, "variant", r->variant);
    json_texts(j, "open", p->open, p->n_open);
    json_texts(j, "chosen", p->chosen, p->n_chosen);
    if (p->films) ks_json_int(j, "films_published", p->films);
    if (p->texts) ks_json_int(j, "texts_published", p->texts);
    if (p->questions) ks_json_int(j, "questions_published", p->questions);
    ks_figures_beside_json(j, f, p);
}

static void json_embedded(ks_json *j, const run *r, ks_fit fit)
{
    ks_json_text(j, "model_hash", ks_encoder_info(r->enc)->hash);
    if (!r->f->text_vectors) {
        ks_json_text(j, "templates", r->templates_name);
        ks_json_int(j, "texts_cut", r->watch.texts.cut);
    }
    if (r->f->video_vectors) return;
    ks_json_int(j, "frames", r->f->frames ? r->f->frames : FRAMES);
    ks_json_text(j, "fit", fit_names[fit]);
    ks_json_open(j, "films", '{');
    ks_json_int(j, "kept", r->watch.films.kept);
    ks_json_int(j, "made", r->watch.films.made);
    ks_json_open(j, "missing", '[');
    for (int i = 0; i < r->watch.n_missed; i++) {
        ks_json_open(j, NULL, '{');
        ks_json_text(j, "id", r->watch.missed[i].id);
        ks_json_text(j, "why", r->watch.missed[i].why);
        ks_json_close(j);
    }
    ks_json_close(j);
    ks_json_close(j);
}

static void say_names(const ks_eval_names *names, const char *one, const char *many)
{
    char ids[sizeof names->ids];
    if (names->n == 0) return;
    snprintf(ids, sizeof ids, "%s", names->ids);
    ks_harmless(ids);
    fprintf(stderr, "kinoseek: %lld %s: %s\n", (long long)names->n, names->n == 1 ? one : many,
            ids);
}

/* Films that could not be embedded were named before, with the reason. */
static int say_absent(const run *r, ks_eval_task task, ks_error *e)
{
    ks_eval_names asked, idle, none = {0};
    int err = 0;
    if (task == KS_EVAL_CLASSIFY) err = ks_eval_without_class(&none, &r->set, e);
    say_names(&none, "film of the list has no class and is not judged",
              "films of the list have no class and are not judged");
    if (err || !(r->f->video_vectors || r->f->text_vectors)) return err;
    err = ks_eval_without_vector(&asked, &idle, &r->set, task, &r->videos, &r->texts, e);
    if (err) return err;
    say_names(&asked, "without a vector counts as wrong", "without a vector count as wrong");
    say_names(&idle, "without a vector, which nothing asks for, is no wrong answer to others",
              "without a vector, which nothing asks for, are no wrong answers to others");
    return 0;
}

static int measure(run *r, ks_eval_task task, ks_fit fit, ks_error *e)
{
    ks_figures_of f;
    ks_json j;
    int err = ks_figures_measure(&f, task, &r->set, &r->videos, &r->texts, e);
    if (err) return err;
    if (!r->g->quiet && (err = say_absent(r, task, e)) < 0) return err;
    if (!r->f->json) {
        if (r->n_fits > 1) printf("fit: %s\n", fit_names[fit]);
        ks_figures_show(stdout, &f);
        if (r->f->protocol) ks_figures_beside(stdout, &f, &r->protocol);
        return 0;
    }
    ks_json_start(&j, stdout);
    ks_json_open(&j, NULL, '{');
    ks_json_text(&j, "task", ks_eval_task_name(task));
    ks_figures_json(&j, &f);
    if (r->f->protocol) json_protocol(&j, r, &f);
    if (r->enc) json_embedded(&j, r, fit);
    ks_json_close(&j);
    return 0;
}

/* --- the run --- */

/* Films of lists are named by --media, or by their paths. */
static int check_films(const run *r, ks_error *e)
{
    int64_t i = 0;
    if (r->f->video_vectors || r->f->media) return 0;
    while (i < r->set.videos.n && !r->set.videos.at[i].value) i++;
    return i < r->set.videos.n ? 0
                               : ks_fail(e, KS_EUSAGE,
                                         "give --video-vectors and --text-vectors (kinoseek embed "
                                         "-o makes such files), or --media with the films");
}

static int one_set(run *r, ks_error *e)
{
    int err = check_films(r, e), fits = r->f->video_vectors ? 1 : r->n_fits;
    if (!err) err = open_model(r, e);
    if (!err) err = take_files(r, e);
    if (!err && !r->g->quiet) say_blank(&r->set);
    if (!err && r->f->protocol && !r->f->json) say_protocol(r);
    if (!err) err = take_texts(r, e);
    for (int i = 0; i < fits && !err; i++) {
        err = take_videos(r, r->fits[i], e);
        if (!err) err = measure(r, r->task, r->fits[i], e);
        if (!err && r->protocol.also_multilabel)
            err = measure(r, KS_EVAL_MULTILABEL, r->fits[i], e);
    }
    return err;
}

static int all_sets(run *r, ks_error *e)
{
    const char *variants[VARIANTS];
    if (!r->f->protocol) {
        int err = ks_eval_read_lists(&r->set, r->task, r->f->videos, r->f->texts, r->f->map, e);
        return err ? err : one_set(r, e);
    }
    int n = ks_eval_variants(variants, VARIANTS, &r->protocol, r->files, r->n_files, e),
        err = n < 0 ? n : 0;
    /* All readings are judged before the films of the first one take their hours. */
    for (int i = 0; i < (n > 1 ? 2 * n : n) && !err; i++) {
        ks_eval_set_free(&r->set);
        r->variant = variants[i % n];
        err = ks_eval_read_protocol(&r->set, &r->protocol, r->variant, r->files, r->n_files, e);
        if (!err && (n == 1 || i >= n)) err = one_set(r, e);
    }
    return err;
}

static int eval(ks_eval_task task, const ks_globals *g, const eval_fields *f, int n, char **args,
                ks_error *e)
{
    run r = {.g = g, .f = f, .task = task};
    int err = begin(&r, n, args, e);
    if (!err) err = all_sets(&r, e);
    end(&r);
    return err;
}

#define KS_EVAL_COMMAND(object, word, task, what, notes)                                           \
    static int word(const ks_globals *g, void *fields, int n, char **args, ks_error *e)            \
    {                                                                                              \
        return eval(task, g, fields, n, args, e);                                                  \
    }                                                                                              \
    extern const ks_command object;                                                                \
    const ks_command object = {.name = "eval " #word,                                              \
                               .usage = "",                                                        \
                               .brief = what,                                                      \
                               .more = notes,                                                      \
                               .options = options,                                                 \
                               .alone = 1,                                                         \
                               .fields = sizeof(eval_fields),                                      \
                               .run = word}

KS_EVAL_COMMAND(ks_cmd_eval_retrieval, retrieval, KS_EVAL_RETRIEVAL,
                "Recall of text to video and video to text",
                "Ties count against; a row without a vector is missing and counts as wrong, and\n"
                "is a wrong answer the less to others. Vectors go by the order of the list, those\n"
                "of an .npz by its array of names, called ids. With --protocol films go in the\n"
                "order of the annotations and are called as there; text N, counted from 0 over\n"
                "all films, is FILM#N; of a film whose texts are joined it is FILM.\n"
                "  kinoseek eval retrieval --protocol msrvtt-1k --media films -m lvt-base \\\n"
                "    --annotations MSRVTT_JSFUSION_test.csv\n");
KS_EVAL_COMMAND(ks_cmd_eval_classify, classify, KS_EVAL_CLASSIFY,
                "Top-1 and top-5 of one class a video",
                "Texts are classes; several rows of one text_id are averaged, as CLIP does. The\n"
                "map has one line a video. With --protocol a class is called by its name, or its\n"
                "number where the data set numbers them, in the order of the list of classes, or\n"
                "else in that of their first films.\n");
KS_EVAL_COMMAND(ks_cmd_eval_multilabel, multilabel, KS_EVAL_MULTILABEL,
                "Mean average precision of classes",
                "Average precision as scikit-learn's average_precision_score, mean over the\n"
                "classes that have a video.\n");
KS_EVAL_COMMAND(ks_cmd_eval_choice, choice, KS_EVAL_CHOICE, "Accuracy of multiple choice",
                "The map is question_id, video_id, text_id, 0 or 1. A tie with a wrong option\n"
                "counts against. A question whose film, or any option, has no vector is wrong.\n"
                "With --protocol option K of a question, from 0, is QUESTION/K, row by row; a\n"
                "segment of charades-sta is FILM START-END, its sentence FILM START-END#ROW.\n");
