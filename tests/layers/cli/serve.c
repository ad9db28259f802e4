/* Must be refused: cli and serve never see each other, but for cli/cmd_serve.c. */
#include "serve/serve.h"
