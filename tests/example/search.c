/* search.c - the library in forty lines: cc search.c $(pkg-config --cflags --libs kinoseek)
 *
 *   ./search LIBRARY MODEL TOKENIZER WORDS */
#include <query/query.h>

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    ks_encoder_options how = {.towers = KS_TOWER_TEXT};
    ks_query_options options = {.k = 5, .all = 1};
    ks_encoder *enc = NULL;
    ks_index *x = NULL;
    ks_scale *scale = NULL;
    ks_hits hits = {0};
    ks_error e = {0};
    float *q = NULL;
    int dim;

    if (argc != 5) return 2;
    how.model = argv[2];
    how.tokenizer = argv[3];
    how.precision = KS_FP32;
    if (ks_encoder_open(&enc, &how, &e) < 0 || ks_index_open(&x, argv[1], KS_READ, &e) < 0 ||
        ks_scale_open(&scale, x, enc, &e) < 0)
        goto out;
    dim = ks_encoder_info(enc)->dim;
    q = malloc((size_t)dim * sizeof *q);
    if (q && ks_query_words(q, NULL, enc, argv[4], &e) == 0)
        ks_query_run(&hits, x, scale, q, dim, &options, &e);
    for (int i = 0; i < hits.count; i++)
        printf("%d %.3f %s %.3f\n", hits.at[i].rank, hits.at[i].score, hits.at[i].path,
               ks_seconds(hits.at[i].start, hits.at[i].tb));
out:
    if (e.code) fprintf(stderr, "search: %s\n", e.msg);
    free(q);
    ks_hits_free(&hits);
    ks_scale_close(scale);
    ks_index_close(x);
    ks_encoder_close(enc);
    return e.code != 0;
}
