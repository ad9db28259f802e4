/* test_scan.c - the walk, patterns, identity and first bytes. */
#include "index/index.h"
#include "ingest/ignored.h"
#include "ingest/identity.h"
#include "ingest/ingest.h"
#include "ingest/jobs.h"
#include "ingest/scan.h"

#include <check.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static char base[64], home[4096];

static void setup(void)
{
    if (!home[0]) ck_assert_ptr_nonnull(getcwd(home, sizeof home));
    strcpy(base, "/tmp/ks_scan_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(base));
    ck_assert_int_eq(chdir(base), 0);
}

static void teardown(void)
{
    char command[256];
    ck_assert_int_eq(chdir("/"), 0);
    snprintf(command, sizeof command, "chmod -R u+rwX %s; rm -rf %s", base, base);
    ck_assert_int_eq(system(command), 0);
}

static void file(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");
    ck_assert_msg(f != NULL, "%s", name);
    fputs(text, f);
    fclose(f);
}

static ks_met_list scan(const char *under, ks_scan_options o, int want_root)
{
    ks_met_list list = {0};
    ks_error e = {0};
    char *path;
    int root;
    ck_assert_int_eq(ks_scan_absolute(&path, under, &e), 0);
    ck_assert_msg(ks_scan(&list, &root, path, &o, &e) == 0, "%s", e.msg);
    ck_assert_int_eq(root, want_root);
    free(path);
    return list;
}

/* The names below base, joined by spaces. */
static const char *names(const ks_met_list *list, ks_met_kind kind)
{
    static char text[4096];
    text[0] = 0;
    for (size_t i = 0; i < list->n; i++) {
        if (list->at[i].kind != kind) continue;
        ck_assert_int_eq(strncmp(list->at[i].path, base, strlen(base)), 0);
        if (text[0]) strcat(text, " ");
        strcat(text, list->at[i].path + strlen(base) + 1);
    }
    return text;
}

START_TEST(globs)
{
    static const struct {
        const char *pattern, *text;
        int match;
    } cases[] = {
        {"*.mp4", "a.mp4", 1},
        {"*.mp4", "a/b.mp4", 0},
        {"**/*.mp4", "a/b.mp4", 1},
        {"**/*.mp4", "b.mp4", 1},
        {"a/**", "a/b/c", 1},
        {"a/**/c", "a/c", 1},
        {"a/**/c", "a/x/y/c", 1},
        {"a/**/c", "a/x/y/d", 0},
        {"?.x", "a.x", 1},
        {"?.x", "ab.x", 0},
        {"[a-c]z", "bz", 1},
        {"[!a-c]z", "bz", 0},
        {"[]]", "]", 1},
        {"\\*", "*", 1},
        {"\\*", "a", 0},
        {"[", "[", 1},
        {"", "", 1},
        {"*", "", 1},
        {"a*b*c", "aXbYbc", 1},
        {"caf\xe9*", "caf\xe9_latin1", 1},
        {"?", "/", 0},
        {"*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(ks_glob(cases[i].pattern, cases[i].text, 0) == cases[i].match, "%s on %s",
                      cases[i].pattern, cases[i].text);
    ck_assert(ks_glob_path("trash", "a/trash", 1));
    ck_assert(ks_glob_path("trash/", "a/trash", 1));
    ck_assert(!ks_glob_path("trash/", "a/trash", 0));
    ck_assert(ks_glob_path("/a", "a", 0));
    ck_assert(!ks_glob_path("/a", "b/a", 0));
    ck_assert(ks_glob_path("b/*.mp4", "b/x.mp4", 0));
    ck_assert(!ks_glob_path("b/*.mp4", "a/b/x.mp4", 0));
}
END_TEST

START_TEST(walks_in_order_and_by_rule)
{
    mkdir("b", 0700), mkdir("a", 0700), mkdir("a/sub", 0700), mkdir(".secret", 0700),
        mkdir("lost+found", 0700), mkdir("skipme", 0700);
    file("z.mp4", "1"), file("a/2.mp4", "1"), file("a/1.mp4", "1"), file("a/sub/x.mp4", "1"),
        file("b/keep.mp4", "1");
    file("b/drop.mp4", "1"), file(".secret/s.mp4", "1"), file("lost+found/l.mp4", "1"),
        file("._z.mp4", "1"), file("skipme/k.mp4", "1");
    file(".kinoseekignore", "# comment\nskipme/\n/z.mp4\n");
    file("b/.kinoseekignore", "*.mp4\n!keep.mp4\n");
    file("a/caf\xe9\n.mp4", "1");
    mkfifo("a/fifo.mp4", 0600);
    ck_assert_int_eq(symlink("/dev/zero", "a/zero.mp4"), 0);
    ks_met_list list = scan(".", (ks_scan_options){0}, KS_ROOT_FOLDER);
    ck_assert_str_eq(names(&list, KS_MET_FILE),
                     "a/1.mp4 a/2.mp4 a/caf\xe9\n.mp4 a/sub/x.mp4 b/keep.mp4");
    ck_assert_str_eq(names(&list, KS_MET_SPECIAL), "a/fifo.mp4");
    ck_assert_str_eq(names(&list, KS_MET_LINK), "a/zero.mp4");
    ks_met_list_free(&list);
    const char *excludes[] = {"sub", NULL}, *includes[] = {"1.mp4", "x.mp4", "b/*", NULL};
    list = scan(".", (ks_scan_options){.excludes = excludes, .includes = includes, .hidden = 1},
                KS_ROOT_FOLDER);
    ck_assert_str_eq(names(&list, KS_MET_FILE), "a/1.mp4 b/.kinoseekignore b/keep.mp4");
    ks_met_list_free(&list);
}
END_TEST

/* What was thrown away, and what a disk keeps of yesterday, is not found; named, it is. */
START_TEST(recycled_and_snapshots)
{
    static const char *const folders[] = {"@Recycle",
                                          "@Recently-Snapshot",
                                          "#recycle",
                                          "#snapshot",
                                          "@eaDir",
                                          "$RECYCLE.BIN",
                                          "$Recycle.Bin",
                                          "RECYCLER",
                                          "System Volume Information",
                                          "lost+found",
                                          ".Trash-1000",
                                          ".Trashes",
                                          ".zfs",
                                          ".snapshots",
                                          ".snapshot",
                                          "~snapshot",
                                          ".recycle",
                                          "Backups.backupdb",
                                          "Network Trash Folder",
                                          "timeshift-btrfs"};
    ks_met_list list;
    mkdir("v", 0700), mkdir("v/Recycled films", 0700), mkdir("v/snapshot", 0700);
    file("v/Recycled films/a.mp4", "1"), file("v/snapshot/b.mp4", "1");
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char path[80];
        snprintf(path, sizeof path, "v/%s", folders[i]);
        mkdir(path, 0700);
        strcat(path, "/x.mp4");
        file(path, "1");
    }
    for (int hidden = 0; hidden < 2; hidden++) {
        list = scan(".", (ks_scan_options){.hidden = hidden}, KS_ROOT_FOLDER);
        ck_assert_str_eq(names(&list, KS_MET_FILE), "v/Recycled films/a.mp4 v/snapshot/b.mp4");
        ks_met_list_free(&list);
    }
    list = scan("v/@Recycle", (ks_scan_options){0}, KS_ROOT_FOLDER);
    ck_assert_uint_eq(list.n, 1);
    ks_met_list_free(&list);
}
END_TEST

/* A library may lie among the films, and films in its folder. */
START_TEST(no_file_of_a_library)
{
    ks_error e = {0};
    ks_index *x = NULL;
    mkdir("lib", 0700), file("a.mp4", "1"), file("lib/b.mp4", "1"), file("lib/vectors.000002", "1"),
        file("lib/vectors.mp4", "1");
    ck_assert_int_eq(ks_index_open(&x, "lib", KS_CREATE, &e), 0);
    ks_met_list list = scan(".", (ks_scan_options){0}, KS_ROOT_FOLDER);
    ck_assert_str_eq(names(&list, KS_MET_FILE), "a.mp4 lib/b.mp4 lib/vectors.mp4");
    ks_index_close(x);
    ks_met_list_free(&list);
}
END_TEST

/* A disk that fails in the middle of a folder: so many names can be read, then it says EIO. */
static int names_until_failure = -1;
struct dirent *readdir(DIR *dir)
{
    static struct dirent *(*next)(DIR *);
    if (!next) *(void **)&next = dlsym(RTLD_NEXT, "readdir");
    if (names_until_failure == 0) {
        errno = EIO;
        return NULL;
    }
    if (names_until_failure > 0) names_until_failure--;
    return next(dir);
}

START_TEST(a_folder_that_cannot_be_read_to_its_end)
{
    file("a.mp4", "1"), file("b.mp4", "1"), file("c.mp4", "1");
    names_until_failure = 4; /* of them "." and ".." */
    ks_met_list list = scan(".", (ks_scan_options){0}, KS_ROOT_FOLDER);
    names_until_failure = -1;
    ck_assert_uint_eq(list.n, 3);
    ck_assert_int_eq(list.at[0].kind, KS_MET_DENIED);
    ck_assert_int_eq(list.at[0].folder, 1);
    ck_assert_int_eq(list.at[0].error, EIO);
    ck_assert_str_eq(list.at[0].path, base);
    ks_met_list_free(&list);
    names_until_failure = 0;
    list = scan(".", (ks_scan_options){0}, KS_ROOT_FOLDER); /* it is not known to be empty */
    names_until_failure = -1;
    ck_assert_uint_eq(list.n, 1);
    ks_met_list_free(&list);
}
END_TEST

/* Numbers of disks change from one start of the system to the next: a film that was deleted is
 * gone all the same. */
static ks_ingest_summary ingest_here(ks_index *x)
{
    ks_error e = {0};
    ks_ingest_summary sum;
    char decoder[4200];
    const char *build = getenv("BUILD"), *paths[] = {base};
    snprintf(decoder, sizeof decoder, "%s/%s/kinoseek-decode", home, build ? build : "build");
    ks_ingest_options o = {.paths = paths, .n = 1, .decoder = decoder};
    ck_assert_msg(ks_ingest(&sum, x, NULL, &o, &e) == 0, "%s", e.msg);
    return sum;
}

static void renumber(ks_index *x, const char *names)
{
    ks_error e = {0};
    ks_video v;
    for (const char *name = names; *name; name++) {
        char path[80];
        snprintf(path, sizeof path, "%s/%c.mp4", base, *name);
        ck_assert_int_eq(ks_index_find(&v, x, path, &e), 1);
        v.path = path;
        v.stat.device ^= 1;
        ck_assert_int_eq(ks_index_set_path(x, &v, &e), 0);
    }
}

START_TEST(a_disk_with_another_number)
{
    ks_error e = {0};
    ks_index *x = NULL;
    mkdir(".lib", 0700), file("a.mp4", "no film"), file("b.mp4", "nor this"),
        file("c.mp4", "nor that");
    ck_assert_int_eq(ks_index_open(&x, ".lib", KS_CREATE, &e), 0);
    ck_assert_int_eq(ingest_here(x).skipped, 3);
    renumber(x, "abc");
    unlink("b.mp4");
    ks_ingest_summary sum = ingest_here(x);
    ck_assert_int_eq(sum.unchanged, 2);
    ck_assert_int_eq(sum.gone, 1);
    unlink("c.mp4"); /* the new number was written down */
    ck_assert_int_eq(ingest_here(x).gone, 1);
    /* A copy at the same path is another file: the disk may be away, and somebody wrote to where
     * it is mounted. */
    file("c.mp4", "nor that"), file("d.mp4", "nor any"), ingest_here(x), renumber(x, "acd");
    ck_assert_int_eq(
        system("cp -p a.mp4 a && mv a a.mp4 && cp -p c.mp4 c && mv c c.mp4 && rm d.mp4"), 0);
    sum = ingest_here(x);
    ck_assert_int_eq(sum.unchanged, 2);
    ck_assert_int_eq(sum.gone, 0);
    ks_index_close(x);
}
END_TEST

START_TEST(links_end)
{
    mkdir("d", 0700), mkdir("d/e", 0700);
    file("d/e/x.mp4", "1");
    ck_assert_int_eq(symlink("..", "d/e/up"), 0);
    ck_assert_int_eq(symlink("self.mp4", "d/self.mp4"), 0);
    ck_assert_int_eq(symlink("nothing", "d/dangling.mp4"), 0);
    ck_assert_int_eq(symlink("e/x.mp4", "d/link.mp4"), 0);
    ks_met_list list = scan(".", (ks_scan_options){.follow = 1}, KS_ROOT_FOLDER);
    /* the link under its own name */
    ck_assert_str_eq(names(&list, KS_MET_FILE), "d/e/x.mp4 d/e/x.mp4");
    ck_assert_str_eq(names(&list, KS_MET_LINK), "d/dangling.mp4 d/self.mp4");
    ck_assert_int_eq(list.folders, 3);
    ks_met_list_free(&list);
}
END_TEST

START_TEST(missing_and_empty_roots)
{
    mkdir("empty", 0700);
    ks_met_list list = scan("empty", (ks_scan_options){0}, KS_ROOT_EMPTY);
    ck_assert_uint_eq(list.n, 0);
    list = scan("not here", (ks_scan_options){0}, KS_ROOT_MISSING);
    ck_assert_uint_eq(list.n, 0);
    list = scan("/neither/this", (ks_scan_options){0}, KS_ROOT_MISSING);
    ck_assert_uint_eq(list.n, 0);
    char *path;
    ks_error e = {0};
    /* what is not there is absolute all the same */
    ck_assert_int_eq(ks_scan_absolute(&path, "neither/this", &e), 0);
    ck_assert(path[0] == '/' && strlen(path) > 13 &&
              strcmp(path + strlen(path) - 13, "/neither/this") == 0);
    free(path);
    ks_met_list_free(&list);
}
END_TEST

START_TEST(deep_chain)
{
    char path[2000] = "";
    int depth = 0;
    for (; strlen(path) + strlen(base) < 1800; depth++) {
        strcat(path, depth ? "/d" : "d");
        ck_assert_int_eq(mkdir(path, 0700), 0);
    }
    strcat(path, "/x.mp4");
    file(path, "1");
    ks_met_list list = scan(".", (ks_scan_options){0}, KS_ROOT_FOLDER);
    ck_assert_uint_eq(list.n, 1);
    ck_assert_int_eq(list.folders, depth + 1);
    ks_met_list_free(&list);
}
END_TEST

static void identity_of(uint8_t *id, const char *name)
{
    struct stat st;
    ks_error e = {0};
    int fd = open(name, O_RDONLY);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fstat(fd, &st), 0);
    ck_assert_msg(ks_identity(id, fd, st.st_size, name, &e) == 0, "%s", e.msg);
    close(fd);
}

static void poke(const char *name, off_t at, char byte)
{
    int fd = open(name, O_WRONLY);
    ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

START_TEST(identity_sees_every_part)
{
    uint8_t a[24], b[24];
    uint64_t x, y;
    ks_error e = {0};
    enum { SIZE = 3000000 };
    file("f", "");
    ck_assert_int_eq(truncate("f", SIZE), 0);
    poke("f", 5, 'x');
    identity_of(a, "f");
    identity_of(b, "f");
    ck_assert_mem_eq(a, b, 24);
    static const off_t at[] = {0, 65535, SIZE / 2, SIZE - 1, SIZE - 65536};
    for (int i = 0; i < 5; i++) {
        poke("f", at[i], 'y');
        identity_of(b, "f");
        ck_assert_mem_ne(a, b, 24);
        poke("f", at[i], 0);
    }
    identity_of(b, "f");
    ck_assert_mem_eq(a, b, 24);
    /* a full copy of the sparse file is the same content, by either hash */
    ck_assert_int_eq(system("cp --sparse=never f g"), 0);
    identity_of(b, "g");
    ck_assert_mem_eq(a, b, 24);
    int f = open("f", O_RDONLY), g = open("g", O_RDONLY);
    ck_assert_int_eq(ks_identity_full(&x, f, SIZE, "f", NULL, &e), 0);
    ck_assert_int_eq(ks_identity_full(&y, g, SIZE, "g", NULL, &e), 0);
    ck_assert_uint_eq(x, y);
    poke("g", 700000, 'z'); /* between the parts: only the full hash sees it */
    ck_assert_int_eq(ks_identity_full(&y, g, SIZE, "g", NULL, &e), 0);
    ck_assert_uint_ne(x, y);
    ck_assert_int_eq(truncate("g", 100), 0);
    ck_assert_int_eq(ks_identity(b, g, SIZE, "g", &e), KS_EIO);
    close(f);
    close(g);
    file("empty", "");
    identity_of(b, "empty");
    ks_identity_of_place(a, 1, 2);
    ck_assert_mem_ne(a, b, 24);
}
END_TEST

START_TEST(first_bytes)
{
    ck_assert(ks_sniff_video((const uint8_t *)"\0\0\0\x18"
                                              "ftypisom",
                             12));
    ck_assert(!ks_sniff_video((const uint8_t *)"\0\0\0\x18"
                                               "ftypheic",
                              12));
    ck_assert(ks_sniff_video((const uint8_t *)"\x1a\x45\xdf\xa3....", 8));
    ck_assert(ks_sniff_video((const uint8_t *)"#EXTM3U\n", 8));
    ck_assert(!ks_sniff_video((const uint8_t *)"This is a text file", 19));
    ck_assert(!ks_sniff_video((const uint8_t *)"", 0));
    uint8_t ts[KS_SNIFF];
    memset(ts, 0, sizeof ts);
    ck_assert(!ks_sniff_video(ts, sizeof ts));
    ts[100] = ts[288] = ts[476] = 0x47;
    ck_assert(ks_sniff_video(ts, sizeof ts));
    ck_assert(ks_sniff_still((const uint8_t *)"\xff\xd8\xff\xe0", 4));
    ck_assert(ks_video_name("a/b.MP4"));
    ck_assert(ks_video_name("b.mkv"));
    ck_assert(!ks_video_name("b.txt"));
    ck_assert(!ks_video_name("d.mp4/b"));
    ck_assert(!ks_video_name(".mp4"));
}
END_TEST

/* Names of forty makers and programs, in Berlin's time (+02:00 in July) where the name says
 * nothing else: date -d. */
START_TEST(dates_in_names)
{
    /* 18:15:30 there; of UTC; noon; 18:15 */
    enum { LOCAL = 1562948130, UTC = 1562955330, DAY = 1562925600, MINUTE = 1562948100 };
    static const struct {
        const char *name;
        int64_t want;
    } names[] = {
        /* Android, Samsung, LG */
        {"VID_20190712_181530.mp4", LOCAL},
        {"20190712_181530.mp4", LOCAL},
        {"PXL_20190712_181530123.mp4", UTC},
        {"PXL_20190712_181530123.TS.mp4", UTC}, /* Pixel */
        /* Lumia; Xperia */
        {"WP_20190712_18_15_30_Pro.mp4", LOCAL},
        {"MOV_20190712_181530.mp4", LOCAL},
        {"VID-20190712-WA0001.mp4", DAY},
        {"WhatsApp Video 2019-07-12 at 18.15.30.mp4", LOCAL},
        {"WhatsApp Video 2019-07-12 at 6.15.30 PM.mp4", LOCAL},
        {"signal-2019-07-12-181530.mp4", LOCAL},
        {"video_2019-07-12_18-15-30.mp4", LOCAL},
        /* Telegram */ {"mmexport1562955330123.mp4", UTC},
        {"FB_VID_1562955330123.mp4", UTC},
        {"LINE_MOVIE_1562955330123.mp4", UTC},
        {"1562955330123.mp4", UTC},
        {"Screen Recording 2019-07-12 at 6.15.30\xe2\x80\xafPM.mov", LOCAL},
        {"Screen Recording 2019-07-12 at 18.15.30.mov", LOCAL},
        {"Screen_Recording_20190712-181530_Maps.mp4", LOCAL},
        /* OBS */
        {"Screenrecorder-2019-07-12-18-15-30-123.mp4", LOCAL},
        {"screen-20190712-181530.mp4", LOCAL},
        {"2019-07-12 18-15-30.mkv", LOCAL},
        {"Desktop 2019.07.12 - 18.15.30.02.DVR.mp4", LOCAL},
        /* ShadowPlay */ {"GMT20190712-181530_Recording_1920x1080.mp4", UTC}, /* Zoom */
        /* Meet, Teams */
        {"abc-defg-hij (2019-07-12 at 18_15 GMT+2).mp4", MINUTE},
        {"Talk-20190712_181530UTC-Meeting Recording.mp4", UTC},
        {"DJI_20190712181530_0001_D.MP4", LOCAL},
        {"VID_20190712_181530_00_001.insv", LOCAL},
        {"P0010001_20190712181530+0200.MP4", LOCAL},
        /* BlackVue, Viofo, 70mai */
        {"20190712_181530_NF.mp4", LOCAL},
        {"2019_0712_181530_0001F.MP4", LOCAL},
        {"NO20190712-181530-000123F.MP4", LOCAL},
        /* Tesla, Nextbase, Thinkware */
        {"2019-07-12_18-15-30-front.mp4", LOCAL},
        {"190712_181530_123_FH.MP4", LOCAL},
        {"REC_2019_07_12_18_15_30_F.MP4", LOCAL},
        /* Reolink */
        {"EV_20190712_181530.avi", LOCAL},
        {"RingVideo_20190712_181530.mp4", LOCAL},
        {"RLC-410_00_20190712181530.mp4", LOCAL},
        {"01-20190712181530.avi", LOCAL},
        /* motion */ {"ch01_20190712181530.mp4", LOCAL},
        {"cam-20190712-181530-1562948130.mp4", LOCAL},
        /* Enigma2; MythTV */
        {"20190712 1815 - BBC ONE HD - News.ts", MINUTE},
        {"1001_20190712181530.ts", UTC},
        {"News 2019-07-12-18-15.ts", MINUTE},
        {"Show - 2019-07-12 18 15 00 - Episode.ts", MINUTE},
        {"News 20190712-1815 [4.1].mpg", MINUTE},
        {"2019-07-12T18:15:30Z.mp4", UTC},
        {"2019-07-12T18-15-30Z.mp4", UTC},
        {"2019-07-12T181530+0200.mp4", LOCAL},
        {"20190712T181530-0400.mp4", UTC + 4 * 3600},
        {"holiday 2019-07-12.mp4", DAY},
        {"2019-07-12 then 2019-07-12 18-15-30.mp4", LOCAL},
        {"190712.mp4", 0},
        {"DSC_0001.MOV", 0},
        {"GX010123.MP4", 0},
        {"19700101_000312.mp4", 0},
        {"19800101_000020_N.MP4", 0},
        {"1920x1080_60fps.mp4", 0},
        {"190712_1815.mp4", 0},
        {"5562955330123.mp4", 0},
        {"clip12345678901234567890.mp4", 0},
        {"Holiday film [dQw4w9WgXcQ].mp4", 0},
    };
    int failed = 0;
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int64_t when = 0;
        int found = ks_date_in_name(&when, names[i].name);
        if (found != (names[i].want != 0) || (found && when != names[i].want)) {
            fprintf(stderr, "%s: %lld, not %lld\n", names[i].name, (long long)when,
                    (long long)names[i].want);
            failed++;
        }
    }
    ck_assert_int_eq(failed, 0);
}
END_TEST

/* Which of the four dates wins: the maker's, the container's, the name's, the file's; 1 January
 * 2000 is no day to believe. */
START_TEST(dates_by_source)
{
    static const struct {
        int64_t created;
        int local, source;
        const char *name;
        int64_t want;
        int want_source;
    } films[] = {
        {1562955330, 0, KS_CREATED_MAKER, "/v/2001-02-03.mp4", 1562955330, KS_DATE_MAKER},
        {1562955330, 1, KS_CREATED_MAKER, "/v/2001-02-03.mp4", 1562955330 - 7200, KS_DATE_MAKER},
        {1562955330, 0, KS_CREATED_CONTAINER, "/v/2001-02-03.mp4", 1562955330, KS_DATE_CONTAINER},
        {1562955330, 1, KS_CREATED_CONTAINER, "/v/x.avi", 1562955330 - 7200, KS_DATE_CONTAINER},
        /* winter */
        {1547467200, 1, KS_CREATED_CONTAINER, "/v/x.avi", 1547467200 - 3600, KS_DATE_CONTAINER},
        {946684830, 0, KS_CREATED_CONTAINER, "/v/VID_20190712_181530.mp4", 1562948130,
         KS_DATE_NAME},
        {946684830, 1, KS_CREATED_CONTAINER, "/v/20190712_181530.mp4", 1562948130, KS_DATE_NAME},
        {946684830, 0, KS_CREATED_CONTAINER, "/v/x.mp4", 946684830, KS_DATE_CONTAINER},
        {0, 0, 0, "/v/PXL_20190712_181530123.mp4", 1562955330, KS_DATE_NAME},
        {0, 0, 0, "/v/x.mp4", 77, KS_DATE_MTIME},
        {-86400 * 365, 0, KS_CREATED_CONTAINER, "/v/2001-02-03.mp4", -86400 * 365,
         KS_DATE_CONTAINER},
    };
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    for (size_t i = 0; i < sizeof films / sizeof *films; i++) {
        ks_media m = {.created = films[i].created,
                      .created_local = films[i].local,
                      .created_source = films[i].source};
        int source;
        int64_t date = ks_film_date(&source, &m, films[i].name, (int64_t)77 * 1000000000);
        ck_assert_msg(date == films[i].want && source == films[i].want_source, "%s: %lld, %d",
                      films[i].name, (long long)date, source);
    }
}
END_TEST

/* date -u -d ... +%s; the container, else the name, else the mtime. */
START_TEST(dates_of_films)
{
    static const struct {
        int64_t created;
        const char *path;
        int64_t mtime;
        int64_t date;
        int source;
    } films[] = {
        {1562956200, "/2001-01-01/2019-01-01.mp4", 5, 1562956200, 2},
        {0, "/a/VID_20190712_183000.mp4", 5, 1562956200, 1},
        {0, "/a/2019-07-12 18.30.00 lake.mov", 5, 1562956200, 1},
        {0, "/a/2019_07_12.mov", 5, 1562932800, 1},
        {0, "/2019-07-12/x.mov", 5, 5, 0},
        {0, "/a/120190712.mov", 5, 5, 0},
        {0, "/a/201907123.mov", 5, 5, 0},
        {0, "/a/2019-13-12.mov", 5, 5, 0},
        {0, "/a/2019-07_12.mov", 5, 5, 0},
        {0, "/a/1920x1080 20190712.mov", 5, 1562932800, 1},
        {0, "/a/2019-02-30.mov", 5, 5, 0},
        {0, "/a/1920_1080.mov", 5, 5, 0},
        {0, "/a/x.mov", -7, -7, 0},
        {0, "/a/2019071", 5, 5, 0},
        {0, "/a/1961-04-12 super 8.avi", 5, -275227200, 1},
        {0, "/a/19610412_060700.avi", 5, -275248380, 1},
        {0, "/a/1799-04-12.avi", 5, 5, 0},
    };
    setenv("TZ", "UTC", 1);
    tzset();
    for (size_t i = 0; i < sizeof films / sizeof *films; i++) {
        int source;
        int64_t date = ks_film_date(
            &source,
            &(ks_media){.created = films[i].created, .created_source = KS_CREATED_CONTAINER},
            films[i].path, films[i].mtime * 1000000000);
        ck_assert_msg(date == films[i].date && source == films[i].source, "%s: %lld, %d",
                      films[i].path, (long long)date, source);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("scan");
    TCase *t = tcase_create("scan");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, globs);
    tcase_add_test(t, walks_in_order_and_by_rule);
    tcase_add_test(t, links_end);
    tcase_add_test(t, no_file_of_a_library);
    tcase_add_test(t, recycled_and_snapshots);
    tcase_add_test(t, dates_of_films);
    tcase_add_test(t, dates_in_names);
    tcase_add_test(t, dates_by_source);
    tcase_add_test(t, a_disk_with_another_number);
    tcase_add_test(t, a_folder_that_cannot_be_read_to_its_end);
    tcase_add_test(t, missing_and_empty_roots);
    tcase_add_test(t, deep_chain);
    tcase_add_test(t, identity_sees_every_part);
    tcase_add_test(t, first_bytes);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int bad = srunner_ntests_failed(r);
    srunner_free(r);
    return bad != 0;
}
