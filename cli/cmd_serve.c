/* cmd_serve.c - `serve`: the library as a web page. The only file here that knows of serve/. */
#include "serve/serve.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/hub_library.h"

typedef struct {
    const char *listen, *socket, *ui_dir;
    int read_only, open;
} serve_fields;

#define AT(field) offsetof(serve_fields, field)
static const ks_option options[] = {
    {0, "listen", KS_OPT_TEXT, AT(listen), "HOST:PORT",
     "address (127.0.0.1:8423, or the next free port)"},
    {0, "socket", KS_OPT_TEXT, AT(socket), "PATH", "a socket of this name in its place, mode 0600"},
    {0, "read-only", KS_OPT_FLAG, AT(read_only), NULL, "change nothing in the library"},
    {0, "open", KS_OPT_FLAG, AT(open), NULL, "open the page in a browser ($BROWSER, xdg-open)"},
    {0, "ui-dir", KS_OPT_TEXT, AT(ui_dir), "DIR", "the page's files from there: to work on them"},
    {0},
};

/* No shell takes part. */
static void open_browser(const char *url)
{
    const char *named = getenv("BROWSER"), *program = named && *named ? named : "xdg-open";
    char *argv[] = {(char *)(uintptr_t)program, (char *)(uintptr_t)url, NULL};
    pid_t pid;
    int bad = posix_spawnp(&pid, program, NULL, NULL, argv, environ);

    if (bad) fprintf(stderr, "kinoseek: %s: %s\n", program, strerror(bad));
}

static void listening(void *arg, const char *url)
{
    const serve_fields *f = arg;

    printf("Listening on %s\n", url);
    fflush(stdout);
    if (f->open) open_browser(url);
}

/* The page asks the mirror, and writes there what people keep, where the hub would take it: who
 * follows the hub sends it on. */
static int serve_hub(ks_serve_options *o, const ks_globals *g, ks_error *e)
{
    char *mirror = NULL;
    pid_t child = 0;
    ks_hub *h = NULL;
    ks_error ignored;
    int err = ks_hub_follow(&child, &mirror, g, 1, e);

    o->library = mirror;
    if (err == 0 && !o->read_only)
        o->read_only = ks_hub_open(&h, g->library, KS_HUB_READERS, &ignored) < 0 ||
                       ks_hub_may_keep(h, &ignored) < 0;
    ks_hub_close(h);
    if (err == 0) err = ks_serve(o, e);
    if (child > 0 && kill(child, SIGKILL) == 0) waitpid(child, NULL, 0);
    free(mirror);
    return err;
}

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    serve_fields *f = fields;
    ks_serve_options o = {.library = g->library,
                          .setup = &g->setup,
                          .listen = f->listen,
                          .socket = f->socket,
                          .ui_dir = f->ui_dir,
                          .read_only = f->read_only,
                          .listening = listening,
                          .arg = f};

    (void)args;
    if (n > 0) return ks_fail(e, KS_EUSAGE, "takes no arguments (-L names the library)");
    if (f->listen && f->socket) return ks_fail(e, KS_EUSAGE, "name one of --listen, --socket");
    if (!ks_hub_is(g->library)) return ks_serve(&o, e);
    return serve_hub(&o, g, e);
}

int ks_server_about(ks_fact *facts, int max) { return ks_serve_about(facts, max); }

extern const ks_command ks_cmd_serve;
const ks_command ks_cmd_serve = {
    .name = "serve",
    .brief = "Show the library as a web page, on this machine",
    .more = "  kinoseek serve --open\n"
            "  ssh -L 8423:127.0.0.1:8423 nas kinoseek serve\n"
            "The printed address holds a token: who has it sees the films. Ctrl-C ends it.\n"
            "Scripts: curl -H \"Authorization: Bearer TOKEN\" ADDRESS/api/v1/search?q=WORDS",
    .options = options,
    .fields = sizeof(serve_fields),
    .hub = KS_HUB_OWN,
    .run = run,
};
