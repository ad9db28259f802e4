/* The hash table against brute force: many keys, keys that share a hash, a hash that is not
 * there. */
#include <stdlib.h>

#include "ingest/lookup.h"
#include "tests/library_maker.h"
#include "tests/suite.h"

enum { KEYS = 5000 };

/* bits: of the hash; few make many keys share one. */
static void against_brute_force(int bits)
{
    uint64_t state = 7 + (uint64_t)bits, *hash = malloc(KEYS * sizeof *hash);
    ks_lookup t = {0};

    for (size_t i = 0; i < KEYS; i++) {
        hash[i] = bits == 64 ? lib_random(&state)
                             : lib_random(&state) & (((uint64_t)1 << bits) - 1);
        ck_assert_int_eq(ks_lookup_put(&t, hash[i], i), 0);
    }
    ck_assert_uint_eq(t.n, KEYS);
    for (size_t i = 0; i < KEYS; i += 7) {
        size_t at = 0, n, last = 0, found = 0, want = 0;
        while (ks_lookup_next(&n, &at, &t, hash[i])) {
            ck_assert_uint_lt(n, KEYS);
            ck_assert_uint_eq(hash[n], hash[i]);
            ck_assert_msg(found == 0 || n != last, "a number came twice");
            last = n;
            found++;
        }
        for (size_t j = 0; j < KEYS; j++) want += hash[j] == hash[i];
        ck_assert_uint_eq(found, want);
    }
    ks_lookup_free(&t);
    free(hash);
}

START_TEST(test_keys_and_shared_hashes)
{
    against_brute_force(64);
    against_brute_force(12);
    against_brute_force(6);
}
END_TEST

START_TEST(test_nothing_in_it)
{
    ks_lookup t = {0};
    size_t n, at = 0;

    ck_assert_int_eq(ks_lookup_next(&n, &at, &t, 5), 0);
    /* the hash 0 and the number 0 are as good as any */
    ck_assert_int_eq(ks_lookup_put(&t, 0, 0), 0);
    ck_assert_int_eq(ks_lookup_next(&n, &at, &t, 5), 0);
    at = 0;
    ck_assert_int_eq(ks_lookup_next(&n, &at, &t, 0), 1);
    ck_assert_uint_eq(n, 0);
    ck_assert_int_eq(ks_lookup_next(&n, &at, &t, 0), 0);
    ks_lookup_free(&t);
    ks_lookup_free(&t);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("lookup");
    tcase_add_test(t, test_keys_and_shared_hashes);
    tcase_add_test(t, test_nothing_in_it);
    return ks_run_case("lookup", t);
}
