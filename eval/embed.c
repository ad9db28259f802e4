/* embed.c - films and texts of a list become vectors, each kept as it is made. */
#include "eval/eval.h"
#include "eval/film_folder.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const char log_name[] = "eval";
/* What was said of a film while its vector was made, as bytes in the floats of a record of its
 * own: it is said again wherever the vector is used. */
static const char remark_name[] = "eval remark";
enum { REMARK = 400 };

/* A record that waits for a GPU's next sample to hold. */
typedef struct {
    const char *how; /* log_name or remark_name */
    char *what;
    float *v; /* [D] */
} record;

typedef struct {
    const ks_eval_how *how;
    ks_eval_vectors *out;
    const ks_eval_list *list;
    ks_kept_log *log;
    ks_film_folder *media;
    char **path, **what; /* [list.n] films still to be made: where, and what they are known by */
    float *v, *scratch;  /* [D] */
    record *waiting;     /* [n_waiting] */
    int n_waiting, room;
    int64_t held; /* samples that did when the first of them came */
    ks_eval_step step;
    int said;            /* 1: that nothing can be kept was said */
    char first[300];     /* why the first film that is missing is */
    char remark[REMARK]; /* of the film at work; "": none */
} work;

static int no_memory(ks_error *e)
{
    return ks_fail(e, KS_ENOMEM, "no memory for the vectors of a list");
}

static void tell(work *w)
{
    if (w->how->step) w->how->step(w->how->arg, &w->step);
    w->step.id = w->step.why = NULL;
}

static void missing(work *w, int64_t i, const char *why)
{
    w->step.done++;
    if (w->step.missing++ == 0)
        snprintf(w->first, sizeof w->first, "%.100s: %s", w->list->at[i].id, why);
    w->step.id = w->list->at[i].id;
    w->step.why = why;
    tell(w);
}

static int put(work *w, int64_t i, const float *v, ks_error *e)
{
    int dim = (int)w->out->dim;
    double *wide = malloc((size_t)dim * sizeof *wide);
    if (!wide) return no_memory(e);
    for (int d = 0; d < dim; d++) wide[d] = (double)v[d];
    int err = ks_eval_put(w->out, i, wide);
    free(wide);
    return err ? ks_fail(e, KS_EFORMAT, "the model's vector of '%.200s' is zero, or not finite",
                         w->list->at[i].id)
               : 0;
}

/* What cannot be kept is said once and made again next time. */
static void keep(work *w, const char *how, const char *what, const float *v)
{
    ks_error e;
    if (ks_kept_log_put(w->log, how, what, v, &e) == 0 || w->said) return;
    w->said = 1;
    if (w->how->setup->notice) w->how->setup->notice(w->how->setup->notice_arg, e.msg);
}

static void drop_waiting(work *w)
{
    for (int i = 0; i < w->n_waiting; i++) {
        free(w->waiting[i].what);
        free(w->waiting[i].v);
    }
    w->n_waiting = 0;
}

/* Of a GPU's only what is proven is kept; where there is no memory to wait, nothing is. */
static void keep_proven(work *w, const char *how, const char *what, const float *v)
{
    size_t bytes = (size_t)w->out->dim * sizeof *v;
    ks_gpu_trust t;
    ks_gpu_trusted(&t, w->how->enc);
    if (t.missed) return;
    if (!t.on_gpu || t.held > w->held) {
        for (int i = 0; i < w->n_waiting; i++)
            keep(w, w->waiting[i].how, w->waiting[i].what, w->waiting[i].v);
        drop_waiting(w);
        w->held = t.held;
    }
    if (!t.on_gpu || !what) {
        if (what) keep(w, how, what, v);
        return;
    }
    if (w->n_waiting == w->room) {
        record *more = reallocarray(w->waiting, (size_t)w->room + 64, sizeof *more);
        if (!more) return;
        w->waiting = more;
        w->room += 64;
    }
    record r = {how, strdup(what), malloc(bytes)};
    if (r.v) memcpy(r.v, v, bytes);
    if (r.what && r.v) {
        w->waiting[w->n_waiting++] = r;
        return;
    }
    free(r.what);
    free(r.v);
}

static int begin(work *w, ks_eval_vectors *out, const ks_eval_list *list, const ks_eval_how *how,
                 ks_error *e)
{
    *w = (work){.how = how, .out = out, .list = list, .step.of = list->n};
    int err = ks_eval_room(out, list->n, ks_encoder_info(how->enc)->dim, e);
    return err ? err : ks_kept_log_open(&w->log, how->enc, log_name, e);
}

static int end(work *w, int err)
{
    for (int64_t i = 0; i < w->list->n; i++) {
        if (w->path) free(w->path[i]);
        if (w->what) free(w->what[i]);
    }
    free((void *)w->path);
    free((void *)w->what);
    free(w->v);
    free(w->scratch);
    drop_waiting(w);
    free(w->waiting);
    ks_film_folder_close(w->media);
    ks_kept_log_close(w->log);
    if (err) ks_eval_vectors_free(w->out);
    return err;
}

/* --- films --- */

static void take_remark(void *arg, const char *words)
{
    work *w = arg;
    size_t n = strlen(w->remark);
    snprintf(w->remark + n, sizeof w->remark - n, "%s%s", n ? "; " : "", words);
}

static void say_remark(const work *w, const char *path)
{
    const ks_setup *setup = w->how->setup;
    char *sentence = NULL;
    if (!*w->remark || !setup->notice || asprintf(&sentence, "%s: %s", path, w->remark) < 0) return;
    setup->notice(setup->notice_arg, sentence);
    free(sentence);
}

/* v[D]: scratch. Before the vector is kept: a vector without its remark would be silent. */
static void keep_remark(work *w, const char *what, float *v)
{
    size_t bytes = (size_t)w->out->dim * sizeof *v, n = strlen(w->remark);
    if (n == 0) return;
    memset(v, 0, bytes);
    memcpy(v, w->remark, n < bytes ? n : bytes - 1);
    keep_proven(w, remark_name, what, v);
}

static void find_remark(work *w, const char *what, float *v)
{
    size_t bytes = (size_t)w->out->dim * sizeof *v;
    w->remark[0] = 0;
    if (!ks_kept_log_find(v, w->log, remark_name, what)) return;
    snprintf(w->remark, sizeof w->remark, "%.*s", (int)(bytes < REMARK ? bytes : REMARK),
             (const char *)v);
}

/* What a film's vector depends on, apart from the model: 0, or why there is none in e. */
static int name_film(char **what, const work *w, const ks_eval_row *row, const char *path,
                     ks_error *e)
{
    char content[KS_CONTENT_HEX];
    int err = ks_content_of(content, path, e);
    if (err) return err;
    int n = asprintf(what, "film %s %.17g %.17g T%d fit%d resize%d", content, row->from, row->to,
                     w->how->frames, (int)w->how->fit, KS_RESIZE_VERSION);
    if (n >= 0) return 0;
    *what = NULL;
    return no_memory(e);
}

static void say_unread(const work *w)
{
    const char *folder = ks_film_folder_unread(w->media);
    const ks_setup *setup = w->how->setup;
    char *sentence = NULL;
    if (!folder || !setup->notice) return;
    if (asprintf(&sentence, "%s: cannot be read: films in it are missing", folder) < 0) return;
    setup->notice(setup->notice_arg, sentence);
    free(sentence);
}

/* Of every row where its film is, and its vector where that is kept. */
static int look_up(work *w, ks_error *e)
{
    for (int64_t i = 0; i < w->list->n; i++) {
        const ks_eval_row *row = &w->list->at[i];
        ks_error why = {0};
        int err = ks_film_folder_find(&w->path[i], w->media, row->value ? row->value : row->id,
                                      w->how->prefix, &why);
        if (err)
            return row->file
                       ? ks_fail(e, err, "%s:%lld: %s", row->file, (long long)row->line, why.msg)
                       : ks_fail(e, err, "%s", why.msg);
        if (!w->path[i]) {
            missing(w, i, "there is no such film");
            continue;
        }
        if ((err = name_film(&w->what[i], w, row, w->path[i], &why)) == KS_ENOMEM)
            return no_memory(e);
        if (err) missing(w, i, why.msg);
        else if (ks_kept_log_find(w->v, w->log, log_name, w->what[i])) {
            if ((err = put(w, i, w->v, e)) < 0) return err;
            find_remark(w, w->what[i], w->v);
            say_remark(w, w->path[i]);
            w->step.done++;
            w->step.kept++;
        } else continue;
        free(w->path[i]);
        w->path[i] = NULL;
    }
    return 0;
}

/* 0: made; 1: this film gives none, said in `why`; < 0. */
static int make_film(work *w, int64_t i, ks_decoder **decoder, ks_error *why, ks_error *e)
{
    const ks_eval_row *row = &w->list->at[i];
    ks_clip_how how = {.setup = w->how->setup,
                       .decoder = decoder,
                       .frames = w->how->frames,
                       .side = ks_side(ks_encoder_info(w->how->enc)),
                       .fit = w->how->fit,
                       .remark = take_remark,
                       .remark_arg = w};
    ks_clip_pixels clip = {0};
    int err = ks_open_decoder(decoder, w->how->setup, e);
    if (err) return err;
    w->remark[0] = 0;
    err = ks_clip_film(&clip, &how, w->path[i], row->from, row->to, why);
    say_remark(w, w->path[i]);
    if (err == KS_ENOMEM || err == KS_ESTOP) return ks_fail(e, err, "%s", why->msg);
    if (err) return 1;
    err = ks_clip_encode(w->v, w->how->enc, &clip, e);
    ks_clip_free(&clip);
    if (!err) err = put(w, i, w->v, e);
    if (err) return err;
    keep_remark(w, w->what[i], w->scratch);
    keep_proven(w, log_name, w->what[i], w->v);
    return 0;
}

int ks_eval_embed_films(ks_eval_vectors *out, const ks_eval_list *videos, const ks_eval_how *how,
                        ks_error *e)
{
    assert(out && videos && how && how->enc && how->frames > 0);
    work w;
    ks_decoder *decoder = NULL;
    ks_gpu_trust before, trust;
    size_t room = (size_t)(videos->n ? videos->n : 1);
    ks_gpu_trusted(&before, how->enc);
    int err = begin(&w, out, videos, how, e);
    if (err) return end(&w, err);
    w.path = calloc(room, sizeof *w.path);
    w.what = calloc(room, sizeof *w.what);
    w.v = malloc((size_t)out->dim * sizeof *w.v);
    w.scratch = malloc((size_t)out->dim * sizeof *w.scratch);
    if (!w.path || !w.what || !w.v || !w.scratch) return end(&w, no_memory(e));
    err = ks_film_folder_open(&w.media, how->media, e);
    if (!err) say_unread(&w);
    if (!err) err = look_up(&w, e);
    if (!err) tell(&w);
    for (int64_t i = 0; i < videos->n && !err; i++) {
        ks_error why = {0};
        if (!w.path[i]) continue;
        err = make_film(&w, i, &decoder, &why, e);
        if (err == 1) {
            missing(&w, i, why.msg);
            err = 0;
        } else if (!err) {
            w.step.done++;
            w.step.made++;
            tell(&w);
        }
    }
    ks_decoder_stop(decoder);
    if (!err) err = ks_gpu_sample(how->enc, e);
    ks_gpu_trusted(&trust, how->enc);
    if (!err && trust.missed && !before.missed) { /* what is kept was proven; the rest anew */
        end(&w, KS_EIO);
        return ks_eval_embed_films(out, videos, how, e);
    }
    if (!err) keep_proven(&w, NULL, NULL, NULL);
    if (!err && videos->n && w.step.missing == videos->n)
        err = ks_fail(e, KS_ENOTFOUND, "no film of the list is to be had%s%.300s: %s%s",
                      how->media ? " in " : "", how->media ? how->media : "", w.first,
                      how->media ? "" : " (--media names the folder of the films)");
    return end(&w, err);
}

/* --- texts --- */

enum {
    AT_ONCE = 256
}; /* sentences a call of the encoder, or those of one text: some passes, and little memory */

/* The sentences of some rows, template by template, and their vectors: [n], [n, D]. */
typedef struct {
    const char *const *forms;
    int each; /* templates */
    char **words;
    float *v, *made;  /* made [n, D]: those of the encoder, side by side */
    const char **ask; /* [n] what the encoder is asked */
    int *to;          /* [n] and for which sentence */
    double *sum;      /* [D] */
    int n, room;
} sentences;

static char *fill(const char *form, const char *text)
{
    const char *at = strstr(form, "{}");
    char *words = NULL;
    if (!at) return strdup(form);
    return asprintf(&words, "%.*s%s%s", (int)(at - form), form, text, at + 2) < 0 ? NULL : words;
}

static void sentences_clear(sentences *s)
{
    for (int i = 0; i < s->n; i++) free(s->words[i]);
    s->n = 0;
}

static int sentences_room(sentences *s, const ks_eval_how *how, ks_error *e)
{
    static const char *const as_it_is[] = {"{}"};
    size_t dim = (size_t)ks_encoder_info(how->enc)->dim;
    s->forms = how->n_templates ? how->templates : as_it_is;
    s->each = how->n_templates ? how->n_templates : 1;
    s->room = s->each > AT_ONCE ? s->each : AT_ONCE / s->each * s->each;
    s->words = calloc((size_t)s->room, sizeof *s->words);
    s->ask = malloc((size_t)s->room * sizeof *s->ask);
    s->to = malloc((size_t)s->room * sizeof *s->to);
    s->v = malloc((size_t)s->room * dim * sizeof *s->v);
    s->made = malloc((size_t)s->room * dim * sizeof *s->made);
    s->sum = malloc(dim * sizeof *s->sum);
    return s->words && s->ask && s->to && s->v && s->made && s->sum ? 0 : no_memory(e);
}

static void sentences_free(sentences *s)
{
    sentences_clear(s);
    free(s->words);
    free((void *)s->ask);
    free(s->to);
    free(s->v);
    free(s->made);
    free(s->sum);
}

/* The vectors of all sentences: those that are kept, then the others by the encoder. */
static int vectors_of(work *w, sentences *s, ks_error *e)
{
    size_t dim = (size_t)w->out->dim;
    int asked = 0, err = 0;
    for (int i = 0; i < s->n && !err; i++) {
        ks_sentence tokens;
        err = ks_text_tokens(&tokens, w->how->enc, s->words[i], e);
        w->step.cut += !err && tokens.cut > 0;
        if (err || ks_kept_log_find(s->v + (size_t)i * dim, w->log, "text", s->words[i])) continue;
        s->to[asked] = i;
        s->ask[asked++] = s->words[i];
    }
    if (!err && asked) err = ks_text_vectors(s->made, NULL, w->how->enc, s->ask, asked, e);
    for (int i = 0; i < asked && !err; i++) {
        memcpy(s->v + (size_t)s->to[i] * dim, s->made + (size_t)i * dim, dim * sizeof *s->v);
        keep(w, "text", s->ask[i], s->made + (size_t)i * dim);
    }
    w->step.made += asked;
    w->step.kept += s->n - asked;
    return err;
}

/* Rows from `first` on take the unit mean of their sentences, summed in the order of the
 * templates. */
static int take_means(work *w, const sentences *s, int64_t first, ks_error *e)
{
    int64_t dim = w->out->dim;
    for (int i = 0; i < s->n; i += s->each) {
        int64_t row = first + i / s->each;
        memset(s->sum, 0, (size_t)dim * sizeof *s->sum);
        for (int k = 0; k < s->each; k++)
            for (int64_t d = 0; d < dim; d++) s->sum[d] += (double)s->v[(i + k) * dim + d];
        if (ks_eval_put(w->out, row, s->sum) < 0)
            return ks_fail(e, KS_EFORMAT, "the templates' vectors of '%.200s' cancel out",
                           w->list->at[row].id);
    }
    return 0;
}

static int some_texts(work *w, sentences *s, int64_t first, int64_t to, ks_error *e)
{
    for (int64_t row = first; row < to; row++) {
        const ks_eval_row *text = &w->list->at[row];
        if (text->file && text->value && strlen(text->value) > KS_WORDS_MAX)
            return ks_fail(e, KS_EFORMAT, "%s:%lld: a sentence of %zu bytes: %d at most",
                           text->file, (long long)text->line, strlen(text->value), KS_WORDS_MAX);
        for (int k = 0; k < s->each; k++)
            if (!(s->words[s->n++] = fill(s->forms[k], text->value ? text->value : "")))
                return no_memory(e);
    }
    int err = vectors_of(w, s, e);
    if (!err) err = take_means(w, s, first, e);
    sentences_clear(s);
    w->step.done = to;
    if (!err) tell(w);
    return err;
}

int ks_eval_embed_texts(ks_eval_vectors *out, const ks_eval_list *texts, const ks_eval_how *how,
                        ks_error *e)
{
    assert(out && texts && how && how->enc);
    work w;
    sentences s = {.n = 0};
    int err = begin(&w, out, texts, how, e);
    w.step.texts = 1;
    if (!err) err = sentences_room(&s, how, e);
    if (!err) tell(&w);
    for (int64_t row = 0, to; row < texts->n && !err; row = to) {
        to = row + s.room / s.each < texts->n ? row + s.room / s.each : texts->n;
        err = some_texts(&w, &s, row, to, e);
    }
    sentences_free(&s);
    return end(&w, err);
}
