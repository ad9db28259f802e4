/* ingest_report.c - see ingest_report.h. Progress and notices go to stderr, results to stdout. A
 * film that went in whole scrolls nothing; one that did not is named at the end with its reason. */
#include "cli/ingest_report.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cli/terminal.h"
#include "formats/formats.h"

typedef struct {
    char *path, *verdict, *reason;
} bad_file;

struct ks_report {
    int json, quiet, verbose, terminal, utf8;
    const char *model;
    ks_json out;
    bad_file *bad; /* [n_bad] */
    int n_bad, room_bad, failures;
    bad_file again; /* the first file that was of no use before and is unchanged, */
    int n_again;    /* and how many there are */
    int64_t files, jobs;
    double last_line; /* wall seconds of the last plain line */
    int bar;          /* lines of the bar on the screen */
    ks_done_event done;
    int is_done;
    int64_t lines; /* of subtitles */
};

int ks_report_open(ks_report **out, int json, int quiet, int verbose, const char *model,
                   ks_error *e)
{
    assert(out);
    ks_report *r = calloc(1, sizeof *r);
    *out = r;
    if (!r) return ks_fail(e, KS_ENOMEM, "no memory to report");
    r->json = json;
    r->quiet = quiet;
    r->verbose = verbose;
    r->model = model;
    ks_terminal t;
    ks_terminal_of(&t, stderr);
    const char *term = getenv("TERM");
    r->terminal = t.columns > 0 && !(term && strcmp(term, "dumb") == 0);
    r->utf8 = t.utf8;
    ks_json_start(&r->out, stdout);
    return 0;
}

static void drop(bad_file *b)
{
    free(b->path);
    free(b->verdict);
    free(b->reason);
}

void ks_report_close(ks_report *r)
{
    if (!r) return;
    for (int i = 0; i < r->n_bad; i++) drop(&r->bad[i]);
    drop(&r->again);
    free(r->bad);
    free(r);
}

int ks_report_first_bad(const char **path, const char **reason, const ks_report *r)
{
    const bad_file *first = r->n_bad > 0 ? &r->bad[0] : &r->again;
    if (!first->path || !first->reason) return 0;
    *path = first->path;
    *reason = first->reason;
    return r->n_bad + r->n_again;
}

int ks_report_still_useless(const ks_report *r) { return r->n_again; }

int ks_report_bad_files(const ks_report *r) { return r->failures; }

static void show_path(FILE *to, const ks_report *r, const char *path)
{
    char shown[4 * 4096];
    ks_show_path(shown, sizeof shown, path, to == stderr && r->terminal ? 60 : 0, r->utf8);
    fputs(shown, to);
}

static void clear_bar(ks_report *r)
{
    if (r->bar) fputs("\r\x1b[K\x1b[1A\r\x1b[K", stderr);
    r->bar = 0;
}

static void keep(bad_file *b, const ks_file_event *v)
{
    b->path = strdup(v->path);
    b->verdict = strdup(ks_file_verdict_name(v->verdict));
    if (asprintf(&b->reason, v->seconds_missing >= 0.5 ? "%s, %.0f s missing" : "%s", v->reason,
                 v->seconds_missing) < 0)
        b->reason = NULL;
}

static void remember_bad(ks_report *r, const ks_file_event *v)
{
    if (r->n_bad == r->room_bad) {
        int room = r->room_bad ? 2 * r->room_bad : 16;
        bad_file *bad = reallocarray(r->bad, (size_t)room, sizeof *bad);
        if (!bad) return;
        r->bad = bad;
        r->room_bad = room;
    }
    keep(&r->bad[r->n_bad++], v);
}

/* Named again, a file that was of no use is as useless, though nothing is tried. */
static void remember_again(ks_report *r, const ks_file_event *v)
{
    if (v->was != KS_VERDICT_SKIPPED && v->was != KS_VERDICT_FAILED) return;
    if (r->n_again++ == 0) keep(&r->again, v);
}

static void file_json(ks_report *r, const ks_file_event *v)
{
    ks_json *j = &r->out;
    ks_json_open(j, NULL, '{');
    ks_json_text(j, "event", "file");
    ks_json_path(j, "path", v->path);
    ks_json_text(j, "verdict", ks_file_verdict_name(v->verdict));
    if (v->was) ks_json_text(j, "was", ks_verdict_name(v->was));
    ks_json_text(j, "reason", v->reason);
    ks_json_int(j, "clips", v->clips);
    ks_json_seconds(j, "seconds", v->seconds);
    ks_json_seconds(j, "seconds_missing", v->seconds_missing);
    ks_json_close(j);
    fflush(stdout);
}

static void done_json(ks_report *r, const ks_done_event *v)
{
    ks_json *j = &r->out;
    ks_json_open(j, NULL, '{');
    ks_json_text(j, "event", "done");
    ks_json_int(j, "files", v->files);
    ks_json_int(j, "clips", v->clips);
    ks_json_int(j, "left", v->left);
    ks_json_seconds(j, "video_seconds", v->video_seconds);
    ks_json_seconds(j, "wall_seconds", v->wall_seconds);
    ks_json_number(j, "x_realtime", v->x_realtime);
    ks_json_close(j);
    fflush(stdout);
}

static void file_event(ks_report *r, const ks_file_event *v)
{
    int bad = v->verdict == KS_FILE_PARTLY || v->verdict == KS_FILE_FAILED;
    r->failures += bad;
    if (bad || v->verdict == KS_FILE_SKIPPED) remember_bad(r, v);
    if (v->was) remember_again(r, v);
    if (r->json) file_json(r, v);
    if (r->json || !r->verbose) return;
    clear_bar(r);
    fprintf(stderr, "%-9s ", ks_file_verdict_name(v->verdict));
    show_path(stderr, r, v->path);
    fprintf(stderr, v->reason[0] ? "  (%s)\n" : "\n", v->reason);
}

/* What was taken for something, or cannot be read, is said to everybody. */
static void subtitles_event(ks_report *r, const ks_subtitles_event *v)
{
    ks_json *j = &r->out;
    r->lines += v->lines;
    if (r->json) {
        ks_json_open(j, NULL, '{');
        ks_json_text(j, "event", "subtitles");
        ks_json_path(j, "path", v->path);
        ks_json_int(j, "lines", v->lines);
        ks_json_text(j, "reason", v->note);
        ks_json_close(j);
        fflush(stdout);
    }
    if (r->json || r->quiet || (!v->note[0] && !r->verbose)) return;
    clear_bar(r);
    fputs("subtitles ", stderr);
    show_path(stderr, r, v->path);
    fprintf(stderr, v->note[0] ? "  (%s)\n" : "\n", v->note);
}

static void doubted_event(ks_report *r, const ks_doubted_event *v)
{
    char clips[64];
    if (r->quiet) return;
    clear_bar(r);
    fprintf(stderr, "kinoseek: %s of a GPU's: no later sample of it held, they are encoded again\n",
            ks_counted(clips, v->clips, "clip"));
}

static void plan_event(ks_report *r, const ks_plan_event *v)
{
    char all[32], new[32], bytes[32], about[32];
    r->files = v->files;
    r->jobs = v->jobs;
    if (r->json || r->quiet) return;
    ks_thousands(all, v->files);
    ks_thousands(new, v->jobs);
    ks_bytes(bytes, v->bytes);
    fprintf(stderr, "Videos: %s file%s. New or changed: %s", all, v->files == 1 ? "" : "s", new);
    if (v->jobs > 0) fprintf(stderr, ", %s", bytes);
    if (v->jobs > 0 && r->model) fprintf(stderr, " (%s)", r->model);
    if (v->jobs > 0 && v->wall_seconds >= 1)
        fprintf(stderr, ". About %s, going by the last time", ks_duration(about, v->wall_seconds));
    fputs(".\n", stderr);
}

/* Two lines as wide as the terminal is now: it may have been resized, and a line that wraps
 * cannot be cleared. Where the counts leave no room there is no bar, and where they are too long
 * themselves their end is left out. */
static void draw_bar(ks_report *r, const char *path, const char *times, char *counts, double part)
{
    char shown[4 * 4096] = "";
    const char *empty = r->utf8 ? "\xc2\xb7" : ".";
    ks_terminal t;
    ks_terminal_of(&t, stderr);
    int wide = t.columns > 20 ? t.columns - 1 : 20,
        room = wide - 4 - ks_columns_of(counts, r->utf8), bar = room > 24 ? 24 : room;

    clear_bar(r);
    if (path) ks_show_path(shown, sizeof shown, path, wide - 2 - (int)strlen(times), r->utf8);
    fprintf(stderr, "%s%s%s\n", path ? "  " : "", shown, times);
    if (bar >= 6) {
        fputc('[', stderr);
        for (int i = 0; i < bar; i++) fputs(i < part * bar ? "#" : empty, stderr);
        fputs("]  ", stderr);
    }
    if (room < -4)
        for (size_t end = strlen(counts);
             ks_columns_of(counts, r->utf8) > wide || (unsigned char)counts[end - 1] >= 0x80;)
            counts[--end] = 0;
    fputs(counts, stderr);
    r->bar = 1;
    fflush(stderr);
}

static void progress_event(ks_report *r, const ks_progress_event *v)
{
    char at[24], of[24], done[32], all[32], left[32] = "";
    if (r->json || r->quiet || (!r->terminal && v->wall_seconds - r->last_line < 10)) return;
    const char *dot = r->utf8 ? "\xc2\xb7" : ".";
    r->last_line = v->wall_seconds;
    double part = v->video_seconds_total > 0 ? v->video_seconds / v->video_seconds_total : 0;
    ks_duration(done, v->video_seconds);
    ks_duration(all, v->video_seconds_total);
    if (part > 0.005 && v->wall_seconds > 2) ks_duration(left, v->wall_seconds * (1 - part) / part);
    char times[56] = "", counts[160];
    ks_clock(at, v->seconds);
    ks_clock(of, v->seconds + v->seconds_left);
    if (v->path) snprintf(times, sizeof times, "  %s of %s", at, of);
    int n = snprintf(counts, sizeof counts, "%lld of %lld files %s %s of about %s %s %.1f%s",
                     (long long)v->files, (long long)v->jobs, dot, done, all, dot, v->x_realtime,
                     r->utf8 ? "\xc3\x97" : "x");
    if (left[0] && n > 0 && (size_t)n < sizeof counts)
        snprintf(counts + n, sizeof counts - (size_t)n, " %s %s left", dot, left);
    if (r->terminal) {
        draw_bar(r, v->path, times, counts, part);
    } else {
        if (v->path) {
            fputs("  ", stderr);
            show_path(stderr, r, v->path);
            fprintf(stderr, "%s\n", times);
        }
        fprintf(stderr, "%s\n", counts);
    }
}

void ks_report_event(void *report, const ks_event *v)
{
    assert(report && v);
    ks_report *r = report;
    switch (v->kind) {
    case KS_EVENT_PLAN: plan_event(r, &v->u.plan); break;
    case KS_EVENT_FILE: file_event(r, &v->u.file); break;
    case KS_EVENT_SUBTITLES: subtitles_event(r, &v->u.subtitles); break;
    case KS_EVENT_DOUBTED: doubted_event(r, &v->u.doubted); break;
    case KS_EVENT_PROGRESS: progress_event(r, &v->u.progress); break;
    case KS_EVENT_DONE:
        clear_bar(r);
        r->done = v->u.done; /* said at the very end: kept queries speak before it */
        r->is_done = 1;
        break;
    }
}

/* Of what the library knows the details are kept; of a path where nothing is, and after a dry
 * run, none are. */
static void bad_list(const ks_report *r, int partly, int kept)
{
    enum { SHOWN = 20, WIDEST = 60 };
    int n = r->n_bad < SHOWN ? r->n_bad : SHOWN, wide = 0;
    char shown[4 * 4096];
    for (int i = 0; i < n; i++) {
        ks_show_path(shown, sizeof shown, r->bad[i].path ? r->bad[i].path : "?", 0, r->utf8);
        int columns = ks_columns_of(shown, r->utf8);
        if (columns > wide && columns <= WIDEST) wide = columns;
    }
    for (int i = 0; i < n; i++) {
        const bad_file *b = &r->bad[i];
        fputs("  ", stdout);
        ks_put_path(stdout, b->path ? b->path : "?", wide, r->utf8);
        printf("   %-7s   %s\n", b->verdict ? b->verdict : "", b->reason ? b->reason : "");
    }
    if (r->n_bad > n) printf("  and %d more\n", r->n_bad - n);
    if (partly) puts("Of what is there partly, all but the seconds named is searched.");
    if (kept) puts("Details: kinoseek status --bad");
}

static void say_done(const ks_ingest_summary *s)
{
    char files[64], clips[64], video[32], wall[32];
    int whole = s->indexed + s->partly + s->begun > 0 || s->surveyed == 0;
    ks_counted(clips, s->clips, "clip");
    ks_duration(video, s->video_seconds);
    ks_duration(wall, s->wall_seconds);
    if (s->surveyed > 0) printf("Surveyed %s", ks_counted(files, s->surveyed, "file"));
    if (s->surveyed > 0 && whole) printf(". ");
    if (whole) printf("Indexed %s", ks_counted(files, s->indexed + s->partly, "file"));
    if (s->begun > 0) printf(" and part of %lld", (long long)s->begun);
    if (whole) printf(" (%s, %s) in %s.", clips, video, wall);
    else printf(" (%s) in %s.", clips, wall);
    if (s->left > 0)
        printf(whole || s->interrupted ? " %lld left: the same command goes on."
                                       : " %lld left for the whole pass: kinoseek ingest goes on.",
               (long long)s->left);
}

void ks_report_end(ks_report *r, const ks_ingest_summary *s, int dry_run)
{
    assert(r && s);
    char files[64];
    clear_bar(r);
    if (r->json && r->is_done) done_json(r, &r->done);
    if (r->json || r->quiet) return;
    ks_counted(files, dry_run ? r->jobs : s->indexed + s->partly, "file");
    if (dry_run && r->jobs > 0) {
        printf("Would index %s.", files);
    } else if (s->indexed + s->partly + s->failed + s->left == 0) {
        printf("Nothing new in %s.", ks_counted(files, s->files, "file"));
    } else {
        say_done(s);
    }
    if (r->lines > 0) printf(" Subtitles: %s.", ks_counted(files, r->lines, "line"));
    if (s->moved > 0) printf(" Moved or copied: %lld.", (long long)s->moved);
    if (s->gone > 0) printf(" Gone: %lld.", (long long)s->gone);
    if (r->n_bad > 0) printf(" %d %s go in wholly:\n", r->n_bad, dry_run ? "would not" : "did not");
    else putchar('\n');
    if (r->n_bad > 0) bad_list(r, s->partly > 0, s->files > 0 && !dry_run);
}
