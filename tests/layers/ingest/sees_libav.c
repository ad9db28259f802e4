/* Must be refused: libav in the decoder program only. */
#include <libavcodec/avcodec.h>
