/* decoder_origin.h - when and where a film comes from, as it says itself. */
#ifndef KS_DECODER_ORIGIN_H
#define KS_DECODER_ORIGIN_H

#include <libavformat/avformat.h>

#include "decoder/wire.h"

/* Fills created*, timecode and reel; `frame` is the first one that is shown, at `ticks`. */
void ks_origin_of(ks_wire_media *m, const AVFormatContext *c, const AVStream *st,
                  const AVFrame *frame, int64_t ticks);

#endif
