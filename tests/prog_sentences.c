/* prog_sentences.c - makes a library whose clips are sentences, for tests of the command line.
 *
 *   prog_sentences DIR MODEL.npz TOKENIZER.spm [THUMBNAIL.jpg] < list
 *
 * A line: PATH <tab> START <tab> END <tab> SENTENCE, seconds; lines of one path together. A
 * clip's vector is the text vector of its sentence, a little turned (seeded by the clip's
 * place), so a search for that sentence has one right answer whatever the weights are. */
#include "encoder/encoder.h"
#include "index/index.h"
#include "query/query.h"
#include "tests/library_maker.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static ks_error e;

static void must(int code)
{
    if (code >= 0) return;
    fprintf(stderr, "prog_sentences: %s\n", e.msg);
    exit(1);
}

static void turn(float *v, int dim, uint64_t seed)
{
    float *noise = malloc((size_t)dim * sizeof *noise);
    double length = 0;

    if (!noise) exit(1);
    lib_vector(noise, dim, 0, seed);
    for (int d = 0; d < dim; d++) v[d] += 0.1f * noise[d];
    for (int d = 0; d < dim; d++) length += (double)v[d] * v[d];
    for (int d = 0; d < dim; d++) v[d] = (float)(v[d] / sqrt(length));
    free(noise);
}

static void begin_film(ks_video *v, ks_index *x, const char *path, int number)
{
    struct stat st = {0};

    stat(path, &st);
    *v = (ks_video){.path = path,
                    .stat.size = st.st_size,
                    .reason = "",
                    .tb = {1, 90000},
                    .fps = 30000 / 1001.0,
                    .width = 640,
                    .height = 360,
                    .film_date = 1546300800 + 86400LL * 30 * number,
                    .date_source = 2};
    memcpy(v->content, &number, sizeof number);
    must(ks_index_add_video(&v->id, x, v, &e));
}

/* A library may be added to: contents are numbered on. */
static int films_before(ks_index *x)
{
    ks_library *library = malloc(sizeof *library);
    int n;

    if (!library) exit(1);
    must(ks_index_library(library, x, &e));
    n = (int)library->videos;
    free(library);
    return n;
}

static size_t read_thumbnail(uint8_t **jpeg, const char *file)
{
    FILE *f = fopen(file, "rb");
    size_t n;

    *jpeg = malloc(1 << 20);
    if (!f || !*jpeg) exit(1);
    n = fread(*jpeg, 1, 1 << 20, f);
    fclose(f);
    return n;
}

int main(int argc, char **argv)
{
    ks_encoder_options o = {.towers = KS_TOWER_TEXT, .precision = KS_FP32, .threads = 1};
    ks_encoder *enc;
    ks_index *x;
    ks_space space = {.frames = 2, .sampler = KS_SAMPLER_VERSION, .resize = 10 * KS_RESIZE_VERSION};
    ks_video v = {0};
    char line[4096], path[1024] = "";
    uint8_t *jpeg = NULL;
    size_t jpeg_bytes = 0;
    int films = 0, clips = 0;
    float *vector;

    if (argc < 4) return 2;
    o.model = argv[2];
    o.tokenizer = argv[3];
    must(ks_encoder_open(&enc, &o, &e));
    if (argc > 4) jpeg_bytes = read_thumbnail(&jpeg, argv[4]);
    space.dim = ks_encoder_info(enc)->dim;
    space.frames = ks_encoder_info(enc)->frames;
    memcpy(space.model, ks_encoder_info(enc)->hash, sizeof space.model);
    vector = malloc((size_t)space.dim * sizeof *vector);
    must(ks_index_open(&x, argv[1], KS_CREATE, &e));
    must(ks_index_set_space(x, &space, argv[2], argv[3], &e));
    films = films_before(x);
    while (vector && fgets(line, sizeof line, stdin)) {
        char *name = strtok(line, "\t\n"), *start = strtok(NULL, "\t\n"),
             *end = strtok(NULL, "\t\n"), *words = strtok(NULL, "\t\n"),
             *fps = strtok(NULL, "\t\n");
        ks_clip_data c = {.vector = vector, .jpeg = jpeg, .jpeg_bytes = jpeg_bytes};
        if (!words) return 2;
        if (strcmp(name, path) != 0) {
            v.verdict = KS_VERDICT_INDEXED;
            if (*path) must(ks_index_end_video(x, &v, &e));
            snprintf(path, sizeof path, "%s", name);
            begin_film(&v, x, path, ++films);
            v.fps = fps ? atof(fps) : v.fps;
        }
        must(ks_text_vector(vector, enc, words, &e));
        turn(vector, space.dim, (uint64_t)++clips);
        c.clip = (ks_clip){
            .start = llround(atof(start) * 90000), .end = llround(atof(end) * 90000), .frames = 1};
        must(ks_index_add_clips(x, v.id, &c, 1, &e));
        v.duration = c.clip.end > v.duration ? c.clip.end : v.duration;
    }
    v.verdict = KS_VERDICT_INDEXED;
    if (*path) must(ks_index_end_video(x, &v, &e));
    must(ks_index_publish(x, 1, &e));
    must(ks_calibrate(NULL, x, enc, &e));
    ks_index_close(x);
    ks_encoder_close(enc);
    free(vector);
    free(jpeg);
    return 0;
}
