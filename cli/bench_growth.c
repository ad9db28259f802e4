/* bench_growth.c - whole commands on made libraries, each a process of its own, from its start
 * to its last byte. */
#include "cli/bench_growth.h"

#include "cli/temporary_folder.h"
#include "cli/terminal.h"
#include "formats/formats.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { WORDS = 16 };

static const struct {
    const char *name;
    const char *words[WORDS];
} asked[] = {
    {"search", {"search", "a dog jumping into water"}},
    {"search --exact", {"search", "a dog jumping into water", "--exact"}},
    {"search -k 1000", {"search", "a dog jumping into water", "-k", "1000", "--all"}},
    {"search --and x 2",
     {"search", "a dog jumping into water", "--and", "a red boat", "--and", "people in the rain",
      "--all"}},
    {"search --then x 2",
     {"search", "a dog jumping into water", "--then", "a red boat", "--then", "people in the rain",
      "--all"}},
    {"search --in FILM", {"search", "a dog jumping into water", "--in", "5.mp4", "--all"}},
    {"clips --in FILM", {"clips", "--in", "5.mp4"}},
    {"status", {"status"}},
    {"label of 400", {"label", "-l", "k400", "--json"}},
    {"label --store", {"label", "-l", "k400", "--store", "k"}},
    {"label again", {"label", "-l", "k400", "--store", "k"}}, /* a film came */
    {"teach of 10",
     {"teach", "dog", "--yes", "1.mp4@0-8", "2.mp4@0-8", "3.mp4@0-8", "4.mp4@0-8", "5.mp4@0-8",
      "--no", "1.mp4@40-48", "2.mp4@40-48", "6.mp4@0-8", "7.mp4@0-8", "8.mp4@0-8"}},
    {"relocate FILM", {"relocate"}},
    {"forget FILM", {"forget"}},
};
enum { ASKED = sizeof asked / sizeof *asked, SIZES = 16, ARGUMENTS = 28 };

typedef struct {
    char program[4096];
    char *dir;
    const ks_globals *g;
    int rounds;
    long kib; /* resident, of the process that took most so far */
} bench;

/* Milliseconds of one process. */
static int run_once(double *ms, bench *b, const char *const *words, ks_error *e)
{
    const char *argv[ARGUMENTS] = {b->program, "-q", "-L", b->dir};
    int n = 4, status, rc;
    posix_spawn_file_actions_t to;
    struct timespec began, over;
    struct rusage used;
    pid_t pid;

    if (b->g->setup.model) {
        argv[n++] = "-m";
        argv[n++] = b->g->setup.model;
    }
    for (int i = 0; words[i]; i++) argv[n++] = words[i];
    if (posix_spawn_file_actions_init(&to) != 0) return ks_fail(e, KS_ENOMEM, "no memory");
    posix_spawn_file_actions_addopen(&to, 1, "/dev/null", O_WRONLY, 0);
    clock_gettime(CLOCK_MONOTONIC, &began);
    rc = posix_spawn(&pid, b->program, &to, NULL, (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&to);
    if (rc != 0) return ks_fail(e, KS_EIO, "%s: %s", b->program, strerror(rc));
    while (wait4(pid, &status, 0, &used) < 0)
        if (errno != EINTR) return ks_fail(e, KS_EIO, "%s: %s", b->program, strerror(errno));
    clock_gettime(CLOCK_MONOTONIC, &over);
    b->kib = used.ru_maxrss > b->kib ? used.ru_maxrss : b->kib;
    *ms = (double)(over.tv_sec - began.tv_sec) * 1e3 +
          (double)(over.tv_nsec - began.tv_nsec) * 1e-6;
    if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
        return ks_fail(e, KS_EIO, "kinoseek %s ended with %d", words[0],
                       WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
    return 0;
}

/* One more film for what goes on where it was. */
static int add_film(const bench *b, ks_error *e)
{
    enum { NUMBER = 90000000 };
    ks_index *x = NULL;
    ks_library *l = malloc(sizeof *l);
    float *room = NULL;
    int err = l ? ks_index_open(&x, b->dir, KS_WRITE, e) : ks_fail(e, KS_ENOMEM, "no memory");

    if (err >= 0) err = ks_index_library(l, x, e);
    if (err >= 0 && !(room = malloc((size_t)KS_MADE_FILM * (size_t)l->space.dim * sizeof *room)))
        err = ks_fail(e, KS_ENOMEM, "no memory");
    if (err >= 0) err = ks_made_film(x, NUMBER, NUMBER, KS_MADE_FILM, room, l->space.dim, e);
    if (err >= 0) err = ks_index_publish(x, 0, e);
    ks_index_close(x);
    free(room);
    free(l);
    return err;
}

/* How often command i is measured at most: what labels a whole library is once enough, but that
 * the first run encodes the labels; what changes the library takes another film each time, of
 * the ten that the smallest library has. */
static int most_rounds(int i, int rounds)
{
    const char *name = asked[i].name;
    int most = strcmp(name, "label of 400") == 0                                        ? 2
               : strncmp(name, "label", 5) == 0                                         ? 1
               : strcmp(name, "relocate FILM") == 0 || strcmp(name, "forget FILM") == 0 ? 4
                                                                                        : rounds;
    return most < rounds ? most : rounds;
}

static void words_of(const char *words[WORDS], char film[32], char to[4200], const bench *b, int i,
                     int round)
{
    int forget = strcmp(asked[i].words[0], "forget") == 0,
        relocate = strcmp(asked[i].words[0], "relocate") == 0;
    int number = (forget ? 6 : 1) + round, fd;

    memcpy(words, asked[i].words, sizeof asked[i].words);
    if (!forget && !relocate) return;
    snprintf(film, 32, "/made/%d/%d.mp4", number, number);
    words[1] = film;
    if (relocate) { /* only to where something is */
        snprintf(to, 4200, "%.4000s/moved-%d", b->dir, number);
        if ((fd = open(to, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) >= 0) close(fd);
        words[2] = to;
    }
}

/* The fastest round of command i. */
static int measure(double *best, bench *b, int i, ks_error *e)
{
    int rounds = most_rounds(i, b->rounds), err = 0;

    if (strcmp(asked[i].name, "label again") == 0) err = add_film(b, e);
    for (int round = 0; round < rounds && err >= 0; round++) {
        const char *words[WORDS];
        char film[32], to[4200];
        double ms = 0;

        words_of(words, film, to, b, i, round);
        if ((err = run_once(&ms, b, words, e)) < 0) return err;
        *best = round == 0 || ms < *best ? ms : *best;
    }
    return err;
}

static int measure_size(double took[ASKED], bench *b, int64_t clips, ks_encoder *enc, ks_error *e)
{
    int err = ks_temporary_folder(&b->dir, e);

    if (err < 0) return err;
    err = ks_make_library(b->dir, clips, enc, e);
    for (int i = 0; i < ASKED && err >= 0; i++) err = measure(&took[i], b, i, e);
    ks_remove_files(b->dir);
    free(b->dir);
    return err;
}

static int read_sizes(int64_t sizes[SIZES], const char *text, ks_error *e)
{
    int n = 0;

    for (const char *at = text; *at;) {
        char *end;
        long long size = strtoll(at, &end, 10);
        if (end == at || (*end && *end != ',') || size < 10 * KS_MADE_FILM || size > 100000000 ||
            n == SIZES)
            return ks_fail(
                e, KS_EUSAGE,
                "--made takes up to %d numbers of clips from %d on, such as 1000,10000: not \"%s\"",
                SIZES, 10 * KS_MADE_FILM, text);
        sizes[n++] = size;
        at = *end ? end + 1 : end;
    }
    return n ? n : ks_fail(e, KS_EUSAGE, "--made takes numbers of clips, such as 1000,10000");
}

static void print_json(int64_t clips, int dim, const double *took, long kib)
{
    ks_json j;

    ks_json_start(&j, stdout);
    ks_json_open(&j, NULL, '{');
    ks_json_text(&j, "bench", "growth");
    ks_json_int(&j, "clips", clips);
    ks_json_int(&j, "dim", dim);
    for (int i = 0; i < ASKED; i++) {
        char name[40];
        snprintf(name, sizeof name, "%s_seconds", asked[i].name);
        for (char *c = name; *c; c++)
            if (*c == ' ' || *c == '-') *c = '_';
        ks_json_number(&j, name, took[i] / 1e3);
    }
    ks_json_number(&j, "most_resident_mebibytes", (double)kib / 1024);
    ks_json_close(&j);
}

static void print_table(const int64_t *sizes, double (*took)[ASKED], int n)
{
    printf("%-18s", "ms, clips:");
    for (int s = 0; s < n; s++) {
        char clips[32];
        printf("  %11s", ks_thousands(clips, sizes[s]));
    }
    putchar('\n');
    for (int i = 0; i < ASKED; i++) {
        printf("%-18s", asked[i].name);
        for (int s = 0; s < n; s++) printf("  %11.0f", took[s][i]);
        putchar('\n');
    }
}

int ks_bench_growth(const ks_globals *g, const char *text, int rounds, int json, ks_error *e)
{
    assert(g && text && rounds > 0);
    bench b = {.g = g, .rounds = rounds};
    int64_t sizes[SIZES];
    double took[SIZES][ASKED] = {{0}};
    ks_encoder *enc = NULL;
    ssize_t length = readlink("/proc/self/exe", b.program, sizeof b.program - 1);
    int n = read_sizes(sizes, text, e), err = n;

    if (n < 0) return n;
    if (length <= 0) snprintf(b.program, sizeof b.program, "%s", g->setup.program);
    if ((err = ks_open_encoder(&enc, &g->setup, NULL, KS_TOWER_TEXT, KS_AUTO, e)) < 0) return err;
    for (int s = 0; s < n && err >= 0; s++) {
        b.kib = 0;
        err = measure_size(took[s], &b, sizes[s], enc, e);
        if (err >= 0 && json) print_json(sizes[s], ks_encoder_info(enc)->dim, took[s], b.kib);
        fflush(stdout);
    }
    ks_encoder_close(enc);
    if (err >= 0 && !json) print_table(sizes, took, n);
    return err;
}
