/* vulkan_api.h - as much of Vulkan 1.1 as towers need: devices, buffers, dispatches that are
 * waited for.
 *
 *   ks_vk *vk;
 *   ks_vk_open(&vk, KS_VK_BEST, &e);               the loader by dlopen, nothing linked
 *   ks_vk_buffer_new(&b, vk, bytes, KS_VK_OWN, &e);
 *   ks_vk_upload(vk, &b, 0, x, bytes, &e);
 *   ks_vk_dispatch(vk, &job, &e);                  recorded; sent off when there is enough of it
 *   ks_vk_finish(vk, &e);                          waited for, with a limit
 *   ks_vk_close(vk);
 *
 * One thread at a time. Each call that fails leaves a sentence that names the device and the call;
 * after KS_EIO the device is not to be used but for closing. */
#ifndef KS_VULKAN_API_H
#define KS_VULKAN_API_H

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan.h>

#include "ks.h"

/* What is called once there is an instance; the first of all, GetInstanceProcAddr, gives these. */
#define KS_VK_CALLS(X)                                                                             \
    X(DestroyInstance)                                                                             \
    X(EnumeratePhysicalDevices)                                                                    \
    X(GetPhysicalDeviceProperties)                                                                 \
    X(GetPhysicalDeviceProperties2)                                                                \
    X(GetPhysicalDeviceMemoryProperties2)                                                          \
    X(GetPhysicalDeviceQueueFamilyProperties)                                                      \
    X(EnumerateDeviceExtensionProperties)                                                          \
    X(CreateDevice)                                                                                \
    X(DestroyDevice)                                                                               \
    X(GetDeviceQueue)                                                                              \
    X(CreateBuffer)                                                                                \
    X(DestroyBuffer)                                                                               \
    X(GetBufferMemoryRequirements)                                                                 \
    X(AllocateMemory)                                                                              \
    X(FreeMemory)                                                                                  \
    X(BindBufferMemory)                                                                            \
    X(MapMemory)                                                                                   \
    X(CreateShaderModule)                                                                          \
    X(DestroyShaderModule)                                                                         \
    X(CreateDescriptorSetLayout)                                                                   \
    X(DestroyDescriptorSetLayout)                                                                  \
    X(CreatePipelineLayout)                                                                        \
    X(DestroyPipelineLayout)                                                                       \
    X(CreateComputePipelines)                                                                      \
    X(DestroyPipeline)                                                                             \
    X(CreateDescriptorPool)                                                                        \
    X(DestroyDescriptorPool)                                                                       \
    X(ResetDescriptorPool)                                                                         \
    X(AllocateDescriptorSets)                                                                      \
    X(UpdateDescriptorSets)                                                                        \
    X(CreateCommandPool)                                                                           \
    X(DestroyCommandPool)                                                                          \
    X(ResetCommandPool)                                                                            \
    X(AllocateCommandBuffers)                                                                      \
    X(BeginCommandBuffer)                                                                          \
    X(EndCommandBuffer)                                                                            \
    X(CmdBindPipeline)                                                                             \
    X(CmdBindDescriptorSets)                                                                       \
    X(CmdPushConstants)                                                                            \
    X(CmdDispatch)                                                                                 \
    X(CmdPipelineBarrier)                                                                          \
    X(CmdCopyBuffer)                                                                               \
    X(CmdUpdateBuffer)                                                                             \
    X(CreateFence)                                                                                 \
    X(DestroyFence)                                                                                \
    X(ResetFences)                                                                                 \
    X(WaitForFences)                                                                               \
    X(QueueSubmit)

typedef struct {
#define X(name) PFN_vk##name name;
    KS_VK_CALLS(X)
#undef X
} ks_vk_calls;

typedef struct {
    char name[VK_MAX_PHYSICAL_DEVICE_NAME_SIZE];
    char key[400]; /* name, driver version and build, device: what a proof holds for */
    uint32_t place /* in the loader's order */, vendor, device, driver;
    VkPhysicalDeviceType type;
    VkPhysicalDeviceLimits limits;
    VkDeviceSize memory; /* of its own heap */
} ks_vk_facts;

/* Where a buffer lies: in the device's own memory, or where both reach it. */
typedef enum { KS_VK_OWN, KS_VK_SHARED } ks_vk_place;

typedef struct {
    VkBuffer buffer;
    VkDeviceMemory memory;
    size_t bytes;
    void *mapped; /* KS_VK_SHARED */
} ks_vk_buffer;

enum { KS_VK_BINDINGS = 5, KS_VK_PUSH = 64 };
/* No buffer is larger: what every implementation takes as a storage buffer is 2^27. */
#define KS_VK_LARGEST ((size_t)1 << 27)

typedef struct {
    VkBuffer buffer; /* VK_NULL_HANDLE: not used by the shader */
    size_t at, bytes;
} ks_vk_part;

typedef struct {
    VkPipeline pipeline;
    ks_vk_part parts[KS_VK_BINDINGS];
    const void *push; /* [push_bytes] */
    uint32_t push_bytes, groups[3];
    double flop;
    int beside; /* 1: needs nothing of the job before it */
} ks_vk_job;

/* What is recorded while the other one's work is done. */
enum { KS_VK_SLOTS = 2 };
typedef struct {
    VkDescriptorPool sets;
    VkCommandPool pool;
    VkCommandBuffer commands;
    VkFence fence;
    int sent; /* the fence is out: the device may still work */
} ks_vk_slot;

typedef struct ks_vk ks_vk;
struct ks_vk {
    void *library; /* of dlopen */
    ks_vk_calls call;
    VkInstance instance;
    VkPhysicalDevice physical;
    VkPhysicalDeviceMemoryProperties memory;
    ks_vk_facts facts;
    VkDevice device;
    VkQueue queue;
    uint32_t family;
    int has_budget; /* VK_EXT_memory_budget */
    VkDescriptorSetLayout set_layout;
    VkPipelineLayout layout;
    ks_vk_slot slots[KS_VK_SLOTS];
    int at; /* the slot that is recorded, or will be */
    ks_vk_buffer staging;
    int recording, jobs;  /* of the command buffer being recorded */
    double flop;          /* of them */
    double dispatch_flop; /* no dispatch has more than this */
    int sent;             /* slots that are: nothing is freed under a device that works */
};

enum { KS_VK_BEST = -1 };

/* What is here, in the loader's order; returns how many, 0 with a sentence where no loader or no
 * driver is. */
int ks_vk_list(ks_vk_facts *facts, int max, ks_error *e);
/* which: a place of that list, or KS_VK_BEST: a discrete GPU before an integrated one, before
 * anything else, and a device of type CPU last. KS_ENOTFOUND, KS_EIO, KS_ENOMEM. */
int ks_vk_open(ks_vk **vk, int which, ks_error *e);
void ks_vk_close(ks_vk *vk); /* NULL is fine */
/* Before what a device may still work on is freed: the last chance it gets to answer. */
void ks_vk_settle(ks_vk *vk);
int ks_vk_is_cpu(const ks_vk_facts *facts);

/* Bytes of its own memory that the system would still give us; without the extension half of the
 * heap. */
size_t ks_vk_room(ks_vk *vk);
/* KS_ENOMEM: larger than a buffer may be, or the device has no room. */
int ks_vk_buffer_new(ks_vk_buffer *b, ks_vk *vk, size_t bytes, ks_vk_place place, ks_error *e);
void ks_vk_buffer_free(ks_vk *vk, ks_vk_buffer *b);
/* The staging buffer, of at least `bytes`; its content goes with the next call. */
int ks_vk_staging(void **at, ks_vk *vk, size_t bytes, ks_error *e);
/* A few bytes (a multiple of 4) to b, in order with the dispatches, without waiting: by way of the
 * commands, or where they are more than KS_VK_INLINE of the staging buffer. */
enum { KS_VK_INLINE = 65536 };
int ks_vk_put(ks_vk *vk, const ks_vk_buffer *b, const void *data, size_t bytes, ks_error *e);
/* On the device. */
typedef struct {
    const ks_vk_buffer *from, *to;
    size_t from_at, to_at, bytes;
} ks_vk_copy;
int ks_vk_move(ks_vk *vk, const ks_vk_copy *c, ks_error *e);
/* Staging to b at `at`, in order with the dispatches; and back, waited for. */
int ks_vk_push(ks_vk *vk, const ks_vk_buffer *b, size_t at, size_t bytes, ks_error *e);
int ks_vk_pull(ks_vk *vk, const ks_vk_buffer *b, size_t at, size_t bytes, ks_error *e);
/* Whole, by way of the staging buffer. */
int ks_vk_upload(ks_vk *vk, const ks_vk_buffer *b, size_t at, const void *x, size_t bytes,
                 ks_error *e);

int ks_vk_pipeline_new(VkPipeline *p, ks_vk *vk, const uint32_t *code, size_t bytes,
                       const uint32_t *constants, uint32_t n, ks_error *e);
int ks_vk_dispatch(ks_vk *vk, const ks_vk_job *job, ks_error *e);
/* All that was recorded or sent is done. */
int ks_vk_finish(ks_vk *vk, ks_error *e);

/* --- between vulkan_api.c, vulkan_loader.c and vulkan_queue.c --- */
/* vkGetInstanceProcAddr of this system's loader. */
int ks_vk_loader(PFN_vkGetInstanceProcAddr *get, void **library, ks_error *e);
int ks_vk_fail(const ks_vk *vk, const char *call, VkResult r, ks_error *e);
int ks_vk_queue_open(ks_vk *vk, ks_error *e);
void ks_vk_queue_close(ks_vk *vk);

#endif
