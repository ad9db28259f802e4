/* player.c - see player.h. No shell takes part: a path is one argument, whatever is in it. */
#include "cli/player.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORDS = 32 };

static const char *base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* One word with {path} and {start} filled in; malloc'ed. */
static char *filled(const char *word, const char *path, const char *start, int *has_path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    if (!f) return NULL;
    while (*word) {
        if (strncmp(word, "{path}", 6) == 0) {
            fputs(path, f);
            *has_path = 1;
            word += 6;
        } else if (strncmp(word, "{start}", 7) == 0) {
            fputs(start, f);
            word += 7;
        } else {
            putc(*word++, f);
        }
    }
    fclose(f);
    return text;
}

/* How known players take a start. */
static void usual_words(char **argv, int *n, char *option, const char *start, const char *path)
{
    const char *player = base(argv[0]);

    if (strcmp(player, "vlc") == 0 || strcmp(player, "cvlc") == 0) {
        snprintf(option, 64, "--start-time=%s", start);
        argv[(*n)++] = option;
    } else if (strcmp(player, "ffplay") == 0 || strcmp(player, "mplayer") == 0) {
        snprintf(option, 64, "-ss");
        argv[(*n)++] = option;
        argv[(*n)++] = (char *)start;
    } else {
        snprintf(option, 64, "--start=%s", start);
        argv[(*n)++] = option;
    }
    argv[(*n)++] = (char *)path;
}

int ks_open_player(const char *named, const char *path, double start, ks_error *e)
{
    assert(path);
    char *line = strdup(named ? named : KS_PLAYER), *argv[WORDS + 4], seconds[32], option[64];
    int n = 0, own, has_path = 0;

    snprintf(seconds, sizeof seconds, "%.3f", start);
    for (char *w = line ? strtok(line, " ") : NULL; w && n < WORDS; w = strtok(NULL, " "))
        if ((argv[n] = filled(w, path, seconds, &has_path))) n++;
    if (n == 0) {
        free(line);
        return ks_fail(e, KS_ENOMEM, "no memory for the player's words");
    }
    own = n;
    if (!has_path) usual_words(argv, &n, option, seconds, path);
    argv[n] = NULL;
    fflush(stdout);
    execvp(argv[0], argv);
    ks_fail(e, KS_EIO, "%s: %s (KINOSEEK_PLAYER, or player in the configuration, names another)",
            argv[0], strerror(errno));
    for (int i = 0; i < own; i++) free(argv[i]);
    free(line);
    return KS_EIO;
}
