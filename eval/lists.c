/* lists.c - the TSV lists of `eval`: no header, UTF-8, '#' begins a comment line. */
#include "eval/set.h"
#include "eval/lines_file.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS = 4 };

typedef struct {
    ks_eval_builder *b;
    ks_eval_at at;
    char *field[FIELDS];
    int n;
    int any; /* a line was taken before */
} line;

static int wrong(const line *l, const char *what, ks_error *e)
{
    return ks_fail(e, KS_EFORMAT, "%s:%lld: %s", l->at.file, (long long)l->at.line, what);
}

static int take_seconds(double *to, const char *text)
{
    char *end;
    *to = strtod(text, &end);
    return end != text && *end == 0 && isfinite(*to) && *to >= 0 ? 0 : -1;
}

static int video_line(const line *l, ks_error *e)
{
    double from = 0, to = -1;
    if (l->n == 3 || l->n > 4) return wrong(l, "a video is: video_id [path [start end]]", e);
    if (l->n == 4 &&
        (take_seconds(&from, l->field[2]) || take_seconds(&to, l->field[3]) || to <= from))
        return wrong(l, "start and end are seconds, and the end is after the start", e);
    int64_t number = 0;
    int err = ks_eval_add(&number, &l->b->videos, l->field[0], l->n > 1 ? l->field[1] : NULL, l->at,
                          e);
    if (err) return err;
    l->b->videos.list.at[number].from = from;
    l->b->videos.list.at[number].to = to;
    return 0;
}

static int text_line(const line *l, ks_error *e)
{
    if (l->n != 2) return wrong(l, "a text is: text_id, a tab, the text", e);
    return ks_eval_add(NULL, &l->b->texts, l->field[0], l->field[1], l->at, e);
}

static int map_line(const line *l, ks_error *e)
{
    ks_eval_builder *b = l->b;
    int choice = b->task == KS_EVAL_CHOICE;
    char *const *f = l->field + choice;
    ks_eval_pair pair = {.right = 1, .file = l->at.file, .line = l->at.line};
    if (l->n != (choice ? 4 : 2))
        return wrong(l,
                     choice ? "an option is: question_id video_id text_id 0|1"
                            : "a pair is: video_id, a tab, text_id",
                     e);
    int err = ks_eval_find_or_say(&pair.video, &b->videos, f[0], l->at, e);
    if (!err) err = ks_eval_find_or_say(&pair.text, &b->texts, f[1], l->at, e);
    if (err || !choice) return err ? err : ks_eval_pair_add(b, pair, e);
    if (strcmp(f[2], "0") != 0 && strcmp(f[2], "1") != 0)
        return wrong(l, "an option is right (1) or wrong (0)", e);
    pair.right = f[2][0] == '1';
    pair.question = ks_eval_find(&b->questions, l->field[0]);
    if (pair.question < 0)
        err = ks_eval_add(&pair.question, &b->questions, l->field[0], NULL, l->at, e);
    return err ? err : ks_eval_pair_add(b, pair, e);
}

/* Tabs part the fields; what is behind the last one that is known belongs to it (a text with a
 * tab is refused above). */
static void split(line *l, char *text)
{
    l->n = 0;
    for (char *at = text; at; l->n++) {
        char *tab = strchr(at, '\t');
        if (tab) *tab++ = 0;
        if (l->n < FIELDS) l->field[l->n] = at;
        at = tab;
    }
}

/* A header that went in as a row would be a question that nobody answers. */
static int check_header(const line *l, ks_error *e)
{
    static const char *const names[] = {"video_id", "text_id", "question_id"};
    for (int i = 0; i < 3 && !l->any; i++)
        if (strcasecmp(l->field[0], names[i]) == 0)
            return ks_fail(e, KS_EFORMAT, "%s:%lld: '%s' is a header, and lists have none",
                           l->at.file, (long long)l->at.line, l->field[0]);
    return 0;
}

static int read_lines(ks_eval_builder *b, const char *path, int (*take)(const line *l, ks_error *e),
                      ks_error *e)
{
    ks_lines f;
    line l = {.b = b, .at = {path, 0}};
    char *text;
    int err = ks_lines_open(&f, path, e);
    while (!err && (err = ks_lines_next(&text, &f, e)) == 1) {
        l.at.line = f.line;
        err = 0;
        if (*text == 0 || *text == '#') continue;
        split(&l, text);
        err = check_header(&l, e);
        if (!err) err = take(&l, e);
        l.any = 1;
    }
    ks_lines_close(&f);
    return err;
}

int ks_eval_read_lists(ks_eval_set *set, ks_eval_task task, const char *videos, const char *texts,
                       const char *map, ks_error *e)
{
    ks_eval_builder b;
    *set = (ks_eval_set){0};
    ks_eval_begin(&b, task);
    int err = read_lines(&b, videos, video_line, e);
    if (!err && b.videos.list.n == 0) err = ks_fail(e, KS_EFORMAT, "%s: no video in it", videos);
    if (!err) err = read_lines(&b, texts, text_line, e);
    if (!err && b.texts.list.n == 0) err = ks_fail(e, KS_EFORMAT, "%s: no text in it", texts);
    b.whole_questions = 1;
    if (!err) err = read_lines(&b, map, map_line, e);
    if (!err) err = ks_eval_finish(set, &b, map, e);
    ks_eval_drop(&b);
    return err;
}
