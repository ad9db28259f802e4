/* Must be refused: no JSON below cli, but for the safetensors header. */
#include <jansson.h>
