/* sql.h - kinoseek inside SQLite: kinoseek.so, which sqlite3 and every program with the system's
 * SQLite can load.
 *
 *   .load /usr/local/lib/kinoseek/kinoseek
 *   SELECT rank, score, path, start FROM kinoseek_search('a dog jumping', 10);
 *
 * A table-valued function over the library whose catalog.db is open (as main, or attached); a
 * third argument names another library's folder. Columns: rank, score, cosine, video, path,
 * start, "end", best (seconds), clip. */
#ifndef KS_SQL_H
#define KS_SQL_H

#ifdef __cplusplus
extern "C" {
#endif

/* The SQLite that this library itself is linked with (own_sqlite.c). Two copies of SQLite in one
 * process must not open one file (sqlite.org/howtocorrupt.html, 2.2.1): the extension refuses to
 * be loaded by another. */
const char *ks_own_sqlite(void); /* the address of its source id tells copies apart */

#ifdef __cplusplus
}
#endif
#endif
