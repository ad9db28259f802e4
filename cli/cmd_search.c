/* cmd_search.c - `search WORDS`: words, a picture or a clip in, moments out. */
#include "cli/search_run.h"
#include "formats/formats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

extern const ks_option ks_search_options[];
const ks_option ks_search_options[] = {
    KS_SEARCH_OPTIONS,
    {0, "all", KS_OPT_FLAG, KS_AT(ask.all), NULL, "no cut-off: the weak ones too"},
    KS_TERM_OPTION(8, "image", "FILE", "look for what is in a picture"),
    KS_TERM_OPTION(9, "like", "CLIP", "look for what a clip shows (its number)"),
    {0, "queries", KS_OPT_TEXT, KS_AT(queries), "FILE", "one query a line, - for standard input"},
    KS_SEARCH_MORE_OPTIONS,
    {0, "closer", KS_OPT_TEXT, KS_AT(closer), "TIME",
     "look at surveyed moments again, so long at most"},
    {0},
};

static int ask_lines(ks_search_run *r, ks_question *q, const char *file, ks_error *e)
{
    FILE *f = strcmp(file, "-") == 0 ? stdin : fopen(file, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    int err = 0, at = 0;

    if (!f) return ks_fail(e, KS_ENOTFOUND, "%s: %s", file, strerror(errno));
    while (err == 0 && (n = getline(&line, &room, f)) >= 0) {
        while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r')) line[--n] = 0;
        at++;
        if (strlen(line) != (size_t)n || !ks_is_utf8(line))
            err = ks_fail(e, KS_EFORMAT, "%s: line %d is not UTF-8 text", file, at);
        else if (!ks_is_blank(line)) q->words = line, err = ks_search_ask(r, q, e);
    }
    if (err == 0 && ferror(f)) err = ks_fail(e, KS_EIO, "%s: %s", file, strerror(errno));
    free(line);
    if (f != stdin) fclose(f);
    return err;
}

static int terms_given(const ks_search_fields *f)
{
    int n = 0;

    for (int i = 0; i < KS_TERM_OPTIONS; i++) n += f->terms[i].n;
    return n;
}

static int run(const ks_globals *g, void *fields, int n, char **args, ks_error *e)
{
    const ks_search_fields *f = fields;
    ks_search_run r = {0};
    ks_question q = f->ask;
    ks_terms terms = {0};
    char *words = NULL;
    int err;

    if (n > 0 && f->queries) return ks_fail(e, KS_EUSAGE, "name one of WORDS and --queries");
    if (n == 0 && !f->queries && !terms_given(f) && !f->ask.said)
        return ks_fail(e, KS_EUSAGE,
                       "say what to look for: kinoseek search a dog jumping into water");
    if (f->queries && f->html)
        return ks_fail(e, KS_EUSAGE, "--html is a page of one query; --queries has several");
    if (f->queries && f->closer)
        return ks_fail(e, KS_EUSAGE, "--closer is for one query; --queries has several");
    if (!(words = ks_join_words(n, args))) return ks_fail(e, KS_ENOMEM, "no memory for a query");
    if (n > 0 && ks_is_blank(words))
        err = ks_fail(e, KS_EUSAGE,
                      "the words are empty: kinoseek search a dog jumping into water");
    else if ((err = ks_search_terms(&terms, f, n > 0 || f->queries || !terms_given(f), e)) == 0)
        err = ks_search_open(&r, g, f, "search", e);
    q.words = n > 0 ? words : NULL;
    q.names = 1;
    q.terms = &terms;
    if (err == 0) err = f->queries ? ask_lines(&r, &q, f->queries, e) : ks_search_ask(&r, &q, e);
    if (err == 0) err = ks_search_finish(&r, e);
    ks_search_close(&r, err);
    ks_terms_free(&terms);
    free(words);
    return err;
}

extern const ks_command ks_cmd_search;
const ks_command ks_cmd_search = {
    .name = "search",
    .usage = "WORDS...",
    .brief = "Find moments by words",
    .more = "  kinoseek search a dog jumping into water --after 2019\n"
            "  kinoseek search -0 sunset | xargs -0 ls -l\n"
            "  kinoseek search goal --in match.mp4 --format ffmetadata > chapters.txt",
    .options = ks_search_options,
    .fields = sizeof(ks_search_fields),
    .hub = KS_HUB_MIRROR,
    .run = run,
};
