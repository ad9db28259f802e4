/* decoder_about.c - which job, and what this program is made of. */
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/hwcontext.h>
#include <libheif/heif.h>
#include <libswscale/swscale.h>
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "decoder/decoder_jobs.h"
#include "decoder/decoder_source.h"

static void fact(const ks_task *task, const char *name, const char *value)
{
    ks_message m;
    ks_wire_begin(&m, KS_MSG_FACT);
    snprintf(m.u.text, sizeof m.u.text, "%s=%s", name, value);
    ks_wire_send(task->socket, &m, NULL, 0, 0);
}

static void library(const ks_task *task, const char *name, unsigned v)
{
    char words[64];
    snprintf(words, sizeof words, "%u.%u.%u", v >> 16, v >> 8 & 0xff, v & 0xff);
    fact(task, name, words);
}

static void about(const ks_task *task)
{
    char names[128] = "";
    ks_message m;
    library(task, "libavcodec", avcodec_version());
    library(task, "libavformat", avformat_version());
    library(task, "libswscale", swscale_version());
    fact(task, "libheif", heif_get_version());
    for (enum AVHWDeviceType t = av_hwdevice_iterate_types(AV_HWDEVICE_TYPE_NONE);
         t != AV_HWDEVICE_TYPE_NONE; t = av_hwdevice_iterate_types(t))
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", names[0] ? " " : "",
                 av_hwdevice_get_type_name(t));
    fact(task, "hwaccels", names);
    ks_wire_begin(&m, KS_MSG_END);
    m.u.end.verdict = KS_VERDICT_SKIPPED;
    snprintf(m.u.end.reason, sizeof m.u.end.reason, "about");
    ks_wire_send(task->socket, &m, NULL, 0, 0);
}

void ks_task_run(ks_task *task)
{
    ks_log_listen();
    if (task->job.kind == KS_JOB_FILM) ks_task_film(task);
    else if (task->job.kind == KS_JOB_CUT) ks_task_cut(task);
    else if (task->job.kind == KS_JOB_TEXT) ks_task_text(task);
    else if (task->job.kind == KS_JOB_ABOUT) about(task);
}

/* In a child, before any sandbox: drivers start threads and may crash. -2: there is no such
 * device. */
static int try_device(enum AVHWDeviceType type)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        AVBufferRef *device = NULL;
        _exit(av_hwdevice_ctx_create(&device, type, NULL, NULL, 0) < 0);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    return pid > 0 && status == 0 ? 0 : -2;
}

/* Codecs build tables when they are first opened; a fork inherits them. */
int ks_task_warm(const char *hwaccel)
{
    static const enum AVCodecID common[] = {
        AV_CODEC_ID_H264,  AV_CODEC_ID_HEVC, AV_CODEC_ID_MPEG4, AV_CODEC_ID_MPEG2VIDEO,
        AV_CODEC_ID_MJPEG, AV_CODEC_ID_VP9,  AV_CODEC_ID_AAC};
    ks_log_listen();
    for (size_t i = 0; i < sizeof common / sizeof *common; i++) {
        const AVCodec *codec = avcodec_find_decoder(common[i]);
        AVCodecContext *c = codec ? avcodec_alloc_context3(codec) : NULL;
        if (c) {
            c->thread_count = 1;
            avcodec_open2(c, codec, NULL);
        }
        avcodec_free_context(&c);
    }
    heif_init(NULL); /* its codecs may be libraries of their own, which no job can open any more */
    sws_freeContext(sws_getContext(64, 64, AV_PIX_FMT_YUV420P, 64, 64, AV_PIX_FMT_RGB24,
                                   SWS_BICUBIC, NULL, NULL, NULL));
    ks_log_take();
    if (!hwaccel[0] || !strcmp(hwaccel, "auto")) return 0;
    enum AVHWDeviceType type = av_hwdevice_find_type_by_name(hwaccel);
    return type == AV_HWDEVICE_TYPE_NONE ? -1 : try_device(type);
}
