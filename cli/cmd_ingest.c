/* cmd_ingest.c - `ingest PATH...`: films and folders in, clips in the library. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/fault.h"
#include "cli/hub_feed.h"
#include "cli/hub_model.h"
#include "cli/hub_worker.h"
#include "cli/ingest_report.h"
#include "cli/ingest_tally.h"
#include "cli/saved.h"
#include "cli/temporary_folder.h"
#include "cli/terminal.h"
#include "query/query.h"

typedef struct {
    double window, hop, budget, commit_every;
    int frames, short_shots, workers, follow, stills, hidden, no_follow, no_stills, no_hidden,
        dry_run, json, nice, nul, switch_model, require_sandbox, queue;
    const char *survey, *shots, *fit, *decode, *hwaccel, *files_from, *encoder, *notify;
    ks_opt_list include, exclude;
} fields_t;
#define AT(field) offsetof(fields_t, field)

static const ks_option options[] = {
    {0, "exclude", KS_OPT_LIST, AT(exclude), "GLOB", "not these files and folders"},
    {0, "include", KS_OPT_LIST, AT(include), "GLOB", "only files whose name or path matches"},
    {0, "files-from", KS_OPT_TEXT, AT(files_from), "FILE",
     "read paths from FILE, a line each; - reads stdin"},
    {'0', "null", KS_OPT_FLAG, AT(nul), NULL, "paths of --files-from end with NUL"},
    {0, "stills", KS_OPT_FLAG, AT(stills), NULL, "pictures too, as clips of one frame"},
    {0, "window", KS_OPT_NUMBER, AT(window), "SECONDS", "longest clip (8)"},
    {0, "hop", KS_OPT_NUMBER, AT(hop), "SECONDS", "from one clip to the next (half a window)"},
    {0, "budget", KS_OPT_NUMBER, AT(budget), "TIME",
     "stop after 4h, 30m ...; the next run goes on"},
    {0, "nice", KS_OPT_FLAG, AT(nice), NULL, "leave the machine to others"},
    {0, "survey", KS_OPT_TEXT, AT(survey), "first|only|off", "pictures first (where much is new)"},
    {'n', "dry-run", KS_OPT_FLAG, AT(dry_run), NULL, "say what would be done"},
    {0, "switch", KS_OPT_FLAG, AT(switch_model), NULL, "change the library's model to that of -m"},
    {0, "json", KS_OPT_FLAG, AT(json), NULL, "a JSON line an event"},
    {0, "follow", KS_OPT_FLAG, AT(follow), NULL, "follow symbolic links"},
    {0, "hidden", KS_OPT_FLAG, AT(hidden), NULL, "files and folders that begin with a dot too"},
    {0, "workers", KS_OPT_COUNT, AT(workers), "N", "films decoded at once (by cores)"},
    {0, "frames", KS_OPT_COUNT, AT(frames), "N", "frames a clip (the model's own)"},
    {0, "short-shots", KS_OPT_COUNT, AT(short_shots), "N",
     "frames of a shot that is one clip (as of any): less to encode"},
    {0, "shots", KS_OPT_TEXT, AT(shots), "on|off", "end clips where shots end (on)"},
    {0, "fit", KS_OPT_TEXT, AT(fit), "squash|crop|pad", "how pictures become square (squash)"},
    {0, "decode", KS_OPT_TEXT, AT(decode), "full|fast",
     "fast skips frames: cuts are found less exactly"},
    {0, "hwaccel", KS_OPT_TEXT, AT(hwaccel), "NAME",
     "none, auto or a device: a weaker sandbox (none)"},
    {0, "require-sandbox", KS_OPT_FLAG, AT(require_sandbox), NULL,
     "refuse to decode without seccomp and landlock"},
    {0, "notify", KS_OPT_TEXT, AT(notify), "CMD", "gets each hit of a kept query as JSON on stdin"},
    {0, "queue", KS_OPT_FLAG, AT(queue), NULL, "of a hub: queue what is new, and no more"},
    {0, "commit-every", KS_OPT_NUMBER, AT(commit_every), "SECONDS",
     "how often clips are made durable (5, at most 60)"},
    {0, "no-stills", KS_OPT_FLAG, AT(no_stills), NULL, "no pictures any more"},
    {0, "no-follow", KS_OPT_FLAG, AT(no_follow), NULL, "no symbolic links any more"},
    {0, "no-hidden", KS_OPT_FLAG, AT(no_hidden), NULL, "nothing that begins with a dot any more"},
    {0, "encoder", KS_OPT_TEXT, AT(encoder), "towers|clock",
     "clock: read the test films' bars (for tests)"},
    {0},
};

static void defaults(void *fields) { ((fields_t *)fields)->commit_every = -1; }

/* The handler's only means: it asks once, and ends the program when asked again. It runs on
 * whichever thread the kernel picks, so they are atomics; sig_atomic_t would do for one thread
 * only. */
static atomic_int asked;
static volatile int stop;
static atomic_int loud;

static void on_signal(int number)
{
    static const char words[] = "\n  Stopping after this clip; everything up to here is kept. Run "
                                "the same command to go on.\n";
    int saved = errno;
    if (atomic_exchange(&asked, number)) _exit(128 + number);
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    if (loud && write(STDERR_FILENO, words, sizeof words - 1) < 0) loud = 0;
    errno = saved;
}

static void catch_signals(int quiet)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    loud = !quiet;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

typedef struct {
    const char **at; /* [n] */
    int n;
    char *text; /* what --files-from held */
} path_list;

static int read_stream(char **text, size_t *bytes, FILE *f, const char *name, ks_error *e)
{
    size_t room = 0, n = 0;
    *text = NULL;
    for (;;) {
        if (n + 65536 > room) {
            char *more = realloc(*text, room = 2 * room + 65537);
            if (!more) return ks_fail(e, KS_ENOMEM, "%s: no memory for the list", name);
            *text = more;
        }
        size_t got = fread(*text + n, 1, 65536, f);
        n += got;
        if (got == 0) break;
    }
    if (ferror(f)) return ks_fail(e, KS_EIO, "%s: %s", name, strerror(errno));
    (*text)[n] = 0;
    *bytes = n;
    return 0;
}

/* Lists come from other systems too: a mark before the first name, CR at the end of lines. A
 * name that really ends so is kept. */
static void mend_line(char *line, size_t n)
{
    struct stat st;
    if (n > 0 && line[n - 1] == '\r' && lstat(line, &st) < 0) line[n - 1] = 0;
}

static int is_utf16(const char *text, size_t n)
{
    return n >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0);
}

static int read_list(path_list *list, const fields_t *f, ks_error *e)
{
    int from_stdin = strcmp(f->files_from, "-") == 0;
    FILE *in = from_stdin ? stdin : fopen(f->files_from, "rb");
    size_t bytes = 0;
    if (!in) return ks_fail(e, KS_ENOTFOUND, "%s: %s", f->files_from, strerror(errno));
    int err = read_stream(&list->text, &bytes, in, f->files_from, e);
    if (!from_stdin) fclose(in);
    else if (err == 0) ks_fault_keep_stdin(list->text, bytes);
    char end = f->nul ? 0 : '\n';
    if (err == 0 && is_utf16(list->text, bytes))
        err = ks_fail(e, KS_EUSAGE, "%s is UTF-16; a list of files is UTF-8", f->files_from);
    for (size_t at = bytes >= 3 && memcmp(list->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
         err == 0 && at < bytes;) {
        char *line = list->text + at, *over = memchr(line, end, bytes - at);
        size_t length = over ? (size_t)(over - line) : bytes - at;
        line[length] = 0;
        at += length + 1;
        if (!f->nul) mend_line(line, length);
        if (!*line) continue;
        const char **more = reallocarray(list->at, (size_t)list->n + 1, sizeof *more);
        if (!more) return ks_fail(e, KS_ENOMEM, "%s: no memory for the list", f->files_from);
        list->at = more;
        list->at[list->n++] = line;
    }
    return err;
}

static int gather_paths(path_list *list, const fields_t *f, int n, char **args, ks_error *e)
{
    if (f->files_from) {
        int err = read_list(list, f, e);
        if (err < 0) return err;
        if (list->n + n == 0) return ks_fail(e, KS_EUSAGE, "%s names no file", f->files_from);
    }
    const char **more = reallocarray(list->at, (size_t)(list->n + n) + 1, sizeof *more);
    if (!more) return ks_fail(e, KS_ENOMEM, "no memory for the list of files");
    list->at = more;
    for (int i = 0; i < n; i++) list->at[list->n++] = args[i];
    return 0;
}

static const char **ended(const ks_opt_list *list)
{
    const char **at = calloc((size_t)list->n + 1, sizeof *at);
    for (int i = 0; at && i < list->n; i++) at[i] = list->at[i];
    return at;
}

typedef struct {
    ks_index *x;
    ks_encoder *enc, *beside[KS_CARDS_BESIDE]; /* [n_beside] a GPU each */
    int n_beside;
    ks_report *report;
    char *decoder, *model, *tokenizer;
    const char **includes, **excludes;
    path_list paths;
    char *empty;    /* folder of a dry run's own library */
    int only_queue; /* of a hub: it is not worked on here */
    ks_fault before;
    char died[80];              /* why the film of `before` is left out */
    int64_t clips;              /* of this run's finished films */
    int64_t scale_at;           /* the scale is made anew at so many of them */
    ks_tally before_it, so_far; /* of the programs before this one; with this one's */
} session;

static void close_session(session *s)
{
    ks_report_close(s->report);
    for (int i = 0; i < s->n_beside; i++) ks_encoder_close(s->beside[i]);
    ks_encoder_close(s->enc);
    ks_index_close(s->x);
    if (s->empty) ks_remove_files(s->empty);
    ks_fault_free(&s->before);
    free(s->empty);
    free(s->decoder);
    free(s->model);
    free(s->tokenizer);
    free(s->includes);
    free(s->excludes);
    free(s->paths.at);
    free(s->paths.text);
}

static char *absolute(char *path)
{
    char *real = path ? realpath(path, NULL) : NULL;
    free(path);
    return real;
}

/* The encoder that a library is being switched to, so that a switch that was interrupted goes
 * on. */
static int open_next(session *s, const ks_globals *g, const ks_library *library, ks_error *e)
{
    ks_globals with = *g;
    if (!with.setup.tokenizer && !with.setup.model && library->next_tokenizer_path[0])
        with.setup.tokenizer = library->next_tokenizer_path;
    int err = ks_open_encoder(&s->enc, &with.setup, library->next_model_path,
                              KS_TOWER_VIDEO | KS_TOWER_TEXT, KS_AUTO, e);
    if (err < 0 || strcmp(ks_encoder_info(s->enc)->hash, library->next.model) == 0) return err;
    return ks_fail(e, KS_ESPACE,
                   "%.300s: this library is being switched to %.300s; --switch -m MODEL changes "
                   "that, the old model calls it off",
                   g->setup.model ? g->setup.model : library->next_model_path,
                   library->next_model_path);
}

static int open_one(session *s, const ks_globals *g, const fields_t *f, const ks_library *library,
                    ks_error *e)
{
    ks_globals with = *g;
    if (library->space.dim == 0 || f->switch_model)
        return ks_open_encoder(&s->enc, &g->setup, NULL, KS_TOWER_VIDEO | KS_TOWER_TEXT, KS_AUTO,
                               e);
    if (strcmp(library->next.model, "clock") == 0)
        return ks_fail(e, KS_ESPACE, "%s: this library was made with --encoder clock", g->library);
    /* a library keeps its class */
    if (!with.setup.precision && library->next.precision) with.setup.precision = "int8";
    if (library->switching) return open_next(s, &with, library, e);
    int err = ks_open_library_encoder(&s->enc, &with.setup, s->x, KS_TOWER_VIDEO | KS_TOWER_TEXT,
                                      e);
    if (err == KS_ESPACE) {
        size_t n = strlen(e->msg);
        snprintf(e->msg + n, sizeof e->msg - n, "; --switch changes the library's model");
    }
    return err;
}

/* Without a tokenizer nothing could be asked for by words: better known before hours of work. */
static int reads_words(const session *s, ks_error *e)
{
    ks_sentence any;
    return ks_text_tokens(&any, s->enc, "anything", e);
}

/* The paths to be remembered: the library's own while the model is there, else where it was
 * found. */
static int keep_paths(session *s, const ks_globals *g, const ks_library *library, int own,
                      ks_error *e)
{
    if (own && access(library->next_model_path, R_OK) == 0) {
        s->model = strdup(library->next_model_path);
        s->tokenizer = library->next_tokenizer_path[0] ? strdup(library->next_tokenizer_path)
                                                       : NULL;
        return 0;
    }
    char *again = own ? ks_locate_again(&g->setup, library->next_model_path) : NULL;
    int err = ks_locate_model(&s->model, &s->tokenizer, &g->setup,
                              g->setup.model ? g->setup.model
                              : again        ? again
                                             : ks_default_model(&g->setup),
                              e);
    free(again);
    s->model = absolute(s->model);
    s->tokenizer = absolute(s->tokenizer);
    return err;
}

/* The encoder of the library, or of -m for a new one or a switch, and its paths. */
static int open_towers(session *s, const ks_globals *g, const fields_t *f, ks_error *e)
{
    ks_library *library = malloc(sizeof *library);
    if (!library) return ks_fail(e, KS_ENOMEM, "no memory");
    int err = ks_index_library(library, s->x, e);
    if (err >= 0 && !s->enc) err = open_one(s, g, f, library, e);
    if (err >= 0)
        err = keep_paths(s, g, library,
                         library->space.dim > 0 && !g->setup.model && !f->switch_model, e);
    free(library);
    return err < 0 ? err : reads_words(s, e);
}

/* What this command line does not say is as the library was made. */
static unsigned unsaid(const fields_t *f)
{
    return (f->shots ? 0 : KS_UNSAID_SHOTS) | (f->fit ? 0 : KS_UNSAID_FIT) |
           (f->decode ? 0 : KS_UNSAID_DECODE) | (f->stills || f->no_stills ? 0 : KS_UNSAID_STILLS) |
           (f->hidden || f->no_hidden ? 0 : KS_UNSAID_HIDDEN) |
           (f->follow || f->no_follow ? 0 : KS_UNSAID_FOLLOW) | (f->survey ? 0 : KS_UNSAID_SURVEY);
}

/* A library is searched from its first film on, with a scale that is kept from there on: else
 * each question would make one for itself. At twice as many clips the next one, so that all of
 * them cost no more than twice the last. */
static void keep_scale(session *s, const ks_file_event *v)
{
    ks_error ignored; /* what is wrong is said by the last one, at the end of the run */
    if (v->verdict == KS_FILE_INDEXED || v->verdict == KS_FILE_PARTLY) s->clips += v->clips;
    if (s->enc && s->clips > s->scale_at) {
        ks_calibrate(NULL, s->x, s->enc, &ignored);
        s->scale_at = 2 * s->clips;
    }
}

static void on_event(void *arg, const ks_event *v)
{
    session *s = arg;
    ks_event event = *v;
    if (v->kind == KS_EVENT_FILE) {
        ks_tally_count(&s->so_far, &v->u.file);
        keep_scale(s, &v->u.file); /* what is said is kept */
    }
    if (v->kind == KS_EVENT_DONE) {
        ks_done_event *d = &event.u.done;
        d->clips += s->before_it.clips;
        d->video_seconds += s->before_it.seconds;
        d->wall_seconds += s->before.spent;
        if (d->wall_seconds > 0) d->x_realtime = d->video_seconds / d->wall_seconds;
    }
    ks_report_event(s->report, &event);
}

static int fill_options(ks_ingest_options *o, session *s, const fields_t *f, ks_error *e)
{
    static const char *const fits[] = {"squash", "crop", "pad"}, *const surveys[] = {"off", "first",
                                                                                     "only"};
    if (!s->includes) s->includes = ended(&f->include); /* --switch on a hub asks twice */
    if (!s->excludes) s->excludes = ended(&f->exclude);
    if (!s->includes || !s->excludes) return ks_fail(e, KS_ENOMEM, "no memory");
    *o = (ks_ingest_options){.paths = s->paths.at,
                             .n = s->paths.n,
                             .excludes = s->excludes,
                             .includes = s->includes,
                             .decoder = s->decoder,
                             .window = f->window,
                             .hop = f->hop,
                             .frames = f->frames,
                             .short_shots = f->short_shots,
                             .shots = !(f->shots && strcmp(f->shots, "off") == 0),
                             .follow = f->follow && !f->no_follow,
                             .stills = f->stills && !f->no_stills,
                             .dry_run = f->dry_run,
                             .hidden = f->hidden && !f->no_hidden,
                             .require_sandbox = f->require_sandbox,
                             .fast_decode = f->decode && strcmp(f->decode, "fast") == 0,
                             .workers = f->workers,
                             .hwaccel = f->hwaccel,
                             .model_path = s->model ? s->model : "",
                             .tokenizer_path = s->tokenizer ? s->tokenizer : "",
                             .switch_space = f->switch_model,
                             .commit_every = f->commit_every == 0  ? -1
                                             : f->commit_every < 0 ? 0
                                                                   : f->commit_every,
                             .budget = f->budget,
                             .stop = &stop,
                             .event = on_event,
                             .event_arg = s,
                             .at_work = ks_fault_at_work,
                             .faulty = s->before.path,
                             .faulty_reason = s->died,
                             .beside = s->beside,
                             .n_beside = s->n_beside};
    o->unsaid = unsaid(f);
    for (int i = 0; i < 3; i++)
        if (f->survey && strcmp(f->survey, surveys[i]) == 0) o->survey = (ks_survey)i;
    snprintf(s->died, sizeof s->died, "kinoseek itself stopped at it (signal %d): a fault of ours",
             s->before.signal);
    if (s->before.path && f->budget > 0) /* what the program before this one used of it is used */
        o->budget = f->budget > s->before.spent ? f->budget - s->before.spent : 1e-3;
    for (int i = 0; i < 3; i++)
        if (f->fit && strcmp(f->fit, fits[i]) == 0) o->fit = (ks_fit)i;
    return 0;
}

/* Files were named, and no folder that lets us in: what is in one is not named directly. */
static int only_files(const path_list *paths)
{
    struct stat st;
    for (int i = 0; i < paths->n; i++)
        if (stat(paths->at[i], &st) == 0 && S_ISDIR(st.st_mode) &&
            access(paths->at[i], R_OK | X_OK) == 0)
            return 0;
    return paths->n > 0;
}

/* 4: every file named directly was of no use, now or before; 3: some file was partly or failed. */
static int exit_code(const ks_ingest_summary *s, const ks_report *r, const path_list *paths)
{
    int64_t again = ks_report_still_useless(r),
            good = s->indexed + s->partly + s->moved + s->left + s->unchanged - again;
    if (good == 0 && s->failed + s->skipped + again >= paths->n && only_files(paths)) return 4;
    return s->partly + s->failed > 0 || ks_report_bad_files(r) > 0 ? 3 : 0;
}

/* The one sentence of a code that is not 0. */
static void say_bad(int code, const ks_ingest_summary *s, const ks_report *r)
{
    const char *path, *reason;
    char shown[4096];
    if (code == 3)
        fprintf(stderr,
                "kinoseek: %lld file%s went in partly, %lld failed: kinoseek status --bad\n",
                (long long)s->partly, s->partly == 1 ? "" : "s", (long long)s->failed);
    int n = code == 4 ? ks_report_first_bad(&path, &reason, r) : 0;
    if (n == 0) return;
    ks_show_path(shown, sizeof shown, path, 0, 1);
    fprintf(stderr, "kinoseek: %s: %s", shown, reason);
    if (n > 1) fprintf(stderr, " (and %d more like it)", n - 1);
    fputc('\n', stderr);
}

/* A library is made only where something may go into it: its model would be fixed, and the
 * folder stay behind. */
static int before_made(session *s, const ks_globals *g, int clock, ks_error *e)
{
    ks_index *there = NULL;
    struct stat st;
    int found = 0;
    if (ks_index_open(&there, g->library, KS_READ, e) != KS_ENOLIBRARY) {
        ks_index_close(there); /* what else is wrong is said when it is opened to be written */
        return 0;
    }
    if (s->paths.n == 0)
        return ks_fail(e, KS_EUSAGE,
                       "name a folder or a film: nothing was ingested into this library before");
    for (int i = s->paths.n; i-- > 0;) found |= lstat(s->paths.at[i], &st) == 0;
    if (!found)
        return ks_fail(e, KS_ENOTFOUND, "%s: %s", s->paths.at[0],
                       errno == ENOENT || errno == ENOTDIR ? "it is not there" : strerror(errno));
    int err = clock ? 0
                    : ks_open_encoder(&s->enc, &g->setup, NULL, KS_TOWER_VIDEO | KS_TOWER_TEXT,
                                      KS_AUTO, e);
    return err < 0 || clock ? err : reads_words(s, e);
}

/* A dry run never makes a library: where there is none it looks at an empty one of its own. */
static int open_library(session *s, const ks_globals *g, int dry_run, ks_error *e)
{
    int err = ks_index_open(&s->x, g->library, dry_run ? KS_READ : KS_CREATE, e);
    if (err != KS_ENOLIBRARY || !dry_run) return err;
    err = ks_temporary_folder(&s->empty, e);
    return err < 0 ? err : ks_index_open(&s->x, s->empty, KS_CREATE, e);
}

/* Choices that cost something are said aloud. */
static void say_choices(const ks_globals *g, const fields_t *f)
{
    if (g->quiet) return;
    if (f->hwaccel && strcmp(f->hwaccel, "none") != 0)
        fputs("kinoseek: decoding on a device needs a weaker sandbox; the films are marked so\n",
              stderr);
    if (f->decode && strcmp(f->decode, "fast") == 0)
        fputs("kinoseek: fast decoding skips frames: cuts and clips may be three frames off\n",
              stderr);
}

/* --- where -L names a hub: what is new is queued, then worked on like any worker would --- */
static int refuse_choices(const fields_t *f, ks_error *e)
{
    int space = f->frames != 0 || f->short_shots != 0 || f->fit;
    if (f->window == 0 && f->hop == 0 && f->budget == 0 && (!space || f->switch_model) &&
        !f->shots && !f->decode && !f->hwaccel && !f->dry_run && !f->stills && !f->no_stills &&
        !f->require_sandbox && f->workers == 0)
        return 0;
    return ks_fail(e, KS_EUSAGE,
                   "a hub takes --exclude, --include, --files-from, --follow, --hidden, --queue, "
                   "--survey, --encoder, --nice, --notify, --json and --switch, which takes "
                   "--frames, --short-shots and --fit; how clips are made its first films say");
}

static void on_feed(void *arg, const ks_event *v)
{
    const session *s = arg;
    if (v->kind != KS_EVENT_DONE || s->only_queue) ks_report_event(s->report, v);
}

/* The new model's space: its workers make the films' clips in it, and this command like them. */
static int switch_hub(session *s, const ks_globals *g, const fields_t *f, ks_error *e)
{
    ks_ingest_options o;
    static const ks_library none;
    int clock = f->encoder && strcmp(f->encoder, "clock") == 0, err = 0;
    if (!clock) err = open_one(s, g, f, &none, e);
    if (err == 0 && !clock) err = reads_words(s, e);
    if (err == 0 && !clock) err = keep_paths(s, g, &none, 0, e);
    if (err == 0) err = fill_options(&o, s, f, e);
    if (err == 0) err = ks_hub_change_model(g, &o, s->enc, e);
    if (err > 0 && !f->json && !g->quiet)
        puts(err == 2 ? "The switch is called off."
                      : "All films are queued for the other model. Until they are through mirrors "
                        "answer as before (kinoseek queue).");
    ks_encoder_close(s->enc);
    s->enc = NULL;
    return err < 0 ? err : 0;
}

static int run_hub(const ks_globals *g, const fields_t *f, int n, char **args, ks_error *e)
{
    session s = {.only_queue = f->queue};
    ks_ingest_options o;
    ks_ingest_summary sum = {0};
    int64_t queued = 0;
    char films[64];
    int err = refuse_choices(f, e);
    if (err < 0) return err;
    if (f->nice) setpriority(PRIO_PROCESS, 0, 19);
    err = gather_paths(&s.paths, f, n, args, e);
    if (err == 0) err = ks_locate_decoder(&s.decoder, &g->setup, e);
    if (err == 0 && f->switch_model) err = switch_hub(&s, g, f, e);
    if (err == 0) err = ks_report_open(&s.report, f->json, g->quiet, g->verbose, NULL, e);
    if (err == 0) err = fill_options(&o, &s, f, e);
    if (err == 0) {
        o.event = on_feed;
        o.event_arg = &s;
        o.at_work = NULL;
        catch_signals(1);
        err = ks_feed(&queued, &sum, g, &o, e);
    }
    if (err == 0 && !f->json && !g->quiet) printf("%s queued\n", ks_counted(films, queued, "film"));
    if (err == 0) err = ks_hub_end_model(g, e);
    close_session(&s);
    if (err < 0 || f->queue) return err;
    int code = err = ks_work(
        &(ks_worker_how){
            .g = g, .lease = 60, .idle_exit = 1, .json = f->json, .encoder = f->encoder},
        e);
    if (err == 0 || err == 3) err = ks_hub_end_model(g, e);
    if (err == 0 && !f->encoder)
        err = ks_keep_saved(g, &(ks_saved_ways){.g = g, .json = f->json, .notify = f->notify}, e);
    return err < 0 ? err : code;
}

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    const fields_t *f = fields;
    session s = {0};
    ks_ingest_options o;
    ks_ingest_summary sum = {0};
    int clock = f->encoder && strcmp(f->encoder, "clock") == 0, code = 0;
    if (ks_hub_is(g->library)) return run_hub(g, f, n, args, e);
    if (f->queue) return ks_fail(e, KS_EUSAGE, "--queue: -L names no hub");
    int err = ks_ingest_check(
        &(ks_ingest_options){
            .window = f->window, .hop = f->hop, .frames = f->frames, .budget = f->budget},
        e);
    if (err < 0) return err;
    if (f->nice) setpriority(PRIO_PROCESS, 0, 19);
    err = ks_fault_open(&s.before, g, e);
    ks_tally_read(&s.before_it, &s.before);
    if (err == 0) err = gather_paths(&s.paths, f, n, args, e);
    if (err == 0) err = ks_locate_decoder(&s.decoder, &g->setup, e);
    if (err == 0 && !f->dry_run) err = before_made(&s, g, clock, e);
    if (err == 0) err = open_library(&s, g, f->dry_run, e);
    if (err == 0) err = ks_tally_complete(&s.before_it, s.x, e);
    s.so_far = s.before_it;
    if (err == 0) ks_index_threads(s.x, g->setup.threads);
    if (err == 0 && !clock && !f->dry_run) err = open_towers(&s, g, f, e);
    if (err == 0 && s.enc) s.n_beside = ks_encoders_beside(s.beside, KS_CARDS_BESIDE, s.enc);
    if (err == 0)
        err = ks_report_open(&s.report, f->json, g->quiet, g->verbose, clock ? "clock" : NULL, e);
    if (err == 0) err = fill_options(&o, &s, f, e);
    if (err == 0) say_choices(g, f);
    if (err == 0) {
        catch_signals(g->quiet);
        err = ks_ingest(&sum, s.x, s.enc, &o, e);
        ks_tally_add(&sum, &s.before_it);
        sum.wall_seconds += s.before.spent;
        if (err == 0 && !f->dry_run && s.enc) err = ks_calibrate(NULL, s.x, s.enc, e);
        if (err == 0 && !f->dry_run && s.enc)
            err = ks_saved_run(NULL, s.x,
                               &(ks_saved_ways){.g = g, .json = f->json, .notify = f->notify}, e);
        if (err == 0 || err == KS_ESTOP) ks_report_end(s.report, &sum, f->dry_run);
        code = exit_code(&sum, s.report, &s.paths);
        if (err == 0) say_bad(code, &sum, s.report);
    }
    close_session(&s);
    if (err == KS_ESTOP && asked == SIGTERM) {
        fprintf(stderr, "kinoseek: %s\n", e->msg);
        return 128 + SIGTERM;
    }
    return err < 0 ? err : code;
}

extern const ks_command ks_cmd_ingest;
const ks_command ks_cmd_ingest = {
    .name = "ingest",
    .usage = "[PATH...]",
    .brief = "Index films and folders, or all folders named before",
    .more = "  kinoseek ingest ~/Videos --exclude '*.part' --nice\n"
            "  find . -name '*.mp4' -print0 | kinoseek ingest --files-from - -0\n"
            "Ctrl-C is safe at any time, and so is a second one; Ctrl-Z and fg pause and go\n"
            "on. A folder's .kinoseekignore names what to leave out, as a .gitignore does.",
    .options = options,
    .fields = sizeof(fields_t),
    .defaults = defaults,
    .hub = KS_HUB_OWN,
    .run = run,
};
