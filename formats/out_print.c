/* out_print.c - --print TEMPLATE: {field} or {field:form}, \n \t \0 \\, {{ for a brace.
 *
 * Forms: {start:time} 0:04:12, {start:ms} 00:04:12.040, {start:s} seconds, {start:frame},
 * {start:tc} the source's timecode, {score:.3f} digits of a number, {rank:03d} its width,
 * {date:%Y} as strftime, {path:name} the last part. A form that a field does not take is
 * refused. A line ends with a newline, under -0 with a NUL. */
#include "formats/out.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DATE_FORM = 64 }; /* longest form and its NUL */

typedef enum { FILM, TIME, NUMBER, WHOLE, DATE, PLAIN } kind;

static const char *const forms[] = {
    [FILM] = "name",      [TIME] = "time, ms, s, frame, tc or .3f",       [NUMBER] = ".3f",
    [WHOLE] = "d or 03d", [DATE] = "what strftime knows, as in %Y-%m-%d", [PLAIN] = "no form",
};

typedef enum {
    RANK,
    PATH,
    START,
    END,
    BEST,
    SCORE,
    COSINE,
    VIDEO,
    CLIP,
    CLIPS,
    DAY,
    QUERY,
    LABEL,
    LENGTH,
    TAB
} which;
static const struct {
    const char *name;
    kind kind;
    const char *brief;
} fields[] = {
    [RANK] = {"rank", WHOLE, "from 1, best first"},
    [PATH] = {"path", FILM, "of the film"},
    [START] = {"start", TIME, "where the moment begins"},
    [END] = {"end", TIME, "where it ends"},
    [BEST] = {"best", TIME, "where the question fits best"},
    [SCORE] = {"score", NUMBER, "0 to 1"},
    [COSINE] = {"cosine", NUMBER, "raw"},
    [VIDEO] = {"video", WHOLE, "number of the film"},
    [CLIP] = {"clip", WHOLE, "number of its best clip"},
    [CLIPS] = {"clips", PLAIN, "numbers of all its clips"},
    [DAY] = {"date", DATE, "of the film, local time"},
    [QUERY] = {"query", PLAIN, "what was asked"},
    [LABEL] = {"label", PLAIN, "the same"},
    [LENGTH] = {"length", TIME, "of the moment"},
    [TAB] = {"tab", PLAIN, "a tab"},
};
enum { FIELDS = sizeof fields / sizeof *fields };

int ks_print_about(ks_print_facts *out, int i)
{
    if (i < 0 || i >= FIELDS) return 0;
    *out = (ks_print_facts){fields[i].name, fields[i].brief,
                            fields[i].kind == PLAIN ? NULL : forms[fields[i].kind]};
    return 1;
}

static int field_of(const char *name, size_t n)
{
    for (int i = 0; i < FIELDS; i++)
        if (strlen(fields[i].name) == n && strncmp(fields[i].name, name, n) == 0) return i;
    return -1;
}

/* "0", a width of at most two digits, and `end`, which may be left out: 03d, 3, d. */
static int is_whole(const char *s, size_t n)
{
    size_t i = 0;

    while (i < n && s[i] >= '0' && s[i] <= '9') i++;
    return i <= 3 && (i == n || (i + 1 == n && s[i] == 'd'));
}

/* A width and ".3f": digits at most one figure, the f may be left out. */
static int is_number(const char *s, size_t n)
{
    size_t i = 0;

    while (i < n && s[i] >= '0' && s[i] <= '9') i++;
    if (i > 3 || i + 1 >= n || s[i] != '.' || s[i + 1] < '0' || s[i + 1] > '9') return 0;
    return i + 2 == n || (i + 3 == n && s[i + 2] == 'f');
}

static int is_date(const char *s, size_t n)
{
    int any = 0;

    for (size_t i = 0; i < n; i++)
        if (s[i] == '%') {
            if (++i == n || !strchr("aAbBcCdDeFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%", s[i])) return 0;
            any = 1;
        }
    return any && n < DATE_FORM;
}

static int is(const char *s, size_t n, const char *word)
{
    return strlen(word) == n && strncmp(s, word, n) == 0;
}

static int form_fits(kind k, const char *s, size_t n)
{
    switch (k) {
    case FILM: return is(s, n, "name");
    case TIME:
        return is(s, n, "time") || is(s, n, "ms") || is(s, n, "s") || is(s, n, "frame") ||
               is(s, n, "tc") || is_number(s, n);
    case NUMBER: return is_number(s, n);
    case WHOLE: return is_whole(s, n);
    case DATE: return is_date(s, n);
    default: return 0;
    }
}

/* One {field} or {field:form}, s at its brace and end at the closing one. */
static int check_field(const char *s, const char *end, ks_error *e)
{
    size_t n = strcspn(s + 1, ":}");
    const char *form = s + 2 + n;
    int field = field_of(s + 1, n);

    if (field < 0)
        return ks_fail(e, KS_EUSAGE,
                       "--print: there is no field %.*s (rank path start end best length score "
                       "cosine video clip "
                       "clips date query label tab)",
                       (int)(end - s) + 1, s);
    if (s[1 + n] == ':' && !form_fits(fields[field].kind, form, (size_t)(end - form)))
        return ks_fail(e, KS_EUSAGE, "--print: %.*s: %s takes %s", (int)(end - s) + 1, s,
                       fields[field].name, forms[fields[field].kind]);
    return 0;
}

int ks_check_template(const char *form, ks_error *e)
{
    for (const char *s = form; *s; s++) {
        const char *end;
        int err;
        if (*s != '{') continue;
        if (s[1] == '{') {
            s++;
            continue;
        }
        if (!(end = strchr(s, '}')))
            return ks_fail(e, KS_EUSAGE, "--print: a brace is not closed: %s", s);
        if ((err = check_field(s, end, e)) < 0) return err;
        s = end;
    }
    return 0;
}

/* The form was checked: "6.2f", ".2f", ".2", or none. */
static void print_number(FILE *f, double value, const char *form, int usual)
{
    int width = atoi(form);
    const char *dot = strchr(form, '.');

    fprintf(f, *form == '0' ? "%0*.*f" : "%*.*f", width,
            dot && dot[1] >= '0' && dot[1] <= '9' ? dot[1] - '0' : usual, value);
}

static void print_whole(FILE *f, int64_t value, const char *form)
{
    fprintf(f, *form == '0' ? "%0*lld" : "%*lld", atoi(form), (long long)value);
}

static void print_time(ks_writer *w, const ks_moment *k, int64_t ticks, const char *form)
{
    double seconds = ks_seconds(ticks, k->tb);
    ks_rate rate = w->options->fps.num ? w->options->fps : ks_entry_rate(k);
    char text[24];

    if (strncmp(form, "time", 4) == 0) {
        ks_clock(text, seconds);
        fputs(text, w->f);
    } else if (strncmp(form, "ms", 2) == 0) {
        ks_clock_ms(text, seconds);
        fputs(text, w->f);
    } else if (strncmp(form, "frame", 5) == 0) {
        fprintf(w->f, "%lld", (long long)ks_shown_frame(k, ticks, rate));
    } else if (strncmp(form, "tc", 2) == 0) {
        int drop;
        int64_t first = ks_start_frame(&drop, k, rate);
        ks_timecode(text, first + ks_shown_frame(k, ticks, rate), rate,
                    w->options->drop ? w->options->drop : drop);
        fputs(text, w->f);
    } else {
        print_number(w->f, seconds, *form == 's' ? "" : form, 3);
    }
}

static void print_date(FILE *f, int64_t date, const char *form)
{
    time_t t = (time_t)date;
    struct tm tm;
    char how[DATE_FORM] = "%Y-%m-%d", text[8 * DATE_FORM];

    if (*form) snprintf(how, sizeof how, "%s", form);
    if (localtime_r(&t, &tm) && strftime(text, sizeof text, how, &tm)) fputs(text, f);
}

/* form: a copy of its own, "" where none is given. */
static void print_field(ks_writer *w, const ks_moment *k, which field, const char *form)
{
    switch (field) {
    case RANK: print_whole(w->f, k->rank, form); break;
    case PATH: fputs(*form ? ks_base_name(k->path) : k->path, w->f); break;
    case START: print_time(w, k, k->start, form); break;
    case END: print_time(w, k, k->end, form); break;
    case BEST: print_time(w, k, k->best, form); break;
    case SCORE: print_number(w->f, k->score, form, 3); break;
    case COSINE: print_number(w->f, k->cosine, form, 4); break;
    case VIDEO: print_whole(w->f, k->video, form); break;
    case CLIP: print_whole(w->f, k->n_clips ? k->clips[0] : 0, form); break;
    case CLIPS:
        for (int i = 0; i < k->n_clips; i++)
            fprintf(w->f, "%s%lld", i ? " " : "", (long long)k->clips[i]);
        break;
    case DAY: print_date(w->f, k->film_date, form); break;
    case QUERY:
    case LABEL: fputs(k->title, w->f); break;
    case LENGTH: print_time(w, k, k->end - k->start, form); break;
    case TAB: putc('\t', w->f); break;
    }
}

static int print_entry(ks_writer *w, const ks_moment *k)
{
    for (const char *s = w->options->form; *s; s++) {
        if ((*s == '{' && s[1] == '{') || (*s == '}' && s[1] == '}')) {
            putc(*s++, w->f);
        } else if (*s == '{') {
            const char *end = strchr(s, '}');
            size_t n = strcspn(s + 1, ":}");
            char form[DATE_FORM] = "";
            if (s[1 + n] == ':')
                snprintf(form, sizeof form, "%.*s", (int)(end - s - 2) - (int)n, s + 2 + n);
            print_field(w, k, (which)field_of(s + 1, n), form);
            s = end;
        } else if (*s == '\\' && s[1]) {
            s++;
            putc(*s == 'n' ? '\n' : *s == 't' ? '\t' : *s == '0' ? 0 : *s, w->f);
        } else {
            putc(*s, w->f);
        }
    }
    putc(w->options->nul ? 0 : '\n', w->f);
    return 0;
}

const ks_format ks_format_print = {.name = "print",
                                   .ending = ".txt",
                                   .brief = "lines of --print",
                                   .flags = KS_OPTION,
                                   .entry = print_entry};
