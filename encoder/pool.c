/* pool.c - threads that claim tasks from one ticket.
 *
 * The ticket holds the job's number (high half) and how many tasks are unclaimed (low half). A
 * worker claims a task by compare-and-swap on the whole ticket, so that one that wakes late,
 * with the numbers of an old job in hand, finds none left or fails: the job's fields are read
 * between loading the ticket and the swap, and cannot change while one of its tasks is unclaimed
 * or unfinished. So nobody ever waits for a sleeper. */
#include "encoder/pool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Turns of a waiting loop before sleeping: about 20 us. The phases of a text vector are that short,
 * and a futex wake costs more; longer only takes cycles from a decoder on the same core. */
enum { SPINS = 600, MAX_THREADS = 1024 };

typedef struct {
    ks_pool *pool;
    pthread_t thread;
    int worker;
} helper;

struct ks_pool {
    _Atomic uint64_t ticket; /* job << 32 | unclaimed tasks */
    _Atomic(ks_work *) work;
    _Atomic(void *) arg;
    atomic_int tasks, left; /* of the job; not finished yet */
    atomic_int sleepers;    /* workers (and the caller) in a cond wait */
    atomic_int closing;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    helper *helpers;
    int n; /* helpers running; threads - 1 */
};

static void pause_cpu(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void wake_all(ks_pool *pool)
{
    if (atomic_load(&pool->sleepers) == 0) return;
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
}

/* Do tasks of the current job until none is left to claim. */
static void work_off(ks_pool *pool, int worker)
{
    for (;;) {
        uint64_t ticket = atomic_load(&pool->ticket);
        int tasks = atomic_load(&pool->tasks), unclaimed = (int)(uint32_t)ticket;
        ks_work *work = atomic_load(&pool->work);
        void *arg = atomic_load(&pool->arg);
        if (unclaimed == 0) return;
        if (!atomic_compare_exchange_strong(&pool->ticket, &ticket, ticket - 1)) continue;
        work(arg, tasks - unclaimed, worker);
        if (atomic_fetch_sub(&pool->left, 1) == 1) wake_all(pool);
    }
}

/* Wait until the ticket names another job than `job`, or the pool closes. */
static uint64_t await_job(ks_pool *pool, uint64_t job)
{
    for (int i = 0; i < SPINS; i++) {
        uint64_t now = atomic_load(&pool->ticket) >> 32;
        if (now != job || atomic_load(&pool->closing)) return now;
        pause_cpu();
    }
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(&pool->sleepers, 1);
    while (atomic_load(&pool->ticket) >> 32 == job && !atomic_load(&pool->closing))
        pthread_cond_wait(&pool->wake, &pool->lock);
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->lock);
    return atomic_load(&pool->ticket) >> 32;
}

static void *help(void *arg)
{
    helper *me = arg;
    uint64_t job = 0;
    for (;;) {
        job = await_job(me->pool, job);
        if (atomic_load(&me->pool->closing)) return NULL;
        work_off(me->pool, me->worker);
    }
}

static void await_done(ks_pool *pool)
{
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load(&pool->left) == 0) return;
        pause_cpu();
    }
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(&pool->sleepers, 1);
    while (atomic_load(&pool->left) != 0) pthread_cond_wait(&pool->wake, &pool->lock);
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->lock);
}

void ks_pool_run(ks_pool *pool, int tasks, ks_work *work, void *arg)
{
    assert(pool && work && tasks >= 0);
    if (tasks == 0) return;
    if (pool->n == 0 || tasks == 1) {
        for (int i = 0; i < tasks; i++) work(arg, i, 0);
        return;
    }
    atomic_store(&pool->tasks, tasks);
    atomic_store(&pool->left, tasks);
    atomic_store(&pool->work, work);
    atomic_store(&pool->arg, arg);
    uint64_t job = (atomic_load(&pool->ticket) >> 32) + 1;
    atomic_store(&pool->ticket, job << 32 | (uint32_t)tasks);
    wake_all(pool);
    work_off(pool, 0);
    await_done(pool);
}

int ks_pool_threads(const ks_pool *pool) { return pool->n + 1; }

static int cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}

int ks_pool_open(ks_pool **out, int threads, ks_error *e)
{
    assert(out && threads >= 0);
    *out = NULL;
    if (threads == 0) threads = cores();
    if (threads > MAX_THREADS) threads = MAX_THREADS;
    ks_pool *pool = calloc(1, sizeof *pool);
    helper *helpers = calloc((size_t)threads, sizeof *helpers);
    if (!pool || !helpers) {
        free(pool);
        free(helpers);
        return ks_fail(e, KS_ENOMEM, "no memory for %d threads", threads);
    }
    pool->helpers = helpers;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    for (int i = 1; i < threads; i++) {
        helper *h = &helpers[pool->n];
        h->pool = pool;
        h->worker = pool->n + 1;
        if (pthread_create(&h->thread, NULL, help, h) != 0) break;
        pool->n++;
    }
    *out = pool;
    return 0;
}

void ks_pool_close(ks_pool *pool)
{
    if (!pool) return;
    pthread_mutex_lock(&pool->lock);
    atomic_store(&pool->closing, 1);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->n; i++) pthread_join(pool->helpers[i].thread, NULL);
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->wake);
    free(pool->helpers);
    free(pool);
}
