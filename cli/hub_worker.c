/* hub_worker.c - a worker: claims a film, has `ingest` make its clips in a folder of its own, and
 * sends them on while that goes.
 *
 * The clips are an ordinary ingest's, begun with what the hub has of the film already, so they are
 * those that one machine alone would make. The ingest is a program of its own: whatever a film
 * does to it, the worker goes on, keeps the lease and ends it when the lease is somebody else's. */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/hub_library.h"
#include "cli/temporary_folder.h"
#include "cli/hub_worker.h"
#include "cli/ingest_words.h"
#include "cli/terminal.h"
#include "formats/formats.h"
#include "ingest/ingest.h"

typedef struct {
    const ks_worker_how *how;
    char *folder; /* what this machine keeps of the hub */
    ks_hub_roots roots;
    ks_hub *h; /* NULL: to be reached again */
    char name[80], program[PATH_MAX];
    ks_hub_job job;
    char *path;            /* of the film here */
    char work[PATH_MAX];   /* the folder of this film's library */
    int lock;              /* on a file in it: it is in use */
    pid_t child;           /* 0: none */
    double beaten, pushed; /* when */
    int space_known, lost; /* lost: the film is another worker's now */
    int64_t films, surveyed, clips, bad;
    char reason[256];
} worker;

static atomic_int asked; /* by a signal */

static void on_signal(int number)
{
    if (atomic_exchange(&asked, number)) _exit(128 + number);
}

static void wait_a_little(double seconds)
{
    nanosleep(
        &(struct timespec){(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)},
        NULL);
}

/* 1: the hub may come back. Whoever asked waits, and asks again. */
static int is_away(int err) { return err == KS_ENET || err == KS_EIO || err == KS_EBUSY; }

static int reach(worker *w, ks_error *e)
{
    return w->h ? 0 : ks_hub_open(&w->h, w->how->g->library, KS_HUB_PATIENCE, e);
}

/* What went wrong may lie in the connection: the next question gets a new one. */
static void let_go(worker *w)
{
    ks_hub_close(w->h);
    w->h = NULL;
}

/* --- the folder of a film --- */
static void leave_folder(worker *w)
{
    if (w->work[0]) ks_remove_files(w->work);
    if (w->lock >= 0) close(w->lock);
    w->work[0] = 0;
    w->lock = -1;
}

static int lock_folder(const char *folder)
{
    char file[PATH_MAX + 16];
    snprintf(file, sizeof file, "%s/in-use", folder);
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
    if (fd >= 0) close(fd);
    return -1;
}

/* Folders of workers that were killed: nobody holds them. */
static void sweep(const worker *w)
{
    char path[PATH_MAX];
    struct dirent *f;
    DIR *d = opendir(w->folder);
    while (d && (f = readdir(d))) {
        if (strncmp(f->d_name, "work-", 5) != 0) continue;
        snprintf(path, sizeof path, "%s/%s", w->folder, f->d_name);
        int fd = lock_folder(path);
        if (fd < 0) continue;
        ks_remove_files(path);
        close(fd);
    }
    if (d) closedir(d);
}

static int make_folder(worker *w, ks_error *e)
{
    snprintf(w->work, sizeof w->work, "%s/work-XXXXXX", w->folder);
    int made = mkdtemp(w->work) != NULL;
    if (made) w->lock = lock_folder(w->work);
    if (made && w->lock >= 0) return 0;
    int err = ks_fail(e, KS_EIO, "%s: %s", w->work, strerror(errno));
    if (!made) w->work[0] = 0;
    return err;
}

/* --- the ingest of one film --- */
static void words_of(const char **out, const worker *w, ks_ingest_call *call)
{
    *call = (ks_ingest_call){.program = w->program,
                             .library = w->work,
                             .survey = w->job.survey ? "only" : "off",
                             .encoder = w->how->encoder,
                             .g = w->how->g};
    int n = ks_ingest_words(out, call);
    out[n++] = "-q";
    out[n++] = "--";
    out[n++] = w->path;
    out[n] = NULL;
}

/* Ends with us, even where we are killed: nobody would send on what it makes. */
static int start_ingest(worker *w, ks_error *e)
{
    ks_ingest_call call;
    const char *argv[KS_INGEST_WORDS + 8];
    char file[PATH_MAX + 8];
    snprintf(file, sizeof file, "%s/said", w->work);
    words_of(argv, w, &call);
    fflush(NULL);
    pid_t parent = getpid();
    w->child = fork();
    if (w->child < 0) {
        w->child = 0;
        return ks_fail(e, KS_EIO, "no process for a film: %s", strerror(errno));
    }
    if (w->child > 0) return 0;
    setpgid(0, 0); /* Ctrl-C is for us to pass on */
    int nothing = open("/dev/null", O_RDWR), said = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent || nothing < 0 || said < 0 ||
        dup2(nothing, STDIN_FILENO) < 0 || dup2(said, STDERR_FILENO) < 0 ||
        dup2(nothing, STDOUT_FILENO) < 0)
        _exit(5);
    execv(w->program, (char *const *)(uintptr_t)argv);
    _exit(5);
}

static void end_ingest(worker *w)
{
    if (w->child == 0) return;
    kill(w->child, SIGKILL);
    waitpid(w->child, NULL, 0);
    w->child = 0;
}

/* --- what it has made so far, to the hub --- */
/* Its verdict is of the pass that we are at, and none that it had before. */
static int is_through(const worker *w, const ks_video *v)
{
    int begun = v->flags & (KS_VIDEO_SURVEY | KS_VIDEO_LOST);
    return v->verdict != KS_VERDICT_NONE && (w->job.survey ? begun == KS_VIDEO_SURVEY : !begun);
}

/* 1: the film has its verdict there; 0: not yet. Both with what the hub lacked of it. */
static int push(worker *w, int64_t *clips, ks_video *v, int end, ks_error *e)
{
    ks_index *x = NULL;
    ks_library *l = malloc(sizeof *l);
    int64_t sent = 0;
    int err = l ? ks_index_open(&x, w->work, KS_READ, e) : ks_fail(e, KS_ENOMEM, "no memory"),
        found = 0;
    if (err == 0) err = ks_index_library(l, x, e);
    if (err == 0) err = found = ks_index_find(v, x, w->path, e);
    if (err > 0 && l->next.dim > 0 && !w->space_known) {
        err = ks_hub_push_space(w->h, x, &w->job, e);
        w->space_known = err >= 0;
    }
    if (err >= 0 && found && w->space_known)
        err = ks_hub_push_clips(&sent, w->h, x, v, &w->job, w->name, e);
    int through = err >= 0 && found && is_through(w, v);
    if (through && end) err = ks_hub_push_subtitles(w->h, x, v, &w->job, w->path, e);
    if (err >= 0 && through && end) err = ks_hub_push_end(w->h, x, v, NULL, &w->job, w->name, e);
    if (clips && l) *clips = l->clips;
    if (found > 0) { /* its text is the open library's */
        snprintf(w->reason, sizeof w->reason, "%s",
                 through && w->job.survey ? "surveyed: the whole pass is to come" : v->reason);
        v->reason = w->reason;
        v->path = w->path;
    }
    ks_index_close(x);
    free(l);
    return err < 0 ? err : through;
}

/* The lease, and what is new. 0, or an error that ends the worker. */
static int tick(worker *w, ks_error *e)
{
    ks_video v;
    double at = ks_monotonic(), every = w->how->lease / 3 < 20 ? w->how->lease / 3 : 20;
    int err = 0;
    if (at - w->beaten >= every) {
        err = reach(w, e);
        if (err == 0) err = ks_hub_beat(w->h, &w->job, w->how->lease, e);
        w->lost |= err == KS_EBUSY && w->h;
        w->beaten = at;
    }
    if (err == 0 && !w->lost && at - w->pushed >= 2 && w->h) {
        err = push(w, NULL, &v, 0, e);
        /* half made as yet, or locked; or the lease is gone, which the next beat tells */
        if (err == KS_ENOLIBRARY || err == KS_EBUSY || err == KS_EDAMAGED) err = 0;
        w->pushed = ks_monotonic();
    }
    if (!is_away(err)) return err < 0 ? err : 0;
    if (err != KS_EBUSY) let_go(w);
    return 0;
}

/* Its exit code, or 128 + the signal it died of; -1: the film is another worker's. */
static int watch_ingest(int *code, worker *w, ks_error *e)
{
    int status = 0, told = 0;
    for (;;) {
        pid_t ended = waitpid(w->child, &status, WNOHANG);
        if (ended == w->child || (ended < 0 && errno != EINTR)) break;
        int err = tick(w, e);
        if (err < 0 || w->lost) {
            end_ingest(w);
            *code = -1;
            return err;
        }
        if (asked && !told) told = 1, kill(w->child, SIGINT);
        wait_a_little(0.05);
    }
    w->child = 0;
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return 0;
}

static void say_film(worker *w, const ks_video *v, int64_t clips)
{
    char shown[4096], count[64];
    ks_json j;
    w->films += !w->job.survey;
    w->surveyed += w->job.survey;
    w->clips += w->job.survey ? 0 : clips;
    w->bad += v->verdict == KS_VERDICT_PARTLY || v->verdict == KS_VERDICT_FAILED;
    if (w->how->json) {
        ks_json_start(&j, stdout);
        ks_json_open(&j, NULL, '{');
        ks_json_text(&j, "event", "file");
        ks_json_path(&j, "path", w->path);
        ks_json_text(&j, "verdict", ks_verdict_name(v->verdict));
        ks_json_text(&j, "reason", v->reason);
        ks_json_int(&j, "clips", clips);
        ks_json_seconds(&j, "seconds", v->tb.den > 0 ? ks_seconds(v->duration, v->tb) : 0);
        ks_json_seconds(&j, "seconds_missing", v->seconds_missing);
        ks_json_close(&j);
    } else if (!w->how->g->quiet) {
        ks_show_path(shown, sizeof shown, w->path, 0, 1);
        printf("%s  %s, %s%s%s\n", shown, ks_verdict_name(v->verdict),
               ks_counted(count, clips, "clip"), v->reason[0] ? ": " : "", v->reason);
    }
    fflush(stdout);
}

/* Until the hub has it, the film is another's, or we are asked to stop. */
static int deliver(worker *w, ks_error *e)
{
    ks_video v = {0};
    int64_t clips = 0;
    for (;;) {
        int err = reach(w, e);
        if (err == 0) err = push(w, &clips, &v, 1, e);
        if (err > 0) {
            say_film(w, &v, clips);
            return 1;
        }
        if (err == 0) return 0;
        if (!is_away(err)) return err;
        ks_error other;
        if (err == KS_EBUSY && w->h &&
            ks_hub_beat(w->h, &w->job, w->how->lease, &other) == KS_EBUSY) {
            w->lost = 1;
            return 0;
        }
        if (err != KS_EBUSY) let_go(w);
        if (asked) return err;
        wait_a_little(1);
    }
}

static int give_back(worker *w, const char *reason, ks_hub_back how, ks_error *e)
{
    ks_error ignored;
    int err = reach(w, e);
    if (err == 0) err = ks_hub_give_back(w->h, &w->job, reason, how, &ignored);
    if (err == 0 && how == KS_HUB_FAILED) {
        w->bad++;
        fprintf(stderr, "kinoseek: %s: %s\n", w->path, reason);
    }
    return 0; /* where the hub is away the lease runs out */
}

/* The sentence that the ingest ended with. */
static void said_last(char *text, size_t room, const worker *w)
{
    char file[PATH_MAX + 8], line[512];
    snprintf(file, sizeof file, "%s/said", w->work);
    FILE *f = fopen(file, "re");
    snprintf(text, room, "it did not say why");
    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = 0;
        if (line[0]) snprintf(text, room, "%.*s", (int)room - 1, line);
    }
    if (f) fclose(f);
    ks_harmless(text);
}

/* What the child says of its end: our own errors again. */
static int after_ingest(worker *w, int code, ks_error *e)
{
    char why[300];
    int err = deliver(w, e);
    if (err != 0 || w->lost) return err < 0 ? err : 0;
    if (asked || code == 130 || code == 143) return give_back(w, "", KS_HUB_AGAIN, e);
    if (code == 0 && w->job.survey) return give_back(w, "", KS_HUB_NO_SURVEY, e);
    if (code >= 128) {
        snprintf(why, sizeof why, "kinoseek itself stopped at it (signal %d): a fault of ours",
                 code - 128);
        return give_back(w, why, KS_HUB_FAILED, e);
    }
    give_back(w, "", KS_HUB_AGAIN, e);
    said_last(why, sizeof why, w);
    return ks_fail(e, code == 2 ? KS_EUSAGE : KS_EIO, "%s: ingest ended with code %d: %s", w->path,
                   code, why);
}

/* The file as it was queued? NULL: it is; else why not. */
static const char *changed(worker *w)
{
    static const char digits[] = "0123456789abcdef";
    char hex[KS_CONTENT_HEX], want[KS_CONTENT_HEX];
    ks_error e;
    int err = ks_content_of(hex, w->path, &e);
    if (err == KS_ENOTFOUND) return "it is not there any more";
    if (err < 0) return "it cannot be read";
    for (int i = 0; i < 24; i++) {
        want[2 * i] = digits[w->job.content[i] >> 4];
        want[2 * i + 1] = digits[w->job.content[i] & 15];
    }
    want[48] = 0;
    return strcmp(hex, want) == 0 ? NULL : "it is another file than the one that was queued";
}

static int film_path(worker *w, ks_error *e)
{
    for (int i = 0; i < w->roots.n; i++)
        if (strcmp(w->roots.at[i].name, w->job.root) == 0) {
            if (asprintf(&w->path, "%s/%s", w->roots.at[i].path, w->job.rel) >= 0) return 0;
            w->path = NULL;
            return ks_fail(e, KS_ENOMEM, "no memory for a path");
        }
    return ks_fail(e, KS_EDAMAGED, "the hub gave a film of another root");
}

static int work_on(worker *w, ks_error *e)
{
    ks_index *x = NULL;
    int code = 0, err = film_path(w, e);
    const char *why = err < 0 ? NULL : changed(w);
    w->beaten = w->pushed = ks_monotonic();
    w->lost = w->space_known = 0; /* the hub may have another model since the last film */
    if (err < 0) return err;
    if (why) return give_back(w, why, KS_HUB_FAILED, e);
    err = make_folder(w, e);
    if (err == 0) err = ks_index_open(&x, w->work, KS_CREATE, e);
    if (err == 0) err = ks_hub_pull_film(x, w->h, &w->job, w->path, e);
    ks_index_close(x);
    if (err == 0) err = start_ingest(w, e);
    if (err == 0) err = watch_ingest(&code, w, e);
    if (err == 0 && code >= 0) err = after_ingest(w, code, e);
    return err;
}

/* --- one film after the other --- */
static int next_film(int *idle, worker *w, ks_error *e)
{
    int64_t left = 0;
    int err = reach(w, e);
    *idle = 0;
    if (err == 0) err = ks_hub_claim(&w->job, &left, w->h, &w->roots, w->name, w->how->lease, e);
    if (err > 0) {
        err = work_on(w, e);
        end_ingest(w);
        leave_folder(w);
        free(w->path);
        w->path = NULL;
        ks_hub_job_free(&w->job);
        if (err != KS_ENET && err != KS_EBUSY) return err; /* this machine cannot work */
        let_go(w);
        return 0;
    }
    if (err == 0 && left == 0 && w->how->idle_exit) *idle = 2;
    else if (err == 0 || is_away(err)) *idle = 1;
    if (err < 0 && is_away(err)) {
        let_go(w);
        return 0;
    }
    return err;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static int begin(worker *w, ks_error *e)
{
    int err = ks_hub_here(&w->folder, &w->roots, w->how->g, e);
    if (err < 0) return err;
    if (w->roots.n == 0)
        return ks_fail(e, KS_EUSAGE,
                       "no root of the hub is mounted here: kinoseek root NAME=FOLDER");
    gethostname(w->name, sizeof w->name - 1);
    ssize_t got = readlink("/proc/self/exe", w->program, sizeof w->program - 1);
    if (got < 0) return ks_fail(e, KS_EIO, "/proc/self/exe: %s", strerror(errno));
    w->program[got] = 0;
    sweep(w);
    return reach(w, e);
}

static void say_done(const worker *w)
{
    char films[64], clips[64];
    ks_json j;
    if (w->how->json) {
        ks_json_start(&j, stdout);
        ks_json_open(&j, NULL, '{');
        ks_json_text(&j, "event", "done");
        ks_json_int(&j, "files", w->films);
        ks_json_int(&j, "surveyed", w->surveyed);
        ks_json_int(&j, "clips", w->clips);
        ks_json_close(&j);
    } else if (!w->how->g->quiet) {
        printf("%s, %s", ks_counted(films, w->films, "film"), ks_counted(clips, w->clips, "clip"));
        if (w->surveyed > 0) printf("; %s surveyed", ks_counted(films, w->surveyed, "film"));
        putchar('\n');
    }
}

int ks_work(const ks_worker_how *how, ks_error *e)
{
    assert(how);
    worker w = {.how = how, .lock = -1};
    int idle = 0, err = begin(&w, e);
    catch_signals();
    while (err == 0 && !asked && idle < 2) {
        err = next_film(&idle, &w, e);
        for (int i = 0; idle == 1 && i < 10 && !asked; i++) wait_a_little(0.1);
    }
    if (err == 0) say_done(&w);
    ks_hub_close(w.h);
    ks_hub_roots_free(&w.roots);
    free(w.folder);
    if (err < 0) return err;
    if (asked) fprintf(stderr, "kinoseek: interrupted; everything up to here is kept\n");
    return asked ? 128 + asked : w.bad > 0 ? 3 : 0;
}
