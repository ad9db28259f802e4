/* read_formats.c - see read_formats.h. Timecode is counted label by label of a whole second, XML
 * and JSON by their libraries. */
#include "tests/read_formats.h"

#include <jansson.h>
#include <libxml/parser.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int broken(char why[200], const char *what, const char *at)
{
    snprintf(why, 200, "%s: %.80s", what, at);
    return -1;
}

/* Frames before hh:mm:ss;ff: minutes are walked through, so that nothing is taken from the code
 * under test. */
static long long frame_of(const char *tc, int num, int den)
{
    int h, m, s, f, second = (num + den - 1) / den;
    char sign;
    long long n = 0;

    if (sscanf(tc, "%2d:%2d:%2d%c%4d", &h, &m, &s, &sign, &f) != 5) return -1;
    for (int minute = 0; minute < h * 60 + m; minute++)
        n += 60 * second - (sign == ';' && (minute + 1) % 10 ? second / 15 : 0);
    /* the labels left out of a minute stand at its beginning */
    n += (long long)s * second + f;
    return n;
}

/* A minute's own dropped labels: minute + 1 was the next one, so what was taken off belongs to
 * the label's own minute. */
static double after(const char *tc, const char *start, int num, int den)
{
    long long a = frame_of(tc, num, den), b = *start ? frame_of(start, num, den) : 0, day;

    if (a < 0 || b < 0) return -1;
    day = frame_of(strchr(tc, ';') ? "24:00:00;00" : "24:00:00:00", num, den);
    return (double)((a - b + day) % day) * den / num;
}

static int read_cmx(rf_span *out, int most, const char *text, const char *start, int num, int den,
                    char why[200])
{
    int n = 0, number;
    long long next = -1;
    char a[16], b[16], c[16], d[16], reel[16];

    for (const char *line = text; line && *line;
         line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        if (n > 0 && strncmp(line, "* COMMENT: ", 11) == 0)
            snprintf(out[n - 1].label, sizeof out->label, "%.*s", (int)strcspn(line + 11, "\n") - 7,
                     line + 11);
        if (*line < '0' || *line > '9' ||
            sscanf(line, "%3d  %8s V C %11s %11s %11s %11s", &number, reel, a, b, c, d) != 6)
            continue;
        if (n == most || number != n + 1) return broken(why, "number", line);
        out[n] = (rf_span){.start = after(a, start, num, den), .end = after(b, start, num, den)};
        if (next >= 0 && frame_of(c, num, den) != next)
            return broken(why, "record side has a gap", line);
        next = frame_of(d, num, den);
        if (fabs((double)(next - frame_of(c, num, den)) * den / num - (out[n].end - out[n].start)) >
            1e-6)
            return broken(why, "record and source differ", line);
        n++;
    }
    return n;
}

static int read_resolve(rf_span *out, int most, const char *text, int num, int den, char why[200])
{
    int n = 0, number;
    char a[16], b[16];

    for (const char *line = text; line && *line;
         line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        const char *m = strstr(line, " |M:"), *d = strstr(line, " |D:");
        if (*line >= '0' && *line <= '9' &&
            sscanf(line, "%3d  001 V C %11s %11s", &number, a, b) == 3 && n < most)
            out[n].start = after(a, strchr(a, ';') ? "01:00:00;00" : "01:00:00:00", num, den);
        else if (strncmp(line, " |C:Resolve", 11) == 0 && m && d && n < most) {
            snprintf(out[n].label, sizeof out->label, "%.*s", (int)(d - m - 4), m + 4);
            out[n].end = out[n].start + atof(d + 4) * den / num;
            n++;
        }
    }
    return n > 0 ? n : broken(why, "no marker", text);
}

static double clock_of(const char *s) /* h:mm:ss.mmm */
{
    int h, m, n = 0;
    char part[32] = "";

    if (sscanf(s, "%d:%d:%n", &h, &m, &n) != 2 || !n) return -1;
    snprintf(part, sizeof part, "%.*s", (int)strspn(s + n, "0123456789.,"), s + n);
    if (strchr(part, ',')) *strchr(part, ',') = '.';
    return h * 3600.0 + m * 60 + atof(part);
}

static int read_cues(rf_span *out, int most, const char *text)
{
    int n = 0;

    for (const char *line = text; line && *line;
         line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        const char *arrow = strstr(line, " --> "), *end = strchr(line, '\n');
        if (!arrow || !end || arrow > end || n == most) continue;
        out[n] = (rf_span){.start = clock_of(line), .end = clock_of(arrow + 5)};
        line = end + 1;
        snprintf(out[n++].label, sizeof out->label, "%.*s", (int)strcspn(line, "\n"), line);
    }
    return n;
}

static int read_lines(rf_span *out, int most, const char *text, const char *format)
{
    int n = 0;
    double a, b;

    for (const char *line = text; line && *line && n < most;
         line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        const char *path = line + strspn(line, "%0123456789");
        if (strcmp(format, "kodi-edl") == 0 && sscanf(line, "%lf\t%lf\t2\n", &a, &b) == 2)
            out[n++] = (rf_span){.start = a, .end = -1};
        else if (strcmp(format, "mpv-edl") == 0 && *line == '%' &&
                 sscanf(path + atoi(line + 1), ",%lf,%lf,", &a, &b) == 2)
            out[n++] = (rf_span){.start = a, .end = a + b};
        else if (strcmp(format, "ffmetadata") == 0 &&
                 sscanf(line, "START=%lf\nEND=%lf", &a, &b) == 2)
            out[n++] = (rf_span){.start = a / 1000, .end = b / 1000};
    }
    return n;
}

static int read_otio(rf_span *out, int most, const char *text, char why[200])
{
    json_error_t e;
    json_t *root = json_loads(text, 0, &e), *clip, *children;
    size_t i;
    int n = 0;

    if (!root) return broken(why, "JSON", e.text);
    children = json_object_get(
        json_array_get(json_object_get(json_object_get(root, "tracks"), "children"), 0),
        "children");
    json_array_foreach(children, i, clip) {
        json_t *range = json_object_get(clip, "source_range"),
               *at = json_object_get(range, "start_time"),
               *length = json_object_get(range, "duration");
        json_t *media = json_object_get(
            json_object_get(
                json_object_get(json_object_get(clip, "media_references"), "DEFAULT_MEDIA"),
                "available_range"),
            "start_time");
        json_t *words = json_object_get(
            json_object_get(json_object_get(clip, "metadata"), "kinoseek"), "query");
        double rate = json_number_value(json_object_get(at, "rate"));
        if (n == most) break;
        out[n].start = json_number_value(json_object_get(at, "value")) / rate -
                       json_number_value(json_object_get(media, "value")) / rate;
        out[n].end = out[n].start + json_number_value(json_object_get(length, "value")) / rate;
        snprintf(out[n++].label, sizeof out->label, "%s",
                 json_string_value(words) ? json_string_value(words) : "");
    }
    json_decref(root);
    return n;
}

/* --- XML --- */
static const xmlNode *child(const xmlNode *n, const char *name)
{
    for (const xmlNode *c = n ? n->children : NULL; c; c = c->next)
        if (c->type == XML_ELEMENT_NODE && strcmp((const char *)c->name, name) == 0) return c;
    return NULL;
}

static const xmlNode *path(const xmlNode *n, const char *names)
{
    char copy[200], *save = NULL;

    snprintf(copy, sizeof copy, "%s", names);
    for (char *name = strtok_r(copy, "/", &save); name && n; name = strtok_r(NULL, "/", &save))
        n = child(n, name);
    return n;
}

static void text_of(char *out, size_t room, const xmlNode *n)
{
    xmlChar *text = n ? xmlNodeGetContent(n) : NULL;

    snprintf(out, room, "%s", text ? (char *)text : "");
    xmlFree(text);
}

static double number_of(const xmlNode *n)
{
    char text[64];

    text_of(text, sizeof text, n);
    return atof(text);
}

static void attribute(char *out, size_t room, const xmlNode *n, const char *name)
{
    xmlChar *text = n ? xmlGetProp(n, (const xmlChar *)name) : NULL;

    snprintf(out, room, "%s", text ? (char *)text : "");
    xmlFree(text);
}

static double rational(const xmlNode *n, const char *name)
{
    char text[64], *slash;

    attribute(text, sizeof text, n, name);
    slash = strchr(text, '/');
    return atof(text) / (slash ? atof(slash + 1) : 1);
}

static int read_xmeml(rf_span *out, int most, const xmlNode *root, char why[200])
{
    int n = 0;
    double next = 0;
    const xmlNode *file = NULL;

    for (const xmlNode *c = path(root, "sequence/media/video/track")->children; c && n < most;
         c = c->next) {
        char ntsc[8];
        double fps;
        if (c->type != XML_ELEMENT_NODE) continue;
        text_of(ntsc, sizeof ntsc, path(c, "rate/ntsc"));
        fps = number_of(path(c, "rate/timebase")) / (strcmp(ntsc, "TRUE") == 0 ? 1.001 : 1);
        out[n].start = number_of(child(c, "in")) / fps;
        out[n].end = number_of(child(c, "out")) / fps;
        if (number_of(child(c, "start")) != next) return broken(why, "a gap in the sequence", "");
        next = number_of(child(c, "end"));
        if (child(child(c, "file"), "pathurl")) file = child(c, "file");
        text_of(out[n++].label, sizeof out->label, path(c, "marker/name"));
    }
    if (n && (!file || !child(file, "timecode")))
        return broken(why, "a file without its place and timecode", "");
    return n;
}

static int read_fcpxml(rf_span *out, int most, const xmlNode *root, char why[200])
{
    const xmlNode *assets = child(root, "resources");
    int n = 0;

    for (const xmlNode *c = path(root, "library/event/project/sequence/spine")->children;
         c && n < most; c = c->next) {
        char ref[24], id[24] = "";
        const xmlNode *a = assets->children;
        if (c->type != XML_ELEMENT_NODE) continue;
        attribute(ref, sizeof ref, c, "ref");
        for (; a; a = a->next) {
            if (a->type == XML_ELEMENT_NODE) attribute(id, sizeof id, a, "id");
            if (strcmp(ref, id) == 0) break;
        }
        if (!a) return broken(why, "no asset", ref);
        out[n].start = rational(c, "start") - rational(a, "start");
        out[n].end = out[n].start + rational(c, "duration");
        attribute(out[n++].label, sizeof out->label, child(c, "marker"), "value");
    }
    return n;
}

static int read_mkv(rf_span *out, int most, const xmlNode *root)
{
    int n = 0;
    char text[64];

    for (const xmlNode *c = child(root, "EditionEntry")->children; c && n < most; c = c->next) {
        if (c->type != XML_ELEMENT_NODE) continue;
        text_of(text, sizeof text, child(c, "ChapterTimeStart"));
        out[n].start = clock_of(text);
        text_of(text, sizeof text, child(c, "ChapterTimeEnd"));
        out[n].end = clock_of(text);
        text_of(out[n++].label, sizeof out->label, path(c, "ChapterDisplay/ChapterString"));
    }
    return n;
}

/* Neighbouring images that bear one tag are a span. */
static int read_cvat(rf_span *out, int most, const xmlNode *root, int num, int den)
{
    int n = 0;
    long long last = -2;
    char label[512], id[24];

    for (const xmlNode *c = root->children; c; c = c->next) {
        if (c->type != XML_ELEMENT_NODE || strcmp((const char *)c->name, "image") != 0) continue;
        attribute(id, sizeof id, c, "id");
        attribute(label, sizeof label, child(c, "tag"), "label");
        if (atoll(id) != last + 1 || strcmp(label, out[n - 1].label) != 0) {
            if (n == most) break;
            out[n].start = (double)atoll(id) * den / num;
            memcpy(out[n++].label, label, sizeof label);
        }
        last = atoll(id);
        out[n - 1].end = (double)(last + 1) * den / num;
    }
    return n;
}

static int read_xml(rf_span *out, int most, const char *format, const char *text, int num, int den,
                    char why[200])
{
    xmlDoc *doc = xmlReadMemory(text, (int)strlen(text), NULL, NULL,
                                XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                                    XML_PARSE_HUGE);
    const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
    int n;

    if (!root) n = broken(why, "XML", text);
    else if (strcmp(format, "xmeml") == 0) n = read_xmeml(out, most, root, why);
    else if (strcmp(format, "fcpxml") == 0) n = read_fcpxml(out, most, root, why);
    else if (strcmp(format, "cvat") == 0) n = read_cvat(out, most, root, num, den);
    else n = read_mkv(out, most, root);
    xmlFreeDoc(doc);
    return n;
}

int rf_read(rf_span *out, int most, const char *format, const char *text, const char *start,
            int num, int den, char why[200])
{
    *why = 0;
    memset(out, 0, (size_t)most * sizeof *out);
    if (strcmp(format, "cmx3600") == 0) return read_cmx(out, most, text, start, num, den, why);
    if (strcmp(format, "resolve-edl") == 0) return read_resolve(out, most, text, num, den, why);
    if (strcmp(format, "vtt") == 0 || strcmp(format, "srt") == 0) return read_cues(out, most, text);
    if (strcmp(format, "otio") == 0) return read_otio(out, most, text, why);
    if (strcmp(format, "kodi-edl") == 0 || strcmp(format, "mpv-edl") == 0 ||
        strcmp(format, "ffmetadata") == 0)
        return read_lines(out, most, text, format);
    return read_xml(out, most, format, text, num, den, why);
}
