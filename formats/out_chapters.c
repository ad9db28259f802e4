/* out_chapters.c - chapters of one film: FFMETADATA, Matroska's XML, YouTube's description,
 * Kodi's scene markers. */
#include "formats/out.h"

#include <math.h>
#include <string.h>

/* ffmpeg formats manual, "Metadata": '=', ';', '#', '\\' and newline are escaped with a
 * backslash. */
static void meta_text(FILE *f, const char *s)
{
    while (*s) {
        if (strchr("=;#\\\n", *s)) putc('\\', f);
        s += ks_put_utf8(f, s);
    }
}

static int meta_begin(ks_writer *w)
{
    fputs(";FFMETADATA1\n", w->f);
    return 0;
}

static double start_of(const ks_moment *k) { return round(ks_seconds(k->start, k->tb) * 1000); }
static double end_of(const ks_moment *k) { return round(ks_seconds(k->end, k->tb) * 1000); }

/* Chapters may overlap: FFMETADATA, Matroska and NUT hold that, and ffmpeg 5.1 ends one where the
 * next begins where it writes MP4. What begins together (labels of one clip) is one, to the last
 * end: ffmpeg's reader of Matroska drops a second chapter of the same start. Of the chapter that
 * k begins: the first entry behind it and its end; NULL: k belongs to the one before. */
static const ks_moment *chapter_of(double *end, const ks_writer *w, const ks_moment *k)
{
    const ks_moment *next = k + 1, *last = w->at + w->n;

    *end = end_of(k);
    if (k > w->at && start_of(k - 1) == start_of(k)) return NULL;
    for (; next < last && start_of(next) == start_of(k); next++) *end = fmax(*end, end_of(next));
    return next;
}

static int meta_entry(ks_writer *w, const ks_moment *k)
{
    double end;
    const ks_moment *next = chapter_of(&end, w, k);

    if (!next) return 0;
    fprintf(w->f, "[CHAPTER]\nTIMEBASE=1/1000\nSTART=%.0f\nEND=%.0f\ntitle=", start_of(k), end);
    for (const ks_moment *one = k; one < next; one++) {
        fputs(one > k ? ", " : "", w->f);
        meta_text(w->f, one->title);
    }
    putc('\n', w->f);
    return 0;
}

const ks_format ks_format_ffmetadata = {
    .name = "ffmetadata",
    .ending = ".ffmeta",
    .brief = "chapters for ffmpeg and mpv",
    .joins = "what begins together",
    .flags = KS_KEEPS | KS_ONE_FILM,
    .begin = meta_begin,
    .entry = meta_entry,
};

/* --- Matroska: mkvpropedit FILM --chapters FILE; chapters may overlap there (matroska.org,
 * Chapters) --- */
static int mkv_begin(ks_writer *w)
{
    ks_xml_start(&w->xml, w->f);
    ks_xml_open(&w->xml, "Chapters");
    ks_xml_open(&w->xml, "EditionEntry");
    return 0;
}

static void mkv_time(ks_xml *x, const char *name, int64_t ticks, ks_timebase tb)
{
    long long ns = llround(fmax(ks_seconds(ticks, tb), 0) * 1e9), s = ns / 1000000000;
    char text[48];

    snprintf(text, sizeof text, "%02lld:%02lld:%02lld.%09lld", s / 3600, s / 60 % 60, s % 60,
             ns % 1000000000);
    ks_xml_leaf(x, name, text);
}

static int mkv_entry(ks_writer *w, const ks_moment *k)
{
    ks_xml *x = &w->xml;

    ks_xml_open(x, "ChapterAtom");
    ks_xml_leaf_number(x, "ChapterUID", w->i + 1);
    mkv_time(x, "ChapterTimeStart", k->start, k->tb);
    mkv_time(x, "ChapterTimeEnd", k->end, k->tb);
    ks_xml_open(x, "ChapterDisplay");
    ks_xml_leaf(x, "ChapterString", k->title);
    ks_xml_leaf(x, "ChapterLanguage", "und");
    ks_xml_close(x);
    ks_xml_close(x);
    return 0;
}

const ks_format ks_format_mkv_chapters = {
    .name = "mkv-chapters",
    .ending = ".chapters.xml",
    .brief = "chapters for mkvpropedit and mkvmerge",
    .flags = KS_KEEPS | KS_ONE_FILM,
    .begin = mkv_begin,
    .entry = mkv_entry,
    .end = ks_end_xml,
};

/* --- YouTube: the first at 0:00, three or more, ten seconds each, or all of them are ignored
 * --- */
enum { LEAST_CHAPTERS = 3, LEAST_SECONDS = 10 };

typedef struct {
    double start; /* whole seconds */
    int from, to; /* entries; from == to: the film's beginning, which has no name */
} chapter;

/* The chapters that the entries make, the next behind *i; 0: none left. What is too near joins
 * the one before. */
static int next_chapter(chapter *c, int *i, double *before, const ks_writer *w)
{
    double length = w->n ? w->at[0].duration : 0;

    if (*before < 0 &&
        (w->n == 0 || floor(ks_seconds(w->at[0].start, w->at[0].tb)) >= LEAST_SECONDS)) {
        *c = (chapter){0, 0, 0};
        *before = 0;
        return w->n > 0;
    }
    if (*i >= w->n) return 0;
    *c = (chapter){*before < 0 ? 0 : floor(ks_seconds(w->at[*i].start, w->at[*i].tb)), *i, *i + 1};
    for (; c->to < w->n; c->to++) {
        double start = floor(ks_seconds(w->at[c->to].start, w->at[c->to].tb));
        if (start >= c->start + LEAST_SECONDS && (length <= 0 || start + LEAST_SECONDS <= length))
            break;
    }
    *i = c->to;
    *before = c->start;
    return 1;
}

static int youtube_check(ks_writer *w)
{
    chapter c;
    double before = -1;
    int i = 0, n = 0;

    while (next_chapter(&c, &i, &before, w)) n++;
    if (n < LEAST_CHAPTERS)
        return ks_fail(w->e, KS_EUSAGE,
                       "%s: youtube wants %d chapters of %d s, its moments make %d",
                       ks_base_name(w->at[0].path), LEAST_CHAPTERS, LEAST_SECONDS, n);
    return 0;
}

/* Chapters of one name are named once; a description holds no angle brackets. */
static void youtube_titles(const ks_writer *w, const chapter *c)
{
    int written = 0;

    for (int i = c->from; i < c->to; i++) {
        int seen = 0;
        for (int j = c->from; j < i; j++) seen |= strcmp(w->at[j].title, w->at[i].title) == 0;
        if (seen) continue;
        fputs(written++ ? ", " : "", w->f);
        ks_put_line(w->f, w->at[i].title, "<>");
    }
    if (!written) fputs("Start", w->f);
}

static int youtube_end(ks_writer *w)
{
    chapter c;
    double before = -1;
    int i = 0;
    char at[24];

    while (next_chapter(&c, &i, &before, w)) {
        ks_clock(at, c.start);
        fprintf(w->f, "%s ", at);
        youtube_titles(w, &c);
        putc('\n', w->f);
    }
    return 0;
}

const ks_format ks_format_youtube = {
    .name = "youtube",
    .ending = ".txt",
    .brief = "chapters for a YouTube description, to the second",
    .joins = "what begins within 10 s",
    .flags = KS_KEEPS | KS_ONE_FILM | KS_SOMETHING,
    .check = youtube_check,
    .end = youtube_end,
};

/* --- Kodi: FILM.edl beside the film; action 2 is a scene marker, of which Kodi takes the second
 * time (Edl.cpp). No other action is ever written: 0 would cut the moment out. --- */
static int kodi_entry(ks_writer *w, const ks_moment *k)
{
    double start = fmax(ks_seconds(k->start, k->tb), 0);

    fprintf(w->f, "%.3f\t%.3f\t2\n", start, start);
    return 0;
}

const ks_format ks_format_kodi_edl = {
    .name = "kodi-edl",
    .ending = ".edl",
    .brief = "scene markers for Kodi, without names",
    .flags = KS_KEEPS | KS_ONE_FILM,
    .entry = kodi_entry,
};
