/* vulkan_shaders.h - shaders/NAME.comp as SPIR-V, made by the build (shaders/embed.sh). */
#ifndef KS_VULKAN_SHADERS_H
#define KS_VULKAN_SHADERS_H

#include <stddef.h>
#include <stdint.h>

#define KS_SHADER(name)                                                                            \
    extern const uint32_t ks_shader_##name[];                                                      \
    extern const size_t ks_shader_##name##_bytes;
KS_SHADER(attend)
KS_SHADER(norm)
KS_SHADER(patches)
KS_SHADER(pool)
KS_SHADER(product)
KS_SHADER(rate)
KS_SHADER(stamp)
#undef KS_SHADER

#endif
