/* vulkan_api.c - instance, devices, memory. See vulkan_api.h. */
#include "encoder/vulkan_api.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

static const char *result_name(VkResult r)
{
    switch (r) {
    case VK_ERROR_OUT_OF_HOST_MEMORY: return "out of memory";
    case VK_ERROR_OUT_OF_DEVICE_MEMORY: return "out of the device's memory";
    case VK_ERROR_DEVICE_LOST: return "the device is lost";
    case VK_ERROR_INCOMPATIBLE_DRIVER: return "no driver fits";
    case VK_ERROR_INITIALIZATION_FAILED: return "it cannot be initialised";
    case VK_ERROR_MEMORY_MAP_FAILED: return "its memory cannot be mapped";
    case VK_TIMEOUT: return "it does not answer";
    default: return "it failed";
    }
}

int ks_vk_fail(const ks_vk *vk, const char *call, VkResult r, ks_error *e)
{
    int memory = r == VK_ERROR_OUT_OF_HOST_MEMORY || r == VK_ERROR_OUT_OF_DEVICE_MEMORY ||
                 r == VK_ERROR_TOO_MANY_OBJECTS;
    const char *name = vk->facts.name[0] ? vk->facts.name : "Vulkan";
    return ks_fail(e, memory ? KS_ENOMEM : KS_EIO, "%s: %s (vk%s, %d)", name, result_name(r), call,
                   (int)r);
}

/* --- instance --- */

static PFN_vkVoidFunction get(PFN_vkGetInstanceProcAddr proc, VkInstance i, const char *name)
{
    return proc(i, name);
}

static int load_calls(ks_vk *vk, PFN_vkGetInstanceProcAddr proc, ks_error *e)
{
#define X(name)                                                                                    \
    vk->call.name = (PFN_vk##name)get(proc, vk->instance, "vk" #name);                             \
    if (!vk->call.name) return ks_fail(e, KS_ENOTFOUND, "Vulkan here has no vk" #name);
    KS_VK_CALLS(X)
#undef X
    return 0;
}

static int open_instance(ks_vk *vk, ks_error *e)
{
    PFN_vkGetInstanceProcAddr proc;
    int err = ks_vk_loader(&proc, &vk->library, e);
    if (err) return err;
    PFN_vkEnumerateInstanceVersion version_of = (PFN_vkEnumerateInstanceVersion)get(
        proc, NULL, "vkEnumerateInstanceVersion");
    PFN_vkCreateInstance create = (PFN_vkCreateInstance)get(proc, NULL, "vkCreateInstance");
    uint32_t version = 0;
    if (!create || !version_of || version_of(&version) != VK_SUCCESS ||
        version < VK_API_VERSION_1_1)
        return ks_fail(e, KS_ENOTFOUND, "Vulkan here is older than 1.1");
    VkApplicationInfo app = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                             .pApplicationName = "kinoseek",
                             .apiVersion = VK_API_VERSION_1_1};
    VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                 .pApplicationInfo = &app};
    VkResult r = create(&info, NULL, &vk->instance);
    if (r != VK_SUCCESS) {
        vk->instance = NULL;
        return ks_vk_fail(vk, "CreateInstance", r, e);
    }
    /* closing needs this one even where another is missing */
    vk->call.DestroyInstance = (PFN_vkDestroyInstance)get(proc, vk->instance, "vkDestroyInstance");
    return load_calls(vk, proc, e);
}

/* Drivers come and go with an instance, and what their libraries have in memory (libbsd 128 bytes)
 * stays: a leak, says LeakSanitizer, unless they are still there to point to it. */
static void keep_libraries(void)
{
#ifdef __SANITIZE_ADDRESS__
    struct link_map *m = NULL;
    void *self = dlopen(NULL, RTLD_NOW);
    if (!self || dlinfo(self, RTLD_DI_LINKMAP, &m) != 0) return;
    for (; m; m = m->l_next)
        if (m->l_name[0]) dlopen(m->l_name, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
#endif
}

static void close_instance(ks_vk *vk)
{
    keep_libraries();
    if (vk->instance && vk->call.DestroyInstance) vk->call.DestroyInstance(vk->instance, NULL);
    vk->instance = NULL;
    if (vk->library) dlclose(vk->library);
    vk->library = NULL;
}

/* --- devices --- */

int ks_vk_is_cpu(const ks_vk_facts *facts) { return facts->type == VK_PHYSICAL_DEVICE_TYPE_CPU; }

static int put_id(char *to, size_t room, const uint8_t id[VK_UUID_SIZE])
{
    int n = 0;
    for (size_t i = 0; i < VK_UUID_SIZE; i++)
        n += snprintf(to + n, room - (size_t)n, "%02x", id[i]);
    return n;
}

static void key_of(ks_vk_facts *f, const VkPhysicalDeviceProperties *p, const uint8_t *device)
{
    int n = snprintf(f->key, sizeof f->key, "%s-%x-%x-%x-", p->deviceName, p->vendorID, p->deviceID,
                     p->driverVersion);
    n += put_id(f->key + n, sizeof f->key - (size_t)n, p->pipelineCacheUUID);
    f->key[n++] = '-';
    put_id(f->key + n, sizeof f->key - (size_t)n, device);
    for (char *c = f->key; *c; c++)
        if (*c <= ' ' || *c > '~') *c = '_';
}

static void memory_of(VkPhysicalDeviceMemoryProperties *memory, const ks_vk_calls *call,
                      VkPhysicalDevice d, VkPhysicalDeviceMemoryBudgetPropertiesEXT *budget)
{
    VkPhysicalDeviceMemoryProperties2 m = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2, .pNext = budget};
    call->GetPhysicalDeviceMemoryProperties2(d, &m);
    *memory = m.memoryProperties;
}

static void facts_of(ks_vk_facts *f, const ks_vk_calls *call, VkPhysicalDevice d)
{
    VkPhysicalDeviceProperties p;
    VkPhysicalDeviceMemoryProperties memory;
    VkPhysicalDeviceIDProperties id = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES};
    VkPhysicalDeviceProperties2 with = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                        .pNext = &id};
    call->GetPhysicalDeviceProperties(d, &p);
    call->GetPhysicalDeviceProperties2(d, &with);
    memory_of(&memory, call, d, NULL);
    *f = (ks_vk_facts){.vendor = p.vendorID,
                       .device = p.deviceID,
                       .driver = p.driverVersion,
                       .type = p.deviceType,
                       .limits = p.limits};
    snprintf(f->name, sizeof f->name, "%s", p.deviceName);
    key_of(f, &p, id.deviceUUID);
    for (uint32_t i = 0; i < memory.memoryHeapCount; i++)
        if (memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT &&
            memory.memoryHeaps[i].size > f->memory)
            f->memory = memory.memoryHeaps[i].size;
}

enum { DEVICES = 16 };

static int physical_devices(VkPhysicalDevice devices[DEVICES], uint32_t *n, const ks_vk *vk,
                            ks_error *e)
{
    *n = DEVICES;
    VkResult r = vk->call.EnumeratePhysicalDevices(vk->instance, n, devices);
    if (r != VK_SUCCESS && r != VK_INCOMPLETE)
        return ks_vk_fail(vk, "EnumeratePhysicalDevices", r, e);
    return *n > 0 ? 0 : ks_fail(e, KS_ENOTFOUND, "Vulkan is here, but no driver of a GPU");
}

int ks_vk_list(ks_vk_facts *facts, int max, ks_error *e)
{
    VkPhysicalDevice devices[DEVICES];
    uint32_t n = 0;
    ks_vk vk = {0};
    int err = open_instance(&vk, e);
    if (!err) err = physical_devices(devices, &n, &vk, e);
    int found = err ? 0 : (int)n < max ? (int)n : max;
    for (int i = 0; i < found; i++) {
        facts_of(&facts[i], &vk.call, devices[i]);
        facts[i].place = (uint32_t)i;
    }
    close_instance(&vk);
    return found;
}

static int rank_of(const ks_vk_facts *f)
{
    return f->type == VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU     ? 0
           : f->type == VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU ? 1
           : f->type == VK_PHYSICAL_DEVICE_TYPE_CPU            ? 3
                                                               : 2;
}

static int choose(ks_vk *vk, int which, ks_error *e)
{
    VkPhysicalDevice devices[DEVICES];
    ks_vk_facts f;
    uint32_t n;
    int err = physical_devices(devices, &n, vk, e), best = 4;
    if (err) return err;
    if (which >= (int)n)
        return ks_fail(e, KS_ENOTFOUND, "there is no GPU %d: Vulkan lists %u here, from 0", which,
                       n);
    for (int i = 0; i < (int)n; i++) {
        facts_of(&f, &vk->call, devices[i]);
        if (which >= 0 ? i != which : rank_of(&f) >= best) continue;
        best = rank_of(&f);
        vk->facts = f;
        vk->facts.place = (uint32_t)i;
        vk->physical = devices[i];
    }
    memory_of(&vk->memory, &vk->call, vk->physical, NULL);
    return 0;
}

static int find_budget(ks_vk *vk, ks_error *e)
{
    uint32_t n = 0;
    VkResult r = vk->call.EnumerateDeviceExtensionProperties(vk->physical, NULL, &n, NULL);
    VkExtensionProperties *all = r == VK_SUCCESS ? calloc(n + 1, sizeof *all) : NULL;
    if (all) r = vk->call.EnumerateDeviceExtensionProperties(vk->physical, NULL, &n, all);
    for (uint32_t i = 0; all && r == VK_SUCCESS && i < n; i++)
        vk->has_budget |= strcmp(all[i].extensionName, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME) == 0;
    free(all);
    return r == VK_SUCCESS ? 0 : ks_vk_fail(vk, "EnumerateDeviceExtensionProperties", r, e);
}

static int find_family(ks_vk *vk, ks_error *e)
{
    VkQueueFamilyProperties families[32];
    uint32_t n = 32;
    vk->call.GetPhysicalDeviceQueueFamilyProperties(vk->physical, &n, families);
    for (uint32_t i = 0; i < n; i++)
        if (families[i].queueFlags & VK_QUEUE_COMPUTE_BIT && families[i].queueCount > 0) {
            vk->family = i;
            return 0;
        }
    return ks_fail(e, KS_ENOTFOUND, "%s: it computes nothing", vk->facts.name);
}

static int open_device(ks_vk *vk, ks_error *e)
{
    int err = find_family(vk, e);
    if (!err) err = find_budget(vk, e);
    if (err) return err;
    const char *extension = VK_EXT_MEMORY_BUDGET_EXTENSION_NAME;
    VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                     .queueFamilyIndex = vk->family,
                                     .queueCount = 1,
                                     .pQueuePriorities = (const float[]){0.5f}};
    VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                               .queueCreateInfoCount = 1,
                               .pQueueCreateInfos = &queue,
                               .enabledExtensionCount = vk->has_budget ? 1 : 0,
                               .ppEnabledExtensionNames = &extension};
    VkResult r = vk->call.CreateDevice(vk->physical, &info, NULL, &vk->device);
    if (r != VK_SUCCESS) {
        vk->device = NULL;
        return ks_vk_fail(vk, "CreateDevice", r, e);
    }
    vk->call.GetDeviceQueue(vk->device, vk->family, 0, &vk->queue);
    return ks_vk_queue_open(vk, e);
}

int ks_vk_open(ks_vk **out, int which, ks_error *e)
{
    *out = NULL;
    ks_vk *vk = calloc(1, sizeof *vk);
    if (!vk) return ks_fail(e, KS_ENOMEM, "no memory for a GPU");
    /* 50 ms of a device of 10 GFLOP/s, until its own rate is known */
    vk->dispatch_flop = 5e8;
    int err = open_instance(vk, e);
    if (!err) err = choose(vk, which, e);
    if (!err) err = open_device(vk, e);
    if (err) {
        ks_vk_close(vk);
        return err;
    }
    *out = vk;
    return 0;
}

void ks_vk_close(ks_vk *vk)
{
    if (!vk) return;
    if (vk->device) {
        ks_vk_queue_close(vk);
        /* what a device that hangs still works on cannot be taken from under it */
        if (vk->sent) goto leave;
        vk->call.DestroyDevice(vk->device, NULL);
    }
    close_instance(vk);
leave:
    free(vk);
}

/* --- memory --- */

/* The heap that KS_VK_OWN comes from. */
static uint32_t own_heap(const ks_vk *vk)
{
    for (uint32_t i = 0; i < vk->memory.memoryTypeCount; i++)
        if (vk->memory.memoryTypes[i].propertyFlags & VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT)
            return vk->memory.memoryTypes[i].heapIndex;
    return 0;
}

size_t ks_vk_room(ks_vk *vk)
{
    uint32_t heap = own_heap(vk);
    VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT};
    VkPhysicalDeviceMemoryProperties now;
    if (!vk->has_budget) return (size_t)vk->memory.memoryHeaps[heap].size / 2;
    memory_of(&now, &vk->call, vk->physical, &budget);
    VkDeviceSize given = budget.heapBudget[heap], used = budget.heapUsage[heap];
    return given > used ? (size_t)(given - used) : 0;
}

/* A type among `fits` that has all of `want`, and nothing that is to be asked for; -1: none. */
static int type_with(const ks_vk *vk, uint32_t fits, VkMemoryPropertyFlags want)
{
    const VkMemoryPropertyFlags odd = VK_MEMORY_PROPERTY_PROTECTED_BIT |
                                      VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD |
                                      VK_MEMORY_PROPERTY_DEVICE_UNCACHED_BIT_AMD;
    for (uint32_t i = 0; i < vk->memory.memoryTypeCount; i++) {
        VkMemoryPropertyFlags has = vk->memory.memoryTypes[i].propertyFlags;
        if (fits >> i & 1 && (has & want) == want && !(has & odd)) return (int)i;
    }
    return -1;
}

static int type_for(const ks_vk *vk, uint32_t fits, ks_vk_place place)
{
    VkMemoryPropertyFlags reach = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                  VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    int first = place == KS_VK_OWN
                    ? type_with(vk, fits, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT)
                    : type_with(vk, fits, reach | VK_MEMORY_PROPERTY_HOST_CACHED_BIT);
    return first >= 0 ? first : type_with(vk, fits, place == KS_VK_OWN ? 0 : reach);
}

static int give_memory(ks_vk_buffer *b, ks_vk *vk, ks_vk_place place, ks_error *e)
{
    VkMemoryRequirements need;
    vk->call.GetBufferMemoryRequirements(vk->device, b->buffer, &need);
    int type = type_for(vk, need.memoryTypeBits, place);
    if (type < 0) return ks_fail(e, KS_EIO, "%s: it has no such memory", vk->facts.name);
    VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                 .allocationSize = need.size,
                                 .memoryTypeIndex = (uint32_t)type};
    VkResult r = vk->call.AllocateMemory(vk->device, &info, NULL, &b->memory);
    if (r != VK_SUCCESS) {
        b->memory = VK_NULL_HANDLE;
        return ks_vk_fail(vk, "AllocateMemory", r, e);
    }
    r = vk->call.BindBufferMemory(vk->device, b->buffer, b->memory, 0);
    if (r != VK_SUCCESS) return ks_vk_fail(vk, "BindBufferMemory", r, e);
    if (place == KS_VK_OWN) return 0;
    r = vk->call.MapMemory(vk->device, b->memory, 0, VK_WHOLE_SIZE, 0, &b->mapped);
    return r == VK_SUCCESS ? 0 : ks_vk_fail(vk, "MapMemory", r, e);
}

int ks_vk_buffer_new(ks_vk_buffer *b, ks_vk *vk, size_t bytes, ks_vk_place place, ks_error *e)
{
    *b = (ks_vk_buffer){0}; /* so it stays where one fails */
    if (bytes > KS_VK_LARGEST)
        return ks_fail(e, KS_ENOMEM, "%s: a buffer of %zu MB is more than every device takes",
                       vk->facts.name, bytes / 1000000);
    if (place == KS_VK_OWN && bytes > ks_vk_room(vk))
        return ks_fail(e, KS_ENOMEM, "%s: it has no room for %zu MB more", vk->facts.name,
                       (bytes + 999999) / 1000000);
    VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                               .size = bytes,
                               .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
                                        VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                                        VK_BUFFER_USAGE_TRANSFER_DST_BIT,
                               .sharingMode = VK_SHARING_MODE_EXCLUSIVE};
    VkResult r = vk->call.CreateBuffer(vk->device, &info, NULL, &b->buffer);
    if (r != VK_SUCCESS) {
        b->buffer = VK_NULL_HANDLE;
        return ks_vk_fail(vk, "CreateBuffer", r, e);
    }
    int err = give_memory(b, vk, place, e);
    if (err) ks_vk_buffer_free(vk, b);
    else b->bytes = bytes;
    return err;
}

void ks_vk_buffer_free(ks_vk *vk, ks_vk_buffer *b)
{
    if (b->buffer && !vk->sent) vk->call.DestroyBuffer(vk->device, b->buffer, NULL);
    if (b->memory && !vk->sent) vk->call.FreeMemory(vk->device, b->memory, NULL);
    *b = (ks_vk_buffer){0};
}
