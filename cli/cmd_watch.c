/* cmd_watch.c - `watch`: goes on ingesting what comes.
 *
 * Each time something is new, and has been still for a while, `ingest` is started as a program
 * of its own: the library is locked, and the model in memory, only while there is work; and
 * whatever happens to it, the watch goes on. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/hub_library.h"
#include "cli/ingest_words.h"
#include "cli/watch_tree.h"
#include "cli/watch_when.h"
#include "ingest/ingest.h"

extern char **environ;

typedef struct {
    double every, settle;
    int on_ac, nice, json;
    const char *between, *survey, *notify, *encoder;
} fields_t;
#define AT(field) offsetof(fields_t, field)

static const ks_option options[] = {
    {0, "every", KS_OPT_NUMBER, AT(every), "TIME",
     "look through all folders at least so often (1h)"},
    {0, "settle", KS_OPT_NUMBER, AT(settle), "TIME",
     "what is new has been still for so long (10s)"},
    {0, "on-ac", KS_OPT_FLAG, AT(on_ac), NULL, "not on battery"},
    {0, "between", KS_OPT_TEXT, AT(between), "HH:MM-HH:MM", "only at these hours"},
    {0, "nice", KS_OPT_FLAG, AT(nice), NULL, "leave the machine to others"},
    {0, "survey", KS_OPT_TEXT, AT(survey), "first|only|off", "as ingest's"},
    {0, "notify", KS_OPT_TEXT, AT(notify), "CMD", "gets each hit of a kept query as JSON on stdin"},
    {0, "json", KS_OPT_FLAG, AT(json), NULL, "a JSON line an event"},
    {0, "encoder", KS_OPT_TEXT, AT(encoder), "towers|clock", "as ingest's (for tests)"},
    {0},
};

static void defaults(void *fields)
{
    ((fields_t *)fields)->every = 3600;
    ((fields_t *)fields)->settle = 10;
}

static atomic_int asked; /* by a signal */

static void on_signal(int number) { asked = number; }

typedef struct {
    const ks_globals *g;
    const fields_t *f;
    ks_hours hours;
    ks_watch_tree *tree;
    char program[PATH_MAX];
    /* [n] absolute; of the first ingest. The library knows its folders from then on: what is left
     * are films that were named by themselves */
    char **paths;
    int n;
    int hub;           /* 1: -L names one; it does not remember paths */
    int has_folders;   /* 1: the library does */
    int known;         /* 1: it knows the folders among paths */
    int rest;          /* 1: after the films its folders */
    pid_t child;       /* 0: none */
    int told_to_stop;  /* 1: by us, as its time was over */
    double news;       /* when something new was heard of; 0: nothing is new */
    double first_news; /* since the last ingest began */
    double looked;     /* when it began */
    int away;          /* 1: the last ingest ended with 5 */
    double not_before; /* after one that could not work */
    int code;          /* to end with; -1: go on */
} watching;

static int may_work(const watching *w)
{
    return ks_hours_hold(&w->hours, ks_minute_now()) &&
           (!w->f->on_ac || ks_on_mains("/sys/class/power_supply"));
}

/* --- the ingest --- */
static int words_of(const char **out, const watching *w, ks_ingest_call *call)
{
    *call = (ks_ingest_call){.program = w->program,
                             .library = w->g->library,
                             .survey = w->f->survey,
                             .notify = w->f->notify,
                             .encoder = w->f->encoder,
                             .g = w->g};
    int n = ks_ingest_words(out, call);
    if (w->f->json) out[n++] = "--json";
    if (w->f->nice) out[n++] = "--nice";
    if (w->g->quiet) out[n++] = "-q";
    if (w->g->verbose) out[n++] = "-v";
    out[n++] = "--";
    return n;
}

/* Of the folders that the library knows, where there is no path. */
static int start_ingest(watching *w, int paths, ks_error *e)
{
    ks_ingest_call call;
    const char **argv = calloc((size_t)(KS_INGEST_WORDS + 8 + w->n), sizeof *argv);
    if (!argv) return ks_fail(e, KS_ENOMEM, "no memory to watch");
    int n = words_of(argv, w, &call);
    for (int i = 0; i < paths; i++) argv[n++] = w->paths[i];
    fflush(stdout);
    posix_spawnattr_t own; /* Ctrl-C is for us to pass on: two signals would end it at once */
    posix_spawnattr_init(&own);
    posix_spawnattr_setflags(&own, POSIX_SPAWN_SETPGROUP);
    int err = posix_spawn(&w->child, w->program, NULL, &own, (char *const *)(uintptr_t)argv,
                          environ);
    posix_spawnattr_destroy(&own);
    free(argv);
    w->told_to_stop = 0;
    if (err) w->child = 0;
    return err ? ks_fail(e, KS_EIO, "%s: %s", w->program, strerror(err)) : 0;
}

/* 1: the hub is away still, as the last ingest said: once is enough */
static int still_away(watching *w)
{
    enum { AGAIN = 5 };
    ks_hub *h = NULL;
    ks_error ignored;
    if (!w->hub || !w->away) return 0;
    int err = ks_reach_hub(&h, w->g, &ignored);
    ks_hub_close(h);
    if (err != KS_ENET) return 0;
    w->not_before = ks_monotonic() + AGAIN;
    return 1;
}

static int start_round(watching *w, ks_error *e)
{
    w->rest = w->known && w->n > 0 && w->has_folders;
    w->news = w->first_news = 0;
    w->looked = ks_monotonic();
    return start_ingest(w, w->n, e);
}

/* Folders may have been named in another place meanwhile: all that the library knows are
 * watched. */
static void listen_to_roots(watching *w)
{
    char *folder = NULL;
    ks_hub_roots roots;
    ks_error ignored;
    if (ks_hub_here(&folder, &roots, w->g, &ignored) < 0) return;
    for (int i = 0; i < roots.n && w->n == 0; i++)
        if (ks_hub_root_there(&roots.at[i])) ks_watch_tree_add(w->tree, roots.at[i].path);
    ks_hub_roots_free(&roots);
    free(folder);
}

static void listen_to_all(watching *w)
{
    ks_index *x = NULL;
    char *folders = NULL;
    size_t bytes = 0;
    int64_t unheard = ks_watch_tree_unheard(w->tree);
    for (int i = 0; i < w->n; i++) ks_watch_tree_add(w->tree, w->paths[i]);
    if (w->hub) listen_to_roots(w);
    else if (ks_index_open(&x, w->g->library, KS_READ, NULL) == 0 &&
             ks_ingest_folders(&folders, &bytes, x, NULL) == 0) {
        w->has_folders = bytes > 0;
        for (char *at = folders; at && at < folders + bytes; at += strlen(at) + 1)
            ks_watch_tree_add(w->tree, at);
    }
    free(folders);
    ks_index_close(x);
    if (unheard == 0 && ks_watch_tree_unheard(w->tree) > 0 && !w->g->quiet)
        fprintf(stderr,
                "kinoseek: not every folder can be watched (fs.inotify.max_user_watches); all are "
                "looked through every %.0f s\n",
                w->f->every);
}

static void drop_folders(watching *w)
{
    struct stat st;
    int kept = 0;
    for (int i = 0; i < w->n; i++) {
        if (stat(w->paths[i], &st) == 0 && S_ISDIR(st.st_mode)) free(w->paths[i]);
        else w->paths[kept++] = w->paths[i];
    }
    w->n = kept;
    w->known = 1;
}

/* 3 and 4 say something of files; 5 and 11 may pass (disk full, another writer); the others
 * would come again. */
static void ingest_ended(watching *w, int status)
{
    enum { AGAIN = 60 };
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
        stopped = w->told_to_stop || asked;
    w->child = 0;
    w->away = 0;
    listen_to_all(w);
    if (stopped && !asked) {
        w->news = w->first_news = ks_monotonic(); /* it goes on when its time comes */
    } else if (code == 5 || code == 11 || code >= 128) {
        w->news = w->first_news = ks_monotonic();
        w->away = code == 5;
        w->not_before = ks_monotonic() + (w->hub && w->away ? 1 : AGAIN);
    } else if (!stopped && code != 0 && code != 1 && code != 3 && code != 4) {
        w->code = code;
    }
    if (!w->hub && !w->known && (code == 0 || code == 3 || code == 4)) drop_folders(w);
}

static void tend_ingest(watching *w)
{
    int status;
    if (waitpid(w->child, &status, WNOHANG) == w->child) {
        ingest_ended(w, status);
    } else if (asked || (!w->told_to_stop && !may_work(w))) {
        if (!w->told_to_stop) kill(w->child, SIGTERM); /* it stops after this clip */
        w->told_to_stop = 1;
    }
}

/* Something is new and still; or it never is still, and has waited long enough; or it is time. */
static int is_due(const watching *w)
{
    double t = ks_monotonic(), longest = 10 * w->f->settle > 60 ? 10 * w->f->settle : 60;
    if (t < w->not_before) return 0;
    if (w->news > 0 && (t - w->news >= w->f->settle || t - w->first_news >= longest)) return 1;
    return w->f->every > 0 && t - w->looked >= w->f->every;
}

static int keep_watch(watching *w, ks_error *e)
{
    int err = 0;
    w->news = w->first_news = ks_monotonic() - w->f->settle; /* what came while nobody watched */
    while (err == 0 && w->code < 0 && !(asked && !w->child)) {
        struct pollfd p = {ks_watch_tree_fd(w->tree), POLLIN, 0};
        if (poll(&p, 1, w->child ? 100 : 250) > 0 && ks_watch_tree_read(w->tree)) {
            w->news = ks_monotonic();
            if (w->first_news == 0) w->first_news = w->news;
        }
        if (w->child) tend_ingest(w);
        else if (!asked && w->rest && may_work(w)) {
            w->rest = 0;
            err = start_ingest(w, 0, e);
        } else if (!asked && is_due(w) && may_work(w) && !still_away(w)) err = start_round(w, e);
    }
    return err;
}

static int take_paths(watching *w, int n, char **args, ks_error *e)
{
    w->paths = calloc((size_t)n + 1, sizeof *w->paths);
    if (!w->paths) return ks_fail(e, KS_ENOMEM, "no memory to watch");
    for (; w->n < n; w->n++)
        if (!(w->paths[w->n] = realpath(args[w->n], NULL)))
            return ks_fail(e, KS_ENOTFOUND, "%s: %s", args[w->n], strerror(errno));
    ssize_t got = readlink("/proc/self/exe", w->program, sizeof w->program - 1);
    if (got < 0) return ks_fail(e, KS_EIO, "/proc/self/exe: %s", strerror(errno));
    w->program[got] = 0;
    return 0;
}

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    watching *w = calloc(1, sizeof *w);
    struct sigaction action = {.sa_handler = on_signal};
    if (!w) return ks_fail(e, KS_ENOMEM, "no memory to watch");
    *w = (watching){.g = g, .f = fields, .code = -1, .hub = ks_hub_is(g->library)};
    int err = !(w->f->settle >= 0) || !(w->f->every >= 0)
                  ? ks_fail(e, KS_EUSAGE, "a length of time is at least 0")
                  : 0;
    if (err == 0 && w->f->between) err = ks_hours_read(&w->hours, w->f->between, e);
    if (err == 0) err = take_paths(w, n, args, e);
    if (err == 0) err = ks_watch_tree_open(&w->tree, e);
    if (err == 0) {
        sigemptyset(&action.sa_mask);
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
        listen_to_all(w);
        err = keep_watch(w, e);
    }
    int code = asked ? 128 + asked : w->code;
    for (int i = 0; w->paths && i < w->n; i++) free(w->paths[i]);
    free(w->paths);
    ks_watch_tree_close(w->tree);
    free(w);
    return err < 0 ? err : code;
}

extern const ks_command ks_cmd_watch;
const ks_command ks_cmd_watch = {
    .name = "watch",
    .usage = "[PATH...]",
    .brief = "Go on ingesting what comes, until a signal",
    .more = "  kinoseek watch ~/Videos --nice --on-ac\n"
            "  systemctl --user enable --now kinoseek-watch\n"
            "Without PATH all folders named before are watched. Folders on a network are\n"
            "not heard of: --every says how often they are looked through.",
    .options = options,
    .fields = sizeof(fields_t),
    .defaults = defaults,
    .hub = KS_HUB_OWN,
    .run = run,
};
