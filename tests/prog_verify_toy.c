/* prog_verify_toy.c - what tests/cli/model_verify.sh needs, from the fixtures that the official
 * code made:
 *
 *   build/tests/prog_verify_toy FOLDER
 *
 * FOLDER/clip.npy (the pixels), figures.tsv (model "toy": every block's and the outputs' first
 * elements, with the fixtures' own bounds), good.npz, and NAME.npz with one block perturbed, for
 * every block. */
#include "tests/fixture_read.h"
#include "tests/npz_build.h"

#include <stdlib.h>
#include <string.h>

static const char *folder;
static FILE *figures;

static void path_of(char path[512], const char *name)
{
    snprintf(path, 512, "%s/%s", folder, name);
}

static void figure(const ks_fixture *f, const char *key, const char *input, const char *stage,
                   int64_t row, int64_t their_row)
{
    const ks_fixture_array *a = ks_fixture_get(f, key);
    int64_t cols = a->shape[a->rank - 1];
    fprintf(figures, "toy\t%s\t%s\t%lld\t%.9g\t", input, stage, (long long)row,
            ks_fixture_bound(f, key));
    for (int i = 0; i < 3; i++)
        fprintf(figures, "%.17g%c", a->x[their_row * cols + i], i < 2 ? ' ' : '\n');
}

/* Blocks of the temporal stack are place-major in the fixtures, [9*4, D], and frame-major in
 * ours. */
static void block_figures(const ks_fixture *f, const char *stack, const char *input,
                          int place_major)
{
    char key[64];
    for (int layer = 0; layer < 2; layer++)
        for (int64_t row = 0; row < 3; row++) {
            snprintf(key, sizeof key, "tap/%s.%d", stack, layer);
            figure(f, key, input, key + 4, place_major ? 9 * row : row, row);
        }
}

static void write_model(ks_build *b, const char *name)
{
    char path[512], file[64];
    size_t n;
    uint8_t *bytes = ks_build_bytes(b, &n);
    snprintf(file, sizeof file, "%s.npz", name);
    path_of(path, file);
    ks_write_file(path, bytes, n);
    free(bytes);
}

/* Fingerprints as they are published: the first and the last three elements of a tensor. */
static const char FINGER[] = "params/vision_encoder/patch_projection/linear/bias";

static void finger_figures(ks_build *b)
{
    const ks_build_member *m = ks_build_find(b, FINGER);
    for (int last = 0; last < 2; last++) {
        float x[3];
        memcpy(x, m->data + (last ? m->bytes - sizeof x : 0), sizeof x);
        fprintf(figures, "toy\tweights\t%s\t%s\t1e-7\t%.9g %.9g %.9g\n", FINGER,
                last ? "last" : "first", x[0], x[1], x[2]);
    }
}

static void write_other_finger(void)
{
    ks_build *b = ks_build_load("tests/fixtures/lvt.npz");
    ks_build_member *m = ks_build_find(b, FINGER);
    float x;
    memcpy(&x, m->data + m->bytes - sizeof x, sizeof x);
    x += 1e-5f;
    memcpy(m->data + m->bytes - sizeof x, &x, sizeof x);
    write_model(b, "finger");
    ks_build_free(b);
}

static void write_figures(const ks_fixture *f, const char *ids, ks_build *good)
{
    char path[512];
    path_of(path, "figures.tsv");
    figures = fopen(path, "w");
    if (!figures) abort();
    finger_figures(good);
    block_figures(f, "spatial", "clip4", 0);
    block_figures(f, "temporal", "clip4", 1);
    for (int64_t row = 0; row < 3; row++)
        figure(f, "trained/spatiotemporal", "clip4", "temporal_ln", row, row);
    block_figures(f, "auxiliary", "clip4", 0);
    figure(f, "trained/global", "clip4", "global", 0, 0);
    block_figures(f, "text", ids, 0);
    figure(f, "text_seven/vector", ids, "vector", 0, 0);
    fclose(figures);
}

static void write_clip(const ks_fixture *f)
{
    char path[512], head[128];
    const ks_fixture_array *input = ks_fixture_get(f, "trained/input");
    int T = (int)input->x[1], side = (int)input->x[2];
    size_t n = (size_t)T * (size_t)side * (size_t)side * 3;
    uint8_t *file = malloc(sizeof head + n);
    if (!file) abort();
    ks_fixture_pixels(file + sizeof head, (uint64_t)input->x[0], T, side);
    memset(head, ' ', sizeof head);
    memcpy(head, "\x93NUMPY\1\0\x76\0", 10);
    int end = snprintf(head + 10, 110,
                       "{'descr': '|u1', 'fortran_order': False, 'shape': (%d, %d, %d, 3), }", T,
                       side, side);
    head[10 + end] = ' ';
    head[127] = '\n';
    memcpy(file, head, sizeof head);
    path_of(path, "clip.npy");
    ks_write_file(path, file, sizeof head + n);
    free(file);
}

/* One element of one block: the first of its second mlp bias, by a hundredth. */
static void write_perturbed(const char *stack, const char *prefix, int layer)
{
    char name[256], file[64];
    float x;
    ks_build *b = ks_build_load("tests/fixtures/lvt.npz");
    snprintf(name, sizeof name, "%sx_layers/ff_layer/ffn_layer2/linear/bias", prefix);
    ks_build_member *m = ks_build_find(b, name);
    memcpy(&x, m->data + (size_t)layer * 16 * sizeof x, sizeof x);
    x += 0.01f;
    memcpy(m->data + (size_t)layer * 16 * sizeof x, &x, sizeof x);
    snprintf(file, sizeof file, "%s.%d", stack, layer);
    write_model(b, file);
    ks_build_free(b);
}

int main(int argc, char **argv)
{
    static const char *const stacks[4][2] = {
        {"spatial", "params/vision_encoder/spatial_encoder/transformers_stack/"},
        {"temporal", "params/vision_encoder/temporal_encoder/transformers_stack/"},
        {"auxiliary", "params/auxiliary_encoder/transformers_stack/"},
        {"text", "params/text_encoder/unimodal_transformer/"}};
    char ids[256] = "ids:";
    if (argc != 2) return 2;
    folder = argv[1];
    ks_fixture *f = ks_fixture_open("tests/fixtures/lvt.ref.npz");
    const ks_fixture_array *seven = ks_fixture_get(f, "text_seven/ids");
    for (int i = 0; i < (int)seven->count; i++)
        snprintf(ids + strlen(ids), 16, i ? ",%d" : "%d", (int)seven->x[i]);
    ks_build *good = ks_build_load("tests/fixtures/lvt.npz");
    write_figures(f, ids, good);
    write_clip(f);
    write_other_finger();
    write_model(good, "good");
    ks_build_free(good);
    for (int i = 0; i < 4; i++)
        for (int layer = 0; layer < 2; layer++) write_perturbed(stacks[i][0], stacks[i][1], layer);
    ks_fixture_close(f);
    return 0;
}
