/* test_format_files.c - what stands there already: sidecars that other programs wrote too, and
 * lists of theirs. */
#include "formats/formats.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/kinoseek_formats_XXXXXX";
static ks_moment entries[4];

static const char *place(const char *name)
{
    static char path[4][200];
    static int i;

    i = (i + 1) % 4;
    snprintf(path[i], sizeof *path, "%s/%s", folder, name);
    return path[i];
}

/* --- XMP --- */
/* Three moments of a film of 29.97 frames a second, ten frames long each. */
static void make_moments(void)
{
    static const int first[] = {30, 899, 53946};

    for (int i = 0; i < 3; i++)
        entries[i] = (ks_moment){.title = "label",
                                 .video = 7,
                                 .rank = i + 1,
                                 .tb = {1, 90000},
                                 .start = first[i] * 3003,
                                 .end = (first[i] + 10) * 3003,
                                 .best = first[i] * 3003,
                                 .fps = 30000.0 / 1001,
                                 .duration = 7200,
                                 .rate_num = 30000,
                                 .rate_den = 1001,
                                 .timecode = "14:03:22;05"};
}

static int sidecar_of(const char *format, const char *film, int n, ks_error *e)
{
    ks_out_options o = {.rows = KS_ROWS_MOMENTS};
    ks_out_target to = {.beside = 1};
    ks_out *out;
    int err = ks_out_open(&out, &to, ks_find_format(format), &o, e);

    for (int i = 0; i < n && err == 0; i++) {
        entries[i].path = film;
        err = ks_out_entry(out, &entries[i], e);
    }
    if (err == 0) err = ks_out_end(out, e);
    ks_out_close(out);
    return err;
}

static int sidecar(const char *film, int n, ks_error *e) { return sidecar_of("xmp", film, n, e); }

static char *slurp(const char *path)
{
    static char text[65536];
    FILE *f = fopen(path, "r");

    text[f ? fread(text, 1, sizeof text - 1, f) : 0] = 0;
    if (f) fclose(f);
    return text;
}

static int times(const char *text, const char *what)
{
    int n = 0;

    for (; (text = strstr(text, what)); text += strlen(what)) n++;
    return n;
}

START_TEST(xmp_keeps_what_others_wrote)
{
    static const char theirs[] =
        "<?xpacket begin=\"\xef\xbb\xbf\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n<!-- mine "
        "--><x:xmpmeta xmlns:x=\"adobe:ns:meta/\" x:xmptk=\"XMP Core 6\">"
        "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><rdf:Description "
        "rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" "
        "xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" "
        "xmp:Rating=\"5\"><dc:subject><rdf:Bag><rdf:li>holiday</rdf:li><rdf:li>dog</rdf:li></"
        "rdf:Bag></dc:subject>"
        "<dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">Ours &amp; "
        "yours</rdf:li></rdf:Alt></dc:title></rdf:Description>"
        "<rdf:Description rdf:about=\"\" "
        "xmlns:d=\"http://ns.adobe.com/xmp/1.0/DynamicMedia/\"><d:Tracks><rdf:Bag><rdf:li "
        "rdf:parseType=\"Resource\"><d:trackName>Theirs</d:trackName></rdf:li></rdf:Bag></"
        "d:Tracks></rdf:Description>"
        "</rdf:RDF></x:xmpmeta><?xpacket end=\"w\"?>";
    ks_error e = {0};
    char film[200], file[220], *text;
    ks_out *out;
    FILE *f;

    snprintf(film, sizeof film, "%s/a.mov", folder);
    snprintf(file, sizeof file, "%s/a.xmp", folder);
    f = fopen(file, "w");
    fputs(theirs, f);
    fclose(f);
    make_moments();
    entries[0].title = "dog";
    entries[1].title = "<cat> & \x01";
    entries[2].title = "dog";
    /* the second time changes nothing but our own track */
    for (int again = 0; again < 2; again++) {
        ck_assert_msg(sidecar(film, 3, &e) == 0, "%s", e.msg);
        text = slurp(file);
        ck_assert(times(text, "<!-- mine -->") == 1 && times(text, "xmp:Rating=\"5\"") == 1 &&
                  times(text, "Ours &amp; yours") == 1 && times(text, "<d:trackName>Theirs") == 1);
        ck_assert_msg(times(text, "<rdf:li>dog</rdf:li>") == 1 &&
                          times(text, "<rdf:li>holiday</rdf:li>") == 1 &&
                          times(text, "<rdf:li>&lt;cat&gt; &amp; \xef\xbf\xbd</rdf:li>") ==
                              2, /* among the keywords, and named as ours */
                      "%.3000s", text);
        ck_assert(times(text, ":subject>") == 2 && times(text, ":Tracks>") == 2 &&
                  times(text, ":trackName>kinoseek<") == 1 && times(text, ":startTime>") == 6);
        ck_assert(times(text, ":frameRate>f30000s1001<") == 1 && times(text, "xpacket end") == 1);
    }
    /* what is no label any more goes, if it was ours; a keyword of theirs that is a label too
     * stays when the label goes */
    entries[0].title = "bird";
    entries[1].title = "bird";
    entries[2].title = "holiday";
    ck_assert_msg(sidecar(film, 3, &e) == 0, "%s", e.msg);
    text = slurp(file);
    ck_assert_msg(times(text, "cat&gt;") == 0 && times(text, ">dog</rdf:li>") == 1 &&
                      times(text, ">holiday</rdf:li>") == 1 && times(text, ">bird</rdf:li>") == 2,
                  "%.3000s", text);
    entries[0].title = entries[1].title = entries[2].title = "dog";
    ck_assert_msg(sidecar(film, 3, &e) == 0, "%s", e.msg);
    text = slurp(file);
    ck_assert_msg(times(text, ">dog</rdf:li>") == 1 && times(text, ">holiday</rdf:li>") == 1 &&
                      times(text, "bird") == 0 && times(text, "Ours &amp; yours") == 1,
                  "%.3000s", text);
    f = fopen(file, "w");
    fputs("not XML", f);
    fclose(f);
    ck_assert_int_eq(sidecar(film, 3, &e), KS_EFORMAT);
    ck_assert_str_eq(slurp(file), "not XML");
    unlink(file);
    ck_assert_int_eq(sidecar(film, 3, &e), 0);
    ck_assert_int_eq(times(slurp(file), "<rdf:li>dog</rdf:li>"), 2);
    unlink(file);
    /* beside the film alone */
    ck_assert_int_eq(ks_out_open(&out, &(ks_out_target){.path = file}, ks_find_format("xmp"),
                                 &(ks_out_options){0}, &e),
                     KS_EUSAGE);
    ks_out_close(out);
}
END_TEST

/* c.mp4 and c.mov would share c.xmp: each has one by its whole name. */
START_TEST(films_of_one_stem_keep_their_markers)
{
    static const char *const films[] = {"c.mp4", "c.mov"};
    ks_error e = {0};

    make_moments();
    for (int i = 0; i < 2; i++) { /* c.mp4 alone at first */
        FILE *f = fopen(place(films[i]), "w");
        if (f) fclose(f);
        for (int k = 0; k < 3; k++) entries[k].title = films[i];
        ck_assert_msg(sidecar(place(films[i]), 3, &e) == 0, "%s", e.msg);
    }
    ck_assert_int_eq(times(slurp(place("c.xmp")), "name>c.mp4<"), 3);
    ck_assert_int_eq(times(slurp(place("c.mov.xmp")), "name>c.mov<"), 3);
    ck_assert_int_eq(sidecar(place("c.mp4"), 3, &e), 0);
    ck_assert_int_eq(times(slurp(place("c.mov.xmp")), "name>c.mov<"), 3);
    ck_assert_int_eq(times(slurp(place("c.mp4.xmp")), "startTime>"), 6);
    for (int i = 0; i < 2; i++) { /* and so do subtitles */
        for (int k = 0; k < 3; k++) entries[k].title = films[i];
        ck_assert_msg(sidecar_of("srt", place(films[i]), 3, &e) == 0, "%s", e.msg);
        ck_assert_int_eq(sidecar_of("srt", place(films[i]), 3, &e), KS_EUSAGE);
    }
    ck_assert_int_eq(times(slurp(place("c.mp4.srt")), "c.mp4\n"), 3);
    ck_assert_int_eq(times(slurp(place("c.mov.srt")), "c.mov\n"), 3);
    for (int i = 0; i < 2; i++) unlink(place(films[i]));
    unlink(place("c.mp4.srt")), unlink(place("c.mov.srt"));
    unlink(place("c.xmp")), unlink(place("c.mov.xmp")), unlink(place("c.mp4.xmp"));
}
END_TEST

/* --- reading --- */
static int read_text(ks_spans *s, const char *text, ks_error *e)
{
    FILE *f = fopen(place("in"), "w");

    fputs(text, f);
    fclose(f);
    return ks_spans_read(s, place("in"), 0, e);
}

START_TEST(what_other_tools_write)
{
    ks_spans s;
    ks_error e = {0};

    /* Kinetics' columns, times as clocks, a no */
    ck_assert_int_eq(
        read_text(&s,
                  "label,youtube_id,time_start,time_end,answer\r\n\"ab,\ns\",v1,1:02.5,70,no\r\n",
                  &e),
        0);
    ck_assert(s.n == 1 && strcmp(s.at[0].film, "v1") == 0 && s.at[0].start == 62.5 &&
              s.at[0].end == 70 && !s.at[0].yes && strcmp(s.at[0].label, "ab,\ns") == 0);
    ks_spans_free(&s);
    /* whole films, tabs, a mark of order */
    ck_assert_int_eq(read_text(&s, "\xef\xbb\xbfpath\tlabel\na b.mp4\tdog\n", &e), 0);
    ck_assert(s.n == 1 && s.at[0].start == 0 && s.at[0].end == -1 && strcmp(s.format, "csv") == 0);
    ks_spans_free(&s);
    ck_assert_int_eq(read_text(&s, "path,start,end,label\na,1,2,x\nb,3,oops,y\n", &e), KS_EFORMAT);
    ck_assert_msg(strstr(e.msg, "line 3") != NULL, "%s", e.msg);
    /* nothing, as search --json says it */
    ck_assert_int_eq(read_text(&s, "\n", &e), 0);
    ck_assert(s.n == 0 && s.n_films == 0 && strcmp(s.format, "jsonl") == 0);
    ks_spans_free(&s);
    /* Label Studio: made from a prediction, of which one region is gone, one moved; another
     * annotation was skipped */
    ck_assert_int_eq(
        read_text(&s,
                  "[{\"data\":{\"video\":\"/data/local-files/?d=films/a%20b.mp4\",\"fps\":25},"
                  "\"annotations\":[{\"was_cancelled\":false,\"parent_prediction\":1,\"result\":[{"
                  "\"id\":\"r1\",\"type\":\"timelinelabels\",\"value\":{\"ranges\":[{\"start\":26,"
                  "\"end\":75}],\"timelinelabels\":[\"dog\"]}}]},"
                  "{\"was_cancelled\":true,\"result\":[{\"id\":\"z\",\"value\":{\"ranges\":[{"
                  "\"start\":1,\"end\":2}],\"timelinelabels\":[\"cat\"]}}]}],"
                  "\"predictions\":[{\"result\":[{\"id\":\"r1\",\"value\":{\"ranges\":[{\"start\":"
                  "1,\"end\":75}],\"timelinelabels\":[\"dog\"]}},{\"id\":\"r2\",\"value\":{"
                  "\"ranges\":[{\"start\":101,\"end\":125}],\"timelinelabels\":[\"dog\"]}}]}]}]",
                  &e),
        0);
    ck_assert_int_eq(s.n, 2);
    ck_assert_str_eq(s.at[0].film, "/films/a b.mp4");
    ck_assert(s.at[0].yes && s.at[0].start == 1 && s.at[0].end == 3 && !s.at[1].yes &&
              s.at[1].start == 4 && s.at[1].end == 5);
    ks_spans_free(&s);
    ck_assert_int_eq(
        read_text(&s,
                  "[{\"data\":{\"video\":\"a.mp4\"},\"annotations\":[{\"result\":[{\"value\":{"
                  "\"ranges\":[{\"start\":1,\"end\":2}],\"timelinelabels\":[\"x\"]}}]}]}]",
                  &e),
        KS_EUSAGE);
    /* FiftyOne as it exports: frames */
    ck_assert_int_eq(read_text(&s,
                               "{\"classes\":[\"a\",\"b\"],\"labels\":{\"u1\":[{\"label\":1,"
                               "\"support\":[26,50]}],\"u2\":null}}",
                               &e),
                     KS_EUSAGE);
    ck_assert_int_eq(ks_spans_read(&s, place("in"), 25, &e), 0);
    ck_assert(s.n == 1 && s.at[0].start == 1 && s.at[0].end == 2 &&
              strcmp(s.at[0].label, "b") == 0);
    ks_spans_free(&s);
    /* ELAN: the film begins two seconds before the annotations' time; three parts of an annotation,
     * of which nobody said where they begin, listed before it; a slot of another tier between */
    ck_assert_int_eq(
        read_text(&s,
                  "<ANNOTATION_DOCUMENT><HEADER><MEDIA_DESCRIPTOR MEDIA_URL=\"file:///f.mp4\" "
                  "TIME_ORIGIN=\"2000\"/></HEADER><TIME_ORDER><TIME_SLOT TIME_SLOT_ID=\"t1\" "
                  "TIME_VALUE=\"1000\"/><TIME_SLOT TIME_SLOT_ID=\"t2\"/><TIME_SLOT "
                  "TIME_SLOT_ID=\"x\" TIME_VALUE=\"1100\"/><TIME_SLOT TIME_SLOT_ID=\"t3\"/>"
                  "<TIME_SLOT TIME_SLOT_ID=\"t4\" TIME_VALUE=\"4000\"/></TIME_ORDER>"
                  "<TIER TIER_ID=\"small\" PARENT_REF=\"parts\"><ANNOTATION><ALIGNABLE_ANNOTATION "
                  "TIME_SLOT_REF1=\"t2\" TIME_SLOT_REF2=\"t3\"/></ANNOTATION></TIER>"
                  "<TIER TIER_ID=\"parts\" PARENT_REF=\"all\"><ANNOTATION><ALIGNABLE_ANNOTATION "
                  "TIME_SLOT_REF1=\"t1\" TIME_SLOT_REF2=\"t2\"/></ANNOTATION><ANNOTATION>"
                  "<ALIGNABLE_ANNOTATION TIME_SLOT_REF1=\"t2\" TIME_SLOT_REF2=\"t3\"/></ANNOTATION>"
                  "<ANNOTATION><ALIGNABLE_ANNOTATION TIME_SLOT_REF1=\"t3\" TIME_SLOT_REF2=\"t4\"/>"
                  "</ANNOTATION></TIER><TIER TIER_ID=\"all\"><ANNOTATION><ALIGNABLE_ANNOTATION "
                  "TIME_SLOT_REF1=\"t1\" TIME_SLOT_REF2=\"t4\"/></ANNOTATION></TIER>"
                  "<TIER TIER_ID=\"other\"><ANNOTATION><ALIGNABLE_ANNOTATION TIME_SLOT_REF1=\"x\" "
                  "TIME_SLOT_REF2=\"t4\"/></ANNOTATION></TIER></ANNOTATION_DOCUMENT>",
                  &e),
        0);
    ck_assert_int_eq(s.n, 6);
    ck_assert(s.at[0].start == 4 && s.at[0].end == 5 && s.at[1].start == 3 && s.at[1].end == 4 &&
              s.at[2].start == 4 && s.at[2].end == 5 && s.at[3].start == 5 && s.at[3].end == 6 &&
              s.at[4].start == 3 && s.at[4].end == 6 && s.at[5].start == 3.1);
    ks_spans_free(&s);
    /* VIA: text, and check boxes */
    ck_assert_int_eq(
        read_text(
            &s,
            "{\"project\":{},\"attribute\":{\"1\":{\"type\":1,\"options\":{}},\"2\":{\"type\":2,"
            "\"options\":{\"0\":\"x\",\"1\":\"y\"}}},\"file\":{\"5\":{\"fname\":\"f.mp4\",\"src\":"
            "\"\"}},"
            "\"view\":{\"9\":{\"fid_list\":[5]}},\"metadata\":{\"m\":{\"vid\":\"9\",\"z\":[1,2],"
            "\"av\":{\"1\":\"free\",\"2\":\"0,1\"}},\"n\":{\"vid\":\"9\",\"z\":[],\"av\":{}}}}",
            &e),
        0);
    ck_assert_int_eq(s.n, 3);
    ck_assert_str_eq(s.at[2].label, "y");
    ks_spans_free(&s);
}
END_TEST

START_TEST(damaged_files_are_one_sentence)
{
    static const char *const bad[] = {
        "x",
        "{",
        "[1,2]",
        "{\"a\":1}",
        "{\"results\":{\"v\":[{\"label\":\"x\",\"segment\":[1]}]}}",
        "{\"results\":{\"v\":[{\"label\":\"x\",\"segment\":[5,1]}]}}",
        "{\"database\":[]}",
        "{\"labels\":{\"u\":[{}]}}",
        "<a/>",
        "<a",
        "<!DOCTYPE a [<!ENTITY x \"y\">]><ANNOTATION_DOCUMENT>&x;</ANNOTATION_DOCUMENT>",
        "<ANNOTATION_DOCUMENT><TIER TIER_ID=\"t\"/></ANNOTATION_DOCUMENT>",
        "path,start\na,1\n",
        "path,start,end\na,nan,1\n",
        "path,start,end\na,2,1\n",
        "path,start,end\n\"a\n\x1b[2J\",\"1\n\",2\n",
        "{\"path\":\"a\",\"start\":1,\"end\":2}\n{\"path\":\n",
        "{\"project\":{},\"metadata\":{\"m\":{\"vid\":\"9\",\"z\":[1,2],\"av\":{}}}}",
    };
    ks_spans s;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ks_error e = {0};
        int err = read_text(&s, bad[i], &e);
        ck_assert_msg(err == KS_EFORMAT && strstr(e.msg, folder) && !strchr(e.msg, '\n'),
                      "%s: %d %s", bad[i], err, e.msg);
        ck_assert(s.n == 0 && !s.at);
    }
    ks_error e = {0};
    ck_assert_int_eq(ks_spans_read(&s, place("none"), 0, &e), KS_ENOTFOUND);
    unlink(place("in"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("format_files");
    TCase *c = tcase_create("format_files");
    SRunner *r = srunner_create(s);
    int failed;

    if (!mkdtemp(folder)) return 1;
    tcase_add_test(c, xmp_keeps_what_others_wrote);
    tcase_add_test(c, films_of_one_stem_keep_their_markers);
    tcase_add_test(c, what_other_tools_write);
    tcase_add_test(c, damaged_files_are_one_sentence);
    suite_add_tcase(s, c);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    rmdir(folder);
    return failed != 0;
}
