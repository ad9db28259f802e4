/* Processes beside the server: questions, descriptors, one that dies, one that is busy. */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "serve/aide.h"
#include "tests/suite.h"

typedef struct {
    int32_t what, n;
} question;
typedef struct {
    int32_t n, pid;
    char zeros[100];
} answer;
enum { DOUBLE, HAND, DIE, NAP };

static void reply(void *out, int *fd, const void *in, void *arg)
{
    const question *q = in;
    answer *a = out;

    if (q->what == DIE) _exit(1);
    if (q->what == NAP) usleep(50000);
    if (q->what == HAND) *fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    a->n = 2 * q->n + *(int *)arg;
    a->pid = getpid();
}

static int one = 1;
static const ks_aide_how how = {.name = "test-aide",
                                .in = sizeof(question),
                                .out = sizeof(answer),
                                .answer = reply,
                                .arg = &one};

START_TEST(answers)
{
    ks_aide *a;
    ks_error e;
    answer got;
    int fd = 7;

    ck_assert_int_eq(ks_aide_start(&a, &how, 1, &e), 0);
    for (int i = 0; i < 1000; i++) {
        memset(&got, 1, sizeof got);
        ck_assert_int_eq(ks_aide_ask(a, &got, &fd, &(question){DOUBLE, i}, &e), 0);
        ck_assert_int_eq(got.n, 2 * i + 1);
        ck_assert_int_eq(got.zeros[99], 0);
        ck_assert_int_eq(fd, -1);
    }
    ck_assert_int_ne(got.pid, getpid());
    ks_aide_stop(a);
}
END_TEST

/* None is lost: neither one that was wanted nor one that was not. */
START_TEST(hands_descriptors)
{
    struct stat st, zero;
    ks_aide *a;
    ks_error e;
    answer got;
    int fd, first = -1;

    ck_assert_int_eq(ks_aide_start(&a, &how, 2, &e), 0);
    ck_assert_int_eq(stat("/dev/zero", &zero), 0);
    for (int i = 0; i < 2000; i++) {
        ck_assert_int_eq(ks_aide_ask(a, &got, &fd, &(question){HAND, i}, &e), 0);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(fstat(fd, &st), 0);
        ck_assert_uint_eq(st.st_rdev, zero.st_rdev);
        ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
        if (first < 0) first = fd;
        ck_assert_int_eq(fd, first);
        close(fd);
        ck_assert_int_eq(ks_aide_ask(a, &got, NULL, &(question){HAND, i}, &e), 0);
    }
    ks_aide_stop(a);
}
END_TEST

START_TEST(one_that_died_is_said)
{
    ks_aide *a;
    ks_error e;
    answer got;

    ck_assert_int_eq(ks_aide_start(&a, &how, 2, &e), 0);
    ck_assert_int_eq(ks_aide_ask(a, &got, NULL, &(question){DIE, 0}, &e), KS_EIO);
    ck_assert_ptr_nonnull(strstr(e.msg, "test-aide is gone"));
    ck_assert_int_eq(ks_aide_ask(a, &got, NULL, &(question){DOUBLE, 4}, &e), 0);
    ck_assert_int_eq(got.n, 9); /* the other one */
    kill(got.pid, SIGKILL);
    ck_assert_int_eq(ks_aide_ask(a, &got, NULL, &(question){DOUBLE, 4}, &e), KS_EIO);
    ck_assert_int_eq(ks_aide_ask(a, &got, NULL, &(question){DOUBLE, 4}, &e), KS_EIO);
    ks_aide_stop(a);
}
END_TEST

static void *ask_many(void *arg)
{
    ks_error e;
    answer got;

    for (int i = 0; i < 20; i++) {
        if (ks_aide_ask(arg, &got, NULL, &(question){NAP, i}, &e) != 0 || got.n != 2 * i + 1)
            return arg;
    }
    return NULL;
}

START_TEST(many_ask_at_once)
{
    pthread_t t[8];
    ks_aide *a;
    ks_error e;
    void *bad;

    ck_assert_int_eq(ks_aide_start(&a, &how, 3, &e), 0);
    for (int i = 0; i < 8; i++) ck_assert_int_eq(pthread_create(&t[i], NULL, ask_many, a), 0);
    for (int i = 0; i < 8; i++) {
        pthread_join(t[i], &bad);
        ck_assert_ptr_null(bad);
    }
    ks_aide_stop(a);
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("aide");

    tcase_set_timeout(c, 60);
    tcase_add_test(c, answers);
    tcase_add_test(c, hands_descriptors);
    tcase_add_test(c, one_that_died_is_said);
    tcase_add_test(c, many_ask_at_once);
    return ks_run_case("aide", c);
}
