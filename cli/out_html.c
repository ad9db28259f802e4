/* out_html.c - search --html: one file that shows the hits anywhere, with nothing to load from elsewhere. */
#include "cli/npy_io.h"
#include "cli/out_table.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void text(FILE *f, const char *s)
{
    while (*s) {
        int n = ks_utf8_length(s);
        if (n == 0)
            fputs("\xef\xbf\xbd", f);
        else if (*s == '&')
            fputs("&amp;", f);
        else if (*s == '<')
            fputs("&lt;", f);
        else if (*s == '>')
            fputs("&gt;", f);
        else if (*s == '"')
            fputs("&quot;", f);
        else
            fwrite(s, 1, (size_t)n, f);
        s += n ? n : 1;
    }
}

static void url(FILE *f, const char *path)
{
    fputs("file://", f);
    for (; *path; path++) {
        unsigned char c = (unsigned char)*path;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("/-._~", c))
            putc(c, f);
        else
            fprintf(f, "%%%02X", c);
    }
}

static void base64(FILE *f, const uint8_t *u, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < n; i += 3) {
        unsigned v = (unsigned)u[i] << 16 | (i + 1 < n ? (unsigned)u[i + 1] << 8 : 0) | (i + 2 < n ? u[i + 2] : 0u);
        putc(digits[v >> 18], f);
        putc(digits[v >> 12 & 63], f);
        putc(i + 1 < n ? digits[v >> 6 & 63] : '=', f);
        putc(i + 2 < n ? digits[v & 63] : '=', f);
    }
}

static const char style[] =
    ":root{color-scheme:light dark;font:15px/1.4 system-ui,sans-serif}body{margin:1.5rem;max-width:90rem}"
    "h1{font-size:1.3rem}main{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:1rem}"
    "figure{margin:0}a{color:inherit;text-decoration:none}a:focus-visible{outline:3px solid}"
    "img,.none{width:100%;aspect-ratio:16/9;object-fit:contain;background:#8883;display:block}"
    "meter{width:100%;height:.5rem}b,small{overflow-wrap:anywhere}small{display:block;opacity:.75}";

static int figure(FILE *f, ks_index *x, const ks_entry *k, ks_error *e)
{
    uint8_t *jpeg = NULL;
    size_t bytes = 0;
    char times[64], date[32];
    int err = 0;

    if (k->n_clips && (err = ks_index_thumbnail(&jpeg, &bytes, x, k->clips[0], e)) < 0)
        return err;
    ks_show_times(times, k, 1);
    fputs("<figure><a href=\"", f);
    url(f, k->path);
    fprintf(f, "#t=%.3f,%.3f\">", ks_seconds(k->start, k->tb), ks_seconds(k->end, k->tb));
    if (jpeg) {
        fputs("<img alt=\"\" src=\"data:image/jpeg;base64,", f);
        base64(f, jpeg, bytes);
        fputs("\">", f);
    } else {
        fputs("<span class=\"none\"></span>", f);
    }
    fprintf(f, "<meter value=\"%.3f\">%.2f</meter><figcaption>%s <b>", k->score, k->score, times);
    text(f, ks_base_name(k->path));
    fprintf(f, "</b><small>%s</small><small>", ks_date(date, k->film_date));
    text(f, k->path);
    fputs("</small></figcaption></a></figure>\n", f);
    free(jpeg);
    return 0;
}

static int put_page(FILE *f, ks_index *x, const char *title, const ks_entry *k, int n, ks_error *e)
{
    int err = 0;

    fputs("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>", f);
    text(f, title);
    fprintf(f, "</title><style>%s</style><h1>", style);
    text(f, title);
    fputs("</h1><main>\n", f);
    for (int i = 0; i < n && err == 0; i++)
        err = figure(f, x, &k[i], e);
    fputs("</main></html>\n", f);
    return err;
}

/* Whole or not at all: a page that is there already is replaced by one that is complete. */
int ks_write_page(const char *file, ks_index *x, const char *title, const ks_entry *k, int n, ks_error *e)
{
    char *part = NULL;
    int stream = ks_is_stream(file), err;
    FILE *f = asprintf(&part, "%s%s", file, stream ? "" : ".part") < 0 ? NULL : fopen(part, "wb");

    if (!f) {
        err = ks_fail(e, KS_EIO, "%s: %s", file, strerror(errno));
    } else {
        err = put_page(f, x, title, k, n, e);
        int bad = fflush(f) != 0 || ferror(f), why = errno;
        fclose(f);
        if (!bad && !err && !stream && rename(part, file) != 0)
            bad = 1, why = errno;
        if (bad && !err)
            err = ks_fail(e, KS_EIO, "%s: %s", file, strerror(why));
        if (err && !stream)
            unlink(part);
    }
    free(part);
    return err;
}
