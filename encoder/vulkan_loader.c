/* vulkan_loader.c - the system's Vulkan loader, which came with the driver or is not there. */
#include <dlfcn.h>
#include <string.h>

#include "encoder/vulkan_api.h"

int ks_vk_loader(PFN_vkGetInstanceProcAddr *get, void **library, ks_error *e)
{
    *library = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!*library)
        return ks_fail(e, KS_ENOTFOUND,
                       "no Vulkan here: libvulkan.so.1 is not installed (it comes with the driver "
                       "of a GPU)");
    void *found = dlsym(*library, "vkGetInstanceProcAddr");
    if (!found) {
        dlclose(*library);
        *library = NULL;
        return ks_fail(e, KS_ENOTFOUND, "libvulkan.so.1 has no vkGetInstanceProcAddr");
    }
    memcpy(get, &found, sizeof found);
    return 0;
}
