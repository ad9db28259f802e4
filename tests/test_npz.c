/* test_npz.c - the zip directory, the npy header and the elements: right files, then each way to
 * be wrong. */
#include "encoder/checkpoint.h"
#include "tests/npz_build.h"
#include "tests/suite.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t dims[2] = {3, 5};

/* Three members: "a" [3,5], "b" [], "c" [7]. */
static ks_build *three(void)
{
    float x[15];
    int64_t seven = 7;
    ks_build *b = calloc(1, sizeof *b);
    for (int i = 0; i < 15; i++) x[i] = (float)i * 0.25f - 1.0f;
    ks_build_add(b, "a", x, 2, dims);
    ks_build_add(b, "b", x + 4, 0, NULL);
    ks_build_add(b, "c", x, 1, &seven);
    return b;
}

static int open_bytes(ks_checkpoint **cp, const ks_build *b, uint8_t **keep, ks_error *e)
{
    size_t n;
    *keep = ks_build_bytes(b, &n);
    return ks_checkpoint_open_memory(cp, "f.npz", *keep, n, e);
}

/* What b writes must read back, element for element. */
static void reads_back(const ks_build *b)
{
    ks_checkpoint *cp;
    ks_error e = {0};
    uint8_t *keep;
    float x[64];
    ck_assert_msg(open_bytes(&cp, b, &keep, &e) == 0, "%s", e.msg);
    ck_assert_int_eq(cp->n, b->n);
    for (int i = 0; i < b->n; i++) {
        const ks_build_member *m = &b->at[i];
        const ks_tensor *t = ks_checkpoint_find(cp, m->name);
        ck_assert_ptr_nonnull(t);
        ck_assert_int_eq(t->rank, m->rank);
        for (int k = 0; k < m->rank; k++) ck_assert_int_eq(t->shape[k], m->dims[k]);
        ck_assert_msg(ks_tensor_load(x, cp, t, &e) == 0, "%s", e.msg);
        if (t->dtype == KS_DTYPE_F4) ck_assert_mem_eq(x, m->data, m->bytes);
    }
    ks_checkpoint_close(cp);
    free(keep);
}

START_TEST(every_right_form)
{
    for (int form = 0; form < 64; form++) {
        ks_build *b = three();
        b->zip64 = form & 1;
        if (form & 2)
            snprintf(b->comment, sizeof b->comment,
                     "a comment with PK\5\6 in it, 22 bytes and more of it");
        for (int i = 0; i < b->n; i++) {
            if (form & 4) b->at[i].method = 8;
            if (form & 8) b->at[i].descriptor = 1;
            if (form & 16) b->at[i].npy_major = 2;
            if ((form & 32) && i == 1) snprintf(b->at[i].descr, sizeof b->at[i].descr, "\"<f4\"");
        }
        reads_back(b);
        ks_build_free(b);
    }
}
END_TEST

START_TEST(halves)
{
    /* zero, smallest and largest subnormal, smallest normal, 1, -2, largest, 1/3 rounded */
    const uint16_t bits[] = {0x0000, 0x8000, 0x0001, 0x03ff, 0x0400,
                             0x3c00, 0xc000, 0x7bff, 0x3555};
    const float want[] = {0.0f, -0.0f, 0x1p-24f, 0x3ffp-24f,     0x1p-14f,
                          1.0f, -2.0f, 65504.0f, 0.333251953125f};
    int64_t n = 9;
    float x[9];
    ks_build *b = calloc(1, sizeof *b);
    ks_build_member *m = ks_build_add(b, "h", NULL, 1, &n);
    ks_checkpoint *cp;
    ks_error e = {0};
    uint8_t *keep;
    memcpy(m->data, bits, sizeof bits);
    m->bytes = sizeof bits;
    snprintf(m->descr, sizeof m->descr, "'<f2'");
    ck_assert_int_eq(open_bytes(&cp, b, &keep, &e), 0);
    ck_assert_int_eq(ks_tensor_load(x, cp, &cp->tensors[0], &e), 0);
    ck_assert_mem_eq(x, want, sizeof want);
    ks_checkpoint_close(cp);
    free(keep);
    for (int i = 0; i < 3; i++) { /* Inf, -Inf, NaN */
        const uint16_t wild[] = {0x7c00, 0xfc00, 0x7e01};
        memcpy(m->data + 16, &wild[i], 2);
        ck_assert_int_eq(open_bytes(&cp, b, &keep, &e), 0);
        ck_assert_int_eq(ks_tensor_load(x, cp, &cp->tensors[0], &e), KS_EFORMAT);
        ck_assert_str_eq(e.msg, "f.npz: tensor h holds NaN or Inf");
        ks_checkpoint_close(cp);
        free(keep);
    }
    ks_build_free(b);
}
END_TEST

/* Every finite half, by the definition; 63,488 of them, so that whole lots and a rest are
 * passed. */
START_TEST(every_half)
{
    int64_t n = 0;
    uint16_t *bits = malloc(2 << 16);
    float *x = malloc(4 << 16);
    for (int h = 0; h < 1 << 16; h++)
        if ((h & 0x7c00) != 0x7c00) bits[n++] = (uint16_t)h;
    ck_assert_int_eq(n--, 63488); /* 63,487 are no whole number of lots */
    ks_build *b = calloc(1, sizeof *b);
    ks_build_member *m = ks_build_add(b, "h", NULL, 1, &n);
    ks_checkpoint *cp;
    ks_error e = {0};
    uint8_t *keep;
    m->bytes = 2 * (size_t)n;
    memcpy(m->data, bits, m->bytes);
    snprintf(m->descr, sizeof m->descr, "'<f2'");
    ck_assert_int_eq(open_bytes(&cp, b, &keep, &e), 0);
    ck_assert_int_eq(ks_tensor_load(x, cp, &cp->tensors[0], &e), 0);
    for (int64_t i = 0; i < n; i++) {
        int exponent = bits[i] >> 10 & 31, fraction = bits[i] & 1023;
        float want = exponent ? ldexpf((float)(1024 + fraction), exponent - 25)
                              : ldexpf((float)fraction, -24);
        if (bits[i] >> 15) want = -want;
        ck_assert_msg(memcmp(&x[i], &want, 4) == 0, "half %04x is %a, not %a", bits[i],
                      (double)x[i], (double)want);
    }
    ks_checkpoint_close(cp);
    free(keep);
    ks_build_free(b);
    free(bits);
    free(x);
}
END_TEST

/* The tensor of b is read, or refused for what it holds. */
static void is_wild(const ks_build *b, int wild)
{
    ks_checkpoint *cp;
    ks_error e = {0};
    uint8_t *keep;
    float x[72];
    ck_assert_int_eq(open_bytes(&cp, b, &keep, &e), 0);
    ck_assert_int_eq(ks_tensor_load(x, cp, &cp->tensors[0], &e), wild ? KS_EFORMAT : 0);
    ks_checkpoint_close(cp);
    free(keep);
}

/* NaN and Inf at every place of every length up to two lots and more. */
START_TEST(wild_anywhere)
{
    /* the last is -largest */
    static const uint32_t bits[] = {0x7f800000u, 0xff800000u, 0x7f800001u, 0xffffffffu,
                                    0xff7fffffu};
    for (int64_t n = 1; n <= 37; n++)
        for (int64_t place = 0; place < n; place++) {
            ks_build *b = calloc(1, sizeof *b);
            ks_build_member *m = ks_build_add(b, "w", NULL, 1, &n);
            for (int i = 0; i < 5; i++) {
                memcpy(m->data + 4 * place, &bits[i], 4);
                is_wild(b, i < 4);
            }
            ks_build_free(b);
        }
}
END_TEST

/* The same of halves, whose lots are twice as long. */
START_TEST(wild_halves_anywhere)
{
    static const uint16_t bits[] = {0x7c00, 0xfc00, 0x7c01, 0xffff, 0xfbff};
    for (int64_t n = 1; n <= 69; n++)
        for (int64_t place = 0; place < n; place++) {
            ks_build *b = calloc(1, sizeof *b);
            ks_build_member *m = ks_build_add(b, "w", NULL, 1, &n);
            snprintf(m->descr, sizeof m->descr, "'<f2'");
            m->bytes = 2 * (size_t)n;
            memset(m->data, 0, m->bytes);
            for (int i = 0; i < 5; i++) {
                memcpy(m->data + 2 * place, &bits[i], 2);
                is_wild(b, i < 4);
            }
            ks_build_free(b);
        }
}
END_TEST

/* --- one fault each --- */

typedef struct {
    const char *what;
    void (*spoil)(ks_build *b);
    const char *said; /* must be part of the sentence */
} fault;

#define FAULT(name, unused, body)                                                                  \
    static void name(ks_build *b)                                                                  \
    {                                                                                              \
        ks_build_member *m = &b->at[2];                                                            \
        (void)m;                                                                                   \
        body                                                                                       \
    }
FAULT(f8, , strcpy(m->descr, "'<f8'"); m->bytes = 28;)
FAULT(i4, , strcpy(m->descr, "'<i4'");)
FAULT(big_endian, , strcpy(m->descr, "'>f4'");)
FAULT(objects, , strcpy(m->descr, "'|O'");)
FAULT(records, , strcpy(m->descr, "[('x', '<f4')]");)
FAULT(long_descr, , strcpy(m->descr, "'<f4                                '");)
FAULT(fortran, , m->fortran = 1;)
FAULT(npy3, , m->npy_major = 3;)
FAULT(one_short, , m->bytes -= 4;)
FAULT(one_long, , strcpy(m->shape, "(6,)");)
FAULT(negative, , strcpy(m->shape, "(-7,)");)
FAULT(no_tuple, , strcpy(m->shape, "(7)");)
FAULT(not_closed, , strcpy(m->shape, "(7,");)
FAULT(overflow_two, , strcpy(m->shape, "(4294967296, 4294967296)");)
FAULT(overflow_four, , strcpy(m->shape, "(65536, 65536, 65536, 65536)");)
FAULT(overflow_to_28, , strcpy(m->shape, "(9223372036854775807, 9)");)
FAULT(huge_number, , strcpy(m->shape, "(99999999999999999999999999,)");)
FAULT(nine_axes, , strcpy(m->shape, "(7, 1, 1, 1, 1, 1, 1, 1, 1)");)
FAULT(leading_zero, , strcpy(m->shape, "(07,)");)
FAULT(encrypted, , m->flags = 1;)
FAULT(strongly, , m->flags = 64;)
FAULT(bzip2, , m->method = 12;)
FAULT(other_local_method, , m->local_method = 8;)
FAULT(other_local_name, , strcpy(m->local_name, "d");)
FAULT(longer_local_name, , strcpy(m->local_name, "cc");)
FAULT(packed_size, , m->packed_add = 4;)
FAULT(both_sizes, , m->packed_add = m->full_add = 4;)
FAULT(huge_sizes, , b->zip64 = 1; m->packed_add = m->full_add = 1LL << 62;)
FAULT(minus_sizes, , b->zip64 = 1; m->packed_add = m->full_add = -1000000;)
FAULT(local_size, , m->local_size_add = 4;)
FAULT(offset_off, , m->offset_add = 1;)
FAULT(offset_far, , m->offset_add = 1 << 30;)
FAULT(offset_very_far, , b->zip64 = 1; m->offset_add = INT64_MAX;)
FAULT(twice, , m->again = 1;)
FAULT(same_name, , strcpy(m->name, "a"); strcpy(m->local_name, "a");)
FAULT(no_npy, , strcpy(m->name, "c.txt\1"); strcpy(m->local_name, "c.txt\1");)
FAULT(entries_more, , b->entries_add = 1;)
FAULT(entries_less, , b->entries_add = -1;)
FAULT(entries_many, , b->zip64 = 1; b->entries_add = 1LL << 60;)
FAULT(directory_off, , b->directory_add = 1;)
FAULT(directory_far, , b->zip64 = 1; b->directory_add = 1LL << 62;)
FAULT(directory_size, , b->size_add = 1;)
FAULT(directory_small, , b->size_add = -46;)
FAULT(empty, , b->at[0].dropped = b->at[1].dropped = m->dropped = 1;)

static void bomb(ks_build *b)
{
    ks_build_member *m = &b->at[2];
    m->method = 8;
    m->full_add = 1LL << 30;
    b->zip64 = 1;
}

static const fault faults[] = {
    {"f8", f8, "tensor c has elements '<f8'"},
    {"i4", i4, "tensor c has elements '<i4'"},
    {"big-endian", big_endian, "tensor c has elements '>f4' (big-endian)"},
    {"objects", objects, "(Python objects)"},
    {"records", records, "tensor c has records"},
    {"long descr", long_descr, "tensor c has a damaged npy header"},
    {"fortran", fortran, "tensor c is in Fortran order"},
    {"npy 3.0", npy3, "tensor c is npy version 3.0"},
    {"one short", one_short, "tensor c is [7] of f4, its member has"},
    {"one long", one_long, "tensor c is [6] of f4"},
    {"negative", negative, "tensor c has a damaged npy header"},
    {"no tuple", no_tuple, "tensor c has a damaged"},
    {"not closed", not_closed, "tensor c has a damaged"},
    {"2^64", overflow_two, "tensor c is [4294967296, 4294967296]"},
    {"2^64 by four", overflow_four, "tensor c is"},
    {"wraps to 7", overflow_to_28, "tensor c "},
    {"huge", huge_number, "tensor c has a damaged"},
    {"nine axes", nine_axes, "tensor c has a damaged"},
    {"leading zero", leading_zero, "tensor c has a damaged"},
    {"encrypted", encrypted, "member c.npy is encrypted"},
    {"strongly encrypted", strongly, "member c.npy is encrypted"},
    {"bzip2", bzip2, "member c.npy is compressed by a method"},
    {"local method", other_local_method, "member c.npy has another compression"},
    {"local name", other_local_name, "member c.npy has another name"},
    {"local name longer", longer_local_name, "member c.npy has another name"},
    {"packed size", packed_size, "member c.npy has two sizes"},
    {"both sizes", both_sizes, "member c.npy"},
    {"huge sizes", huge_sizes, "member c.npy is cut off or claims more"},
    {"wrapped sizes", minus_sizes, "member c.npy is cut off or claims more"},
    {"local size", local_size, "member c.npy has another size"},
    {"offset", offset_off, "member c.npy"},
    {"offset outside", offset_far, "member c.npy lies outside"},
    {"offset wraps", offset_very_far, "member c.npy lies outside"},
    {"entry twice", twice, "overlap"},
    {"name twice", same_name, "tensor a is there twice"},
    {"odd name", no_npy, "plain ASCII"},
    {"one entry more", entries_more, "directory"},
    {"one entry less", entries_less, "directory has more entries"},
    {"2^60 entries", entries_many, "two end records disagree"},
    {"directory moved", directory_off, "directory is not where"},
    {"directory far", directory_far, "directory is not where"},
    {"directory size", directory_size, "directory is not where"},
    {"directory small", directory_small, "directory is not where"},
    {"no members", empty, "it has no members"},
    {"bomb", bomb, "member c.npy claims more bytes than its data can hold"},
};

START_TEST(one_fault_each)
{
    const fault *f = &faults[_i];
    ks_build *b = three();
    ks_checkpoint *cp = NULL;
    ks_error e = {0};
    uint8_t *keep;
    f->spoil(b);
    int err = open_bytes(&cp, b, &keep, &e);
    ck_assert_msg(err == KS_EFORMAT, "%s: code %d (%s)", f->what, err, e.msg);
    ck_assert_msg(strncmp(e.msg, "f.npz: ", 7) == 0 && strstr(e.msg, f->said), "%s: said \"%s\"",
                  f->what, e.msg);
    ck_assert_ptr_null(cp);
    free(keep);
    ks_build_free(b);
}
END_TEST

START_TEST(crc_and_bit_flips)
{
    ks_build *b = three();
    size_t n, seen = 0, refused = 0;
    uint8_t *file = ks_build_bytes(b, &n);
    /* Every bit of the file in turn: either it is refused, or all elements are still the right
     * ones. */
    for (size_t bit = 0; bit < 8 * n; bit++) {
        ks_checkpoint *cp = NULL;
        ks_error e = {0};
        float x[64];
        file[bit / 8] ^= (uint8_t)(1u << bit % 8);
        int err = ks_checkpoint_open_memory(&cp, "f.npz", file, n, &e);
        for (int i = 0; !err && i < cp->n; i++) {
            err = ks_tensor_load(x, cp, &cp->tensors[i], &e);
            const ks_tensor *t = &cp->tensors[i];
            if (!err && strcmp(t->name, b->at[i].name) == 0)
                ck_assert_mem_eq(x, b->at[i].data, b->at[i].bytes);
        }
        ck_assert_msg(err == 0 || (err == KS_EFORMAT && strncmp(e.msg, "f.npz: ", 7) == 0),
                      "bit %zu: %d %s", bit, err, e.msg);
        seen++, refused += err != 0;
        ks_checkpoint_close(cp);
        file[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    /* What may flip unnoticed: dates, versions, attributes, internal flags. */
    ck_assert_msg(refused * 10 > seen * 8, "%zu of %zu flips refused", refused, seen);
    free(file);
    ks_build_free(b);
}
END_TEST

START_TEST(every_truncation)
{
    for (int zip64 = 0; zip64 < 2; zip64++) {
        ks_build *b = three();
        size_t n;
        b->zip64 = zip64;
        uint8_t *file = ks_build_bytes(b, &n);
        for (size_t cut = 0; cut < n; cut++) {
            ks_checkpoint *cp = NULL;
            ks_error e = {0};
            ck_assert_int_eq(ks_checkpoint_open_memory(&cp, "f.npz", file, cut, &e), KS_EFORMAT);
            ck_assert(strncmp(e.msg, "f.npz: ", 7) == 0);
        }
        free(file);
        ks_build_free(b);
    }
}
END_TEST

START_TEST(deflate_streams)
{
    ks_build *b = three();
    for (int i = 0; i < 3; i++) b->at[i].method = 8;
    size_t n;
    uint8_t *file = ks_build_bytes(b, &n);
    for (size_t at = 30; at < n; at++) /* damage anywhere: an error, never wrong numbers */
        for (int bit = 0; bit < 8; bit += 3) {
            ks_checkpoint *cp = NULL;
            ks_error e = {0};
            float x[64];
            file[at] ^= (uint8_t)(1 << bit);
            int err = ks_checkpoint_open_memory(&cp, "f.npz", file, n, &e);
            for (int i = 0; !err && i < cp->n; i++) {
                err = ks_tensor_load(x, cp, &cp->tensors[i], &e);
                if (!err && strcmp(cp->tensors[i].name, b->at[i].name) == 0)
                    ck_assert_mem_eq(x, b->at[i].data, b->at[i].bytes);
            }
            ck_assert(err == 0 || err == KS_EFORMAT);
            ks_checkpoint_close(cp);
            file[at] ^= (uint8_t)(1 << bit);
        }
    free(file);
    ks_build_free(b);
}
END_TEST

/* A whole and true file, but of zeros: 18 million of them in 72 kB. The same with 15 million is
 * under the floor. */
START_TEST(deflated_too_far)
{
    for (int64_t n = 15 << 20; n <= 18 << 20; n += 3 << 20) {
        ks_build *b = calloc(1, sizeof *b);
        ks_checkpoint *cp = NULL;
        ks_error e = {0};
        uint8_t *keep;
        ks_build_add(b, "z", NULL, 1, &n)->method = 8;
        int err = open_bytes(&cp, b, &keep, &e);
        if (n == 15 << 20) ck_assert_msg(err == 0, "%s", e.msg);
        else
            ck_assert_msg(err == KS_EFORMAT && strstr(e.msg, "no weights deflate that far"),
                          "%d: %s", err, e.msg);
        ks_checkpoint_close(cp);
        free(keep);
        ks_build_free(b);
    }
}
END_TEST

START_TEST(nan_in_the_last_element)
{
    const float wild[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++)
        for (int method = 0; method <= 8; method += 8) {
            ks_build *b = three();
            ks_checkpoint *cp;
            ks_error e = {0};
            uint8_t *keep;
            float x[64];
            b->at[0].method = method;
            memcpy(b->at[0].data + b->at[0].bytes - 4, &wild[i], 4);
            ck_assert_int_eq(open_bytes(&cp, b, &keep, &e), 0);
            ck_assert_int_eq(ks_tensor_load(x, cp, ks_checkpoint_find(cp, "a"), &e), KS_EFORMAT);
            ck_assert_str_eq(e.msg, "f.npz: tensor a holds NaN or Inf");
            ks_checkpoint_close(cp);
            free(keep);
            ks_build_free(b);
        }
}
END_TEST

START_TEST(wrong_crc)
{
    ks_build *b = three();
    ks_checkpoint *cp;
    ks_error e = {0};
    uint8_t *keep;
    float x[64];
    b->at[0].crc_xor = 1;
    ck_assert_int_eq(open_bytes(&cp, b, &keep, &e), 0);
    ck_assert_int_eq(ks_tensor_load(x, cp, ks_checkpoint_find(cp, "a"), &e), KS_EFORMAT);
    ck_assert_msg(strstr(e.msg, "tensor a is damaged: its CRC-32 is") != NULL, "%s", e.msg);
    ks_checkpoint_close(cp);
    free(keep);
    ks_build_free(b);
}
END_TEST

START_TEST(crc_is_zlibs)
{
    uint64_t state = 20250101;
    uint8_t *data = malloc(5000);
    for (int i = 0; i < 5000; i++)
        data[i] = (uint8_t)((state = state * 6364136223846793005u + 1442695040888963407u) >> 56);
    for (size_t n = 0; n < 400; n++)
        for (size_t at = 0; at < 17; at += 4)
            ck_assert_uint_eq(ks_crc32(77, data + at, n), ks_crc32_plain(77, data + at, n));
    ck_assert_uint_eq(ks_crc32(0, data, 5000), ks_crc32_plain(0, data, 5000));
    ck_assert_uint_eq(ks_crc32(0, "123456789", 9), 0xcbf43926); /* the check value of this CRC */
    ck_assert_uint_eq(ks_crc32(ks_crc32(0, data, 1234), data + 1234, 3766),
                      ks_crc32(0, data, 5000));
    free(data);
}
END_TEST

START_TEST(garbage)
{
    char folder[64], path[96];
    ks_checkpoint *cp;
    ks_error e = {0};
    uint64_t state = 1;
    uint8_t data[512];
    for (int round = 0; round < 2000; round++) {
        for (int i = 0; i < 512; i++)
            data[i] = (uint8_t)((state = state * 6364136223846793005u + 1442695040888963407u) >>
                                56);
        if (round & 1) memcpy(data, "PK\3\4", 4);
        if (round & 2) memcpy(data + 490, "PK\5\6", 4), data[510] = data[511] = 0;
        ck_assert_int_eq(ks_checkpoint_open_memory(&cp, "f.npz", data, 512, &e), KS_EFORMAT);
    }
    snprintf(path, sizeof path, "%s/none.npz", ks_temp_folder(folder));
    ck_assert_int_eq(ks_checkpoint_open(&cp, path, &e), KS_ENOTFOUND);
    ck_assert_int_eq(ks_checkpoint_open(&cp, folder, &e), KS_EFORMAT); /* a folder */
    ks_write_file(path, "", 0);
    ck_assert_int_eq(ks_checkpoint_open(&cp, path, &e), KS_EFORMAT);
    ks_remove_folder(folder);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("npz");
    tcase_add_test(t, every_right_form);
    tcase_add_test(t, halves);
    tcase_add_test(t, every_half);
    tcase_add_test(t, wild_anywhere);
    tcase_add_test(t, wild_halves_anywhere);
    tcase_add_loop_test(t, one_fault_each, 0, (int)(sizeof faults / sizeof *faults));
    tcase_add_test(t, crc_and_bit_flips);
    tcase_add_test(t, every_truncation);
    tcase_add_test(t, deflate_streams);
    tcase_add_test(t, deflated_too_far);
    tcase_add_test(t, nan_in_the_last_element);
    tcase_add_test(t, wrong_crc);
    tcase_add_test(t, crc_is_zlibs);
    tcase_add_test(t, garbage);
    return ks_run_case("npz", t);
}
