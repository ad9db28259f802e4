/* Must be refused: tensors in encoder only. */
#include <cblas.h>
