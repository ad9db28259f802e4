/* cmd_similar.c - `similar FILE[@T]`: a film or a second of it in, moments that look alike out. */
#include "cli/search_run.h"

static const ks_option options[] = {
    KS_SEARCH_OPTIONS,
    {0, "not-self", KS_OPT_FLAG, KS_AT(ask.not_self), NULL,
     "leave out the moment (or film) that was asked about"},
    KS_SEARCH_MORE_OPTIONS,
    {0},
};

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    const ks_search_fields *f = fields;
    ks_question q = f->ask;
    ks_search_run r = {0};
    ks_terms terms = {0};
    int err;

    if (n != 1)
        return ks_fail(
            e, KS_EUSAGE,
            "name one film, and a second in it if you like: kinoseek similar lake.mp4@4:12");
    err = ks_search_terms(&terms, f, 1, e);
    if (err == 0) err = ks_search_open(&r, g, f, "similar", e);
    q.film = args[0];
    q.terms = &terms;
    if (err == 0) err = ks_search_ask(&r, &q, e);
    if (err == 0) err = ks_search_finish(&r, e);
    ks_search_close(&r, err);
    ks_terms_free(&terms);
    return err;
}

extern const ks_command ks_cmd_similar;
const ks_command ks_cmd_similar = {
    .name = "similar",
    .usage = "FILE[@TIME]",
    .brief = "Find moments that look like a film or a second of it",
    .more = "  kinoseek similar lake.mp4@4:12 --not-self\n"
            "TIME is seconds or h:mm:ss. The file need not be in the library; what is\n"
            "in it goes by its name, too.",
    .options = options,
    .fields = sizeof(ks_search_fields),
    .hub = KS_HUB_MIRROR,
    .run = run,
};
