/* pool.h - the encoder's own threads: one job of many tasks at a time.
 *
 *   ks_pool_open(&pool, threads, &e);
 *   ks_pool_run(pool, tasks, work, arg);     work(arg, task, worker) for every task; then returns
 *   ks_pool_close(pool);
 *
 * The caller works too, as worker 0. Which worker takes which task is chance; a task must not care,
 * except for the scratch of its worker. One run at a time (the encoder's lock sees to it). */
#ifndef KS_POOL_H
#define KS_POOL_H

#include "ks.h"

typedef struct ks_pool ks_pool;
typedef void ks_work(void *arg, int task, int worker);

/* threads >= 1, workers 0..threads-1; 0 = one per core this process may run on. Where the system
 * gives fewer threads than asked, the pool has fewer. KS_ENOMEM. */
int ks_pool_open(ks_pool **pool, int threads, ks_error *e);
void ks_pool_close(ks_pool *pool); /* NULL is fine */
int ks_pool_threads(const ks_pool *pool);
void ks_pool_run(ks_pool *pool, int tasks, ks_work *work, void *arg);

#endif
