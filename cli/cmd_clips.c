/* cmd_clips.c - `clips`, `forget`, `relocate`: the rows of a library, and its paths. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/export_to.h"
#include "cli/hub_library.h"
#include "cli/terminal.h"
#include "formats/formats.h"
#include "ingest/ingest.h"

typedef struct {
    const char *in;
    int unfinished;
    ks_export_fields to;
} clips_fields;

static const ks_option clips_options[] = {
    {0, "in", KS_OPT_TEXT, offsetof(clips_fields, in), "GLOB",
     "only of files whose name or path matches"},
    {0, "unfinished", KS_OPT_FLAG, offsetof(clips_fields, unfinished), NULL,
     "of films whose ingest was interrupted too"},
    KS_EXPORT_JSON(clips_fields, to),
    KS_EXPORT_FORMAT(clips_fields, to),
    KS_EXPORT_MORE(clips_fields, to),
    {0},
};

static int export_clip(ks_out *o, const ks_clip *c, const ks_video *v, ks_error *e)
{
    ks_moment k;

    ks_moment_clip(&k, c, v);
    return ks_out_entry(o, &k, e);
}

static void clip_line(const ks_clip *c, const ks_video *v)
{
    char path[4096], from[24], to[24];
    ks_terminal t;
    ks_terminal_of(&t, stdout);
    ks_show_path(path, sizeof path, v->path, 0, t.utf8);
    ks_clock_ms(from, ks_seconds(c->start, v->tb));
    ks_clock_ms(to, ks_seconds(c->end, v->tb));
    printf("%8lld  %s - %s  %-6s  %s\n", (long long)c->id, from, to, ks_reason_name(c->reason),
           path);
}

/* 1, or 0: the row or all paths of the film are rotten, which is counted; its clips are left
 * out. */
static int name_film(ks_video *v, char path[KS_FILM_PATH], ks_index *x, int64_t video,
                     const char *glob, ks_error *e)
{
    int err = ks_index_video(v, x, video, e);
    if (err == 0) {
        (void)ks_film_path(path, x, v, glob, NULL);
        v->path = path;
    }
    if (err == KS_ENOTFOUND) ks_index_nameless(x, video);
    return err == KS_ENOTFOUND || err == KS_EDAMAGED ? 0 : err < 0 ? err : 1;
}

static int clips(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    const clips_fields *f = fields;
    ks_filter filter = {.path_glob = f->in, .unfinished_too = f->unfinished};
    ks_index *x = NULL;
    ks_cursor *cursor = NULL;
    ks_clip c;
    ks_video v = {0};
    char path[KS_FILM_PATH];
    ks_out *out = NULL;
    ks_out_options options = {.rows = KS_ROWS_CLIPS, .command = "kinoseek clips", .narrow = "--in"};
    int64_t shown = 0, of = 0, lost = 0;
    int named = 0;
    (void)args;
    if (n > 0) return ks_fail(e, KS_EUSAGE, "it takes no words; --in names files");
    int err = ks_export_open(&out, &f->to, NULL, &options, e);
    if (err == 0) err = ks_index_open(&x, g->library, KS_READ, e);
    if (err == 0) err = ks_index_snapshot(x, e);
    if (err == 0) err = ks_index_clips(&cursor, x, &filter, e);
    while (err >= 0 && (err = ks_clips_next(&c, cursor, e)) != 0) {
        if (err == KS_EDAMAGED) continue; /* a page, and the end */
        if (err < 0) break;
        if (c.video != of && (named = name_film(&v, path, x, c.video, f->in, e)) < 0) {
            err = named;
            break;
        }
        of = c.video;
        if (!named) continue;
        if (!out) clip_line(&c, &v);
        else if ((err = export_clip(out, &c, &v, e)) < 0) break;
        shown++;
    }
    if (err >= 0 && out) err = ks_out_end(out, e);
    ks_out_close(out);
    ks_cursor_close(cursor);
    if (x) lost = ks_index_damaged(x);
    ks_index_close(x);
    if (err < 0) return err;
    if (lost > 0)
        return ks_fail(e, KS_EDAMAGED, "%s: damaged in %lld place%s: run kinoseek repair",
                       g->library, (long long)lost, lost == 1 ? "" : "s");
    return shown > 0 ? 0 : 1;
}

extern const ks_command ks_cmd_clips, ks_cmd_forget, ks_cmd_relocate;
const ks_command ks_cmd_clips = {
    .name = "clips",
    .brief = "List the clips of the library",
    .more = "  kinoseek clips --in 'holiday*' --json | jq .start",
    .spooled = 1,
    .options = clips_options,
    .fields = sizeof(clips_fields),
    .hub = KS_HUB_MIRROR,
    .run = clips,
};

typedef struct {
    int json;
} count_fields;

static const ks_option count_options[] = {
    {0, "json", KS_OPT_FLAG, offsetof(count_fields, json), NULL, "one JSON line: how many files"},
    {0},
};

static void print_count(const ks_globals *g, const char *name, int64_t n)
{
    ks_json j;

    ks_json_start(&j, stdout);
    ks_json_open(&j, NULL, '{');
    ks_json_path(&j, "library", g->library);
    ks_json_int(&j, name, n);
    ks_json_close(&j);
}

/* Absolute, without asking the disk: the old place may be gone. malloc'ed. */
static char *whole_path(const char *path)
{
    char folder[4096], *real = realpath(path, NULL), *out = NULL;
    if (real) return real;
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') n--;
    if (path[0] == '/') return strndup(path, n);
    if (!getcwd(folder, sizeof folder) || asprintf(&out, "%s/%.*s", folder, (int)n, path) < 0)
        return NULL;
    return out;
}

static int forget_in_hub(int64_t *files, const ks_globals *g, const char *path, ks_error *e)
{
    char *whole = whole_path(path);
    int err = whole ? ks_hub_elsewhere(files, g, whole, NULL, e)
                    : ks_fail(e, KS_ENOMEM, "no memory");
    free(whole);
    return err;
}

static int forget(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    ks_index *x = NULL;
    int64_t files = 0, all = 0;
    if (n == 0) return ks_fail(e, KS_EUSAGE, "name the files or folders to forget");
    int hub = ks_hub_is(g->library), err = hub ? 0 : ks_index_open(&x, g->library, KS_WRITE, e);
    for (int i = 0; err == 0 && i < n; i++) {
        err = hub ? forget_in_hub(&files, g, args[i], e) : ks_forget(&files, x, args[i], e);
        if (err == 0 && files == 0) fprintf(stderr, "kinoseek: %s: not in the library\n", args[i]);
        all += files;
    }
    if (err == 0 && all > 0 && x) err = ks_index_publish(x, 1, e);
    ks_index_close(x);
    if (err < 0) return err;
    if (((const count_fields *)fields)->json) print_count(g, "forgot", all);
    else if (!g->quiet)
        printf(all == 1 ? "Forgot %lld file; the file itself is untouched.\n"
                        : "Forgot %lld files; the files themselves are untouched.\n",
               (long long)all);
    return all > 0 ? 0 : 1;
}

const ks_command ks_cmd_forget = {
    .name = "forget",
    .usage = "PATH...",
    .brief = "Take files or folders out of the library",
    .more = "The films themselves are left alone. A folder that is ingested again brings its\n"
            "films back; exclude what should stay out:\n"
            "  kinoseek forget ~/Videos/tmp && kinoseek ingest ~/Videos --exclude tmp\n"
            "Of a hub it is forgotten by every machine, and is not made if it was queued;\n"
            "where its root is not mounted name it as search does: /films:/tmp/x.mp4.",
    .options = count_options,
    .fields = sizeof(count_fields),
    .hub = KS_HUB_OWN,
    .run = forget,
};

static int relocate(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    ks_index *x = NULL;
    int64_t changed = 0;
    if (n != 2) return ks_fail(e, KS_EUSAGE, "name the old place and the new one");
    char *from = whole_path(args[0]), *to = whole_path(args[1]);
    int err = from && to ? 0 : ks_fail(e, KS_ENOMEM, "no memory");
    if (err == 0 && access(to, F_OK) != 0)
        err = ks_fail(e, KS_ENOTFOUND, "%s: %s", args[1], strerror(errno));
    if (err == 0 && ks_hub_is(g->library)) err = ks_hub_elsewhere(&changed, g, from, to, e);
    else if (err == 0) {
        err = ks_index_open(&x, g->library, KS_WRITE, e);
        if (err == 0) err = ks_ingest_relocate(&changed, x, from, to, e);
    }
    ks_index_close(x);
    free(from);
    free(to);
    if (err < 0) return err;
    if (((const count_fields *)fields)->json) print_count(g, "relocated", changed);
    else if (!g->quiet)
        printf("Relocated %lld file%s.\n", (long long)changed, changed == 1 ? "" : "s");
    return changed > 0 ? 0 : 1;
}

const ks_command ks_cmd_relocate = {
    .name = "relocate",
    .usage = "OLD NEW",
    .brief = "Say where films moved to, without reading them",
    .more = "  kinoseek relocate /media/usb1/films /media/usb2/films\n"
            "Not needed for films that `ingest` meets at their new place: it knows them by\n"
            "content. This is for whole disks, and for folders named to ingest before.",
    .options = count_options,
    .fields = sizeof(count_fields),
    .hub = KS_HUB_OWN,
    .run = relocate,
};
