/* terminal.c - width, colours and words for people. */
#include "cli/terminal.h"

#include "formats/formats.h"

#include <assert.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

static int is(const char *name, const char *value)
{
    const char *v = getenv(name);

    return v && (value ? strcmp(v, value) == 0 : *v != 0);
}

static ks_pictures pictures_by_environment(void)
{
    const char *term = getenv("TERM");

    if (is("TMUX", NULL) || !term)
        return KS_PICTURES_NONE; /* a multiplexer swallows or garbles them */
    if (is("KITTY_WINDOW_ID", NULL) || is("TERM_PROGRAM", "ghostty") ||
        is("TERM_PROGRAM", "WezTerm") || strstr(term, "kitty"))
        return KS_PICTURES_KITTY;
    if (strstr(term, "sixel") || strstr(term, "mlterm") || strncmp(term, "foot", 4) == 0 ||
        strstr(term, "yaft"))
        return KS_PICTURES_SIXEL;
    return KS_PICTURES_NONE;
}

void ks_terminal_of(ks_terminal *t, FILE *f)
{
    assert(t && f);
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    int tty = isatty(fileno(f));

    memset(t, 0, sizeof *t);
    /* The locale is asked for its letters' bytes and nothing else: in tr_TR an I is no i, and
     * AVI would be no avi. */
    setlocale(LC_CTYPE, "");
    t->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    setlocale(LC_CTYPE, t->utf8 ? "C.UTF-8" : "C");
    if (!tty) return;
    t->columns = 80;
    if (ioctl(fileno(f), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) t->columns = size.ws_col;
    else if (columns && atoi(columns) > 0) t->columns = atoi(columns);
    t->colour = !is("NO_COLOR", NULL) && !is("TERM", "dumb") && getenv("TERM");
    t->pictures = pictures_by_environment();
}

/* --- paths --- */
/* From the working directory, or from ~; never with "..": that is longer to understand. */
static void from_here(char *out, size_t room, const char *path)
{
    char here[PATH_MAX];
    const char *home = getenv("HOME");
    size_t n;

    if (getcwd(here, sizeof here) && (n = strlen(here)) > 1 && strncmp(path, here, n) == 0 &&
        path[n] == '/')
        snprintf(out, room, "%s", path + n + 1);
    else if (home && (n = strlen(home)) > 1 && strncmp(path, home, n) == 0 && path[n] == '/')
        snprintf(out, room, "~%s", path + n);
    else snprintf(out, room, "%s", path);
}

/* Control characters would move the cursor or worse; bytes that are no UTF-8 would garble the
 * rest. */
static void make_safe(char *s, int utf8)
{
    while (*s) {
        int n = utf8 ? ks_utf8_length(s) : (unsigned char)*s < 0x80;
        unsigned char second = (unsigned char)s[1];
        if (n == 0 || (unsigned char)*s < 0x20 || *s == 0x7f) *s = '?';
        else if (n == 2 && (unsigned char)*s == 0xc2 && second < 0xa0) /* C1 controls */
            s[0] = s[1] = '?';
        s += n ? n : 1;
    }
}

static int cells(const char *s, int *bytes, int utf8)
{
    wchar_t c;
    mbstate_t state = {0};
    int width;

    *bytes = 1;
    if (!utf8 || (*bytes = ks_utf8_length(s)) <= 1) {
        *bytes = 1;
        return 1;
    }
    if (mbrtowc(&c, s, (size_t)*bytes, &state) > (size_t)*bytes) return 1;
    width = wcwidth(c);
    return width < 0 ? 1 : width;
}

void ks_harmless(char *text)
{
    assert(text);
    char *to = text;
    for (const char *from = text; *from; from++) {
        unsigned char c = (unsigned char)*from, next = (unsigned char)from[1];
        int c1 = c == 0xc2 && next >= 0x80 && next <= 0x9f;
        *to++ = (char)(c < 0x20 || c == 0x7f || c1 ? '?' : c);
        from += c1;
    }
    *to = 0;
}

int ks_columns_of(const char *text, int utf8)
{
    int n = 0, bytes;

    for (; *text; text += bytes) n += cells(text, &bytes, utf8);
    return n;
}

void ks_show_path(char *out, size_t room, const char *path, int columns, int utf8)
{
    assert(out && room > 0 && path);
    int total, bytes, keep, skipped = 0;
    char *from = out, *to;

    from_here(out, room, path);
    make_safe(out, utf8);
    total = ks_columns_of(out, utf8);
    if (columns <= 0 || total <= columns || columns < 8) return;
    /* a third of the front, the rest from the end */
    for (keep = columns / 3; keep > 0; from += bytes) keep -= cells(from, &bytes, utf8);
    for (to = from; *to && total - skipped + 1 > columns; to += bytes)
        skipped += cells(to, &bytes, utf8);
    if (utf8 && to - from >= 3) {
        memcpy(from, "\xe2\x80\xa6", 3);
        memmove(from + 3, to, strlen(to) + 1);
    } else {
        *from = '~';
        memmove(from + 1, to, strlen(to) + 1);
    }
}

void ks_put_path(FILE *f, const char *path, int cells, int utf8)
{
    assert(f && path && cells >= 0);
    char shown[PATH_MAX + 16];
    int used;

    ks_show_path(shown, sizeof shown, path, 0, utf8);
    used = ks_columns_of(shown, utf8);
    fprintf(f, "%s%*s", shown, used < cells ? cells - used : 0, "");
}

/* --- numbers and dates --- */
const char *ks_thousands(char out[32], int64_t n)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)n), at = 0;

    for (int i = 0; i < length && at < 30; i++) {
        if (i > 0 && (length - i) % 3 == 0 && digits[i - 1] != '-') out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = 0;
    return out;
}

const char *ks_counted(char out[64], int64_t n, const char *noun)
{
    assert(out && noun);
    char number[32];

    snprintf(out, 64, "%s %s%s", ks_thousands(number, n), noun, n == 1 ? "" : "s");
    return out;
}

const char *ks_bytes(char out[32], int64_t bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double b = (double)bytes;
    int u = 0;

    for (; b >= 999.5 && u < 4; u++) b /= 1000;
    snprintf(out, 32, b < 9.95 && u ? "%.1f %s" : "%.0f %s", b, units[u]);
    return out;
}

const char *ks_duration(char out[32], double seconds)
{
    long long minutes = llround(seconds / 60);

    if (seconds < 90) snprintf(out, 32, "%.0f s", seconds);
    else if (minutes < 90) snprintf(out, 32, "%lld min", minutes);
    else if (minutes < 24 * 60 && minutes % 60)
        snprintf(out, 32, "%lld h %lld min", minutes / 60, minutes % 60);
    else
        ks_thousands(out, llround(seconds / 3600)),
            snprintf(out + strlen(out), 32 - strlen(out), " h");
    return out;
}

const char *ks_date(char out[32], int64_t seconds)
{
    time_t t = (time_t)seconds;
    struct tm tm;

    if (!localtime_r(&t, &tm) || strftime(out, 32, "%e %b %Y", &tm) == 0)
        snprintf(out, 32, "%s", "");
    return out;
}
