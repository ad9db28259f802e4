/* serve.c - the server from its address to its end. */
#include "serve/serve.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "serve/confine.h"
#include "serve/server.h"

static const double last_seconds = 0.8; /* for answers under way, at the end */

static void begin(ks_server *srv, const ks_serve_options *o)
{
    pthread_condattr_t clock;

    *srv = (ks_server){.o = o};
    pthread_mutex_init(&srv->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&srv->woken, &clock);
    pthread_condattr_destroy(&clock);
}

/* Everybody is told to end. 1: all did; 0: a question is still in the encoder, and its thread
 * with it. */
static int end_answers(ks_server *srv)
{
    struct timespec until;
    int late = 0, working;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(last_seconds * 1e9);
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&srv->lock);
    srv->stopping = 1;
    pthread_cond_broadcast(&srv->woken);
    pthread_mutex_unlock(&srv->lock);
    ks_sessions_stop(srv->sessions);
    ks_conns_shut(srv->conns);
    pthread_mutex_lock(&srv->lock);
    while (srv->working > 0 && !late)
        late = pthread_cond_timedwait(&srv->woken, &srv->lock, &until) != 0;
    working = srv->working;
    pthread_mutex_unlock(&srv->lock);
    return working == 0;
}

/* A library that cannot be opened is said now, not to whoever asks first. */
static int try_library(ks_server *srv, ks_error *e)
{
    ks_session *s;
    int err = ks_sessions_take(&s, srv->sessions, KS_FOR_LOOKING, e);

    ks_sessions_give(srv->sessions, s);
    return err;
}

/* Whose home is nobody's: a folder of his own among the temporary ones; "": there is none. */
static void temporary_folder(char *path, size_t room)
{
    const char *tmp = getenv("TMPDIR");
    struct stat st;

    snprintf(path, room, "%s/kinoseek-%u", tmp && *tmp == '/' ? tmp : "/tmp", (unsigned)geteuid());
    mkdir(path, 0700);
    if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
        (st.st_mode & 077))
        path[0] = 0;
}

/* Where prepared weights lie, and what is needed for a while; made where it is not: it has to be
 * there to be allowed. */
static void cache_folder(char *path, size_t room)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

    path[0] = 0;
    if (xdg && *xdg == '/') snprintf(path, room, "%s", xdg);
    else if (home && *home == '/') snprintf(path, room, "%s/.cache", home);
    if (*path) {
        mkdir(path, 0700);
        snprintf(path + strlen(path), room - strlen(path), "/kinoseek");
        mkdir(path, 0700);
    }
    if (!*path || access(path, W_OK) < 0) temporary_folder(path, room);
}

/* Before the first thread: walls stand around those that are made inside of them. */
static void confine(ks_server *srv)
{
    const ks_serve_options *o = srv->o;
    char words[64], *program = NULL, *models[KS_REACH_MODELS] = {NULL};
    ks_walls walls = {.write = {o->library, srv->cache}, .read = {o->ui_dir}};
    ks_error e;

    ks_locate_decoder(&program, o->setup, &e); /* without one, pictures and parts say so */
    ks_reach_models(models, srv);
    for (int i = 0; i < KS_REACH_MODELS; i++) walls.read[i + 1] = models[i];
    walls.program = program;
    tzset();
    ks_confine(words, sizeof words, &walls);
    if (strcmp(words, "none") == 0 && o->setup->notice)
        o->setup->notice(
            o->setup->notice_arg,
            "this kernel has neither landlock nor seccomp: the server is not confined");
    for (int i = 0; i < KS_REACH_MODELS; i++) free(models[i]);
    free(program);
}

/* Processes first: they are made by fork, while no thread of ours is there, and nothing is open. */
static int open_all(ks_front **front, ks_server *srv, ks_error *e)
{
    const ks_serve_options *o = srv->o;
    int err;

    if ((err = ks_opener_start(&srv->opener, o->library, srv->cache, e)) < 0) return err;
    if (!o->read_only && (err = ks_writer_start(&srv->writer, o->library, srv->cache, e)) < 0)
        return err;
    if ((err = ks_sessions_open(&srv->sessions, o->library, o->setup, e)) < 0) return err;
    if ((err = try_library(srv, e)) < 0 || (err = ks_conns_open(&srv->conns, e)) < 0) return err;
    return ks_front_open(front, srv, e);
}

int ks_serve(const ks_serve_options *o, ks_error *e)
{
    assert(o && o->library && o->setup);
    ks_server *srv = calloc(1, sizeof *srv);
    ks_front *front = NULL;
    ks_daemon *daemon = NULL;
    char cache[4096];
    int err, all = 1;

    if (!srv) return ks_fail(e, KS_ENOMEM, "no memory");
    begin(srv, o);
    cache_folder(cache, sizeof cache);
    if (*cache) { /* the usual places are out of reach later */
        setenv("SQLITE_TMPDIR", cache, 0);
        setenv("TMPDIR", cache, 1); /* of a library that cannot be written a copy is read */
    }
    srv->cache = *cache ? cache : NULL;
    if ((err = open_all(&front, srv, e)) == 0) {
        if (o->listening)
            o->listening(o->arg, ks_front_url(front)); /* whom it starts is free of the walls */
        confine(srv);
        err = ks_daemon_start(&daemon, srv, e);
    }
    if (err == 0) {
        ks_sessions_warm(srv->sessions);
        err = ks_front_run(front, daemon, e);
        ks_front_close(front);
        front = NULL;
        all = end_answers(srv);
    }
    ks_front_close(front);
    if (!all) return err; /* the process ends with its threads: nothing of them is to be kept */
    ks_daemon_stop(daemon);
    ks_conns_close(srv->conns);
    ks_sessions_close(srv->sessions);
    ks_writer_stop(srv->writer);
    ks_opener_stop(srv->opener);
    pthread_cond_destroy(&srv->woken);
    pthread_mutex_destroy(&srv->lock);
    free(srv);
    return err;
}
