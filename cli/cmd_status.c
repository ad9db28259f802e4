/* cmd_status.c - `status`: what a library holds, how well it is searched, what went wrong. */
#include "cli/commands.h"
#include "cli/terminal.h"
#include "formats/formats.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

typedef struct {
    int bad, json;
} status_fields;

static const ks_option options[] = {
    {0, "bad", KS_OPT_FLAG, offsetof(status_fields, bad), NULL, "list the files that did not go in wholly"},
    {0, "json", KS_OPT_FLAG, offsetof(status_fields, json), NULL, "one JSON object (with --bad: one a file)"},
    {0},
};

/* How far the ingest in another process is; null where none runs. */
static void progress_json(ks_json *j, const ks_session_state *f)
{
    const ks_progress *p = &f->progress;
    double part = f->part_done;

    if (!f->at_work) {
        ks_json_text(j, "ingest", NULL);
        return;
    }
    ks_json_open(j, "ingest", '{');
    ks_json_int(j, "pid", p->pid);
    ks_json_int(j, "files", p->files);
    ks_json_int(j, "files_total", p->files_total);
    ks_json_int(j, "clips", p->clips);
    ks_json_seconds(j, "video_seconds", p->video_seconds);
    ks_json_seconds(j, "video_seconds_total", part > 0 ? p->video_seconds / part : (double)NAN);
    ks_json_seconds(j, "wall_seconds", p->wall_seconds);
    ks_json_number(j, "x_realtime", p->wall_seconds > 0 ? p->video_seconds / p->wall_seconds : (double)NAN);
    ks_json_seconds(j, "seconds_left", part > 0 ? p->wall_seconds * (1 - part) / part : (double)NAN);
    ks_json_path(j, "path", p->path);
    ks_json_close(j);
}

static void print_json(const ks_globals *g, const ks_session_state *f)
{
    const ks_index_state *s = &f->state;
    ks_json j;

    ks_json_start(&j, stdout);
    ks_json_open(&j, NULL, '{');
    ks_json_path(&j, "library", g->library);
    ks_json_text(&j, "id", f->library.id);
    ks_json_int(&j, "videos", s->videos);
    ks_json_int(&j, "files", s->paths);
    ks_json_int(&j, "clips", s->clips);
    ks_json_seconds(&j, "video_seconds", s->seconds);
    ks_json_int(&j, "unfinished", s->unfinished);
    ks_json_int(&j, "bad", s->bad);
    ks_json_int(&j, "generation", f->library.generation);
    ks_json_text(&j, "model_hash", f->library.space.model);
    ks_json_path(&j, "model", f->library.model_path);
    ks_json_path(&j, "tokenizer", f->library.tokenizer_path);
    ks_json_int(&j, "dim", f->library.space.dim);
    ks_json_int(&j, "frames", f->library.space.frames);
    ks_json_text(&j, "precision", f->precision);
    ks_json_int(&j, "bytes_catalog", s->bytes_catalog);
    ks_json_int(&j, "bytes_copies", s->bytes_copies);
    ks_json_int(&j, "bytes_clips", s->bytes_clips);
    ks_json_int(&j, "bytes_frames", s->bytes_frames);
    ks_json_int(&j, "bytes_thumbnails", s->bytes_thumbnails);
    ks_json_text(&j, "copy", s->copy);
    ks_json_number(&j, "recall", s->recall < 0 ? (double)NAN : s->recall);
    ks_json_int(&j, "writer_pid", s->writer_pid);
    progress_json(&j, f);
    ks_json_open(&j, "scale", '{');
    ks_json_int(&j, "sentences", f->scale.sentences);
    ks_json_int(&j, "held_out", f->scale.held_out);
    ks_json_int(&j, "clips", f->scale.clips);
    ks_json_number(&j, "cut", f->scale.cut);
    ks_json_number(&j, "false_positives", f->scale.false_positives);
    ks_json_number(&j, "pair_mean", f->scale.pair_mean);
    ks_json_number(&j, "pair_deviation", f->scale.pair_deviation);
    ks_json_close(&j);
    ks_json_close(&j);
}

static void print_progress(const ks_session_state *f, int utf8)
{
    const ks_progress *p = &f->progress;
    double part = f->part_done;
    char done[32], all[32], files[32], total[32], left[32], path[PATH_MAX + 16];

    printf("  ingest   %s of %s files, %s", ks_thousands(files, p->files), ks_thousands(total, p->files_total), ks_duration(done, p->video_seconds));
    if (part > 0)
        printf(" of about %s", ks_duration(all, p->video_seconds / part));
    if (p->wall_seconds > 0)
        printf(", %.1f%s real time", p->video_seconds / p->wall_seconds, utf8 ? "\xc3\x97" : "x");
    if (part > 0.005)
        printf(", %s left", ks_duration(left, p->wall_seconds * (1 - part) / part));
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
    printf("%s\n  %s (%s), %s, %s of video\n", path, ks_counted(a, s->videos, "video"), ks_counted(b, s->paths, "file"),
           ks_counted(c, s->clips, "clip"), ks_duration(d, s->seconds));
    if (s->writer_pid)
        printf("  being written now by process %lld: %s under way\n", (long long)s->writer_pid, ks_counted(a, s->unfinished, "video"));
    if (f->at_work)
        print_progress(f, t.utf8);
    if (!s->writer_pid && s->unfinished)
        printf("  %s unfinished: kinoseek ingest goes on with %s\n", ks_counted(a, s->unfinished, "video"), s->unfinished == 1 ? "it" : "them");
    if (f->library.space.dim) {
        ks_show_path(path, sizeof path, f->library.model_path, 0, t.utf8);
        printf("  model    %s (%.12s), %d numbers, %d frames a clip, %s\n", path, f->library.space.model, f->library.space.dim,
               f->library.space.frames, f->precision);
    }
    printf("  on disk  catalog %s (clips %s, frame vectors %s, ", ks_bytes(a, s->bytes_catalog), ks_bytes(b, s->bytes_clips), ks_bytes(c, s->bytes_frames));
    printf("thumbnails %s), search copies %s\n", ks_bytes(a, s->bytes_thumbnails), ks_bytes(b, s->bytes_copies));
    if (s->copy[0])
        printf("  search   %s", s->copy);
    if (s->copy[0] && s->recall >= 0)
        printf(", finds %.1f %% of the true ten nearest (measured here)", s->recall * 100);
    if (s->copy[0])
        putchar('\n');
    if (f->scale.sentences)
        printf("  score    of %d held-out sentences %.0f find something here (%.0f %%); %d more say what chance is\n", f->scale.held_out,
               f->scale.false_positives * f->scale.held_out, f->scale.false_positives * 100, f->scale.sentences);
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
        ks_json_open(&j, NULL, '{');
        ks_json_path(&j, "path", v.path);
        ks_json_text(&j, "verdict", ks_verdict_name(v.verdict));
        ks_json_text(&j, "reason", v.reason);
        ks_json_seconds(&j, "seconds_missing", v.seconds_missing);
        ks_json_int(&j, "attempts", v.attempts);
        ks_json_close(&j);
    }
    ks_cursor_close(c);
    if (err == 0 && n == 0 && !json)
        puts("Every file went in wholly.");
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
        return n > 0 ? ks_fail(e, KS_EUSAGE, "takes no arguments (-L names the library)") : ks_fail(e, KS_ENOMEM, "no memory");
    }
    if ((err = ks_session_open(&s, g->library, &g->setup, e)) == 0 && f->bad)
        err = print_bad(ks_session_index(s), f->json, e);
    else if (err == 0 && (err = ks_session_status(all, s, e)) == 0) {
        if (f->json)
            print_json(g, all);
        else
            print_text(g, all);
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
    .run = run,
};
