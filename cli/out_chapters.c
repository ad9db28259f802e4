/* out_chapters.c - WebVTT and FFMETADATA: what is in one film, in order of time. */
#include "cli/out.h"

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

static void meta_entry(ks_out *o, const ks_entry *k)
{
    double end = ks_seconds(k->end, k->tb);

    /* Players show chapters one after the other: one ends where the next begins. */
    if (o->count + 1 < o->n) {
        const ks_entry *next = k + 1;
        double start = ks_seconds(next->start, next->tb);
        end = start < end ? start : end;
    }
    fprintf(o->f, "[CHAPTER]\nTIMEBASE=1/1000\nSTART=%.0f\nEND=%.0f\ntitle=", ks_seconds(k->start, k->tb) * 1000, end * 1000);
    meta_text(o->f, k->title);
    putc('\n', o->f);
}

const ks_out_format ks_format_ffmetadata = {"ffmetadata", 1, 1, meta_begin, meta_entry, NULL};
