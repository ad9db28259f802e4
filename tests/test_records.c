/* test_records.c - annotation files as records: known answers, lines that are named, and mutants
 * of every form. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "eval/records.h"
#include "tests/suite.h"

static char folder[] = "/tmp/ks_records_XXXXXX";

static void write_file(const char *name, const char *text, size_t n)
{
    FILE *f = fopen(name, "w");
    ck_assert_ptr_nonnull(f);
    fwrite(text, 1, n, f);
    fclose(f);
}

static void setup(void)
{
    strcpy(folder, "/tmp/ks_records_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
}

static void teardown(void)
{
    unlink("f");
    ck_assert_int_eq(chdir("/"), 0);
    rmdir(folder);
}

/* Every record as "line: name=value|value,name=value;". */
static int told(void *arg, const ks_record *r, ks_error *e)
{
    FILE *out = arg;
    (void)e;
    fprintf(out, "%lld:", (long long)r->at.line);
    for (int i = 0; i < r->n; i++) {
        if (strcmp(r->field[i].name, "@row") == 0) continue;
        fprintf(out, "%s%s=", i ? "," : "", r->field[i].name);
        for (int k = 0; k < r->field[i].n; k++)
            fprintf(out, "%s%s", k ? "|" : "", r->field[i].at[k]);
    }
    fputc(';', out);
    return 0;
}

static const struct {
    ks_records_form form;
    const char *pattern, *text, *said; /* the records, or the sentence of the refusal */
    int err;
} rows[] = {
    {KS_RECORDS_CSV, NULL, "a,b\n1,2\n\n3,4\n", "2:a=1,b=2;4:a=3,b=4;", 0},
    {KS_RECORDS_CSV, NULL,
     "\xef\xbb\xbf"
     "a,b\r\n\"x, \"\"y\"\"\",\r\n",
     "2:a=x, \"y\",b=;", 0},
    {KS_RECORDS_CSV, NULL, "a,b\n\"one\ntwo\n\",3\n4,\"\"\n", "2:a=one\ntwo\n,b=3;5:a=4,b=;", 0},
    {KS_RECORDS_CSV, NULL, "a,b\n1\n", "f:2: 1 fields, the header has 2", KS_EFORMAT},
    {KS_RECORDS_CSV, NULL, "a,b\n1,\"2\n3\n", "f:2: a quote is not closed", KS_EFORMAT},
    {KS_RECORDS_CSV, NULL, "a,b\n\"1\"x,2\n", "f:2: text behind a closing quote", KS_EFORMAT},
    {KS_RECORDS_CSV, NULL, "", "", 0},
    {KS_RECORDS_LINES, "{film} {from} {to}##{text}", "# head\n\nX 1.5 2##a b  c##d \n",
     "3:film=X,from=1.5,to=2,text=a b  c##d;", 0},
    {KS_RECORDS_LINES, "{film} {text}", "X  two\n", "1:film=X,text= two;", 0},
    {KS_RECORDS_LINES, "{film} {text}", "X y\nZ\n", "f:2: a line is {film} {text} here",
     KS_EFORMAT},
    {KS_RECORDS_LINES, "{film}", "a b\n", "1:film=a b;", 0},
    {KS_RECORDS_JSON, NULL,
     "[{\"a\": \"x\", \"b\": [\"y\", 2, 0.5, null, [3]], \"c\": {\"d\": 1}},\n\n {\"a\": "
     "\"}\\\"{\"}]",
     "1:a=x,b=y|2|0.5,c=;3:a=}\"{;", 0},
    {KS_RECORDS_JSON, NULL, "\xef\xbb\xbf{\n\"v_1\": {\"s\": []},\n\"v_2\": {\"s\": [\"p\"]}}",
     "2:@key=v_1,s=;3:@key=v_2,s=p;", 0},
    {KS_RECORDS_JSON, NULL, "{\"a\": {}, \"a\": {}}", "f:1: duplicate object key near '\"a\"'",
     KS_EFORMAT},
    {KS_RECORDS_JSON, NULL, "[1]", "f:1: record 1 is no object", KS_EFORMAT},
    {KS_RECORDS_JSON, NULL, "[{\"a\": \"\\ud800\"}]", NULL, KS_EFORMAT},
    {KS_RECORDS_JSON, NULL, "[", NULL, KS_EFORMAT},
    {KS_RECORDS_JSON, NULL, "\"a text\"", NULL, KS_EFORMAT},
};
enum { ROWS = sizeof rows / sizeof *rows };

START_TEST(files_as_records)
{
    for (int i = 0; i < ROWS; i++) {
        ks_error e = {0};
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);
        write_file("f", rows[i].text, strlen(rows[i].text));
        int err = ks_records_read("f", rows[i].form, rows[i].pattern, told, out, &e);
        fclose(out);
        ck_assert_msg(err == rows[i].err, "row %d: %d, %s", i, err, e.msg);
        if (rows[i].said) ck_assert_str_eq(err ? e.msg : text, rows[i].said);
        else ck_assert_msg(strncmp(e.msg, "f:", 2) == 0, "row %d: %s", i, e.msg);
        free(text);
    }
}
END_TEST

static int counted(void *arg, const ks_record *r, ks_error *e)
{
    int *n = arg;
    (void)e;
    for (int i = 0; i < r->n; i++)
        for (int k = 0; k < r->field[i].n; k++) *n += (int)strlen(r->field[i].at[k]) > -1;
    return 0;
}

/* Bytes changed, cut, doubled: every file is read or refused by its name, whatever form it is
 * asked in. */
START_TEST(mutants_are_read_or_refused)
{
    uint64_t state = 20261129;
    int read = 0, refused = 0;
    for (int i = 0; i < 2000; i++) {
        const char *from = rows[i % ROWS].text;
        size_t n = strlen(from);
        char text[600];
        memcpy(text, from, n);
        for (int k = 0; k < 1 + i % 4 && n > 0; k++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            size_t at = (size_t)(state >> 33) % n;
            unsigned what = (unsigned)(state >> 60);
            static const char odd[] = "\",{}[]\\\n\r\t# \xff\xc3:";
            if (what < 8) text[at] = odd[(state >> 40) % (sizeof odd - 1)];
            else if (what < 10) n = at;
            else if (what < 12) text[at] = (char)(state >> 44);
            else if (2 * n < sizeof text) {
                memcpy(text + n, text, n);
                n *= 2;
            }
        }
        write_file("f", text, n);
        for (int form = KS_RECORDS_CSV; form <= KS_RECORDS_LINES; form++) {
            ks_error e = {0};
            int values = 0, json,
                err = ks_records_read("f", (ks_records_form)form, "{a} {b},{c}", counted, &values,
                                      &e);
            ck_assert_msg(err == 0 || (err == KS_EFORMAT && strncmp(e.msg, "f:", 2) == 0),
                          "mutant %d: %d %s", i, err, e.msg);
            read += err == 0;
            refused += err != 0;
            ks_records_is_json(&json, "f", &e);
        }
    }
    ck_assert_msg(read > 200 && refused > 200, "%d read, %d refused", read, refused);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("records");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, files_as_records);
    tcase_add_test(t, mutants_are_read_or_refused);
    return ks_run_case("records", t);
}
