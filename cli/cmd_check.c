/* cmd_check.c - `check`: is the library what it was written as? */
#include "cli/commands.h"
#include "cli/terminal.h"
#include "formats/formats.h"

typedef struct {
    int json;
} check_fields;

static const ks_option options[] = {
    {0, "json", KS_OPT_FLAG, offsetof(check_fields, json), NULL,
     "one JSON line a finding, and one at the end"},
    {0},
};

typedef struct {
    int json;
    int64_t n;
} report;

static void finding(void *arg, int invariant, int64_t clip, const char *sentence)
{
    report *r = arg;
    char shown[600];
    ks_json j;

    r->n++;
    if (!r->json) {
        /* a library from somebody else may hold any name */
        snprintf(shown, sizeof shown, "%s", sentence);
        ks_harmless(shown);
        printf("invariant %d: %s\n", invariant, shown);
        return;
    }
    ks_json_start(&j, stdout);
    ks_json_open(&j, NULL, '{');
    ks_json_text(&j, "event", "finding");
    ks_json_int(&j, "invariant", invariant);
    if (clip) ks_json_int(&j, "clip", clip);
    ks_json_text(&j, "what", sentence);
    ks_json_close(&j);
}

static void summary(const ks_globals *g, const report *r)
{
    ks_json j;

    if (r->json) {
        ks_json_start(&j, stdout);
        ks_json_open(&j, NULL, '{');
        ks_json_text(&j, "event", "done");
        ks_json_path(&j, "library", g->library);
        ks_json_int(&j, "findings", r->n);
        ks_json_close(&j);
    } else if (r->n == 0 && !g->quiet)
        printf("%s: every row and every search copy is what it was written as.\n", g->library);
}

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    report r = {((check_fields *)fields)->json, 0};
    ks_index *x = NULL;

    (void)args;
    if (n > 0) return ks_fail(e, KS_EUSAGE, "check takes no arguments; name the library with -L");
    int err = ks_index_open(&x, g->library, KS_READ, e);
    if (err >= 0) err = ks_index_check(x, finding, &r, e);
    ks_index_close(x);
    if (err == KS_EDAMAGED) { /* so damaged that it does not open: that is the finding */
        finding(&r, 1, 0, e->msg);
        err = 0;
    }
    if (err < 0) return err;
    summary(g, &r);
    if (r.n == 0) return 0;
    fprintf(stderr, "kinoseek: %s: %lld finding%s: run kinoseek repair\n", g->library,
            (long long)r.n, r.n == 1 ? "" : "s");
    return 3;
}

extern const ks_command ks_cmd_check;
const ks_command ks_cmd_check = {
    .name = "check",
    .usage = "",
    .brief = "Verify every row, vector and search copy of a library",
    .more = "Reads everything and compares it with its checksums; each finding names the\n"
            "invariant that is broken (man kinoseek-catalog). Exit 3 with findings. Files\n"
            "that are partly in, and an interrupted ingest, are no findings.\n",
    .options = options,
    .fields = sizeof(check_fields),
    .hub = KS_HUB_MIRROR,
    .run = run,
};
