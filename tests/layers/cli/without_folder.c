/* Must be refused: an include of ours without its folder. */
#include "opts.h"
