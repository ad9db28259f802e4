/* set.c - see set.h. */
#include "eval/set.h"

#include <assert.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(ks_error *e) { return ks_fail(e, KS_ENOMEM, "no memory for the lists"); }

typedef struct {
    const char *id; /* the row's own */
    int64_t number;
} named;

static int by_id(const void *a, const void *b)
{
    return strcmp(((const named *)a)->id, ((const named *)b)->id);
}

static int grow(ks_eval_index *x, ks_error *e)
{
    int64_t room = x->room ? 2 * x->room : 64;
    ks_eval_row *at = realloc(x->list.at, (size_t)room * sizeof *at);
    if (!at) return no_memory(e);
    x->list.at = at;
    x->room = room;
    return 0;
}

/* 0, or -1: no memory */
static int remember(ks_eval_index *x, const char *id, int64_t number)
{
    named *n = malloc(sizeof *n);
    if (n) *n = (named){id, number};
    if (n && tsearch(n, &x->first, by_id)) return 0;
    free(n);
    return -1;
}

int ks_eval_is_blank(const char *words) { return words[strspn(words, " \t\r\n\f\v")] == 0; }

int ks_eval_add(int64_t *number, ks_eval_index *x, const char *id, const char *value, ks_eval_at at,
                ks_error *e)
{
    if (!*id)
        return ks_fail(e, KS_EFORMAT, "%s:%lld: an empty %s", at.file, (long long)at.line, x->what);
    if (x->list.n == x->room && grow(x, e) < 0) return KS_ENOMEM;
    int there = ks_eval_find(x, id) >= 0;
    if (there && !x->again)
        return ks_fail(e, KS_EFORMAT, "%s:%lld: %s '%.200s' stands twice", at.file,
                       (long long)at.line, x->what, id);
    if (x->words && ks_eval_is_blank(value))
        return ks_fail(e, KS_EFORMAT, "%s:%lld: %s '%.200s' has no words", at.file,
                       (long long)at.line, x->what, id);
    ks_eval_row row = {.id = strdup(id),
                       .value = value ? strdup(value) : NULL,
                       .to = -1,
                       .file = at.file,
                       .line = at.line};
    if (!row.id || (value && !row.value) || (!there && remember(x, row.id, x->list.n) < 0)) {
        free(row.id);
        free(row.value);
        return no_memory(e);
    }
    x->list.at[x->list.n++] = row;
    if (number) *number = x->list.n - 1;
    return 0;
}

int64_t ks_eval_find(const ks_eval_index *x, const char *id)
{
    const named *const *found = tfind(&(named){id, 0}, &x->first, by_id);
    return found ? (*found)->number : -1;
}

int ks_eval_find_or_say(int64_t *number, const ks_eval_index *x, const char *id, ks_eval_at at,
                        ks_error *e)
{
    *number = ks_eval_find(x, id);
    if (*number >= 0) return 0;
    return ks_fail(e, KS_EFORMAT, "%s:%lld: %s '%.200s' is not in the list", at.file,
                   (long long)at.line, x->what, id);
}

static void list_free(ks_eval_list *list)
{
    for (int64_t i = 0; i < list->n; i++) {
        free(list->at[i].id);
        free(list->at[i].value);
    }
    free(list->at);
    *list = (ks_eval_list){0};
}

void ks_eval_index_free(ks_eval_index *x)
{
    tdestroy(x->first, free);
    list_free(&x->list);
    *x = (ks_eval_index){0};
}

void ks_eval_begin(ks_eval_builder *b, ks_eval_task task)
{
    *b = (ks_eval_builder){.task = task,
                           .videos.what = "video_id",
                           .texts.what = "text_id",
                           .questions.what = "question_id"};
    b->texts.words = 1;
    b->texts.again = task == KS_EVAL_CLASSIFY || task == KS_EVAL_MULTILABEL;
}

int ks_eval_pair_add(ks_eval_builder *b, ks_eval_pair pair, ks_error *e)
{
    if (b->n_pairs == b->pair_room) {
        int64_t room = b->pair_room ? 2 * b->pair_room : 256;
        ks_eval_pair *pairs = realloc(b->pairs, (size_t)room * sizeof *pairs);
        if (!pairs) return no_memory(e);
        b->pairs = pairs;
        b->pair_room = room;
    }
    b->pairs[b->n_pairs++] = pair;
    return 0;
}

static int order(int64_t a, int64_t b) { return (a > b) - (a < b); }

static int by_place(const void *a, const void *b)
{
    const ks_eval_pair *x = a, *y = b;
    int o = order(x->question, y->question);
    if (!o) o = order(x->video, y->video);
    return o ? o : order(x->text, y->text);
}

static int by_place_and_line(const void *a, const void *b)
{
    int o = by_place(a, b);
    return o ? o : order(((const ks_eval_pair *)a)->line, ((const ks_eval_pair *)b)->line);
}

/* Pairs in order, none twice; one class a video where that is the task. */
static int check_pairs(const ks_eval_set *set, ks_error *e)
{
    for (int64_t i = 1; i < set->n_pairs; i++) {
        const ks_eval_pair *a = &set->pairs[i - 1], *b = &set->pairs[i],
                           *later = a->line > b->line ? a : b;
        if (by_place(a, b) == 0)
            return ks_fail(e, KS_EFORMAT,
                           "%s:%lld: the pair '%.100s', '%.100s' stands in line %lld already",
                           b->file, (long long)b->line, set->videos.at[b->video].id,
                           set->texts.at[b->text].id, (long long)a->line);
        if (set->task == KS_EVAL_CLASSIFY && a->video == b->video)
            return ks_fail(e, KS_EFORMAT,
                           "%s:%lld: video '%.100s' has two classes, '%.100s' and '%.100s': that "
                           "is a multilabel set",
                           later->file, (long long)later->line, set->videos.at[b->video].id,
                           set->texts.at[a->text].id, set->texts.at[b->text].id);
    }
    return 0;
}

/* Pairs [from, to) are of one question: what keeps it from being one; NULL: nothing does. *at:
 * the pair that shows it. */
static const char *fault_of(const ks_eval_pair **at, const ks_eval_set *set, int64_t from,
                            int64_t to)
{
    const ks_eval_pair *right = NULL;
    for (int64_t i = from; i < to; i++) {
        const ks_eval_pair *p = *at = &set->pairs[i];
        if (p->video != set->pairs[from].video) return "is about two films";
        if (p->right && right) return "has two right options";
        if (p->right) right = p;
    }
    *at = &set->pairs[from];
    return to - from < 2 ? "has one option" : right ? NULL : "has no right option";
}

static int check_questions(const ks_eval_set *set, ks_error *e)
{
    for (int64_t i = 0, j; i < set->n_pairs; i = j) {
        const ks_eval_pair *at;
        for (j = i; j < set->n_pairs && set->pairs[j].question == set->pairs[i].question;) j++;
        const char *fault = fault_of(&at, set, i, j);
        if (fault)
            return ks_fail(e, KS_EFORMAT, "%s:%lld: question '%.100s' %s", at->file,
                           (long long)at->line, set->questions.at[at->question].id, fault);
    }
    return 0;
}

static int classes(ks_eval_set *set, const ks_eval_index *texts, ks_error *e)
{
    set->class_of = malloc((size_t)(set->texts.n ? set->texts.n : 1) * sizeof *set->class_of);
    if (!set->class_of) return no_memory(e);
    for (int64_t i = 0; i < set->texts.n; i++)
        set->class_of[i] = ks_eval_find(texts, set->texts.at[i].id);
    return 0;
}

int ks_eval_finish(ks_eval_set *set, ks_eval_builder *b, const char *file, ks_error *e)
{
    *set = (ks_eval_set){.task = b->task,
                         .videos = b->videos.list,
                         .texts = b->texts.list,
                         .questions = b->questions.list,
                         .pairs = b->pairs,
                         .n_pairs = b->n_pairs,
                         .blank = b->blank.n,
                         .blank_file = b->blank.at.file,
                         .blank_line = b->blank.at.line};
    int whole = b->whole_questions, err = classes(set, &b->texts, e);
    tdestroy(b->videos.first, free);
    tdestroy(b->texts.first, free);
    tdestroy(b->questions.first, free);
    *b = (ks_eval_builder){0};
    if (!err && set->n_pairs == 0)
        err = ks_fail(e, KS_EFORMAT, "%s: no video is paired with a text", file);
    if (!err) {
        qsort(set->pairs, (size_t)set->n_pairs, sizeof *set->pairs, by_place_and_line);
        err = check_pairs(set, e);
    }
    if (!err && whole && set->task == KS_EVAL_CHOICE) err = check_questions(set, e);
    if (err) ks_eval_set_free(set);
    return err;
}

void ks_eval_drop(ks_eval_builder *b)
{
    ks_eval_index_free(&b->videos);
    ks_eval_index_free(&b->texts);
    ks_eval_index_free(&b->questions);
    free(b->pairs);
    *b = (ks_eval_builder){0};
}

void ks_eval_set_free(ks_eval_set *set)
{
    list_free(&set->videos);
    list_free(&set->texts);
    list_free(&set->questions);
    free(set->pairs);
    free(set->class_of);
    *set = (ks_eval_set){0};
}
