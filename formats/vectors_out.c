/* vectors_out.c - clip vectors as NumPy arrays: .npy with the ids beside it, or .npz (a zip,
 * nothing compressed).
 *
 * Rows come one by one and their number is known at the end: heads are written last, over the
 * room left for them. */
#include "formats/formats.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

enum { MOST_MEMBERS = 8 };

typedef struct {
    int64_t clip, video;
    double start, end;
} row;

struct ks_vectors {
    char *path;
    ks_user_file file;
    int zip, half, dim, force;
    char model[KS_HASH_HEX];
    row *rows; /* [n] */
    int64_t n, room;
    uint32_t crc; /* of the elements so far */
    ks_npz_member members[MOST_MEMBERS];
    int n_members;
};

static void put_local(FILE *f, const ks_npz_member *m)
{
    uint8_t p[KS_NPZ_LOCAL];

    fwrite(p, 1, ks_npz_local(p, m), f);
}

static void put_directory(FILE *f, const ks_vectors *v)
{
    uint64_t start = (uint64_t)ftello(f);
    uint8_t p[KS_NPZ_CENTRAL > KS_NPZ_END ? KS_NPZ_CENTRAL : KS_NPZ_END];

    for (int i = 0; i < v->n_members; i++) fwrite(p, 1, ks_npz_central(p, &v->members[i]), f);
    fwrite(p, 1, ks_npz_end(p, v->n_members, start, (uint64_t)ftello(f)), f);
}

/* name: a constant */
static ks_npz_member *new_member(ks_vectors *v, FILE *f, const char *name)
{
    ks_npz_member *m = &v->members[v->n_members++];

    *m = (ks_npz_member){.name = name, .offset = (uint64_t)ftello(f)};
    return m;
}

/* An array at once, as a member or as the whole of f. */
static void put_array(ks_vectors *v, FILE *f, const char *name, const char *type, int64_t rows,
                      const void *data, size_t bytes)
{
    uint8_t head[KS_NPY_HEAD];

    ks_npy_head(head, type, &rows, rows >= 0);
    if (v->zip) {
        ks_npz_member *m = new_member(v, f, name);
        m->crc = (uint32_t)crc32_z(crc32_z(0, head, KS_NPY_HEAD), data, bytes);
        m->bytes = KS_NPY_HEAD + bytes;
        put_local(f, m);
    }
    fwrite(head, 1, KS_NPY_HEAD, f);
    fwrite(data, 1, bytes, f);
}

/* --- the vectors --- */
int ks_vectors_open(ks_vectors **out, const char *path, int half, int dim, const char *model,
                    int force, ks_error *e)
{
    assert(out && path && dim > 0 && model);
    const char *dot = strrchr(path, '.');
    ks_vectors *v;
    int err;

    *out = NULL;
    if (!dot || (strcasecmp(dot, ".npy") != 0 && strcasecmp(dot, ".npz") != 0))
        return ks_fail(e, KS_EUSAGE, "%s: vectors go into a .npy or an .npz", path);
    if (!(v = calloc(1, sizeof *v)) || !(v->path = strdup(path))) {
        free(v);
        return ks_fail(e, KS_ENOMEM, "%s: no memory to write it", path);
    }
    *out = v;
    v->zip = strcasecmp(dot, ".npz") == 0;
    v->half = half;
    v->dim = dim;
    v->force = force;
    snprintf(v->model, sizeof v->model, "%s", model);
    if ((err = ks_user_file_open(&v->file, path, force, e)) < 0) return err;
    if (v->file.stream) return ks_fail(e, KS_EUSAGE, "%s: vectors need a file, not a pipe", path);
    if (v->zip) put_local(v->file.f, new_member(v, v->file.f, "vectors"));
    for (int i = 0; i < KS_NPY_HEAD; i++) putc(0, v->file.f);
    return 0;
}

int ks_vectors_add(ks_vectors *v, const ks_clip *clip, ks_timebase tb, const float *vector,
                   ks_error *e)
{
    assert(v && clip && vector && tb.den > 0);
    uint16_t half;

    if (v->n == v->room) {
        int64_t room = v->room * 2 + 1024;
        row *more = realloc(v->rows, (size_t)room * sizeof *more);
        if (!more) return ks_fail(e, KS_ENOMEM, "%s: no memory for its ids", v->path);
        v->rows = more;
        v->room = room;
    }
    v->rows[v->n++] = (row){clip->id, clip->video, ks_seconds(clip->start, tb),
                            ks_seconds(clip->end, tb)};
    for (int i = 0; i < v->dim; i++) {
        half = ks_half_from_float(vector[i]); /* exact: it is what is stored */
        fwrite(v->half ? (const void *)&half : (const void *)&vector[i], v->half ? 2 : 4, 1,
               v->file.f);
        v->crc = (uint32_t)crc32_z(
            v->crc, v->half ? (const Bytef *)&half : (const Bytef *)&vector[i], v->half ? 2 : 4);
    }
    return ferror(v->file.f) ? ks_fail(e, KS_EIO, "%s: it cannot be written", v->path) : 0;
}

static void finish_vectors(ks_vectors *v)
{
    uint64_t bytes = (uint64_t)v->n * (uint64_t)v->dim * (v->half ? 2 : 4);
    FILE *f = v->file.f;
    uint8_t head[KS_NPY_HEAD];

    ks_npy_head(head, v->half ? "<f2" : "<f4", (int64_t[]){v->n, v->dim}, 2);
    fseeko(f, 0, SEEK_SET);
    if (v->zip) {
        ks_npz_member *m = &v->members[0];
        m->bytes = KS_NPY_HEAD + bytes;
        m->crc = (uint32_t)crc32_combine64(crc32_z(0, head, KS_NPY_HEAD), v->crc, (z_off64_t)bytes);
        put_local(f, m);
    }
    fwrite(head, 1, KS_NPY_HEAD, f);
    fseeko(f, 0, SEEK_END);
}

/* One column of the rows, 8 bytes each; malloc'ed. */
static void *column(const ks_vectors *v, size_t offset)
{
    char *out = malloc((size_t)v->n * 8 + 1);

    for (int64_t i = 0; out && i < v->n; i++) memcpy(out + i * 8, (char *)&v->rows[i] + offset, 8);
    return out;
}

static int put_columns(ks_vectors *v, FILE *f, int n)
{
    static const struct {
        const char *name, *type;
        size_t offset;
    } columns[] = {{"ids", "<i8", offsetof(row, clip)},
                   {"videos", "<i8", offsetof(row, video)},
                   {"start", "<f8", offsetof(row, start)},
                   {"end", "<f8", offsetof(row, end)}};

    for (int i = 0; i < n; i++) {
        void *data = column(v, columns[i].offset);
        if (!data) return -1;
        put_array(v, f, columns[i].name, columns[i].type, v->n, data, (size_t)v->n * 8);
        free(data);
    }
    return 0;
}

/* NumPy's text is UCS-4. */
static void put_model(ks_vectors *v)
{
    uint32_t text[KS_HASH_HEX - 1] = {0};

    for (size_t i = 0; v->model[i]; i++) text[i] = (uint8_t)v->model[i];
    put_array(v, v->file.f, "model", "<U64", -1, text, sizeof text);
}

/* STEM.ids.npy: the clips' ids; STEM.json: whose vectors they are. */
static int put_beside(ks_vectors *v, ks_user_file beside[2], ks_error *e)
{
    static const char *const endings[] = {".ids.npy", ".json"};
    int stem = (int)(strrchr(v->path, '.') - v->path), err = 0;
    ks_json j;

    for (int i = 0; i < 2 && err == 0; i++) {
        char *path = NULL;
        err = asprintf(&path, "%.*s%s", stem, v->path, endings[i]) < 0
                  ? ks_fail(e, KS_ENOMEM, "%s: no memory to write it", v->path)
                  : ks_user_file_open(&beside[i], path, v->force, e);
        free(path);
    }
    if (err < 0) return err;
    if (put_columns(v, beside[0].f, 1) < 0)
        return ks_fail(e, KS_ENOMEM, "%s: no memory for its ids", v->path);
    ks_json_start(&j, beside[1].f);
    ks_json_open(&j, NULL, '{');
    ks_json_text(&j, "model", v->model);
    ks_json_int(&j, "dim", v->dim);
    ks_json_int(&j, "rows", v->n);
    ks_json_text(&j, "dtype", v->half ? "f2" : "f4");
    ks_json_close(&j);
    return 0;
}

int ks_vectors_end(ks_vectors *v, ks_error *e)
{
    ks_user_file beside[2] = {{0}};
    int err = 0;

    finish_vectors(v);
    if (v->zip) {
        err = put_columns(v, v->file.f, 4) < 0
                  ? ks_fail(e, KS_ENOMEM, "%s: no memory for its ids", v->path)
                  : 0;
        put_model(v);
        put_directory(v->file.f, v);
    } else {
        err = put_beside(v, beside, e);
    }
    if (err == 0) err = ks_user_file_publish(&v->file, e);
    for (int i = 0; i < 2; i++) {
        if (err == 0 && beside[i].f) err = ks_user_file_publish(&beside[i], e);
        ks_user_file_drop(&beside[i]);
    }
    return err;
}

void ks_vectors_close(ks_vectors *v)
{
    if (!v) return;
    ks_user_file_drop(&v->file);
    free(v->rows);
    free(v->path);
    free(v);
}
