/* vulkan_between.h - what stands between our code and Vulkan in test_gpu.c: every call of ours goes
 * through here (the linker wraps ks_vk_loader), and may be counted, made to fail, or changed. */
#ifndef KS_VULKAN_BETWEEN_H
#define KS_VULKAN_BETWEEN_H

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "encoder/vulkan_api.h"

/* Calls that may fail, with what they take. */
#define BETWEEN(X)                                                                                 \
    X(CreateInstance,                                                                              \
      (const VkInstanceCreateInfo *a, const VkAllocationCallbacks *b, VkInstance *c), (a, b, c))   \
    X(EnumeratePhysicalDevices, (VkInstance a, uint32_t * b, VkPhysicalDevice * c), (a, b, c))     \
    X(EnumerateDeviceExtensionProperties,                                                          \
      (VkPhysicalDevice a, const char *b, uint32_t *c, VkExtensionProperties *d), (a, b, c, d))    \
    X(CreateDevice,                                                                                \
      (VkPhysicalDevice a, const VkDeviceCreateInfo *b, const VkAllocationCallbacks *c,            \
       VkDevice *d),                                                                               \
      (a, b, c, d))                                                                                \
    X(CreateBuffer,                                                                                \
      (VkDevice a, const VkBufferCreateInfo *b, const VkAllocationCallbacks *c, VkBuffer *d),      \
      (a, b, c, d))                                                                                \
    X(AllocateMemory,                                                                              \
      (VkDevice a, const VkMemoryAllocateInfo *b, const VkAllocationCallbacks *c,                  \
       VkDeviceMemory *d),                                                                         \
      (a, b, c, d))                                                                                \
    X(BindBufferMemory, (VkDevice a, VkBuffer b, VkDeviceMemory c, VkDeviceSize d), (a, b, c, d))  \
    X(MapMemory,                                                                                   \
      (VkDevice a, VkDeviceMemory b, VkDeviceSize c, VkDeviceSize d, VkMemoryMapFlags f,           \
       void **g),                                                                                  \
      (a, b, c, d, f, g))                                                                          \
    X(CreateShaderModule,                                                                          \
      (VkDevice a, const VkShaderModuleCreateInfo *b, const VkAllocationCallbacks *c,              \
       VkShaderModule *d),                                                                         \
      (a, b, c, d))                                                                                \
    X(CreateDescriptorSetLayout,                                                                   \
      (VkDevice a, const VkDescriptorSetLayoutCreateInfo *b, const VkAllocationCallbacks *c,       \
       VkDescriptorSetLayout *d),                                                                  \
      (a, b, c, d))                                                                                \
    X(CreatePipelineLayout,                                                                        \
      (VkDevice a, const VkPipelineLayoutCreateInfo *b, const VkAllocationCallbacks *c,            \
       VkPipelineLayout *d),                                                                       \
      (a, b, c, d))                                                                                \
    X(CreateComputePipelines,                                                                      \
      (VkDevice a, VkPipelineCache b, uint32_t c, const VkComputePipelineCreateInfo *d,            \
       const VkAllocationCallbacks *f, VkPipeline *g),                                             \
      (a, b, c, d, f, g))                                                                          \
    X(CreateDescriptorPool,                                                                        \
      (VkDevice a, const VkDescriptorPoolCreateInfo *b, const VkAllocationCallbacks *c,            \
       VkDescriptorPool *d),                                                                       \
      (a, b, c, d))                                                                                \
    X(ResetDescriptorPool, (VkDevice a, VkDescriptorPool b, VkDescriptorPoolResetFlags c),         \
      (a, b, c))                                                                                   \
    X(AllocateDescriptorSets,                                                                      \
      (VkDevice a, const VkDescriptorSetAllocateInfo *b, VkDescriptorSet *c), (a, b, c))           \
    X(CreateCommandPool,                                                                           \
      (VkDevice a, const VkCommandPoolCreateInfo *b, const VkAllocationCallbacks *c,               \
       VkCommandPool *d),                                                                          \
      (a, b, c, d))                                                                                \
    X(ResetCommandPool, (VkDevice a, VkCommandPool b, VkCommandPoolResetFlags c), (a, b, c))       \
    X(AllocateCommandBuffers,                                                                      \
      (VkDevice a, const VkCommandBufferAllocateInfo *b, VkCommandBuffer *c), (a, b, c))           \
    X(BeginCommandBuffer, (VkCommandBuffer a, const VkCommandBufferBeginInfo *b), (a, b))          \
    X(EndCommandBuffer, (VkCommandBuffer a), (a))                                                  \
    X(CreateFence,                                                                                 \
      (VkDevice a, const VkFenceCreateInfo *b, const VkAllocationCallbacks *c, VkFence *d),        \
      (a, b, c, d))                                                                                \
    X(ResetFences, (VkDevice a, uint32_t b, const VkFence *c), (a, b, c))                          \
    X(WaitForFences, (VkDevice a, uint32_t b, const VkFence *c, VkBool32 d, uint64_t f),           \
      (a, b, c, d, f))                                                                             \
    X(QueueSubmit, (VkQueue a, uint32_t b, const VkSubmitInfo *c, VkFence d), (a, b, c, d))

enum {
#define X(name, takes, gives) AT_##name,
    BETWEEN(X)
#undef X
        CALLS
};

static struct {
    long calls[CALLS];      /* made so far */
    _Atomic int fails;      /* AT_..., or -1; what is atomic may be set while cards are at work */
    _Atomic long at, times; /* the calls of it that fail: at ... at + times - 1 */
    _Atomic VkResult with;
    /* what is changed */
    uint32_t word, by;    /* of every shader: this constant to that one; 0: none */
    _Atomic int short_by; /* work groups left out of every dispatch of more than one along x */
    long dispatches;
    uint32_t shared;     /* bytes of shared memory it says it has; 0: what it has */
    VkDeviceSize budget; /* bytes of memory it says it gives, in all; 0: what it gives */
    VkDeviceSize taken;  /* of them */
    _Atomic int
        only; /* of the devices, from 1 on as they came: it alone waits in vain, or is short */
    VkDevice devices[8];
    struct {
        VkCommandBuffer commands;
        VkDevice of;
    } commands[16];
    int other_driver; /* 1: the second of two devices says that it has another one */
    long asked;       /* for properties, of the two in turn */
    struct {
#define X(name, takes, gives) PFN_vk##name name;
        BETWEEN(X)
#undef X
        PFN_vkCmdDispatch CmdDispatch;
        PFN_vkGetPhysicalDeviceProperties GetPhysicalDeviceProperties;
        PFN_vkGetPhysicalDeviceMemoryProperties2 GetPhysicalDeviceMemoryProperties2;
        PFN_vkGetInstanceProcAddr get;
    } real;
} between = {.fails = -1};

static const char *const between_names[CALLS] = {
#define X(name, takes, gives) "vk" #name,
    BETWEEN(X)
#undef X
};

__attribute__((unused)) static void between_reset(void)
{
    memset(between.calls, 0, sizeof between.calls);
    between.fails = -1;
    between.times = 1;
    between.word = between.by = 0;
    between.short_by = 0;
    between.shared = 0;
    between.budget = between.taken = 0;
    between.only = between.other_driver = 0;
    between.asked = 0;
}

static int between_is_meant(VkDevice d)
{
    return !between.only || between.devices[between.only - 1] == d;
}

static VkDevice between_device_of(VkCommandBuffer commands)
{
    int i = 0;
    while (i < 15 && between.commands[i].commands != commands) i++;
    return between.commands[i].of;
}

static int between_fails(int call)
{
    long n = __atomic_add_fetch(&between.calls[call], 1, __ATOMIC_RELAXED);
    return between.fails == call && n >= between.at && n < between.at + between.times;
}

/* A device that is lost has stopped: what was sent is waited for before anybody hears of it. */
static VkResult between_wait(VkDevice a, uint32_t b, const VkFence *c, VkBool32 d, uint64_t f)
{
    int fails = between_is_meant(a) && between_fails(AT_WaitForFences);
    VkResult r = between.real.WaitForFences(a, b, c, d, f);
    return fails ? between.with : r;
}

static VkResult between_shader(VkDevice a, const VkShaderModuleCreateInfo *b,
                               const VkAllocationCallbacks *c, VkShaderModule *d)
{
    VkShaderModuleCreateInfo info = *b;
    if (between_fails(AT_CreateShaderModule)) return between.with;
    uint32_t *code = malloc(b->codeSize);
    memcpy(code, b->pCode, b->codeSize);
    for (size_t i = 3; i < b->codeSize / 4 && between.word; i++)
        if (code[i] == between.word && code[i - 3] == (4u << 16 | 43)) code[i] = between.by;
    info.pCode = code;
    VkResult r = between.real.CreateShaderModule(a, &info, c, d);
    free(code);
    return r;
}

static VkResult between_allocate(VkDevice a, const VkMemoryAllocateInfo *b,
                                 const VkAllocationCallbacks *c, VkDeviceMemory *d)
{
    if (between_fails(AT_AllocateMemory)) return between.with;
    __atomic_add_fetch(&between.taken, b->allocationSize, __ATOMIC_RELAXED);
    return between.real.AllocateMemory(a, b, c, d);
}

static void between_dispatch(VkCommandBuffer a, uint32_t x, uint32_t y, uint32_t z)
{
    __atomic_add_fetch(&between.dispatches, 1, __ATOMIC_RELAXED);
    if (x > 1 && between_is_meant(between_device_of(a))) x -= (uint32_t)between.short_by;
    between.real.CmdDispatch(a, x, y, z);
}

static void between_properties(VkPhysicalDevice a, VkPhysicalDeviceProperties *b)
{
    between.real.GetPhysicalDeviceProperties(a, b);
    if (between.other_driver && between.asked++ % 2) b->driverVersion++;
    if (between.shared) b->limits.maxComputeSharedMemorySize = between.shared;
}

static void between_memory(VkPhysicalDevice a, VkPhysicalDeviceMemoryProperties2 *b)
{
    between.real.GetPhysicalDeviceMemoryProperties2(a, b);
    VkPhysicalDeviceMemoryBudgetPropertiesEXT *budget = b->pNext;
    for (uint32_t i = 0; budget && between.budget && i < VK_MAX_MEMORY_HEAPS; i++) {
        budget->heapBudget[i] = between.budget;
        budget->heapUsage[i] = between.taken;
    }
    for (uint32_t i = 0; between.budget && i < b->memoryProperties.memoryHeapCount; i++)
        b->memoryProperties.memoryHeaps[i].size = between.budget > between.taken
                                                      ? 2 * (between.budget - between.taken)
                                                      : 0;
}

#define X(name, takes, gives)                                                                      \
    __attribute__((unused)) static VkResult between_##name takes                                   \
    {                                                                                              \
        if (between_fails(AT_##name)) return between.with;                                         \
        return between.real.name gives;                                                            \
    }
BETWEEN(X)
#undef X

/* Opened by one thread, before others are at work. */
static VkResult between_device(VkPhysicalDevice a, const VkDeviceCreateInfo *b,
                               const VkAllocationCallbacks *c, VkDevice *d)
{
    VkResult r = between_CreateDevice(a, b, c, d);
    int i = 0;
    while (i < 7 && between.devices[i]) i++;
    if (r == VK_SUCCESS) between.devices[i] = *d;
    return r;
}

static VkResult between_commands(VkDevice a, const VkCommandBufferAllocateInfo *b,
                                 VkCommandBuffer *c)
{
    VkResult r = between_AllocateCommandBuffers(a, b, c);
    int i = 0;
    while (i < 15 && between.commands[i].commands && between.commands[i].commands != *c) i++;
    if (r == VK_SUCCESS) {
        between.commands[i].commands = *c;
        between.commands[i].of = a;
    }
    return r;
}

static PFN_vkVoidFunction between_get(VkInstance instance, const char *name)
{
    PFN_vkVoidFunction real = between.real.get(instance, name);
    if (!real) return NULL;
#define OURS(call, ours)                                                                           \
    if (strcmp(name, "vk" #call) == 0) {                                                           \
        between.real.call = (PFN_vk##call)real;                                                    \
        return (PFN_vkVoidFunction)ours;                                                           \
    }
    OURS(WaitForFences, between_wait)
    OURS(CreateDevice, between_device)
    OURS(AllocateCommandBuffers, between_commands)
    OURS(CreateShaderModule, between_shader)
    OURS(AllocateMemory, between_allocate)
    OURS(CmdDispatch, between_dispatch)
    OURS(GetPhysicalDeviceProperties, between_properties)
    OURS(GetPhysicalDeviceMemoryProperties2, between_memory)
#define X(name, takes, gives) OURS(name, between_##name)
    BETWEEN(X)
#undef X
    return real;
}

__typeof__(ks_vk_loader) __real_ks_vk_loader, __wrap_ks_vk_loader;
int __wrap_ks_vk_loader(PFN_vkGetInstanceProcAddr *get, void **library, ks_error *e)
{
    int err = __real_ks_vk_loader(get, library, e);
    between.real.get = *get;
    *get = between_get;
    return err;
}

#endif
