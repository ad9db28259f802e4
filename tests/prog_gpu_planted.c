/* prog_gpu_planted - kinoseek on a GPU that does not stay as it was proven. Clips are counted from
 * the first that the GPU encodes. Linked with --wrap.
 *   GPU_WRONG=N    after N clips a work group is left out of every dispatch
 *   GPU_LOST=N     after N clips the device is lost
 *   GPU_KILLED=N   after N clips this program is killed
 *   GPU_SAMPLE=N   clip N is a sample, and no other but the run's last
 *   GPU_TEXT=1     sentences are compared, too; else they hold
 *   GPU_CARD=C     of several, all this happens to card C alone, from 1 on, and its clips are
 *                  counted
 *   GPU_LOG=FILE   a line for each clip: the card's number */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "encoder/device.h"
#include "tests/vulkan_between.h"

static long planted(const char *name)
{
    const char *n = getenv(name);
    return n ? atol(n) : 0;
}

__typeof__(ks_sample_text) __real_ks_sample_text, __wrap_ks_sample_text;
int __wrap_ks_sample_text(ks_encoder *enc, ks_samples *s, const ks_sentences *t, const float *v,
                          ks_error *why)
{
    return planted("GPU_TEXT") ? __real_ks_sample_text(enc, s, t, v, why) : 1;
}

static const ks_samples *cards[8];

__typeof__(ks_samples_open) __real_ks_samples_open, __wrap_ks_samples_open;
int __wrap_ks_samples_open(ks_samples *s, const char *cache, int dim, ks_error *e)
{
    int i = 0;
    while (i < 7 && cards[i]) i++;
    cards[i] = s;
    return __real_ks_samples_open(s, cache, dim, e);
}

/* The number of these samples' card, and which clip of those that count this is; 0: of none. */
static int card_of(const ks_samples *s, long *clip)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static long n;
    int i = 0;
    pthread_mutex_lock(&lock);
    while (i < 7 && cards[i] != s) i++;
    *clip = !planted("GPU_CARD") || planted("GPU_CARD") == i + 1 ? ++n : 0;
    pthread_mutex_unlock(&lock);
    return i + 1;
}

static void log_card(int card)
{
    const char *to = getenv("GPU_LOG");
    int fd = to ? open(to, O_WRONLY | O_APPEND | O_CREAT, 0600) : -1;
    char line[2] = {(char)('0' + card), '\n'};
    if (fd < 0) return;
    if (write(fd, line, 2) != 2) abort();
    close(fd);
}

__typeof__(ks_sample_clip) __real_ks_sample_clip, __wrap_ks_sample_clip;
int __wrap_ks_sample_clip(ks_samples *s, ks_tokens *const *frames, int T, const float *v, int dim,
                          ks_error *e)
{
    long n;
    int err = __real_ks_sample_clip(s, frames, T, v, dim, e);
    log_card(card_of(s, &n));
    s->frame = 1 << 30;
    if (n == 0) return err < 0 ? err : 0;
    between.only = (int)planted("GPU_CARD");
    if (n == planted("GPU_KILLED")) raise(SIGKILL);
    if (n == planted("GPU_WRONG")) between.short_by = 1;
    if (n == planted("GPU_LOST")) {
        between.times = 1 << 30;
        between.with = VK_ERROR_DEVICE_LOST;
        between.at = __atomic_load_n(&between.calls[AT_WaitForFences], __ATOMIC_RELAXED) + 1;
        between.fails = AT_WaitForFences;
    }
    return err < 0 ? err : n == planted("GPU_SAMPLE");
}
