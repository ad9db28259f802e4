/* url.c - fuzz: any text is a path, parameters, a range; what is read lies inside what was asked
 * of it. */
#include "serve/url.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ranges(const char *text, int64_t size)
{
    int64_t from, to;
    int status = ks_range_read(&from, &to, text, size);

    if (status != 200 && status != 206 && status != 416) abort();
    if (status == 206 && (from < 0 || to < from || to >= size)) abort();
    if (status == 200 && (from != 0 || to != size - 1)) abort();
}

static void numbers(const ks_params *p)
{
    int64_t v = 7;
    double s = 0;
    int err;
    ks_error e = {0};

    for (int i = 0; i < p->n; i++) {
        v = 7;
        err = ks_param_int(&v, p, p->name[i], 3, 1000, &e);
        if (v < 3 || v > 1000 || (err < 0 && (v != 7 || !*e.msg))) abort();
        if (ks_param_seconds(&s, p, p->name[i], &e) == 0 && !(s >= 0 && s <= 1e10)) abort();
        if (ks_id_read(p->value[i]) < 0) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    ks_params *p = malloc(sizeof *p);

    if (!text || !p) abort();
    memcpy(text, data, size);
    text[size] = 0;
    size_t n = strlen(text);
    ranges(text, 0);
    ranges(text, 1);
    ranges(text, 1000);
    ranges(text, INT64_MAX);
    if (ks_url_decode(text, (int)(size & 1)) == 0 && strlen(text) > n) abort();
    memcpy(text, data, size);
    if (ks_params_read(p, text) == 0) numbers(p);
    free(p);
    free(text);
    return 0;
}
