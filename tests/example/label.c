/* label.c - which of these labels each clip bears: cc label.c $(pkg-config --cflags --libs
 * kinoseek-ingest) -o label
 *
 *   ./label LIBRARY LABEL... */
#include <session/session.h>

#include <stdio.h>

static int show(void *labels, const ks_label_row *row)
{
    printf("%s %.3f-%.3f %s %.3f\n", row->path, ks_seconds(row->start, row->tb),
           ks_seconds(row->end, row->tb), ((char **)labels)[row->label], row->score);
    return 0;
}

int main(int argc, char **argv)
{
    ks_setup setup = {.program = argv[0]};
    ks_label_options options = {.labels = (const char *const *)argv + 2, .n_labels = argc - 2};
    ks_session *s = NULL;
    ks_encoder *enc;
    ks_error e = {0};

    if (argc < 3) return 2;
    if (ks_session_open(&s, argv[1], &setup, &e) == 0 &&
        ks_session_encoder(&enc, s, KS_TOWER_TEXT, &e) == 0)
        ks_label(ks_session_index(s), enc, &options, show, argv + 2, &e);
    if (e.code) fprintf(stderr, "label: %s\n", e.msg);
    ks_session_close(s);
    return e.code != 0;
}
