/* test_moments.c - moments, filters, k, folding: against plain C that looks at everything.
 * Seeded. */
#include "query/calibrate.h"
#include "query/moments.h"
#include "query/query.h"
#include "query/twins.h"
#include "tests/library_maker.h"

#include <check.h>
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static ks_error e;

/* --- growing, against the definition --- */
/* Do clips a..b make one moment of `seed`? Every one is free, worth enough, and touches what lies
 * between it and the seed. */
static int is_moment(const ks_scored *c, int a, int b, int seed)
{
    for (int i = a; i <= b; i++)
        if (c[i].taken || (i != seed && c[i].value < 0.75 * c[seed].value)) return 0;
    for (int i = seed + 1; i <= b; i++) {
        int64_t reach = c[seed].end;
        for (int j = seed; j < i; j++) reach = c[j].end > reach ? c[j].end : reach;
        if (c[i].start > reach) return 0;
    }
    for (int i = a; i < seed; i++)
        if (c[i].end < c[i + 1].start) return 0;
    return 1;
}

static int by_start(const void *a, const void *b)
{
    const ks_scored *x = a, *y = b;

    return x->start != y->start ? (x->start < y->start ? -1 : 1)
                                : (x->id > y->id) - (x->id < y->id);
}

START_TEST(a_moment_is_the_longest_run_around_its_best)
{
    uint64_t seed = 20261123;

    for (int round = 0; round < 4000; round++) {
        ks_scored c[24], want[24];
        ks_moment m;
        int n = 1 + (int)(lib_random(&seed) % 24), best, first, last;
        for (int i = 0; i < n; i++) {
            int64_t start = (int64_t)(lib_random(&seed) % 60),
                    length = 1 + (int64_t)(lib_random(&seed) % 9);
            c[i] = (ks_scored){i + 1,
                               start,
                               start + length,
                               (double)(lib_random(&seed) % 1000) / 300 - 0.5,
                               0,
                               lib_random(&seed) % 7 == 0,
                               0,
                               0};
        }
        qsort(c, (size_t)n, sizeof *c, by_start);
        best = (int)(lib_random(&seed) % (uint64_t)n);
        c[best].taken = 0;
        memcpy(want, c, sizeof c);
        first = last = best;
        if (c[best].value > 0)
            for (int a = best; a >= 0; a--)
                for (int b = best; b < n; b++)
                    if (is_moment(c, a, b, best)) {
                        first = a < first ? a : first;
                        last = b > last ? b : last;
                    }
        ks_moment_grow(&m, c, n, 9, best, 0);
        ck_assert_msg(m.first == first && m.last == last, "round %d: %d..%d, not %d..%d", round,
                      m.first, m.last, first, last);
        for (int i = 0; i < n; i++) {
            int64_t inside = (c[i].end < m.end ? c[i].end : m.end) -
                             (c[i].start > m.start ? c[i].start : m.start);
            int taken = want[i].taken || (i >= first && i <= last) ||
                        2 * inside >= c[i].end - c[i].start;
            ck_assert_int_eq(c[i].taken, taken);
            if (i >= first && i <= last) ck_assert(c[i].start >= m.start && c[i].end <= m.end);
        }
    }
}
END_TEST

START_TEST(apart_takes_the_seed_alone)
{
    ks_scored c[] = {
        {1, 0, 8, 1, 0, 0, 0, 0}, {2, 4, 12, 2, 0, 0, 0, 0}, {3, 8, 16, 2, 0, 0, 0, 0}};
    ks_moment m;

    ks_moment_grow(&m, c, 3, 8, 1, 1);
    ck_assert(m.first == 1 && m.last == 1 && m.start == 4 && m.end == 12);
    ck_assert(!c[0].taken && c[1].taken && !c[2].taken);
}
END_TEST

/* A minute of the survey, finer clips in it and beside it: none of one kind joins the other. */
START_TEST(a_surveyed_minute_and_finer_clips)
{
    /* id, start, end, value, cosine, taken, row, survey */
    ks_scored film[] = {{1, 0, 60, 1, 0, 0, 0, 1},    {2, 20, 28, 2, 0, 0, 0, 0},
                        {3, 24, 32, 2.1, 0, 0, 0, 0}, {4, 50, 58, 0.2, 0, 0, 0, 0},
                        {5, 54, 62, 2.5, 0, 0, 0, 0}, {6, 60, 120, 0.9, 0, 0, 0, 1}};
    ks_scored c[6];
    ks_moment m;

    memcpy(c, film, sizeof c);
    ks_moment_grow(&m, c, 6, 60, 2, 0); /* the fine moment lies in the first minute */
    ck_assert(m.start == 20 && m.end == 32 && m.first == 1 && m.last == 2);
    ck_assert(c[0].taken && c[1].taken && c[2].taken && !c[3].taken && !c[4].taken && !c[5].taken);
    memcpy(c, film, sizeof c);
    ks_moment_grow(&m, c, 6, 60, 4, 0); /* three quarters of this one do, too */
    ck_assert(m.start == 54 && m.end == 62 && c[0].taken && !c[5].taken);
    memcpy(c, film, sizeof c);
    ks_moment_grow(&m, c, 6, 60, 0, 0); /* the minutes join over the finer clips, and cover them */
    ck_assert(m.start == 0 && m.end == 120 && m.first == 0 && m.last == 5);
    for (int i = 0; i < 6; i++) ck_assert(c[i].taken);
}
END_TEST

/* --- whole queries, against a list of everything --- */
enum { D = 32, VIDEOS = 40, CLIPS = 3000 };
typedef struct {
    ks_clip clip;
    float v[D];
    double value, cosine;
    int taken;
} row;
static row rows[CLIPS];
static int n_rows;
static char paths[VIDEOS][64];
static int64_t ids[VIDEOS];
static float level[D];
static char dir[64];
static ks_index *x;

static void add_film(int f, uint64_t *seed, const float *like)
{
    int n = 10 + (int)(lib_random(seed) % 60);
    ks_video v = {.path = paths[f],
                  .stat.size = 1,
                  .reason = "",
                  .tb = {1, 1000 + f},
                  .film_date = 86400 * (f + 1),
                  .fps = 25,
                  .duration = 4000 * (n + 1)};
    ks_clip_data *clips = calloc((size_t)n, sizeof *clips);
    float *vectors = malloc((size_t)n * D * sizeof *vectors);
    int64_t at = 0;

    memcpy(v.content, &f, sizeof f);
    MUST(ks_index_add_video(&v.id, x, &v, &e));
    ids[f] = v.id;
    for (int i = 0; i < n; i++) {
        float *to = vectors + (size_t)i * D;
        int64_t length = 2000 + (int64_t)(lib_random(seed) % 7000);
        lib_vector(to, D, 0, lib_random(seed));
        if (i && lib_random(seed) % 3) { /* most are like the one before */
            double norm = 0;
            for (int d = 0; d < D; d++) to[d] = 0.35f * to[d] + to[d - D];
            for (int d = 0; d < D; d++) norm += (double)to[d] * to[d];
            for (int d = 0; d < D; d++) to[d] = (float)(to[d] / sqrt(norm));
        }
        if (like && i == 3) memcpy(to, like, sizeof(float) * D);
        clips[i] = (ks_clip_data){
            .clip = {.start = at,
                     .end = at + length,
                     .frames = 1,
                     .reason = f % 4 == 1 ? KS_REASON_SURVEY : KS_REASON_WINDOW},
            .vector = to};
        at += lib_random(seed) % 4 ? length / 2 : length + 500;
    }
    MUST(ks_index_add_clips(x, v.id, clips, n, &e));
    v.verdict = KS_VERDICT_INDEXED;
    v.flags = f % 4 == 1 ? KS_VIDEO_SURVEY : 0;
    MUST(ks_index_end_video(x, &v, &e));
    free(vectors);
    free(clips);
}

static void make_library(void)
{
    uint64_t seed = 5;
    ks_space space = lib_space(D);
    ks_cursor *c = NULL;
    ks_clip clip;
    float copied[D];

    lib_new_dir(dir);
    MUST(ks_index_open(&x, dir, KS_CREATE, &e));
    MUST(ks_index_set_space(x, &space, "", "", &e));
    lib_vector(copied, D, 0, 99);
    for (int f = 0; f < VIDEOS; f++) {
        snprintf(paths[f], sizeof paths[f], "/films/%s/v%02d.mp4", f % 3 ? "home" : "job", f);
        add_film(f, &seed, f == 7 || f == 21 || f == 33 ? copied : NULL);
    }
    MUST(ks_index_publish(x, 1, &e));
    MUST(ks_index_clips(&c, x, NULL, &e));
    while (ks_clips_next(&clip, c, &e) > 0) {
        ck_assert_int_lt(n_rows, CLIPS);
        rows[n_rows++].clip = clip;
    }
    ks_cursor_close(c);
    for (int i = 0; i < n_rows; i++)
        MUST(ks_index_clip_vector(rows[i].v, D, x, rows[i].clip.id, &e));
    for (int d = 0; d < D; d++) level[d] = (float)(lib_random(&seed) % 1000) / 5000 - 0.1f;
}

static double dot(const float *a, const float *b)
{
    double sum = 0;

    for (int d = 0; d < D; d++) sum += (double)a[d] * b[d];
    return sum;
}

static int film_of(const row *r)
{
    for (int f = 0; f < VIDEOS; f++)
        if (ids[f] == r->clip.video) return f;
    ck_abort_msg("a clip of no film");
    return -1;
}

static int passes(const row *r, const ks_filter *f)
{
    int film = film_of(r);
    double seconds = (double)(r->clip.end - r->clip.start) / (1000 + film);
    const char *path = paths[film], *name = strrchr(path, '/') + 1;
    char end[80];

    snprintf(end, sizeof end, "*/%s", f->path_glob ? f->path_glob : "");
    return (!f->path_glob || (strchr(f->path_glob, '/') ? fnmatch(f->path_glob, path, 0) == 0 ||
                                                              fnmatch(end, path, 0) == 0
                                                        : fnmatch(f->path_glob, name, 0) == 0)) &&
           (!f->after || 86400 * (film + 1) >= f->after) &&
           (!f->before || 86400 * (film + 1) < f->before) &&
           (!(f->longer > 0) || seconds > f->longer) &&
           (!(f->shorter > 0) || seconds < f->shorter) && (!f->video || f->video == r->clip.video);
}

static int by_worth(const void *a, const void *b)
{
    const row *p = *(row *const *)a, *q = *(row *const *)b;

    return p->value != q->value ? (p->value > q->value ? -1 : 1)
                                : (p->clip.id > q->clip.id) - (p->clip.id < q->clip.id);
}

typedef struct {
    int64_t video, start, end, best;
    double value, cosine;
    int clips;
    float v[D];
} want_hit;

/* All clips that pass, best first; each free one grows a moment among its film's clips in time
 * order. */
static int brute(want_hit *out, const float *q, const ks_scale *s, const ks_query_options *o)
{
    row *all[CLIPS];
    int n = 0, count = 0;

    for (int i = 0; i < n_rows; i++) {
        row *r = &rows[i];
        r->cosine = dot(r->v, q);
        double gain = r->clip.reason == KS_REASON_SURVEY ? s->gain : 1;
        r->value = o->vector_query
                       ? (r->cosine - s->pair_mean) / (1 - s->pair_mean)
                       : (r->cosine * gain - dot(s->level, q) * KS_LEVEL_SHARE) / s->median;
        r->taken = 0;
        if (passes(r, &o->filter)) all[n++] = r;
    }
    qsort(all, (size_t)n, sizeof *all, by_worth);
    for (int i = 0; i < n && count < o->k; i++) {
        ks_scored film[CLIPS];
        row *owner[CLIPS], *r = all[i];
        ks_moment m;
        int clips = 0, seed = -1, of_film = 0, twin = 0;
        if (r->taken) continue;
        for (int j = 0; j < n_rows; j++) /* rows are in order of video, start */
            if (rows[j].clip.video == r->clip.video && passes(&rows[j], &o->filter)) {
                if (&rows[j] == r) seed = clips;
                owner[clips] = &rows[j];
                film[clips++] = (ks_scored){rows[j].clip.id,
                                            rows[j].clip.start,
                                            rows[j].clip.end,
                                            rows[j].value,
                                            0,
                                            rows[j].taken,
                                            0,
                                            0};
            }
        ks_moment_grow(&m, film, clips, INT64_MAX / 2, seed, o->apart); /* itself checked above */
        for (int j = 0; j < clips; j++) owner[j]->taken = film[j].taken;
        for (int j = 0; j < count; j++) {
            of_film += out[j].video == r->clip.video;
            twin |= out[j].video != r->clip.video && !o->unfolded &&
                    dot(out[j].v, r->v) >= 1 - (1 - s->pair_mean) / 20;
        }
        if (twin || (o->per_video && of_film >= o->per_video)) continue;
        out[count] = (want_hit){r->clip.video,        m.start, m.end, 0, r->value, r->cosine,
                                m.last - m.first + 1, {0}};
        memcpy(out[count++].v, r->v, sizeof r->v);
    }
    return count;
}

static ks_query_options random_options(uint64_t *seed)
{
    static const char *const globs[] = {"v0*.mp4", "home/*", "/films/job/v?[02468].mp4", "*3.mp4",
                                        "nothing*"};
    ks_query_options o = {.k = 1 + (int)(lib_random(seed) % 25)};

    if (lib_random(seed) % 3 == 0) o.filter.path_glob = globs[lib_random(seed) % 5];
    if (lib_random(seed) % 4 == 0) o.filter.after = 86400 * (int64_t)(lib_random(seed) % VIDEOS);
    if (lib_random(seed) % 4 == 0) o.filter.before = 86400 * (int64_t)(lib_random(seed) % VIDEOS);
    if (lib_random(seed) % 4 == 0) o.filter.longer = 3.5;
    if (lib_random(seed) % 4 == 0) o.filter.shorter = 7;
    if (lib_random(seed) % 8 == 0) o.filter.video = ids[lib_random(seed) % VIDEOS];
    o.per_video = lib_random(seed) % 3 == 0 ? 1 + (int)(lib_random(seed) % 3) : 0;
    o.apart = lib_random(seed) % 4 == 0;
    o.unfolded = lib_random(seed) % 2 == 0;
    o.vector_query = lib_random(seed) % 3 == 0;
    o.how = lib_random(seed) % 2 ? KS_SEARCH_AUTO : KS_SEARCH_EXACT;
    return o;
}

START_TEST(queries_agree_with_brute_force)
{
    uint64_t seed = 77;
    ks_scale s = {.dim = D,
                  .sentences = 200,
                  .held_out = 100,
                  .level = level,
                  .median = 0.1,
                  .cut = 3,
                  .pair_mean = 0.02,
                  .x = x};

    for (int round = 0; round < 300; round++) {
        ks_query_options o = random_options(&seed);
        want_hit want[32];
        ks_hits hits;
        float q[D];
        int n, standing = 0;
        s.gain = (const double[]){1, 1.4, 0.7, 3}[round % 4]; /* of a survey's pictures */
        lib_vector(q, D, 0, round % 5 == 0 ? 99 : lib_random(&seed));
        n = brute(want, q, &s, &o);
        MUST(ks_query_run(&hits, x, &s, q, D, &o, &e));
        ck_assert_msg(hits.count + hits.below == n, "round %d: %d + %d hits, not %d", round,
                      hits.count, hits.below, n);
        for (int i = 0; i < n; i++) {
            const ks_hit *h = &hits.at[i];
            double score = o.vector_query ? fmin(fmax(want[i].value, 0), 1)
                                          : ks_score_of(want[i].value, s.cut);
            ck_assert_msg(h->video == want[i].video && h->start == want[i].start &&
                              h->end == want[i].end && h->n_clips == want[i].clips,
                          "round %d, rank %d: video %lld %lld..%lld of %d clips, not video %lld "
                          "%lld..%lld of %d",
                          round, i + 1, (long long)h->video, (long long)h->start, (long long)h->end,
                          h->n_clips, (long long)want[i].video, (long long)want[i].start,
                          (long long)want[i].end, want[i].clips);
            ck_assert_int_eq(h->rank, i + 1);
            ck_assert(fabs(h->score - score) < 1e-4 && fabs(h->cosine - want[i].cosine) < 1e-5);
            ck_assert_str_eq(h->path, paths[film_of(&(row){.clip = {.video = h->video}})]);
            ck_assert(h->best >= h->start && h->best < h->end);
            standing += o.vector_query || score >= 0.5;
        }
        ck_assert_int_eq(hits.count, standing);
        ks_hits_free(&hits);
    }
}
END_TEST

/* Three films hold the same clip: one hit, two copies; --fold off shows all three. */
START_TEST(copies_are_folded)
{
    ks_scale s = {.dim = D, .pair_mean = 0.02, .median = 1, .x = x};
    ks_query_options o = {.k = 3, .vector_query = 1};
    ks_hits hits;
    float q[D];

    lib_vector(q, D, 0, 99);
    MUST(ks_query_run(&hits, x, &s, q, D, &o, &e));
    ck_assert_int_eq(hits.count, 3);
    ck_assert_int_eq(hits.at[0].n_copies, 2);
    ck_assert(hits.at[0].score > 0.99 && hits.at[1].score < 0.9);
    ks_hits_free(&hits);
    o.unfolded = 1;
    MUST(ks_query_run(&hits, x, &s, q, D, &o, &e));
    ck_assert(hits.at[2].score > 0.99 && hits.at[0].n_copies == 0);
    /* ties by clip id */
    ck_assert(hits.at[0].video == ids[7] && hits.at[1].video == ids[21] &&
              hits.at[2].video == ids[33]);
    ks_hits_free(&hits);
}
END_TEST

/* Families of near-duplicates in other films, some at the very bound, among strangers: what is
 * found is what comparing all finds, and the work grows as the vectors do (154 s for 100,000
 * once). */
static int64_t twins_work(int n, uint64_t seed)
{
    enum { T = 96 };
    const double least = 0.95;
    ks_twins *t = ks_twins_open(T, least);
    float *kept = malloc((size_t)n * T * sizeof *kept), v[T];
    int64_t *film = malloc((size_t)n * sizeof *film), work;
    int count = 0, folded = 0;

    for (int i = 0; i < n; i++) {
        float noise[T];
        int64_t of = (int64_t)(lib_random(&seed) % 40);
        int like = count && lib_random(&seed) % 3 == 0 ? (int)(lib_random(&seed) % (uint64_t)count)
                                                       : -1,
            want = -1;
        double norm = 0, near = (double)(lib_random(&seed) % 1000) / 1000 * 0.4;
        lib_vector(noise, T, 0, lib_random(&seed));
        for (int d = 0; d < T; d++) {
            v[d] = like < 0 ? noise[d]
                            : kept[(size_t)like * T + (size_t)d] + (float)near * noise[d];
            norm += (double)v[d] * (double)v[d];
        }
        for (int d = 0; d < T; d++) v[d] = (float)(v[d] / sqrt(norm));
        for (int j = 0; j < count && want < 0; j++)
            if (film[j] != of && ks_dot(v, kept + (size_t)j * T, T) >= least) want = j;
        ck_assert_int_eq(ks_twins_find(t, v, of), want);
        folded += want >= 0;
        if (want >= 0) continue;
        memcpy(kept + (size_t)count * T, v, sizeof v);
        film[count] = of;
        ck_assert_int_eq(ks_twins_add(t, v, of), count++);
    }
    ck_assert_int_gt(folded, n / 8);
    work = ks_twins_compared(t);
    ks_twins_close(t);
    free(kept);
    free(film);
    return work;
}

START_TEST(twins_are_those_of_comparing_all)
{
    int64_t plain = twins_work(2 * KS_TWINS_PLAIN, 11), filed = twins_work(8 * KS_TWINS_PLAIN, 12);

    ck_assert_msg(filed < 5 * plain, "%lld pairs for four times the vectors of %lld",
                  (long long)filed, (long long)plain);
}
END_TEST

/* Beyond 131,072 kept the keys are longer, and what was filed before is filed anew. */
START_TEST(twins_are_found_among_very_many)
{
    enum { T = 96, KEPT = 140000, ASKED = 400 };
    ks_twins *t = ks_twins_open(T, 0.95);
    uint64_t seed = 13;
    float v[T], noise[T];
    for (int i = 0; i < KEPT; i++) {
        lib_vector(v, T, 0, (uint64_t)i);
        ck_assert_int_eq(ks_twins_add(t, v, 1), i);
    }
    for (int i = 0; i < ASKED; i++) {
        int like = (int)(lib_random(&seed) % KEPT);
        double norm = 0, near = (double)(i % 100) / 100 * 0.3; /* cosine 1 .. 0.958 */
        lib_vector(v, T, 0, (uint64_t)like);
        lib_vector(noise, T, 0, lib_random(&seed));
        for (int d = 0; d < T; d++) {
            v[d] += (float)near * noise[d];
            norm += (double)v[d] * (double)v[d];
        }
        for (int d = 0; d < T; d++) v[d] = (float)(v[d] / sqrt(norm));
        if (ks_dot(v, ks_twins_vector(t, like), T) < 0.95) continue;
        ck_assert_int_eq(ks_twins_find(t, v, 2), like);
        ck_assert_int_eq(ks_twins_find(t, v, 1), -1);
    }
    ks_twins_close(t);
}
END_TEST

/* A hundred films with the same clip: the hit names some and counts the others; each film once. */
START_TEST(copies_are_bounded)
{
    enum { COPIES = 100 };
    ks_scale s = {.dim = D, .pair_mean = 0.02, .median = 1};
    ks_query_options o = {.k = 5, .vector_query = 1, .apart = 1};
    ks_space space = lib_space(D);
    ks_hits hits;
    char many[64], path[64];
    float q[D];

    lib_new_dir(many);
    MUST(ks_index_open(&s.x, many, KS_CREATE, &e));
    MUST(ks_index_set_space(s.x, &space, "", "", &e));
    lib_vector(q, D, 0, 99);
    for (int f = 0; f < COPIES; f++) {
        ks_video v = {.path = path,
                      .reason = "",
                      .tb = {1, 1000},
                      .duration = 30000,
                      .fps = 25,
                      .verdict = KS_VERDICT_INDEXED};
        ks_clip_data c[2] = {{.clip = {.start = 0, .end = 8000, .frames = 1}, .vector = q},
                             {.clip = {.start = 9000, .end = 17000, .frames = 1}, .vector = q}};
        snprintf(path, sizeof path, "/copies/%03d.mp4", f);
        memcpy(v.content, &f, sizeof f);
        MUST(ks_index_add_video(&v.id, s.x, &v, &e));
        MUST(ks_index_add_clips(s.x, v.id, c, 2, &e));
        MUST(ks_index_end_video(s.x, &v, &e));
    }
    MUST(ks_query_run(&hits, s.x, &s, q, D, &o, &e));
    /* both clips of the first film; all others are copies of the first of them */
    ck_assert_int_eq(hits.count, 2);
    ck_assert_int_eq(hits.at[0].n_copies, KS_HIT_COPIES);
    ck_assert_int_eq(hits.at[0].n_copies + hits.at[0].more_copies, COPIES - 1);
    ck_assert_str_eq(hits.at[0].path, "/copies/000.mp4");
    ck_assert_str_eq(hits.at[0].copies[0], "/copies/001.mp4");
    ck_assert_double_eq(hits.at[0].fps, 25);
    ck_assert_int_eq(hits.at[0].duration, 30000);
    ks_hits_free(&hits);
    ks_index_close(s.x);
    lib_remove_dir(many);
}
END_TEST

/* similar FILE@T: the moment asked about comes first, or not at all. */
START_TEST(the_moment_itself)
{
    ks_scale s = {.dim = D, .pair_mean = 0.02, .median = 1, .x = x};
    ks_query_options o = {.k = 5, .vector_query = 1};

    for (int i = 0; i < n_rows; i += 97) {
        int64_t clip = rows[i].clip.id;
        ks_hits hits;
        int first = 0;
        o.first_clip = clip;
        o.not_clip = 0;
        MUST(ks_query_run(&hits, x, &s, rows[i].v, D, &o, &e));
        for (int j = 0; j < hits.at[0].n_clips; j++) first |= hits.at[0].clips[j] == clip;
        ck_assert_int_eq(first, 1);
        ck_assert(hits.at[0].score > 0.99);
        ks_hits_free(&hits);
        o.first_clip = 0;
        o.not_clip = clip;
        MUST(ks_query_run(&hits, x, &s, rows[i].v, D, &o, &e));
        for (int h = 0; h < hits.count; h++)
            for (int j = 0; j < hits.at[h].n_clips; j++) ck_assert(hits.at[h].clips[j] != clip);
        ks_hits_free(&hits);
        o.not_clip = 0;
        o.not_video = rows[i].clip.video;
        MUST(ks_query_run(&hits, x, &s, rows[i].v, D, &o, &e));
        ck_assert_int_eq(hits.count, 5);
        for (int h = 0; h < hits.count; h++) ck_assert(hits.at[h].video != o.not_video);
        ks_hits_free(&hits);
        o.not_video = 0;
    }
}
END_TEST

START_TEST(another_dimension_is_refused)
{
    ks_scale s = {.dim = D, .x = x};
    ks_query_options o = {.k = 1};
    ks_hits hits;
    float q[2 * D] = {1};

    ck_assert_int_eq(ks_query_run(&hits, x, &s, q, 2 * D, &o, &e), KS_ESPACE);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("moments");
    TCase *c = tcase_create("moments");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_unchecked_fixture(c, make_library, NULL);
    tcase_add_test(c, a_moment_is_the_longest_run_around_its_best);
    tcase_add_test(c, apart_takes_the_seed_alone);
    tcase_add_test(c, a_surveyed_minute_and_finer_clips);
    tcase_add_test(c, queries_agree_with_brute_force);
    tcase_add_test(c, copies_are_folded);
    tcase_add_test(c, twins_are_those_of_comparing_all);
    tcase_add_test(c, twins_are_found_among_very_many);
    tcase_add_test(c, copies_are_bounded);
    tcase_add_test(c, the_moment_itself);
    tcase_add_test(c, another_dimension_is_refused);
    suite_add_tcase(s, c);
    srunner_set_fork_status(r, CK_NOFORK); /* one catalog handle, one process */
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    ks_index_close(x);
    lib_remove_dir(dir);
    return failed != 0;
}
