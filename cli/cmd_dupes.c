/* cmd_dupes.c - `dupes`: what the library has twice, and which of each to keep. */
#include "cli/commands.h"
#include "cli/terminal.h"
#include "formats/formats.h"

#include <limits.h>
#include <string.h>

typedef struct {
    const char *path;
    int near, takes, json;
} dupes_fields;

static const ks_option options[] = {
    {0, "near", KS_OPT_FLAG, offsetof(dupes_fields, near), NULL,
     "re-encoded, cropped, cut ones; shared moments"},
    {0, "takes", KS_OPT_FLAG, offsetof(dupes_fields, takes), NULL,
     "and takes of one scene (implies --near)"},
    {0, "path", KS_OPT_TEXT, offsetof(dupes_fields, path), "GLOB", "only files that match"},
    {0, "json", KS_OPT_FLAG, offsetof(dupes_fields, json), NULL, "one JSON object a file"},
    {0},
};

typedef struct {
    const dupes_fields *f;
    ks_terminal terminal;
    int64_t group, groups, others;
} showing;

static const char *kind_name(int kind)
{
    return kind == KS_DUPES_EQUAL    ? "equal"
           : kind == KS_DUPES_NEAR   ? "near"
           : kind == KS_DUPES_SHARED ? "shared"
                                     : "takes";
}

static void print_json(const ks_dupe *row)
{
    ks_json j;

    ks_json_start(&j, stdout);
    ks_json_open(&j, NULL, '{');
    ks_json_int(&j, "group", row->group);
    ks_json_text(&j, "kind", kind_name(row->kind));
    ks_json_path(&j, "path", row->path);
    ks_json_int(&j, "video", row->video);
    ks_json_seconds(&j, "start", ks_seconds(row->start, row->tb));
    ks_json_seconds(&j, "end", ks_seconds(row->end, row->tb));
    ks_json_number(&j, "cosine", row->cosine);
    ks_json_bool(&j, "keep", row->keep);
    ks_json_text(&j, "why", row->why);
    ks_json_close(&j);
}

static void print_row(showing *s, const ks_dupe *row)
{
    static const char *const heads[] = {[KS_DUPES_EQUAL] = "Equal files",
                                        [KS_DUPES_NEAR] = "Near-equal films",
                                        [KS_DUPES_TAKES] = "Takes of one scene",
                                        [KS_DUPES_SHARED] = "Shared moments"};
    char path[PATH_MAX + 16], from[24], to[24];

    if (row->group != s->group) printf("%s%s\n", s->group ? "\n" : "", heads[row->kind]);
    ks_show_path(path, sizeof path, row->path, s->terminal.columns ? s->terminal.columns / 2 : 0,
                 s->terminal.utf8);
    printf("  %s  %s", row->keep ? "keep" : "    ", path);
    if (row->kind == KS_DUPES_SHARED) {
        ks_clock(from, ks_seconds(row->start, row->tb));
        ks_clock(to, ks_seconds(row->end, row->tb));
        printf("  %s - %s", from, to);
    }
    printf("  (%s)\n", row->why);
}

static int take(void *arg, const ks_dupe *row)
{
    showing *s = arg;

    if (s->f->json) print_json(row);
    else print_row(s, row);
    s->groups += row->group != s->group;
    s->group = row->group;
    s->others += !row->keep;
    return 0;
}

static int find(showing *s, ks_index *x, ks_error *e)
{
    const dupes_fields *f = s->f;
    ks_filter filter = {.path_glob = f->path};
    ks_scale_facts facts = {0};
    ks_scale *scale = NULL;
    int kinds = KS_DUPES_EQUAL | (f->near || f->takes ? KS_DUPES_NEAR : 0) |
                (f->takes ? KS_DUPES_TAKES : 0),
        err = 0;

    if (kinds != KS_DUPES_EQUAL && (err = ks_scale_open(&scale, x, NULL, e)) == 0)
        ks_scale_about(&facts, scale);
    if (err == 0) err = ks_dupes(x, facts.pair_mean, kinds, &filter, take, s, e);
    ks_scale_close(scale);
    return err;
}

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    showing s = {.f = fields};
    ks_index *x = NULL;
    char files[64], groups[64];
    int err;

    if (n > 0)
        return ks_fail(e, KS_EUSAGE, "%s: it takes no words; --path says which files", args[0]);
    ks_terminal_of(&s.terminal, stdout);
    if ((err = ks_index_open(&x, g->library, KS_READ, e)) == 0 &&
        (err = ks_index_snapshot(x, e)) == 0) {
        err = find(&s, x, e);
        ks_index_release(x);
    }
    if (err == 0 && !s.f->json && !g->quiet) {
        if (s.groups)
            printf("\n%s; %s beside those to keep. Nothing was deleted.\n",
                   ks_counted(groups, s.groups, "group"), ks_counted(files, s.others, "file"));
        else puts("Nothing here is there twice.");
    }
    ks_close_library(x, g, err);
    return err < 0 ? err : s.groups == 0;
}

extern const ks_command ks_cmd_dupes;
const ks_command ks_cmd_dupes = {
    .name = "dupes",
    .brief = "List what is there twice, and which to keep",
    .more = "  kinoseek dupes --near\n"
            "  kinoseek dupes --near --json | jq -r 'select(.keep == false) | .path'\n"
            "By what is indexed; the files are not read. Nothing is ever deleted.",
    .options = options,
    .spooled = 1,
    .fields = sizeof(dupes_fields),
    .hub = KS_HUB_MIRROR,
    .run = run,
};
