/* out_html.c - one file that shows the moments anywhere, with nothing to load from elsewhere. */
#include "formats/out.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char style[] =
    ":root{color-scheme:light dark;font:15px/1.4 "
    "system-ui,sans-serif}body{margin:1.5rem;max-width:90rem}"
    "h1{font-size:1.3rem}main{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr)"
    ");gap:1rem}"
    "figure{margin:0}a{color:inherit;text-decoration:none}a:focus-visible{outline:3px solid}"
    "img,.none{width:100%;aspect-ratio:16/9;object-fit:contain;background:#8883;display:block}"
    "meter{width:100%;height:.5rem}b,small{overflow-wrap:anywhere}small{display:block;opacity:.75}";

static int html_begin(ks_writer *w)
{
    const char *title = w->options->command ? w->options->command : "kinoseek";

    fputs("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
          "content=\"width=device-width\"><title>",
          w->f);
    ks_put_xml(w->f, title);
    fprintf(w->f, "</title><style>%s</style><h1>", style);
    ks_put_xml(w->f, title);
    fputs("</h1><main>\n", w->f);
    return 0;
}

static void put_picture(FILE *f, const uint8_t *jpeg, size_t bytes)
{
    if (!jpeg) {
        fputs("<span class=\"none\"></span>", f);
        return;
    }
    fputs("<img alt=\"\" src=\"data:image/jpeg;base64,", f);
    ks_put_base64(f, jpeg, bytes);
    fputs("\">", f);
}

static void put_date(FILE *f, int64_t date)
{
    time_t t = (time_t)date;
    struct tm tm;
    char text[32];

    if (localtime_r(&t, &tm) && strftime(text, sizeof text, "%e %b %Y", &tm)) fputs(text, f);
}

static int html_entry(ks_writer *w, const ks_moment *k)
{
    uint8_t *jpeg = NULL;
    size_t bytes = 0;
    char from[24], to[24];
    FILE *f = w->f;
    int err = w->options->picture
                  ? w->options->picture(w->options->picture_arg, &jpeg, &bytes, k, w->e)
                  : 0;

    if (err < 0) return err;
    ks_clock(from, ks_seconds(k->start, k->tb));
    ks_clock(to, ks_seconds(k->end, k->tb));
    fputs("<figure><a href=\"", f);
    ks_put_url(f, k->path);
    fprintf(f, "#t=%.3f,%.3f\">", ks_seconds(k->start, k->tb), ks_seconds(k->end, k->tb));
    put_picture(f, jpeg, bytes);
    fprintf(f, "<meter value=\"%.3f\">%.2f</meter><figcaption>%s", k->score, k->score, from);
    if (strcmp(from, to) != 0) fprintf(f, " \xe2\x80\x93 %s", to);
    fputs(" <b>", f);
    ks_put_xml(f, ks_base_name(k->path));
    fputs("</b><small>", f);
    put_date(f, k->film_date);
    fputs("</small><small>", f);
    ks_put_xml(f, k->path);
    fputs("</small></figcaption></a></figure>\n", f);
    free(jpeg);
    return 0;
}

static int html_end(ks_writer *w)
{
    fputs("</main></html>\n", w->f);
    return 0;
}

const ks_format ks_format_html = {
    .name = "html",
    .ending = ".html",
    .brief = "a page of thumbnails (--html)",
    .flags = KS_OPTION,
    .begin = html_begin,
    .entry = html_entry,
    .end = html_end,
};
