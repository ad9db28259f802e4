/* prog_fuzz_seeds.c - small files to start the fuzzers of tests/fuzz from.
 *
 *   build/tests/prog_fuzz_seeds FOLDER     writes FOLDER/npz/..., FOLDER/npy/...,
 *                                          FOLDER/safetensors/... */
#include "tests/npz_build.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char folder[256];

static void save(const char *kind, const char *name, const void *data, size_t n)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, kind);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/%s", folder, kind, name);
    ks_write_file(path, data, n);
}

static void npz_seeds(void)
{
    const float x[6] = {1, 2, 3, 4, 5, 6};
    const int64_t dims[2] = {2, 3};
    for (int form = 0; form < 16; form++) {
        ks_build *b = calloc(1, sizeof *b);
        char name[32];
        size_t n;
        if (!b) abort();
        ks_build_add(b, "a", x, 2, dims);
        ks_build_add(b, "b", x, 0, NULL);
        b->zip64 = form & 1;
        b->at[0].method = form & 2 ? 8 : 0;
        b->at[0].descriptor = form >> 2 & 1;
        b->at[1].npy_major = form & 8 ? 2 : 1;
        uint8_t *file = ks_build_bytes(b, &n);
        snprintf(name, sizeof name, "form%d", form);
        save("npz", name, file, n);
        free(file);
        ks_build_free(b);
    }
    for (int kind = 0; kind < 3; kind++) {
        ks_info like = {.kind = (ks_kind)kind,
                        .dim = 2,
                        .heads = 1,
                        .mlp = 1,
                        .spatial = 1,
                        .temporal = 1,
                        .frames = 1,
                        .grid = 1,
                        .patch = 1,
                        .dtype = "f4"};
        char name[32];
        size_t n;
        if (kind == KS_LVT) like.text = like.vocabulary = 1;
        if (kind == KS_CLASSIFIER) like.classes = 1;
        ks_build *b = ks_build_toy(&like, 1);
        ks_build_to_half(b);
        uint8_t *file = ks_build_bytes(b, &n);
        snprintf(name, sizeof name, "model%d", kind);
        save("npz", name, file, n);
        free(file);
        ks_build_free(b);
    }
}

static void npy_seeds(void)
{
    static const char *const dicts[] = {
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 16), }  \n",
        "{'descr': '<f2', 'fortran_order': False, 'shape': (), }\n",
        "{'shape': (7,), 'fortran_order': True, 'descr': '>f4'}\n",
        "{\"descr\": \"|O\", \"fortran_order\": False, \"shape\": (1, 2, 3, 4, 5, 6, 7, 8)}\n"};
    for (size_t i = 0; i < sizeof dicts / sizeof *dicts; i++) {
        char name[32];
        snprintf(name, sizeof name, "dict%zu", i);
        save("npy", name, dicts[i], strlen(dicts[i]));
    }
    save("npy", "whole",
         "\x93NUMPY\1\0\x36\0{'descr': '<f4', 'fortran_order': False, 'shape': (), }", 64);
}

static void safetensors_seeds(void)
{
    static const char *const headers[] = {
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
        "{\"__metadata__\":{\"format\":\"pt\"},\"a\":{\"dtype\":\"BF16\",\"shape\":[1,2],\"data_"
        "offsets\":[0,4]},\"b\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[4,8]}}",
        "{\"spatial_layers.0.attention.q_proj.weight\":{\"dtype\":\"F32\",\"shape\":[1,1],\"data_"
        "offsets\":[0,4]},\"layernorm1.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,"
        "8]}}",
        "{\"text_model.embeddings.position_ids\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":"
        "[0,8]}}"};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        char name[32], file[512] = {0};
        uint64_t length = strlen(headers[i]);
        memcpy(file, &length, 8);
        memcpy(file + 8, headers[i], (size_t)length);
        snprintf(name, sizeof name, "header%zu", i);
        save("safetensors", name, file, 16 + (size_t)length);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    snprintf(folder, sizeof folder, "%s", argv[1]);
    mkdir(folder, 0777);
    npz_seeds();
    npy_seeds();
    safetensors_seeds();
    return 0;
}
