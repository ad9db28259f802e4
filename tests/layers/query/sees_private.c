/* Must be refused: from outside a folder only its public header. */
#include "index/catalog.h"
