/* vulkan_rate.c - what a device can do at most, measured on it: for `bench encoder`. */
#include <time.h>

#include "encoder/vulkan_shaders.h"
#include "encoder/vulkan_towers.h"

enum { INVOCATIONS = 256, WORK_GROUPS = 1024, FLOP_A_ROUND = 64, DISPATCHES = 8, TURNS = 3 };

typedef struct {
    uint32_t rounds;
    float a, b;
} rate_push;

/* Seconds of DISPATCHES dispatches of `rounds`, all in one submission, waited for. */
static int take_time(double *took, ks_vk *vk, const ks_vk_job *like, uint32_t rounds, ks_error *e)
{
    rate_push push = {rounds, 0.999f, 0.001f};
    ks_vk_job job = *like;
    job.push = &push;
    job.push_bytes = sizeof push;
    double start = ks_monotonic();
    int err = 0;
    for (int i = 0; i < DISPATCHES && !err; i++) err = ks_vk_dispatch(vk, &job, e);
    if (!err) err = ks_vk_finish(vk, e);
    *took = ks_monotonic() - start;
    return err;
}

/* Rounds are doubled until a submission takes 20 ms: none of its dispatches is longer than 10. */
static int multiply_rate(double *gflops, ks_vk *vk, VkPipeline pipeline, const ks_vk_buffer *y,
                         ks_error *e)
{
    ks_vk_job job = {.pipeline = pipeline,
                     .parts = {[3] = {y->buffer, 0, y->bytes}},
                     .groups = {WORK_GROUPS, 1, 1}};
    double took = 0, best = 0;
    uint32_t rounds = 1;
    int err = take_time(&took, vk, &job, rounds, e);
    for (; !err && took < 0.02 && rounds < 1 << 20; rounds *= 2)
        err = take_time(&took, vk, &job, 2 * rounds, e);
    for (int i = 0; i < TURNS && !err; i++) {
        err = take_time(&took, vk, &job, rounds, e);
        double work = 1e-9 * INVOCATIONS * WORK_GROUPS * FLOP_A_ROUND * DISPATCHES * rounds;
        best = work / took > best ? work / took : best;
    }
    *gflops = best;
    return err;
}

/* Bytes read and bytes written, both counted. */
static int copy_rate(double *gbytes, ks_vk *vk, const ks_vk_buffer *to, ks_error *e)
{
    void *at;
    double best = 0;
    int err = ks_vk_staging(&at, vk, to->bytes, e);
    for (int i = 0; i < TURNS && !err; i++) {
        double start = ks_monotonic();
        err = ks_vk_push(vk, to, 0, to->bytes, e);
        if (!err) err = ks_vk_finish(vk, e);
        double rate = 1e-9 * (double)to->bytes / (ks_monotonic() - start);
        best = rate > best ? rate : best;
    }
    *gbytes = best;
    return err;
}

int ks_gpu_measure(ks_gpu_limits *limits, ks_gpu *g, ks_error *e)
{
    VkPipeline pipeline = VK_NULL_HANDLE;
    ks_vk_buffer y = {0};
    int err = ks_vk_buffer_new(&y, g->vk, (size_t)32 << 20, KS_VK_OWN, e);
    if (!err)
        err = ks_vk_pipeline_new(&pipeline, g->vk, ks_shader_rate, ks_shader_rate_bytes, NULL, 0,
                                 e);
    if (!err) err = multiply_rate(&limits->gflops, g->vk, pipeline, &y, e);
    if (!err) err = copy_rate(&limits->gbytes, g->vk, &y, e);
    if (pipeline && !g->vk->sent) g->vk->call.DestroyPipeline(g->vk->device, pipeline, NULL);
    ks_vk_buffer_free(g->vk, &y);
    return err;
}
