/* Must be refused: leaves do not know each other. */
#include "encoder/encoder.h"
