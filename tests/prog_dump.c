/* prog_dump.c - what a library says, without ids and clock times: two libraries are the same if
 * their dumps are.
 *
 *   prog_dump LIBRARY [clock]     a line a path, then a line a clip: times, reason, sums of
 *                                 vector, frame vectors and
 *                                 thumbnail; with "clock" the bars that the clock encoder read,
 *                                   frame by frame
 *   prog_dump LIBRARY vectors     a line a clip: path, times, vector
 *   prog_dump LIBRARY part        films that are part-written, and their clips: "FILMS CLIPS" */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "index/index.h"

typedef enum { SUMS, CLOCK, VECTORS } what;

typedef struct {
    char *path; /* VECTORS: alone; else its line */
    int64_t id;
    ks_timebase tb;
} file;

static int fail(const ks_error *e)
{
    fprintf(stderr, "prog_dump: %s\n", e->msg);
    return 1;
}

static int bits_of(const float *v)
{
    int bits = 0;
    for (int i = 0; i < 8; i++) bits |= (v[i] > 0) << i;
    return bits;
}

static int dump_vector(ks_index *x, const file *f, const ks_clip *c, int dim, ks_error *e)
{
    float *v = malloc((size_t)dim * sizeof *v);
    int err = ks_index_clip_vector(v, dim, x, c->id, e);
    printf("%s %.4f %.4f", f->path, ks_seconds(c->start, f->tb), ks_seconds(c->end, f->tb));
    for (int d = 0; d < dim && err >= 0; d++) printf(" %.6g", (double)v[d]);
    putchar('\n');
    free(v);
    return err;
}

static int dump_clip(ks_index *x, const file *f, const ks_clip *c, int dim, what how, ks_error *e)
{
    if (how == VECTORS) return dump_vector(x, f, c, dim, e);
    float *v = malloc((size_t)dim * sizeof *v), *frames = NULL;
    uint8_t *jpeg = NULL;
    size_t bytes = 0;
    int n = 0;
    int err = ks_index_clip_vector(v, dim, x, c->id, e);
    if (err >= 0) err = ks_index_frame_vectors(&frames, &n, dim, x, c->id, e);
    if (err >= 0) err = ks_index_thumbnail(&jpeg, &bytes, x, c->id, e);
    if (err >= 0) {
        printf("  %.4f %.4f %s %d", ks_seconds(c->start, f->tb), ks_seconds(c->end, f->tb),
               ks_reason_name(c->reason), c->frames);
        if (how == CLOCK) {
            if (n == 0) printf(" %d", bits_of(v));
            for (int i = 0; i < n; i++) printf(" %d", bits_of(frames + (size_t)i * (size_t)dim));
        } else {
            printf(" %016llx", (unsigned long long)XXH64(v, (size_t)dim * sizeof *v, 0));
            printf(" %016llx",
                   (unsigned long long)XXH64(frames, (size_t)n * (size_t)dim * sizeof *v, 0));
            printf(" %016llx",
                   (unsigned long long)XXH64(jpeg ? jpeg : (const uint8_t *)"", bytes, 0));
        }
        putchar('\n');
    }
    free(v);
    free(frames);
    free(jpeg);
    return err;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const file *)a)->path, ((const file *)b)->path);
}

/* All clips of one video into memory first: the calls on a clip end the cursor's row. */
static int dump_file(ks_index *x, const file *f, int dim, what how, ks_error *e)
{
    ks_cursor *cursor = NULL;
    ks_filter filter = {.video = f->id};
    ks_clip *clip = NULL;
    int n = 0, r = ks_index_clips(&cursor, x, &filter, e);
    while (r >= 0) {
        clip = realloc(clip, ((size_t)n + 1) * sizeof *clip);
        r = ks_clips_next(&clip[n], cursor, e);
        if (r <= 0) break;
        n++;
    }
    ks_cursor_close(cursor);
    for (int i = 0; i < n && r >= 0; i++) r = dump_clip(x, f, &clip[i], dim, how, e);
    free(clip);
    return r;
}

static int part_written(ks_index *x)
{
    ks_cursor *cursor = NULL;
    ks_filter all = {.unfinished_too = 1};
    ks_error e = {0, ""};
    int64_t films[1000], clips = 0;
    int n = 0, r = ks_index_files(&cursor, x, &all, &e);
    for (ks_video v; r >= 0 && (r = ks_files_next(&v, cursor, &e)) == 1;)
        if (v.verdict == KS_VERDICT_NONE && n < 1000) films[n++] = v.id;
    ks_cursor_close(cursor);
    int part = 0;
    for (int i = 0; i < n && r >= 0; i++) {
        ks_filter one = {.unfinished_too = 1, .video = films[i]};
        r = ks_index_clips(&cursor, x, &one, &e);
        int64_t before = clips;
        for (ks_clip c; r >= 0 && (r = ks_clips_next(&c, cursor, &e)) == 1;) clips++;
        ks_cursor_close(cursor);
        part += clips > before;
    }
    if (r < 0) return fail(&e);
    printf("%d %lld\n", part, (long long)clips);
    return 0;
}

int main(int argc, char **argv)
{
    ks_index *x = NULL;
    ks_cursor *cursor = NULL;
    ks_filter all = {0};
    static ks_library library;
    ks_error e = {0, ""};
    file *at = NULL;
    int n = 0, r;
    what how = argc < 3 ? SUMS : strcmp(argv[2], "clock") == 0 ? CLOCK : VECTORS;
    if (argc < 2) return 2;
    if (ks_index_open(&x, argv[1], KS_READ, &e) < 0 || ks_index_library(&library, x, &e) < 0)
        return fail(&e);
    if (argc > 2 && strcmp(argv[2], "part") == 0) {
        r = part_written(x);
        ks_index_close(x);
        return r;
    }
    if (ks_index_files(&cursor, x, &all, &e) < 0) return fail(&e);
    for (ks_video v; (r = ks_files_next(&v, cursor, &e)) == 1;) {
        char *line = NULL;
        at = realloc(at, ((size_t)n + 1) * sizeof *at);
        if (how == VECTORS) line = strdup(v.path);
        else if (asprintf(&line, "%s | %s | %s | %d/%d %lld | missing %.3f | %dx%d %.3f flags %d",
                          v.path, ks_verdict_name(v.verdict), v.reason, v.tb.num, v.tb.den,
                          (long long)v.duration, v.seconds_missing, v.width, v.height, v.fps,
                          v.flags) < 0)
            return 1;
        at[n++] = (file){line, v.id, v.tb};
    }
    ks_cursor_close(cursor);
    if (r < 0) return fail(&e);
    qsort(at, (size_t)n, sizeof *at, by_path);
    for (int i = 0; i < n; i++) {
        if (how != VECTORS) puts(at[i].path);
        if (dump_file(x, &at[i], library.space.dim, how, &e) < 0) return fail(&e);
        free(at[i].path);
    }
    free(at);
    ks_index_close(x);
    return 0;
}
