/* cmd_import.c - `import FOLDER`: the films of a library into a hub. */
#include "cli/hub_library.h"
#include "cli/terminal.h"
#include "formats/formats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    int json;
} fields_t;

static const ks_option options[] = {
    {0, "json", KS_OPT_FLAG, offsetof(fields_t, json), NULL, "one JSON line"}, {0}};

typedef struct {
    ks_hub *h;
    ks_index *x;
    ks_hub_roots roots;
    int64_t *video; /* [n] */
    int n;
    int64_t films, clips, there;
} import;

/* All that have a verdict; paths of one film come in any order. */
static int list_films(import *m, ks_error *e)
{
    ks_cursor *c = NULL;
    ks_filter all = {0};
    ks_video v;
    int room = 0, err = ks_index_files(&c, m->x, &all, e);

    while (err >= 0 && (err = ks_files_next(&v, c, e)) > 0) {
        if (v.verdict == KS_VERDICT_NONE) continue;
        if (m->n == room) {
            room = room ? 2 * room : 256;
            int64_t *more = reallocarray(m->video, (size_t)room, sizeof *more);
            if (!more) {
                err = ks_fail(e, KS_ENOMEM, "no memory for the list of films");
                break;
            }
            m->video = more;
        }
        m->video[m->n++] = v.id;
    }
    ks_cursor_close(c);
    return err < 0 ? err : 0;
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* One transaction a batch of clips, and one that makes the film seen. */
static int import_film(import *m, int64_t id, const char *maker, ks_error *e)
{
    ks_video v;
    const char *rel;
    int64_t clips = 0;
    int err = ks_index_video(&v, m->x, id, e), has;

    if (err < 0) return err;
    if (!ks_hub_place(&rel, &m->roots, v.path))
        return ks_fail(e, KS_EUSAGE, "%s lies in no root of the hub: kinoseek root NAME=FOLDER",
                       v.path);
    char *path = strdup(v.path), *reason = strdup(v.reason);
    v.path = path;
    v.reason = reason;
    err = path && reason ? 0 : ks_fail(e, KS_ENOMEM, "no memory for a film");
    if (err == 0) err = has = ks_hub_has(m->h, m->x, &v, e);
    if (err > 0) {
        m->there++;
        err = 0;
    } else if (err == 0) {
        err = ks_hub_push_clips(&clips, m->h, m->x, &v, NULL, maker, e);
        if (err >= 0) err = ks_hub_push_end(m->h, m->x, &v, &m->roots, NULL, maker, e);
        m->films += err >= 0;
        m->clips += clips;
    }
    free(path);
    free(reason);
    return err < 0 ? err : 0;
}

static int import_all(import *m, const ks_globals *g, ks_error *e)
{
    char maker[80] = "import at ";
    int err = list_films(m, e);

    gethostname(maker + strlen(maker), sizeof maker - strlen(maker) - 1);
    qsort(m->video, (size_t)m->n, sizeof *m->video, by_number);
    if (err == 0 && m->n > 0) err = ks_hub_push_space(m->h, m->x, NULL, e);
    for (int i = 0; i < m->n && err == 0; i++) {
        if (i > 0 && m->video[i] == m->video[i - 1]) continue;
        err = import_film(m, m->video[i], maker, e);
        if (!g->quiet && isatty(STDERR_FILENO))
            fprintf(stderr, "\r%d of %d%s", i + 1, m->n, i + 1 == m->n ? "\n" : "");
    }
    return err;
}

static void report(const import *m, int json)
{
    char films[64], clips[64], there[64];
    ks_json j;

    if (!json) {
        printf("%s, %s came; %s had been there\n", ks_counted(films, m->films, "film"),
               ks_counted(clips, m->clips, "clip"), ks_counted(there, m->there, "film"));
        return;
    }
    ks_json_start(&j, stdout);
    ks_json_open(&j, NULL, '{');
    ks_json_int(&j, "films", m->films);
    ks_json_int(&j, "clips", m->clips);
    ks_json_int(&j, "unchanged", m->there);
    ks_json_close(&j);
}

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    const fields_t *f = fields;
import m = {0 };
    char *folder = NULL;
    int err;

    if (n != 1)
        return ks_fail(e, KS_EUSAGE,
                       "name the library: kinoseek -L service=films import "
                       "~/.local/share/kinoseek/default");
    err = ks_reach_hub(&m.h, g, e);
    if (err == 0) err = ks_hub_here(&folder, &m.roots, g, e);
    if (err == 0) err = ks_index_open(&m.x, args[0], KS_READ, e);
    if (err == 0) err = import_all(&m, g, e);
    if (err == 0) err = ks_hub_import_kept(m.h, m.x, &m.roots, e);
    if (err == 0 && (f->json || !g->quiet)) report(&m, f->json);
    ks_index_close(m.x);
    ks_hub_close(m.h);
    ks_hub_roots_free(&m.roots);
    free(m.video);
    free(folder);
    return err;
}

extern const ks_command ks_cmd_import;
const ks_command ks_cmd_import = {
    .name = "import",
    .usage = "FOLDER",
    .brief = "Bring the films of a library into a hub",
    .more = "  kinoseek -L service=films import ~/.local/share/kinoseek/default\n"
            "Nothing is encoded: vectors, thumbnails and paths go over as they are. Each\n"
            "film has to lie in a root. Stopped at any point, the next import goes on.\n"
            "So do labels, what people said, taught labels, kept queries and subtitles.\n"
            "`backup` is the way back.",
    .options = options,
    .fields = sizeof(fields_t),
    .hub = KS_HUB_OWN,
    .run = run,
};
