/* prog_mutants DECODER SEED COUNT FILE... - damaged copies of small films through the decoder program.
 *
 * Every mutant must end as a verdict; a decoder that crashes is one (FAILED), a decoder that hangs is
 * counted, and anything that ends this process is the failure the run is after. One line at the end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ingest/film.h"

enum { FILES = 32, LARGEST = 1 << 20 };

typedef struct {
    uint8_t *bytes;
    size_t n;
} seed_file;

static uint64_t state;

static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static size_t below(size_t n) { return n ? (size_t)(draw() % n) : 0; }

/* A third of the damage goes to the first 256 bytes, where the structure is. */
static size_t place(size_t n) { return below(draw() % 3 == 0 && n > 256 ? 256 : n); }

static size_t mutate(uint8_t *p, size_t n)
{
    size_t at, len, to;
    for (size_t k = 1 + below(6); k > 0 && n > 1; k--) {
        at = place(n);
        switch (draw() % 8) {
        case 0:
        case 1:
        case 2: p[at] ^= (uint8_t)(1u << below(8)); break;
        case 3: p[at] = (uint8_t)draw(); break;
        case 4: p[at] = draw() & 1 ? 0xff : 0; break;
        case 5: /* a run of zeros, or of something else of the file */
            len = below(n - at < 64 ? n - at : 64);
            to = below(n - len);
            if (draw() & 1) memset(p + at, 0, len);
            else memmove(p + at, p + to, len);
            break;
        case 6: /* a large number where a size may be */
            for (size_t i = at; i < at + 4 && i < n; i++) p[i] = i == at ? 0x7f : 0xff;
            break;
        default: /* cut */
            if (draw() % 4 == 0) n = 1 + below(n);
        }
    }
    return n;
}

/* Verdict of one mutant; its sentence goes into why. */
static ks_verdict run(ks_decoder *d, const char *path, char why[200])
{
    ks_film *film;
    ks_film_frame f;
    ks_image image;
    ks_error e = {0, ""};
    ks_verdict v;
    int n = 0;
    if (ks_film_open(&film, d, path, NULL, &e)) {
        snprintf(why, 200, "%.190s", e.msg);
        return KS_VERDICT_NONE;
    }
    while (ks_film_next(&f, film, &e) == 1) {
        if (n++ % 8 == 0) ks_film_pixels(&image, film, f.number, &e);
        ks_film_keep(film, f.number);
    }
    v = ks_film_outcome(film)->verdict;
    snprintf(why, 200, "%.190s", ks_film_outcome(film)->reason);
    ks_film_close(film);
    return v;
}

static void keep_mutant(const uint8_t *p, size_t n, long i)
{
    char name[128];
    const char *dir = getenv("KS_KEEP");
    if (!dir) return;
    snprintf(name, sizeof name, "%.40s/mutant-%ld", dir, i);
    FILE *f = fopen(name, "w");
    if (f) {
        fwrite(p, 1, n, f);
        fclose(f);
    }
}

int main(int argc, char **argv)
{
    static seed_file files[FILES];
    static uint8_t mutant[LARGEST];
    long counts[5] = {0}, crashes = 0, hangs = 0, restarts = 0, silent = 0;
    char path[64], why[200];
    ks_decoder_how how = {.patience = 20};
    ks_decoder *d = NULL;
    ks_error e;

    if (argc < 5) return 2;
    state = strtoull(argv[2], NULL, 10) * 0x9e3779b97f4a7c15ull + 1;
    long count = atol(argv[3]);
    int n_files = argc - 4 < FILES ? argc - 4 : FILES;
    for (int i = 0; i < n_files; i++) {
        FILE *f = fopen(argv[4 + i], "r");
        if (!f) return 2;
        files[i].bytes = malloc(LARGEST);
        files[i].n = fread(files[i].bytes, 1, LARGEST, f);
        fclose(f);
    }
    int fd = memfd_create("mutant", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    time_t begin = time(NULL);
    for (long i = 0; i < count; i++) {
        if (!d && ks_decoder_start(&d, argv[1], &how, &e)) {
            printf("not ok - the decoder does not start: %s\n", e.msg);
            return 1;
        }
        const seed_file *s = &files[below((size_t)n_files)];
        memcpy(mutant, s->bytes, s->n);
        size_t n = mutate(mutant, s->n);
        if (ftruncate(fd, 0) || pwrite(fd, mutant, n, 0) != (ssize_t)n) return 2;
        ks_verdict v = run(d, path, why);
        counts[v]++;
        if (v == KS_VERDICT_NONE) { /* the program itself is gone: never seen, and worth a look */
            ks_decoder_stop(d);
            d = NULL;
            restarts++;
        }
        if (v == KS_VERDICT_FAILED || v == KS_VERDICT_NONE) keep_mutant(mutant, n, i);
        if (v != KS_VERDICT_INDEXED && !why[0]) silent++;
        if (v == KS_VERDICT_FAILED && strstr(why, "crashed")) crashes++;
        if (v == KS_VERDICT_FAILED && strstr(why, "no progress")) hangs++;
        if (v == KS_VERDICT_FAILED && getenv("KS_KEEP")) printf("# %ld %s\n", i, why);
    }
    ks_decoder_stop(d);
    printf("%s - %ld mutants, seed %s: %ld indexed, %ld partly, %ld skipped, %ld failed (%ld crashed, %ld hung), %ld programs lost, %ld without a cause, %ld s\n",
           hangs + restarts + silent ? "not ok" : "ok", count, argv[2], counts[1], counts[2], counts[3], counts[4], crashes, hangs, restarts, silent,
           (long)(time(NULL) - begin));
    return hangs + restarts + silent ? 1 : 0;
}
