/* out_lines.c - JSON lines and CSV: for programs. Field names are only ever added. */
#include "formats/out.h"

#include <string.h>

static void clip_members(ks_json *j, const ks_moment *k)
{
    ks_json_int(j, "id", k->clips[0]);
    ks_json_int(j, "video", k->video);
    ks_json_path(j, "path", k->path);
    ks_json_seconds(j, "start", ks_seconds(k->start, k->tb));
    ks_json_seconds(j, "end", ks_seconds(k->end, k->tb));
    ks_json_int(j, "frames", k->frames);
    ks_json_text(j, "reason", k->title);
    ks_json_int(j, "date", k->film_date);
    ks_json_text(j, "date_source", ks_date_source_name(k->date_source));
}

static void label_members(ks_json *j, const ks_moment *k)
{
    ks_json_path(j, "path", k->path);
    ks_json_seconds(j, "start", ks_seconds(k->start, k->tb));
    ks_json_seconds(j, "end", ks_seconds(k->end, k->tb));
    ks_json_text(j, "label", k->title);
    ks_json_number(j, "score", k->score);
    ks_json_number(j, "cosine", k->cosine);
    ks_json_int(j, "rank", k->rank);
    ks_json_int(j, "video", k->video);
    if (k->said) ks_json_bool(j, "said", 1);
}

/* Per term, of which a question of words alone has one; per frame. */
static void why_members(ks_json *j, const ks_moment *k)
{
    const ks_curve *c = k->why;

    ks_json_open(j, "explain", '{');
    ks_json_open(j, "terms", '[');
    ks_json_open(j, NULL, '{');
    ks_json_text(j, "term", k->title);
    ks_json_number(j, "cosine", k->cosine);
    ks_json_number(j, "level", c->level);
    ks_json_number(j, "unit", c->unit);
    ks_json_number(j, "cut", c->cut);
    ks_json_number(j, "score", k->score);
    ks_json_close(j);
    ks_json_close(j);
    ks_json_open(j, "frames", '[');
    for (int i = 0; i < c->n; i++) {
        ks_json_open(j, NULL, '{');
        ks_json_seconds(j, "t", ks_seconds(c->at[i].at, k->tb));
        ks_json_number(j, "cosine", c->at[i].cosine);
        ks_json_number(j, "score", c->at[i].score);
        ks_json_close(j);
    }
    ks_json_close(j);
    ks_json_close(j);
}

static void moment_members(ks_json *j, const ks_moment *k)
{
    ks_json_int(j, "rank", k->rank);
    ks_json_path(j, "path", k->path);
    ks_json_seconds(j, "start", ks_seconds(k->start, k->tb));
    ks_json_seconds(j, "end", ks_seconds(k->end, k->tb));
    ks_json_seconds(j, "best", ks_seconds(k->best, k->tb));
    ks_json_number(j, "score", k->score);
    ks_json_number(j, "cosine", k->cosine);
    ks_json_int(j, "video", k->video);
    ks_json_open(j, "clips", '[');
    for (int i = 0; i < k->n_clips; i++) ks_json_int(j, NULL, k->clips[i]);
    ks_json_close(j);
    ks_json_int(j, "date", k->film_date);
    ks_json_text(j, "date_source", ks_date_source_name(k->date_source));
    ks_json_text(j, "query", k->title);
    if (!k->n_parts) return;
    ks_json_open(j, "parts", '[');
    for (int i = 0; i < k->n_parts; i++) {
        ks_json_open(j, NULL, '{');
        ks_json_int(j, "term", k->parts[i].term);
        ks_json_seconds(j, "start", ks_seconds(k->parts[i].start, k->tb));
        ks_json_seconds(j, "end", ks_seconds(k->parts[i].end, k->tb));
        ks_json_seconds(j, "best", ks_seconds(k->parts[i].best, k->tb));
        ks_json_number(j, "score", k->parts[i].score);
        ks_json_close(j);
    }
    ks_json_close(j);
}

static void said_members(ks_json *j, const ks_moment *k)
{
    ks_json_open(j, "said", '[');
    for (int i = 0; i < k->n_lines; i++) {
        ks_json_open(j, NULL, '{');
        ks_json_seconds(j, "start", k->lines[i].start);
        ks_json_seconds(j, "end", k->lines[i].end);
        ks_json_text(j, "text", k->lines[i].text);
        ks_json_close(j);
    }
    ks_json_close(j);
}

void ks_json_entry(ks_json *j, const char *key, ks_rows rows, const ks_moment *k)
{
    ks_json_open(j, key, '{');
    if (rows == KS_ROWS_CLIPS) clip_members(j, k);
    else if (k->is_label) label_members(j, k);
    else moment_members(j, k);
    if (k->by) ks_json_text(j, "by", k->by);
    if (k->n_lines) said_members(j, k);
    if (k->why) why_members(j, k);
    if (k->n_copies) ks_json_paths(j, "copies", k->copies, k->n_copies);
    if (k->more_copies) ks_json_int(j, "more_copies", k->more_copies);
    if (k->surveyed) ks_json_bool(j, "surveyed", 1);
    if (k->sharpened) ks_json_bool(j, "sharpened", 1);
    if (k->missing) ks_json_bool(j, "missing", 1);
    ks_json_close(j);
}

static int json_entry(ks_writer *w, const ks_moment *k)
{
    ks_json_entry(&w->json, NULL, w->options->rows, k);
    return 0;
}

const ks_format ks_format_jsonl = {.name = "jsonl",
                                   .ending = ".jsonl",
                                   .brief = "a JSON object a line, as --json",
                                   .entry = json_entry};

/* A cell that a spreadsheet would run as a formula gets a quote before it; so does one that
 * looks like that already, so that taking one away gives every text back (read_csv.c). */
static int is_formula(const char *s)
{
    while (*s == '\'') s++;
    return *s && strchr("=+-@\t\r", *s);
}

/* RFC 4180. Bytes that are not UTF-8 become U+FFFD; of a path its file: URL keeps them. */
static void cell(FILE *f, const char *s)
{
    int quoted = s[strcspn(s, ",\"\r\n")] != 0;

    if (quoted) putc('"', f);
    if (is_formula(s)) putc('\'', f);
    while (*s) {
        if (*s == '"') putc('"', f);
        s += ks_put_utf8(f, s);
    }
    if (quoted) putc('"', f);
}

static void path_cell(FILE *f, const char *path)
{
    if (ks_is_utf8(path)) cell(f, path);
    else ks_put_url(f, path);
}

static int csv_begin(ks_writer *w)
{
    static const char *const heads[] = {
        "path,start,end,label,score,cosine,rank,video\r\n",
        "rank,path,start,end,best,score,cosine,video,clips,query\r\n",
        "id,video,path,start,end,frames,reason\r\n"};

    fputs(heads[w->options->rows], w->f);
    return 0;
}

static void csv_moment(FILE *f, const ks_moment *k, double start, double end)
{
    fprintf(f, "%d,", k->rank);
    path_cell(f, k->path);
    fprintf(f, ",%.3f,%.3f,%.3f,%.6g,%.6g,%lld,", start, end, ks_seconds(k->best, k->tb), k->score,
            k->cosine, (long long)k->video);
    for (int i = 0; i < k->n_clips; i++) fprintf(f, "%s%lld", i ? " " : "", (long long)k->clips[i]);
    putc(',', f);
    cell(f, k->title);
}

static int csv_entry(ks_writer *w, const ks_moment *k)
{
    double start = ks_seconds(k->start, k->tb), end = ks_seconds(k->end, k->tb);
    FILE *f = w->f;

    if (w->options->rows == KS_ROWS_CLIPS) {
        fprintf(f, "%lld,%lld,", (long long)k->clips[0], (long long)k->video);
        path_cell(f, k->path);
        fprintf(f, ",%.3f,%.3f,%d,", start, end, k->frames);
        cell(f, k->title);
    } else if (k->is_label) {
        path_cell(f, k->path);
        fprintf(f, ",%.3f,%.3f,", start, end);
        cell(f, k->title);
        fprintf(f, ",%.6g,%.6g,%d,%lld", k->score, k->cosine, k->rank, (long long)k->video);
    } else {
        csv_moment(f, k, start, end);
    }
    fputs("\r\n", f);
    return 0;
}

const ks_format ks_format_csv = {.name = "csv",
                                 .ending = ".csv",
                                 .brief = "a table for spreadsheets (RFC 4180)",
                                 .begin = csv_begin,
                                 .entry = csv_entry};
