/* test_gpu_choice.c - which GPU, and how many: by name, by number, by the environment; two of them
 * (Mesa's lavapipe, listed twice). */
#include <stdlib.h>

#include "tests/fixture_read.h"
#include "tests/gpu_encoders.h"
#include "tests/suite.h"

enum { SMALL = 12 }; /* numbers of a vector of small.npz */

START_TEST(devices_by_name)
{
    static const char *const bad[] = {"", "gpu:", "gpu:x", "gpu:0x", "GPU", "cuda", "gpu:-1"};
    ks_encoder *enc;
    ks_error e = {0};
    between_reset();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(open_as(&enc, "small.npz", bad[i], KS_AUTO, &e), KS_EUSAGE);
        ck_assert_msg(strstr(e.msg, "none of auto, cpu, gpu, gpu:N"), "%s", e.msg);
    }
    ck_assert_int_eq(open_as(&enc, "small.npz", "gpu:99", KS_AUTO, &e), KS_ENOTFOUND);
    ck_assert_msg(strstr(e.msg, "no GPU 99"), "%s", e.msg);
    ck_assert_int_eq(open_as(&enc, "small.npz", "gpu:0", KS_AUTO, &e), 0);
    ks_encoder_close(enc);
    int err = open_as(&enc, "small.npz", "gpu", KS_INT8, &e); /* or this CPU has none */
    ck_assert_int_eq(err, KS_EUSAGE);
    long before = between.dispatches; /* `auto` takes no device that is a CPU */
    setenv("KINOSEEK_DEVICE", "auto", 1);
    ck_assert_int_eq(open_as(&enc, "small.npz", NULL, KS_AUTO, &e), 0);
    ks_encoder_close(enc);
    ck_assert_int_eq(between.dispatches, before);
    setenv("KINOSEEK_DEVICE", "gpu", 1);
    ck_assert_int_eq(open_as(&enc, "small.npz", NULL, KS_AUTO, &e), 0);
    float v[SMALL];
    ck_assert_int_eq(ks_ids_vector(v, enc, (int32_t[]){1}, 1, &e), 0);
    ks_encoder_close(enc);
    ck_assert_int_gt(between.dispatches, before);
    unsetenv("KINOSEEK_DEVICE");
}
END_TEST

/* Two of them, as the loader sees them. */
static void list_two(void)
{
    char files[200], command[400];
    snprintf(files, sizeof files, "%s/0.json:%s/1.json", cache, cache);
    snprintf(command, sizeof command,
             "for i in 0 1; do cp \"$(ls /usr/share/vulkan/icd.d/lvp_icd*.json | head -n 1)\" "
             "%s/$i.json; done",
             cache);
    ck_assert_int_eq(system(command), 0);
    setenv("VK_DRIVER_FILES", files, 1);
    setenv("VK_ICD_FILENAMES", files, 1);
}

static int beside(ks_encoder *more[4], const char *device)
{
    ks_encoder *enc;
    ks_error e = {0};
    ck_assert_msg(open_as(&enc, "small.npz", device, KS_AUTO, &e) == 0, "%s", e.msg);
    int n = ks_encoders_beside(more, 4, enc);
    ck_assert_msg(notices.n == 0, "%s", notices.last);
    ks_encoder_close(enc);
    return n;
}

/* An encoder for each GPU but the first where none was named, with the same bits; one card with two
 * drivers is one. */
START_TEST(encoders_of_several)
{
    static uint8_t px[2 * SIDE * SIDE * 3];
    float v[SMALL], w[SMALL], frames[2 * SMALL];
    ks_encoder *more[4];
    between_reset();
    ks_fixture_pixels(px, 14, 2, SIDE);
    ks_encoder *enc = gpu_of("small.npz", KS_AUTO);
    ck_assert_int_eq(ks_encoders_beside(more, 4, enc), 0);
    clip_vectors(w, frames, enc, px, 2, 2);
    ks_encoder_close(enc);
    list_two();
    ck_assert_int_eq(beside(more, "cpu"), 0);
    ck_assert_int_eq(beside(more, "gpu:0"), 0);
    ck_assert_int_eq(beside(more, "gpu:1"), 0);
    ck_assert_int_eq(beside(more, "gpu"), 1);
    long before = between.dispatches;
    clip_vectors(v, frames, more[0], px, 2, 2);
    ck_assert_int_gt(between.dispatches, before);
    ck_assert_mem_eq(v, w, sizeof v);
    ks_encoder_close(more[0]);
    between.other_driver = 1;
    ck_assert_int_eq(beside(more, "gpu"), 0);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("choice");
    char command[64];
    if (!mkdtemp(cache)) return 1;
    tcase_set_timeout(t, 1200);
    tcase_add_test(t, devices_by_name);
    tcase_add_test(t, encoders_of_several);
    int failed = ks_run_case("gpu_choice", t);
    snprintf(command, sizeof command, "rm -rf %s", cache);
    return system(command) != 0 || failed ? 1 : 0;
}
