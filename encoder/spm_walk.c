/* spm_walk.c - the protobuf of a sentencepiece model, field by field. Nothing of it is kept:
 * what is sound goes to the library. Fields we do not know are skipped by their wire type. */
#include "encoder/spm_walk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };
enum { NORMAL = 1, UNKNOWN = 2, USER_DEFINED = 4, LAST_TYPE = 6, UNIGRAM = 1 };

typedef struct {
    uint32_t number;
    int wire;
    uint64_t value; /* VARINT, FIXED32, FIXED64 */
    ks_bytes bytes; /* BYTES */
} field;

typedef struct {
    ks_bytes *pieces; /* as they come */
    ks_bytes *own;    /* user-defined ones */
    int n, n_own, unknown, room;
    size_t self_test;
} model;

static int varint(uint64_t *v, ks_bytes *m)
{
    *v = 0;
    for (int shift = 0; shift < 64 && m->n; shift += 7) {
        uint8_t b = *m->at++;
        m->n--;
        *v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80)) return 0;
    }
    return -1;
}

static int fixed(uint64_t *v, ks_bytes *m, size_t n)
{
    if (m->n < n) return -1;
    *v = 0;
    for (size_t i = n; i-- > 0;) *v = *v << 8 | m->at[i];
    m->at += n;
    m->n -= n;
    return 0;
}

/* The next field of a message. 1: there is one, 0: the end, -1: broken. */
static int next(field *f, ks_bytes *m)
{
    uint64_t key;
    if (m->n == 0) return 0;
    if (varint(&key, m) != 0 || key >> 3 == 0 || key >> 32) return -1;
    f->number = (uint32_t)(key >> 3);
    f->wire = (int)(key & 7);
    f->bytes = (ks_bytes){NULL, 0};
    switch (f->wire) {
    case VARINT: return varint(&f->value, m) == 0 ? 1 : -1;
    case FIXED64: return fixed(&f->value, m, 8) == 0 ? 1 : -1;
    case FIXED32: return fixed(&f->value, m, 4) == 0 ? 1 : -1;
    case BYTES: break;
    default: return -1; /* groups: sentencepiece has none */
    }
    if (varint(&f->value, m) != 0 || f->value > m->n) return -1;
    f->bytes = (ks_bytes){m->at, (size_t)f->value};
    m->at += f->value;
    m->n -= (size_t)f->value;
    return 1;
}

static const char *const broken = "it is not a sentencepiece model, or damaged";

/* SentencePiece: 1 the text, 2 its score (float), 3 its type; each once. */
static const char *walk_piece(model *x, ks_bytes m)
{
    field f;
    ks_bytes text = {NULL, 0};
    int more, seen[4] = {0}, type = NORMAL;
    while ((more = next(&f, &m)) > 0) {
        static const int wires[] = {0, BYTES, FIXED32, VARINT};
        if (f.number > 3) continue;
        if (f.wire != wires[f.number] || seen[f.number]++) return broken;
        if (f.number == 1) text = f.bytes;
        if (f.number == 2) {
            uint32_t bits = (uint32_t)f.value;
            float score;
            memcpy(&score, &bits, sizeof score);
            if (!isfinite(score)) return "a piece has a score that is no number";
        }
        if (f.number == 3 && (f.value < 1 || f.value > LAST_TYPE))
            return "a piece has an unknown type";
        if (f.number == 3) type = (int)f.value;
    }
    if (more < 0) return broken;
    if (text.n == 0) return "it has an empty piece";
    if (text.n > KS_SPM_PIECE_MAX) return "it has a piece of over 512 bytes";
    if (memchr(text.at, 0, text.n)) return "it has a piece with a zero byte in it";
    if (u8_check(text.at, text.n)) return "it has a piece that is not UTF-8";
    if (x->n == KS_SPM_PIECES_MAX) return "it has over 1,048,576 pieces";
    if (type == UNKNOWN) x->unknown++;
    if (type == USER_DEFINED) x->own[x->n_own++] = text;
    x->pieces[x->n++] = text;
    return NULL;
}

/* TrainerSpec: 3 is the model's type; the library takes what is not there as unigram, so do we. */
static const char *walk_trainer(ks_bytes m)
{
    field f;
    int more;
    while ((more = next(&f, &m)) > 0) {
        if (f.number != 3) continue;
        if (f.wire != VARINT) return broken;
        if (f.value != UNIGRAM) return "it is not a unigram model";
    }
    return more < 0 ? broken : NULL;
}

/* NormalizerSpec: 2 is the character map, empty for the identity. */
static const char *walk_normalizer(ks_bytes m)
{
    field f;
    int more;
    while ((more = next(&f, &m)) > 0) {
        if (f.number != 2) continue;
        if (f.wire != BYTES) return broken;
        const char *wrong = f.bytes.n ? ks_spm_charsmap(f.bytes) : NULL;
        if (wrong) return wrong;
    }
    return more < 0 ? broken : NULL;
}

/* ModelProto: 1 pieces, 2 trainer, 3 normalizer, 4 self test, 5 denormalizer. */
static const char *walk_model(model *x, ks_bytes m)
{
    field f;
    int more;
    const char *wrong = NULL;
    while (!wrong && (more = next(&f, &m)) > 0) {
        if (f.number > 5) continue;
        if (f.wire != BYTES) return broken;
        if (f.number == 1) wrong = walk_piece(x, f.bytes);
        if (f.number == 2) wrong = walk_trainer(f.bytes);
        if (f.number == 3 || f.number == 5) wrong = walk_normalizer(f.bytes);
        if (f.number == 4 && (x->self_test += f.bytes.n) > KS_SPM_SELF_TEST_MAX)
            wrong = "its self test is too long";
    }
    if (wrong) return wrong;
    if (more < 0 || x->n == 0) return broken;
    if (x->unknown != 1)
        return x->unknown ? "it has several unknown pieces" : "it has no unknown piece";
    return NULL;
}

static int by_text(const void *a, const void *b)
{
    const ks_bytes *x = a, *y = b;
    int order = memcmp(x->at, y->at, x->n < y->n ? x->n : y->n);
    return order ? order : (x->n > y->n) - (x->n < y->n);
}

static int begins(ks_bytes a, ks_bytes b) { return a.n <= b.n && memcmp(a.at, b.at, a.n) == 0; }

static const char *check_sorted(model *x)
{
    const ks_bytes *nest[KS_SPM_NESTED_MAX];
    int depth = 0;
    qsort(x->pieces, (size_t)x->n, sizeof *x->pieces, by_text);
    for (int i = 1; i < x->n; i++)
        if (by_text(&x->pieces[i - 1], &x->pieces[i]) == 0) return "it has the same piece twice";
    if (x->n_own) qsort(x->own, (size_t)x->n_own, sizeof *x->own, by_text);
    for (int i = 0; i < x->n_own; i++) {
        while (depth && !begins(*nest[depth - 1], x->own[i])) depth--;
        if (depth == KS_SPM_NESTED_MAX) return "too many user-defined pieces begin each other";
        nest[depth++] = &x->own[i];
    }
    return NULL;
}

/* Room for the pieces: no piece takes fewer than 5 bytes of file (two keys, two lengths, a
 * letter). */
static size_t most_pieces(size_t bytes)
{
    size_t most = bytes / 5 + 1;
    return most < KS_SPM_PIECES_MAX ? most : KS_SPM_PIECES_MAX;
}

int ks_spm_walk(int *pieces, ks_bytes file, const char *path, ks_error *e)
{
    if (file.n > KS_SPM_BYTES_MAX)
        return ks_fail(e, KS_EFORMAT, "%s: %zu bytes is no tokenizer", path, file.n);
    size_t room = most_pieces(file.n);
    model x = {.pieces = malloc(room * sizeof(ks_bytes)), .own = malloc(room * sizeof(ks_bytes))};
    const char *wrong = "memory";
    if (x.pieces && x.own) wrong = walk_model(&x, file);
    if (!wrong) wrong = check_sorted(&x);
    *pieces = x.n;
    free(x.pieces);
    free(x.own);
    if (!wrong) return 0;
    if (strcmp(wrong, "memory") == 0)
        return ks_fail(e, KS_ENOMEM, "%s: no memory to check this tokenizer", path);
    return ks_fail(e, KS_EFORMAT, "%s: refused as a tokenizer: %s", path, wrong);
}
