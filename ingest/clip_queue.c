/* clip_queue.c - the bounded queue between readers and the indexer. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "ingest/jobs.h"

void ks_item_free(ks_item *p)
{
    if (!p) return;
    for (int i = 0; i < p->n; i++) free(p->frame[i].px);
    free(p->frame);
    free(p->number);
    free(p->jpeg);
    free(p->key);
    free(p);
}

int ks_clip_queue_put(ks_clip_queue *b, ks_item *p)
{
    pthread_mutex_lock(&b->lock);
    while (p->kind == KS_ITEM_CLIP && b->clips >= b->most && !b->quit)
        pthread_cond_wait(&b->room, &b->lock);
    int quit = b->quit && p->kind != KS_ITEM_END;
    if (!quit) {
        p->next = NULL;
        if (b->last) b->last->next = p;
        else b->first = p;
        b->last = p;
        b->clips += p->kind == KS_ITEM_CLIP;
        pthread_cond_broadcast(&b->news);
    }
    pthread_mutex_unlock(&b->lock);
    if (quit) ks_item_free(p);
    return quit ? -1 : 0;
}

/* --- whose --- */

static int may_begin(const ks_clip_queue *b, int card)
{
    int fewest = card, others = 0;
    for (int i = 0; i < b->cards; i++) others += !b->spare[i];
    if (others == 0) return card == 0;
    for (int i = 0; i < b->cards; i++)
        if (!b->spare[i] && b->begun[i] < b->begun[fewest]) fewest = i;
    return !b->spare[card] && b->begun[card] <= b->begun[fewest];
}

/* Off the list: the first that is this card's, or NULL. */
static ks_item *first_of(ks_clip_queue *b, int card)
{
    ks_item **at = &b->first, *before = NULL, *p;
    int may = may_begin(b, card);
    for (; (p = *at) && p->job->card != card + 1 && (p->job->card || !may); at = &p->next)
        before = p;
    if (!p) return NULL;
    *at = p->next;
    if (b->last == p) b->last = before;
    if (!p->job->card) b->begun[card]++;
    p->job->card = card + 1;
    if (p->kind == KS_ITEM_END) {
        p->job->card = 0;
        b->begun[card]--;
        pthread_cond_broadcast(&b->news); /* another may begin one now */
    }
    b->clips -= p->kind == KS_ITEM_CLIP;
    pthread_cond_broadcast(&b->room);
    return p;
}

void ks_clip_queue_empty(ks_clip_queue *b)
{
    while (b->first) {
        ks_item *next = b->first->next;
        ks_item_free(b->first);
        b->first = next;
    }
    b->last = NULL;
}

void ks_clip_queue_spare(ks_clip_queue *b, int card, int spare)
{
    pthread_mutex_lock(&b->lock);
    b->spare[card] = (char)spare;
    pthread_cond_broadcast(&b->news);
    pthread_mutex_unlock(&b->lock);
}

int ks_clip_queue_over(ks_clip_queue *b)
{
    pthread_mutex_lock(&b->lock);
    int over = b->readers == 0 && !b->first;
    pthread_mutex_unlock(&b->lock);
    return over;
}

ks_item *ks_clip_queue_take(ks_clip_queue *b, int card, double seconds)
{
    ks_item *p;
    struct timespec until;
    /* the condition waits by it: a clock that is set back stops nobody */
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + (int64_t)(seconds * 1e9);
    until.tv_sec += (time_t)(ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    pthread_mutex_lock(&b->lock);
    while (!(p = first_of(b, card)) &&
           pthread_cond_timedwait(&b->news, &b->lock, &until) != ETIMEDOUT)
        continue;
    pthread_mutex_unlock(&b->lock);
    return p;
}

/* Films without a row, and those of which a glance is all there is. */
static int wants_survey(const ks_clip_queue *b, const ks_job_file *job)
{
    return !job->video || job->anew || (b->survey == KS_PASS_SURVEY && job->glance);
}

ks_job_file *ks_clip_queue_job(ks_clip_queue *b)
{
    ks_job_file *job = NULL;
    pthread_mutex_lock(&b->lock);
    while (!b->survey && b->next_job < b->n_jobs && b->jobs[b->next_job].over) b->next_job++;
    while (!b->survey && !b->quit && b->next_job >= b->n_jobs && b->n_again == 0 && !b->idle_ok)
        pthread_cond_wait(&b->room, &b->lock);
    while (b->survey && b->next_job < b->n_jobs && !wants_survey(b, &b->jobs[b->next_job]))
        b->next_job++;
    if (!b->quit && b->next_job < b->n_jobs) job = &b->jobs[b->next_job++];
    else if (!b->quit && b->n_again > 0) job = b->again[--b->n_again];
    if (job) b->at_work++;
    else b->readers--;
    pthread_cond_broadcast(&b->news);
    pthread_mutex_unlock(&b->lock);
    return job;
}

void ks_clip_queue_done(ks_clip_queue *b)
{
    pthread_mutex_lock(&b->lock);
    b->at_work--;
    pthread_mutex_unlock(&b->lock);
}

void ks_clip_queue_again(ks_clip_queue *b, ks_job_file *job)
{
    pthread_mutex_lock(&b->lock);
    b->again[b->n_again++] = job;
    pthread_cond_broadcast(&b->room);
    pthread_mutex_unlock(&b->lock);
}
