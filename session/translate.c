/* translate.c - words of other languages through a program of the user's. */
#include "session/session.h"

#include "session/open.h"

#include <stdlib.h>
#include <string.h>

enum { PATIENCE = 20 }; /* seconds: a translator may load a model first */

/* One line, without blanks around it. */
static void trim(char *text)
{
    size_t from = strspn(text, " \t\r\n"), n;

    memmove(text, text + from, strlen(text + from) + 1);
    for (n = strlen(text); n > 0 && strchr(" \t\r\n", text[n - 1]); n--) text[n - 1] = 0;
    for (char *c = text; *c; c++)
        if (*c == '\n' || *c == '\r' || *c == '\t') *c = ' ';
}

/* Bytes that UTF-8 never has, and sequences cut short; what else is wrong the tokenizer says. */
static int is_text(const char *s)
{
    for (int more = 0; *s || more; s++) {
        unsigned char c = (unsigned char)*s;
        if (more ? (c & 0xc0) != 0x80 : c >= 0xf5 || (c >= 0x80 && c < 0xc2)) return 0;
        more = more ? more - 1 : c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc2;
    }
    return 1;
}

int ks_translate(char **out, ks_session *s, const char *command, const char *words, ks_error *e)
{
    ks_program p;
    char said[600], *line = NULL;
    int err;

    *out = NULL;
    if (asprintf(&line, "%s\n", words) < 0) return ks_fail(e, KS_ENOMEM, "no memory for a query");
    err = ks_program_start(&p, command, line, 1, e);
    free(line);
    if (err < 0 || (err = ks_program_end(out, &p, PATIENCE, e)) < 0) return err;
    trim(*out);
    if (!is_text(*out)) {
        free(*out);
        *out = NULL;
        return ks_fail(e, KS_EFORMAT, "%s: what it wrote is not UTF-8 text", command);
    }
    if (!**out) {
        free(*out);
        *out = NULL;
        return ks_fail(e, KS_EFORMAT, "%s: it gave no words back", command);
    }
    if (s->setup->notice) {
        snprintf(said, sizeof said, "translated: %s", *out);
        s->setup->notice(s->setup->notice_arg, said);
    }
    return 0;
}
