/* Stored archives: the checksum against its definition, sizes that are refused. (That others read
 * them: tests/serve_rows.py, by Python's zipfile.) */
#include <check.h>
#include <string.h>

#include "serve/zip.h"
#include "tests/suite.h"

/* By the polynomial, bit for bit. */
static uint32_t by_bits(const uint8_t *p, size_t n)
{
    uint32_t crc = ~0u;

    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int b = 0; b < 8; b++) crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
    }
    return ~crc;
}

START_TEST(checksum)
{
    uint8_t bytes[1000];
    uint32_t seed = 7;

    ck_assert_uint_eq(ks_zip_crc(0, "123456789", 9), 0xcbf43926u);
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)((seed = seed * 69069 + 1) >> 24);
    for (size_t n = 0; n < sizeof bytes; n += 37) {
        ck_assert_uint_eq(ks_zip_crc(0, bytes, n), by_bits(bytes, n));
        ck_assert_uint_eq(ks_zip_crc(ks_zip_crc(0, bytes, n / 3), bytes + n / 3, n - n / 3),
                          by_bits(bytes, n));
    }
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    static ks_zip z;
    uint8_t part[KS_ZIP_PART];
    char name[KS_ZIP_NAME + 1] = "";

    memset(name, 'x', KS_ZIP_NAME);
    ck_assert_uint_eq(ks_zip_head(part, &z, name, 0, 1), 0);
    ck_assert_uint_eq(ks_zip_head(part, &z, "a", 0, 1ull << 31), 0);
    ck_assert_uint_eq(ks_zip_head(part, &z, "a", 0, (1ull << 31) - 1), 31);
    ck_assert_uint_eq(ks_zip_head(part, &z, "b", 0, 2000000000), 31);
    ck_assert_uint_eq(ks_zip_head(part, &z, "c", 0, 2000000000), 0);
    ck_assert_int_eq(z.n, 2);
    name[KS_ZIP_NAME - 1] = 0;
    while (z.n < KS_ZIP_MEMBERS) ck_assert_uint_eq(ks_zip_head(part, &z, name, 0, 0), 229);
    ck_assert_uint_eq(ks_zip_head(part, &z, "d", 0, 0), 0);
    const uint64_t directory = z.size;
    for (int i = 0; i < z.n; i++)
        ck_assert_uint_eq(ks_zip_entry(part, &z, i, directory), i < 2 ? 47 : 245);
    ck_assert_uint_eq(ks_zip_entry(part, &z, z.n, directory), 22);
    ck_assert_uint_eq(z.size - directory, 2 * 47 + 198 * 245);
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("zip");

    tcase_add_test(c, checksum);
    tcase_add_test(c, what_does_not_fit_is_refused);
    return ks_run_case("zip", c);
}
