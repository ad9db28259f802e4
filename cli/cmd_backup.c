/* cmd_backup.c - `backup FOLDER`: a copy of the library of one moment, while others go on
 * writing. */
#include "cli/hub_library.h"
#include "cli/terminal.h"
#include "formats/formats.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int json, copies;
} backup_fields;

static const ks_option options[] = {
    {0, "copies", KS_OPT_FLAG, offsetof(backup_fields, copies), NULL,
     "with search copies: fast from the first search on"},
    {0, "json", KS_OPT_FLAG, offsetof(backup_fields, json), NULL, "one JSON line"},
    {0},
};

/* Search copies of the backup itself, as its first writer would make them. Its catalog is whole
 * whatever becomes of them. */
static int make_copies(const char *to, ks_error *e)
{
    ks_index *x = NULL;
    int err = ks_index_open(&x, to, KS_WRITE, e);
    if (err >= 0) err = ks_index_publish(x, 1, e);
    ks_index_close(x);
    return err;
}

/* Nothing there, or a backup of a hub that was stopped. */
static int may_fill(const char *to, ks_error *e)
{
    DIR *d = opendir(to);
    struct dirent *f;
    int others = 0, catalog = 0;

    while (d && (f = readdir(d))) {
        catalog |= strcmp(f->d_name, "catalog.db") == 0;
        others |= strcmp(f->d_name, ".") != 0 && strcmp(f->d_name, "..") != 0;
    }
    if (d) closedir(d);
    return others && !catalog ? ks_fail(e, KS_EUSAGE, "%s is not empty", to) : 0;
}

/* All of a hub, pictures and frame vectors too, as a library of its own. */
static int backup_hub(const ks_globals *g, const char *to, ks_error *e)
{
    char *folder = NULL;
    ks_hub_roots roots = {0};
    ks_hub *h = NULL;
    ks_index *x = NULL;
    ks_hub_pulled done;
    ks_library *l = malloc(sizeof *l);
    int err = l ? may_fill(to, e) : ks_fail(e, KS_ENOMEM, "no memory");

    if (err == 0) err = ks_hub_here(&folder, &roots, g, e);
    if (err == 0) err = ks_reach_hub(&h, g, e);
    if (err == 0) err = ks_hub_open_mirror(&x, to, e);
    if (err == 0) err = ks_hub_pull(&done, x, h, &roots, KS_HUB_BLOBS, e);
    if (err == 0 && done.refused > 0)
        fprintf(stderr, "kinoseek: %lld rows of the hub were left out (%s)\n",
                (long long)done.refused, done.first);
    if (err == 0) err = ks_hub_let_go(x, e);
    /* else each question would make one for itself until its next ingest */
    if (err == 0) err = ks_index_library(l, x, e);
    if (err == 0) ks_hub_scale(x, g, l);
    ks_index_close(x);
    free(l);
    ks_hub_close(h);
    ks_hub_roots_free(&roots);
    free(folder);
    return err;
}

static int backup_library(const ks_globals *g, const char *to, ks_error *e)
{
    ks_index *x = NULL;
    int err = ks_index_open(&x, g->library, KS_READ, e);

    if (err >= 0) err = ks_index_backup(x, to, e);
    ks_index_close(x);
    return err;
}

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    ks_index *copy = NULL;
    ks_library library;
    char videos[64], clips[64];
    ks_json j;

    if (n != 1)
        return ks_fail(e, KS_EUSAGE,
                       "name the folder of the copy: kinoseek backup /mnt/disk/kinoseek");
    int err = ks_hub_is(g->library) ? backup_hub(g, args[0], e) : backup_library(g, args[0], e);
    if (err >= 0 && ((backup_fields *)fields)->copies) err = make_copies(args[0], e);
    if (err >= 0) err = ks_index_open(&copy, args[0], KS_READ, e);
    if (err >= 0) err = ks_index_library(&library, copy, e);
    ks_index_close(copy);
    if (err < 0) return err;
    if (((backup_fields *)fields)->json) {
        ks_json_start(&j, stdout);
        ks_json_open(&j, NULL, '{');
        ks_json_path(&j, "library", g->library);
        ks_json_path(&j, "backup", args[0]);
        ks_json_int(&j, "videos", library.videos);
        ks_json_int(&j, "clips", library.clips);
        ks_json_int(&j, "generation", library.generation);
        ks_json_close(&j);
    } else if (!g->quiet)
        printf("%s: %s, %s. It is a library: kinoseek -L %s search ...\n", args[0],
               ks_counted(videos, library.videos, "video"),
               ks_counted(clips, library.clips, "clip"), args[0]);
    return 0;
}

extern const ks_command ks_cmd_backup;
const ks_command ks_cmd_backup = {
    .name = "backup",
    .usage = "FOLDER",
    .brief = "Copy the library as it is at one moment",
    .more = "FOLDER becomes a library of its own (it must hold none, nor the log of one).\n"
            "Works while an ingest is running and is durable when the command returns. Search\n"
            "copies are made there with --copies, else by the first ingest: a search without\n"
            "them reads the whole catalog (a million clips: 17 s).\n",
    .options = options,
    .fields = sizeof(backup_fields),
    .hub = KS_HUB_OWN,
    .run = run,
};
