/* vulkan_shaders.h - shaders/NAME.comp as SPIR-V, made by the build (shaders/embed.sh). */
#ifndef KS_VULKAN_SHADERS_H
#define KS_VULKAN_SHADERS_H

#include <stddef.h>
#include <stdint.h>

extern const uint32_t ks_shader_attend[], ks_shader_norm[], ks_shader_product[], ks_shader_rate[];
extern const size_t ks_shader_attend_bytes, ks_shader_norm_bytes, ks_shader_product_bytes,
    ks_shader_rate_bytes;

#endif
