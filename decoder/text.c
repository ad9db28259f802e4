/* text.c - a text job: what is said in a film, or in a file beside it. */
#include "decoder/decoder.h"

#include <assert.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decoder/spawn.h"

static int finish(char reason[200], const ks_wire_end *end, const char *path, ks_error *e)
{
    char words[200];
    size_t n = strlen(KS_WIRE_READ);
    ks_wire_text(words, sizeof words, end->reason, sizeof end->reason);
    if (end->verdict == KS_VERDICT_FAILED) return ks_fail(e, KS_EFORMAT, "%s: %s", path, words);
    if (strncmp(words, KS_WIRE_READ, n) != 0)
        return ks_fail(e, KS_EFORMAT, "%s: the decoder answered nonsense", path);
    n += strspn(words + n, "; ");
    memmove(reason, words + n, strlen(words + n) + 1);
    return 0;
}

static int take_lines(char reason[200], int sock, ks_decoder *d, ks_wire_watch *watch,
                      const char *path, ks_on_text *each, void *arg, ks_error *e)
{
    ks_wire_state state;
    ks_message m;
    ks_error why;
    char words[200];
    int status, r, stopped = 0;

    ks_wire_start(&state);
    while ((r = ks_wire_wait(sock, &m, watch)) == 1 && ks_wire_accept(&state, &m, &why) == 0 &&
           !stopped && (m.type == KS_MSG_TICK || m.type == KS_MSG_LINE))
        if (m.type == KS_MSG_LINE)
            stopped = each(arg, &(ks_text_line){m.u.line.start_us, m.u.line.end_us, m.u.line.text});
    ks_job_end(&status, d);
    if (stopped) return ks_fail(e, KS_ESTOP, "interrupted");
    if (r == 1 && m.type == KS_MSG_END && state.ended) return finish(reason, &m.u.end, path, e);
    if (r == KS_ENOTFOUND) snprintf(words, sizeof words, "made no progress and was stopped");
    else if (r == 0) ks_job_died(words, sizeof words, status);
    else snprintf(words, sizeof words, "answered nonsense");
    return ks_fail(e, KS_EFORMAT, "%s: the decoder %s", path, words);
}

int ks_texts(char reason[200], ks_decoder *d, const char *path, int beside, ks_on_text *each,
             void *arg, ks_error *e)
{
    assert(reason && d && path && each);
    ks_job job = {.kind = KS_JOB_TEXT, .beside = beside};
    ks_wire_watch watch;
    struct stat st;
    int fd, sock, r;

    reason[0] = 0;
    if ((r = ks_media_open(&fd, &st, path, e))) return r;
    ks_wire_watch_start(&watch, d->patience, ks_media_bytes(&st));
    r = ks_job_begin(&sock, d, &job, fd, -1, e);
    if (!r) {
        r = take_lines(reason, sock, d, &watch, path, each, arg, e);
        close(sock);
    }
    close(fd);
    return r;
}
