/* test_sentence.c - words on an open encoder: the tokenizer beside the model is found, belongs
 * to the model's hash, and its ids give the vector. */
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
    ks_encoder_options o = {
        .model = model, .tokenizer = tokenizer, .precision = KS_FP32, .threads = 1, .cache = cache};
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
    char hash[KS_HASH_HEX];
    ks_error e = {0, ""};
    ks_info info;
    ck_assert_int_eq(ks_model_info(&info, "tests/fixtures/lvt.npz", &e), 0);
    ks_encoder *enc = opened("tests/fixtures/lvt.npz", NULL, &e),
               *bare = opened("tests/fixtures/small.npz", NULL, &e);
    ck_assert(enc && bare);
    ck_assert_str_ne(ks_encoder_info(enc)->hash, info.hash);
    ck_assert_int_eq(ks_model_identity(hash, &info, "tests/fixtures/lvt.spm", &e), 0);
    ck_assert_str_eq(ks_encoder_info(enc)->hash, hash);
    ck_assert_int_eq(ks_model_identity(hash, &info, NULL, &e), 0);
    ck_assert_str_eq(info.hash, hash);
    ck_assert_int_eq(ks_model_identity(hash, &info, "Makefile", &e), KS_EFORMAT);
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

enum { MANY = 70, TEXT = 400 };

/* 0 to 70 words, more than the model reads, in no order of length. */
static void write_sentence(char text[TEXT], int i)
{
    static const char *const words[] = {"a ", "dog ", "jumping ", "over ", "water "};
    int n = i * 37 % 71;
    text[0] = 0;
    for (int k = 0; k < n && strlen(text) + 12 < TEXT; k++) strcat(text, words[(i + k * k) % 5]);
}

static void compare(ks_encoder *enc, const char *const *words, int at_once)
{
    int cut[MANY];
    ks_sentence s;
    ks_error e = {0, ""};
    size_t D = (size_t)ks_encoder_info(enc)->dim;
    float *many = malloc(MANY * D * sizeof *many), *one = malloc(D * sizeof *one);
    for (int i = 0; i < MANY; i += at_once)
        ck_assert_int_eq(ks_text_vectors(many + (size_t)i * D, cut + i, enc, words + i,
                                         MANY - i < at_once ? MANY - i : at_once, &e),
                         0);
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(ks_text_tokens(&s, enc, words[i], &e), 0);
        ck_assert_int_eq(s.cut, cut[i]);
        ck_assert_int_eq(ks_text_vector(one, enc, words[i], &e), 0);
        ck_assert_msg(memcmp(one, many + (size_t)i * D, D * sizeof *one) == 0,
                      "sentence %d of %d at once", i, at_once);
    }
    free(many);
    free(one);
}

/* Every kind of CPU and precision that this one has. */
START_TEST(many_sentences_have_the_bits_of_one)
{
    static const char *const cpus[] = {"amx", "avx512", "avx2", "plain"};
    static char text[MANY][TEXT];
    const char *words[MANY];
    int seen = 0;
    for (int i = 0; i < MANY; i++) {
        write_sentence(text[i], i);
        words[i] = text[i];
    }
    setenv("KINOSEEK_CPU", cpus[_i], 1);
    for (int precision = KS_FP32; precision <= KS_INT8; precision++)
        for (int toy = 0; toy < 2; toy++) {
            ks_error e = {0, ""};
            ks_encoder *enc = NULL;
            ks_encoder_options o = {.model = toy ? "tests/fixtures/lvt.npz"
                                                 : "models/demo/demo.npz",
                                    .towers = KS_TOWER_TEXT,
                                    .precision = (ks_precision)precision,
                                    .threads = 1 + toy * 2,
                                    .cache = cache};
            if (ks_encoder_open(&enc, &o, &e) == KS_EUSAGE) continue;
            ck_assert_msg(enc != NULL, "%s", e.msg);
            compare(enc, words, MANY);
            if (toy) compare(enc, words, 3);
            ks_encoder_close(enc);
            seen++;
        }
    unsetenv("KINOSEEK_CPU");
    ck_assert(seen > 0 || _i < 3);
}
END_TEST

START_TEST(one_bad_sentence_stops_all)
{
    ks_error e = {0, ""};
    ks_encoder *enc = opened("tests/fixtures/lvt.npz", NULL, &e);
    float v[3 * 64];
    ck_assert_int_eq(
        ks_text_vectors(v, NULL, enc, (const char *const[]){"a dog", "a \xff", "water"}, 3, &e),
        KS_EUSAGE);
    ck_assert_int_eq(ks_text_vectors(v, NULL, enc, NULL, 0, &e), 0);
    ks_encoder_close(enc);
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
    tcase_add_loop_test(tc, many_sentences_have_the_bits_of_one, 0, 4);
    tcase_add_test(tc, one_bad_sentence_stops_all);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    remove_cache();
    return failed ? 1 : 0;
}
