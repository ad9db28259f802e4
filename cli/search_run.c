/* search_run.c - one search from filters to lines on the screen. */
#include "cli/search_run.h"

#include "cli/out_table.h"
#include "cli/player.h"
#include "ingest/ingest.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
    ks_out out;
    ks_out_options options;
    const ks_out_format *format; /* NULL: a table for people */
    ks_terminal terminal;
    char *decoder;               /* for thumbnails in the terminal */
    char *open_path;             /* what --open will play */
    double open_at;
    char title[160];
} outlet;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* --- filters --- */
/* How many videos of that name or path there are; *id: one of them. */
static int count_videos(int64_t *id, ks_index *x, const char *glob, ks_error *e)
{
    ks_filter f = {.path_glob = glob};
    ks_cursor *c = NULL;
    ks_video v;
    int err, found = 0;

    if ((err = ks_index_files(&c, x, &f, e)) < 0)
        return err;
    while ((err = ks_files_next(&v, c, e)) > 0)
        if (!found || v.id != *id) {
            *id = v.id;
            found++;
        }
    ks_cursor_close(c);
    return err < 0 ? err : found;
}

/* The pattern that matches these bytes alone. */
static void literal(char *glob, const char *name)
{
    for (; *name; name++) {
        if (strchr("*?[\\", *name))
            *glob++ = '\\';
        *glob++ = *name;
    }
    *glob = 0;
}

int ks_find_video(int64_t *id, ks_index *x, const char *name, ks_error *e)
{
    char full[PATH_MAX], *end, *glob;
    ks_video v;
    int err, found;
    long long number = strtoll(name, &end, 10);

    if (realpath(name, full) && (err = ks_index_find(&v, x, full, e)) != 0) {
        *id = v.id;
        return err < 0 ? err : 0;
    }
    if (*name && !*end && number > 0)
        return (err = ks_index_video(&v, x, number, e)) < 0 ? err : (*id = v.id, 0);
    if (!(glob = malloc(2 * strlen(name) + 1)))
        return ks_fail(e, KS_ENOMEM, "no memory for a name");
    literal(glob, name);
    found = count_videos(id, x, glob, e);
    free(glob);
    if (found == 0)
        found = count_videos(id, x, name, e);
    if (found < 0)
        return found;
    if (found == 0)
        return ks_fail(e, KS_ENOTFOUND, "%s: not in this library", name);
    return found > 1 ? ks_fail(e, KS_EUSAGE, "%s: %d videos are called so; name one by its path", name, found) : 0;
}

static int read_filter(ks_search_run *r, ks_error *e)
{
    const ks_search_fields *f = r->f;
    ks_filter *to = &r->o.filter;

    to->path_glob = f->path;
    to->longer = f->longer;
    to->shorter = f->shorter;
    if (f->after && ks_parse_date(&to->after, f->after, 0) < 0)
        return ks_fail(e, KS_EUSAGE, "--after takes a date such as 2019-07-12, not \"%s\"", f->after);
    if (f->before && ks_parse_date(&to->before, f->before, 0) < 0)
        return ks_fail(e, KS_EUSAGE, "--before takes a date such as 2019-07-12, not \"%s\"", f->before);
    if (f->after && to->after == 0) to->after = -1; /* 0 is no bound: the second before the first of 1970 */
    if (f->before && to->before == 0) to->before = -1;
    if (f->exact && f->ann)
        return ks_fail(e, KS_EUSAGE, "--exact and --ann exclude each other");
    r->o.k = f->k > f->open ? f->k : f->open > 10 ? f->open : f->k;
    r->o.per_video = f->per_video;
    r->o.apart = f->merge && strcmp(f->merge, "off") == 0;
    r->o.unfolded = f->fold && strcmp(f->fold, "off") == 0;
    r->o.all = f->all;
    r->o.how = f->exact ? KS_SEARCH_EXACT : f->ann ? KS_SEARCH_ANN : KS_SEARCH_AUTO;
    return f->in ? ks_find_video(&to->video, r->x, f->in, e) : 0;
}

static int choose_format(ks_search_run *r, outlet *w, ks_error *e)
{
    const ks_search_fields *f = r->f;

    w->options = (ks_out_options){.raw = f->raw, .has_clips = 1, .nul = f->nul, .several = r->several,
                                  .form = f->print ? f->print : "{path}", .command = w->title};
    if (!!f->json + !!f->csv + !!f->format + (f->print || f->nul) > 1)
        return ks_fail(e, KS_EUSAGE, "name one of --json, --csv, --format, --print");
    if (f->json)
        w->format = ks_find_format("jsonl");
    else if (f->csv)
        w->format = ks_find_format("csv");
    else if (f->format)
        w->format = ks_find_format(f->format);
    else if (f->print || f->nul)
        w->format = ks_find_format("print");
    return w->format ? ks_out_begin(&w->out, stdout, w->format, &w->options, e) : 0;
}

int ks_search_open(ks_search_run *r, const ks_globals *g, const ks_search_fields *f, const char *command, ks_error *e)
{
    outlet *w = calloc(1, sizeof *w);
    int err;

    *r = (ks_search_run){.g = g, .f = f, .command = command, .began = now(), .several = f->queries != NULL, .out = w};
    if (!w)
        return ks_fail(e, KS_ENOMEM, "no memory");
    snprintf(w->title, sizeof w->title, "kinoseek %s", command);
    ks_terminal_of(&w->terminal, stdout);
    if ((err = choose_format(r, w, e)) < 0 || (err = ks_index_open(&r->x, g->library, KS_READ, e)) < 0)
        return err;
    return read_filter(r, e);
}

int ks_search_encoder(ks_search_run *r, int towers, ks_error *e)
{
    return r->enc ? 0 : ks_open_library_encoder(&r->enc, r->g, r->x, towers, e);
}

/* --- thumbnails in the terminal --- */
static ks_pictures wanted_pictures(const ks_search_fields *f, const ks_terminal *t)
{
    if (!f->pictures || strcmp(f->pictures, "auto") == 0)
        return t->pictures;
    return strcmp(f->pictures, "kitty") == 0 ? KS_PICTURES_KITTY : strcmp(f->pictures, "sixel") == 0 ? KS_PICTURES_SIXEL : KS_PICTURES_NONE;
}

/* A picture that cannot be shown is no reason to show no line: errors end here. */
static void show_thumbnail(void *arg, const ks_entry *k)
{
    ks_search_run *r = arg;
    outlet *w = r->out;
    uint8_t *jpeg = NULL, *pixels = NULL;
    size_t bytes = 0;
    ks_image image;
    ks_error ignored;

    if (k->n_clips && ks_index_thumbnail(&jpeg, &bytes, r->x, k->clips[0], &ignored) == 0 && jpeg &&
        ks_thumbnail_rgb(&image, &pixels, w->decoder, jpeg, bytes, &ignored) == 0)
        ks_show_picture(stdout, wanted_pictures(r->f, &w->terminal), &image, 6);
    free(pixels);
    free(jpeg);
}

/* --- showing --- */
static int entry_of(ks_entry *k, ks_index *x, const ks_hit *h, const char *title, ks_error *e)
{
    ks_video v;
    char disk[256];
    int err = ks_index_video(&v, x, h->video, e);

    if (err < 0)
        return err;
    *k = (ks_entry){.path = h->path, .title = title, .rank = h->rank, .video = h->video, .tb = h->tb, .start = h->start,
                    .end = h->end, .best = h->best, .score = h->score, .cosine = h->cosine, .clips = h->clips,
                    .n_clips = h->n_clips, .copies = h->copies, .n_copies = h->n_copies, .film_date = h->film_date,
                    .fps = v.fps, .duration = ks_seconds(v.duration, v.tb)};
    k->missing = ks_missing(disk, sizeof disk, h->path);
    return 0;
}

static void say_nothing_found(const outlet *w, const ks_entry *nearest)
{
    char path[PATH_MAX + 16], at[24];

    if (!nearest) {
        puts("Nothing here to look through.");
        return;
    }
    ks_show_path(path, sizeof path, nearest->path, w->terminal.columns ? w->terminal.columns / 2 : 0, w->terminal.utf8);
    ks_clock(at, ks_seconds(nearest->best, nearest->tb));
    printf("Nothing here looks like that. The nearest: %s %s (weak). --all shows the rest.\n", path, at);
}

static void say_summary(const ks_search_run *r, const outlet *w, const ks_hits *hits)
{
    char clips[64], hours[32];
    const char *dot = w->terminal.utf8 ? "\xc2\xb7" : "-", *dots = w->terminal.utf8 ? "\xe2\x80\xa6" : "...";
    int k = r->o.k > 0 ? r->o.k : 10;

    ks_counted(clips, hits->searched, "clip");
    if (hits->count < k && !r->o.all && !r->o.vector_query)
        printf("Nothing else stands out among %s", clips);
    else if (hits->count < k)
        printf("All of %s", clips);
    else
        printf("The best %d of %s", hits->count, clips);
    if (hits->seconds_searched > 0)
        printf(" (%s)", ks_duration(hours, hits->seconds_searched));
    printf(" %s %.0f ms", dot, (now() - r->began) * 1000);
    if (hits->approximate)
        printf(" %s approximate (--exact looks at every clip)", dot);
    if (!r->several)
        printf(" %s open one with: kinoseek %s %s --open 1", dot, r->command, dots);
    putchar('\n');
}

static void show_table(ks_search_run *r, outlet *w, const ks_hits *hits, const ks_entry *k, const char *title)
{
    ks_table_options o = {.raw = r->f->raw, .picture_arg = r};
    ks_error ignored;

    if (r->several)
        printf("%s:\n", title);
    if (wanted_pictures(r->f, &w->terminal) != KS_PICTURES_NONE && (w->decoder || ks_locate_decoder(&w->decoder, r->g, &ignored) == 0))
        o.picture = show_thumbnail;
    ks_show_moments(stdout, k, hits->count, &w->terminal, &o);
    if (hits->count == 0)
        say_nothing_found(w, hits->below ? &k[0] : NULL);
    else
        say_summary(r, w, hits);
    if (r->several)
        putchar('\n');
}

static int write_out(outlet *w, const ks_hits *hits, const ks_entry *k, ks_error *e)
{
    int err = 0;

    for (int i = 0; i < hits->count && err == 0; i++) {
        int seen = 0;
        /* -0 alone lists files: each once. */
        for (int j = 0; j < i && w->options.nul && strcmp(w->options.form, "{path}") == 0; j++)
            seen |= strcmp(k[j].path, k[i].path) == 0;
        if (!seen)
            err = ks_out_entry(&w->out, &k[i], e);
    }
    return err;
}

static int remember_open(ks_search_run *r, outlet *w, const ks_hits *hits, ks_error *e)
{
    const ks_hit *h;

    if (!r->f->open)
        return 0;
    if (r->f->open > hits->count)
        return hits->count ? ks_fail(e, KS_EUSAGE, "--open %d: there are %d moments", r->f->open, hits->count) : 0;
    h = &hits->at[r->f->open - 1];
    free(w->open_path);
    w->open_at = ks_seconds(h->start, h->tb);
    w->open_path = strdup(h->path);
    return w->open_path ? 0 : ks_fail(e, KS_ENOMEM, "no memory");
}

int ks_search_vector(ks_search_run *r, const float *q, int dim, const char *title, ks_error *e)
{
    outlet *w = r->out;
    ks_hits hits = {0};
    ks_entry *k = NULL;
    int err, n;

    if (!r->scale && (err = ks_scale_open(&r->scale, r->x, r->enc, e)) < 0)
        return err;
    if ((err = ks_query_run(&hits, r->x, r->scale, q, dim, &r->o, e)) < 0)
        return err;
    n = hits.count + hits.below;
    if (!(k = calloc((size_t)n + 1, sizeof *k))) {
        err = ks_fail(e, KS_ENOMEM, "no memory for hits");
        goto out;
    }
    snprintf(w->title, sizeof w->title, "kinoseek %s %s", r->command, title);
    for (int i = 0; i < n && err == 0; i++)
        err = entry_of(&k[i], r->x, &hits.at[i], title, e);
    if (err == 0 && w->format)
        err = write_out(w, &hits, k, e);
    else if (err == 0)
        show_table(r, w, &hits, k, title);
    if (err == 0 && r->f->html)
        err = ks_write_page(r->f->html, r->x, title, k, hits.count, e);
    if (err == 0)
        err = remember_open(r, w, &hits, e);
    r->found += hits.count;
out:
    free(k);
    ks_hits_free(&hits);
    return err;
}

int ks_search_finish(ks_search_run *r, ks_error *e)
{
    outlet *w = r->out;
    int err = w->format ? ks_out_end(&w->out, e) : 0;

    w->format = NULL;
    if (err < 0)
        return err;
    if (w->open_path)
        return ks_open_player(w->open_path, w->open_at, e);
    return r->found ? 0 : 1;
}

void ks_search_close(ks_search_run *r)
{
    outlet *w = r->out;

    if (w) {
        ks_out_drop(&w->out); /* what an error left behind */
        free(w->decoder);
        free(w->open_path);
        free(w);
    }
    ks_scale_close(r->scale);
    ks_encoder_close(r->enc);
    ks_index_close(r->x);
}
