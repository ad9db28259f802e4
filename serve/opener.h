/* opener.h - films by number: another process opens them, which alone may read where films lie. */
#ifndef KS_OPENER_H
#define KS_OPENER_H

#include "serve/aide.h"

typedef struct ks_opener ks_opener;
/* Before the walls of the server. Both are borrowed; cache: a folder for copies, or NULL. */
int ks_opener_start(ks_opener **o, const char *library, const char *cache, ks_error *e);
void ks_opener_stop(ks_opener *o); /* NULL is fine */
/* The first path of the film `id` that is it still, opened for reading; name: the last part of it.
 * 0, < 0, or a status: 403, 404, 409 (a link, or another file lies there now). *fd is the
 * caller's. */
int ks_open_film(int *fd, char name[256], ks_opener *o, int64_t id, ks_error *e);

/* A path by which the decoder takes the descriptor; and an error's sentence with the film's name in
 * place of it. */
enum { KS_LENT_PATH = 40 };
void ks_lent_path(char path[KS_LENT_PATH], int fd);
void ks_lent_name(ks_error *e, const char *path, const char *name);

#endif
