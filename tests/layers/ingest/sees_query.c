/* Must be refused: ingest and query never see each other. */
#include "query/query.h"
