/* reach.c - what lies within the server's walls, before they stand; and a word about what came to
 * lie outside of them since. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "serve/server.h"

/* The folder of a file, malloc'ed; NULL: of none. */
static char *folder_of(const char *file)
{
    char *folder = file ? strdup(file) : NULL, *slash = folder ? strrchr(folder, '/') : NULL;

    if (slash) slash[slash == folder] = 0;
    else if (folder) strcpy(folder, *folder ? "." : "");
    return folder;
}

/* The model that the library is asked with, and its tokenizer; malloc'ed, NULL: not known. */
static void find_model(char **path, char **tokenizer, ks_server *srv)
{
    ks_library *row = malloc(sizeof *row); /* 16 KiB of paths */
    ks_session *s = NULL;
    ks_error e;

    *path = *tokenizer = NULL;
    if (row && ks_sessions_take(&s, srv->sessions, KS_FOR_LOOKING, &e) == 0 &&
        ks_index_library(row, ks_session_index(s), &e) == 0) {
        const char *named = srv->o->setup->model ? srv->o->setup->model : row->model_path;
        if (ks_locate_model(path, tokenizer, srv->o->setup, named, &e) < 0)
            *path = *tokenizer = NULL;
        if (!*tokenizer) *tokenizer = strdup(row->tokenizer_path);
    }
    ks_sessions_give(srv->sessions, s);
    free(row);
}

void ks_reach_models(char *folders[KS_REACH_MODELS], ks_server *srv)
{
    char *path, *tokenizer;
    ks_error e;

    find_model(&path, &tokenizer, srv);
    folders[0] = folder_of(path);
    folders[1] = folder_of(tokenizer);
    free(path);
    free(tokenizer);
    if (ks_locate_data(&folders[2], srv->o->setup, "models", &e) < 0) folders[2] = NULL;
    if (ks_locate_pulled(&path, "-", &e) == 0) {
        folders[3] = folder_of(path);
        free(path);
    }
}

/* 1: the system would let us read it, our own walls do not. */
static int is_outside(const char *path)
{
    int fd, outside;

    if (!path || access(path, R_OK) < 0) return 0;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    outside = fd < 0 && errno == EACCES;
    if (fd >= 0) close(fd);
    return outside;
}

void ks_reach_explain(ks_reply *out, ks_server *srv)
{
    static const char again[] = "since this server started: start kinoseek serve again";
    char *path = NULL, *tokenizer = NULL;
    ks_error e = {0};

    if (is_outside(srv->o->library))
        ks_fail(&e, KS_ENOLIBRARY, "%s became another folder %s", srv->o->library, again);
    else {
        find_model(&path, &tokenizer, srv);
        if (is_outside(path) || is_outside(tokenizer))
            ks_fail(&e, KS_ENOLIBRARY, "the library was switched to %s %s", path ? path : tokenizer,
                    again);
    }
    if (e.msg[0]) ks_reply_problem(out, KS_ENOLIBRARY, e.msg);
    free(path);
    free(tokenizer);
}
