/* test_label_set.c - label sets as people write them, good and bad. */
#include "query/query.h"
#include "tests/npz_build.h"
#include "tests/suite.h"

#include <stdio.h>
#include <string.h>

static char folder[64], path[128];
static ks_label_set set;
static ks_error e;

static void setup(void) { ks_temp_folder(folder); }
static void teardown(void)
{
    ks_label_set_free(&set);
    ks_remove_folder(folder);
}

static int read_set(const char *name, const char *text, size_t n)
{
    FILE *f;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(text, 1, n, f), n);
    ck_assert_int_eq(fclose(f), 0);
    ks_label_set_free(&set);
    return ks_label_set_read(&set, path, &e);
}

static int read_text(const char *name, const char *text)
{
    return read_set(name, text, strlen(text));
}

START_TEST(lines)
{
    ck_assert_int_eq(read_text("a.txt", "\xef\xbb\xbf"
                                        "a dog \r\n\n  a dog\ncat, tabby\n\"quoted\"\n"),
                     0);
    ck_assert_int_eq(set.n, 3);
    ck_assert_str_eq(set.at[0].name, "a dog");
    ck_assert_str_eq(set.at[1].name, "cat, tabby");
    ck_assert_str_eq(set.at[2].name, "\"quoted\"");
    ck_assert_str_eq(set.name, "");
    ck_assert_int_eq(set.n_templates, 0);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(set.at[i].n_prompts + set.at[i].n_nots, 0);
        ck_assert_str_eq(set.at[i].parent, "");
        ck_assert(set.at[i].threshold == 0);
    }
}
END_TEST

START_TEST(a_table)
{
    ck_assert_int_eq(read_text("a.csv",
                               "id, Name,parent,prompts,threshold,not\r\n0,\"a \"\"big\"\", "
                               "dog\",animal, a dog | |big {} ,0.25,\n"
                               "1,cat,,,,a lion|a tiger\n2,,animal,x,,\n3,cat,other,,1,\n4,bird\n"),
                     0);
    ck_assert_int_eq(set.n, 3);
    ck_assert_str_eq(set.at[0].name, "a \"big\", dog");
    ck_assert_str_eq(set.at[0].parent, "animal");
    ck_assert_int_eq(set.at[0].n_prompts, 2);
    ck_assert_str_eq(set.at[0].prompts[0], "a dog");
    ck_assert_str_eq(set.at[0].prompts[1], "big {}");
    ck_assert(set.at[0].threshold == 0.25);
    ck_assert_int_eq(set.at[1].n_nots, 2);
    ck_assert_str_eq(set.at[1].nots[1], "a tiger");
    ck_assert_str_eq(set.at[1].parent, "");
    ck_assert_str_eq(set.at[2].name, "bird");
}
END_TEST

START_TEST(json)
{
    ck_assert_int_eq(
        read_text("a", " {\"name\":\"pets\",\"templates\":[\"a {}\",\"the "
                       "{}\"],\"labels\":[\"dog\",{\"name\":\"cat\",\"prompts\":\"a {} sleeps\","
                       "\"not\":[\"a "
                       "lion\"],\"parent\":\"animal\",\"threshold\":0.75},{\"name\":\"dog\","
                       "\"prompts\":[\"x\"]}]}"),
        0);
    ck_assert_str_eq(set.name, "pets");
    ck_assert_int_eq(set.n_templates, 2);
    ck_assert_str_eq(set.templates[1], "the {}");
    ck_assert_int_eq(set.n, 2);
    ck_assert_int_eq(set.at[0].n_prompts, 0); /* the first of two equal ones counts */
    ck_assert_str_eq(set.at[1].prompts[0], "a {} sleeps");
    ck_assert_str_eq(set.at[1].nots[0], "a lion");
    ck_assert_str_eq(set.at[1].parent, "animal");
    ck_assert(set.at[1].threshold == 0.75);
    ck_assert_int_eq(read_text("b.json", "[\"a\",\"b\"]"), 0);
    ck_assert_int_eq(set.n, 2);
}
END_TEST

static void refused(const char *name, const char *text, const char *sentence)
{
    ck_assert_int_eq(read_text(name, text), KS_EFORMAT);
    ck_assert_msg(strstr(e.msg, folder) && strstr(e.msg, sentence), "%s", e.msg);
}

START_TEST(bad_ones_are_named)
{
    refused("a.txt", "", "no label in it");
    refused("a.txt", "\n \n", "no label in it");
    refused("a.txt", "a\xff\n", "not UTF-8");
    refused("a.csv", "id,title\n1,dog\n", "names no column");
    refused("a.csv", "name,threshold\ndog,often\n", "line 2: a threshold");
    refused("a.csv", "name,threshold\ndog,0.5\ncat,1.5\n", "line 3: a threshold");
    refused("a.csv", "name,threshold\ndog,nan\n", "line 2: a threshold");
    refused("a.json", "{\"labels\":[", "line 1");
    refused("a.json", "{}", "no list 'labels'");
    refused("a.json", "{\"labels\":[]}", "no label in it");
    refused("a.json", "{\"labels\":[7]}", "label 1 has no name");
    refused("a.json", "{\"labels\":[\"a\",{\"prompts\":[]}]}", "label 2 has no name");
    refused("a.json", "{\"labels\":[{\"name\":\"a\",\"prompts\":[1]}]}",
            "'prompts' is a list of texts");
    refused("a.json", "{\"labels\":[{\"name\":\"a\",\"parent\":1}]}", "parent of \"a\"");
    refused("a.json", "{\"labels\":[{\"name\":\"a\",\"threshold\":0}]}", "threshold of \"a\"");
    refused("a.json", "{\"templates\":[\"dog\"],\"labels\":[\"a\"]}", "has no {}");
    refused("a.json", "\"a\"", "line 1");
    ck_assert_int_eq(read_set("a.txt", "a\0b", 3), KS_EFORMAT);
    ks_label_set_free(&set);
    ck_assert_int_eq(ks_label_set_read(&set, "/nowhere/labels", &e), KS_ENOTFOUND);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("label_set");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, lines);
    tcase_add_test(t, a_table);
    tcase_add_test(t, json);
    tcase_add_test(t, bad_ones_are_named);
    return ks_run_case("label_set", t);
}
