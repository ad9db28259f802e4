/* out_print.c - --print TEMPLATE: {field} or {field:form}, \n \t \0 \\, {{ for a brace.
 *
 * Forms: {start:time} 0:04:12, {start:ms} 00:04:12.040, {start:frame}, {start:tc} the source's timecode, {score:.3f}
 * digits of a number, {path:name} the last part. A line ends with a newline, under -0 with a NUL. */
#include "formats/out.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const fields[] = {"rank", "path", "start", "end", "best", "score", "cosine", "video", "clip", "clips",
                                     "date", "query", "label", "length", "tab"};
enum { FIELDS = sizeof fields / sizeof *fields };

static int field_of(const char *name, size_t n)
{
    for (int i = 0; i < FIELDS; i++)
        if (strlen(fields[i]) == n && strncmp(fields[i], name, n) == 0)
            return i;
    return -1;
}

int ks_check_template(const char *form, ks_error *e)
{
    for (const char *s = form; *s; s++) {
        const char *end;
        if (*s != '{')
            continue;
        if (s[1] == '{') {
            s++;
            continue;
        }
        if (!(end = strchr(s, '}')))
            return ks_fail(e, KS_EUSAGE, "--print: a brace is not closed: %s", s);
        if (field_of(s + 1, strcspn(s + 1, ":}")) < 0)
            return ks_fail(e, KS_EUSAGE, "--print: there is no field %.*s (rank path start end best length score cosine video clip clips date query label tab)",
                           (int)(end - s) + 1, s);
        s = end;
    }
    return 0;
}

/* digits of ".3f"; otherwise `usual`. */
static int digits(const char *form, int usual)
{
    return form[0] == '.' && form[1] >= '0' && form[1] <= '9' ? form[1] - '0' : usual;
}

static void print_time(ks_writer *w, const ks_entry *k, int64_t ticks, const char *form)
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
        fprintf(w->f, "%lld", (long long)ks_frame_number(ticks, k->tb, rate));
    } else if (strncmp(form, "tc", 2) == 0) {
        int drop;
        int64_t first = ks_start_frame(&drop, k, rate);
        ks_timecode(text, first + ks_frame_number(ticks, k->tb, rate), rate, w->options->drop ? w->options->drop : drop);
        fputs(text, w->f);
    } else {
        fprintf(w->f, "%.*f", digits(form, 3), seconds);
    }
}

static void print_date(FILE *f, int64_t date)
{
    time_t t = (time_t)date;
    struct tm tm;
    char text[16];

    if (localtime_r(&t, &tm) && strftime(text, sizeof text, "%Y-%m-%d", &tm))
        fputs(text, f);
}

static void print_field(ks_writer *w, const ks_entry *k, int field, const char *form)
{
    switch (field) {
    case 0: fprintf(w->f, "%d", k->rank); break;
    case 1: fputs(strncmp(form, "name", 4) == 0 ? ks_base_name(k->path) : k->path, w->f); break;
    case 2: print_time(w, k, k->start, form); break;
    case 3: print_time(w, k, k->end, form); break;
    case 4: print_time(w, k, k->best, form); break;
    case 5: fprintf(w->f, "%.*f", digits(form, 3), k->score); break;
    case 6: fprintf(w->f, "%.*f", digits(form, 4), k->cosine); break;
    case 7: fprintf(w->f, "%lld", (long long)k->video); break;
    case 8: fprintf(w->f, "%lld", k->n_clips ? (long long)k->clips[0] : 0); break;
    case 9:
        for (int i = 0; i < k->n_clips; i++)
            fprintf(w->f, "%s%lld", i ? " " : "", (long long)k->clips[i]);
        break;
    case 10: print_date(w->f, k->film_date); break;
    case 11:
    case 12: fputs(k->title, w->f); break;
    case 13: print_time(w, k, k->end - k->start, form); break;
    default: putc('\t', w->f); break;
    }
}

static int print_entry(ks_writer *w, const ks_entry *k)
{
    for (const char *s = w->options->form; *s; s++) {
        if ((*s == '{' && s[1] == '{') || (*s == '}' && s[1] == '}')) {
            putc(*s++, w->f);
        } else if (*s == '{') {
            const char *end = strchr(s, '}');
            size_t n = strcspn(s + 1, ":}");
            print_field(w, k, field_of(s + 1, n), s[1 + n] == ':' ? s + 2 + n : "");
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

const ks_format ks_format_print = {.name = "print", .ending = ".txt", .brief = "lines of --print", .flags = KS_OPTION, .entry = print_entry};
