/* watch_tree.h - folders whose changes are heard of, by inotify: of all below some roots. */
#ifndef KS_WATCH_TREE_H
#define KS_WATCH_TREE_H

#include "ks.h"

typedef struct ks_watch_tree ks_watch_tree;

int ks_watch_tree_open(ks_watch_tree **out, ks_error *e); /* KS_EIO: the system gives no inotify */
void ks_watch_tree_close(ks_watch_tree *t);               /* NULL is fine */
int ks_watch_tree_fd(const ks_watch_tree *t);             /* to poll for */
/* The root (a folder, or the folder of a file) and all folders below it; links are not followed,
 * and what begins with a dot, or is a library, is not watched. What is watched already costs
 * nothing. */
void ks_watch_tree_add(ks_watch_tree *t, const char *root);
/* What was heard: 1 something may be new (an overflow too: nobody knows what), 0 nothing. New
 * folders are watched. */
int ks_watch_tree_read(ks_watch_tree *t);
/* Folders that could not be watched: the system's bound (fs.inotify.max_user_watches) or no
 * permission. */
int64_t ks_watch_tree_unheard(const ks_watch_tree *t);

#endif
