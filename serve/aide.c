/* aide.c - see aide.h. */
#include "serve/aide.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 8 };

typedef struct {
    pid_t pid;
    int fd, busy; /* fd -1: it is gone */
} one;

struct ks_aide {
    const ks_aide_how *how;
    one at[MOST];
    int n;
    pthread_mutex_t lock;
    pthread_cond_t freed;
};

/* --- in the process --- */
static int send_answer(int sock, const void *out, size_t bytes, int fd)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec io = {.iov_base = (void *)(uintptr_t)out, .iov_len = bytes};
    struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};

    if (fd >= 0) {
        m.msg_control = control.room;
        m.msg_controllen = sizeof control.room;
        control.head = (struct cmsghdr){
            .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd)};
        memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
    }
    return sendmsg(sock, &m, MSG_NOSIGNAL) == (ssize_t)bytes ? 0 : -1;
}

/* Until the server is gone. */
static void attend(const ks_aide_how *how, int sock)
{
    void *in = calloc(1, how->in), *out = calloc(1, how->out);

    if (how->begin) how->begin(how->arg);
    while (in && out) {
        ssize_t n = recv(sock, in, how->in, MSG_TRUNC);
        int fd = -1, bad;
        if (n < 0 && errno == EINTR) continue;
        if (n != (ssize_t)how->in) break;
        memset(out, 0, how->out);
        how->answer(out, &fd, in, how->arg);
        bad = send_answer(sock, out, how->out, fd);
        if (fd >= 0) close(fd);
        if (bad) break;
    }
    free(in);
    free(out);
}

/* Nothing of the server's is open in it: neither its terminal nor the socket of another aide,
 * which would keep that one alive. */
static _Noreturn void live(const ks_aide_how *how, int sock)
{
    sigset_t none;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    signal(SIGINT, SIG_IGN); /* Ctrl-C is the server's: its end ends us, behind what is under way */
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_NAME, how->name, 0, 0, 0);
    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || (sock = dup2(sock, 3)) < 0) _exit(1);
    close_range(4, ~0u, 0);
    attend(how, sock);
    _exit(0);
}

/* --- in the server --- */
static int start_one(one *o, const ks_aide_how *how, ks_error *e)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return ks_fail(e, KS_EIO, "no socket for %s: %s", how->name, strerror(errno));
    fflush(NULL);
    if ((o->pid = fork()) == 0) live(how, pair[1]);
    close(pair[1]);
    o->fd = pair[0];
    if (o->pid > 0) return 0;
    close(pair[0]);
    o->fd = -1;
    return ks_fail(e, KS_EIO, "no process for %s: %s", how->name, strerror(errno));
}

int ks_aide_start(ks_aide **out, const ks_aide_how *how, int n, ks_error *e)
{
    ks_aide *a = *out = calloc(1, sizeof *a);
    int err = 0;

    assert(n > 0 && n <= MOST && how->in <= 65536 && how->out <= 65536);
    if (!a) return ks_fail(e, KS_ENOMEM, "no memory");
    a->how = how;
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->freed, NULL);
    while (a->n < n && err == 0)
        if ((err = start_one(&a->at[a->n], how, e)) == 0) a->n++;
    if (err == 0) return 0;
    ks_aide_stop(a);
    *out = NULL;
    return err;
}

/* NULL: all are gone. */
static one *take(ks_aide *a)
{
    one *free_one = NULL;
    int here = 1;

    pthread_mutex_lock(&a->lock);
    while (!free_one && here) {
        here = 0;
        for (int i = 0; i < a->n && !free_one; i++) {
            here |= a->at[i].fd >= 0;
            if (a->at[i].fd >= 0 && !a->at[i].busy) free_one = &a->at[i];
        }
        if (!free_one && here) pthread_cond_wait(&a->freed, &a->lock);
    }
    if (free_one) free_one->busy = 1;
    pthread_mutex_unlock(&a->lock);
    return free_one;
}

static void give(ks_aide *a, one *o, int gone)
{
    pthread_mutex_lock(&a->lock);
    if (gone) {
        close(o->fd);
        o->fd = -1;
    }
    o->busy = 0;
    pthread_cond_broadcast(&a->freed);
    pthread_mutex_unlock(&a->lock);
}

/* 0, or -1: no whole answer. */
static int receive(int sock, void *out, size_t bytes, int *fd)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec io = {.iov_base = out, .iov_len = bytes};
    struct msghdr m = {.msg_iov = &io,
                       .msg_iovlen = 1,
                       .msg_control = control.room,
                       .msg_controllen = sizeof control.room};
    const struct cmsghdr *c;
    ssize_t n;

    *fd = -1;
    do n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n >= 0 && (c = CMSG_FIRSTHDR(&m)) && c->cmsg_level == SOL_SOCKET &&
        c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof *fd))
        memcpy(fd, CMSG_DATA(c), sizeof *fd);
    return n == (ssize_t)bytes ? 0 : -1;
}

int ks_aide_ask(ks_aide *a, void *out, int *fd, const void *in, ks_error *e)
{
    assert(a && out && in);
    one *o = take(a);
    int sent = -1, bad = 1;

    if (o) {
        bad = send(o->fd, in, a->how->in, MSG_NOSIGNAL) != (ssize_t)a->how->in ||
              receive(o->fd, out, a->how->out, &sent) < 0;
        give(a, o, bad);
    }
    if (sent >= 0 && (bad || !fd)) {
        close(sent);
        sent = -1;
    }
    if (fd) *fd = sent;
    return bad ? ks_fail(e, KS_EIO, "the process %s is gone: start the server anew", a->how->name)
               : 0;
}

void ks_aide_stop(ks_aide *a)
{
    int status;

    if (!a) return;
    for (int i = 0; i < a->n; i++)
        if (a->at[i].fd >= 0) close(a->at[i].fd);
    for (int i = 0; i < a->n; i++)
        while (waitpid(a->at[i].pid, &status, 0) < 0 && errno == EINTR) continue;
    pthread_cond_destroy(&a->freed);
    pthread_mutex_destroy(&a->lock);
    free(a);
}
