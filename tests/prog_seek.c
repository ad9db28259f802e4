/* prog_seek.c - DECODER --at LIBRARY VIDEO SECONDS: seconds that its picture takes by seeking
 * and in order, and whether they are one picture. DECODER FILM...: what a seek gives against
 * what the film shows in order.
 *
 * A line a film: its key frames a second apart, how many seeks to one were believed, and how
 * many of the pictures after a seek that was believed differ from the same moment's picture in
 * order. That number is 0, or a seek lied.
 *
 * DECODER --survey FILM...: a line a film: its frames, pictures of its survey and of a glance at
 * it (0: it cannot be sought in), and how many of those the film does not show just then. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

#include "session/session.h"

enum { AFTER = 1 /* second */, FRAMES = 100000 };

typedef struct {
    int64_t ticks;
    uint64_t picture;
} seen;

static uint64_t hash_of(const ks_image *m)
{
    uint64_t h = 0;
    for (int y = 0; y < m->height; y++)
        h = XXH3_64bits_withSeed(m->rgb + (size_t)y * m->stride, 3 * (size_t)m->width, h);
    return h;
}

static uint64_t picture_of(ks_film *film, int64_t number)
{
    ks_image m;
    ks_error e;
    return ks_film_pixels(&m, film, number, &e) < 0 ? 0 : hash_of(&m);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int one_moment(char **argv)
{
    ks_setup setup = {.decoder = argv[1]};
    ks_session *s = NULL;
    ks_decoder *d = NULL;
    ks_image sought, ordered;
    uint8_t *a = NULL, *b = NULL;
    ks_video v;
    ks_error e = {0, ""};
    double at = atof(argv[5]), begun, by_seek = 0, in_order = 0;
    int err = ks_session_open(&s, argv[3], &setup, &e), same = 0;
    if (!err) err = ks_session_decoder(&d, s, &e);
    begun = now();
    if (!err) err = ks_film_picture(&sought, &a, s, atoll(argv[4]), at, &e);
    by_seek = now() - begun;
    if (!err) err = ks_index_video(&v, ks_session_index(s), atoll(argv[4]), &e);
    begun = now();
    if (!err) err = ks_picture(&ordered, &b, d, v.path, at, NULL, &e);
    in_order = now() - begun;
    if (!err) same = hash_of(&sought) == hash_of(&ordered);
    if (err) fprintf(stderr, "%s\n", e.msg);
    else
        printf("%.3f s by seeking, %.3f s in order, %s\n", by_seek, in_order,
               same ? "the same picture" : "ANOTHER PICTURE");
    free(a);
    free(b);
    ks_session_close(s);
    return !same;
}

static int in_order(seen *out, ks_key *key, ks_keys *keys, ks_decoder *d, const char *path)
{
    ks_film_frame f;
    ks_film *film;
    ks_error e;
    int n = 0;
    if (ks_film_open(&film, d, path, NULL, &e) < 0) return 0;
    while (n < FRAMES && ks_film_next(&f, film, &e) == 1) {
        double t = ks_seconds(f.ticks, ks_film_media(film)->tb);
        out[n++] = (seen){f.ticks, picture_of(film, f.number)};
        ks_film_keep(film, f.number);
        if ((f.flags & KS_FRAME_BREAK) && f.number > 0) {
            key[keys->n++] = (ks_key){.ticks = f.ticks, .offset = KS_KEY_BREAK};
            continue;
        }
        if (!(f.flags & KS_FRAME_KEY) ||
            (keys->n > 0 && t < ks_seconds(key[keys->n - 1].ticks, ks_film_media(film)->tb) + 1))
            continue;
        key[keys->n++] = (ks_key){f.ticks, f.shift, f.offset, ks_look(f.small)};
    }
    keys->tb = ks_film_media(film)->tb;
    ks_film_close(film);
    return n;
}

/* The pictures of the next seconds. */
static int differ(const seen *all, int n, ks_film *film)
{
    ks_film_frame f;
    ks_error e;
    int bad = 0;
    double until = -1;
    for (int i = 0, at = 0; ks_film_next(&f, film, &e) == 1; i++) {
        double t = ks_seconds(f.ticks, ks_film_media(film)->tb);
        if (i == 0) until = t + AFTER;
        if (t >= until) break;
        while (at < n && all[at].ticks < f.ticks) at++;
        int wrong = at == n || all[at].ticks != f.ticks ||
                    all[at].picture != picture_of(film, f.number);
        if (wrong && getenv("KS_SEEK_TELL"))
            fprintf(stderr, "frame %d: ticks %lld flags %d, in order %lld\n", i, (long long)f.ticks,
                    f.flags, (long long)(at < n ? all[at].ticks : -1));
        bad += wrong;
        ks_film_keep(film, f.number);
    }
    return bad;
}

static int is_shown(const seen *all, int n, int64_t ticks, uint64_t picture)
{
    for (int i = 0; i < n; i++)
        if (all[i].ticks == ticks && all[i].picture == picture) return 1;
    return 0;
}

/* -> how many pictures of a survey (of this kind) are good for nothing. */
static int survey(int *pictures, const seen *all, int n, ks_decoder *d, const char *path, int kind)
{
    ks_film_options o = {.survey = kind, .no_small = 1};
    ks_film_frame f;
    ks_film *film;
    ks_error e;
    int bad = 0;
    *pictures = 0;
    if (ks_film_open(&film, d, path, &o, &e) < 0) return 0;
    for (; ks_film_next(&f, film, &e) == 1; ++*pictures) {
        int wrong = !is_shown(all, n, f.ticks, picture_of(film, f.number));
        if (wrong && getenv("KS_SEEK_TELL"))
            fprintf(stderr, "%s: ticks %lld\n", path, (long long)f.ticks);
        bad += wrong;
        ks_film_keep(film, f.number);
    }
    /* of one that ends without a verdict nothing is taken */
    if (ks_film_outcome(film)->verdict != KS_VERDICT_INDEXED) *pictures = bad = 0;
    ks_film_close(film);
    return bad;
}

static int look_at_survey(const char *path, seen *all, ks_key *key, ks_decoder *d)
{
    ks_keys keys = {.at = key};
    const char *slash = strrchr(path, '/');
    int of_survey, of_glance, n = in_order(all, key, &keys, d, path);
    int bad = survey(&of_survey, all, n, d, path, 1);
    bad += survey(&of_glance, all, n, d, path, KS_FILM_GLANCE);
    printf("%s: %d frames, %d of a survey, %d of a glance, %d of them wrong\n",
           slash ? slash + 1 : path, n, of_survey, of_glance, bad);
    return bad;
}

int main(int argc, char **argv)
{
    seen *all = malloc(FRAMES * sizeof *all);
    ks_key *key = malloc(FRAMES * sizeof *key);
    ks_decoder *d = NULL;
    ks_error e = {0, ""};
    int lies = 0;
    if (argc == 6 && strcmp(argv[2], "--at") == 0) {
        free(all);
        free(key);
        return one_moment(argv);
    }
    if (!all || !key || argc < 3 || ks_decoder_start(&d, argv[1], NULL, &e) < 0)
        return fprintf(stderr, "%s\n", e.msg), 2;
    int surveys = strcmp(argv[2], "--survey") == 0;
    for (int a = 3; surveys && a < argc; a++) lies += look_at_survey(argv[a], all, key, d);
    for (int a = 2; !surveys && a < argc; a++) {
        ks_keys keys = {.at = key};
        int n = in_order(all, key, &keys, d, argv[a]), believed = 0, bad = 0;
        for (int i = 1; i < keys.n; i++) {
            double at = ks_seconds(key[i].ticks, keys.tb);
            ks_film *film = NULL;
            double from = 0;
            if (ks_film_open_at(&film, &from, d, argv[a], NULL, &keys, at, at + AFTER, &e) < 0)
                continue;
            if (from > 0) believed++, bad += differ(all, n, film);
            ks_film_close(film);
        }
        const char *slash = strrchr(argv[a], '/');
        printf("%s: %d frames, %d seeks, %d believed, %d pictures differ\n",
               slash ? slash + 1 : argv[a], n, keys.n > 0 ? keys.n - 1 : 0, believed, bad);
        lies += bad;
    }
    ks_decoder_stop(d);
    free(all);
    free(key);
    return lies > 0;
}
