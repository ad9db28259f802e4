/* decoder_seek.c - from the film's first packet straight to a key frame that was met in order before.
 *
 * The first packet is decoded all the same: old x264 streams say there, and there alone, how their later pictures are to
 * be read (cockatoo.mp4 and dlc_openfield_mouse.mp4 are green without it). Whether the picture is the right one is not
 * judged here: kinoseek knows what it looked like (ks_film_open_at). */
#include <string.h>

#include "decoder/decoder_film.h"

enum { FIRST_PACKETS = 256 }; /* of all streams, before the first of ours */

static void decode_first(ks_film_job *f)
{
    for (int i = 0, ours = 0; i < FIRST_PACKETS && !ours && av_read_frame(f->source.format, f->packet) >= 0; i++) {
        ours = f->packet->stream_index == f->source.stream->index;
        if (ours) avcodec_send_packet(f->source.codec, f->packet);
        av_packet_unref(f->packet);
    }
    /* With frame threads the packet is decoded before its picture is given or the next one is taken. */
    if (avcodec_receive_frame(f->source.codec, f->frame) >= 0) av_frame_unref(f->frame);
    avcodec_flush_buffers(f->source.codec);
}

int ks_film_seek(ks_film_job *f)
{
    const ks_job *job = &f->task->job;
    const char *name = f->source.format->iformat->name;
    int stream = f->source.stream->index;
    int by_bytes = job->seek_offset >= 0 && (strcmp(name, "mpegts") == 0 || strcmp(name, "mpeg") == 0);
    decode_first(f);
    f->seek_stamp = job->seek_ticks + job->seek_shift;
    f->times.start = job->seek_shift;
    f->times.has_start = 1;
    int r = by_bytes ? av_seek_frame(f->source.format, stream, job->seek_offset, AVSEEK_FLAG_BYTE)
                     : av_seek_frame(f->source.format, stream, f->seek_stamp, AVSEEK_FLAG_BACKWARD);
    if (r >= 0) return 0;
    snprintf(f->source.reason, sizeof f->source.reason, "no way to the key frame");
    return -1;
}
