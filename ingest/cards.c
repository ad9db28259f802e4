/* cards.c - several GPUs: a thread for the encoder of each. See indexer.h. */
#include "ingest/indexer.h"

int ks_card_work(ks_indexer *k, int card, double seconds, ks_error *e)
{
    ks_clip_queue *b = k->clip_queue;
    ks_card *c = &k->card[card];
    ks_gpu_trust t = {.on_gpu = 1};
    ks_item *p = ks_clip_queue_take(b, card, seconds);
    int end = p && p->kind == KS_ITEM_END, err = p ? ks_indexer_take(k, c, p, e) : 0;
    if (end) ks_clip_queue_done(b);
    if (k->cards == 1) return err;
    /* where a GPU fails the CPU ends what it had; new films are for the others */
    if (c->embedder.enc) ks_gpu_trusted(&t, c->embedder.enc);
    ks_clip_queue_spare(b, card, !t.on_gpu);
    return err;
}

static void *work(void *arg)
{
    ks_card_thread *t = arg;
    ks_clip_queue *b = t->k->clip_queue;
    while (!b->quit && t->err == 0 && !ks_clip_queue_over(b))
        t->err = ks_card_work(t->k, t->card, 0.25, &t->why);
    if (t->err < 0) b->failed = 1;
    return NULL;
}

int ks_cards_start(ks_card_thread threads[KS_CARDS], ks_indexer *k, ks_error *e)
{
    for (int i = 1; i < k->cards; i++) {
        ks_card_thread *t = &threads[i];
        *t = (ks_card_thread){.k = k, .card = i};
        if (pthread_create(&t->thread, NULL, work, t) == 0) continue;
        t->k = NULL;
        return ks_fail(e, KS_ENOMEM, "no thread could be started");
    }
    return 0;
}

int ks_cards_join(ks_card_thread threads[KS_CARDS], ks_error *e)
{
    int err = 0;
    for (int i = 1; i < KS_CARDS && threads[i].k; i++) {
        pthread_join(threads[i].thread, NULL);
        if (threads[i].err < 0 && err == 0)
            err = ks_fail(e, threads[i].err, "%s", threads[i].why.msg);
    }
    return err;
}
