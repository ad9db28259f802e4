/* Questions of several terms: how they are read, and what they find, against brute force in
 * plain C: random libraries with equal vectors, equal times, filters and every operator. The
 * seed is printed where an answer differs. */
#include "query/combine.h"
#include "tests/library_maker.h"
#include "tests/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIM = 16, CLIPS = 200, TERMS = 6 };
static ks_error e;

/* --- reading --- */
START_TEST(test_terms_are_read)
{
    static const struct {
        const char *option, *value;
        ks_op op;
        ks_term_kind kind;
        const char *text;
        double weight;
        int64_t clip;
    } good[] = {{"plus", "red star", KS_OP_PLUS, KS_TERM_WORDS, "red star", 1, 0},
                {"minus", "0.5:red", KS_OP_MINUS, KS_TERM_WORDS, "red", 0.5, 0},
                {"and", ".25:fog", KS_OP_AND, KS_TERM_WORDS, "fog", 0.25, 0},
                {"or", "2:@a b.mp4@1:02", KS_OP_OR, KS_TERM_FILE, "a b.mp4@1:02", 2, 0},
                {"not", "#17", KS_OP_NOT, KS_TERM_CLIP, NULL, 1, 17},
                {"then", "=2:1 victory", KS_OP_THEN, KS_TERM_WORDS, "2:1 victory", 1, 0},
                {"then", "3:=@home", KS_OP_THEN, KS_TERM_WORDS, "@home", 3, 0},
                {"unless", "12:30 train", KS_OP_UNLESS, KS_TERM_WORDS, "30 train", 12, 0},
                {"image", "@x.png", KS_OP_PLUS, KS_TERM_PICTURE, "@x.png", 1, 0},
                {"like", "5", KS_OP_PLUS, KS_TERM_CLIP, NULL, 1, 5},
                {"and", "a:b", KS_OP_AND, KS_TERM_WORDS, "a:b", 1, 0},
                {"and", ".:b", KS_OP_AND, KS_TERM_WORDS, ".:b", 1, 0},
                {"and", "1.5", KS_OP_AND, KS_TERM_WORDS, "1.5", 1, 0}};

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ks_terms t = {0};
        ck_assert_int_eq(ks_terms_add(&t, good[i].option, good[i].value, &e), 1);
        ck_assert_int_eq(t.n, 1);
        ck_assert_int_eq(t.at[0].op, good[i].op);
        ck_assert_int_eq(t.at[0].kind, good[i].kind);
        ck_assert_int_eq(t.at[0].clip, good[i].clip);
        ck_assert_double_eq(t.at[0].weight, good[i].weight);
        if (good[i].text) ck_assert_str_eq(t.at[0].text, good[i].text);
        ks_terms_free(&t);
    }
}
END_TEST

START_TEST(test_a_bad_term_is_pointed_at)
{
    static const char *const bad[][3] = {
        {"and", "0:fog", "--and 0:fog: a weight is more than 0, at character 1 (0:fog)"},
        {"and", "-1:fog",
         "--and -1:fog: a weight is more than 0; --minus takes away, at character 1 (-1:fog)"},
        {"or", "1001:fog",
         "--or 1001:fog: a weight is 1000 at most; words that begin so stand after =, at character "
         "1 (1001:fog)"},
        {"not", "#",
         "--not #: the number of a clip follows #; words that begin so stand after =, at character "
         "2"},
        {"not", "#1x",
         "--not #1x: only digits follow #; words that begin so stand after =, at character 3 (x)"},
        {"not", "#0", "--not #0: no clip has that number, at character 2 (0)"},
        {"then", "2:#99999999999999999999",
         "--then 2:#99999999999999999999: no clip has that number, at character 4 "
         "(99999999999999999999)"},
        {"plus", "@",
         "--plus @: the name of a file follows @; words that begin so stand after =, at character "
         "2"},
        {"plus", "", "--plus: the words are empty"},
        {"plus", "2: ", "--plus 2: : the words are empty, at character 3 ( )"},
        {"like", "\xc3\xa9",
         "--like \xc3\xa9: the number of a clip follows #; words that begin so stand after =, at "
         "character 1 (\xc3\xa9)"},
        {"unless", "\xc3\xa9", NULL}};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ks_terms t = {0};
        int code = ks_terms_add(&t, bad[i][0], bad[i][1], &e);
        if (bad[i][2]) {
            ck_assert_int_eq(code, KS_EUSAGE);
            ck_assert_str_eq(e.msg, bad[i][2]);
            ck_assert_int_eq(t.n, 0);
        } else {
            ck_assert_int_eq(code, 1);
        }
        ks_terms_free(&t);
    }
}
END_TEST

START_TEST(test_times_and_order)
{
    ks_terms t = {0};

    ck_assert_int_eq(ks_terms_within(&t, 3, &e), KS_EUSAGE);
    ck_assert_int_eq(ks_terms_begin(&t, &e), KS_EUSAGE);
    MUST(ks_terms_add(&t, "and", "a", &e));
    ck_assert_int_eq(ks_terms_within(&t, 3, &e), KS_EUSAGE);
    ck_assert_int_eq(ks_terms_begin(&t, &e), KS_EUSAGE);
    MUST(ks_terms_add(&t, "then", "b", &e));
    MUST(ks_terms_add(&t, "plus", "c", &e));
    MUST(ks_terms_within(&t, 3, &e));
    ck_assert_int_eq(ks_terms_within(&t, 4, &e), KS_EUSAGE); /* never silently the last one */
    ck_assert_double_eq(t.at[1].within, 3);
    MUST(ks_terms_begin(&t, &e));
    ck_assert_str_eq(t.at[0].text, "c");
    ck_assert_int_eq(t.at[0].op, KS_OP_BEGIN);
    ck_assert_str_eq(t.at[1].text, "a");
    ck_assert_str_eq(t.at[2].text, "b");
    MUST(ks_terms_add(&t, "unless", "d", &e));
    MUST(ks_terms_add(&t, "unless", "f", &e));
    ck_assert_int_eq(ks_terms_add(&t, "and", "g", &e), KS_EUSAGE);
    ck_assert_int_eq(ks_terms_add(&t, "path", "g", &e), 0);
    while (t.n < KS_TERMS_MAX) MUST(ks_terms_add(&t, "unless", "d", &e));
    ck_assert_int_eq(ks_terms_add(&t, "unless", "d", &e), KS_EUSAGE);
    ks_terms_free(&t);
}
END_TEST

/* --- brute force --- */
typedef struct {
    ks_clip clip;
    ks_timebase tb;
    float vector[DIM];
    double grade[TERMS]; /* with weights */
    double part[TERMS], chain[TERMS];
    int before[TERMS];
    int taken, anchor;
} row;

typedef struct {
    int64_t clips[CLIPS];
    int n_clips, video;
    ks_hit_part parts[TERMS];
    int n_parts;
    int64_t start, end;
    double score;
} found;

typedef struct {
    ks_index *x;
    ks_scale scale;
    float level[DIM];
    float q[TERMS * DIM];
    ks_query_term t[TERMS];
    int n, parts, asks_words;
    ks_query_options o;
    row rows[CLIPS];
    int n_rows;
    found hits[CLIPS];
    int n_hits, moments[64];
} brute;

static double grade_of(const brute *b, int t, float cosine, int survey)
{
    double g, w = b->t[t].weight, u, gain = survey ? b->scale.gain : 1;

    if (b->t[t].words) {
        u = ks_scale_z(&b->scale, (double)cosine * gain,
                       ks_scale_level(&b->scale, b->q + t * DIM)) /
            b->scale.cut;
        g = u > 0 ? ks_score_of(u, 1) : u;
    } else {
        g = ((double)cosine - b->scale.pair_mean) / (1 - b->scale.pair_mean);
    }
    if (w == 1) return g;
    return b->t[t].op == KS_OP_OR || b->t[t].op == KS_OP_NOT || b->t[t].op == KS_OP_UNLESS
               ? w * g
               : 1 - w * (1 - g);
}

static int by_place(const void *a, const void *b)
{
    const row *x = a, *y = b;

    if (x->clip.video != y->clip.video) return x->clip.video < y->clip.video ? -1 : 1;
    if (x->clip.start != y->clip.start) return x->clip.start < y->clip.start ? -1 : 1;
    return x->clip.id < y->clip.id ? -1 : 1;
}

static int part_of(const brute *b, int t)
{
    int p = 0;

    for (int i = 1; i <= t; i++) p += b->t[i].op == KS_OP_THEN;
    return p;
}

static void read_rows(brute *b)
{
    ks_cursor *c;
    int code;

    b->n_rows = 0;
    MUST(ks_index_clips(&c, b->x, &b->o.filter, &e));
    while ((code = ks_clips_next(&b->rows[b->n_rows].clip, c, &e)) > 0) {
        row *r = &b->rows[b->n_rows++];
        ck_assert_int_lt(b->n_rows, CLIPS);
        MUST(ks_index_clip_vector(r->vector, DIM, b->x, r->clip.id, &e));
        r->tb = (ks_timebase){1, 1000};
        r->taken = 0;
        for (int t = 0; t < b->n; t++)
            r->grade[t] = grade_of(b, t, lib_score(b->q + t * DIM, r->vector, DIM),
                                   r->clip.reason == KS_REASON_SURVEY);
        for (int t = 0; t < b->n; t++) {
            double *g = &r->part[part_of(b, t)];
            switch (b->t[t].op) {
            case KS_OP_AND: *g = r->grade[t] < *g ? r->grade[t] : *g; break;
            case KS_OP_OR: *g = r->grade[t] > *g ? r->grade[t] : *g; break;
            case KS_OP_NOT: *g = r->grade[t] >= 0.5 ? -INFINITY : *g; break;
            case KS_OP_UNLESS: break;
            default: *g = r->grade[t];
            }
        }
    }
    MUST(code);
    ks_cursor_close(c);
    qsort(b->rows, (size_t)b->n_rows, sizeof *b->rows, by_place);
}

/* j may stand before i in part p */
static int may_precede(const brute *b, int j, int i, double within)
{
    const row *x = &b->rows[j], *y = &b->rows[i];

    return x->clip.video == y->clip.video && x->clip.start < y->clip.start &&
           ks_seconds(y->clip.start - x->clip.end, y->tb) <= within;
}

static double within_of(const brute *b, int p)
{
    for (int t = 0; t < b->n; t++)
        if (b->t[t].op == KS_OP_THEN && --p == 0) return b->t[t].within;
    return 0;
}

/* u of the z where following * Q(z) = 0.01, by counting up. */
static double bar_of(const brute *b, int t)
{
    double z = 0;

    if (!b->t[t].words) return 0.5;
    while (ks_following(b->t[t].within) * 0.5 * erfc(z / sqrt(2)) > 0.01) z += 0.0001;
    z = fmin(z, b->scale.cut) / b->scale.cut;
    return z * z / (1 + z * z);
}

static void chain_rows(brute *b)
{
    for (int i = 0; i < b->n_rows; i++) b->rows[i].chain[0] = b->rows[i].part[0];
    for (int p = 1; p < b->parts; p++)
        for (int i = 0; i < b->n_rows; i++) {
            int best = -1;
            for (int j = 0; j < b->n_rows; j++) {
                const row *r = &b->rows[j], *s = best < 0 ? NULL : &b->rows[best];
                if (!may_precede(b, j, i, within_of(b, p)) || r->chain[p - 1] == -INFINITY)
                    continue;
                if (!s || r->chain[p - 1] > s->chain[p - 1] ||
                    (r->chain[p - 1] == s->chain[p - 1] &&
                     (r->part[p - 1] > s->part[p - 1] ||
                      (r->part[p - 1] == s->part[p - 1] && r->clip.id < s->clip.id))))
                    best = j;
            }
            b->rows[i].before[p] = best;
            b->rows[i].chain[p] = best < 0 ? -INFINITY
                                           : fmin(b->rows[i].part[p], b->rows[best].chain[p - 1]);
        }
    for (int t = 0; t < b->n; t++) {
        double bar = b->t[t].op == KS_OP_UNLESS ? bar_of(b, t) : 0;
        for (int i = 0; b->t[t].op == KS_OP_UNLESS && i < b->n_rows; i++)
            for (int j = 0; j < b->n_rows; j++)
                if (may_precede(b, i, j, b->t[t].within) && b->rows[j].grade[t] >= bar)
                    b->rows[i].chain[b->parts - 1] = -INFINITY;
    }
}

static double clip01(double g) { return g < 0 ? 0 : g > 1 ? 1 : g; }

/* The parts of the hit that row i stands for in part p: terms from the left, OR takes the place
 * of what is less. */
static void add_parts(const brute *b, found *f, int p, int i, int64_t start, int64_t end)
{
    int from = f->n_parts;
    double so_far = -INFINITY;

    for (int t = 0; t < b->n; t++) {
        double g = b->rows[i].grade[t];
        ks_op op = b->t[t].op;
        if (part_of(b, t) != p || op == KS_OP_UNLESS || (op == KS_OP_OR && g <= so_far) ||
            (op == KS_OP_NOT && g < 0.5))
            continue;
        if (op == KS_OP_OR || op == KS_OP_NOT) f->n_parts = from;
        if (op == KS_OP_NOT) {
            so_far = -INFINITY;
            continue;
        }
        so_far = op == KS_OP_AND ? fmin(so_far, g) : g;
        f->parts[f->n_parts++] = (ks_hit_part){
            .term = b->t[t].term, .start = start, .end = end, .score = clip01(g)};
    }
}

static void extent(const brute *b, int p, int i, int64_t *start, int64_t *end)
{
    const row *r = b->rows;
    double least = r[i].part[p] * 0.75;

    *start = r[i].clip.start;
    *end = r[i].clip.end;
    if (b->o.apart || r[i].part[p] <= 0) return;
    for (int j = i + 1; j < b->n_rows && r[j].clip.video == r[i].clip.video &&
                        r[j].part[p] >= least && r[j].clip.start <= *end && r[j].clip.end >= *start;
         j++)
        *end = r[j].clip.end > *end ? r[j].clip.end : *end;
    for (int j = i - 1; j >= 0 && r[j].clip.video == r[i].clip.video && r[j].part[p] >= least &&
                        r[j].clip.start <= *end && r[j].clip.end >= *start;
         j--) {
        *start = r[j].clip.start;
        *end = r[j].clip.end > *end ? r[j].clip.end : *end;
    }
}

static int is_copy(const brute *b, const int64_t *clips, int n, int64_t video)
{
    double least = 1 - (1 - b->scale.pair_mean) / 20;
    float v[DIM], w[DIM];

    for (int h = 0; !b->o.unfolded && h < b->n_hits; h++) {
        int same = b->hits[h].video != video && (n == 1 || b->hits[h].n_clips == n), last = 1;
        for (int p = n - 1; p >= 0 && same; p--, last = 0) {
            MUST(ks_index_clip_vector(v, DIM, b->x, clips[p], &e));
            MUST(ks_index_clip_vector(w, DIM, b->x, b->hits[h].clips[n == 1 ? 0 : p], &e));
            same = ks_dot(v, w, DIM) >= least;
            if (last && !same) break;
            if (!last && !same) /* the first hit with the same end is asked, no other */
                return 0;
        }
        if (same) return 1;
    }
    return 0;
}

static void take_chain(brute *b, int i)
{
    found *f = &b->hits[b->n_hits];
    int at[TERMS];
    int64_t start, end, a, z;

    *f = (found){.score = clip01(b->rows[i].chain[b->parts - 1]),
                 .video = (int)b->rows[i].clip.video,
                 .n_clips = b->parts};
    at[b->parts - 1] = i;
    for (int p = b->parts - 1; p > 0; p--) at[p - 1] = b->rows[at[p]].before[p];
    start = b->rows[at[0]].clip.start;
    end = 0;
    for (int p = 0; p < b->parts; p++) {
        f->clips[p] = b->rows[at[p]].clip.id;
        end = b->rows[at[p]].clip.end > end ? b->rows[at[p]].clip.end : end;
    }
    /* .anchor: 1 + its number among spans shown; they lie in chain[0..1] of no row */
    for (int j = 0; j < b->n_rows && !b->o.apart; j++) {
        const row *r = &b->rows[j];
        if (!r->anchor || r->clip.video != b->rows[i].clip.video) continue;
        int64_t s = r->clip.start, t = r->clip.end, x, y;
        int u = j;
        for (int p = b->parts - 1; p > 0; p--) u = b->rows[u].before[p];
        s = b->rows[u].clip.start;
        u = j;
        for (int p = b->parts - 1; p > 0; p--) {
            u = b->rows[u].before[p];
            t = b->rows[u].clip.end > t ? b->rows[u].clip.end : t;
        }
        x = s > start ? s : start;
        y = t < end ? t : end;
        if (2 * (y - x) >= (t - s < end - start ? t - s : end - start)) return;
    }
    if (b->o.per_video && b->moments[f->video] >= b->o.per_video) {
        b->rows[i].anchor = 1;
        return;
    }
    b->rows[i].anchor = 1;
    if (is_copy(b, f->clips, f->n_clips, f->video)) return;
    for (int p = 0; p < b->parts; p++) {
        extent(b, p, at[p], &a, &z);
        add_parts(b, f, p, at[p], a, z);
        f->start = p == 0 || a < f->start ? a : f->start;
        f->end = p == 0 || z > f->end ? z : f->end;
    }
    b->moments[f->video]++;
    b->n_hits++;
}

static void take_clip(brute *b, int i)
{
    found *f = &b->hits[b->n_hits];
    row *r = b->rows;
    int from = i, to = i, order[CLIPS];

    if (r[i].taken) return;
    *f = (found){.score = clip01(r[i].part[0]),
                 .video = (int)r[i].clip.video,
                 .start = r[i].clip.start,
                 .end = r[i].clip.end};
    for (; !b->o.apart && r[i].part[0] > 0 && to + 1 < b->n_rows &&
           r[to + 1].clip.video == r[i].clip.video && !r[to + 1].taken &&
           r[to + 1].part[0] >= 0.75 * r[i].part[0] && r[to + 1].clip.start <= f->end &&
           r[to + 1].clip.end >= f->start;
         to++)
        f->end = r[to + 1].clip.end > f->end ? r[to + 1].clip.end : f->end;
    for (;
         !b->o.apart && r[i].part[0] > 0 && from > 0 && r[from - 1].clip.video == r[i].clip.video &&
         !r[from - 1].taken && r[from - 1].part[0] >= 0.75 * r[i].part[0] &&
         r[from - 1].clip.start <= f->end && r[from - 1].clip.end >= f->start;
         from--) {
        f->start = r[from - 1].clip.start;
        f->end = r[from - 1].clip.end > f->end ? r[from - 1].clip.end : f->end;
    }
    for (int j = from; j <= to; j++) r[j].taken = 1;
    for (int j = 0; j < b->n_rows && !b->o.apart; j++)
        if (r[j].clip.video == r[i].clip.video) {
            int64_t x = r[j].clip.start > f->start ? r[j].clip.start : f->start,
                    y = r[j].clip.end < f->end ? r[j].clip.end : f->end;
            r[j].taken |= y > x && 2 * (y - x) >= r[j].clip.end - r[j].clip.start;
        }
    if ((b->o.per_video && b->moments[f->video] >= b->o.per_video) ||
        is_copy(b, &r[i].clip.id, 1, f->video))
        return;
    for (int j = from; j <= to; j++) { /* by grade, then id */
        int at = f->n_clips++;
        for (; at > 0 && (r[order[at - 1]].part[0] < r[j].part[0] ||
                          (r[order[at - 1]].part[0] == r[j].part[0] &&
                           r[order[at - 1]].clip.id > r[j].clip.id));
             at--)
            order[at] = order[at - 1];
        order[at] = j;
    }
    for (int j = 0; j < f->n_clips; j++) f->clips[j] = r[order[j]].clip.id;
    add_parts(b, f, 0, i, f->start, f->end);
    b->moments[f->video]++;
    b->n_hits++;
}

static void answer(brute *b)
{
    int chained = b->parts > 1, last = b->parts - 1, k = b->o.k;

    for (int t = 0; t < b->n; t++) chained |= b->t[t].op == KS_OP_UNLESS;
    read_rows(b);
    chain_rows(b);
    b->n_hits = 0;
    memset(b->moments, 0, sizeof b->moments);
    char *done = calloc(CLIPS, 1);
    for (int i = 0; i < b->n_rows; i++) b->rows[i].anchor = 0;
    while (b->n_hits < k) {
        int best = -1;
        for (int i = 0; i < b->n_rows; i++) {
            const row *r = &b->rows[i], *s = best < 0 ? NULL : &b->rows[best];
            double g = r->chain[last], h = s ? s->chain[last] : 0;
            if (done[i] || g == -INFINITY) continue;
            if (!s || g > h ||
                (g == h &&
                 ((chained && r->part[last] > s->part[last]) ||
                  ((!chained || r->part[last] == s->part[last]) && r->clip.id < s->clip.id))))
                best = i;
        }
        if (best < 0) break;
        done[best] = 1;
        if (chained) take_chain(b, best);
        else take_clip(b, best);
    }
    free(done);
}

/* --- random cases --- */
static uint64_t seed;
static int below(int n) { return (int)(lib_random(&seed) % (uint64_t)n); }

static void add_film(ks_index *x, int number, int kind, int n)
{
    char path[64];
    ks_video v = {.path = path,
                  .stat.size = 1,
                  .reason = "",
                  .tb = {1, 1000},
                  .duration = 400000,
                  .film_date = 1000 + below(3),
                  .width = 16,
                  .height = 16,
                  .fps = 25};
    ks_clip_data clips[40];
    float vectors[40][DIM];
    int64_t start = 0;

    snprintf(path, sizeof path, "/f/%s/%d.mp4", number % 2 ? "odd" : "even", number);
    memcpy(v.content, &number, sizeof number);
    MUST(ks_index_add_video(&v.id, x, &v, &e));
    for (int i = 0; i < n; i++) {
        int length = 1000 * (1 + below(8));
        lib_vector(vectors[i], DIM, kind, lib_random(&seed));
        int survey = number % 3 == 1;
        v.flags |= survey ? KS_VIDEO_SURVEY : 0;
        clips[i] = (ks_clip_data){.clip = {.start = start,
                                           .end = start + length,
                                           .frames = 1,
                                           .reason = survey ? KS_REASON_SURVEY : KS_REASON_WINDOW},
                                  .vector = vectors[i]};
        start += 1000 * below(6); /* equal starts, too; start and end differ from the last clip's */
        for (int j = 0; j < i; j++)
            if (clips[j].clip.start == clips[i].clip.start &&
                clips[j].clip.end == clips[i].clip.end)
                clips[i].clip.end += 40000, j = -1;
    }
    MUST(ks_index_add_clips(x, v.id, clips, n, &e));
    v.verdict = KS_VERDICT_INDEXED;
    MUST(ks_index_end_video(x, &v, &e));
}

static void make_library(ks_index *x)
{
    ks_space space = lib_space(DIM);
    int films = 1 + below(5), kind = below(4);

    MUST(ks_index_set_space(x, &space, "", "", &e));
    for (int f = 0; f < films; f++)
        add_film(x, f, kind == 3 ? below(3) : kind, below(4) ? 1 + below(24) : 1);
    if (below(2)) MUST(ks_index_publish(x, 1, &e));
    if (below(2)) add_film(x, films, kind == 3 ? 0 : kind, 1 + below(9)); /* beside the copies */
}

static void make_question(brute *b)
{
    static const ks_op ops[] = {KS_OP_AND, KS_OP_OR, KS_OP_NOT, KS_OP_THEN, KS_OP_THEN};
    static const double weights[] = {1, 1, 1, 0.5, 2}, times[] = {0, 2, 5, 30, 1000};

    b->n = 1 + below(TERMS - 1);
    b->parts = 1;
    b->asks_words = 0;
    for (int t = 0; t < b->n; t++) {
        ks_query_term *q = &b->t[t];
        *q = (ks_query_term){.op = t ? ops[below(5)] : KS_OP_BEGIN,
                             .term = t + 1,
                             .words = below(2),
                             .weight = t ? weights[below(5)] : 1,
                             .within = times[below(5)]};
        if (t && t == b->n - 1 && below(3) == 0) q->op = KS_OP_UNLESS;
        b->parts += q->op == KS_OP_THEN;
        b->asks_words |= q->words && q->op != KS_OP_NOT && q->op != KS_OP_UNLESS;
        lib_vector(b->q + t * DIM, DIM, below(3),
                   below(2) ? (uint64_t)below(50) : lib_random(&seed));
    }
    b->o = (ks_query_options){.k = 1 + below(12),
                              .apart = below(3) == 0,
                              .all = below(2),
                              .unfolded = below(2),
                              .vector_query = !b->asks_words,
                              .per_video = below(4) ? 0 : 1 + below(2),
                              .how = below(2) ? KS_SEARCH_EXACT : KS_SEARCH_AUTO};
    b->o.filter = (ks_filter){.path_glob = below(4) ? NULL : "/f/odd/*",
                              .after = below(5) ? 0 : 1001,
                              .longer = below(4) ? 0 : 2,
                              .shorter = below(4) ? 0 : 6,
                              .video = below(5) ? 0 : 1 + below(3)};
}

static void make_scale(brute *b)
{
    lib_vector(b->level, DIM, 0, lib_random(&seed));
    b->scale = (ks_scale){.dim = DIM,
                          .level = b->level,
                          .median = 0.2,
                          .cut = 1 + 0.1 * below(10),
                          .pair_mean = 0.1 * below(8),
                          .gain = (const double[]){1, 1.15, 0.7, 2}[below(4)],
                          .x = b->x};
}

static void compare(brute *b, uint64_t origin)
{
    double following[TERMS], cut;
    ks_hits hits;

    answer(b);
    MUST(ks_query_run_terms(&hits, b->x, &b->scale, b->q, b->t, b->n, DIM, &b->o, &e));
    ck_assert_msg(hits.count + hits.below == b->n_hits, "seed %llu: %d + %d hits, not %d",
                  (unsigned long long)origin, hits.count, hits.below, b->n_hits);
    for (int p = 1; p < b->parts; p++) following[p] = ks_following(within_of(b, p));
    cut = b->parts == 1 && b->t[b->n - 1].op == KS_OP_UNLESS
              ? ks_unless_cut(&b->scale)
              : ks_sequence_cut(&b->scale, following, b->parts);
    if (b->asks_words && !b->o.all)
        for (int i = 0; i < b->n_hits; i++)
            ck_assert_msg((b->hits[i].score >= cut) == (i < hits.count),
                          "seed %llu: the cut-off at %d", (unsigned long long)origin, i);
    for (int i = 0; i < b->n_hits; i++) {
        const ks_hit *h = &hits.at[i];
        const found *f = &b->hits[i];
        int same = h->video == f->video && h->n_clips == f->n_clips && h->score == f->score &&
                   h->start == f->start && h->end == f->end && h->n_parts == f->n_parts &&
                   memcmp(h->clips, f->clips, (size_t)f->n_clips * sizeof *f->clips) == 0;
        for (int p = 0; p < f->n_parts && same; p++)
            same = h->parts[p].term == f->parts[p].term && h->parts[p].start == f->parts[p].start &&
                   h->parts[p].end == f->parts[p].end && h->parts[p].score == f->parts[p].score;
        ck_assert_msg(
            same,
            "seed %llu: hit %d of %d differs: clip %lld score %.17g, not clip %lld score %.17g",
            (unsigned long long)origin, i + 1, b->n_hits, (long long)h->clips[0], h->score,
            (long long)f->clips[0], f->score);
    }
    ks_hits_free(&hits);
}

/* 2,000 questions: 40 libraries, 50 of each. */
START_TEST(test_against_brute_force)
{
    brute *b = calloc(1, sizeof *b);
    int answered = 0, chained = 0;

    ck_assert_ptr_nonnull(b);
    for (uint64_t library = 1; library <= 40; library++) {
        char dir[64];
        seed = library * 7919;
        MUST(ks_index_open(&b->x, lib_new_dir(dir), KS_CREATE, &e));
        make_library(b->x);
        for (int i = 0; i < 50; i++) {
            uint64_t origin = seed;
            make_scale(b);
            make_question(b);
            compare(b, origin);
            answered += b->n_hits > 0;
            chained += b->n_hits > 0 && b->parts > 1;
        }
        ks_index_close(b->x);
        lib_remove_dir(dir);
    }
    ck_assert_int_gt(answered, 1500); /* the cases are no empty ones */
    ck_assert_int_gt(chained, 500);
    free(b);
}
END_TEST

/* Chains of chances: the law itself, and that it asks less of each part and more of longer
 * times. */
START_TEST(test_the_cut_of_a_sequence)
{
    ks_scale s = {.cut = 3.8};
    double following[] = {0, ks_following(30), ks_following(30)},
           g = ks_sequence_cut(&s, following, 2), u = sqrt(g / (1 - g)),
           q = 0.5 * erfc(u * s.cut / sqrt(2));

    ck_assert_double_eq(following[1], 9.5);
    ck_assert_double_eq_tol(9.5 * q * q / (0.25 * erfc(s.cut / sqrt(2))), 1, 1e-6);
    ck_assert(ks_sequence_cut(&s, following, 1) == 0.5);
    u = sqrt(ks_unless_cut(&s) / (1 - ks_unless_cut(&s)));
    ck_assert_double_eq_tol(erfc(u * s.cut / sqrt(2)) / erfc(s.cut / sqrt(2)), 1.25, 1e-6);
    ck_assert(ks_sequence_cut(&s, following, 3) < g && g < 0.5);
    following[1] = ks_following(600);
    ck_assert(ks_sequence_cut(&s, following, 2) > g);
    for (s.cut = 1e-3; s.cut < 1e3; s.cut *= 1.7) {
        g = ks_sequence_cut(&s, following, 3);
        ck_assert(g >= 0 && g <= 0.5);
    }
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("terms");
    tcase_add_test(t, test_terms_are_read);
    tcase_add_test(t, test_a_bad_term_is_pointed_at);
    tcase_add_test(t, test_times_and_order);
    tcase_add_test(t, test_the_cut_of_a_sequence);
    tcase_add_test(t, test_against_brute_force);
    return ks_run_case("terms", t);
}
