/* curve_svg.c - a question along one film, as a picture for a page or a report. */
#include "formats/formats.h"
#include "formats/text_out.h"

#include <math.h>

enum { WIDE = 960, HIGH = 240, LEFT = 40, RIGHT = 12, TOP = 34, BOTTOM = 26 };

static double across(double share) { return LEFT + share * (WIDE - LEFT - RIGHT); }

static double up(double score) { return TOP + (1 - score) * (HIGH - TOP - BOTTOM); }

static void put_label(FILE *f, double x, double y, const char *anchor, const char *text)
{
    fprintf(f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
    ks_put_xml(f, text);
    fputs("</text>\n", f);
}

static void put_axes(FILE *f, const ks_curve *c, double seconds)
{
    char clock[24];

    for (int i = 0; i <= 2; i++) {
        fprintf(f, "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#999\"%s/>\n", LEFT,
                WIDE - RIGHT, up(i * 0.5), up(i * 0.5),
                i == 1 && c->cut > 0 ? " stroke-dasharray=\"4 3\"" : " stroke-width=\"0.5\"");
        put_label(f, LEFT - 6, up(i * 0.5) + 4, "end", i == 0 ? "0" : i == 1 ? "0.5" : "1");
    }
    for (int i = 0; i <= 4; i++) {
        ks_clock(clock, seconds * i / 4);
        put_label(f, across(i / 4.0), HIGH - 8,
                  i == 0   ? "start"
                  : i == 4 ? "end"
                           : "middle",
                  clock);
    }
}

void ks_curve_svg(FILE *f, const ks_curve *c, const char *title)
{
    double seconds = ks_seconds(c->duration, c->tb),
           last = c->n ? ks_seconds(c->at[c->n - 1].at, c->tb) : 0;

    seconds = fmax(fmax(seconds, last), 1e-3);
    fprintf(f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d "
            "%d\" "
            "font-family=\"sans-serif\" font-size=\"12\">\n<title>",
            WIDE, HIGH, WIDE, HIGH);
    ks_put_xml(f, title);
    fprintf(f, "</title>\n<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", WIDE, HIGH);
    put_label(f, LEFT, 20, "start", title);
    put_axes(f, c, seconds);
    fputs("<polyline fill=\"none\" stroke=\"#1b6\" stroke-width=\"1.5\" points=\"", f);
    for (int i = 0; i < c->n; i++)
        fprintf(f, "%s%.2f,%.2f", i ? " " : "", across(ks_seconds(c->at[i].at, c->tb) / seconds),
                up(c->at[i].score));
    fputs("\"/>\n</svg>\n", f);
}
