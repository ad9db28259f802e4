/* ingest_words.c - what `watch` and `worker` were told goes on to the `ingest` that they start. */
#include "cli/ingest_words.h"

#include <stdio.h>

int ks_ingest_words(const char **out, ks_ingest_call *call)
{
    const ks_setup *s = &call->g->setup;
    const struct {
        const char *name, *value;
    } given[] = {
        {"-L", call->library},         {"-m", s->model},
        {"--tokenizer", s->tokenizer}, {"--precision", s->precision},
        {"--device", s->device},       {"--threads", s->threads > 0 ? call->threads : NULL},
        {"--survey", call->survey},    {"--notify", call->notify},
        {"--encoder", call->encoder}};
    int n = 0;

    snprintf(call->threads, sizeof call->threads, "%d", s->threads);
    out[n++] = call->program;
    out[n++] = "ingest";
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        if (given[i].value) {
            out[n++] = given[i].name;
            out[n++] = given[i].value;
        }
    return n;
}
