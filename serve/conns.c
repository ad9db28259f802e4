/* conns.c - see conns.h. */
#include "serve/conns.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SLOTS = KS_CONNS_WAITING + KS_CONNS_GIVEN };
static const double head_seconds =
    10; /* from the first byte of a connection to the last of a head */
static const double body_rate =
    16384; /* bytes a second that a body has to come at, after its first 10 s */

struct ks_conns {
    pthread_mutex_t lock;
    ks_conn at[SLOTS];
};

int ks_conns_open(ks_conns **out, ks_error *e)
{
    ks_conns *c = *out = calloc(1, sizeof *c);

    if (!c) return ks_fail(e, KS_ENOMEM, "no memory for connections");
    pthread_mutex_init(&c->lock, NULL);
    return 0;
}

static void empty(ks_conn *k, int and_close)
{
    if (and_close) close(k->fd);
    free(k->head);
    free(k->body);
    *k = (ks_conn){.state = KS_CONN_FREE, .fd = -1};
}

void ks_conns_close(ks_conns *c)
{
    if (!c) return;
    for (int i = 0; i < SLOTS; i++)
        if (c->at[i].state == KS_CONN_HEAD || c->at[i].state == KS_CONN_DRAIN) empty(&c->at[i], 1);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static int is_waiting(const ks_conn *k)
{
    return k->state == KS_CONN_HEAD || k->state == KS_CONN_DRAIN;
}

ks_conn *ks_conns_add(ks_conns *c, int fd, double now)
{
    assert(c && fd >= 0);
    ks_conn *k = NULL, *oldest = NULL;
    int waiting = 0;

    pthread_mutex_lock(&c->lock);
    for (int i = 0; i < SLOTS; i++) {
        ks_conn *o = &c->at[i];
        if (o->state == KS_CONN_FREE && !k) k = o;
        if (!is_waiting(o)) continue;
        waiting++;
        if (!oldest || o->since < oldest->since) oldest = o;
    }
    if (waiting >= KS_CONNS_WAITING) {
        empty(oldest, 1);
        k = oldest;
    }
    *k = (ks_conn){.fd = fd, .state = KS_CONN_HEAD, .since = now, .deadline = now + head_seconds};
    pthread_mutex_unlock(&c->lock);
    return k;
}

void ks_conns_drop(ks_conns *c, ks_conn *k, int and_close)
{
    assert(c && k);
    pthread_mutex_lock(&c->lock);
    empty(k, and_close);
    pthread_mutex_unlock(&c->lock);
}

ks_conn *ks_conns_given(ks_conns *c, int fd)
{
    ks_conn *k = NULL;

    pthread_mutex_lock(&c->lock);
    for (int i = 0; i < SLOTS && !k; i++)
        if (c->at[i].state == KS_CONN_GIVEN && c->at[i].fd == fd) k = &c->at[i];
    pthread_mutex_unlock(&c->lock);
    return k;
}

static int count(const ks_conns *c, ks_conn_state state)
{
    int n = 0;

    for (int i = 0; i < SLOTS; i++) n += c->at[i].state == state;
    return n;
}

int ks_conns_count(ks_conns *c, ks_conn_state state)
{
    pthread_mutex_lock(&c->lock);
    int n = count(c, state);
    pthread_mutex_unlock(&c->lock);
    return n;
}

int ks_conns_give(ks_conns *c, ks_conn *k)
{
    assert(c && k && k->state == KS_CONN_HEAD);
    int room;

    pthread_mutex_lock(&c->lock);
    room = count(c, KS_CONN_GIVEN) < KS_CONNS_GIVEN;
    if (room) k->state = KS_CONN_GIVEN;
    pthread_mutex_unlock(&c->lock);
    return room;
}

void ks_conns_draining(ks_conns *c, ks_conn *k, double deadline)
{
    assert(c && k && k->state == KS_CONN_HEAD);
    pthread_mutex_lock(&c->lock);
    k->state = KS_CONN_DRAIN;
    k->deadline = deadline;
    pthread_mutex_unlock(&c->lock);
}

void ks_conns_arrived(ks_conns *c, ks_conn *k, int64_t bytes, int all)
{
    assert(c && k && bytes >= 0);
    pthread_mutex_lock(&c->lock);
    k->got += bytes;
    k->deadline = all ? 0 : k->since + head_seconds + (double)k->got / body_rate;
    pthread_mutex_unlock(&c->lock);
}

void ks_conns_reap(ks_conns *c, double now, void (*late)(void *arg, ks_conn *k), void *arg)
{
    assert(c);
    pthread_mutex_lock(&c->lock);
    for (int i = 0; i < SLOTS; i++) {
        ks_conn *k = &c->at[i];
        if (k->state == KS_CONN_FREE || k->deadline == 0 || now < k->deadline) continue;
        if (k->state == KS_CONN_GIVEN) {
            shutdown(k->fd, SHUT_RDWR);
            k->deadline = 0;
        } else {
            if (k->state == KS_CONN_HEAD && late) late(arg, k);
            empty(k, 1);
        }
    }
    pthread_mutex_unlock(&c->lock);
}

void ks_conns_shut(ks_conns *c)
{
    pthread_mutex_lock(&c->lock);
    for (int i = 0; i < SLOTS; i++)
        if (c->at[i].state == KS_CONN_GIVEN) shutdown(c->at[i].fd, SHUT_RDWR);
        else if (c->at[i].state != KS_CONN_FREE) empty(&c->at[i], 1);
    pthread_mutex_unlock(&c->lock);
}
