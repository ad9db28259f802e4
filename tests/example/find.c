/* find.c - moments by words: cc find.c $(pkg-config --cflags --libs kinoseek-ingest) -o find
 *
 *   ./find LIBRARY WORDS */
#include <session/session.h>

#include <stdio.h>

int main(int argc, char **argv)
{
    ks_setup setup = {.program = argv[0]};
    ks_session *s = NULL;
    ks_answer a = {0};
    ks_error e = {0};

    if (argc != 3) return 2;
    if (ks_session_open(&s, argv[1], &setup, &e) == 0 &&
        ks_ask(&a, s, &(ks_question){.words = argv[2], .k = 5, .all = 1}, NULL, &e) == 0)
        for (int i = 0; i < a.hits.count; i++)
            printf("%d %.3f %s %.3f-%.3f\n", a.at[i].rank, a.at[i].score, a.at[i].path,
                   ks_seconds(a.at[i].start, a.at[i].tb), ks_seconds(a.at[i].end, a.at[i].tb));
    if (e.code) fprintf(stderr, "find: %s\n", e.msg);
    ks_answer_free(&a);
    ks_session_close(s);
    return e.code != 0;
}
