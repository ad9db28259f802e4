/* own_sqlite.c - see sql.h; apart from the extension, where every sqlite3_ name means the
 * loading program's. */
#include "sql/sql.h"

#include <sqlite3.h>

const char *ks_own_sqlite(void) { return sqlite3_sourceid(); }
