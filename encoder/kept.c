/* kept.c - vectors kept between runs, beside the packs, so that they need not be made again.
 *
 * H.vectors of the cache folder (H: the weights' hash), newest first:
 *   "KSKEPT1\n", uint32 1 in the writer's byte order, uint32 D
 *   records of 36 + 4 D bytes: key[32], uint32 CRC-32 of key and vector, float v[D]
 * A key is the SHA-256 of all that a vector's bits come from, so a record is right or it is not
 * found. Nothing that goes wrong here stops anybody: what is not found is made again, what
 * cannot be written is not kept. */
#include <fcntl.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "encoder/checkpoint.h"
#include "encoder/device.h"
#include "encoder/dispatch.h"
#include "encoder/kept.h"

enum { KEY = KS_KEPT_KEY, HEAD = KEY + 4 };
enum { MOST_BYTES = 32 << 20 }; /* of one file: 10,000 vectors of 768 */

typedef ks_kept_header kept_header;

ks_kept_header ks_kept_header_of(const ks_encoder *enc)
{
    return (ks_kept_header){.magic = "KSKEPT1", .one = 1, .dim = (uint32_t)enc->info.dim};
}

size_t ks_kept_record_bytes(const ks_encoder *enc)
{
    return HEAD + (size_t)enc->info.dim * sizeof(float);
}

static char *path_of(const ks_encoder *enc, const char *suffix)
{
    return ks_pack_path(enc->weights->cache, enc->weights->info.hash, suffix);
}

void ks_kept_key(uint8_t key[KEY], const ks_encoder *enc, const char *how, const char *what)
{
    const char *parts[] = {"kept 1",
                           KS_VERSION,
                           enc->info.hash,
                           ks_precision_name(enc->info.precision),
                           enc->kernels->name,
                           ks_device_name(enc),
                           how,
                           what};
    SHA2_CTX sha;
    SHA256Init(&sha);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        SHA256Update(&sha, (const uint8_t *)parts[i], strlen(parts[i]) + 1);
    SHA256Final(key, &sha);
}

uint32_t ks_kept_sum(const uint8_t *key, const void *v, size_t bytes)
{
    return ks_crc32(ks_crc32(0, key, KEY), v, bytes);
}

static int is_sound(const uint8_t *record, size_t bytes)
{
    uint32_t crc;
    memcpy(&crc, record + KEY, sizeof crc);
    return crc == ks_kept_sum(record, record + HEAD, bytes - HEAD);
}

static int by_key(const void *a, const void *b)
{
    return memcmp(*(const uint8_t *const *)a, *(const uint8_t *const *)b, KEY);
}

/* --- reading --- */

typedef struct {
    uint8_t *bytes;
    const uint8_t **records; /* [n] in the file's order */
    const uint8_t **sorted;  /* [n] by key */
    size_t n;
} kept_file;

/* The file's bytes, malloc'ed, NULL: there is none of use. */
static uint8_t *read_file(size_t *size, const ks_encoder *enc)
{
    char *path = path_of(enc, "vectors");
    /* a pipe of that name must not hold us */
    int fd = path ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
    struct stat st;
    uint8_t *bytes = NULL;
    kept_header want = ks_kept_header_of(enc);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= (off_t)sizeof want &&
        st.st_size <= MOST_BYTES)
        bytes = malloc((size_t)st.st_size);
    if (bytes) {
        ks_error ignored;
        ks_bytes from = {.fd = fd, .size = (uint64_t)st.st_size};
        *size = (size_t)st.st_size;
        if (ks_bytes_read(&from, path, 0, bytes, *size, &ignored) != 0 ||
            memcmp(bytes, &want, sizeof want) != 0) {
            free(bytes);
            bytes = NULL;
        }
    }
    if (fd >= 0) close(fd);
    free(path);
    return bytes;
}

static void kept_close(kept_file *f)
{
    free(f->bytes);
    free(f->records);
    *f = (kept_file){0};
}

/* Sound records alone; all zeros where there is no file, or no memory. */
static void kept_open(kept_file *f, const ks_encoder *enc)
{
    size_t size = 0, each = ks_kept_record_bytes(enc);
    *f = (kept_file){.bytes = read_file(&size, enc)};
    size_t most = f->bytes ? (size - sizeof(kept_header)) / each : 0;
    if (most > 0) f->records = malloc(2 * most * sizeof *f->records);
    if (!f->records) {
        kept_close(f);
        return;
    }
    for (size_t i = 0; i < most; i++) {
        const uint8_t *record = f->bytes + sizeof(kept_header) + i * each;
        if (is_sound(record, each)) f->records[f->n++] = record;
    }
    f->sorted = f->records + most;
    memcpy(f->sorted, f->records, f->n * sizeof *f->sorted);
    qsort(f->sorted, f->n, sizeof *f->sorted, by_key);
}

int ks_kept_find(float *v, uint8_t *found, ks_encoder *enc, const ks_kept *k)
{
    size_t bytes = (size_t)enc->info.dim * sizeof *v;
    int total = 0;
    kept_file f;
    kept_open(&f, enc);
    memset(found, 0, (size_t)k->n);
    for (int i = 0; i < k->n && f.n > 0; i++) {
        uint8_t key[KEY];
        const uint8_t *at = key, **hit;
        ks_kept_key(key, enc, k->how, k->what[i]);
        hit = bsearch(&at, f.sorted, f.n, sizeof *f.sorted, by_key);
        if (!hit) continue;
        memcpy(v + (size_t)i * (size_t)enc->info.dim, *hit + HEAD, bytes);
        found[i] = 1;
        total++;
    }
    kept_close(&f);
    return total;
}

/* --- writing --- */

/* The file that grows, ours alone; -1: somebody else writes it, or nobody can. It keeps its name
 * from run to run, so that one killed while it wrote leaves no more than one. */
static int open_part(const char *part)
{
    struct stat mine, named;
    int fd = open(part, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0) return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &mine) == 0 && lstat(part, &named) == 0 &&
        mine.st_nlink == 1 && mine.st_ino == named.st_ino && mine.st_dev == named.st_dev &&
        S_ISREG(mine.st_mode) && ftruncate(fd, 0) == 0)
        return fd;
    close(fd); /* locked, or renamed meanwhile */
    return -1;
}

typedef struct {
    FILE *out;
    size_t left; /* records that have room */
} writer;

static void put_record(writer *w, const uint8_t *key, const void *v, size_t bytes)
{
    uint32_t crc = ks_kept_sum(key, v, bytes);
    if (w->left == 0) return;
    w->left--;
    fwrite(key, KEY, 1, w->out);
    fwrite(&crc, sizeof crc, 1, w->out);
    fwrite(v, bytes, 1, w->out);
}

/* k's vectors, then what was kept before and is not among them. keys[k->n, KEY]; sorted[k->n]:
 * of them. */
static void put_all(writer *w, const ks_encoder *enc, const ks_kept *k, const float *v,
                    const uint8_t **sorted)
{
    size_t bytes = (size_t)enc->info.dim * sizeof *v, n = (size_t)k->n, m = 0;
    uint8_t *keys = (uint8_t *)(sorted + n);
    kept_header h = ks_kept_header_of(enc);
    kept_file f;
    fwrite(&h, sizeof h, 1, w->out);
    for (size_t i = 0; i < n && w->left > 0; i++) {
        if (!k->what[i]) continue;
        sorted[m] = keys + m * KEY;
        ks_kept_key(keys + m * KEY, enc, k->how, k->what[i]);
        put_record(w, keys + m * KEY, v + i * (size_t)enc->info.dim, bytes);
        m++;
    }
    qsort(sorted, m, sizeof *sorted, by_key);
    kept_open(&f, enc);
    for (size_t i = 0; i < f.n && w->left > 0; i++)
        if (!bsearch(&f.records[i], sorted, m, sizeof *sorted, by_key))
            put_record(w, f.records[i], f.records[i] + HEAD, bytes);
    kept_close(&f);
}

void ks_kept_put(ks_encoder *enc, const ks_kept *k, const float *v)
{
    char *path = path_of(enc, "vectors"), *part = path_of(enc, "vectors.part");
    const uint8_t **sorted = k->n > 0 ? malloc((size_t)k->n * (sizeof *sorted + KEY)) : NULL;
    int fd = path && part && sorted ? open_part(part) : -1;
    writer w = {.out = fd >= 0 ? fdopen(fd, "w") : NULL,
                .left = (MOST_BYTES - sizeof(kept_header)) / ks_kept_record_bytes(enc)};
    if (w.out) {
        put_all(&w, enc, k, v, sorted);
        int bad = fflush(w.out) != 0 || ferror(w.out);
        if (bad || rename(part, path) != 0) unlink(part);
        fclose(w.out); /* the lock goes last */
    } else if (fd >= 0) {
        close(fd);
    }
    free(sorted);
    free(part);
    free(path);
}
