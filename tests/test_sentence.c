/* test_sentence.c - words on an open encoder: the tokenizer beside the model is found, belongs to the
 * model's hash, and its ids give the vector. */
#include <check.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "encoder/encoder.h"
#include "encoder/token.h"

static char cache[] = "/tmp/ks_sentence_XXXXXX";

static ks_encoder *opened(const char *model, const char *tokenizer, ks_error *e)
{
    ks_encoder *enc = NULL;
    ks_encoder_options o = {.model = model, .tokenizer = tokenizer, .precision = KS_FP32, .threads = 1, .cache = cache};
    ks_encoder_open(&enc, &o, e);
    return enc;
}

START_TEST(words_are_their_ids)
{
    ks_error e = {0, ""};
    ks_encoder *enc = opened("tests/fixtures/lvt.npz", NULL, &e);
    ck_assert_msg(enc != NULL, "%s", e.msg);
    int D = ks_encoder_info(enc)->dim;
    float a[64], b[64];
    ks_sentence s;
    ck_assert_int_eq(ks_text_tokens(&s, enc, "A dog, JUMPING over water!", &e), 0);
    ck_assert_int_gt(s.count, 4);
    ck_assert_int_eq(ks_text_vector(a, enc, "a  dog jumping over water", &e), 0);
    ck_assert_int_eq(ks_ids_vector(b, enc, s.ids, s.count, &e), 0);
    ck_assert_mem_eq(a, b, sizeof(float) * (size_t)D);
    ck_assert_int_eq(ks_text_vector(a, enc, "a \xff", &e), KS_EUSAGE);
    ks_encoder_close(enc);
}
END_TEST

START_TEST(the_tokenizer_belongs_to_the_model)
{
    ks_error e = {0, ""};
    ks_info info;
    ck_assert_int_eq(ks_model_info(&info, "tests/fixtures/lvt.npz", &e), 0);
    ks_encoder *enc = opened("tests/fixtures/lvt.npz", NULL, &e), *bare = opened("tests/fixtures/small.npz", NULL, &e);
    ck_assert(enc && bare);
    ck_assert_str_ne(ks_encoder_info(enc)->hash, info.hash);
    ck_assert_int_eq(ks_model_info(&info, "tests/fixtures/small.npz", &e), 0);
    ck_assert_str_eq(ks_encoder_info(bare)->hash, info.hash);
    ks_sentence s;
    ck_assert_int_eq(ks_text_tokens(&s, bare, "a dog", &e), KS_EUSAGE);
    ck_assert_ptr_nonnull(strstr(e.msg, "no tokenizer"));
    ks_encoder_close(enc);
    ks_encoder_close(bare);
    ck_assert_ptr_null(opened("tests/fixtures/small.npz", "tests/fixtures/lvt.spm", &e));
    ck_assert_int_eq(e.code, KS_ESHAPE);
    ck_assert_ptr_null(opened("tests/fixtures/lvt.npz", "tests/fixtures/lvt.npz", &e));
    ck_assert_int_eq(e.code, KS_EFORMAT);
}
END_TEST

static void remove_cache(void)
{
    DIR *d = opendir(cache);
    for (struct dirent *at; d && (at = readdir(d));)
        if (at->d_name[0] != '.') unlinkat(dirfd(d), at->d_name, 0);
    if (d) closedir(d);
    rmdir(cache);
}

int main(void)
{
    if (!mkdtemp(cache)) return 1;
    Suite *suite = suite_create("sentence");
    TCase *tc = tcase_create("sentence");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, words_are_their_ids);
    tcase_add_test(tc, the_tokenizer_belongs_to_the_model);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    remove_cache();
    return failed ? 1 : 0;
}
