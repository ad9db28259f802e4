/* decoder_seek.c - from the film's first packet straight to a key frame that was met in order
 * before.
 *
 * The first packet is decoded all the same: old x264 streams say there, and there alone, how
 * their later pictures are to be read (cockatoo.mp4 and dlc_openfield_mouse.mp4 are green
 * without it). Whether the picture is the right one is not judged here: kinoseek knows what it
 * looked like (ks_film_open_at). */
#include <string.h>

#include "decoder/decoder_film.h"

enum { FIRST_PACKETS = 256 }; /* of all streams, before the first of ours */

static void decode_first(ks_source *s, AVPacket *packet, AVFrame *frame)
{
    for (int i = 0, ours = 0; i < FIRST_PACKETS && !ours && av_read_frame(s->format, packet) >= 0;
         i++) {
        ours = packet->stream_index == s->stream->index;
        if (ours) avcodec_send_packet(s->codec, packet);
        av_packet_unref(packet);
    }
    /* With frame threads the packet is decoded before its picture is given or the next one is
     * taken. */
    if (avcodec_receive_frame(s->codec, frame) >= 0) av_frame_unref(frame);
    avcodec_flush_buffers(s->codec);
}

int ks_source_seek(ks_source *s, const ks_job *job, AVPacket *packet, AVFrame *frame)
{
    const char *name = s->format->iformat->name;
    int stream = s->stream->index;
    int by_bytes = job->seek_offset >= 0 &&
                   (strcmp(name, "mpegts") == 0 || strcmp(name, "mpeg") == 0);
    decode_first(s, packet, frame);
    int r = by_bytes ? av_seek_frame(s->format, stream, job->seek_offset, AVSEEK_FLAG_BYTE)
                     : av_seek_frame(s->format, stream, job->seek_ticks + job->seek_shift,
                                     AVSEEK_FLAG_BACKWARD);
    if (r >= 0) return 0;
    snprintf(s->reason, sizeof s->reason, "no way to the key frame");
    return -1;
}
