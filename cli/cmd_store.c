/* cmd_store.c - `store init`, `store migrate`, `root`, `sync`: a hub, its folders, its mirror. */
#include "cli/hub_library.h"
#include "cli/terminal.h"
#include "formats/formats.h"

#include <stdlib.h>
#include <string.h>

static int only_hub(const ks_globals *g, int n, ks_error *e)
{
    if (n > 0) return ks_fail(e, KS_EUSAGE, "takes no arguments (-L names the hub)");
    return ks_hub_is(g->library)
               ? 0
               : ks_fail(e, KS_EUSAGE,
                         "-L names no hub: -L postgresql://HOST/DATABASE or service=NAME");
}

static int make(const ks_globals *g, int n, int migrate, ks_error *e)
{
    ks_hub_made made;
    int err = only_hub(g, n, e);

    if (err == 0) err = ks_hub_make(&made, g->library, migrate, KS_HUB_PATIENCE, e);
    if (err == 0 && made.roles < KS_HUB_ROLES)
        fputs("kinoseek: this login may not make roles: have an administrator CREATE ROLE "
              "kinoseek_reader and CREATE ROLE kinoseek_worker, then kinoseek store migrate\n",
              stderr);
    if (err == 0 && !g->quiet)
        puts(!made.made ? "The hub is of this version already."
             : migrate ? "The hub is of this version now. Older kinoseeks are refused from here on."
                       : "A hub. Next: kinoseek root NAME=FOLDER on each machine, then ingest or "
                         "import.");
    return err;
}

static int run_init(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    (void)fields, (void)args;
    return make(g, n, 0, e);
}

static int run_migrate(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    (void)fields, (void)args;
    return make(g, n, 1, e);
}

typedef struct {
    int pgvector;
} index_fields;

static const ks_option index_options[] = {{0, "pgvector", KS_OPT_FLAG,
                                           offsetof(index_fields, pgvector), NULL,
                                           "table kinoseek.pgvector (clip, v halfvec)"},
                                          {0}};

static int run_index(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    char clips[64];
    int64_t came = 0;
    ks_hub *h = NULL;
    int err = only_hub(g, n, e);

    (void)args;
    if (err == 0 && !((index_fields *)fields)->pgvector)
        err = ks_fail(e, KS_EUSAGE, "which one? kinoseek store index --pgvector");
    if (err == 0) err = ks_reach_hub(&h, g, e);
    if (err == 0) err = ks_hub_pgvector(&came, h, e);
    ks_hub_close(h);
    if (err == 0 && !g->quiet) printf("%s came\n", ks_counted(clips, came, "clip"));
    return err;
}

static int list_roots(const ks_hub_roots *roots)
{
    for (int i = 0; i < roots->n; i++) {
        char shown[4096];
        ks_show_path(shown, sizeof shown, roots->at[i].path, 0, 1);
        printf("%s=%s%s\n", roots->at[i].name, shown,
               ks_hub_root_there(&roots->at[i]) ? "" : "  (not mounted)");
    }
    return roots->n > 0 ? 0 : 1;
}

static int run_root(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    char *folder = NULL, *name = NULL, *path;
    ks_hub_roots roots;
    ks_hub *h = NULL;
    int err = only_hub(g, 0, e), code = 0;

    (void)fields;
    if (err == 0 && n > 1) err = ks_fail(e, KS_EUSAGE, "one root: kinoseek root NAME=FOLDER");
    if (err == 0) err = ks_hub_here(&folder, &roots, g, e);
    if (err < 0) return err;
    if (n == 0) code = list_roots(&roots);
    else if (!(name = strdup(args[0]))) err = ks_fail(e, KS_ENOMEM, "no memory");
    else if (!(path = strchr(name, '='))) err = ks_fail(e, KS_EUSAGE, "%s: NAME=FOLDER", name);
    else {
        *path++ = 0;
        err = ks_reach_hub(&h, g, e);
        if (err == 0) err = ks_hub_name_root(h, folder, name, path, e);
    }
    ks_hub_close(h);
    ks_hub_roots_free(&roots);
    free(name);
    free(folder);
    return err < 0 ? err : code;
}

typedef struct {
    int json;
} sync_fields;

static const ks_option sync_options[] = {
    {0, "json", KS_OPT_FLAG, offsetof(sync_fields, json), NULL, "one JSON line"}, {0}};

static int run_sync(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    char *library = NULL, films[64], clips[64], gone[64];
    ks_hub_pulled done = {0};
    ks_json j;
    int err = only_hub(g, n, e);

    (void)args;
    if (err == 0) err = ks_hub_sync(&library, &done, g, e);
    if (err < 0) return err;
    if (((sync_fields *)fields)->json) {
        ks_json_start(&j, stdout);
        ks_json_open(&j, NULL, '{');
        ks_json_path(&j, "mirror", library);
        ks_json_int(&j, "films", done.films);
        ks_json_int(&j, "clips", done.clips);
        ks_json_int(&j, "gone", done.gone);
        ks_json_int(&j, "refused", done.refused);
        ks_json_close(&j);
    } else if (!g->quiet)
        printf("%s, %s came, %s went: %s\n", ks_counted(films, done.films, "film"),
               ks_counted(clips, done.clips, "clip"), ks_counted(gone, done.gone, "film"), library);
    free(library);
    return done.refused > 0 ? 3 : 0;
}

extern const ks_command ks_cmd_store_init, ks_cmd_store_index, ks_cmd_store_migrate, ks_cmd_root,
    ks_cmd_sync;
const ks_command ks_cmd_store_init = {
    .name = "store init",
    .brief = "Make a hub of a PostgreSQL database",
    .more = "  kinoseek -L postgresql://db.lan/films store init\n"
            "Makes the schema `kinoseek` in it. The password comes from ~/.pgpass or a\n"
            "service file, never from here; over a network TLS with the server's name\n"
            "checked is wanted (sslmode=verify-full) unless -L says another sslmode.\n"
            "Who makes it owns it, and may do everything. Other logins get a role of two:\n"
            "  GRANT kinoseek_reader TO ann;     searches, and sees the queue\n"
            "  GRANT kinoseek_worker TO box1;    makes clips of films that it claimed\n"
            "A worker writes through functions that ask for its lease first, and nothing\n"
            "else; who made a film is kept (kinoseek queue --by LOGIN drop). To ingest,\n"
            "import, forget and retry is the owner's (GRANT the owner's role for more).",
    .hub = KS_HUB_OWN,
    .run = run_init,
};
const ks_command ks_cmd_store_index = {
    .name = "store index",
    .brief = "Make a table of a hub's vectors for SQL, with pgvector",
    .more = "  kinoseek -L service=films store index --pgvector\n"
            "Derived from the hub's own rows, and none of ours reads it; another run adds\n"
            "what came since. Without a mirror, with the extension's exact distance:\n"
            "  v=$(kinoseek embed --text snow | jq -c .vector)\n"
            "  psql service=films -c \"SELECT p.rel, c.start * v.tb_num::float8 / v.tb_den\n"
            "    FROM kinoseek.pgvector g JOIN kinoseek.clip c ON c.id = g.clip JOIN\n"
            "    kinoseek.video v ON v.id = c.video JOIN kinoseek.path p ON p.video = v.id\n"
            "    WHERE v.finished = 1 ORDER BY g.v <#> '$v'::halfvec LIMIT 10\"",
    .options = index_options,
    .fields = sizeof(index_fields),
    .hub = KS_HUB_OWN,
    .run = run_index,
};
const ks_command ks_cmd_store_migrate = {
    .name = "store migrate",
    .brief = "Bring a hub to this kinoseek's version",
    .more = "  kinoseek -L service=films store migrate\n"
            "In one transaction. Kinoseeks of an older version are refused from then on,\n"
            "in the middle of their work too: they write nothing more. Also grants the roles\n"
            "where an administrator made them later (see store init).",
    .hub = KS_HUB_OWN,
    .run = run_migrate,
};
const ks_command ks_cmd_root = {
    .name = "root",
    .usage = "[NAME=FOLDER]",
    .brief = "Say where a hub's folder of films is mounted here",
    .more = "  kinoseek -L service=films root films=/mnt/films\n"
            "A hub knows films by the name of a root and the path below it; each machine\n"
            "says once where that is. The first leaves a file .kinoseek-root there, by\n"
            "which the others know it: an empty or another mount is refused. Without an\n"
            "argument: the roots of this machine (exit code 1: none).",
    .hub = KS_HUB_OWN,
    .run = run_root,
};
const ks_command ks_cmd_sync = {
    .name = "sync",
    .brief = "Bring this machine's mirror of a hub up to date",
    .more = "  kinoseek -L service=films sync\n"
            "Every command that reads a hub does so first. The mirror is a library like any\n"
            "other, with the hub's numbers: all machines answer alike, also when the hub\n"
            "cannot be reached. Frame vectors and thumbnails stay in the hub; what was\n"
            "asked of it is kept here, up to 256 MiB. While the hub is away, the best\n"
            "moment of any other hit is the middle of its clip.",
    .options = sync_options,
    .fields = sizeof(sync_fields),
    .hub = KS_HUB_OWN,
    .run = run_sync,
};
