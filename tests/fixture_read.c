/* fixture_read.c - see fixture_read.h. A reader of stored npz that trusts its input: tests only. */
#include "tests/fixture_read.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *path, const char *what)
{
    fprintf(stderr, "fixture %s: %s\n", path, what);
    abort();
}

static uint64_t little(const uint8_t *p, int bytes)
{
    uint64_t v = 0;
    for (int i = bytes - 1; i >= 0; i--) v = v << 8 | p[i];
    return v;
}

static double half(uint16_t h)
{
    int exponent = h >> 10 & 31, fraction = h & 1023;
    double v = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
    return h & 0x8000 ? -v : v;
}

static double number(const uint8_t *p, char kind, int size)
{
    float f;
    double d;
    if (kind == 'f' && size == 8) return memcpy(&d, p, 8), d;
    if (kind == 'f' && size == 4) return memcpy(&f, p, 4), (double)f;
    if (kind == 'f') return half((uint16_t)little(p, 2));
    if (kind == 'u') return (double)little(p, size);
    if (size == 8) return (double)(int64_t)little(p, 8);
    return (double)(int32_t)little(p, 4);
}

/* data[size] holds one .npy of version 1 or 2. */
static int parse_npy(ks_fixture_array *a, const uint8_t *data, size_t size)
{
    if (size < 10 || memcmp(data, "\x93NUMPY", 6) != 0) return -1;
    size_t head = data[6] == 1 ? 10 : 12;
    size_t length = (size_t)little(data + 8, data[6] == 1 ? 2 : 4);
    char text[1024] = "";
    if (head + length > size || length >= sizeof text) return -1;
    memcpy(text, data + head, length);
    const char *descr = strstr(text, "'descr': '"), *shape = strstr(text, "'shape': (");
    if (!descr || !shape || strstr(text, "True")) return -1;
    char kind = descr[11];
    int bytes = atoi(descr + 12);
    a->rank = 0;
    a->count = 1;
    for (const char *p = shape + 10; *p && *p != ')'; p++) {
        char *end;
        long long n = strtoll(p, &end, 10);
        if (end == p) continue;
        if (a->rank == 5) return -1;
        a->shape[a->rank++] = n;
        a->count *= n;
        p = end - 1;
    }
    const uint8_t *from = data + head + length;
    if (size < head + length + (size_t)a->count * (size_t)bytes) return -1;
    a->x = malloc((size_t)(a->count + 1) * sizeof *a->x);
    for (int64_t i = 0; i < a->count; i++) a->x[i] = number(from + i * bytes, kind, bytes);
    return 0;
}

static uint8_t *slurp(const char *path, size_t *size)
{
    FILE *in = fopen(path, "rb");
    if (!in) return NULL;
    fseek(in, 0, SEEK_END);
    long n = ftell(in);
    rewind(in);
    uint8_t *data = malloc((size_t)n + 1);
    *size = fread(data, 1, (size_t)n, in);
    fclose(in);
    return data;
}

ks_fixture *ks_fixture_open(const char *path)
{
    size_t size;
    uint8_t *data = slurp(path, &size);
    if (!data) die(path, "cannot be read");
    ks_fixture *f = calloc(1, sizeof *f);
    for (size_t at = 0; at + 30 < size && memcmp(data + at, "PK\3\4", 4) == 0;) {
        size_t name = (size_t)little(data + at + 26, 2), extra = (size_t)little(data + at + 28, 2);
        uint64_t bytes = little(data + at + 22, 4);
        if (little(data + at + 8, 2) != 0) die(path, "has a deflated member");
        /* zip64 field comes first here */
        if (bytes == 0xffffffffu) bytes = little(data + at + 30 + name + 4, 8);
        f->at = realloc(f->at, (size_t)(f->n + 1) * sizeof *f->at);
        ks_fixture_array *a = &f->at[f->n++];
        memset(a, 0, sizeof *a);
        snprintf(a->name, sizeof a->name, "%.*s", (int)name - 4, (const char *)data + at + 30);
        at += 30 + name + extra;
        if (parse_npy(a, data + at, (size_t)bytes) != 0) die(path, a->name);
        at += (size_t)bytes;
    }
    if (!f->n) die(path, "is no npz");
    free(data);
    return f;
}

void ks_fixture_close(ks_fixture *f)
{
    for (int i = 0; f && i < f->n; i++) free(f->at[i].x);
    if (f) free(f->at);
    free(f);
}

const ks_fixture_array *ks_fixture_find(const ks_fixture *f, const char *name)
{
    for (int i = 0; i < f->n; i++)
        if (strcmp(f->at[i].name, name) == 0) return &f->at[i];
    return NULL;
}

const ks_fixture_array *ks_fixture_get(const ks_fixture *f, const char *name)
{
    const ks_fixture_array *a = ks_fixture_find(f, name);
    if (!a) die(name, "is not in the file");
    return a;
}

ks_fixture_array *ks_fixture_npy(const char *path)
{
    size_t size;
    uint8_t *data = slurp(path, &size);
    if (!data) return NULL;
    ks_fixture_array *a = calloc(1, sizeof *a);
    int bad = parse_npy(a, data, size);
    free(data);
    if (!bad) return a;
    free(a);
    return NULL;
}

void ks_fixture_free_array(ks_fixture_array *a)
{
    if (a) free(a->x);
    free(a);
}

double ks_fixture_scale(const ks_fixture_array *want)
{
    double scale = 0;
    for (int64_t i = 0; i < want->count; i++) scale = fmax(scale, fabs(want->x[i]));
    return scale;
}

double ks_fixture_far(const float *got, const ks_fixture_array *want)
{
    double far = 0;
    for (int64_t i = 0; i < want->count; i++) {
        double d = fabs((double)got[i] - want->x[i]);
        if (!(d <= 1e300)) return 1e300;
        far = fmax(far, d);
    }
    return far;
}

double ks_fixture_bound(const ks_fixture *f, const char *name)
{
    char key[256];
    snprintf(key, sizeof key, "%s.fp32", name);
    return fmax(3 * ks_fixture_get(f, key)->x[0], 2e-6 * ks_fixture_scale(ks_fixture_get(f, name)));
}

int ks_fixture_clips(const ks_fixture *f)
{
    int n = 0;
    for (int i = 0; i < f->n; i++) {
        const char *slash = strrchr(f->at[i].name, '/');
        n += slash && strcmp(slash, "/input") == 0;
    }
    return n;
}

ks_fixture_clip *ks_fixture_clip_at(const ks_fixture *f, int i)
{
    ks_fixture_clip *c = calloc(1, sizeof *c);
    char key[256];
    for (int k = 0;; k++) {
        const char *slash = strrchr(f->at[k].name, '/');
        if (!slash || strcmp(slash, "/input") != 0 || i-- > 0) continue;
        const double *input = f->at[k].x;
        snprintf(c->name, sizeof c->name, "%.*s", (int)(slash - f->at[k].name), f->at[k].name);
        c->T = (int)input[1];
        c->side = (int)input[2];
        c->is_float = (int)input[3];
        size_t samples = (size_t)c->T * (size_t)c->side * (size_t)c->side * 3;
        c->bytes = malloc(samples);
        ks_fixture_pixels(c->bytes, (uint64_t)input[0], c->T, c->side);
        if (c->is_float) {
            c->floats = malloc(samples * sizeof *c->floats);
            for (size_t s = 0; s < samples; s++) c->floats[s] = (float)c->bytes[s] / 255.0f;
        }
        break;
    }
    snprintf(key, sizeof key, "%s/paddings", c->name);
    const ks_fixture_array *pad = ks_fixture_find(f, key);
    if (pad) {
        c->paddings = malloc((size_t)c->T * sizeof *c->paddings);
        for (int t = 0; t < c->T; t++) c->paddings[t] = (float)pad->x[t];
    }
    return c;
}

void ks_fixture_clip_free(ks_fixture_clip *c)
{
    free(c->bytes);
    free(c->floats);
    free(c->paddings);
    free(c);
}

uint64_t ks_fixture_splitmix(uint64_t x)
{
    uint64_t z = x + 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

void ks_fixture_pixels(uint8_t *px, uint64_t seed, int T, int side)
{
    uint64_t s = seed << 40, n = (uint64_t)side, i = 0;
    for (uint64_t t = 0; t < (uint64_t)T; t++)
        for (uint64_t y = 0; y < n; y++)
            for (uint64_t x = 0; x < n; x++)
                for (uint64_t c = 0; c < 3; c++, i++) {
                    uint64_t block = ((t * 64 + y / 18) * 64 + x / 18) * 4 + c +
                                     ((uint64_t)1 << 36);
                    px[i] = (uint8_t)((ks_fixture_splitmix(s + block) >> 57) +
                                      (ks_fixture_splitmix(s + i) >> 57));
                }
}
