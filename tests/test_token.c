/* test_token.c - tokens are what the reference pipeline makes (tests/fixtures/tokens.tsv), and a
 * file that could hurt the library never reaches it. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "encoder/spm_walk.h"
#include "encoder/token.h"
#include "tests/spm_build.h"
#include "tests/suite.h"

static void unhex(char *out, const char *hex)
{
    for (; *hex && *hex != '-'; hex += 2) {
        unsigned byte;
        sscanf(hex, "%2x", &byte);
        *out++ = (char)byte;
    }
    *out = 0;
}

static void check_line(char *line)
{
    char path[64], words[2048];
    char *model = strtok(line, "\t"), *hex = strtok(NULL, "\t"), *ids = strtok(NULL, "\t\n");
    snprintf(path, sizeof path, "tests/fixtures/%s", model);
    unhex(words, hex);
    ks_tokenizer *t;
    ks_sentence s;
    ks_error e = {0, ""};
    ck_assert_msg(ks_tokenizer_open(&t, path, 0, &e) == 0, "%s", e.msg);
    ck_assert_msg(ks_tokenizer_encode(&s, t, words, &e) == 0, "%s", e.msg);
    int n = 0;
    for (char *id = ids ? strtok(ids, " ") : NULL; id; id = strtok(NULL, " "), n++)
        if (n < KS_TEXT_MAX)
            ck_assert_msg(n < s.count && s.ids[n] == atoi(id), "%s: '%s': token %d", model, words,
                          n);
    ck_assert_int_eq(s.count, n < KS_TEXT_MAX ? n : KS_TEXT_MAX);
    ck_assert_int_eq(s.cut, n - s.count);
    ck_assert_int_eq(s.cut > 0, s.lost[0] != 0);
    ks_tokenizer_close(t);
}

START_TEST(as_the_reference_pipeline)
{
    FILE *in = fopen("tests/fixtures/tokens.tsv", "r");
    ck_assert_ptr_nonnull(in);
    static char line[16384];
    int n = 0;
    while (fgets(line, sizeof line, in)) {
        check_line(line);
        n++;
    }
    fclose(in);
    ck_assert_int_eq(n, 3 * 72);
}
END_TEST

START_TEST(what_was_cut_is_told)
{
    ks_tokenizer *t;
    ks_sentence s;
    char words[1024] = "";
    ck_assert_int_eq(ks_tokenizer_open(&t, "tests/fixtures/bytes.spm", 330, NULL), 0);
    for (int i = 0; i < 25; i++) strcat(words, "ooo "); /* no piece but letters: 4 tokens each */
    strcat(words, "then \xc3\xb1");
    ck_assert_int_eq(ks_tokenizer_encode(&s, t, words, NULL), 0);
    ck_assert_int_eq(s.count, 64);
    ck_assert_int_gt(s.cut, 0);
    size_t n = strlen(s.lost);
    ck_assert_msg(n > 3 && strcmp(s.lost + n - 3, "\xc3\xb1.") == 0, "lost: '%s'", s.lost);
    ck_assert(s.lost[0] != ' ');
    ck_assert_int_eq(ks_tokenizer_encode(&s, t, "a \xff", NULL), KS_EUSAGE);
    ks_tokenizer_close(t);
}
END_TEST

START_TEST(the_vocabulary_must_be_the_models)
{
    ks_tokenizer *t;
    ks_error e = {0, ""};
    ck_assert_int_eq(ks_tokenizer_open(&t, "tests/fixtures/lvt.spm", 41, &e), KS_ESHAPE);
    ck_assert_ptr_nonnull(strstr(e.msg, "has 40 pieces, the model's vocabulary is 41"));
    ck_assert_ptr_null(t);
    ck_assert_int_eq(ks_tokenizer_open(&t, "tests/fixtures/lvt.spm", 40, &e), 0);
    ck_assert_uint_eq(strlen(ks_tokenizer_hash(t)), 64);
    ks_tokenizer_close(t);
}
END_TEST

START_TEST(it_is_found_beside_the_model)
{
    char *path;
    ck_assert_int_eq(ks_tokenizer_find(&path, NULL, "tests/fixtures/lvt.npz", NULL), 0);
    ck_assert_str_eq(path, "tests/fixtures/lvt.spm");
    free(path);
    ck_assert_int_eq(ks_tokenizer_find(&path, NULL, "tests/fixtures/small.npz", NULL), 0);
    ck_assert_ptr_null(path);
    ck_assert_int_eq(ks_tokenizer_find(&path, "x", "tests/fixtures/lvt.npz", NULL), 0);
    ck_assert_str_eq(path, "x");
    free(path);
    /* no ending in the last part */
    ck_assert_int_eq(ks_tokenizer_find(&path, NULL, "../a.b/c", NULL), 0);
    ck_assert_ptr_null(path);
}
END_TEST

/* --- hostile files: each a sound one with one fault --- */
static int walk(const ks_buffer *b, ks_error *e)
{
    int pieces;
    return ks_spm_walk(&pieces, (ks_bytes){b->at, b->n}, "x.model", e);
}

static void refuse(ks_buffer *b, const char *why)
{
    ks_error e = {0, ""};
    ck_assert_msg(walk(b, &e) == KS_EFORMAT, "a model was taken that is: %s", why);
    ck_assert_msg(strstr(e.msg, why) != NULL, "'%s' does not say: %s", e.msg, why);
    ck_assert_msg(strncmp(e.msg, "x.model: ", 9) == 0, "%s", e.msg);
    ks_buffer_free(b);
}

static void refuse_piece(const void *text, size_t n, float score, unsigned type, const char *why)
{
    ks_buffer b = {0};
    ks_spm_sound(&b);
    ck_assert_int_eq(walk(&b, NULL), 0);
    ks_spm_piece(&b, text, n, score, type);
    refuse(&b, why);
}

START_TEST(bad_pieces)
{
    static char huge[2 << 20];
    memset(huge, 'q', sizeof huge);
    refuse_piece("", 0, 0, 1, "empty piece");
    refuse_piece("a", 1, 0, 1, "the same piece twice");
    refuse_piece("a", 1, 0, 3, "the same piece twice");
    refuse_piece("x\0y", 3, 0, 1, "zero byte");
    refuse_piece("\xff\xfe", 2, 0, 1, "not UTF-8");
    refuse_piece("\xed\xa0\x80", 3, 0, 1, "not UTF-8");
    refuse_piece("xy", 2, NAN, 1, "no number");
    refuse_piece("xy", 2, INFINITY, 1, "no number");
    refuse_piece("<unk2>", 6, 0, 2, "several unknown");
    refuse_piece("xy", 2, 0, 7, "unknown type");
    refuse_piece(huge, sizeof huge, 0, 1, "over 512 bytes");
    refuse_piece(huge, 513, 0, 1, "over 512 bytes");
}
END_TEST

START_TEST(bad_models)
{
    ks_buffer b = {0};
    refuse(&b, "not a sentencepiece model"); /* empty */
    ks_spm_piece(&b, "a", 1, 0, 1);
    refuse(&b, "no unknown piece");
    for (unsigned type = 0; type < 6; type++) {
        ks_buffer trainer = {0};
        if (type == 1) continue;
        ks_spm_sound(&b);
        ks_proto_varint(&trainer, 3, type == 5 ? ((uint64_t)1 << 32) + 1 : type);
        ks_proto_bytes(&b, 2, trainer.at, trainer.n);
        ks_buffer_free(&trainer);
        refuse(&b, "not a unigram model");
    }
    ks_spm_sound(&b);
    ks_proto_varint(&b, 1, 5); /* pieces are messages */
    refuse(&b, "not a sentencepiece model");
    ks_spm_sound(&b);
    ks_buffer_add(&b, "\x0a\xff\xff\xff\xff\x0f", 6); /* a length of 4 GiB */
    refuse(&b, "damaged");
    ks_spm_sound(&b);
    /* an endless number */
    ks_buffer_add(&b, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12);
    refuse(&b, "damaged");
    ks_spm_sound(&b);
    ks_buffer_add(&b, "\x3b", 1); /* a group */
    refuse(&b, "damaged");
    ks_buffer nested = {0};
    ks_spm_sound(&nested);
    for (size_t n = 2; n < 36; n++)
        ks_spm_piece(&nested, "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", n, 0, 4);
    refuse(&nested, "begin each other");
    ks_spm_sound(&b);
    void *samples = calloc(1, KS_SPM_SELF_TEST_MAX + 1);
    ks_proto_bytes(&b, 4, samples, KS_SPM_SELF_TEST_MAX + 1);
    free(samples);
    refuse(&b, "self test");
}
END_TEST

static void refuse_map(const uint32_t *units, size_t n, const char *outputs, size_t bytes,
                       const char *why)
{
    ks_buffer b = {0};
    ks_spm_sound(&b);
    ks_spm_map(&b, units, n, outputs, bytes);
    refuse(&b, why);
}

enum { ROOT = KS_TRIE_ROOT, NEXT = KS_TRIE_NEXT, UNITS = KS_TRIE_UNITS };

START_TEST(bad_character_maps)
{
    uint32_t u[UNITS];
    char longest[300];
    ks_buffer b = {0};
    memset(longest, 'a', sizeof longest);
    ks_trie_empty(u, UNITS);
    ks_trie_edge(u, ROOT, 'x', NEXT, 0); /* sound: x becomes "y" */
    ks_spm_sound(&b);
    ks_spm_map(&b, u, UNITS, "y", 2);
    ck_assert_int_eq(walk(&b, NULL), 0);
    ks_buffer_free(&b);
    refuse_map(u, UNITS, "yyyy", 4, "too long"); /* no end at all */
    refuse_map(u, UNITS, longest, sizeof longest, "too long");
    refuse_map(u, UNITS, "\xff", 2, "not UTF-8");
    refuse_map(u, 600, "y", 2, "leads outside"); /* a byte after x would look past the end */
    refuse_map(u, 300, "y", 2, "leads outside");
    ks_trie_edge(u, ROOT, 'x', NEXT, 2);
    refuse_map(u, UNITS, "y", 2, "lies outside");
    ks_trie_empty(u, UNITS);
    u[0] |= 0x1fffffu << 10; /* the root itself leads far out */
    refuse_map(u, UNITS, "y", 2, "leads outside");
    ks_trie_empty(u, UNITS);
    u[0] |= 'x'; /* a circle through the root: from base 'x', byte x would lead to place 0 */
    ks_trie_edge(u, ROOT, 'y', 'x', -1);
    refuse_map(u, UNITS, "y", 2, "no root");
    ks_trie_empty(u, UNITS);
    ks_trie_edge(u, ROOT, 'y', 0, -1);
    refuse_map(u, UNITS, "y", 2, "back to its start");
    ks_trie_empty(u, UNITS);
    ks_trie_edge(u, ROOT, 'x', NEXT, -1);
    u[ROOT ^ 'x'] |= 0x200; /* the offset is meant 256 times as far */
    refuse_map(u, UNITS, "y", 2, "leads outside");
    ks_trie_empty(u, UNITS);
    ks_trie_edge(u, ROOT, 'x', NEXT, -1);
    ks_trie_edge(u, NEXT, 'y', ROOT, -1);
    refuse_map(u, UNITS, "y", 2, "circle");
    ks_trie_edge(u, ROOT, 'x', ROOT, -1);
    refuse_map(u, UNITS, "y", 2, "circle");
    refuse_map(u, 0, "y", 2, "wrong size");
    ks_spm_sound(&b);
    ks_buffer normalizer = {0};
    ks_proto_bytes(&normalizer, 2, "\xff\xff\xff\x7f....", 8);
    ks_proto_bytes(&b, 5, normalizer.at, normalizer.n); /* the denormalizer is walked too */
    ks_buffer_free(&normalizer);
    refuse(&b, "wrong size");
}
END_TEST

/* Rules that begin each other: x, xx, xxx ... The library keeps 32 of them and reads as many as
 * there are. */
START_TEST(nested_rules)
{
    enum { RULES = 33, ALL = 256 * (RULES + 2) };
    uint32_t *u = malloc(ALL * sizeof *u);
    ks_trie_empty(u, ALL);
    for (uint32_t i = 0; i < RULES; i++) {
        ks_buffer b = {0};
        ks_trie_edge(u, ROOT + 256 * i, 'x', ROOT + 256 * (i + 1), 0);
        ks_spm_sound(&b);
        ks_spm_map(&b, u, ALL, "y", 2);
        if (i < 32) ck_assert_int_eq(walk(&b, NULL), 0);
        else refuse(&b, "begin each other");
        ks_buffer_free(&b);
    }
    free(u);
}
END_TEST

static ks_buffer slurp(const char *path)
{
    ks_buffer b = {0};
    char part[4096];
    FILE *in = fopen(path, "rb");
    ck_assert_ptr_nonnull(in);
    for (size_t n; (n = fread(part, 1, sizeof part, in)) > 0;) ks_buffer_add(&b, part, n);
    fclose(in);
    return b;
}

/* Cut anywhere, a model is refused, or it is one whose tail fields are simply not there. */
START_TEST(truncations)
{
    ks_buffer whole = slurp("tests/fixtures/bytes.spm");
    int taken = 0;
    for (size_t n = 0; n < whole.n; n++) {
        uint8_t *part = malloc(n + 1); /* exactly n readable under ASan */
        memcpy(part, whole.at, n);
        int pieces;
        taken += ks_spm_walk(&pieces, (ks_bytes){part, n}, "x", NULL) == 0 && pieces == 330;
        free(part);
    }
    ck_assert_int_le(taken, 3);
    ks_buffer_free(&whole);
}
END_TEST

/* Whatever one byte becomes, the walk refuses it or the library lives through it. */
START_TEST(one_byte_changed)
{
    ks_buffer b = slurp("tests/fixtures/bos.spm");
    char folder[] = "/tmp/ks_token_XXXXXX", path[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/m.spm", folder);
    unsigned seed = 20261123;
    int taken = 0, refused = 0;
    for (int i = 0; i < 1500; i++) {
        seed = seed * 1103515245u + 12345u;
        size_t at = (seed >> 8) % b.n;
        uint8_t was = b.at[at];
        b.at[at] = (uint8_t)(was ^ (1u << (seed >> 4 & 7)));
        FILE *out = fopen(path, "wb");
        fwrite(b.at, 1, b.n, out);
        fclose(out);
        b.at[at] = was;
        ks_tokenizer *t;
        ks_sentence s;
        if (ks_tokenizer_open(&t, path, 0, NULL) != 0) {
            refused++;
            continue;
        }
        taken += ks_tokenizer_encode(&s, t, "a dog, jumping over the Ball!", NULL) == 0;
        ks_tokenizer_close(t);
    }
    ck_assert_int_gt(taken, 100);
    ck_assert_int_gt(refused, 100);
    unlink(path);
    rmdir(folder);
    ks_buffer_free(&b);
}
END_TEST

START_TEST(what_is_no_file)
{
    char folder[] = "/tmp/ks_token_XXXXXX", path[64];
    ks_tokenizer *t;
    ks_error e = {0, ""};
    ck_assert_int_eq(ks_tokenizer_open(&t, "tests/fixtures/none.spm", 0, &e), KS_ENOTFOUND);
    ck_assert_int_eq(ks_tokenizer_open(&t, "tests", 0, &e), KS_EFORMAT);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/fifo", folder);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    /* at once: nobody writes into it */
    ck_assert_int_eq(ks_tokenizer_open(&t, path, 0, &e), KS_EFORMAT);
    unlink(path);
    FILE *out = fopen(path, "wb");
    ck_assert_int_eq(ftruncate(fileno(out), (off_t)KS_SPM_BYTES_MAX + 1), 0);
    fclose(out);
    ck_assert_int_eq(ks_tokenizer_open(&t, path, 0, &e), KS_EFORMAT);
    ck_assert_ptr_nonnull(strstr(e.msg, "bytes is no tokenizer"));
    unlink(path);
    rmdir(folder);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("token");
    tcase_add_test(tc, as_the_reference_pipeline);
    tcase_add_test(tc, what_was_cut_is_told);
    tcase_add_test(tc, the_vocabulary_must_be_the_models);
    tcase_add_test(tc, it_is_found_beside_the_model);
    tcase_add_test(tc, bad_pieces);
    tcase_add_test(tc, bad_models);
    tcase_add_test(tc, bad_character_maps);
    tcase_add_test(tc, nested_rules);
    tcase_add_test(tc, truncations);
    tcase_add_test(tc, one_byte_changed);
    tcase_add_test(tc, what_is_no_file);
    return ks_run_case("token", tc);
}
