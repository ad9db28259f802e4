/* test_dispatch.c - the choice of kernels: forced, measured, remembered, and never believed
 * blindly. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "encoder/dispatch.h"

static char folder[] = "/tmp/ks-dispatch-XXXXXX";

static int ask(const ks_kernels **k, ks_precision *p, ks_precision asked, ks_error *e)
{
    ks_cache *cache;
    ck_assert_int_eq(ks_cache_open(&cache, folder, NULL, NULL, e), 0);
    int err = ks_dispatch(k, p, cache, asked, e);
    ks_cache_close(cache);
    return err;
}

static void read_choice(char line[256])
{
    char path[128];
    snprintf(path, sizeof path, "%s/cpu.choice", folder);
    FILE *f = fopen(path, "r");
    line[0] = 0;
    if (f) {
        if (!fgets(line, 256, f)) line[0] = 0;
        fclose(f);
    }
}

static void write_choice(const char *line)
{
    char path[128];
    snprintf(path, sizeof path, "%s/cpu.choice", folder);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(line, f);
    fclose(f);
}

START_TEST(the_measurement_is_made_once_and_kept)
{
    const ks_kernels *k, *again;
    ks_precision p, q;
    ks_error e = {0};
    char line[256], cpu[160], rest[256];
    unsetenv("KINOSEEK_CPU");
    ck_assert_int_eq(ask(&k, &p, KS_AUTO, &e), 0);
    read_choice(line);
    ck_assert_int_eq(sscanf(line, "2 %159s %255[^\n]", cpu, rest), 2);
    ck_assert_int_eq(ask(&again, &q, KS_AUTO, &e), 0);
    ck_assert_ptr_eq(k, again);
    ck_assert_int_eq(p, q);
    /* what is remembered for this CPU holds ... */
    snprintf(rest, sizeof rest, "2 %s plain int16\n", cpu);
    write_choice(rest);
    ck_assert_int_eq(ask(&again, &q, KS_AUTO, &e), 0);
    ck_assert_ptr_eq(again, ks_kernels_plain());
    ck_assert_int_eq(q, KS_FP32); /* ... but not a precision that the table is not fast in */
    /* ... another CPU's does not, nor does rubbish, and both are measured anew */
    static const char *const wrong[] = {
        "2 another_cpu plain fp32\n", "", "1 x\n", "2 %s\n", "\n\n", "2 a b c d e f\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        write_choice(wrong[i]);
        ck_assert_int_eq(ask(&again, &q, KS_AUTO, &e), 0);
        ck_assert_int_eq(again != NULL && (q == KS_FP32 || q == KS_BF16 || q == KS_INT16), 1);
        read_choice(line);
        ck_assert_int_eq(strncmp(line + 2, cpu, strlen(cpu)), 0);
    }
}
END_TEST

START_TEST(the_variable_forces_and_is_judged)
{
    const ks_kernels *k;
    ks_precision p;
    ks_error e = {0};
    setenv("KINOSEEK_CPU", "plain", 1);
    ck_assert_int_eq(ask(&k, &p, KS_AUTO, &e), 0);
    ck_assert_ptr_eq(k, ks_kernels_plain());
    ck_assert_int_eq(p, KS_FP32);
    ck_assert_int_eq(ask(&k, &p, KS_BF16, &e), KS_EUSAGE);
    ck_assert_str_eq(e.msg,
                     "precision bf16 needs instructions that this CPU lacks; it has fp32 (plain)");
    setenv("KINOSEEK_CPU", "z80", 1);
    ck_assert_int_eq(ask(&k, &p, KS_AUTO, &e), KS_EUSAGE);
    ck_assert_str_eq(e.msg, "KINOSEEK_CPU=z80 is none of amx, avx512, avx2, plain");
    setenv("KINOSEEK_CPU", "amx", 1);
    ck_assert_int_eq(ask(&k, &p, KS_AUTO, &e), ks_kernels_amx() ? 0 : KS_EUSAGE);
    setenv("KINOSEEK_CPU", "avx2", 1);
    ck_assert_int_eq(ask(&k, &p, KS_FP32, &e), ks_kernels_avx2() ? 0 : KS_EUSAGE);
    /* without bf16 its class is that of 13-bit integers */
    for (int i = 0; i < 2 && ks_kernels_avx2(); i++) {
        ck_assert_int_eq(ask(&k, &p, i ? KS_BF16 : KS_AUTO, &e), 0);
        ck_assert_int_eq(p, KS_INT16);
    }
}
END_TEST

START_TEST(without_a_cache_the_choice_is_fixed)
{
    const ks_kernels *k, *again;
    ks_precision p, q;
    ks_error e = {0};
    ks_cache *nowhere;
    unsetenv("KINOSEEK_CPU");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    ck_assert_int_eq(ks_cache_open(&nowhere, NULL, NULL, NULL, &e), 0);
    ck_assert_int_eq(ks_dispatch(&k, &p, nowhere, KS_AUTO, &e), 0);
    ck_assert_int_eq(ks_dispatch(&again, &q, nowhere, KS_AUTO, &e), 0);
    ck_assert_ptr_eq(k, again);
    ck_assert_int_eq(p, q);
    ks_cache_close(nowhere);
}
END_TEST

int main(void)
{
    if (!mkdtemp(folder)) return 1;
    Suite *suite = suite_create("dispatch");
    TCase *tc = tcase_create("dispatch");
    tcase_add_test(tc, the_measurement_is_made_once_and_kept);
    tcase_add_test(tc, the_variable_forces_and_is_judged);
    tcase_add_test(tc, without_a_cache_the_choice_is_fixed);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) != 0 || failed ? 1 : 0;
}
