/* test_pool.c - every task once, by a worker of its own number at a time, at any thread count. */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "encoder/pool.h"
#include "tests/suite.h"

enum { MOST = 300, WORKERS = 8 };

typedef struct {
    atomic_int seen[MOST];
    atomic_int busy[WORKERS];
    int plain[MOST]; /* not atomic: a task's write must be visible after the run */
    atomic_int clashes;
} record;

static void work(void *arg, int task, int worker)
{
    record *r = arg;
    if (atomic_fetch_add(&r->busy[worker], 1) != 0) atomic_fetch_add(&r->clashes, 1);
    atomic_fetch_add(&r->seen[task], 1);
    r->plain[task] = task + 1;
    atomic_fetch_sub(&r->busy[worker], 1);
}

static void many_runs(int threads, int runs)
{
    ks_pool *pool;
    ks_error e = {0};
    ck_assert_msg(ks_pool_open(&pool, threads, &e) == 0, "%s", e.msg);
    ck_assert_int_le(ks_pool_threads(pool), threads);
    for (int i = 0; i < runs; i++) {
        record r;
        int tasks = i * 37 % (MOST + 1);
        memset(&r, 0, sizeof r);
        ks_pool_run(pool, tasks, work, &r);
        /* one assert a run: each costs a message to the parent */
        int wrong = atomic_load(&r.clashes);
        for (int t = 0; t < MOST; t++)
            wrong += atomic_load(&r.seen[t]) != (t < tasks) ||
                     r.plain[t] != (t < tasks ? t + 1 : 0);
        ck_assert_int_eq(wrong, 0);
    }
    ks_pool_close(pool);
}

START_TEST(every_task_runs_once)
{
    many_runs(_i, 400);
}
END_TEST

static void *own_pool(void *arg)
{
    (void)arg;
    many_runs(3, 200);
    return NULL;
}

START_TEST(pools_do_not_disturb_each_other)
{
    pthread_t t[3];
    for (int i = 0; i < 3; i++) ck_assert_int_eq(pthread_create(&t[i], NULL, own_pool, NULL), 0);
    for (int i = 0; i < 3; i++) pthread_join(t[i], NULL);
}
END_TEST

START_TEST(zero_threads_means_all_cores)
{
    ks_pool *pool;
    ks_error e = {0};
    ck_assert_int_eq(ks_pool_open(&pool, 0, &e), 0);
    ck_assert_int_ge(ks_pool_threads(pool), 1);
    ks_pool_close(pool);
    ks_pool_close(NULL);
}
END_TEST

int main(void)
{
    TCase *tc = tcase_create("pool");
    tcase_add_loop_test(tc, every_task_runs_once, 1, WORKERS + 1);
    tcase_add_test(tc, pools_do_not_disturb_each_other);
    tcase_add_test(tc, zero_threads_means_all_cores);
    return ks_run_case("pool", tc);
}
