/* Must be refused: ingest and query never see each other. */
#include "ingest/ingest.h"
