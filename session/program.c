/* program.c - a program of the user's: words in, words out. No shell takes part: the command is
 * cut at blanks, and what it is given comes on its standard input. */
#include "session/session.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
enum { WORDS = 64, MOST = 32768, PIPE = 1 << 20 };

static int spawn(pid_t *pid, char **argv, int in, int out)
{
    posix_spawn_file_actions_t a;
    posix_spawnattr_t attr;
    sigset_t none, standard;
    int r;

    sigemptyset(&none);
    sigemptyset(&standard);
    sigaddset(&standard, SIGPIPE);
    sigaddset(&standard, SIGINT);
    sigaddset(&standard, SIGTERM);
    sigaddset(&standard, SIGXFSZ);
    posix_spawn_file_actions_init(&a);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &standard);
    posix_spawn_file_actions_adddup2(&a, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&a, out >= 0 ? out : STDERR_FILENO, STDOUT_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&a, STDERR_FILENO + 1);
    r = posix_spawnp(pid, argv[0], &a, &attr, argv, environ);
    posix_spawn_file_actions_destroy(&a);
    posix_spawnattr_destroy(&attr);
    return r;
}

/* What fits into the pipe is handed over without waiting for its reader: a moment of hours names
 * thousands of clips. */
static size_t room_in(int fd)
{
    int room = fcntl(fd, F_SETPIPE_SZ, PIPE);

    if (room < 0) room = fcntl(fd, F_GETPIPE_SZ);
    return room < 4096 ? 4096 : (size_t)room - 4096; /* the last page may be begun */
}

/* It may end without reading: that is its own affair, and no signal of ours. */
static void hand_over(int fd, const char *data, size_t bytes)
{
    sigset_t pipes, before;
    struct timespec at_once = {0, 0};

    sigemptyset(&pipes);
    sigaddset(&pipes, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipes, &before);
    if (write(fd, data, bytes) < 0 && errno == EPIPE) sigtimedwait(&pipes, NULL, &at_once);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int ks_program_start(ks_program *p, const char *command, const char *input, int reads, ks_error *e)
{
    assert(p && command);
    char *line = strdup(command), *argv[WORDS + 1], *save = NULL;
    int n = 0, in[2] = {-1, -1}, out[2] = {-1, -1}, err = 0, r;

    *p = (ks_program){.out = -1};
    snprintf(p->name, sizeof p->name, "%s", command);
    for (char *w = line ? strtok_r(line, " \t\n", &save) : NULL; w && n < WORDS;
         w = strtok_r(NULL, " \t\n", &save))
        argv[n++] = w;
    argv[n] = NULL;
    if (!line) err = ks_fail(e, KS_ENOMEM, "no memory for a program's words");
    else if (n == 0) err = ks_fail(e, KS_EUSAGE, "the program's name is empty");
    else if (pipe2(in, O_CLOEXEC) != 0 || (reads && pipe2(out, O_CLOEXEC) != 0))
        err = ks_fail(e, KS_EIO, "%s: %s", p->name, strerror(errno));
    else if (strlen(input) > room_in(in[1]))
        err = ks_fail(e, KS_EUSAGE, "%s: %zu bytes are more than can be given to it", p->name,
                      strlen(input));
    else if ((r = spawn(&p->pid, argv, in[0], out[1])) != 0)
        err = ks_fail(e, KS_EIO, "%s: %s", p->name, strerror(r));
    if (in[0] >= 0) close(in[0]);
    if (out[1] >= 0) close(out[1]);
    if (err == 0) hand_over(in[1], input, strlen(input));
    if (in[1] >= 0) close(in[1]);
    if (err < 0 && out[0] >= 0) close(out[0]);
    else p->out = out[0];
    free(line);
    return err;
}

static int late(const ks_program *p, double seconds, ks_error *e)
{
    kill(p->pid, SIGKILL);
    return ks_fail(e, KS_EIO, "%s: it did not end within %.0f s", p->name, seconds);
}

/* All that it says, until it closes its output. */
static int read_all(char *text, ks_program *p, double end, double seconds, ks_error *e)
{
    size_t n = 0;

    while (n < MOST) {
        struct pollfd f = {p->out, POLLIN, 0};
        double left = end - ks_monotonic();
        ssize_t got;
        if (left <= 0) return late(p, seconds, e);
        if (poll(&f, 1, (int)(left * 1000) + 1) <= 0) continue; /* the clock, or a signal */
        got = read(p->out, text + n, MOST - n);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        n += (size_t)got;
    }
    text[n] = 0;
    if (strlen(text) != n) return ks_fail(e, KS_EFORMAT, "%s: what it wrote is no text", p->name);
    return n < MOST ? 0 : ks_fail(e, KS_EFORMAT, "%s: it wrote more than %d bytes", p->name, MOST);
}

static int wait_for(ks_program *p, double end, double seconds, ks_error *e)
{
    struct timespec nap = {0, 2000000};
    int status = 0, err = 0;

    while (waitpid(p->pid, &status, err < 0 ? 0 : WNOHANG) == 0) {
        if (ks_monotonic() > end) err = late(p, seconds, e);
        else nanosleep(&nap, NULL);
    }
    if (err == 0 && WIFSIGNALED(status))
        return ks_fail(e, KS_EIO, "%s: it died of signal %d", p->name, WTERMSIG(status));
    if (err == 0 && WIFEXITED(status) && WEXITSTATUS(status) != 0)
        return ks_fail(e, KS_EIO, "%s: it ended with code %d", p->name, WEXITSTATUS(status));
    return err;
}

int ks_program_end(char **out, ks_program *p, double seconds, ks_error *e)
{
    assert(p && p->pid > 0);
    double end = ks_monotonic() + seconds;
    char *text = out ? malloc(MOST + 1) : NULL;
    int err = 0, ended;
    ks_error ignored;

    assert(p->pid > 0 && (out != NULL) == (p->out >= 0));
    if (out && !text) err = ks_fail(e, KS_ENOMEM, "no memory for a program's answer");
    else if (out) err = read_all(text, p, end, seconds, e);
    if (err < 0) kill(p->pid, SIGKILL);
    if (p->out >= 0) close(p->out);
    ended = wait_for(p, end, seconds, err < 0 ? &ignored : e);
    err = err < 0 ? err : ended;
    *p = (ks_program){.out = -1};
    if (err < 0) free(text);
    else if (out) *out = text;
    return err;
}
