/* prog_gpu_planted - kinoseek on a GPU that does not stay as it was proven. Clips are counted from
 * the first that the GPU encodes. Linked with --wrap.
 *   GPU_WRONG=N    after N clips a work group is left out of every dispatch
 *   GPU_LOST=N     after N clips the device is lost
 *   GPU_KILLED=N   after N clips this program is killed
 *   GPU_SAMPLE=N   clip N is a sample, and no other but the run's last */
#include <signal.h>
#include <stdlib.h>

#include "encoder/device.h"
#include "tests/vulkan_between.h"

static long planted(const char *name)
{
    const char *n = getenv(name);
    return n ? atol(n) : 0;
}

int __real_ks_sample_clip(ks_samples *s, ks_tokens *const *frames, int T, const float *v, int dim,
                          ks_error *e);
int __wrap_ks_sample_clip(ks_samples *s, ks_tokens *const *frames, int T, const float *v, int dim,
                          ks_error *e);
int __wrap_ks_sample_clip(ks_samples *s, ks_tokens *const *frames, int T, const float *v, int dim,
                          ks_error *e)
{
    static long n;
    int err = __real_ks_sample_clip(s, frames, T, v, dim, e);
    n++;
    s->frame = 1 << 30;
    if (n == planted("GPU_KILLED")) raise(SIGKILL);
    if (n == planted("GPU_WRONG")) between.short_by = 1;
    if (n == planted("GPU_LOST")) {
        between.fails = AT_WaitForFences;
        between.at = between.calls[AT_WaitForFences] + 1;
        between.times = 1;
        between.with = VK_ERROR_DEVICE_LOST;
    }
    return err < 0 ? err : n == planted("GPU_SAMPLE");
}
