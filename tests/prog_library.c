/* prog_library.c - a library as ingest writes one, without video: for faults, power loss and sizes.
 *
 *   grow DIR FROM TO CLIPS DIM KIND [fast|full]  films FROM..TO-1, each in parts; "film N" when
 *                                           its verdict is durable.
 *                                    Every third film is forgotten again two films later ("gone
 *                                      N"). fast: one
 *                                    transaction for 100 films, none forgotten; full: so, each
 *                                      clip with frame vectors and a picture. Ends with a
 *                                      publish.
 *   verify DIR CLIPS DIM KIND ACKED  the library checks; what the file ACKED says is there, with
 *                                    its vectors.
 *   search DIR DIM KIND SEED         exact search = brute force over the catalog.
 *   scores DIR DIM QUERIES           seconds of scoring every clip against so many queries.
 *   open DIR DIM                     milliseconds of opening and one exact search, in a fresh
 *                                    process. */
#include "index/catalog.h"
#include "index/mapped_segments.h"
#include "index/index.h"
#include "tests/library_maker.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static int fail(const char *what, const ks_error *e)
{
    fprintf(stderr, "%s: %s\n", what, e->msg);
    return e->code == KS_EIO || e->code == KS_ENOMEM ? 5 : 6;
}

static void path_of(char *path, int film)
{
    snprintf(path, 64, "/films/%d/f%d.mp4", film % 7, film);
}

/* As a worker's clips are: sixteen frame vectors and a picture of 6 kB. */
static int add_full_film(ks_index *x, int64_t video, int clips, int dim, int kind, uint64_t seed,
                         ks_error *e)
{
    enum { FRAMES = 16, JPEG = 6000, BATCH = 100 };
    ks_clip_data c[BATCH];
    size_t d = (size_t)dim;
    uint8_t jpeg[JPEG];
    float *v = calloc(BATCH * d, sizeof *v), *frames = calloc((BATCH + FRAMES) * d, sizeof *frames);
    int code = v && frames ? 0 : ks_fail(e, KS_ENOMEM, "no memory");
    for (size_t i = 0; i < JPEG; i++) jpeg[i] = (uint8_t)(seed * 37 + i * i * 7919 / 13);
    for (int i = 0; i < BATCH + FRAMES && code >= 0; i++)
        lib_vector(frames + (size_t)i * d, dim, kind, seed + 77 + (uint64_t)i);
    for (int i = 0; i < clips && code >= 0; i += BATCH) {
        int n = clips - i < BATCH ? clips - i : BATCH;
        for (int j = 0; j < n; j++) {
            lib_vector(v + (size_t)j * d, dim, kind, seed + (uint64_t)(i + j));
            c[j] = (ks_clip_data){
                .clip = {.start = (i + j) * 4000, .end = (i + j) * 4000 + 8000, .frames = FRAMES},
                .vector = v + (size_t)j * d,
                .frame_vectors = frames + (size_t)j * d,
                .jpeg = jpeg,
                .jpeg_bytes = JPEG};
        }
        code = ks_index_add_clips(x, video, c, n, e);
    }
    free(v);
    free(frames);
    return code;
}

static int add_film(ks_index *x, int film, int clips, int dim, int kind, int full, ks_error *e)
{
    char path[64];
    uint64_t content = (uint64_t)film + 1;
    ks_video v = {.path = path,
                  .reason = "",
                  .tb = {1, 1000},
                  .duration = clips * 4000,
                  .film_date = 1000 + film,
                  .fps = 25};
    float *vector = malloc((size_t)dim * sizeof *vector);
    if (!vector) return ks_fail(e, KS_ENOMEM, "no memory");
    path_of(path, film);
    memcpy(v.content, &content, sizeof content);
    int code = ks_index_add_video(&v.id, x, &v, e);
    if (full && code >= 0) code = add_full_film(x, v.id, clips, dim, kind, content * 1000003, e);
    for (int i = 0; i < clips && code >= 0 && !full; i++) {
        lib_vector(vector, dim, kind, content * 1000003 + (uint64_t)i);
        ks_clip_data c = {.clip = {.start = i * 4000, .end = i * 4000 + 8000, .frames = 1},
                          .vector = vector,
                          .jpeg = (const uint8_t *)"0123456789",
                          .jpeg_bytes = 10};
        code = ks_index_add_clips(x, v.id, &c, 1, e);
    }
    v.verdict = KS_VERDICT_INDEXED;
    if (code >= 0) code = ks_index_end_video(x, &v, e);
    free(vector);
    return code;
}

static int grow_fast(ks_index *x, char **a, ks_error *e)
{
    int to = atoi(a[2]), code = 0;
    for (int film = atoi(a[1]); film < to && code >= 0;) {
        code = ks_index_begin(x, e);
        if (code < 0) break;
        for (int end = film + 100; film < end && film < to && code >= 0; film++)
            code = add_film(x, film, atoi(a[3]), atoi(a[4]), atoi(a[5]), strcmp(a[6], "full") == 0,
                            e);
        code = ks_index_end(x, code, e);
    }
    return code;
}

static int grow(int n, char **a)
{
    ks_error e = {0};
    ks_index *x = NULL;
    ks_space space = lib_space(atoi(a[4]));
    int code = ks_index_open(&x, a[0], KS_CREATE, &e);
    if (code >= 0) code = ks_index_set_space(x, &space, "/m", "/t", &e);
    if (code >= 0 && n > 6) code = grow_fast(x, a, &e);
    for (int film = atoi(a[1]); n <= 6 && film < atoi(a[2]) && code >= 0; film++) {
        code = add_film(x, film, atoi(a[3]), atoi(a[4]), atoi(a[5]), 0, &e);
        if (code < 0) break;
        printf("film %d\n", film);
        fflush(stdout);
        if (film % 3 == 2) {
            char path[64];
            path_of(path, film - 2);
            code = ks_index_drop_path(x, path, &e);
            if (code < 0) break;
            printf("gone %d\n", film - 2);
            fflush(stdout);
        }
        if (film % 4 == 3) code = ks_index_publish(x, 0, &e);
    }
    if (code >= 0) code = ks_index_publish(x, 1, &e);
    ks_index_close(x);
    return code < 0 ? fail("grow", &e) : 0;
}

static void print(void *arg, int invariant, int64_t clip, const char *sentence)
{
    (void)arg;
    fprintf(stderr, "invariant %d, clip %lld: %s\n", invariant, (long long)clip, sentence);
}

/* 0 = the film is there, whole, with the vectors it was given. */
static int whole_film(ks_index *x, int film, int clips, int dim, int kind)
{
    ks_error e = {0};
    ks_video v;
    ks_cursor *c;
    ks_clip clip;
    char path[64];
    int n = 0, bad = 0;
    float *want = malloc((size_t)dim * sizeof *want), *got = malloc((size_t)dim * sizeof *got);
    path_of(path, film);
    if (ks_index_find(&v, x, path, &e) != 1 || v.verdict != KS_VERDICT_INDEXED) bad = 1;
    if (!bad && ks_index_clips(&c, x, &(ks_filter){.video = v.id}, &e) >= 0) {
        while (ks_clips_next(&clip, c, &e) > 0) {
            lib_vector(want, dim, kind,
                       ((uint64_t)film + 1) * 1000003 + (uint64_t)(clip.start / 4000));
            if (ks_index_clip_vector(got, dim, x, clip.id, &e) < 0) bad = 1;
            for (int d = 0; d < dim && !bad; d++)
                bad = got[d] - want[d] > 1e-3f || want[d] - got[d] > 1e-3f;
            n++;
        }
        ks_cursor_close(c);
    }
    free(want);
    free(got);
    return bad || n != clips;
}

static int verify(char **a)
{
    ks_error e = {0};
    ks_index *x;
    char line[64];
    int clips = atoi(a[1]), dim = atoi(a[2]), kind = atoi(a[3]), bad = 0, films = 0, last = -1;
    unsigned char *state = calloc(1 << 20, 1); /* 1 = said to be in, 2 = said to be gone */
    FILE *f = fopen(a[4], "r");
    while (f && fgets(line, sizeof line, f)) {
        int film;
        if (!strchr(line, '\n')) break; /* torn by the fault: not said */
        if (sscanf(line, "film %d", &film) == 1) state[film] = 1, films++, last = film;
        if (sscanf(line, "gone %d", &film) == 1) state[film] = 2;
    }
    if (f) fclose(f);
    int code = ks_index_open(&x, a[0], KS_READ, &e);
    if (code == KS_ENOLIBRARY && films == 0) {
        free(state);
        return 0; /* nothing was said yet */
    }
    if (code < 0) return fail("open", &e);
    if (ks_index_check(x, print, NULL, &e) != 0) bad = 1;
    for (int i = 0; i <= last; i++) {
        int next_gone = i % 3 == 0 && i == last - 2; /* its removal may be done and not said yet */
        if (state[i] == 1 && !next_gone && whole_film(x, i, clips, dim, kind))
            bad = 1, fprintf(stderr, "film %d is not as it was said\n", i);
        ks_video v;
        char path[64];
        path_of(path, i);
        if (state[i] == 2 && ks_index_find(&v, x, path, &e) != 0)
            bad = 1, fprintf(stderr, "film %d is back\n", i);
    }
    ks_index_close(x);
    free(state);
    return bad;
}

static int search(char **a)
{
    enum { K = 10 };
    ks_error e = {0};
    ks_index *x;
    int dim = atoi(a[1]), n, bad = 0;
    ks_neighbour want[K];
    ks_found found;
    float *q = malloc((size_t)dim * sizeof *q);
    lib_vector(q, dim, atoi(a[2]), strtoull(a[3], NULL, 10));
    int code = ks_index_open(&x, a[0], KS_READ, &e);
    if (code == KS_ENOLIBRARY) return 0;
    if (code < 0) return fail("open", &e);
    lib_brute(want, &n, x, q, dim, K, NULL);
    if (ks_index_search(&found, x, q, dim, K, NULL, KS_SEARCH_EXACT, &e) < 0)
        return fail("search", &e);
    bad = found.count != n;
    for (int i = 0; i < n && !bad; i++)
        bad = found.at[i].clip != want[i].clip || found.at[i].cosine != want[i].cosine;
    ks_found_free(&found);
    ks_index_close(x);
    free(q);
    return bad;
}

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static int open_time(char **a)
{
    ks_error e = {0};
    ks_index *x;
    ks_found found;
    int dim = atoi(a[1]);
    float *q = malloc((size_t)dim * sizeof *q);
    lib_vector(q, dim, 0, 5);
    double start = now(CLOCK_MONOTONIC);
    if (ks_index_open(&x, a[0], KS_READ, &e) < 0) return fail("open", &e);
    ks_library_row library;
    ks_space space;
    int code = ks_snapshot(x, &e);
    if (code >= 0) code = ks_library_read(&library, x, &e);
    if (code >= 0) code = ks_space_read(&space, x, library.space, &e);
    if (code >= 0) code = ks_segments_load(x, &library, &space, &e);
    if (code >= 0) code = ks_end(x, 0, &e);
    double opened = now(CLOCK_MONOTONIC);
    for (int i = 0; i < 6 && code >= 0; i++) {
        double from = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
        code = ks_index_search(&found, x, q, dim, 10, NULL,
                               i < 3 ? KS_SEARCH_EXACT : KS_SEARCH_AUTO, &e);
        if (code >= 0)
            printf("%s %d: %.2f ms, %.2f ms of processor, %lld vectors\n",
                   found.approximate ? "lists" : "exact", i, now(CLOCK_MONOTONIC) - from,
                   now(CLOCK_PROCESS_CPUTIME_ID) - cpu, (long long)found.searched);
        ks_found_free(&found);
    }
    if (code < 0) return fail("search", &e);
    printf("open %.2f ms, copies %d\n", opened - start, x->segments->n);
    ks_index_close(x);
    free(q);
    return 0;
}

static int count_scores(void *arg, const ks_clip *clips, const float *scores, int m)
{
    (void)clips, (void)scores;
    *(int64_t *)arg += m;
    return 0;
}

static int scores_time(char **a)
{
    ks_error e = {0};
    ks_index *x;
    int dim = atoi(a[1]), queries = atoi(a[2]);
    float *q = malloc((size_t)dim * (size_t)queries * sizeof *q);
    int64_t clips = 0;
    for (int i = 0; i < queries; i++)
        lib_vector(q + (size_t)i * (size_t)dim, dim, 0, 5 + (uint64_t)i);
    if (ks_index_open(&x, a[0], KS_READ, &e) < 0) return fail("open", &e);
    double from = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    if (ks_index_scores(x, q, queries, dim, NULL, count_scores, &clips, &e) < 0)
        return fail("scores", &e);
    printf("%d queries, %lld clips: %.2f s, %.2f s of processor\n", queries, (long long)clips,
           (now(CLOCK_MONOTONIC) - from) / 1e3, (now(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1e3);
    ks_index_close(x);
    free(q);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 7 && !strcmp(argv[1], "grow")) return grow(argc - 2, argv + 2);
    if (argc > 6 && !strcmp(argv[1], "verify")) return verify(argv + 2);
    if (argc > 5 && !strcmp(argv[1], "search")) return search(argv + 2);
    if (argc > 4 && !strcmp(argv[1], "scores")) return scores_time(argv + 2);
    if (argc > 3 && !strcmp(argv[1], "open")) return open_time(argv + 2);
    return 2;
}
