/* Must be refused: FAISS in index only. */
#include <faiss/c_api/Index_c.h>
