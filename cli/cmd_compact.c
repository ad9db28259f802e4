/* cmd_compact.c - `compact`: give back the room of what was forgotten. */
#include "cli/commands.h"
#include "formats/formats.h"

typedef struct {
    int json;
} compact_fields;

static const ks_option options[] = {
    {0, "json", KS_OPT_FLAG, offsetof(compact_fields, json), NULL, "one JSON line"},
    {0},
};

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    ks_index *x = NULL;
    ks_index_state before, after;
    ks_json j;

    (void)args;
    if (n > 0) return ks_fail(e, KS_EUSAGE, "compact takes no arguments; name the library with -L");
    int err = ks_index_open(&x, g->library, KS_WRITE, e);
    if (err >= 0) err = ks_index_status(&before, x, e);
    if (err >= 0) err = ks_index_compact(x, e);
    if (err >= 0) err = ks_index_status(&after, x, e);
    ks_index_close(x);
    if (err < 0) return err;
    int64_t was = before.bytes_catalog + before.bytes_copies,
            is = after.bytes_catalog + after.bytes_copies;
    if (((compact_fields *)fields)->json) {
        ks_json_start(&j, stdout);
        ks_json_open(&j, NULL, '{');
        ks_json_path(&j, "library", g->library);
        ks_json_int(&j, "bytes_before", was);
        ks_json_int(&j, "bytes_after", is);
        ks_json_close(&j);
    } else if (!g->quiet)
        printf("%s: %.1f MB, was %.1f MB\n", g->library, (double)is / 1e6, (double)was / 1e6);
    return 0;
}

extern const ks_command ks_cmd_compact;
const ks_command ks_cmd_compact = {
    .name = "compact",
    .usage = "",
    .brief = "Give back the disk space of what was forgotten",
    .more = "Writes the catalog anew without its gaps and merges the search copies. Needs\n"
            "about the catalog's size of free space while it runs, here and in $TMPDIR or\n"
            "/var/tmp. Beside a command that goes on reading an older state nothing can be\n"
            "given back: exit 11.\n",
    .options = options,
    .fields = sizeof(compact_fields),
    .run = run,
};
