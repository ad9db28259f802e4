/* test_dupes.c - what a library has twice, against the definitions of dupes.h in the plainest
 * way: every film over every other at every offset. */
#include "query/dupe_films.h"
#include "query/calibrate.h"
#include "tests/library_maker.h"
#include "tests/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { D = 32, MOST = 90, CLIPS = 64, ROWS = 2000 };
static const double mean = 0.2; /* of clips of different films, as it is said to ks_dupes */

typedef struct {
    int64_t id;
    char path[32];
    int n, whole, width;
    int64_t date;
    float v[CLIPS][D];
    double start[CLIPS], end[CLIPS];
    int held; /* of the brute force */
} film;
static film *films;
static int n_films;
static uint64_t state;
static char dir[64];
static ks_index *x;
static ks_error e;

typedef struct {
    ks_dupe at[ROWS];
    int n;
} rows;
static rows got;

static double uniform(double from, double to)
{
    return from + (to - from) * (double)(lib_random(&state) >> 11) / 9007199254740992.0;
}

static int under(int n) { return (int)(lib_random(&state) % (uint64_t)n); }

static void unit(float *v)
{
    double length = sqrt(ks_dot(v, v, D));
    for (int d = 0; d < D; d++) v[d] = (float)(v[d] / length);
}

static void random_vector(float *v) { lib_vector(v, D, 0, lib_random(&state)); }

/* v moved by noise of this length */
static void shake(float *v, double by)
{
    float noise[D];
    random_vector(noise);
    for (int d = 0; d < D; d++) v[d] += (float)by * noise[d];
    unit(v);
}

static film *new_film(void)
{
    static const int widths[] = {320, 640, 1280};
    film *f = &films[n_films];
    ck_assert_int_lt(n_films, MOST);
    memset(f, 0, sizeof *f);
    snprintf(f->path, sizeof f->path, "/f/%0*d.mp4", 1 + under(4), n_films);
    f->whole = under(6) != 0;
    f->width = widths[under(3)];
    f->date = under(5) * 86400;
    n_films++;
    return f;
}

/* Clips of 8 s every 4 s; the film's own part is `own` of a vector. */
static film *draw_film(int n, const float *of, double own)
{
    film *f = new_film();
    f->n = n;
    for (int i = 0; i < n; i++) {
        random_vector(f->v[i]);
        for (int d = 0; d < D; d++) f->v[i][d] += (float)own * of[d] + (d == 0 ? 0.8f : 0);
        unit(f->v[i]);
        f->start[i] = 4.0 * i;
        f->end[i] = f->start[i] + 8;
    }
    return f;
}

/* Clips from..to of a film, moved off its grid by so much of a clip's step. */
static film *copy_part(const film *of, int from, int to, double off, double noise)
{
    film *f = new_film();
    f->n = to - from - (off > 0);
    for (int i = 0; i < f->n; i++) {
        for (int d = 0; d < D; d++)
            f->v[i][d] = (float)((1 - off) * (double)of->v[from + i][d] +
                                 (off > 0 ? off * (double)of->v[from + i + 1][d] : 0));
        unit(f->v[i]);
        shake(f->v[i], noise * uniform(0, 1));
        f->start[i] = 4.0 * i;
        f->end[i] = f->start[i] + 8;
    }
    return f;
}

static film *join(const film *a, int n, const film *b, int m)
{
    film *f = copy_part(a, 0, n, 0, 0.02);
    for (int i = 0; i < m; i++) {
        memcpy(f->v[n + i], b->v[b->n - m + i], sizeof f->v[0]);
        f->start[n + i] = 4.0 * (n + i);
        f->end[n + i] = f->start[n + i] + 8;
    }
    f->n = n + m;
    return f;
}

static void store(void)
{
    for (int i = 0; i < n_films; i++) {
        film *f = &films[i];
        ks_clip_data clips[CLIPS];
        uint64_t content = (uint64_t)i + 1;
        ks_video v = {.path = f->path,
                      .stat.size = 1,
                      .reason = "",
                      .verdict = f->whole ? KS_VERDICT_INDEXED : KS_VERDICT_PARTLY,
                      .tb = {1, 1000},
                      .duration = (int64_t)(f->end[f->n - 1] * 1000),
                      .film_date = f->date,
                      .width = f->width,
                      .height = f->width / 2,
                      .fps = 25};
        memcpy(v.content, &content, sizeof content);
        for (int k = 0; k < f->n; k++)
            clips[k] = (ks_clip_data){.clip = {.start = (int64_t)(f->start[k] * 1000),
                                               .end = (int64_t)(f->end[k] * 1000),
                                               .frames = 1},
                                      .vector = f->v[k]};
        MUST(ks_index_add_video(&f->id, x, &v, &e));
        v.id = f->id;
        MUST(ks_index_add_clips(x, v.id, clips, f->n, &e));
        MUST(ks_index_end_video(x, &v, &e));
    }
    for (int i = 0; i < n_films; i++) { /* as they are stored */
        ks_filter f = {.video = films[i].id};
        ks_cursor *c = NULL;
        ks_clip clip;
        MUST(ks_index_clips(&c, x, &f, &e));
        for (int k = 0; ks_clips_next(&clip, c, &e) > 0; k++)
            MUST(ks_index_clip_vector(films[i].v[k], D, x, clip.id, &e));
        ks_cursor_close(c);
    }
}

static int take(void *arg, const ks_dupe *row)
{
    (void)arg;
    ck_assert_int_lt(got.n, ROWS);
    got.at[got.n++] = *row;
    return 0;
}

/* --- brute force --- */
static double likeness(const float *a, const float *b)
{
    return (ks_dot(a, b, D) - mean) / (1 - mean);
}

/* f moved by the offset over g: of each of its clips the likeness to its partner; 0: none. */
static void over(double *out, const film *g, const film *f, double offset)
{
    for (int i = 0; i < f->n; i++) {
        double most = 0;
        out[i] = 0;
        for (int k = g->n - 1; k >= 0; k--) { /* of equal ones the first */
            double s = fmin(g->end[k], f->end[i] + offset) -
                       fmax(g->start[k], f->start[i] + offset);
            if (s < fmin(g->end[k] - g->start[k], f->end[i] - f->start[i]) / 2 - 1e-6 || s < most)
                continue;
            most = s;
            out[i] = fmax(0, likeness(f->v[i], g->v[k]));
        }
    }
}

static int is_held(const double *of, int n)
{
    double sum = 0, best = 0;
    for (int i = 0; i < n; i++) {
        if (of[i] < 0.5) return 0;
        sum += of[i];
        best = fmax(best, of[i]);
    }
    return sum >= 0.8 * n && best >= 0.95;
}

/* Two or more clips one after the other that would be a film that is held. */
static int has_run(const double *of, int n)
{
    for (int i = 0; i < n; i++) {
        int k = i;
        while (k < n && of[k] >= 0.5) k++;
        if (k - i >= 2 && (i == 0 || of[i - 1] < 0.5) && is_held(of + i, k - i)) return 1;
    }
    return 0;
}

typedef struct {
    int holds, shares;
} relation;
static relation (*brute)[MOST]; /* [a][b]: a holds b; a run of the shorter (later) one */

/* Where the definition stands on the edge (a likeness within rounding of a bound) the offsets
 * decide nothing else. */
static void relate(void)
{
    memset(brute, 0, sizeof(relation) * MOST * MOST);
    for (int a = 0; a < n_films; a++)
        for (int b = 0; b < n_films; b++) {
            const film *f = &films[a], *g = &films[b];
            double of[CLIPS];
            int first = f->end[f->n - 1] > g->end[g->n - 1] ||
                        (f->end[f->n - 1] == g->end[g->n - 1] && f->id < g->id);
            for (int i = 0; i < f->n && a != b; i++)
                for (int k = 0; k < g->n; k++) {
                    if (likeness(f->v[i], g->v[k]) < 0.95) continue;
                    double offset = (double)llround((f->start[i] - g->start[k]) * 10) / 10;
                    over(of, f, g, offset);
                    brute[a][b].holds |= is_held(of, g->n);
                    brute[a][b].shares |= first && has_run(of, g->n);
                }
        }
}

static int better(const film *a, const film *b)
{
    long s = lround(a->end[a->n - 1]), t = lround(b->end[b->n - 1]);
    if (a->whole != b->whole) return a->whole;
    if (a->width != b->width) return a->width > b->width;
    if (s != t) return s > t;
    if (a->date != b->date) return a->date < b->date;
    if (strlen(a->path) != strlen(b->path)) return strlen(a->path) < strlen(b->path);
    return strcmp(a->path, b->path) < 0;
}

static int of_id(int64_t id)
{
    for (int i = 0; i < n_films; i++)
        if (films[i].id == id) return i;
    ck_abort_msg("no film %lld", (long long)id);
    return -1;
}

/* best first, films that are in another and do not hold it last */
static void in_order(int *order, int within)
{
    int in[MOST] = {0};
    for (int b = 0; b < n_films; b++)
        for (int a = 0; a < n_films && within; a++)
            in[b] |= brute[a][b].holds && !brute[b][a].holds;
    for (int i = 0; i < n_films; i++) {
        int at = i;
        for (; at > 0; at--) {
            int p = order[at - 1];
            if (in[p] != in[i] ? in[p] < in[i] : better(&films[p], &films[i])) break;
            order[at] = p;
        }
        order[at] = i;
    }
}

/* keeper[b]: the film it goes with, -1: none; of this kind in what was got */
static void keepers_got(int *keeper, int kind)
{
    int64_t group = 0;
    int keep = -1;
    for (int i = 0; i < n_films; i++) keeper[i] = -1;
    for (int i = 0; i < got.n; i++) {
        const ks_dupe *r = &got.at[i];
        if (r->kind != kind) continue;
        ck_assert_int_eq(r->keep, r->group != group); /* the one to keep first */
        if (r->keep) keep = of_id(r->video);
        else keeper[of_id(r->video)] = keep;
        group = r->group;
    }
}

static void same_keepers(const int *want, int kind, const char *what)
{
    int have[MOST];
    keepers_got(have, kind);
    for (int i = 0; i < n_films; i++)
        ck_assert_msg(have[i] == want[i], "%s: %s goes with %s, not %s", what, films[i].path,
                      want[i] < 0 ? "none" : films[want[i]].path,
                      have[i] < 0 ? "none" : films[have[i]].path);
}

static int check_near(void)
{
    int order[MOST], want[MOST], n = 0;
    in_order(order, 1);
    for (int i = 0; i < n_films; i++) want[i] = -1;
    for (int i = 0; i < n_films; i++) {
        int a = order[i];
        if (films[a].held) continue;
        for (int k = i + 1; k < n_films; k++) {
            int b = order[k];
            if (films[b].held || !brute[a][b].holds) continue;
            films[b].held = 1;
            want[b] = a;
            n++;
        }
    }
    same_keepers(want, KS_DUPES_NEAR, "near");
    return n;
}

static int check_shared(void)
{
    int n = 0, seen = 0;
    for (int a = 0; a < n_films; a++)
        for (int b = 0; b < n_films; b++) {
            int64_t group = 0;
            int first = -1, there = 0;
            for (int i = 0; i < got.n; i++) {
                if (got.at[i].kind != KS_DUPES_SHARED) continue;
                ck_assert_int_eq(got.at[i].keep, 1);
                if (got.at[i].group != group) first = of_id(got.at[i].video);
                else there |= first == a && of_id(got.at[i].video) == b;
                group = got.at[i].group;
            }
            int wanted = brute[a][b].shares && !brute[a][b].holds && !brute[b][a].holds &&
                         !films[a].held && !films[b].held;
            ck_assert_msg(there == wanted, "%s and %s: shared %d, not %d", films[a].path,
                          films[b].path, wanted, there);
            n += wanted;
            seen += there;
        }
    ck_assert_int_eq(n, seen);
    return n;
}

static int check_takes(void)
{
    static float v[MOST][D];
    float centre[D];
    int order[MOST], want[MOST], here = 0, n = 0, taken[MOST] = {0};
    MUST(ks_centre(centre, x, D, &e));
    for (int i = 0; i < n_films; i++) here += !films[i].held;
    for (int i = 0; i < n_films; i++) {
        want[i] = -1;
        for (int d = 0; d < D; d++) {
            v[i][d] = -centre[d] * (float)here / (float)(here + 8);
            for (int k = 0; k < films[i].n; k++) v[i][d] += films[i].v[k][d] / (float)films[i].n;
        }
        unit(v[i]);
    }
    in_order(order, 0);
    for (int i = 0; i < n_films; i++)
        for (int k = i + 1; k < n_films; k++) {
            const film *f = &films[order[i]], *g = &films[order[k]];
            int each = 1;
            if (f->held || g->held || taken[order[i]] || taken[order[k]] ||
                ks_dot(v[order[i]], v[order[k]], D) < 0.6)
                continue;
            for (int s = 0; s < 2 && each; s++) {
                const film *p = s ? g : f, *q = s ? f : g;
                for (int c = 0; c < p->n && each; c++) {
                    int any = 0;
                    for (int m = 0; m < q->n; m++) any |= likeness(p->v[c], q->v[m]) >= 0.5;
                    each = any;
                }
            }
            if (!each) continue;
            taken[order[k]] = 1;
            want[order[k]] = order[i];
            n++;
        }
    same_keepers(want, KS_DUPES_TAKES, "takes");
    return n;
}

static void setup(void)
{
    films = calloc(MOST, sizeof *films);
    brute = calloc(MOST, sizeof *brute);
    ck_assert(films && brute);
    n_films = 0;
    ks_space space = lib_space(D);
    MUST(ks_index_open(&x, lib_new_dir(dir), KS_CREATE, &e));
    MUST(ks_index_set_space(x, &space, "", "", &e));
    got.n = 0;
}

static void teardown(void)
{
    ks_index_close(x);
    lib_remove_dir(dir);
    free(films);
    free(brute);
}

static void draw_library(int scenes, int longest)
{
    for (int s = 0; s < scenes; s++) {
        float of[D];
        random_vector(of);
        int takes = under(3) == 0 ? 3 : 1, first = n_films;
        for (int t = 0; t < takes; t++)
            draw_film(3 + under(longest), of, takes > 1 ? uniform(1.2, 2.5) : 0.6);
        for (int c = under(4); c > 0; c--) {
            const film *f = &films[first + under(takes)];
            int from = under(3) ? 0 : under(f->n - 2), whole = under(2);
            int to = whole && from == 0 ? f->n : from + 2 + under(f->n - from - 1);
            copy_part(f, from, to, under(3) || to - from < 4 ? 0 : uniform(0.1, 0.5),
                      uniform(0.05, 0.6));
        }
    }
    for (int j = 0; j < scenes / 3; j++) {
        const film *a = &films[under(n_films)], *b = &films[under(n_films)];
        join(a, 1 + under(a->n), b, 1 + under(b->n));
    }
}

START_TEST(as_brute_force_says)
{
    state = 2600 + (uint64_t)_i;
    draw_library(7 + under(6), 9);
    store();
    relate();
    MUST(ks_dupes(x, mean, KS_DUPES_EQUAL | KS_DUPES_NEAR | KS_DUPES_TAKES, NULL, take, NULL, &e));
    int near = check_near(), shared = check_shared(), takes = check_takes();
    printf("seed %d: %d films, %d in another, %d shared moments, %d takes\n", 2600 + _i, n_films,
           near, shared, takes);
    for (int i = 0; i < got.n; i++) ck_assert_int_ne(got.at[i].kind, KS_DUPES_EQUAL);
}
END_TEST

/* More clips than are compared one by one: copies are found by their signs. */
START_TEST(of_many_clips)
{
    state = 77;
    for (int i = 0; i < 30; i++) {
        float of[D];
        random_vector(of);
        const film *f = draw_film(20 + under(20), of, 0.6);
        copy_part(f, 2, f->n - under(6), 0, 0.1);
    }
    store();
    relate();
    MUST(ks_dupes(x, mean, KS_DUPES_NEAR, NULL, take, NULL, &e));
    ck_assert_int_ge(check_near(), 30);
}
END_TEST

/* Paths of one content: the oldest file is kept, of those the shortest path; a hard link is said
 * to be one. */
START_TEST(equal_files)
{
    static const struct {
        const char *path;
        int64_t mtime;
        uint64_t inode;
    } paths[] = {
        {"/f/copy of a.mp4", 5, 1}, {"/f/b/a.mp4", 3, 2}, {"/f/a.mp4", 3, 3}, {"/f/c.mp4", 9, 3}};
    float of[D];
    state = 5;
    random_vector(of);
    draw_film(4, of, 0.6);
    draw_film(4, of, 0.6);
    store();
    for (int i = 0; i < 4; i++) {
        ks_video v = {.id = films[0].id,
                      .path = paths[i].path,
                      .stat = {0, paths[i].mtime, 1, paths[i].inode},
                      .reason = ""};
        MUST(ks_index_set_path(x, &v, &e));
    }
    MUST(ks_index_drop_path(x, films[0].path, &e));
    MUST(ks_dupes(x, mean, KS_DUPES_EQUAL, NULL, take, NULL, &e));
    ck_assert_int_eq(got.n, 4);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(got.at[i].group, 1);
        ck_assert_int_eq(got.at[i].keep, i == 0);
        ck_assert_int_eq(got.at[i].video, films[0].id);
        ck_assert(got.at[i].cosine == 1);
        ck_assert_int_eq(got.at[i].end, (int64_t)(films[0].end[3] * 1000));
    }
    ck_assert_str_eq(got.at[0].why, "the shortest path of equal files");
    ck_assert_str_eq(got.at[1].why, "the same bytes");
    ck_assert_str_eq(got.at[3].why, "another name of the same file");
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("dupes");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, as_brute_force_says, 0, 40);
    tcase_add_test(t, of_many_clips);
    tcase_add_test(t, equal_files);
    return ks_run_case("dupes", t);
}
