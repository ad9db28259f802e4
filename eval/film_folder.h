/* film_folder.h - which file of a folder is the film of an id. */
#ifndef KS_FILM_FOLDER_H
#define KS_FILM_FOLDER_H

#include "ks.h"

typedef struct ks_film_folder ks_film_folder;

/* Every file under a folder, links followed, by its name without the ending of a film. folder
 * NULL: none, paths are taken as they are. KS_ENOTFOUND, KS_EIO, KS_ENOMEM. */
int ks_film_folder_open(ks_film_folder **m, const char *folder, ks_error *e);
void ks_film_folder_close(ks_film_folder *m); /* NULL is fine */
/* A folder in it that cannot be read, so that its films are missing; NULL: there is none. */
const char *ks_film_folder_unread(const ks_film_folder *m);

/* *path, malloc'ed: the file that `name` names, absolute or from the folder, else the one film
 * called so (with or without `prefix`, NULL: none); NULL: there is none. KS_EFORMAT: two films
 * are called so; both are named. */
int ks_film_folder_find(char **path, const ks_film_folder *m, const char *name, const char *prefix,
                        ks_error *e);

/* Bytes of a name before a film's ending (".mp4"); all of them where it has none. */
size_t ks_stem_length(const char *name);

#endif
