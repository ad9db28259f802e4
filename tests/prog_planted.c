/* prog_planted - kinoseek with a fault of ours planted into its work on some films: a failed
 * assertion or a wild pointer while clips are planned (a reader's thread) or coded (the main
 * thread). Linked with --wrap.
 *   PLANT=plan|code  PLANT_FILM=text in the path  PLANT_HOW=assert|wild
 *   PLANT=said: while clips are planned, once another film is in and before that is said */
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ingest/jobs.h"
#include "ingest/indexer.h"

/* Declared as what they stand for: one with other parameters is not compiled. */
static _Thread_local char film[4096];

static void trip(const char *where)
{
    const char *plant = getenv("PLANT"), *in = getenv("PLANT_FILM"), *how = getenv("PLANT_HOW");
    if (!plant || strcmp(plant, where) != 0 || !in || !strstr(film, in)) return;
    if (how && strcmp(how, "wild") == 0)
        *(volatile int *)mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) = 1;
    assert(!"planted");
}

static atomic_int one_is_in;

__typeof__(ks_say_file) __real_ks_say_file, __wrap_ks_say_file;
void __wrap_ks_say_file(const ks_ingest_options *o, const ks_file_event *file)
{
    const char *plant = getenv("PLANT");
    if (plant && strcmp(plant, "said") == 0 && file->verdict == KS_FILE_INDEXED) {
        atomic_store(&one_is_in, 1);
        sleep(30); /* the program is gone long before */
    }
    __real_ks_say_file(o, file);
}

static void wait_for_a_film(void)
{
    const char *plant = getenv("PLANT"), *in = getenv("PLANT_FILM");
    if (!plant || strcmp(plant, "said") != 0 || !in || !strstr(film, in)) return;
    for (int i = 0; i < 3000 && !atomic_load(&one_is_in); i++) usleep(10000);
}

__typeof__(ks_film_open) __real_ks_film_open, __wrap_ks_film_open;
int __wrap_ks_film_open(ks_film **out, ks_decoder *d, const char *path, const ks_film_options *o,
                        ks_error *e)
{
    snprintf(film, sizeof film, "%s", path);
    return __real_ks_film_open(out, d, path, o, e);
}

__typeof__(ks_plan_frame) __real_ks_plan_frame, __wrap_ks_plan_frame;
int __wrap_ks_plan_frame(ks_plan *p, int64_t n, int64_t pts, ks_plan_border border,
                         ks_plan_blend blend, ks_error *e)
{
    trip("plan");
    wait_for_a_film();
    trip("said");
    return __real_ks_plan_frame(p, n, pts, border, blend, e);
}

__typeof__(ks_embedder_clip) __real_ks_embedder_clip, __wrap_ks_embedder_clip;
int __wrap_ks_embedder_clip(float *v, const ks_embedder *c, const ks_frame_code *const *codes,
                            int T, ks_error *e)
{
    trip("code");
    return __real_ks_embedder_clip(v, c, codes, T, e);
}

__typeof__(ks_indexer_take) __real_ks_indexer_take, __wrap_ks_indexer_take;
int __wrap_ks_indexer_take(ks_indexer *k, ks_card *card, ks_item *p, ks_error *e)
{
    snprintf(film, sizeof film, "%s", p->job->place.path);
    return __real_ks_indexer_take(k, card, p, e);
}
