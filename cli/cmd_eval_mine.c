/* cmd_eval_mine.c - `eval mine FILE`: a person's own sentences and moments against his own
 * library, or several. */
#include "cli/commands.h"
#include "cli/span_films.h"
#include "cli/terminal.h"
#include "eval/eval.h"
#include "formats/formats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    ks_opt_list beside;
    const char *fps;
    int json, seed;
} mine_fields;

static const ks_option options[] = {
    {0, "beside", KS_OPT_LIST, offsetof(mine_fields, beside), "LIBRARY",
     "another model, window or precision of the films"},
    {0, "fps", KS_OPT_TEXT, offsetof(mine_fields, fps), "RATE",
     "of a FILE that counts frames and does not say it"},
    {0, "json", KS_OPT_FLAG, offsetof(mine_fields, json), NULL,
     "a JSON line a library, and a comparison"},
    {0, "seed", KS_OPT_COUNT, offsetof(mine_fields, seed), "N",
     "of the intervals of comparisons (1)"},
    {0},
};

/* One library's answers. */
typedef struct {
    const char *path;
    ks_eval_mine_figures exact,
        near; /* near: by FAISS; its rank is NULL where the library has no such copy */
} judged;

typedef struct {
    const ks_globals *g;
    const mine_fields *f;
    ks_eval_wishes wishes;
    judged *at;
    int n;
    int bar;
    const char *doing;
} mine;

/* --- what is asked --- */

static int is_blank(const char *words) { return words[strspn(words, " \t\r\n\f\v")] == 0; }

/* Truth as annotation tools write it: a label is the sentence. What somebody said is not there
 * is no moment. *known: the file is of some format, whatever is wrong with it. */
static int read_spans(ks_eval_wishes *w, int *known, const char *file, double fps, ks_error *e)
{
    ks_spans s;
    ks_error why = {0};
    int err = ks_spans_read(&s, file, fps, e);
    *known = s.format != NULL;
    if (err) return err;
    w->list = file;
    for (int i = 0; i < s.n && !err; i++) {
        const ks_span *x = &s.at[i];
        ks_eval_place p = {.film = x->film, .from = x->start, .to = x->end};
        if (x->yes && !is_blank(x->label)) err = ks_eval_wish_add(w, x->label, &p, &why);
    }
    if (err) ks_fail(e, err, "%s: %s", file, why.msg);
    ks_spans_free(&s);
    if (!err && w->n == 0) err = ks_fail(e, KS_EFORMAT, "%s: no moment with a label in it", file);
    return err;
}

/* By its first character; a pipe can be read but once, and is. */
static int is_text_of_ours(const char *file)
{
    struct stat st;
    if (stat(file, &st) == 0 && S_ISDIR(st.st_mode)) return 0;
    if (stat(file, &st) != 0 || !S_ISREG(st.st_mode)) return 1;
    FILE *f = fopen(file, "r");
    int c = f ? getc(f) : EOF;
    while (c == ' ' || c == '\n' || c == '\r' || c == '\t') c = getc(f);
    if (f) fclose(f);
    return c != '{' && c != '[' && c != '<';
}

static int read_wishes(ks_eval_wishes *w, const char *file, const char *rate, ks_error *e)
{
    int none = 1, known = 0, ours = is_text_of_ours(file), err = 0, code = 0;
    double fps;
    ks_error why = {0};
    if (ks_list_rate(&fps, rate, e) < 0) return e->code;
    if (ours) {
        err = ks_eval_read_wishes(w, &none, file, &why);
        if (!err && !none) return 0;
        ks_eval_wishes_free(w);
    }
    struct stat st;
    if (stat(file, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) &&
        (code = read_spans(w, &known, file, fps, e)) == 0)
        return 0;
    if (known || !ours) return code;
    return err ? ks_fail(e, err, "%s", why.msg)
               : ks_fail(e, KS_EFORMAT, "%s: no line has a moment: sentence, a tab, FILE@A-B",
                         file);
}

/* --- asking --- */

static void step(void *arg, int done)
{
    mine *m = arg;
    if (m->g->quiet || !isatty(STDERR_FILENO)) return;
    fprintf(stderr, "\r%s: %d of %d\x1b[K", m->doing, done, m->wishes.n);
    m->bar = 1;
}

static int judge(mine *m, judged *j, ks_error *e)
{
    ks_session *s = NULL;
    int err = ks_session_open(&s, j->path, &m->g->setup, e);
    m->doing = "exact search";
    if (!err) err = ks_eval_mine(&j->exact, s, &m->wishes, KS_SEARCH_EXACT, step, m, e);
    m->doing = "approximate search";
    if (!err) err = ks_eval_mine(&j->near, s, &m->wishes, KS_SEARCH_ANN, step, m, e);
    if (!err && !j->near.approximate) ks_eval_mine_free(&j->near);
    if (m->bar) fputs("\r\x1b[K", stderr);
    m->bar = 0;
    ks_session_close(s);
    return err;
}

/* --- what is said --- */

static double share(int64_t hits, int64_t n) { return n ? (double)hits / (double)n : NAN; }

static int differing(const judged *j, int n)
{
    int d = 0;
    for (int i = 0; i < n; i++) d += j->exact.rank[i] != j->near.rank[i];
    return d;
}

enum { NAMED = 5 }; /* absent films that are named */

static void say_gone(const mine *m, const judged *j, int i, const ks_eval_place *p)
{
    char path[4096], line[24] = "", words[200];
    snprintf(words, sizeof words, "%s", m->wishes.at[i].words);
    ks_harmless(words);
    ks_show_path(path, sizeof path, p->film, 0, 1);
    if (p->line) snprintf(line, sizeof line, "%lld:", (long long)p->line);
    fprintf(stderr, "kinoseek: %s:%s %s is not in %s: \"%s\" %s\n", m->wishes.list, line, path,
            j->path, words, j->exact.missing[i] ? "counts as wrong" : "has other moments");
}

static void say_missing(const mine *m, const judged *j)
{
    int said = 0;
    if (m->g->quiet) return;
    for (int i = 0; i < m->wishes.n; i++)
        for (int r = 0; r < m->wishes.at[i].n_right && said < NAMED; r++) {
            const ks_eval_place *p = &m->wishes.at[i].right[r];
            if (!j->exact.gone[p->number]) continue;
            say_gone(m, j, i, p);
            said++;
        }
    if (j->exact.n_gone > said)
        fprintf(stderr, "kinoseek: and so are the films of %lld moments more\n",
                (long long)j->exact.n_gone - said);
}

static void json_shares(ks_json *out, const ks_eval_mine_figures *f)
{
    static const char *const names[3] = {"r1", "r5", "r10"};
    double low, high;
    char key[16];
    for (int k = 0; k < 3; k++) {
        ks_wilson(&low, &high, f->hits[k], f->n);
        ks_json_rate(out, names[k], share(f->hits[k], f->n));
        snprintf(key, sizeof key, "%s_low", names[k]);
        ks_json_rate(out, key, low);
        snprintf(key, sizeof key, "%s_high", names[k]);
        ks_json_rate(out, key, high);
    }
}

static void show_json(const mine *m, const judged *j)
{
    ks_json out;
    ks_json_start(&out, stdout);
    ks_json_open(&out, NULL, '{');
    ks_json_text(&out, "task", "mine");
    ks_json_path(&out, "library", j->path);
    ks_json_int(&out, "n", j->exact.n);
    ks_json_int(&out, "missing", j->exact.lost);
    ks_json_int(&out, "moments_missing", j->exact.n_gone);
    json_shares(&out, &j->exact);
    ks_json_int(&out, "shown", j->exact.answered);
    ks_json_int(&out, "withheld", j->exact.withheld);
    ks_json_int(&out, "absent", j->exact.absent);
    ks_json_int(&out, "absent_answered", j->exact.absent_answered);
    if (j->near.rank) {
        ks_json_open(&out, "approximate", '{');
        json_shares(&out, &j->near);
        ks_json_int(&out, "differing", differing(j, m->wishes.n));
        ks_json_close(&out);
    }
    ks_json_close(&out);
}

static void show_shares(const char *name, const ks_eval_mine_figures *f)
{
    double low, high;
    ks_wilson(&low, &high, f->hits[0], f->n);
    printf("%s  R@1 %5.1f %% (%.1f to %.1f)  R@5 %5.1f %%  R@10 %5.1f %%  of %lld\n", name,
           100 * share(f->hits[0], f->n), 100 * low, 100 * high, 100 * share(f->hits[1], f->n),
           100 * share(f->hits[2], f->n), (long long)f->n);
}

static void show(const mine *m, const judged *j)
{
    const ks_eval_mine_figures *f = &j->exact;
    if (m->n > 1) printf("%s\n", j->path);
    if (f->n_gone)
        printf("missing      the films of %lld moments; %lld sentences count as wrong for it\n",
               (long long)f->n_gone, (long long)f->lost);
    show_shares("exact      ", f);
    if (j->near.rank) {
        show_shares("approximate", &j->near);
        printf("  %d of %d sentences have another rank\n", differing(j, m->wishes.n), m->wishes.n);
    } else printf("approximate  this library is small enough to be searched exactly always\n");
    printf("cut-off      shows the right moment of %lld, withholds it of %lld that have it among "
           "the first ten",
           (long long)f->answered, (long long)f->withheld);
    if (f->absent)
        printf(";\n             of %lld sentences that nothing here answers, %lld are answered",
               (long long)f->absent, (long long)f->absent_answered);
    printf("\n");
}

/* --- one library against another, sentence by sentence --- */

/* Both libraries have the same of its films, and any: else it says nothing about their models. */
static int is_common(const ks_eval_wish *wish, int i, const judged *a, const judged *b)
{
    int same = !a->exact.missing[i] && !b->exact.missing[i];
    for (int r = 0; r < wish->n_right && same; r++)
        same = a->exact.gone[wish->right[r].number] == b->exact.gone[wish->right[r].number];
    return same;
}

typedef struct {
    int within;
    int64_t n, left_out, better, worse;
    double difference, low, high;
} comparison;

static int pair_up(comparison *c, const mine *m, const judged *a, const judged *b, ks_error *e)
{
    double *x = calloc((size_t)m->wishes.n, sizeof *x), *y = calloc((size_t)m->wishes.n, sizeof *y),
           sum = 0;
    int err = x && y ? 0 : ks_fail(e, KS_ENOMEM, "no memory for a comparison");
    for (int i = 0; i < m->wishes.n && !err; i++) {
        const ks_eval_wish *wish = &m->wishes.at[i];
        if (wish->n_right == 0) continue;
        if (!is_common(wish, i, a, b)) {
            c->left_out++;
            continue;
        }
        double was = x[c->n] = a->exact.rank[i] > 0 && a->exact.rank[i] <= c->within,
               is = y[c->n] = b->exact.rank[i] > 0 && b->exact.rank[i] <= c->within;
        sum += is - was;
        c->better += is > was;
        c->worse += is < was;
        c->n++;
    }
    c->difference = c->n ? sum / (double)c->n : NAN;
    if (!err) err = ks_bootstrap_difference(&c->low, &c->high, y, x, c->n, (uint64_t)m->f->seed, e);
    free(x);
    free(y);
    return err;
}

static void show_comparison(const comparison *c, const judged *a, const judged *b)
{
    if (c->n == 0) {
        printf("%s and %s have no sentence in common\n", b->path, a->path);
        return;
    }
    printf(
        "%s beside %s: R@%d %+.1f points (%+.1f to %+.1f): %lld sentences better, %lld worse%s\n",
        b->path, a->path, c->within, 100 * c->difference, 100 * c->low, 100 * c->high,
        (long long)c->better, (long long)c->worse,
        c->better + c->worse == 0     ? "; the same of each sentence"
        : c->low <= 0 && c->high >= 0 ? "; too few to say which is better"
                                      : "");
    if (c->left_out)
        printf("  %lld sentences are left out: not both have their films\n",
               (long long)c->left_out);
}

static int compare(const mine *m, const judged *a, const judged *b, int within, ks_error *e)
{
    comparison c = {.within = within};
    char name[8];
    ks_json j;
    int err = pair_up(&c, m, a, b, e);
    if (!err && !m->f->json) show_comparison(&c, a, b);
    if (err || !m->f->json) return err;
    snprintf(name, sizeof name, "r%d", within);
    ks_json_start(&j, stdout);
    ks_json_open(&j, NULL, '{');
    ks_json_text(&j, "task", "mine");
    ks_json_path(&j, "library", a->path);
    ks_json_path(&j, "beside", b->path);
    ks_json_text(&j, "figure", name);
    ks_json_int(&j, "n", c.n);
    ks_json_int(&j, "left_out", c.left_out);
    ks_json_rate(&j, "difference", c.difference);
    ks_json_rate(&j, "low", c.low);
    ks_json_rate(&j, "high", c.high);
    ks_json_int(&j, "better", c.better);
    ks_json_int(&j, "worse", c.worse);
    ks_json_int(&j, "seed", m->f->seed);
    ks_json_close(&j);
    return 0;
}

static void free_all(mine *m)
{
    for (int i = 0; i < m->n; i++) {
        ks_eval_mine_free(&m->at[i].exact);
        ks_eval_mine_free(&m->at[i].near);
    }
    free(m->at);
    ks_eval_wishes_free(&m->wishes);
}

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    mine m = {.g = g, .f = fields};
    if (n != 1) return ks_fail(e, KS_EUSAGE, "give one file: sentence, a tab, FILE@A-B a line");
    if (g->setup.model && m.f->beside.n)
        return ks_fail(e, KS_EUSAGE, "-m goes without --beside: each library has its own model");
    m.n = 1 + m.f->beside.n;
    m.at = calloc((size_t)m.n, sizeof *m.at);
    int err = m.at ? read_wishes(&m.wishes, args[0], m.f->fps, e)
                   : ks_fail(e, KS_ENOMEM, "no memory");
    for (int i = 0; i < m.n && !err; i++) {
        m.at[i].path = i ? m.f->beside.at[i - 1] : g->library;
        err = judge(&m, &m.at[i], e);
        if (err) break;
        say_missing(&m, &m.at[i]);
        if (m.f->json) show_json(&m, &m.at[i]);
        else show(&m, &m.at[i]);
        for (int k = 0; k < i && !err; k++) {
            err = compare(&m, &m.at[k], &m.at[i], 1, e);
            if (!err) err = compare(&m, &m.at[k], &m.at[i], 5, e);
        }
    }
    free_all(&m);
    return err;
}

static void defaults(void *fields) { ((mine_fields *)fields)->seed = 1; }

extern const ks_command ks_cmd_eval_mine;
const ks_command ks_cmd_eval_mine = {
    .name = "eval mine",
    .usage = "FILE",
    .brief = "How well your own sentences find your own moments",
    .more = "FILE: a sentence, a tab, FILM@A-B a line; several lines for several right\n"
            "moments; a sentence alone: nothing here shows it. Or what ELAN, Label Studio,\n"
            "VIA, FiftyOne, ActivityNet, CSV hold: the label is the sentence. A moment is\n"
            "right where it overlaps by half (temporal IoU).\n"
            "  kinoseek eval mine my.tsv\n"
            "  kinoseek eval mine my.tsv --beside ~/library-large",
    .options = options,
    .fields = sizeof(mine_fields),
    .defaults = defaults,
    .hub = KS_HUB_MIRROR,
    .run = run,
};
