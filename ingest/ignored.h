/* ignored.h - a pattern of --include, --exclude or an ignore file against a path (ks_glob). */
#ifndef KS_IGNORED_H
#define KS_IGNORED_H

/* As in a .gitignore line: with a '/' inside (or first) the pattern is matched on the path below
 * its folder, without one on the last name; a '/' at the end asks for a folder. */
int ks_glob_path(const char *pattern, const char *relative, int is_folder);

#endif
