/* main.c - finds the command, parses by its table, turns errors into one sentence and an exit
 * code. */
#include "cli/commands.h"
#include "cli/hub_library.h"
#include "cli/spool.h"
#include "cli/terminal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A reader that went away (`kinoseek ... | head`) ends us silently with 0. A decoder whose
 * socket closed sends the same signal: that is an error for whoever wrote, so only stdout's
 * state decides. */
static void on_pipe(int number)
{
    struct pollfd out = {STDOUT_FILENO, 0, 0};
    int saved = errno;

    (void)number;
    if (poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP))) _exit(0);
    errno = saved;
}

/* A mapped file became shorter while it was read: prepared weights in the cache, or search
 * copies of the library. */
static void on_bus(int number)
{
    static const char words[] = "kinoseek: a file of the cache or the library was cut short while "
                                "it was read; run the command again\n";

    (void)number;
    if (write(STDERR_FILENO, words, sizeof words - 1) < 0) _exit(5); /* nobody to tell */
    _exit(5);
}

/* Where a stream is closed the next file opened would get its number, and what is said would go
 * into it: into the library. A descriptor of the wrong direction keeps the place, so that using
 * it still fails. */
static void hold_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            _exit(5);
}

static int complain(const char *command, ks_error *e)
{
    fflush(stdout);
    ks_harmless(e->msg); /* it may hold what was typed, or a file's name */
    if (command && (e->code == KS_EUSAGE)) fprintf(stderr, "kinoseek %s: %s\n", command, e->msg);
    else
        fprintf(stderr, "kinoseek: %s%s\n", e->msg,
                e->code == KS_ENOLIBRARY && !strstr(e->msg, "(kinoseek ")
                    ? " (kinoseek ingest FOLDER makes one)"
                    : "");
    return ks_exit_code(e->code);
}

/* What could not be written must not look like success. */
static int flush_output(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return code;
    if (errno == EPIPE) return 0;
    fprintf(stderr, "kinoseek: standard output: %s\n", strerror(errno));
    return 5;
}

static void notice(void *unused, const char *sentence)
{
    char text[1024];

    (void)unused;
    snprintf(text, sizeof text, "%s", sentence);
    ks_harmless(text); /* it may hold what another program wrote */
    fprintf(stderr, "kinoseek: %s\n", text);
}

/* What no option said: from the environment, else from the file. */
static int settle(ks_globals *g, ks_settings *s, ks_error *e)
{
    int err = ks_settings_read(s, e);

    if (err < 0) return err;
    g->settings = s;
    if (g->library) s->at[KS_SET_LIBRARY] = (ks_setting){g->library, KS_FROM_OPTION, 0};
    else g->library = s->at[KS_SET_LIBRARY].value;
    g->setup.default_model = s->at[KS_SET_MODEL].value;
    if (g->setup.model) s->at[KS_SET_MODEL] = (ks_setting){g->setup.model, KS_FROM_OPTION, 0};
    g->setup.translate = s->at[KS_SET_TRANSLATE].value;
    return 0;
}

static int run_command(const ks_command *c, ks_globals *g, int argc, char **argv, ks_error *e)
{
    void *fields = calloc(1, c->fields ? c->fields : 1);
    char **args = calloc((size_t)argc + 1, sizeof *args), *folder = NULL;
    ks_settings settings = {0};
    int n = 0, err;

    if (!fields || !args) {
        err = ks_fail(e, KS_ENOMEM, "no memory");
        goto out;
    }
    if (c->defaults) c->defaults(fields);
    if ((err = ks_parse(fields, c->options, g, ks_global_options, argc, argv, args, &n, e)) < 0)
        goto out;
    if (g->help) {
        ks_print_help(stdout, c);
        goto out;
    }
    if (g->library && !*g->library) {
        err = ks_fail(e, KS_EUSAGE, "-L names no folder: it is empty");
        goto out;
    }
    if ((err = settle(g, &settings, e)) < 0) goto out;
    if (!g->library) {
        if ((err = ks_locate_library(&folder, e)) < 0 && !c->alone) goto out;
        g->library = folder;
    }
    if (ks_hub_is(g->library) && !c->alone && c->hub != KS_HUB_OWN) {
        ks_hub_pulled done;
        err = c->hub == KS_HUB_MIRROR ? ks_hub_mirror(&folder, &done, g, e)
                                      : ks_fail(e, KS_EUSAGE,
                                                "a hub does not take it (see kinoseek help ingest, "
                                                "import, root)");
        if (err < 0) goto out;
        g->hub = g->library;
        g->hub_away = done.revision < 0;
        g->library = folder;
    }
    if (!g->quiet) g->setup.notice = notice;
    ks_spool spool = {-1};
    if (c->spooled) ks_spool_begin(&spool);
    err = c->run(g, fields, n, args, e);
    if (spool.reader >= 0) {
        int passed = ks_spool_end(&spool, err < 0 ? NULL : e);
        err = err >= 0 && passed < 0 ? passed : err;
    }
out:
    if (fields) ks_parse_free(fields, c->options);
    free(fields);
    free((void *)args);
    free(folder);
    ks_settings_free(&settings);
    return err;
}

/* `kinoseek model` and `kinoseek serach` both end here. */
static int no_command(const char *word, ks_error *e)
{
    const char *meant = ks_meant_command(word);
    char list[256] = "";
    size_t n = strlen(word);

    for (const ks_command *const *c = ks_commands; *c; c++)
        if (strncmp((*c)->name, word, n) == 0 && (*c)->name[n] == ' ')
            snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", *list ? ", " : "",
                     (*c)->name + n + 1);
    if (*list) return ks_fail(e, KS_EUSAGE, "%s needs one of: %s", word, list);
    if (meant)
        return ks_fail(e, KS_EUSAGE, "there is no command %s (did you mean %s?)", word, meant);
    return ks_fail(e, KS_EUSAGE, "there is no command %s (kinoseek --help lists them)", word);
}

/* `model --help`: no command of its own, so its options were not read. */
static int wants_help(int argc, char **argv)
{
    return argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
}

/* `help`, `help search`, `help model pull`; argv[-1] is "help". */
static int help(int argc, char **argv, ks_error *e)
{
    int words;
    const ks_command *c;

    if (argc == 0 || strcmp(argv[0], "help") == 0 || wants_help(argc + 1, argv - 1)) {
        ks_print_overview(stdout);
        return 0;
    }
    c = ks_find_command(argv[0], argc > 1 ? argv[1] : NULL, &words);
    if (c) ks_print_help(stdout, c);
    else if (argc > 1 || !ks_print_group(stdout, argv[0])) return no_command(argv[0], e);
    return 0;
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
/* OpenBLAS makes its threads when it is loaded, before main, and asks the environment how many.
 * Whoever multiplies here has threads of his own; where none can be had (ulimit -u) it ends the
 * program, where they have no memory (ulimit -v) it waits for them for ever at the end. There is
 * no other way to tell it: this getenv is the one that it finds. */
char *getenv(const char *name)
{
    static char one[] = "1";
    size_t n = strlen(name);

    if (strcmp(name, "OPENBLAS_NUM_THREADS") == 0) return one;
    for (char **v = environ; v && *v; v++)
        if (strncmp(*v, name, n) == 0 && (*v)[n] == '=') return *v + n + 1;
    return NULL;
}

/* What libraries do at the end (join threads, unmap a gigabyte) is of no use to anybody. */
static int leave(int code)
{
    fflush(NULL);
    _exit(code);
}
#else
static int leave(int code) { return code; }
#endif

static int program(int argc, char **argv)
{
    ks_globals g = {.setup.program = argv[0], .argv = argv};
    ks_error e = {0};
    struct sigaction pipe_action = {.sa_handler = on_pipe, .sa_flags = SA_RESTART};
    const ks_command *c;
    int at, words, err;

    hold_streams();
    sigaction(SIGPIPE, &pipe_action, NULL);
    signal(SIGBUS, on_bus);
    /* a file that may not grow (ulimit -f) is an error of whoever wrote */
    signal(SIGXFSZ, SIG_IGN);
    if ((err = ks_parse_leading(&g, ks_global_options, argc - 1, argv + 1, &at, &e)) < 0)
        return complain(NULL, &e);
    argc -= at + 1;
    argv += at + 1;
    if (g.version) return flush_output(ks_print_version(stdout, &g));
    if (argc == 0) {
        ks_print_overview(g.help ? stdout : stderr);
        return g.help ? flush_output(0) : 2;
    }
    if (strcmp(argv[0], "help") == 0) {
        err = help(argc - 1, argv + 1, &e);
        return err < 0 ? complain(NULL, &e) : flush_output(0);
    }
    c = ks_find_command(argv[0], argc > 1 ? argv[1] : NULL, &words);
    if (!c && (g.help || wants_help(argc, argv)) && ks_print_group(stdout, argv[0]))
        return flush_output(0);
    if (!c) {
        no_command(argv[0], &e);
        return complain(NULL, &e);
    }
    err = run_command(c, &g, argc - words, argv + words, &e);
    if (err < 0) {
        assert(e.code == err && e.msg[0]);
        return complain(c->name, &e);
    }
    return flush_output(err);
}

int main(int argc, char **argv) { return leave(program(argc, argv)); }
