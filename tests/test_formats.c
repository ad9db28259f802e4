/* test_formats.c - moments into every format and back: times to half a frame, names, what a
 * format refuses. */
#include "formats/formats.h"
#include "tests/read_formats.h"

#include <check.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 2400 };

static char folder[] = "/tmp/kinoseek_formats_XXXXXX";
static ks_moment entries[MOST];
static char titles[MOST][64];
static rf_span got[MOST + 8];

static const char *place(const char *name)
{
    static char path[4][200];
    static int i;

    i = (i + 1) % 4;
    snprintf(path[i], sizeof *path, "%s/%s", folder, name);
    return path[i];
}

/* What formats/ writes of entries[n]; malloc'ed. err: of the end. */
static char *written(int *err, const char *format, int n, ks_out_options *o, ks_error *e)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    ks_out_target to = {.stream = f};
    ks_out *out;

    *err = ks_out_open(&out, &to, ks_find_format(format), o, e);
    for (int i = 0; i < n && *err == 0; i++) *err = ks_out_entry(out, &entries[i], e);
    if (*err == 0) *err = ks_out_end(out, e);
    ks_out_close(out);
    fclose(f);
    return text;
}

static int to_file(const char *format, const char *path, int force, int n, ks_out_options *o,
                   ks_error *e)
{
    ks_out_target to = {.path = path, .force = force};
    ks_out *out;
    int err = ks_out_open(&out, &to, ks_find_format(format), o, e);

    for (int i = 0; i < n && err == 0; i++) err = ks_out_entry(out, &entries[i], e);
    if (err == 0) err = ks_out_end(out, e);
    ks_out_close(out);
    return err;
}

/* --- films of every kind of clock --- */
typedef struct {
    const char *name, *timecode;
    int num, den; /* the true rate */
    int known;    /* the catalog knows it; else the average alone */
    int variable;
    double hours;
    double first; /* seconds of sound before the first picture */
    const char *first_label;
} film_kind;

static const film_kind kinds[] = {
    {"29.97 drop", "14:03:22;05", 30000, 1001, 1, 0, 2, 0, ""},
    {"29.97 non-drop", "14:03:22:05", 30000, 1001, 1, 0, 2, 0, ""},
    {"23.976 near midnight", "23:59:30:10", 24000, 1001, 1, 0, 2, 0, ""},
    {"25 near midnight", "23:59:58:24", 25, 1, 1, 0, 2, 0, ""},
    {"59.94 drop near midnight", "23:50:00;04", 60000, 1001, 1, 0, 1, 0, ""},
    {"50", "", 50, 1, 1, 0, 3, 0, ""},
    {"14.709", "", 14709, 1000, 0, 0, 1, 0, ""},
    {"variable", "", 29317, 1000, 0, 1, 1, 0, ""},
    {"30 hours", "", 25, 1, 1, 0, 30, 0, ""},
    {"29.97, average alone", "", 30000, 1001, 0, 0, 2, 0, ""},
    {"25, sound first", "", 25, 1, 1, 0, 2, 1.4232, ""},
    {"25, sound first, over midnight", "23:59:59:10", 25, 1, 1, 0, 2, 1.4232, "00:00:00:21"},
};
enum { KINDS = sizeof kinds / sizeof *kinds, EACH = MOST / KINDS };

/* n moments one behind the other, a frame apart or more, one frame long or more; exact to the
 * time base's rounding. */
static void make_film(const film_kind *k, int n)
{
    double frames = k->hours * 3600 * k->num / k->den, step = frames / n;
    static const ks_timebase bases[] = {{1, 90000}, {1, 12800}, {1, 1000000}};
    ks_timebase tb = bases[random() % 3];
    int64_t first = llround(k->first * tb.den);

    for (int i = 0; i < n; i++) {
        int64_t from = (int64_t)(i * step) + random() % (int64_t)(step / 3 + 1),
                length = random() % 4 ? 1 + random() % (int64_t)(fmin(step / 3, 90) + 1) : 1;
        snprintf(titles[i], sizeof *titles, "label %ld %d", random() % 7, i % 2);
        entries[i] = (ks_moment){.path = "/films/lake & sea.mov",
                                 .title = titles[i],
                                 .video = 7,
                                 .rank = i + 1,
                                 .tb = tb,
                                 .first = first,
                                 .start = first + llround((double)from * k->den / k->num * tb.den),
                                 .end = first +
                                        llround((double)(from + length) * k->den / k->num * tb.den),
                                 .score = 0.5,
                                 .fps = (double)k->num / k->den,
                                 .duration = k->first + k->hours * 3600,
                                 .variable = k->variable,
                                 .rate_num = k->known ? k->num : 0,
                                 .rate_den = k->known ? k->den : 0,
                                 .reel = "A001"};
        entries[i].best = entries[i].start;
        snprintf(entries[i].timecode, sizeof entries[i].timecode, "%s", k->timecode);
    }
}

enum { COUNTS = 1, TIMECODE = 2, DAY = 4, STARTS = 8, HIDES = 16 };
/* How exact besides half a frame, in seconds; what the format needs. STARTS: it has no ends;
 * HIDES: no label. */
static const struct {
    const char *name;
    double rounding;
    int needs;
} formats[] = {
    {"vtt", 0.0006, 0},
    {"srt", 0.0006, 0},
    {"ffmetadata", 0.0006, HIDES},
    {"mkv-chapters", 1e-8, 0},
    {"kodi-edl", 0.0006, STARTS | HIDES},
    {"mpv-edl", 3e-6, HIDES},
    {"cmx3600", 0, COUNTS | TIMECODE | DAY},
    {"resolve-edl", 0, COUNTS | TIMECODE | DAY},
    {"otio", 0, COUNTS},
    {"xmeml", 0, COUNTS | TIMECODE},
    {"fcpxml", 0, COUNTS},
    {"cvat", 0, COUNTS},
};
enum { FORMATS = sizeof formats / sizeof *formats };

static int must_refuse(int needs, const film_kind *k)
{
    return (needs & COUNTS && k->variable) ||
           (needs & TIMECODE && k->num % k->den && k->den != 1001) ||
           (needs & DAY && k->hours > 24);
}

/* One film in one format: what comes back is what went in, within half a frame of the rate that
 * the file counts at. */
static void round_trip(int f, const film_kind *k, int n)
{
    ks_out_options o = {.rows = KS_ROWS_MOMENTS, .command = "kinoseek test"};
    ks_error e = {0};
    int err, num = k->num, den = k->den, read, refused = must_refuse(formats[f].needs, k);
    char why[200], *text;
    double slack, first = formats[f].needs & COUNTS ? k->first : 0;
    const char *start_tc = k->first > 0 ? k->first_label : k->timecode;

    text = written(&err, formats[f].name, n, &o, &e);
    ck_assert_msg((err == KS_EUSAGE) == refused, "%s of %s: %d %s", formats[f].name, k->name, err,
                  e.msg);
    ck_assert_msg(!refused || !*text, "%s of %s wrote before it refused", formats[f].name, k->name);
    if (refused && k->hours <= 24) { /* the way out that the sentence names */
        free(text);
        ck_assert(strstr(e.msg, "--fps"));
        ck_assert_int_eq(ks_rate_read(&o.fps, &o.drop, "30"), 0);
        num = 30, den = 1;
        text = written(&err, formats[f].name, n, &o, &e);
    }
    if (err == 0) {
        slack = (formats[f].needs & COUNTS ? 0.5 * den / num : 0) + formats[f].rounding + 1e-5;
        read = rf_read(got, MOST + 8, formats[f].name, text, start_tc, num, den, why);
        ck_assert_msg(read == n, "%s of %s: %d of %d came back; %s", formats[f].name, k->name, read,
                      n, why);
        for (int i = 0; i < n; i++) {
            double start = ks_seconds(entries[i].start, entries[i].tb) - first,
                   end = ks_seconds(entries[i].end, entries[i].tb) - first,
                   least = fmax(end, start + (formats[f].needs & COUNTS ? (double)den / num : 0));
            ck_assert_msg(fabs(got[i].start - start) <= slack,
                          "%s of %s: moment %d began at %.6f, came back at %.6f", formats[f].name,
                          k->name, i, start, got[i].start);
            ck_assert_msg(formats[f].needs & STARTS ||
                              (got[i].end >= end - slack && got[i].end <= least + slack),
                          "%s of %s: moment %d ended at %.6f, came back at %.6f", formats[f].name,
                          k->name, i, end, got[i].end);
            ck_assert_msg(formats[f].needs & HIDES || strcmp(got[i].label, titles[i]) == 0,
                          "%s of %s: \"%s\" came back as \"%s\"", formats[f].name, k->name,
                          titles[i], got[i].label);
        }
    }
    free(text);
}

START_TEST(every_clock_in_every_format)
{
    unsigned seed = 20261129u + (unsigned)_i;

    printf("%s: seed %u\n", formats[_i].name, seed);
    srandom(seed);
    for (int k = 0; k < KINDS; k++) {
        make_film(&kinds[k], EACH);
        round_trip(_i, &kinds[k], EACH);
    }
}
END_TEST

/* The same through our own readers: what a data-set tool gives back. */
static const char *const sets[] = {"jsonl",    "csv",          "activitynet", "activitynet-truth",
                                   "fiftyone", "label-studio", "elan",        "via"};
enum { SETS = sizeof sets / sizeof *sets };

static const ks_span *span_at(const ks_spans *s, int of, const char *label, double start)
{
    const ks_span *best = NULL;

    for (int i = 0; i < s->n; i++)
        if (strcmp(s->at[i].label, label) == 0 &&
            (!best || fabs(s->at[i].start - start) < fabs(best->start - start)))
            best = &s->at[i];
    ck_assert_msg(best != NULL, "moment %d, \"%s\", did not come back", of, label);
    return best;
}

START_TEST(data_sets_come_back)
{
    const char *format = sets[_i];
    unsigned seed = 20261200u + (unsigned)_i;

    printf("%s: seed %u\n", format, seed);
    srandom(seed);
    for (int k = 0; k < KINDS; k++) {
        ks_out_options o = {.rows = KS_ROWS_MOMENTS};
        ks_error e = {0};
        ks_spans s;
        const char *path = place("set");
        int counts = strcmp(format, "label-studio") == 0, err;
        double slack = (counts ? 0.5 * kinds[k].den / kinds[k].num : 0) + 0.00051;

        make_film(&kinds[k], EACH);
        if (counts && kinds[k].variable) {
            ck_assert_int_eq(to_file(format, path, 1, EACH, &o, &e), KS_EUSAGE);
            ck_assert_int_eq(ks_rate_read(&o.fps, &o.drop, "30"), 0);
            slack = 0.5 / 30 + 0.00051;
        }
        ck_assert_msg((err = to_file(format, path, 1, EACH, &o, &e)) == 0, "%s: %d %s", format, err,
                      e.msg);
        if (counts) path = place("set/tasks.json");
        ck_assert_msg(ks_spans_read(&s, path, 0, &e) == 0, "%s: %s", format, e.msg);
        ck_assert_str_eq(s.format, format);
        ck_assert_int_eq(s.n, EACH);
        for (int i = 0; i < EACH; i++) {
            double start = ks_seconds(entries[i].start, entries[i].tb),
                   end = ks_seconds(entries[i].end, entries[i].tb);
            const ks_span *b = span_at(&s, i, titles[i], start);
            ck_assert_str_eq(b->film, entries[i].path);
            ck_assert_msg(fabs(b->start - start) <= slack && b->end >= end - slack &&
                              b->end <= fmax(end, start + 0.034) + slack,
                          "%s of %s: %.4f-%.4f came back as %.4f-%.4f", format, kinds[k].name,
                          start, end, b->start, b->end);
            ck_assert_int_eq(b->yes, 1);
        }
        ks_spans_free(&s);
        unlink(place("set"));
        unlink(place("set/tasks.json"));
        unlink(place("set/config.xml"));
        unlink(place("set/labels.json"));
        unlink(place("set/data.json"));
        rmdir(place("set"));
    }
}
END_TEST

/* --- names --- */
static const char *const awkward[] = {
    "\"quoted\" 'twice'",
    "<&> &amp; <b>",
    "a | b |C:x |D:9",
    "=cmd()",
    "'=cmd()",
    "''=1",
    "-->",
    "a --> b -->",
    "two\nlines\r\nthree",
    "\ttab",
    "\xe2\x80\xae"
    "bidi\xe2\x81\xa6",
    "na\xefve",
    "\x01\x1f control",
    "]]>",
    "%d%s%n",
    "\\back\\",
    ";#=",
    "  blanks  ",
    "\xf0\x9f\x90\x95 \xef\xbf\xbf",
    "a,b;c",
    "{x}",
};
enum { AWKWARD = sizeof awkward / sizeof *awkward };

static void make_names(void)
{
    static char paths[AWKWARD][128];

    for (int i = 0; i < AWKWARD; i++) {
        snprintf(paths[i], sizeof *paths, "/films/%s.mov", awkward[i]);
        for (char *s = paths[i] + 7; *s; s++)
            if (*s == '/') *s = '_';
        entries[i] = (ks_moment){.path = paths[i],
                                 .title = awkward[i],
                                 .video = i + 1,
                                 .rank = i + 1,
                                 .tb = {1, 1000},
                                 .start = 1000 * i,
                                 .end = 1000 * i + 900,
                                 .fps = 25,
                                 .duration = 100};
    }
}

/* What UTF-8 can hold of a text: U+FFFD for bytes of none, and `without`: for what the format
 * has no place for. */
static void substitute(char *out, const char *s, const char *controls)
{
    while (*s) {
        int n = ks_utf8_length(s);
        unsigned char c = (unsigned char)*s;
        const char *to = n == 0 || (controls && strcmp(controls, "\xef\xbf\xbd") == 0 && c < 0x20 &&
                                    !strchr("\t\n\r", c))
                             ? "\xef\xbf\xbd"
                         : controls && strcmp(controls, " ") == 0 && c < 0x20 ? " "
                                                                              : NULL;
        if (controls && strncmp(s, "\xef\xbf\xbf", 3) == 0 && *controls != ' ') to = "\xef\xbf\xbd";
        out += to ? sprintf(out, "%s", to) : sprintf(out, "%.*s", n, s);
        s += n ? n : 1;
    }
    *out = 0;
}

START_TEST(names_come_back_from_data_sets)
{
    const char *format = sets[_i], *path = place("names");
    ks_out_options o = {.rows = KS_ROWS_MOMENTS};
    ks_error e = {0};
    ks_spans s;
    int elan = strcmp(format, "elan") == 0;

    make_names();
    if (elan) /* one film a file */
        for (int i = 0; i < AWKWARD; i++) entries[i].path = entries[0].path, entries[i].video = 1;
    ck_assert_msg(to_file(format, path, 1, AWKWARD, &o, &e) == 0, "%s: %s", format, e.msg);
    if (strcmp(format, "label-studio") == 0) path = place("names/tasks.json");
    ck_assert_msg(ks_spans_read(&s, path, 0, &e) == 0, "%s: %s", format, e.msg);
    ck_assert_int_eq(s.n, AWKWARD);
    for (int i = 0; i < AWKWARD; i++) {
        char want[256];
        substitute(want, awkward[i], elan ? "\xef\xbf\xbd" : NULL);
        ck_assert_str_eq(span_at(&s, i, want, i)->label, want);
        /* also bytes that are not UTF-8: as a URL, or path_bytes */
        ck_assert_str_eq(span_at(&s, i, want, i)->film, entries[i].path);
    }
    ks_spans_free(&s);
    unlink(place("names/tasks.json")), unlink(place("names/config.xml")),
        unlink(place("names/labels.json")), unlink(place("names/data.json"));
    unlink(place("names")), rmdir(place("names"));
}
END_TEST

/* Stated: no tags, no escapes. */
static void as_subrip(char *s)
{
    static const char *const of[] = {"<\xe2\x80\xb9", ">\xe2\x80\xba", "{(", "})", "\\/"};

    for (; *s; s++)
        for (size_t i = 0; i < sizeof of / sizeof *of; i++)
            if (*s == *of[i]) {
                size_t n = strlen(of[i] + 1);
                memmove(s + n, s + 1, strlen(s));
                memcpy(s, of[i] + 1, n);
                s += n - 1;
                break;
            }
}

START_TEST(names_come_back_from_editors)
{
    static const struct {
        const char *name, *controls; /* what becomes of control characters */
    } of[] = {{"otio", NULL},
              {"xmeml", "\xef\xbf\xbd"},
              {"fcpxml", "\xef\xbf\xbd"},
              {"mkv-chapters", "\xef\xbf\xbd"},
              {"cmx3600", " "},
              {"resolve-edl", " "},
              {"vtt", " "},
              {"srt", " "}};

    make_names();
    for (int i = 0; i < AWKWARD; i++) entries[i].path = entries[0].path, entries[i].video = 1;
    for (size_t f = 0; f < sizeof of / sizeof *of; f++) {
        ks_out_options o = {.rows = KS_ROWS_MOMENTS};
        ks_error e = {0};
        char why[200], *text;
        int err, n;
        text = written(&err, of[f].name, AWKWARD, &o, &e);
        ck_assert_msg(err == 0, "%s: %s", of[f].name, e.msg);
        n = rf_read(got, MOST, of[f].name, text, "", 25, 1, why);
        ck_assert_msg(n == AWKWARD, "%s: %d of %d came back; %s\n%.3000s", of[f].name, n, AWKWARD,
                      why, text);
        for (int i = 0; i < n; i++) {
            char want[256], plain[512] = "";
            substitute(want, awkward[i], of[f].controls);
            if (strcmp(of[f].name, "srt") == 0) as_subrip(want);
            /* stated: without the bar that ends its fields */
            if (strcmp(of[f].name, "resolve-edl") == 0) {
                char *to = want;
                for (char *s = want; *s; s++)
                    if (*s != '|') *to++ = *s;
                *to = 0;
            }
            for (const char *s = got[i].label; *s; s++) { /* WebVTT's three escapes */
                const char *to = strcmp(of[f].name, "vtt")     ? NULL
                                 : strncmp(s, "&amp;", 5) == 0 ? "&"
                                 : strncmp(s, "&lt;", 4) == 0  ? "<"
                                 : strncmp(s, "&gt;", 4) == 0  ? ">"
                                                               : NULL;
                snprintf(plain + strlen(plain), sizeof plain - strlen(plain), "%.1s", to ? to : s);
                if (to) s = strchr(s, ';');
            }
            ck_assert_msg(strcmp(plain, want) == 0, "%s: \"%s\" came back as \"%s\"", of[f].name,
                          want, plain);
        }
        free(text);
    }
}
END_TEST

/* --- limits --- */
static void make_overlaps(int n)
{
    make_film(&kinds[3], n);
    for (int i = 0; i < n; i++)
        entries[i].end = entries[i].start + 40LL * entries[i].tb.den,
        entries[i].title = "one label";
}

START_TEST(twelve_hundred_events_that_overlap)
{
    ks_out_options o = {.rows = KS_ROWS_MOMENTS};
    ks_error e = {0};
    int err;
    char why[200], *text;
    ks_spans s;

    srandom(1200);
    make_overlaps(1200);
    text = written(&err, "cmx3600", 1200, &o, &e);
    ck_assert_int_eq(err, KS_EUSAGE);
    ck_assert_str_eq(e.msg, "cmx3600 holds 999 events, these are 1200: narrow it");
    ck_assert_str_eq(text, "");
    free(text);
    o.narrow = "--in or --label";
    free(written(&err, "cmx3600", 1200, &o, &e));
    ck_assert_str_eq(e.msg,
                     "cmx3600 holds 999 events, these are 1200: narrow it with --in or --label");
    text = written(&err, "xmeml", 1200, &o, &e);
    ck_assert_int_eq(rf_read(got, MOST, "xmeml", text, "", 25, 1, why), 1200);
    free(text);
    /* tiers hold no overlap: it takes several */
    ck_assert_int_eq(to_file("elan", place("over.eaf"), 0, 1200, &o, &e), 0);
    ck_assert_int_eq(ks_spans_read(&s, place("over.eaf"), 0, &e), 0);
    ck_assert_int_eq(s.n, 1200);
    ks_spans_free(&s);
    unlink(place("over.eaf"));
}
END_TEST

START_TEST(nothing_is_a_whole_file)
{
    static const char *const empty[] = {
        "jsonl",        "csv",      "vtt",     "srt",         "ffmetadata",
        "mkv-chapters", "kodi-edl", "cmx3600", "resolve-edl", "otio",
        "xmeml",        "fcpxml",   "elan",    "activitynet", "activitynet-truth",
        "via",          "cvat"};
    ks_out_options o = {.rows = KS_ROWS_MOMENTS};
    ks_error e = {0};
    int err;
    ks_spans s;

    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        char *text = written(&err, empty[i], 0, &o, &e);
        ck_assert_msg(err == 0, "%s: %s", empty[i], e.msg);
        free(text);
    }
    for (int i = 3; i < SETS; i++) {
        if (strcmp(sets[i], "fiftyone") == 0 || strcmp(sets[i], "label-studio") == 0) continue;
        ck_assert_int_eq(to_file(sets[i], place("none"), 1, 0, &o, &e), 0);
        ck_assert_msg(ks_spans_read(&s, place("none"), 0, &e) == 0, "%s: %s", sets[i], e.msg);
        ck_assert_int_eq(s.n, 0);
        ks_spans_free(&s);
    }
    unlink(place("none"));
    /* mpv and YouTube refuse a file of nothing: there is none, and what is there stays */
    for (int i = 0; i < 2; i++) {
        const char *format = i ? "youtube" : "mpv-edl";
        char *text = written(&err, format, 0, &o, &e);
        ck_assert_int_eq(err, 0);
        ck_assert_str_eq(text, "");
        free(text);
        ck_assert_int_eq(to_file(format, place("none"), 0, 0, &o, &e), 0);
        ck_assert_int_ne(access(place("none"), F_OK), 0);
        ck_assert_int_eq(to_file("csv", place("none"), 0, 0, &o, &e), 0);
        ck_assert_int_eq(to_file(format, place("none"), 1, 0, &o, &e), 0);
        ck_assert_int_eq(access(place("none"), F_OK), 0);
        unlink(place("none"));
    }
}
END_TEST

/* FFMETADATA holds overlaps; what begins together is one, to the last end. */
START_TEST(chapters_overlap)
{
    static const int spans[][2] = {{1, 9}, {5, 7}, {5, 8}, {12, 14}};
    static const char want[] = ";FFMETADATA1\n"
                               "[CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND=9000\ntitle=a\n"
                               "[CHAPTER]\nTIMEBASE=1/1000\nSTART=5000\nEND=8000\ntitle=b, c\n"
                               "[CHAPTER]\nTIMEBASE=1/1000\nSTART=12000\nEND=14000\ntitle=d\n";
    ks_out_options o = {.rows = KS_ROWS_MOMENTS};
    ks_error e = {0};
    int err;
    char *text;

    for (int i = 0; i < 4; i++) {
        snprintf(titles[i], sizeof *titles, "%c", 'a' + i);
        entries[i] = (ks_moment){.path = "/a.mp4",
                                 .title = titles[i],
                                 .video = 1,
                                 .rank = i + 1,
                                 .tb = {1, 1},
                                 .start = spans[i][0],
                                 .end = spans[i][1]};
    }
    text = written(&err, "ffmetadata", 4, &o, &e);
    ck_assert_int_eq(err, 0);
    ck_assert_str_eq(text, want);
    free(text);
}
END_TEST

/* A film's timecode drops labels or does not: the other kind would name other frames. */
START_TEST(labels_count_as_the_film_does)
{
    static const struct {
        const char *timecode, *fps;
        int refused;
    } of[] = {{"23:59:58;10", "29.97ndf", 1}, {"23:59:58:10", "29.97df", 1},
              {"23:59:58;10", "29.97df", 0},  {"23:59:58:10", "29.97ndf", 0},
              {"23:59:58;10", "29.97", 0},    {"", "29.97ndf", 0}};

    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        ks_out_options o = {.rows = KS_ROWS_MOMENTS};
        ks_error e = {0};
        int err;
        entries[0] = (ks_moment){.path = "/a.mov",
                                 .title = "x",
                                 .video = 1,
                                 .tb = {1, 1},
                                 .start = 1,
                                 .end = 2,
                                 .rate_num = 30000,
                                 .rate_den = 1001};
        snprintf(entries[0].timecode, sizeof entries[0].timecode, "%s", of[i].timecode);
        ck_assert_int_eq(ks_rate_read(&o.fps, &o.drop, of[i].fps), 0);
        free(written(&err, "cmx3600", 1, &o, &e));
        ck_assert_msg((err == KS_EUSAGE) == of[i].refused, "%s %s: %d %s", of[i].timecode,
                      of[i].fps, err, e.msg);
        ck_assert(!of[i].refused || strstr(e.msg, "a.mov: its timecode, 23:59:58"));
    }
}
END_TEST

/* Two films of one name: in one file each has an id, in a folder a file. */
START_TEST(films_of_one_name)
{
    ks_out_options o = {.rows = KS_ROWS_MOMENTS};
    ks_error e = {0};
    ks_spans s;

    for (int i = 0; i < 2; i++)
        entries[i] = (ks_moment){.path = i ? "/b/lake.mp4" : "/a/lake.mov",
                                 .title = "x",
                                 .video = 3 + i,
                                 .tb = {1, 1},
                                 .start = i,
                                 .end = i + 2,
                                 .fps = 25,
                                 .duration = 9};
    for (int i = 2; i < SETS; i++) {
        if (strcmp(sets[i], "elan") == 0 || strcmp(sets[i], "label-studio") == 0) continue;
        ck_assert_msg(to_file(sets[i], place("two"), 1, 2, &o, &e) == 0, "%s: %s", sets[i], e.msg);
        ck_assert_msg(ks_spans_read(&s, place("two"), 0, &e) == 0, "%s: %s", sets[i], e.msg);
        ck_assert_int_eq(s.n, 2);
        ck_assert_str_eq(s.at[0].film, "/a/lake.mov");
        ck_assert_str_eq(s.at[1].film, "/b/lake.mp4");
        ks_spans_free(&s);
        unlink(place("two/labels.json")), unlink(place("two/data.json")), unlink(place("two")),
            rmdir(place("two"));
    }
    ck_assert_int_eq(to_file("elan", place("two/"), 0, 2, &o, &e), 0);
    ck_assert_int_eq(access(place("two/lake.eaf"), F_OK) | access(place("two/lake (4).eaf"), F_OK),
                     0);
    ck_assert_int_eq(to_file("elan", place("two/"), 0, 2, &o, &e), KS_EUSAGE); /* they are there */
    unlink(place("two/lake.eaf")), unlink(place("two/lake (4).eaf")), rmdir(place("two"));
    ck_assert_int_eq(to_file("vtt", place("two.vtt"), 0, 2, &o, &e), KS_EUSAGE);
    ck_assert_int_ne(access(place("two.vtt"), F_OK), 0);
}
END_TEST

START_TEST(activitynet_ids_are_its_own)
{
    static const char *const paths[] = {"/a/v_QOlSCBRmfWY.mp4", "/a/v_x.mp4", "/a/x.mp4"};
    ks_out_options o = {.rows = KS_ROWS_MOMENTS};
    ks_error e = {0};
    int err;
    char *text;

    for (int i = 0; i < 3; i++)
        entries[i] = (ks_moment){.path = paths[i],
                                 .title = "t",
                                 .video = 1 + i,
                                 .tb = {1, 1},
                                 .start = i,
                                 .end = i + 2,
                                 .duration = 9};
    for (int truth = 0; truth < 2; truth++) {
        text = written(&err, truth ? "activitynet-truth" : "activitynet", 3, &o, &e);
        ck_assert_int_eq(err, 0);
        ck_assert_msg(strstr(text, "\"QOlSCBRmfWY\":") && strstr(text, "\"v_x\":") &&
                          strstr(text, "\"x\":"),
                      "%s", text);
        free(text);
    }
}
END_TEST

START_TEST(mixed_rates_are_one_or_refused)
{
    ks_out_options o = {.rows = KS_ROWS_MOMENTS};
    ks_error e = {0};
    int err;
    char why[200], *text;

    make_film(&kinds[5], 4);
    for (int i = 2; i < 4; i++)
        entries[i].path = "/films/other.mov", entries[i].video = 8, entries[i].rate_num = 24000,
        entries[i].rate_den = 1001, entries[i].fps = 23.976;
    free(written(&err, "cmx3600", 4, &o, &e));
    ck_assert_int_eq(err, KS_EUSAGE);
    ck_assert(strstr(e.msg, "--fps"));
    ck_assert_int_eq(ks_rate_read(&o.fps, &o.drop, "25"), 0);
    for (int f = 0; f < 3; f++) {
        const char *name = f == 0 ? "cmx3600" : f == 1 ? "xmeml" : "fcpxml";
        text = written(&err, name, 4, &o, &e);
        ck_assert_int_eq(rf_read(got, 8, name, text, "", 25, 1, why), 4);
        for (int i = 0; i < 4; i++)
            ck_assert_msg(
                fabs(got[i].start - ks_seconds(entries[i].start, entries[i].tb)) <= 0.0201,
                "%s %d: %f %f", name, i, got[i].start, ks_seconds(entries[i].start, entries[i].tb));
        free(text);
    }
}
END_TEST

START_TEST(youtube_merges_and_begins_at_nought)
{
    static const int starts[] = {14, 20, 31, 60, 61, 118};
    ks_out_options o = {.rows = KS_ROWS_MOMENTS};
    ks_error e = {0};
    int err;
    char *text;

    for (int i = 0; i < 6; i++) {
        snprintf(titles[i], sizeof *titles, i == 1 ? "<b>" : "t%d", i);
        entries[i] = (ks_moment){.path = "/a.mp4",
                                 .title = titles[i],
                                 .video = 1,
                                 .tb = {1, 10},
                                 .start = starts[i] * 10 + 7,
                                 .end = starts[i] * 10 + 90,
                                 .duration = 125};
    }
    text = written(&err, "youtube", 6, &o, &e);
    ck_assert_str_eq(text, "0:00 Start\n0:14 t0, b\n0:31 t2\n1:00 t3, t4, t5\n");
    free(text);
    free(written(&err, "youtube", 2, &o, &e)); /* Start, and one chapter */
    ck_assert_int_eq(err, KS_EUSAGE);
    ck_assert_str_eq(e.msg, "a.mp4: youtube wants 3 chapters of 10 s, its moments make 2");
}
END_TEST

/* --- files --- */
START_TEST(a_users_file_is_never_replaced)
{
    ks_out_options o = {.rows = KS_ROWS_MOMENTS};
    ks_error e = {0};
    struct stat before, after;
    struct rlimit old, small = {512, 512};
    const char *path = place("mine.srt");
    FILE *f = fopen(path, "w");

    fputs("mine\n", f);
    fclose(f);
    stat(path, &before);
    make_film(&kinds[5], 200);
    ck_assert_int_eq(to_file("srt", path, 0, 200, &o, &e), KS_EUSAGE);
    stat(path, &after);
    ck_assert(before.st_ino == after.st_ino && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec &&
              before.st_size == after.st_size);
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    int err = to_file("srt", path, 1, 200, &o, &e);
    setrlimit(RLIMIT_FSIZE, &old);
    ck_assert_int_eq(err, KS_EIO); /* no room: what was there is there */
    stat(path, &after);
    ck_assert(before.st_ino == after.st_ino && after.st_size == 5);
    ck_assert_int_eq(to_file("srt", path, 1, 200, &o, &e), 0);
    stat(path, &after);
    ck_assert_int_gt(after.st_size, 5000);
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0); /* nothing is left beside it */
    ck_assert_ptr_nonnull(mkdtemp(strcpy(folder, "/tmp/kinoseek_formats_XXXXXX")));
}
END_TEST

/* The names that --format takes are those of the table. */
START_TEST(names_and_table_agree)
{
    char names[] = KS_FORMAT_NAMES, *save = NULL;
    ks_format_facts f;
    int n = 0, others = 0;

    for (char *name = strtok_r(names, "|", &save); name; name = strtok_r(NULL, "|", &save), n++)
        ck_assert_msg(ks_find_format(name) != NULL, "%s", name);
    for (int i = 0; ks_format_about(&f, i); i++)
        others += strcmp(f.name, "html") != 0 && strcmp(f.name, "print") != 0;
    ck_assert_int_eq(n, others);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("formats");
    TCase *c = tcase_create("formats");
    SRunner *r = srunner_create(s);
    int failed;

    if (!mkdtemp(folder)) return 1;
    tcase_add_loop_test(c, every_clock_in_every_format, 0, FORMATS);
    tcase_add_loop_test(c, data_sets_come_back, 0, SETS);
    tcase_add_loop_test(c, names_come_back_from_data_sets, 0, SETS);
    tcase_add_test(c, names_come_back_from_editors);
    tcase_add_test(c, twelve_hundred_events_that_overlap);
    tcase_add_test(c, nothing_is_a_whole_file);
    tcase_add_test(c, chapters_overlap);
    tcase_add_test(c, labels_count_as_the_film_does);
    tcase_add_test(c, films_of_one_name);
    tcase_add_test(c, activitynet_ids_are_its_own);
    tcase_add_test(c, mixed_rates_are_one_or_refused);
    tcase_add_test(c, youtube_merges_and_begins_at_nought);
    tcase_add_test(c, names_and_table_agree);
    tcase_add_test(c, a_users_file_is_never_replaced);
    suite_add_tcase(s, c);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    rmdir(folder);
    return failed != 0;
}
