/* hub_library.c - see hub_library.h. */
#include "cli/hub_library.h"
#include "cli/temporary_folder.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "query/query.h"

int ks_reach_hub(ks_hub **h, const ks_globals *g, ks_error *e)
{
    assert(h && g);
    if (ks_hub_is(g->library)) return ks_hub_open(h, g->library, KS_HUB_PATIENCE, e);
    return ks_fail(e, KS_EUSAGE, "-L names no hub: -L postgresql://HOST/DATABASE or service=NAME");
}

int ks_hub_here(char **folder, ks_hub_roots *roots, const ks_globals *g, ks_error *e)
{
    assert(folder && roots && g);
    char *data = NULL, *slash;
    int err;

    *folder = NULL;
    *roots = (ks_hub_roots){0};
    if ((err = ks_locate_library(&data, e)) < 0) return err;
    if ((slash = strrchr(data, '/'))) *slash = 0; /* beside the default library */
    if ((err = ks_hub_folder(folder, data, g->library, e)) == 0)
        err = ks_hub_roots_read(roots, *folder, e);
    if (err < 0) {
        free(*folder);
        *folder = NULL;
    }
    free(data);
    return err;
}

static void say(const ks_globals *g, const char *what, const char *why)
{
    if (!g->quiet) fprintf(stderr, "kinoseek: %s: %s\n", why, what);
}

/* The scale depends on what the library holds and not on how it came there: two mirrors of one
 * state give one score. Beyond so many clips it is measured at a tenth more, as in any library. */
void ks_hub_scale(ks_index *x, const ks_globals *g, const ks_library *l)
{
    enum { SMALL = 200000 };
    ks_setup silent = g->setup;
    ks_encoder *enc = NULL;
    ks_error ignored;

    silent.notice = NULL;
    if (l->clips <= SMALL) ks_index_put(x, "calibration", NULL, 0, &ignored);
    if (l->clips > 0 && ks_open_library_encoder(&enc, &silent, x, KS_TOWER_TEXT, &ignored) == 0)
        ks_calibrate(NULL, x, enc, &ignored);
    ks_encoder_close(enc);
}

/* Another command of this machine may be bringing the mirror up to date: that is waited for, by
 * who needs it for half a minute. */
static int open_mirror(ks_index **x, const char *mirror, int lenient, ks_error *e)
{
    const struct timespec nap = {0, 250000000};
    int err = ks_hub_open_mirror(x, mirror, e);

    for (int i = 0; err == KS_EBUSY && i < (lenient ? 8 : 120); i++) {
        nanosleep(&nap, NULL);
        err = ks_hub_open_mirror(x, mirror, e);
    }
    return err;
}

static int pull(ks_hub_pulled *done, const char *mirror, ks_hub *h, const ks_hub_roots *roots,
                int lenient, const ks_globals *g, ks_error *e)
{
    ks_library *l = malloc(sizeof *l);
    ks_index *x = NULL;
    int err = l ? open_mirror(&x, mirror, lenient, e) : ks_fail(e, KS_ENOMEM, "no memory");

    if (err == 0) ks_index_threads(x, g->setup.threads);
    if (err == 0 && (err = ks_hub_push_kept(h, x, roots, e)) == KS_EDENIED) err = 0; /* it waits */
    if (err == 0) err = ks_hub_pull(done, x, h, roots, 0, e);
    if (err == 0) err = ks_index_publish(x, 1, e);
    if (err == 0) err = ks_index_library(l, x, e);
    if (err == 0 && done->films + done->gone > 0) ks_hub_scale(x, g, l);
    ks_index_close(x);
    free(l);
    return err;
}

static int bring_up(ks_hub_pulled *done, const char *mirror, ks_hub *h, const ks_hub_roots *roots,
                    int lenient, const ks_globals *g, ks_error *e)
{
    ks_index *x = NULL;
    int behind = 1, err = ks_index_open(&x, mirror, KS_READ, e);

    if (err == 0) behind = ks_hub_behind(x, h, roots, e);
    if (err == 0 && behind == 0) behind = ks_hub_kept_waits(x, e);
    ks_index_close(x);
    if (err == 0 && behind < 0 && behind != KS_EDAMAGED) return behind;
    if (err < 0 && err != KS_ENOLIBRARY && err != KS_EDAMAGED) return err;
    if (err == 0 && behind == 0) return 0;
    if (err != KS_EDAMAGED && behind != KS_EDAMAGED)
        err = pull(done, mirror, h, roots, lenient, g, e);
    else err = KS_EDAMAGED;
    if (err != KS_EDAMAGED && err != KS_ESPACE) return err;
    /* a mirror is never repaired: it is pulled again */
    ks_remove_files(mirror); /* damaged, or the hub was made anew */
    return pull(done, mirror, h, roots, lenient, g, e);
}

static int sync_with(char **library, ks_hub_pulled *done, int patience, int lenient,
                     const ks_globals *g, ks_error *e)
{
    char *folder = NULL;
    ks_hub_roots roots;
    ks_hub *h = NULL;
    ks_hub_pulled unused = {0};
    int err = ks_hub_here(&folder, &roots, g, e), there = 0;

    *library = NULL;
    if (!done) done = &unused;
    *done = (ks_hub_pulled){0};
    if (err < 0) return err;
    if (asprintf(library, "%s/mirror", folder) < 0) {
        *library = NULL;
        err = ks_fail(e, KS_ENOMEM, "no memory");
    }
    if (err == 0) there = access(*library, F_OK) == 0;
    done->revision = -1;
    if (err == 0) err = ks_hub_open(&h, g->library, patience, e);
    if (err == 0) done->revision = 0; /* it was reached */
    if (err == 0) err = bring_up(done, *library, h, &roots, lenient, g, e);
    if (err < 0 && lenient && there && (err == KS_ENET || err == KS_EBUSY)) {
        say(g, err == KS_ENET ? "the mirror here answers" : "the mirror here answers meanwhile",
            e->msg);
        err = 0;
    }
    if (err == 0 && done->refused > 0)
        fprintf(stderr, "kinoseek: %lld rows of the hub were left out (%s)\n",
                (long long)done->refused, done->first);
    ks_hub_close(h);
    ks_hub_roots_free(&roots);
    free(folder);
    if (err < 0) {
        free(*library);
        *library = NULL;
    }
    return err;
}

int ks_hub_mirror(char **library, ks_hub_pulled *done, const ks_globals *g, ks_error *e)
{
    assert(library && done && g);
    return sync_with(library, done, KS_HUB_READERS, 1, g, e);
}

int ks_hub_sync(char **library, ks_hub_pulled *done, const ks_globals *g, ks_error *e)
{
    assert(library && g);
    return sync_with(library, done, KS_HUB_PATIENCE, 0, g, e);
}

/* --- a mirror that is asked for long --- */
static int follow_once(ks_hub **h, const char *mirror, const ks_hub_roots *roots,
                       const ks_globals *g, ks_error *e)
{
    ks_hub_pulled done = {0};
    int err = *h ? 0 : ks_hub_open(h, g->library, KS_HUB_READERS, e);

    if (err == 0) err = bring_up(&done, mirror, *h, roots, 1, g, e);
    if (err == KS_EBUSY) return 0; /* somebody else brings it up to date */
    if (err < 0) {
        ks_hub_close(*h);
        *h = NULL;
    } else if (done.refused > 0)
        fprintf(stderr, "kinoseek: %lld rows of the hub were left out (%s)\n",
                (long long)done.refused, done.first);
    return err;
}

static void follow(const ks_globals *g, const char *mirror, double every, int told)
{
    const struct timespec nap = {(time_t)every, (long)((every - (double)(time_t)every) * 1e9)};
    char *folder = NULL;
    ks_hub_roots roots;
    ks_hub *h = NULL;
    ks_error e;

    for (;; nanosleep(&nap, NULL)) {
        int err = ks_hub_here(&folder, &roots, g, &e); /* roots may be named meanwhile */
        if (err == 0) err = follow_once(&h, mirror, &roots, g, &e);
        if (err < 0 && !told++) say(g, "the mirror here answers", e.msg);
        if (err == 0) told = 0;
        ks_hub_roots_free(&roots);
        free(folder);
    }
}

/* Beside it: pictures for a server that connects to nobody. A hub that is away is tried again now
 * and then, and who waits for a picture waits for one attempt in as many seconds. */
static void run_errands(const ks_globals *g, const char *mirror)
{
    enum { AGAIN = 5 };
    ks_hub_errands *w = NULL;
    ks_hub *h = NULL;
    double tried = -AGAIN, wait = 1;
    ks_error e;

    for (;;) {
        int err = w ? 0 : ks_hub_errands_begin(&w, mirror, &e);
        if (!h && ks_monotonic() - tried >= AGAIN) {
            if (ks_hub_open(&h, g->library, KS_HUB_READERS, &e) < 0) tried = ks_monotonic();
        }
        if (err == 0) err = ks_hub_errands_run(w, h, wait, &e);
        else sleep(1);
        wait = err == KS_ENET ? 0 : 1; /* the same with another connection */
        if (err == KS_ENET) {
            ks_hub_close(h);
            h = NULL;
        } else if (err < 0) {
            ks_hub_errands_end(w);
            w = NULL;
        }
    }
}

/* It ends with whom it is beside. */
static int fork_off(pid_t *child)
{
    pid_t parent = getpid();
    *child = fork();
    if (*child != 0) return *child;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(5);
    signal(SIGINT, SIG_IGN); /* a terminal's is for the server */
    return 0;
}

int ks_hub_follow(pid_t *child, char **library, const ks_globals *g, double every, ks_error *e)
{
    assert(child && library && g && every > 0);
    ks_hub_pulled done;
    int err = ks_hub_mirror(library, &done, g, e);

    if (err < 0) return err;
    fflush(NULL);
    pid_t errands;
    if (fork_off(child) == 0) {
        if (fork_off(&errands) == 0) run_errands(g, *library);
        follow(g, *library, every, done.revision < 0);
    }
    return *child > 0 ? 0 : ks_fail(e, KS_EIO, "no process for the mirror: %s", strerror(errno));
}
