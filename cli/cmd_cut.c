/* cmd_cut.c - `cut`: moments into files of their own. */
#include "cli/commands.h"
#include "cli/piece_name.h"
#include "cli/span_films.h"
#include "cli/terminal.h"
#include "formats/formats.h"
#include "ingest/ingest.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    const char *to, *list, *fps;
    double pad;
    int reencode, by_label, force, json;
} cut_fields;

static const ks_option options[] = {
    {0, "to", KS_OPT_TEXT, offsetof(cut_fields, to), "DIR",
     "folder for the pieces (made if absent)"},
    {0, "hits", KS_OPT_TEXT, offsetof(cut_fields, list), "FILE",
     "search --json, or any list of labels; - is stdin"},
    {0, "pad", KS_OPT_NUMBER, offsetof(cut_fields, pad), "SECONDS",
     "this much before and after too (0)"},
    {0, "reencode", KS_OPT_FLAG, offsetof(cut_fields, reencode), NULL,
     "exact to the frame; else from the key frame before"},
    {0, "by-label", KS_OPT_FLAG, offsetof(cut_fields, by_label), NULL,
     "a folder a label below DIR"},
    {0, "force", KS_OPT_FLAG, offsetof(cut_fields, force), NULL, "replace pieces of the same name"},
    {0, "fps", KS_OPT_TEXT, offsetof(cut_fields, fps), "RATE",
     "of lists that count frames and do not say it"},
    {0, "json", KS_OPT_FLAG, offsetof(cut_fields, json), NULL,
     "a JSON object a piece: the times that were cut"},
    {0},
};

typedef struct {
    const ks_globals *g;
    const cut_fields *f;
    ks_decoder *decoder;
    ks_piece_names names;
    int made, failed;
    ks_index *x; /* NULL: there is no library, or none was needed yet */
    int looked;  /* 1: it was looked for */
} cutting;

/* --- the library --- not needed to cut what is here; it knows films by name, its own, and their
 * key frames. */
static int open_library(cutting *c, ks_error *e)
{
    int err;

    if (c->looked || !c->g->library) return 0;
    err = ks_index_open(&c->x, c->g->library, KS_READ, e);
    c->looked = err == 0 || err == KS_ENOLIBRARY; /* else asked again where it matters */
    return c->looked ? 0 : err;
}

/* --force replaces pieces: never the film itself, and no film of the library. */
static int check_replaced(cutting *c, const char *film, const char *piece, ks_error *e)
{
    char full[PATH_MAX];
    struct stat a, b;
    ks_video v;
    int err;

    if (stat(piece, &b) != 0) return 0;
    if (stat(film, &a) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
        return ks_fail(e, KS_EFORMAT, "%s: it is the film that is cut", piece);
    if ((err = open_library(c, e)) < 0 || !c->x || !realpath(piece, full)) return err;
    err = ks_index_find(&v, c->x, full, e);
    return err > 0 ? ks_fail(e, KS_EFORMAT, "%s: it is a film of the library, which stays", piece)
                   : err;
}

/* --- one piece --- */
/* Times as they are written are whole milliseconds: the first frame of a moment may lie half of
 * one before, or behind, and so may the first frame that is no more of it. A copy looks for the
 * key frame at or before the start. */
static const double rounding = 0.0005;

/* Where one may seek to in the film, if the library has it; none is no harm. */
static void find_keys(ks_keys *keys, cutting *c, const char *path)
{
    int here = c->f->reencode && open_library(c, NULL) == 0 && c->x;
    char *real = here ? realpath(path, NULL) : NULL;
    ks_video v;

    *keys = (ks_keys){0};
    if (real && ks_index_find(&v, c->x, real, NULL) == 1) (void)ks_film_keys(keys, c->x, &v, NULL);
    free(real);
}

/* Under a name that is free, also where somebody takes it meanwhile. *name: malloc'ed. */
static int cut_free(char **name, ks_piece *p, cutting *c, const char *label, double from, double to,
                    ks_error *e)
{
    struct stat st;
    ks_keys keys;
    int err = KS_EUSAGE;

    find_keys(&keys, c, p->path);
    for (int number = 1; err == KS_EUSAGE && number < 10000; number++) {
        free(*name);
        if (!(*name = ks_name_piece(&c->names, c->made + c->failed + 1, p->path, from, to, label,
                                    number))) {
            err = ks_fail(e, KS_ENOMEM, "no memory for a name");
            break;
        }
        p->to_file = *name;
        if (!p->force && lstat(*name, &st) == 0) continue;
        if (p->force && (err = check_replaced(c, p->path, *name, e)) < 0) return err;
        err = ks_cut(p, &keys, c->decoder, e);
        if (err == KS_EUSAGE && lstat(*name, &st) != 0) break; /* wrong use of another kind */
    }
    free((void *)(uintptr_t)keys.at);
    return err;
}

/* What was asked, where no more than that rounding is between. */
static double as_asked(double cut, double asked)
{
    return fabs(cut - asked) < rounding + 1e-6 ? asked : cut;
}

static void say_piece(const cutting *c, const ks_piece *p, const char *label, double from,
                      double to)
{
    char shown[PATH_MAX + 16], *real = realpath(p->path, NULL);
    ks_json j;

    if (!c->f->json) {
        ks_show_path(shown, sizeof shown, p->to_file, 0, 1);
        puts(shown);
    } else {
        ks_json_start(&j, stdout);
        ks_json_open(&j, NULL, '{');
        ks_json_path(&j, "file", p->to_file);
        ks_json_path(&j, "path", real ? real : p->path);
        ks_json_seconds(&j, "start", as_asked(p->cut_from, from));
        ks_json_seconds(&j, "end", as_asked(p->cut_to, to));
        ks_json_seconds(&j, "asked_start", from);
        ks_json_seconds(&j, "asked_end", to);
        if (*label) ks_json_text(&j, "label", label);
        ks_json_close(&j);
    }
    fflush(stdout); /* a piece that is there is said, also where the next one is interrupted */
    free(real);
}

static int make_label_folder(cutting *c, const char *path, const char *label, ks_error *e)
{
    char *name = ks_name_piece(&c->names, 1, path, 0, 0, label, 1);
    int err = name ? 0 : ks_fail(e, KS_ENOMEM, "no memory for a name");

    if (err == 0) {
        *strrchr(name, '/') = 0;
        err = ks_make_folder(name, e);
    }
    free(name);
    return err;
}

/* --- an end by a signal --- A piece that got its name is said, too: while one is under way the
 * decoder is told to stop and what becomes of the piece is seen to its end. The second signal, and
 * one where no piece is under way, ends at once. */
static volatile sig_atomic_t asked; /* the signal; 0: none came */
static atomic_int under_way;
static int wish[2] = {-1, -1}; /* the decoder looks at the first; the second is shut by a signal */

static void say_interrupted(void)
{
    static const char words[] = "kinoseek cut: interrupted; the pieces that were named are whole\n";
    ssize_t ignored = write(STDERR_FILENO, words, sizeof words - 1);

    (void)ignored;
}

static void on_signal(int signal)
{
    if (atomic_load(&under_way) && !asked) {
        asked = signal;
        shutdown(wish[1], SHUT_RDWR);
        return;
    }
    say_interrupted();
    _exit(128 + signal);
}

static int end_on_signals(ks_error *e)
{
    static const int signals[] = {SIGINT, SIGTERM};
    struct sigaction end = {.sa_handler = on_signal, .sa_flags = SA_RESTART}, was;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, wish) < 0)
        return ks_fail(e, KS_EIO, "no socket: %s", strerror(errno));
    for (int i = 0; i < 2; i++) /* what nohup ignores stays ignored */
        if (sigaction(signals[i], NULL, &was) == 0 && was.sa_handler != SIG_IGN)
            sigaction(signals[i], &end, NULL);
    return 0;
}

/* end < 0: to the film's end. */
static int cut_one(cutting *c, const char *path, double start, double end, const char *label,
                   ks_error *e)
{
    double from = fmax(start - c->f->pad, 0), to = end < 0 ? -1 : end + c->f->pad;
    ks_piece p = {.path = path,
                  .from = fmax(from + (c->f->reencode ? -rounding : rounding), 0),
                  .to = to < 0 ? -1 : to - rounding,
                  .reencode = c->f->reencode,
                  .force = c->f->force,
                  .viewer = wish[0]};
    char *name = NULL;
    int err = c->f->by_label ? make_label_folder(c, path, label, e) : 0;

    c->names.ending = c->f->reencode ? ".mp4" : NULL;
    atomic_store(&under_way, 1);
    if (err == 0) err = cut_free(&name, &p, c, label, from, fmax(to, from), e);
    if (err < 0 && p.unfit) { /* Matroska takes nearly all pictures and sound that there are */
        c->names.ending = ".mkv";
        err = cut_free(&name, &p, c, label, from, fmax(to, from), e);
    }
    if (err == 0 && p.sounds_left > 0)
        fprintf(stderr, "kinoseek: %s: %d stream%s of sound left out: no container takes it\n",
                name, p.sounds_left, p.sounds_left == 1 ? "" : "s");
    if (err == 0) {
        c->made++;
        say_piece(c, &p, label, from, to < 0 ? p.cut_to : to);
    }
    atomic_store(&under_way, 0);
    if (asked) err = ks_fail(e, KS_ESTOP, "interrupted");
    if (err < 0 && err != KS_EIO && err != KS_ENOMEM &&
        err != KS_ESTOP) { /* after those the next one would fail likewise */
        fprintf(stderr, "kinoseek: %s\n", e->msg);
        c->failed++;
        err = 0;
    }
    free(name);
    return err;
}

/* A film as the list names it: a file, from here or from the list's folder; else what the library
 * calls so. *path malloc'ed, NULL: it is nowhere, and why in e. */
static int find_film(char **path, cutting *c, ks_film_names **names, const char *list,
                     const char *name, ks_error *e)
{
    int64_t id = 0;
    ks_video v;
    int err;

    *path = access(name, F_OK) == 0 ? strdup(name) : ks_beside_list(list, name);
    if (!*path) return ks_fail(e, KS_ENOMEM, "no memory for a path");
    if (access(*path, F_OK) == 0) return 0;
    free(*path);
    *path = NULL;
    if ((err = open_library(c, e)) < 0) return err;
    if (!c->x) return ks_fail(e, KS_ENOTFOUND, "%s: %s", name, strerror(ENOENT));
    if (!*names && (err = ks_film_names_open(names, c->x, list, e)) < 0) return err;
    if ((err = ks_film_names_find(&id, *names, name, e)) == KS_ENOTFOUND)
        return ks_fail(e, err, "%s: %s, and no film of the library is called so", name,
                       strerror(ENOENT));
    if (err < 0 || (err = ks_index_video(&v, c->x, id, e)) < 0) return err;
    return (*path = strdup(v.path)) ? 0 : ks_fail(e, KS_ENOMEM, "no memory for a path");
}

/* A file, else what the library calls so. *path malloc'ed. */
static int find_typed(char **path, cutting *c, const char *name, ks_error *e)
{
    int64_t id;
    int err, why = access(name, R_OK) == 0 ? 0 : errno;

    if (!why) return (*path = strdup(name)) ? 0 : ks_fail(e, KS_ENOMEM, "no memory for a path");
    if (why != ENOENT) return ks_fail(e, KS_ENOTFOUND, "%s: %s", name, strerror(why));
    if ((err = open_library(c, e)) < 0) return err;
    err = c->x ? ks_find_film(&id, path, c->x, name, e) : KS_ENOTFOUND;
    return err == KS_ENOTFOUND ? ks_fail(e, err, "%s: %s%s", name, strerror(why),
                                         c->x ? ", and no film of the library is called so" : "")
                               : err;
}

/* FILE@START-END: a file of that whole name is not what is meant, there must be times. */
static int cut_word(cutting *c, const char *word, ks_error *e)
{
    char *file = strdup(word), *at = file ? strrchr(file, '@') : NULL,
         *dash = at ? strchr(at, '-') : NULL, *path = NULL;
    double start, end;
    int err;

    if (!file) return ks_fail(e, KS_ENOMEM, "no memory");
    if (dash) *dash = 0;
    if (!dash || ks_parse_seconds(&start, at + 1) < 0 || ks_parse_seconds(&end, dash + 1) < 0 ||
        end <= start) {
        err = ks_fail(e, KS_EUSAGE, "%s: say from when to when: lake.mp4@4:12-4:19", word);
    } else {
        *at = 0;
        if ((err = find_typed(&path, c, file, e)) == 0) err = cut_one(c, path, start, end, "", e);
    }
    free(path);
    free(file);
    return err;
}

static int count_moments(const ks_spans *s, int film)
{
    int n = 0;

    for (int i = 0; i < s->n; i++) n += s->at[i].yes && s->at[i].of == film;
    return n;
}

/* path[s->n_films]; what is nowhere is said once for all its moments, which have failed. */
static int find_films(char **path, cutting *c, const ks_spans *s, const char *list, ks_error *e)
{
    ks_film_names *names = NULL;
    int err = 0;

    for (int i = 0; i < s->n_films && err == 0; i++) {
        int n = count_moments(s, i);
        if (!n || (err = find_film(&path[i], c, &names, list, s->films[i], e)) == 0) continue;
        if (err != KS_ENOTFOUND && err != KS_EUSAGE) break;
        fprintf(stderr, "kinoseek: %s", e->msg);
        fprintf(stderr, n > 1 ? " (%d moments)\n" : "\n", n);
        c->failed += n;
        err = 0;
    }
    ks_film_names_close(names);
    return err;
}

static int cut_list(cutting *c, const char *list, ks_error *e)
{
    ks_spans s;
    char **path = NULL;
    double fps;
    int err = ks_list_rate(&fps, c->f->fps, e);

    if (err < 0 || (err = ks_spans_read(&s, list, fps, e)) < 0) return err;
    if (!(path = calloc((size_t)s.n_films + 1, sizeof *path)))
        err = ks_fail(e, KS_ENOMEM, "no memory for paths");
    c->names.digits = ks_piece_digits(s.n);
    if (err == 0) err = find_films(path, c, &s, list, e);
    for (int i = 0; err == 0 && i < s.n; i++)
        if (s.at[i].yes && path[s.at[i].of])
            err = cut_one(c, path[s.at[i].of], s.at[i].start, s.at[i].end, s.at[i].label, e);
    for (int i = 0; path && i < s.n_films; i++) free(path[i]);
    free(path);
    ks_spans_free(&s);
    return err;
}

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    cutting c = {.g = g, .f = fields};
    int err;

    c.names = (ks_piece_names){
        .to = c.f->to, .by_label = c.f->by_label, .digits = ks_piece_digits(n)};

    if (!c.f->to || (n == 0) == (c.f->list == NULL))
        return ks_fail(e, KS_EUSAGE,
                       "say what and where to: kinoseek cut lake.mp4@4:12-4:19 --to pieces");
    if ((err = ks_make_folder(c.f->to, e)) < 0) return err;
    if ((err = ks_open_decoder(&c.decoder, &g->setup, e)) < 0) return err;
    err = end_on_signals(e);
    if (err == 0 && c.f->list) err = cut_list(&c, c.f->list, e);
    for (int i = 0; i < n && err == 0; i++) err = cut_word(&c, args[i], e);
    ks_decoder_stop(c.decoder);
    ks_index_close(c.x);
    ks_piece_names_free(&c.names);
    if (asked) {
        say_interrupted();
        return 128 + asked;
    }
    if (err < 0) return err;
    if (c.made + c.failed == 0) return 1;
    return c.failed == 0 ? 0 : c.made ? 3 : 4;
}

extern const ks_command ks_cmd_cut;
const ks_command ks_cmd_cut = {
    .name = "cut",
    .usage = "FILE@START-END... --to DIR",
    .brief = "Cut moments into files of their own",
    .more = "  kinoseek search goal --json | kinoseek cut --hits - --pad 1.5 --to goals\n"
            "Without --reencode the pictures are copied, from the key frame before the start\n"
            "to where its last pictures need none behind them (mostly some 8 pictures).\n"
            "A copy stays in the film's own container; what that cannot hold goes into .mkv.\n"
            "A file that is there is never replaced: its piece gets (2) behind its name.\n"
            "A film of the library goes by its name, too.",
    .options = options,
    .fields = sizeof(cut_fields),
    .alone = 1,
    .hub = KS_HUB_MIRROR,
    .run = run,
};
