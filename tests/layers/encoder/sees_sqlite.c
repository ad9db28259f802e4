/* Must be refused: SQL in index only. */
#include <sqlite3.h>
