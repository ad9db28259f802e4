/* cmd_status.c - `status`: what a library holds, how well it is searched, what went wrong. */
#include "cli/commands.h"
#include "cli/terminal.h"
#include "formats/formats.h"

#include <limits.h>
#include <stdlib.h>

typedef struct {
    int bad, json;
} status_fields;

static const ks_option options[] = {
    {0, "bad", KS_OPT_FLAG, offsetof(status_fields, bad), NULL,
     "list the files that did not go in wholly"},
    {0, "json", KS_OPT_FLAG, offsetof(status_fields, json), NULL,
     "one JSON object (with --bad: one a file)"},
    {0},
};

static void print_progress(const ks_session_state *f, int utf8)
{
    const ks_progress *p = &f->progress;
    double part = f->part_done;
    char done[32], all[32], files[32], total[32], left[32], path[PATH_MAX + 16];

    printf("  ingest   %s of %s files, %s", ks_thousands(files, p->files),
           ks_thousands(total, p->files_total), ks_duration(done, p->video_seconds));
    if (part > 0) printf(" of about %s", ks_duration(all, p->video_seconds / part));
    if (p->wall_seconds > 0)
        printf(", %.1f%s real time", p->video_seconds / p->wall_seconds, utf8 ? "\xc3\x97" : "x");
    if (part > 0.005) printf(", %s left", ks_duration(left, p->wall_seconds * (1 - part) / part));
    putchar('\n');
    if (p->path[0]) {
        ks_show_path(path, sizeof path, p->path, 0, utf8);
        printf("           at work on %s\n", path);
    }
}

static void print_text(const ks_globals *g, const ks_session_state *f)
{
    const ks_index_state *s = &f->state;
    char a[64], b[64], c[64], d[32], path[PATH_MAX + 16];
    ks_terminal t;

    ks_terminal_of(&t, stdout);
    ks_show_path(path, sizeof path, g->library, 0, t.utf8);
    printf("%s\n  %s (%s), %s, %s of video\n", path, ks_counted(a, s->videos, "video"),
           ks_counted(b, s->paths, "file"), ks_counted(c, s->clips, "clip"),
           ks_duration(d, s->seconds));
    if (s->writer_pid)
        printf("  being written now by process %lld: %s under way\n", (long long)s->writer_pid,
               ks_counted(a, s->unfinished, "video"));
    if (f->at_work) print_progress(f, t.utf8);
    if (s->surveyed)
        printf("  %s searched by a survey (pictures, a few a minute) until ingest comes to %s\n",
               ks_counted(a, s->surveyed, "video"), s->surveyed == 1 ? "it" : "them");
    if (!s->writer_pid && s->unfinished)
        printf("  %s unfinished: kinoseek ingest goes on with %s\n",
               ks_counted(a, s->unfinished, "video"), s->unfinished == 1 ? "it" : "them");
    if (f->library.space.dim) {
        ks_show_path(path, sizeof path, f->library.model_path, 0, t.utf8);
        printf("  model    %s (%.12s), %d numbers, %d frames a clip, %s\n", path,
               f->library.space.model, f->library.space.dim, f->library.space.frames, f->precision);
    }
    printf("  on disk  catalog %s (clips %s, frame vectors %s, ", ks_bytes(a, s->bytes_catalog),
           ks_bytes(b, s->bytes_clips), ks_bytes(c, s->bytes_frames));
    printf("thumbnails %s), search copies %s\n", ks_bytes(a, s->bytes_thumbnails),
           ks_bytes(b, s->bytes_copies));
    if (s->copy[0]) printf("  search   %s", s->copy);
    if (s->copy[0] && s->recall >= 0)
        printf(", finds %.1f %% of the true ten nearest (measured here)", s->recall * 100);
    if (s->copy[0]) putchar('\n');
    if (f->scale.sentences)
        printf("  score    of %d held-out sentences %.0f find something here (%.0f %%); %d more "
               "say what chance is\n",
               f->scale.held_out, f->scale.false_positives * f->scale.held_out,
               f->scale.false_positives * 100, f->scale.sentences);
    if (s->bad)
        printf("  %s did not go in wholly: kinoseek status --bad\n", ks_counted(a, s->bad, "file"));
}

static int print_bad(ks_index *x, int json, ks_error *e)
{
    ks_filter f = {.bad_only = 1};
    ks_cursor *c = NULL;
    ks_video v;
    ks_terminal t;
    int err = ks_index_files(&c, x, &f, e), n = 0;

    ks_terminal_of(&t, stdout);
    for (; err >= 0 && (err = ks_files_next(&v, c, e)) > 0; n++) {
        ks_json j;
        if (!json) {
            char reason[300];
            snprintf(reason, sizeof reason, "%s", v.reason);
            ks_harmless(reason);
            fputs("  ", stdout);
            ks_put_path(stdout, v.path, 40, t.utf8);
            printf("  %-8s  %s", ks_verdict_name(v.verdict), reason);
            printf(v.seconds_missing >= 0.5 ? ", %.0f s missing\n" : "\n", v.seconds_missing);
            continue;
        }
        ks_json_start(&j, stdout);
        ks_json_bad(&j, &v);
    }
    ks_cursor_close(c);
    if (err == 0 && n == 0 && !json) puts("Every file went in wholly.");
    return err;
}

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    const status_fields *f = fields;
    ks_session_state *all = calloc(1, sizeof *all); /* paths: 20 KiB */
    ks_session *s = NULL;
    int err;

    (void)args;
    if (n > 0 || !all) {
        free(all);
        return n > 0 ? ks_fail(e, KS_EUSAGE, "takes no arguments (-L names the library)")
                     : ks_fail(e, KS_ENOMEM, "no memory");
    }
    if ((err = ks_session_open(&s, g->library, &g->setup, e)) == 0 && f->bad)
        err = print_bad(ks_session_index(s), f->json, e);
    else if (err == 0 && (err = ks_session_status(all, s, e)) == 0) {
        ks_json j;
        ks_json_start(&j, stdout);
        if (f->json) ks_json_status(&j, g->library, all);
        else print_text(g, all);
    }
    ks_say_damage(s ? ks_session_index(s) : NULL, g, err);
    ks_session_close(s);
    free(all);
    return err;
}

extern const ks_command ks_cmd_status;
const ks_command ks_cmd_status = {
    .name = "status",
    .brief = "Say what the library holds, while an ingest runs too",
    .options = options,
    .fields = sizeof(status_fields),
    .hub = KS_HUB_MIRROR,
    .run = run,
};
