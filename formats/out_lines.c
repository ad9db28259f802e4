/* out_lines.c - JSON lines and CSV: for programs. Field names are only ever added. */
#include "formats/formats.h"

#include <string.h>

static void json_entry(ks_out *o, const ks_entry *k)
{
    ks_json *j = &o->json;

    ks_json_open(j, NULL, '{');
    if (!k->is_label)
        ks_json_int(j, "rank", k->rank);
    ks_json_path(j, "path", k->path);
    ks_json_seconds(j, "start", ks_seconds(k->start, k->tb));
    ks_json_seconds(j, "end", ks_seconds(k->end, k->tb));
    if (k->is_label) {
        ks_json_text(j, "label", k->title);
        ks_json_number(j, "score", k->score);
        ks_json_number(j, "cosine", k->cosine);
        ks_json_int(j, "rank", k->rank);
        ks_json_int(j, "video", k->video);
    } else {
        ks_json_seconds(j, "best", ks_seconds(k->best, k->tb));
        ks_json_number(j, "score", k->score);
        ks_json_number(j, "cosine", k->cosine);
        ks_json_int(j, "video", k->video);
        ks_json_open(j, "clips", '[');
        for (int i = 0; i < k->n_clips; i++)
            ks_json_int(j, NULL, k->clips[i]);
        ks_json_close(j);
        ks_json_int(j, "date", k->film_date);
    }
    if (o->options->several)
        ks_json_text(j, "query", k->title);
    if (k->n_copies)
        ks_json_paths(j, "copies", k->copies, k->n_copies);
    if (k->more_copies)
        ks_json_int(j, "more_copies", k->more_copies);
    if (k->missing)
        ks_json_bool(j, "missing", 1);
    ks_json_close(j);
}

const ks_out_format ks_format_jsonl = {"jsonl", 0, 0, NULL, json_entry, NULL};

/* RFC 4180. A cell that a spreadsheet would run as a formula gets a quote before it; bytes that are not
 * UTF-8 become U+FFFD (-0 and --json give the true bytes). */
static void cell(FILE *f, const char *s)
{
    int quoted = s[strcspn(s, ",\"\r\n")] != 0;

    if (quoted)
        putc('"', f);
    if (strchr("=+-@\t\r", *s) && *s)
        putc('\'', f);
    while (*s) {
        if (*s == '"')
            putc('"', f);
        s += ks_put_utf8(f, s);
    }
    if (quoted)
        putc('"', f);
}

static void csv_begin(ks_out *o)
{
    fputs(o->options->has_clips ? "rank,path,start,end,best,score,cosine,video,clips,query\r\n"
                                : "path,start,end,label,score,cosine,rank,video\r\n", o->f);
}

static void csv_entry(ks_out *o, const ks_entry *k)
{
    double start = ks_seconds(k->start, k->tb), end = ks_seconds(k->end, k->tb);

    if (k->is_label) {
        cell(o->f, k->path);
        fprintf(o->f, ",%.3f,%.3f,", start, end);
        cell(o->f, k->title);
        fprintf(o->f, ",%.6g,%.6g,%d,%lld\r\n", k->score, k->cosine, k->rank, (long long)k->video);
        return;
    }
    fprintf(o->f, "%d,", k->rank);
    cell(o->f, k->path);
    fprintf(o->f, ",%.3f,%.3f,%.3f,%.6g,%.6g,%lld,", start, end, ks_seconds(k->best, k->tb), k->score, k->cosine, (long long)k->video);
    for (int i = 0; i < k->n_clips; i++)
        fprintf(o->f, "%s%lld", i ? " " : "", (long long)k->clips[i]);
    putc(',', o->f);
    cell(o->f, k->title);
    fputs("\r\n", o->f);
}

const ks_out_format ks_format_csv = {"csv", 0, 0, csv_begin, csv_entry, NULL};
