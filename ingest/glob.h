/* glob.h - patterns of --include, --exclude and the ignore file, on names that are any bytes.
 *
 * '*' and '?' stay within a folder name, '**' crosses '/', [a-z] and [!a-z] are sets of bytes, '\' takes the
 * next byte as it is. Matching is by bytes, whatever the locale. */
#ifndef KS_GLOB_H
#define KS_GLOB_H

int ks_glob(const char *pattern, const char *text); /* 1 the whole text matches, 0 not */

/* As in a .gitignore line: with a '/' inside (or first) the pattern is matched on the path below its folder,
 * without one on the last name; a '/' at the end asks for a folder. */
int ks_glob_path(const char *pattern, const char *relative, int is_folder);

#endif
