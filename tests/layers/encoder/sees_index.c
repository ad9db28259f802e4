/* Must be refused: leaves do not know each other. */
#include "index/index.h"
