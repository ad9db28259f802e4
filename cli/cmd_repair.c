/* cmd_repair.c - `repair`: a new catalog from every row that is what it was written as. */
#include "cli/commands.h"
#include "cli/terminal.h"
#include "formats/formats.h"

typedef struct {
    int json;
} repair_fields;

static const ks_option options[] = {
    {0, "json", KS_OPT_FLAG, offsetof(repair_fields, json), NULL,
     "one JSON line a finding, and one at the end"},
    {0},
};

typedef struct {
    int json, quiet;
} telling;

static void said(void *arg, int invariant, int64_t clip, const char *sentence)
{
    const telling *t = arg;
    char shown[600];
    ks_json j;

    if (!t->json && t->quiet) return;
    if (!t->json) {
        /* a library from somebody else may hold any name */
        snprintf(shown, sizeof shown, "%s", sentence);
        ks_harmless(shown);
        printf("%s\n", shown);
        return;
    }
    ks_json_start(&j, stdout);
    ks_json_open(&j, NULL, '{');
    ks_json_text(&j, "event", "repair");
    ks_json_int(&j, "invariant", invariant);
    if (clip) ks_json_int(&j, "clip", clip);
    ks_json_text(&j, "what", sentence);
    ks_json_close(&j);
}

/* Search copies anew, and how many films wait for their lost clips. */
static int finish(int64_t *clips, int64_t *lost, const ks_globals *g, ks_error *e)
{
    ks_index *x = NULL;
    ks_cursor *c = NULL;
    ks_library library;
    ks_video v;
    int err = ks_index_open(&x, g->library, KS_WRITE, e);

    *lost = *clips = 0;
    if (err >= 0) err = ks_index_publish(x, 1, e);
    if (err >= 0) err = ks_index_library(&library, x, e);
    if (err >= 0) *clips = library.clips;
    if (err >= 0) err = ks_index_files(&c, x, &(ks_filter){.bad_only = 1}, e);
    while (err >= 0 && (err = ks_files_next(&v, c, e)) > 0) *lost += (v.flags & KS_VIDEO_LOST) != 0;
    ks_cursor_close(c);
    ks_index_close(x);
    return err;
}

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    repair_fields *f = fields;
    telling t = {f->json, g->quiet};
    int64_t clips, lost;
    ks_json j;

    (void)args;
    if (n > 0) return ks_fail(e, KS_EUSAGE, "repair takes no arguments; name the library with -L");
    int err = ks_index_repair(g->library, said, &t, e);
    if (err >= 0) err = finish(&clips, &lost, g, e);
    if (err < 0) return err;
    if (f->json) {
        ks_json_start(&j, stdout);
        ks_json_open(&j, NULL, '{');
        ks_json_text(&j, "event", "done");
        ks_json_path(&j, "library", g->library);
        ks_json_int(&j, "clips", clips);
        ks_json_int(&j, "files_to_encode_again", lost);
        ks_json_close(&j);
    } else if (!g->quiet) {
        char whole[64], files[64];
        printf("%s: %s %s whole.\n", g->library, ks_counted(whole, clips, "clip"),
               clips == 1 ? "is" : "are");
        if (lost)
            printf("%s lost clips: run kinoseek ingest, it encodes only those again.\n",
                   ks_counted(files, lost, "file"));
    }
    return 0;
}

extern const ks_command ks_cmd_repair;
const ks_command ks_cmd_repair = {
    .name = "repair",
    .usage = "",
    .brief = "Rebuild a damaged library from every readable row",
    .more = "Every row whose checksum holds is taken over, from single pages where the\n"
            "catalog cannot be read otherwise; search copies are made anew. Clips that are\n"
            "lost are named, and the next ingest encodes them again from their files. The\n"
            "old catalog stays beside the new one as catalog.db.damaged-N.\n",
    .options = options,
    .fields = sizeof(repair_fields),
    .run = run,
};
