/* out_subtitles.c - WebVTT and SubRip: what is in one film, in order of time; lines may overlap
 * in both. */
#include "formats/out.h"

#include <string.h>

static void put_times(ks_writer *w, const ks_moment *k, char point)
{
    char from[24], to[24];

    ks_clock_ms(from, ks_seconds(k->start, k->tb));
    ks_clock_ms(to, ks_seconds(k->end, k->tb));
    *strchr(from, '.') = point;
    *strchr(to, '.') = point;
    fprintf(w->f, "%d\n%s --> %s\n", w->i + 1, from, to);
}

/* W3C WebVTT: & and < are escaped, and with > "-->" cannot stand in a cue's text. A cue ends at
 * an empty line. */
static void vtt_text(FILE *f, const char *s)
{
    while (*s) {
        if (*s == '&') fputs("&amp;", f), s++;
        else if (*s == '<') fputs("&lt;", f), s++;
        else if (*s == '>') fputs("&gt;", f), s++;
        else s += ks_put_utf8(f, (unsigned char)*s < 0x20 ? " " : s);
    }
}

static int vtt_begin(ks_writer *w)
{
    fputs("WEBVTT\n", w->f);
    return 0;
}

static int vtt_entry(ks_writer *w, const ks_moment *k)
{
    putc('\n', w->f);
    put_times(w, k, '.');
    vtt_text(w->f, k->title);
    putc('\n', w->f);
    return 0;
}

const ks_format ks_format_vtt = {
    .name = "vtt",
    .ending = ".vtt",
    .brief = "WebVTT: chapters and captions of browsers and players",
    .flags = KS_KEEPS | KS_ONE_FILM,
    .begin = vtt_begin,
    .entry = vtt_entry,
};

/* SubRip knows no escapes, and players take <...> and {...} for tags, "\N" for a new line, and look
 * for times by "-->": such characters become others that look like them. */
static void srt_text(FILE *f, const char *s)
{
    static const char *const of[][2] = {
        {"<", "\xe2\x80\xb9"}, {">", "\xe2\x80\xba"}, {"{", "("}, {"}", ")"}, {"\\", "/"}};

    while (*s) {
        size_t i = 0, n = sizeof of / sizeof *of;
        while (i < n && of[i][0][0] != *s) i++;
        if (i < n) fputs(of[i][1], f), s++;
        else s += ks_put_utf8(f, (unsigned char)*s < 0x20 || *s == 0x7f ? " " : s);
    }
}

static int srt_entry(ks_writer *w, const ks_moment *k)
{
    if (w->i > 0) putc('\n', w->f);
    put_times(w, k, ',');
    srt_text(w->f, k->title);
    putc('\n', w->f);
    return 0;
}

const ks_format ks_format_srt = {
    .name = "srt",
    .ending = ".srt",
    .brief = "SubRip: subtitles of every player and editor",
    .flags = KS_KEEPS | KS_ONE_FILM,
    .entry = srt_entry,
};
