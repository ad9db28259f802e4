/* read_csv.c - CSV and TSV with a header: ours, Create ML's, Kinetics', a spreadsheet's. */
#include "formats/read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FILM, START, END, LABEL, SCORE, ANSWER, COLUMNS, MOST_CELLS = 64 };

static const char *const names[COLUMNS][8] = {
    {"path", "video", "file", "film", "file_name", "video_id", "youtube_id", NULL},
    {"start", "time_start", "start_time", "from", NULL},
    {"end", "time_end", "end_time", "to", NULL},
    {"label", "query", "name", "class", NULL},
    {"score", "confidence", NULL},
    {"answer", "yes", NULL},
};

/* The cells of one record (RFC 4180: quotes hold separators and line ends), unquoted in place.
 * *rest: behind it. */
static int take_record(char *cells[MOST_CELLS], char **rest, char separator)
{
    char *from = *rest, end;
    int n = 0;

    do {
        char *to = from, *cell = from;
        if (*from == '"') {
            for (from++; *from && (*from != '"' || from[1] == '"'); from++) {
                from += *from == '"';
                *to++ = *from;
            }
            from += *from == '"';
        }
        while (*from && *from != separator && *from != '\n' && *from != '\r') *to++ = *from++;
        end = *from;
        if (end == '\r' && from[1] == '\n') from++;
        from += end != 0;
        *to = 0;
        if (n < MOST_CELLS) cells[n++] = cell;
    } while (end == separator);
    *rest = from;
    return n;
}

/* A quote that keeps spreadsheets from running a cell is taken off again (out_lines.c). */
static const char *plain(const char *s)
{
    const char *behind = s + strspn(s, "'");

    return *s == '\'' && *behind && strchr("=+-@\t\r", *behind) ? s + 1 : s;
}

static int take_time(double *seconds, const char *text)
{
    char *end;

    *seconds = strtod(text, &end);
    if (end == text || *text == ' ') return -1;
    return *end == 0 ? 0 : ks_parse_seconds(seconds, text);
}

/* yes, no, 1, 0, true, false; nothing is yes. -1: none of these. */
static int take_answer(const char *text)
{
    static const char *const words[][2] = {
        {"", ""}, {"no", "yes"}, {"n", "y"}, {"0", "1"}, {"false", "true"}};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        for (int yes = 1; yes >= 0; yes--)
            if (strcasecmp(text, words[i][yes]) == 0) return yes;
    return -1;
}

static int find_columns(int at[COLUMNS], char *const *cells, int n)
{
    for (int c = 0; c < COLUMNS; c++) {
        at[c] = -1;
        for (int i = 0; names[c][i] && at[c] < 0; i++)
            for (int j = 0; j < n && at[c] < 0; j++)
                if (strcasecmp(cells[j] + strspn(cells[j], " "), names[c][i]) == 0) at[c] = j;
    }
    return at[FILM] < 0 || (at[START] >= 0) != (at[END] >= 0) ? -1 : 0;
}

/* Where ';' parts the cells, the comma parts a number: spreadsheets of half of Europe. */
static void point(char *number)
{
    char *comma = strchr(number, ',');
    if (comma && number[strspn(number, "0123456789,:-")] == 0) *comma = '.';
}

static int take_row(ks_reader *r, const int at[COLUMNS], char **cells, int n, int line, int commas)
{
    const char *of[COLUMNS];
    double start = 0, end = -1;
    int yes;

    for (int c = 0; c < COLUMNS; c++)
        if (commas && (c == START || c == END || c == SCORE) && at[c] >= 0 && at[c] < n)
            point(cells[at[c]]);
    for (int c = 0; c < COLUMNS; c++) of[c] = at[c] >= 0 && at[c] < n ? cells[at[c]] : "";
    if (at[START] >= 0 && !*of[START] && !*of[END] && !*of[LABEL])
        return ks_name_url(r, plain(of[FILM])); /* somebody looked, and found nothing */
    if (at[START] >= 0 &&
        (take_time(&start, of[START]) < 0 || take_time(&end, of[END]) < 0 || end < start))
        return ks_fail(r->e, KS_EFORMAT,
                       "%s: line %d: \"%.40s\" and \"%.40s\" are no start and end", r->file, line,
                       of[START], of[END]);
    if ((yes = take_answer(of[ANSWER])) < 0)
        return ks_fail(r->e, KS_EFORMAT, "%s: line %d: \"%.40s\" is neither yes nor no", r->file,
                       line, of[ANSWER]);
    return ks_add_url_span(r, plain(of[FILM]), plain(of[LABEL]), start, end,
                           *of[SCORE] ? atof(of[SCORE]) : (double)NAN, yes);
}

/* Lines of the record at s. */
static int count_lines(const char *s)
{
    int quoted = 0, n = 1;

    for (; *s && (quoted || *s != '\n'); s++) {
        quoted ^= *s == '"';
        n += *s == '\n';
    }
    return n;
}

int ks_read_csv(ks_reader *r, char *text)
{
    char *cells[MOST_CELLS], first = text[strcspn(text, ",;\t\r\n")],
                             separator = first == '\t' || first == ';' ? first : ',', *rest = text;
    int at[COLUMNS], line = 1, err = 0, n = take_record(cells, &rest, separator);

    if (find_columns(at, cells, n) < 0) {
        r->out->format = NULL;
        return ks_bad_file(r, "its first line names no column \"path\" with \"start\" and \"end\"");
    }
    for (line++; *rest && err == 0;) {
        int lines = count_lines(rest);
        n = take_record(cells, &rest, separator);
        if (n > 1 || *cells[0]) err = take_row(r, at, cells, n, line, separator == ';');
        line += lines;
    }
    return err;
}
