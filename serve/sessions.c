/* sessions.c - see sessions.h. */
#include "serve/sessions.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { LOOKERS = 3, ASKERS = 2, WATCHERS = 2, SLOTS = LOOKERS + ASKERS + WATCHERS, PATIENCE = 30 };

typedef struct {
    ks_setup setup; /* with a notice of its own */
    ks_session *s;  /* NULL: not opened yet */
    int taken;
    dev_t device; /* of catalog.db when it was opened */
    ino_t inode;
    char model[KS_HASH_HEX];
    char notices[600];
} slot;

struct ks_sessions {
    const char *library;
    const ks_setup *setup;
    slot slots[SLOTS];
    pthread_mutex_t lock;
    pthread_cond_t freed;
    int stop, warming;
    pthread_t warmer;
};

static void notice(void *arg, const char *sentence)
{
    slot *t = arg;
    size_t n = strlen(t->notices);

    snprintf(t->notices + n, sizeof t->notices - n, "%s%s", n ? "\n" : "", sentence);
}

int ks_sessions_open(ks_sessions **out, const char *library, const ks_setup *setup, ks_error *e)
{
    assert(out && library && setup);
    ks_sessions *p = *out = calloc(1, sizeof *p);
    pthread_condattr_t clock;

    if (!p) return ks_fail(e, KS_ENOMEM, "no memory");
    p->library = library;
    p->setup = setup;
    pthread_mutex_init(&p->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&p->freed, &clock);
    pthread_condattr_destroy(&clock);
    for (int i = 0; i < SLOTS; i++) {
        p->slots[i].setup = *setup;
        p->slots[i].setup.notice = notice;
        p->slots[i].setup.notice_arg = &p->slots[i];
    }
    return 0;
}

void ks_sessions_close(ks_sessions *p)
{
    if (!p) return;
    if (p->warming) pthread_join(p->warmer, NULL);
    for (int i = 0; i < SLOTS; i++) ks_session_close(p->slots[i].s);
    pthread_cond_destroy(&p->freed);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

void ks_sessions_stop(ks_sessions *p)
{
    pthread_mutex_lock(&p->lock);
    p->stop = 1;
    pthread_cond_broadcast(&p->freed);
    pthread_mutex_unlock(&p->lock);
}

static slot *free_slot(ks_sessions *p, ks_session_use use)
{
    static const int first[] = {0, LOOKERS, LOOKERS + ASKERS, SLOTS};

    for (int i = first[use]; i < first[use + 1]; i++) /* one that is open already: the lowest */
        if (!p->slots[i].taken) return &p->slots[i];
    return NULL;
}

static int wait_for_slot(slot **out, ks_sessions *p, ks_session_use kind, ks_error *e)
{
    struct timespec until;
    int late = 0;
    slot *t;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PATIENCE;
    pthread_mutex_lock(&p->lock);
    while (!p->stop && !(t = free_slot(p, kind)) && !late)
        late = pthread_cond_timedwait(&p->freed, &p->lock, &until) == ETIMEDOUT;
    if (!p->stop && t) t->taken = 1;
    late = p->stop ? KS_ESTOP : !t ? KS_EBUSY : 0;
    pthread_mutex_unlock(&p->lock);
    *out = t;
    if (late)
        return ks_fail(e, late,
                       late == KS_ESTOP ? "the server is ending"
                                        : "too many questions at once; ask again");
    return 0;
}

static int read_model(char model[KS_HASH_HEX], ks_session *s, ks_error *e)
{
    ks_library *l = malloc(sizeof *l); /* 16 KiB of paths */
    int err = l ? ks_index_library(l, ks_session_index(s), e) : ks_fail(e, KS_ENOMEM, "no memory");

    if (err == 0) memcpy(model, l->space.model, KS_HASH_HEX);
    free(l);
    return err;
}

/* 1: what is open is what lies at the path, with the model it was opened for. */
static int is_current(const ks_sessions *p, const slot *t)
{
    char path[4200], model[KS_HASH_HEX];
    struct stat st;
    ks_error e;

    snprintf(path, sizeof path, "%s/catalog.db", p->library);
    if (stat(path, &st) != 0 || st.st_dev != t->device || st.st_ino != t->inode) return 0;
    if (ks_index_outdated(ks_session_index(t->s))) return 0;
    return read_model(model, t->s, &e) == 0 && strcmp(model, t->model) == 0;
}

/* Others look through the slots for theirs meanwhile. */
static void set_session(ks_sessions *p, slot *t, ks_session *s)
{
    pthread_mutex_lock(&p->lock);
    t->s = s;
    pthread_mutex_unlock(&p->lock);
}

static int open_slot(ks_sessions *p, slot *t, ks_error *e)
{
    char path[4200];
    struct stat st = {0};
    ks_session *s;
    int err;

    snprintf(path, sizeof path, "%s/catalog.db", p->library);
    if (stat(path, &st) == 0) {
        t->device = st.st_dev;
        t->inode = st.st_ino;
    }
    if ((err = ks_session_open(&s, p->library, &t->setup, e)) < 0) return err;
    if ((err = read_model(t->model, s, e)) < 0) ks_session_close(s);
    else set_session(p, t, s);
    return err;
}

static void give_slot(ks_sessions *p, slot *t)
{
    pthread_mutex_lock(&p->lock);
    t->taken = 0;
    pthread_cond_broadcast(&p->freed);
    pthread_mutex_unlock(&p->lock);
}

int ks_sessions_take(ks_session **out, ks_sessions *p, ks_session_use kind, ks_error *e)
{
    assert(out && p && kind >= KS_FOR_LOOKING && kind <= KS_FOR_WATCHING);
    slot *t;
    int err = wait_for_slot(&t, p, kind, e);

    *out = NULL;
    if (err < 0) return err;
    t->notices[0] = 0;
    if (t->s && !is_current(p, t)) {
        ks_session_close(t->s);
        set_session(p, t, NULL);
    }
    /* It may go away while it is opened: then it is not there, or there again. */
    for (int tries = 0; !t->s && tries < 3; tries++)
        if ((err = open_slot(p, t, e)) != KS_EIO) break;
    if (err < 0) {
        give_slot(p, t);
        return err;
    }
    *out = t->s;
    return 0;
}

static slot *slot_of(ks_sessions *p, const ks_session *s)
{
    for (int i = 0; i < SLOTS; i++)
        if (p->slots[i].taken && p->slots[i].s == s) return &p->slots[i];
    assert(!"a session of this pool");
    return NULL;
}

void ks_sessions_give(ks_sessions *p, ks_session *s)
{
    assert(p);
    slot *t;

    if (!s) return;
    pthread_mutex_lock(&p->lock);
    t = slot_of(p, s);
    pthread_mutex_unlock(&p->lock);
    give_slot(p, t);
}

const char *ks_sessions_notices(ks_sessions *p, ks_session *s)
{
    const slot *t;

    pthread_mutex_lock(&p->lock);
    t = slot_of(p, s);
    pthread_mutex_unlock(&p->lock);
    return t->notices;
}

static void *warm(void *arg)
{
    ks_sessions *p = arg;
    ks_session *s;
    ks_encoder *enc;
    const ks_scale *scale;
    ks_error e;

    if (ks_sessions_take(&s, p, KS_FOR_ASKING, &e) < 0) return NULL; /* whoever asks is told */
    if (ks_session_encoder(&enc, s, KS_TOWER_TEXT, &e) == 0) ks_session_scale(&scale, s, &e);
    ks_sessions_give(p, s);
    return NULL;
}

void ks_sessions_warm(ks_sessions *p)
{
    p->warming = pthread_create(&p->warmer, NULL, warm, p) == 0;
}
