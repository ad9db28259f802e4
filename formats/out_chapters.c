/* out_chapters.c - WebVTT and FFMETADATA: what is in one film, in order of time. */
#include "formats/formats.h"

#include <math.h>
#include <string.h>

/* W3C WebVTT: UTF-8 alone; & and < are escaped, and "-->" cannot stand in a cue's text. */
static void vtt_text(FILE *f, const char *s)
{
    while (*s) {
        if (*s == '&')
            fputs("&amp;", f), s++;
        else if (*s == '<')
            fputs("&lt;", f), s++;
        else if (*s == '>')
            fputs("&gt;", f), s++;
        else
            s += ks_put_utf8(f, *s == '\n' || *s == '\r' ? " " : s);
    }
}

static void vtt_begin(ks_out *o) { fputs("WEBVTT\n", o->f); }

static void vtt_entry(ks_out *o, const ks_entry *k)
{
    char from[24], to[24];

    ks_clock_ms(from, ks_seconds(k->start, k->tb));
    ks_clock_ms(to, ks_seconds(k->end, k->tb));
    fprintf(o->f, "\n%d\n%s --> %s\n", o->count + 1, from, to);
    vtt_text(o->f, k->title);
    putc('\n', o->f);
}

const ks_out_format ks_format_vtt = {"vtt", 1, 1, vtt_begin, vtt_entry, NULL};

/* ffmpeg formats manual, "Metadata": '=', ';', '#', '\\' and newline are escaped with a backslash. */
static void meta_text(FILE *f, const char *s)
{
    while (*s) {
        if (strchr("=;#\\\n", *s))
            putc('\\', f);
        s += ks_put_utf8(f, s);
    }
}

static void meta_begin(ks_out *o) { fputs(";FFMETADATA1\n", o->f); }

static double start_of(const ks_entry *k) { return round(ks_seconds(k->start, k->tb) * 1000); }
static double end_of(const ks_entry *k) { return round(ks_seconds(k->end, k->tb) * 1000); }

/* Players show chapters one after the other: one ends where the next begins, and what begins together (labels of one
 * clip) is one. */
static void meta_entry(ks_out *o, const ks_entry *k)
{
    const ks_entry *next = k + 1, *last = o->kept + o->n;
    double end = end_of(k);

    if (k > o->kept && start_of(k - 1) == start_of(k))
        return;
    for (; next < last && start_of(next) == start_of(k); next++)
        end = fmax(end, end_of(next));
    if (next < last)
        end = fmin(end, start_of(next));
    fprintf(o->f, "[CHAPTER]\nTIMEBASE=1/1000\nSTART=%.0f\nEND=%.0f\ntitle=", start_of(k), end);
    for (const ks_entry *one = k; one < next; one++) {
        fputs(one > k ? ", " : "", o->f);
        meta_text(o->f, one->title);
    }
    putc('\n', o->f);
}

const ks_out_format ks_format_ffmetadata = {"ffmetadata", 1, 1, meta_begin, meta_entry, NULL};
