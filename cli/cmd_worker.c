/* cmd_worker.c - `worker` and `queue`: the films that a hub's machines have to do. */
#include "cli/hub_library.h"
#include "cli/hub_worker.h"
#include "cli/terminal.h"
#include "formats/formats.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

typedef struct {
    double lease;
    int idle_exit, json, nice;
    const char *encoder;
} worker_fields;
#define AT(field) offsetof(worker_fields, field)

static const ks_option worker_options[] = {
    {0, "lease", KS_OPT_NUMBER, AT(lease), "TIME",
     "after so long a silence others take its film (60s)"},
    {0, "idle-exit", KS_OPT_FLAG, AT(idle_exit), NULL, "end when nothing is queued or at work"},
    {0, "nice", KS_OPT_FLAG, AT(nice), NULL, "leave the machine to others"},
    {0, "json", KS_OPT_FLAG, AT(json), NULL, "a JSON line an event"},
    {0, "encoder", KS_OPT_TEXT, AT(encoder), "towers|clock",
     "clock: read the test films' bars (for tests)"},
    {0}};

static void worker_defaults(void *fields) { ((worker_fields *)fields)->lease = 60; }

static int run_worker(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    const worker_fields *f = fields;

    (void)args;
    if (n > 0) return ks_fail(e, KS_EUSAGE, "takes no arguments (-L names the hub)");
    if (!(f->lease >= 1 && f->lease <= 86400))
        return ks_fail(e, KS_EUSAGE, "a lease lasts from 1 s to 24 h");
    if (!ks_hub_is(g->library))
        return ks_fail(e, KS_EUSAGE,
                       "-L names no hub: -L postgresql://HOST/DATABASE or service=NAME");
    if (f->nice) setpriority(PRIO_PROCESS, 0, 19);
    return ks_work(&(ks_worker_how){.g = g,
                                    .lease = f->lease,
                                    .idle_exit = f->idle_exit,
                                    .json = f->json,
                                    .encoder = f->encoder},
                   e);
}

typedef struct {
    int json;
    const char *by;
} queue_fields;

static const ks_option queue_options[] = {
    {0, "by", KS_OPT_TEXT, offsetof(queue_fields, by), "WORKER",
     "drop: what this machine made is made again"},
    {0, "json", KS_OPT_FLAG, offsetof(queue_fields, json), NULL, "a JSON line a film"},
    {0}};

typedef struct {
    int json;
    int64_t n[3];
} listing;

static int print_job(void *arg, const ks_hub_queued *q, ks_error *e)
{
    static const char *const states[] = {"queued", "working", "failed"};
    listing *l = arg;
    char shown[4096], reason[300];
    ks_json j;

    (void)e;
    for (int i = 0; i < 3; i++) l->n[i] += strcmp(q->state, states[i]) == 0;
    if (l->json) {
        ks_json_start(&j, stdout);
        ks_json_open(&j, NULL, '{');
        ks_json_text(&j, "root", q->root);
        ks_json_path(&j, "path", q->rel);
        ks_json_text(&j, "state", q->state);
        ks_json_text(&j, "pass", q->survey ? "survey" : "whole");
        ks_json_text(&j, "worker", q->worker ? q->worker : "");
        ks_json_int(&j, "tries", q->tries);
        ks_json_int(&j, "lost", q->lost);
        ks_json_text(&j, "reason", q->reason ? q->reason : "");
        ks_json_close(&j);
        return 0;
    }
    if (strcmp(q->state, "queued") == 0) return 0;
    ks_show_path(shown, sizeof shown, q->rel, 0, 1);
    snprintf(reason, sizeof reason, "%s", q->reason ? q->reason : "");
    ks_harmless(reason);
    printf("%-8s %s/%s%s", q->state, q->root, shown, q->survey ? "  survey" : "");
    if (strcmp(q->state, "working") == 0) {
        snprintf(reason, sizeof reason, "%s", q->worker ? q->worker : "");
        ks_harmless(reason);
        printf("  by %s", reason);
    } else if (reason[0]) printf("  (%s)", reason);
    putchar('\n');
    return 0;
}

static int list(ks_hub *h, int json, ks_error *e)
{
    listing l = {.json = json};
    int64_t done, all;
    char model[65];
    int err = ks_hub_list(h, print_job, &l, e), other = 0;

    if (err < 0 || json) return err;
    printf("%lld queued, %lld at work, %lld failed%s\n", (long long)l.n[0], (long long)l.n[1],
           (long long)l.n[2], l.n[2] ? " (kinoseek queue retry)" : "");
    err = other = ks_hub_switching(&done, &all, model, h, e);
    if (other > 0)
        printf("To the model %.12s: %lld of %lld films; until all are, the old one answers.\n",
               model, (long long)done, (long long)all);
    return err < 0 ? err : 0;
}

static int change(const ks_globals *g, ks_hub *h, const char *verb, const char *by, ks_error *e)
{
    char films[64];
    int64_t n = 0;
    int retry = strcmp(verb, "retry") == 0, drop = strcmp(verb, "drop") == 0, err;

    if (!retry && !drop) return ks_fail(e, KS_EUSAGE, "%s: queue, queue retry, queue drop", verb);
    if (drop && (!by || !*by))
        return ks_fail(e, KS_EUSAGE, "whose films? kinoseek queue --by WORKER drop");
    if (retry && by) return ks_fail(e, KS_EUSAGE, "--by goes with drop");
    err = retry ? ks_hub_retry(&n, h, e) : ks_hub_drop_by(&n, h, by, e);
    if (err == 0 && !g->quiet) printf("%s: %s\n", ks_counted(films, n, "film"), "queued again");
    return err < 0 ? err : n > 0 ? 0 : 1;
}

static int run_queue(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    const queue_fields *f = fields;
    ks_hub *h = NULL;
    int err;

    if (n > 1 || (n == 0 && f->by))
        return ks_fail(e, KS_EUSAGE, "queue, queue retry, or queue --by WORKER drop");
    err = ks_reach_hub(&h, g, e);
    if (err == 0) err = n == 0 ? list(h, f->json, e) : change(g, h, args[0], f->by, e);
    ks_hub_close(h);
    return err;
}

extern const ks_command ks_cmd_worker, ks_cmd_queue;
const ks_command ks_cmd_worker = {
    .name = "worker",
    .brief = "Make the clips of a hub's queued films on this machine",
    .more = "  kinoseek -L service=films worker --nice\n"
            "Until it is stopped. A film is claimed with a lease; what is made of it goes\n"
            "to the hub every few seconds, so that the next worker goes on from there. One\n"
            "that comes back after its lease writes nothing.",
    .options = worker_options,
    .fields = sizeof(worker_fields),
    .defaults = worker_defaults,
    .hub = KS_HUB_OWN,
    .run = run_worker,
};
const ks_command ks_cmd_queue = {
    .name = "queue",
    .usage = "[retry|drop]",
    .brief = "Say what a hub's workers have to do; try failed films again",
    .more = "  kinoseek -L service=films queue --json | jq -r .state | sort | uniq -c\n"
            "  kinoseek -L service=films queue --by badbox drop\n"
            "A film whose workers ended five times without a word has failed, as has one\n"
            "that is not where it was; retry queues them, and films of verdict failed.\n"
            "Exit code 1: there was none to queue.",
    .options = queue_options,
    .fields = sizeof(queue_fields),
    .hub = KS_HUB_OWN,
    .run = run_queue,
};
