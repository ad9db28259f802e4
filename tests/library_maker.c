/* library_maker.c - seeded libraries for tests. */
#include "tests/library_maker.h"

#include "index/catalog.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Programs without libcheck link this too: what must not fail ends the process, which libcheck
 * reports. */
#undef MUST
#define MUST(call)                                                                                 \
    do {                                                                                           \
        int must_ = (call);                                                                        \
        if (must_ < 0) {                                                                           \
            fprintf(stderr, "%s: %d %s\n", #call, must_, e.msg);                                   \
            abort();                                                                               \
        }                                                                                          \
    } while (0)
static void need(int good)
{
    if (!good) abort();
}

uint64_t lib_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void fill(float *v, int dim, uint64_t seed, float weight)
{
    for (int d = 0; d < dim; d++) {
        float sum = -6; /* near enough to normal */
        for (int i = 0; i < 12; i += 4) {
            uint64_t r = lib_random(&seed);
            for (int j = 0; j < 4; j++, r >>= 16) sum += (float)(r & 0xffff) / 65536.0f;
        }
        v[d] += weight * sum;
    }
}

void lib_vector(float *v, int dim, int kind, uint64_t seed)
{
    double length = 0;
    memset(v, 0, (size_t)dim * sizeof *v);
    if (kind == 2) fill(v, dim, 77 + seed % 5, 1);
    else fill(v, dim, seed, kind ? 0.2f : 1);
    if (kind == 1) fill(v, dim, 1234567 + seed % 37, 1);
    for (int d = 0; d < dim; d++) length += (double)v[d] * v[d];
    for (int d = 0; d < dim; d++) v[d] = (float)(v[d] / sqrt(length));
}

char *lib_new_dir(char out[64])
{
    const char *tmp = getenv("TMPDIR");
    snprintf(out, 64, "%.40s/ks_library_XXXXXX", tmp ? tmp : "/tmp");
    need(mkdtemp(out) != NULL);
    return out;
}

void lib_remove_dir(const char *dir)
{
    char path[600];
    DIR *d = opendir(dir);
    for (struct dirent *f; d && (f = readdir(d));) {
        snprintf(path, sizeof path, "%s/%s", dir, f->d_name);
        if (strcmp(f->d_name, ".") && strcmp(f->d_name, "..")) unlink(path);
    }
    if (d) closedir(d);
    rmdir(dir);
}

ks_space lib_space(int dim)
{
    ks_space s = {.model = "0123456789abcdef", .dim = dim, .frames = 1, .sampler = 1, .resize = 10};
    return s;
}

int64_t lib_add(ks_index *x, const char *path, uint64_t content, int n, int dim, int kind)
{
    ks_error e = {0};
    ks_video v = {.path = path,
                  .stat.size = 1,
                  .reason = "",
                  .tb = {1, 1000},
                  .duration = n * 4000 + 4000,
                  .film_date = (int64_t)(1000 + content),
                  .width = 16,
                  .height = 16,
                  .fps = 25};
    float *vectors = malloc((size_t)(n ? n : 1) * (size_t)dim * sizeof *vectors);
    ks_clip_data *clips = calloc((size_t)(n ? n : 1), sizeof *clips);
    need(vectors && clips);
    memcpy(v.content, &content, sizeof content);
    MUST(ks_index_add_video(&v.id, x, &v, &e));
    for (int i = 0; i < n; i++) {
        float *at = vectors + (size_t)i * (size_t)dim;
        lib_vector(at, dim, kind, content * 1000003 + (uint64_t)i);
        clips[i] = (ks_clip_data){
            .clip = {.start = i * 4000, .end = i * 4000 + 2000 + 1000 * (i % 7), .frames = 1},
            .vector = at};
    }
    MUST(ks_index_add_clips(x, v.id, clips, n, &e));
    v.verdict = KS_VERDICT_INDEXED;
    MUST(ks_index_end_video(x, &v, &e));
    free(vectors);
    free(clips);
    return v.id;
}

static int better(const void *a, const void *b)
{
    const ks_neighbour *p = a, *q = b;
    if (p->cosine != q->cosine) return p->cosine > q->cosine ? -1 : 1;
    return (p->clip > q->clip) - (p->clip < q->clip);
}

float lib_score(const float *q, const float *v, int dim)
{
    float lane[16] = {0};
    for (int i = 0; i < dim; i++) lane[i % 16] = fmaf(q[i], v[i], lane[i % 16]);
    for (int j = 0; j < 8; j++) lane[j] += lane[j + 8];
    for (int j = 0; j < 4; j++) lane[j] += lane[j + 4];
    for (int j = 0; j < 2; j++) lane[j] += lane[j + 2];
    return lane[0] + lane[1];
}

void lib_brute(ks_neighbour *out, int *count, ks_index *x, const float *q, int dim, int k,
               const ks_filter *f)
{
    ks_error e = {0};
    ks_cursor *c;
    ks_clip clip;
    int code, n = 0, room = 0;
    ks_neighbour *all = NULL;
    float *v = malloc((size_t)dim * sizeof *v);
    MUST(ks_index_clips(&c, x, f, &e));
    while ((code = ks_clips_next(&clip, c, &e)) > 0) {
        if (n == room) {
            room = 2 * room + 1000;
            all = realloc(all, (size_t)room * sizeof *all);
            need(all != NULL);
        }
        MUST(ks_index_clip_vector(v, dim, x, clip.id, &e));
        all[n++] = (ks_neighbour){clip.id, lib_score(q, v, dim)};
    }
    MUST(code);
    ks_cursor_close(c);
    if (n) qsort(all, (size_t)n, sizeof *all, better);
    *count = n < k ? n : k;
    if (n) memcpy(out, all, (size_t)*count * sizeof *all);
    free(all);
    free(v);
}

/* Objects of FTS5 say the kind first: CREATE VIRTUAL TABLE; what a table takes along (indexes, its
 * own tables) is gone already. */
static void drop(sqlite3 *db, const ks_schema_object *o, const char *kind)
{
    char name[64] = "", sql[128];
    const char *at = strstr(o->sql, kind);
    if (strncmp(o->sql, "CREATE ", 7) != 0 || !at || at > o->sql + 16) return;
    at += strlen(kind);
    at += strspn(at, " ");
    memcpy(name, at, strcspn(at, "( "));
    snprintf(sql, sizeof sql, "DROP %s IF EXISTS \"%s\"", kind, name);
    need(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
}

void lib_make_older(const char *catalog, int version)
{
    static const char *const kinds[] = {"VIEW", "INDEX", "TABLE"};
    sqlite3 *db;
    char sql[80];
    need(sqlite3_open(catalog, &db) == SQLITE_OK);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (const ks_schema_object *o = ks_schema; o->sql; o++)
            if (!ks_schema_has(o, version) && ks_schema_has(o, KS_SCHEMA_VERSION) && !o->made)
                drop(db, o, kinds[k]);
    for (const ks_schema_object *o = ks_schema; o->sql; o++)
        if (ks_schema_has(o, version) && !ks_schema_has(o, KS_SCHEMA_VERSION) && !o->made)
            need(sqlite3_exec(db, o->sql, NULL, NULL, NULL) == SQLITE_OK);
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", version);
    need(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
}
