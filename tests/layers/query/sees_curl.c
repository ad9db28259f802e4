/* Must be refused: the network is seen by cli alone. */
#include <curl/curl.h>
