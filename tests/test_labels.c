/* test_labels.c - labels that stay: what people say against brute force, what is due, and who
 * takes care of the rows. */
#include "index/catalog.h"
#include "tests/library_maker.h"
#include "tests/suite.h"

#include <stdlib.h>
#include <string.h>

enum { DIM = 16, SECONDS = 60 };
static char dir[64];
static ks_index *x;
static ks_video film;
static ks_error e;

static void read_film(int64_t id)
{
    MUST(ks_index_video(&film, x, id, &e));
    film.path = film.reason = "";
}

static void setup(void)
{
    ks_space space = lib_space(DIM);
    lib_new_dir(dir);
    MUST(ks_index_open(&x, dir, KS_CREATE, &e));
    MUST(ks_index_set_space(x, &space, "", "", &e));
    for (int i = 0; i < 3; i++) {
        char path[32];
        snprintf(path, sizeof path, "/films/%d.mp4", i + 1);
        lib_add(x, path, (uint64_t)i + 1, 14, DIM, 0); /* clips of 8 s each 4 s */
    }
    read_film(1);
}

static void teardown(void)
{
    ks_index_close(x);
    lib_remove_dir(dir);
}

static const char *const names[] = {"dog", "cat", "animal", "none"}, *const parents[] = {"animal",
                                                                                         "animal",
                                                                                         "", ""};

static int64_t put_set(int64_t ids[4], uint64_t hash)
{
    int64_t set;
    MUST(ks_index_put_set(&set, ids, x,
                          &(ks_stored_set){.name = "pets",
                                           .how = "each",
                                           .hash = hash,
                                           .labels = names,
                                           .parents = parents,
                                           .n = 4},
                          &e));
    return set;
}

/* --- spans as people see them: a row of seconds, each with who says so --- */
typedef struct {
    char at[SECONDS]; /* '.' not there, 'm' the model, 'p' a person */
    const char *label;
    int64_t video;
    int overlap;
} strip;

static int paint(void *arg, const ks_label_mark *m)
{
    strip *s = arg;
    if (strcmp(m->label, s->label) != 0 || m->video != s->video) return 0;
    for (int64_t t = m->start / 1000; t < m->end / 1000 && t < SECONDS; t++) {
        s->overlap |= s->at[t] != '.';
        s->at[t] = m->said ? 'p' : 'm';
    }
    return 0;
}

static void look(strip *s, const char *label, int64_t video)
{
    memset(s->at, '.', SECONDS);
    s->label = label;
    s->video = video;
    s->overlap = 0;
    MUST(ks_index_marks(x, "pets", NULL, paint, s, &e));
    ck_assert_int_eq(s->overlap, 0);
}

/* Random words of a person before and after the model's, on whole seconds; each second by hand.
 * The newest word for a second counts; a second of the model alone stays the model's. */
START_TEST(people_beat_the_model)
{
    uint64_t seed = 7;
    for (int round = 0; round < 60; round++) {
        char model[SECONDS], said[SECONDS];
        int64_t ids[4], set = put_set(ids, 1);
        ks_label_mark m[8];
        int n = 0;
        strip s;
        memset(model, '.', sizeof model);
        memset(said, '.', sizeof said);
        for (int64_t t = (int64_t)(lib_random(&seed) % 6); t < SECONDS - 9 && n < 8;
             t += 3 + (int64_t)(lib_random(&seed) % 9)) {
            int64_t to = t + 1 + (int64_t)(lib_random(&seed) % 9);
            m[n++] = (ks_label_mark){.id = ids[0],
                                     .start = t * 1000,
                                     .end = to * 1000,
                                     .rank = 1,
                                     .score = 0.75,
                                     .cosine = 0.25};
            for (; t < to; t++) model[t] = 'm';
        }
        for (int word = 0; word < 6; word++) {
            int64_t a = (int64_t)(lib_random(&seed) % 50),
                    b = a + 1 + (int64_t)(lib_random(&seed) % 9);
            int yes = (int)(lib_random(&seed) & 1);
            if (word == 3) /* the model in between: again it is laid under what was said */
                MUST(ks_index_put_marks(x, set, 1, &film, m, n, &e));
            MUST(ks_index_say(x, "pets", "dog", &film, a * 1000, b * 1000, yes, &e));
            memset(said + a, yes ? 'p' : 'n', (size_t)(b - a));
        }
        look(&s, "dog", 1);
        for (int t = 0; t < SECONDS; t++) {
            char want = said[t] == 'p' ? 'p' : said[t] == 'n' ? '.' : model[t];
            ck_assert_msg(s.at[t] == want, "seed 7 round %d: second %d is %c, not %c", round, t,
                          s.at[t], want);
        }
        look(&s, "cat", 1);
        ck_assert(memchr(s.at, 'm', SECONDS) == NULL && memchr(s.at, 'p', SECONDS) == NULL);
        MUST(ks_index_drop_set(x, "pets", &e));
    }
    ck_assert_int_eq(ks_index_say(x, "birds", "dog", &film, 0, 1000, 1, &e), KS_ENOTFOUND);
    ck_assert_int_eq(ks_index_drop_set(x, "birds", &e), KS_ENOTFOUND);
}
END_TEST

static int count(void *arg, const ks_label_mark *m)
{
    (void)m;
    ++*(int *)arg;
    return 0;
}

static int marks_of(const char *label)
{
    int n = 0;
    MUST(ks_index_marks(x, "pets", &(ks_filter){.label = label}, count, &n, &e));
    return n;
}

static ks_label_mark mark(int64_t id, int64_t from, int64_t to)
{
    return (ks_label_mark){
        .id = id, .start = from * 1000, .end = to * 1000, .rank = 1, .score = 0.9, .cosine = 0.3};
}

/* A word that comes back from a format of milliseconds or frames lies up to half a frame beside
 * what was sent out: nothing of the model's span, or of an earlier word, is left in between. */
START_TEST(no_slivers)
{
    for (int64_t off = -20; off <= 20; off++) {
        int64_t ids[4], set = put_set(ids, 1);
        ks_label_mark m = mark(ids[0], 9, 17);
        MUST(ks_index_put_marks(x, set, 1, &film, &m, 1, &e));
        MUST(ks_index_say(x, "pets", "dog", &film, 9000 + off, 17000 - off, 1, &e));
        ck_assert_msg(marks_of("dog") == 1, "%d ms beside the model's: %d spans", (int)off,
                      marks_of("dog"));
        MUST(ks_index_say(x, "pets", "dog", &film, 9000, 17000, 1, &e));
        ck_assert_msg(marks_of("dog") == 1, "%d ms beside a word: %d spans", (int)off,
                      marks_of("dog"));
        MUST(ks_index_put_marks(x, set, 2, &film, &m, 1, &e));
        ck_assert_int_eq(marks_of("dog"), 1);
        MUST(ks_index_say(x, "pets", "dog", &film, 9500, 16500, 0, &e)); /* what is longer stays */
        ck_assert_int_eq(marks_of("dog"), 2);
        MUST(ks_index_drop_set(x, "pets", &e));
    }
}
END_TEST

static void label_all(int64_t ids[4], uint64_t hash)
{
    int64_t set = put_set(ids, hash);
    for (int64_t id = 1; id <= 3; id++) {
        ks_label_mark m[2];
        read_film(id);
        m[0] = mark(ids[id == 3], 4 * id, 4 * id + 8); /* dogs in 1 and 2, a cat in 3 */
        m[1] = mark(ids[3], 40, 48);
        MUST(ks_index_put_marks(x, set, hash, &film, m, 2, &e));
    }
}

START_TEST(only_what_is_new_is_due)
{
    int64_t ids[4], set;
    uint64_t hash;
    label_all(ids, 5);
    MUST(ks_index_find_set(&set, &hash, x, "pets", &e));
    ck_assert(set > 0 && hash == 5);
    for (int64_t id = 1; id <= 3; id++) {
        read_film(id);
        ck_assert_int_eq(ks_index_due(x, set, 5, &film, &e), 0);
        ck_assert_int_eq(ks_index_due(x, set, 6, &film, &e), 1); /* another list, model, way */
        ck_assert_int_eq(ks_index_due(x, set + 1, 5, &film, &e), 1);
    }
    lib_add(x, "/films/4.mp4", 4, 14, DIM, 0);
    read_film(4);
    ck_assert_int_eq(ks_index_due(x, set, 5, &film, &e), 1);
    read_film(2); /* seen anew by searches: clips came */
    film.finished++;
    ck_assert_int_eq(ks_index_due(x, set, 5, &film, &e), 1);
    ck_assert_int_eq(ks_index_has_label(x, "animal", &e) + ks_index_has_label(x, "dog", &e), 2);
    ck_assert_int_eq(ks_index_has_label(x, "horse", &e), 0);
    MUST(ks_index_end_set(x, set, ids, 1, &e)); /* cat, animal and none are no more in it */
    ck_assert_int_eq(marks_of(NULL), 2);
    ck_assert_int_eq(ks_index_has_label(x, "cat", &e), 0);
}
END_TEST

/* Of what label_all stores: does [from, to) s reach over half of the clip, or hold half of
 * itself in it? */
static int halves(const ks_clip *c, int64_t from, int64_t to)
{
    int64_t a = c->start > from * 1000 ? c->start : from * 1000,
            b = c->end < to * 1000 ? c->end : to * 1000;
    int64_t length = c->end - c->start < (to - from) * 1000 ? c->end - c->start
                                                            : (to - from) * 1000;
    return 2 * (b - a) >= length;
}

static int bears(const ks_clip *c, const char *label)
{
    const char *own = c->video == 3 ? "cat" : "dog";
    if (strcmp(label, "none") == 0) return halves(c, 40, 48);
    return (strcmp(label, own) == 0 || strcmp(label, "animal") == 0) &&
           halves(c, 4 * c->video, 4 * c->video + 8);
}

/* A label is a filter, for searches from the catalog and from copies, and for lists of clips;
 * what is asked of a parent is asked of those below. */
START_TEST(a_label_bounds_a_search)
{
    static const char *const asked[] = {"dog", "cat", "animal", "none", "horse"};
    float q[DIM];
    int64_t ids[4];
    label_all(ids, 5);
    lib_vector(q, DIM, 0, 99);
    for (int publish = 0; publish < 2; publish++) {
        for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
            ks_filter f = {.label = asked[i]};
            ks_found found;
            ks_cursor *c;
            ks_clip clip;
            int want = 0, listed = 0, code;
            MUST(ks_index_clips(&c, x, NULL, &e));
            while ((code = ks_clips_next(&clip, c, &e)) > 0) want += bears(&clip, asked[i]);
            ks_cursor_close(c);
            MUST(ks_index_clips(&c, x, &f, &e));
            while ((code = ks_clips_next(&clip, c, &e)) > 0)
                listed += bears(&clip, asked[i]) ? 1 : 1000;
            ks_cursor_close(c);
            MUST(ks_index_search(&found, x, q, DIM, 100, &f, KS_SEARCH_EXACT, &e));
            for (int k = 0; k < found.count; k++) ck_assert(bears(&found.clips[k], asked[i]));
            ck_assert_msg(found.count == want && listed == want && (want > 0) == (i < 4),
                          "%s: %d found, %d listed, %d", asked[i], found.count, listed, want);
            ks_found_free(&found);
        }
        MUST(ks_index_publish(x, 1, &e));
    }
}
END_TEST

static void nothing(void *arg, int invariant, int64_t clip, const char *sentence)
{
    (void)invariant, (void)clip;
    snprintf(arg, 400, "%s", sentence);
}

/* The film goes, and its spans; what was said of it is there again with it. */
START_TEST(what_was_said_outlives_the_film)
{
    char finding[400] = "";
    int64_t ids[4], set;
    uint64_t hash;
    strip s;
    label_all(ids, 5);
    MUST(ks_index_find_set(&set, &hash, x, "pets", &e));
    read_film(1);
    MUST(ks_index_say(x, "pets", "cat", &film, 20000, 24000, 1, &e));
    MUST(ks_index_say(x, "pets", "dog", &film, 4000, 6000, 0, &e));
    MUST(ks_index_drop_path(x, "/films/1.mp4", &e));
    look(&s, "dog", 1);
    ck_assert(memchr(s.at, 'm', SECONDS) == NULL);
    ck_assert_int_eq(ks_index_check(x, nothing, finding, &e), 0);
    int64_t again = lib_add(x, "/elsewhere/1.mp4", 1, 14, DIM, 0);
    ck_assert_int_ne(again, 1);
    read_film(again);
    ck_assert_int_eq(ks_index_due(x, set, 5, &film, &e), 1);
    ks_label_mark m = mark(ids[0], 4, 12);
    MUST(ks_index_put_marks(x, set, 5, &film, &m, 1, &e));
    look(&s, "cat", again);
    ck_assert(s.at[19] == '.' && s.at[20] == 'p' && s.at[23] == 'p' && s.at[24] == '.');
    look(&s, "dog", again);
    ck_assert(s.at[5] == '.' && s.at[6] == 'm' && s.at[11] == 'm' && s.at[12] == '.');
    film.id = 1; /* gone since it was read: nothing is put */
    MUST(ks_index_put_marks(x, set, 5, &film, &m, 1, &e));
    ck_assert_int_eq(ks_index_check(x, nothing, finding, &e), 0);
}
END_TEST

static void run_sql(const char *sql)
{
    char *why = NULL;
    ck_assert_msg(sqlite3_exec(x->db, sql, NULL, NULL, &why) == SQLITE_OK, "%s: %s", sql, why);
}

/* A rotten row is left out and counted, named by check, and repair keeps all others. */
START_TEST(rotten_rows)
{
    static const char *const rot[] = {
        "UPDATE label_span SET score = 0.8 WHERE id = 2", "UPDATE label_said SET yes = 0",
        "UPDATE label SET parent = 'x' WHERE id = 2",
        "UPDATE label_film SET hash = 9 WHERE video = 1", "UPDATE label_set SET how = 'what'"};
    for (size_t i = 0; i < sizeof rot / sizeof *rot; i++) {
        char finding[400] = "";
        int64_t ids[4], set;
        uint64_t hash;
        label_all(ids, 5);
        read_film(1);
        MUST(ks_index_say(x, "pets", "dog", &film, 50000, 52000, 1, &e));
        int before = marks_of(NULL);
        run_sql(rot[i]);
        ck_assert_int_eq(ks_index_check(x, nothing, finding, &e), 1);
        ck_assert_msg(strstr(finding, "checksum"), "%s", finding);
        if (i == 0) ck_assert(marks_of(NULL) == before - 1 && ks_index_damaged(x) == 1);
        if (i == 3)
            ck_assert(ks_index_find_set(&set, &hash, x, "pets", &e) == 1 &&
                      ks_index_due(x, set, 9, &film, &e) == 1);
        ks_index_close(x);
        x = NULL;
        ck_assert_int_gt(ks_index_repair(dir, nothing, finding, &e), 0);
        MUST(ks_index_open(&x, dir, KS_WRITE, &e));
        ck_assert_int_eq(ks_index_check(x, nothing, finding, &e), 0);
        int left = marks_of(NULL);
        ck_assert_msg(left == (i == 0   ? before - 1
                               : i == 2 ? before - 1
                               : i == 4 ? 0
                                        : before),
                      "%zu: %d of %d are left", i, left, before);
        run_sql("DELETE FROM label_span; DELETE FROM label_film; DELETE FROM label; DELETE FROM "
                "label_set; DELETE FROM label_said");
    }
}
END_TEST

/* A catalog of before has no labels and says so; the first writer gives it the tables. */
START_TEST(a_catalog_of_before)
{
    int n = 0;
    int64_t ids[4], set;
    uint64_t hash;
    char path[100];
    snprintf(path, sizeof path, "%s/catalog.db", dir);
    ks_index_close(x);
    lib_make_older(path, KS_LABELS_SINCE - 1);
    MUST(ks_index_open(&x, dir, KS_READ, &e));
    ck_assert_int_eq(x->version, KS_LABELS_SINCE - 1);
    MUST(ks_index_marks(x, NULL, NULL, count, &n, &e));
    ck_assert_int_eq(
        n + ks_index_find_set(&set, &hash, x, "pets", &e) + ks_index_has_label(x, "dog", &e), 0);
    ck_assert_int_eq(ks_index_check(x, NULL, NULL, &e), 0);
    ks_index_close(x);
    MUST(ks_index_open(&x, dir, KS_WRITE, &e));
    label_all(ids, 5);
    ck_assert_int_eq(marks_of("animal"), 3);
    ck_assert_int_eq(ks_index_check(x, NULL, NULL, &e), 0);
}
END_TEST

START_TEST(a_backup_has_them)
{
    char to[80];
    int64_t ids[4];
    label_all(ids, 5);
    snprintf(to, sizeof to, "%s/copy", dir);
    MUST(ks_index_backup(x, to, &e));
    ks_index_close(x);
    MUST(ks_index_open(&x, to, KS_WRITE, &e));
    ck_assert_int_eq(marks_of(NULL), 6);
    MUST(ks_index_compact(x, &e));
    ck_assert_int_eq(marks_of(NULL), 6);
    ks_index_close(x);
    x = NULL;
    lib_remove_dir(to);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("labels");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, people_beat_the_model);
    tcase_add_test(t, no_slivers);
    tcase_add_test(t, only_what_is_new_is_due);
    tcase_add_test(t, a_label_bounds_a_search);
    tcase_add_test(t, what_was_said_outlives_the_film);
    tcase_add_test(t, rotten_rows);
    tcase_add_test(t, a_catalog_of_before);
    tcase_add_test(t, a_backup_has_them);
    return ks_run_case("labels", t);
}
