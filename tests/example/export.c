/* export.c - moments into an editing program: cc export.c $(pkg-config --cflags --libs
 * kinoseek-ingest) -o export
 *
 *   ./export LIBRARY FORMAT WORDS > hits.otio */
#include <formats/formats.h>
#include <session/session.h>

#include <stdio.h>

int main(int argc, char **argv)
{
    ks_setup setup = {.program = argv[0]};
    ks_out_options options = {.rows = KS_ROWS_MOMENTS, .command = argc > 3 ? argv[3] : ""};
    ks_out_target to = {.stream = stdout};
    const ks_format *format = argc == 4 ? ks_find_format(argv[2]) : NULL;
    ks_session *s = NULL;
    ks_out *out = NULL;
    ks_answer a = {0};
    ks_error e = {0};

    if (!format) return 2;
    if (ks_session_open(&s, argv[1], &setup, &e) == 0 &&
        ks_ask(&a, s, &(ks_question){.words = argv[3], .all = 1}, NULL, &e) == 0 &&
        ks_out_open(&out, &to, format, &options, &e) == 0) {
        for (int i = 0; i < a.hits.count && e.code == 0; i++) ks_out_entry(out, &a.at[i], &e);
        if (e.code == 0) ks_out_end(out, &e);
    }
    if (e.code) fprintf(stderr, "export: %s\n", e.msg);
    ks_out_close(out);
    ks_answer_free(&a);
    ks_session_close(s);
    return e.code != 0;
}
