/* vulkan_queue.c - dispatches, copies, and waiting for them. See vulkan_api.h. */
#include "encoder/vulkan_api.h"

#include <assert.h>
#include <string.h>

enum { JOBS = 512 }; /* of one command buffer */
/* What is sent off at once: 80 ms of a device of 100 GFLOP/s. */
#define SEND_FLOP 8e9
/* A device that gives no answer for so long is given up: desktop drivers reset theirs after 2 to
 * 10 s. One that is a CPU shares it with whoever else is at work: 3 GFLOP took more than 60 s of
 * lavapipe at a load of 22 on two cores. */
static const uint64_t PATIENCE_NS = 60000000000u, LAST_NS = 1000000000u;

/* --- what is there from the start --- */

static int open_layouts(ks_vk *vk, ks_error *e)
{
    VkDescriptorSetLayoutBinding bindings[KS_VK_BINDINGS];
    for (uint32_t i = 0; i < KS_VK_BINDINGS; i++)
        bindings[i] = (VkDescriptorSetLayoutBinding){
            .binding = i,
            .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
            .descriptorCount = 1,
            .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT};
    VkDescriptorSetLayoutCreateInfo set = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = KS_VK_BINDINGS,
        .pBindings = bindings};
    VkResult r = vk->call.CreateDescriptorSetLayout(vk->device, &set, NULL, &vk->set_layout);
    if (r != VK_SUCCESS) {
        vk->set_layout = VK_NULL_HANDLE;
        return ks_vk_fail(vk, "CreateDescriptorSetLayout", r, e);
    }
    VkPushConstantRange push = {.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT, .size = KS_VK_PUSH};
    VkPipelineLayoutCreateInfo layout = {.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                         .setLayoutCount = 1,
                                         .pSetLayouts = &vk->set_layout,
                                         .pushConstantRangeCount = 1,
                                         .pPushConstantRanges = &push};
    r = vk->call.CreatePipelineLayout(vk->device, &layout, NULL, &vk->layout);
    if (r == VK_SUCCESS) return 0;
    vk->layout = VK_NULL_HANDLE;
    return ks_vk_fail(vk, "CreatePipelineLayout", r, e);
}

static int open_commands(ks_vk_slot *slot, ks_vk *vk, ks_error *e)
{
    VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                    .queueFamilyIndex = vk->family};
    VkResult r = vk->call.CreateCommandPool(vk->device, &pool, NULL, &slot->pool);
    if (r != VK_SUCCESS) {
        slot->pool = VK_NULL_HANDLE;
        return ks_vk_fail(vk, "CreateCommandPool", r, e);
    }
    VkCommandBufferAllocateInfo commands = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                            .commandPool = slot->pool,
                                            .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                            .commandBufferCount = 1};
    r = vk->call.AllocateCommandBuffers(vk->device, &commands, &slot->commands);
    if (r != VK_SUCCESS) return ks_vk_fail(vk, "AllocateCommandBuffers", r, e);
    VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    r = vk->call.CreateFence(vk->device, &fence, NULL, &slot->fence);
    if (r == VK_SUCCESS) return 0;
    slot->fence = VK_NULL_HANDLE;
    return ks_vk_fail(vk, "CreateFence", r, e);
}

static int open_sets(ks_vk_slot *slot, ks_vk *vk, ks_error *e)
{
    VkDescriptorPoolSize size = {.type = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                 .descriptorCount = JOBS * KS_VK_BINDINGS};
    VkDescriptorPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                       .maxSets = JOBS,
                                       .poolSizeCount = 1,
                                       .pPoolSizes = &size};
    VkResult r = vk->call.CreateDescriptorPool(vk->device, &info, NULL, &slot->sets);
    if (r == VK_SUCCESS) return 0;
    slot->sets = VK_NULL_HANDLE;
    return ks_vk_fail(vk, "CreateDescriptorPool", r, e);
}

int ks_vk_queue_open(ks_vk *vk, ks_error *e)
{
    int err = open_layouts(vk, e);
    for (int i = 0; i < KS_VK_SLOTS && !err; i++) {
        err = open_commands(&vk->slots[i], vk, e);
        if (!err) err = open_sets(&vk->slots[i], vk, e);
    }
    return err;
}

static void is_back(ks_vk_slot *slot, ks_vk *vk)
{
    slot->sent = 0;
    vk->sent--;
}

/* A device that did not answer in time may have done so meanwhile. */
void ks_vk_settle(ks_vk *vk)
{
    for (int i = 0; i < KS_VK_SLOTS; i++) {
        ks_vk_slot *slot = &vk->slots[i];
        if (slot->sent &&
            vk->call.WaitForFences(vk->device, 1, &slot->fence, VK_TRUE, LAST_NS) != VK_TIMEOUT)
            is_back(slot, vk);
    }
}

void ks_vk_queue_close(ks_vk *vk)
{
    ks_vk_settle(vk);
    if (vk->sent) return;
    ks_vk_buffer_free(vk, &vk->staging);
    for (int i = 0; i < KS_VK_SLOTS; i++) {
        const ks_vk_slot *slot = &vk->slots[i];
        if (slot->sets) vk->call.DestroyDescriptorPool(vk->device, slot->sets, NULL);
        if (slot->fence) vk->call.DestroyFence(vk->device, slot->fence, NULL);
        if (slot->pool) vk->call.DestroyCommandPool(vk->device, slot->pool, NULL);
    }
    if (vk->layout) vk->call.DestroyPipelineLayout(vk->device, vk->layout, NULL);
    if (vk->set_layout) vk->call.DestroyDescriptorSetLayout(vk->device, vk->set_layout, NULL);
}

int ks_vk_pipeline_new(VkPipeline *p, ks_vk *vk, const uint32_t *code, size_t bytes,
                       const uint32_t *constants, uint32_t n, ks_error *e)
{
    VkSpecializationMapEntry entries[8];
    VkShaderModule module;
    VkShaderModuleCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = bytes, .pCode = code};
    assert(n <= 8);
    *p = VK_NULL_HANDLE;
    for (uint32_t i = 0; i < n; i++)
        entries[i] = (VkSpecializationMapEntry){i, i * (uint32_t)sizeof *constants,
                                                sizeof *constants};
    VkSpecializationInfo special = {.mapEntryCount = n,
                                    .pMapEntries = entries,
                                    .dataSize = n * sizeof *constants,
                                    .pData = constants};
    VkResult r = vk->call.CreateShaderModule(vk->device, &info, NULL, &module);
    if (r != VK_SUCCESS) return ks_vk_fail(vk, "CreateShaderModule", r, e);
    VkComputePipelineCreateInfo pipeline = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = module,
                  .pName = "main",
                  .pSpecializationInfo = &special},
        .layout = vk->layout};
    r = vk->call.CreateComputePipelines(vk->device, VK_NULL_HANDLE, 1, &pipeline, NULL, p);
    vk->call.DestroyShaderModule(vk->device, module, NULL);
    if (r == VK_SUCCESS) return 0;
    *p = VK_NULL_HANDLE;
    return ks_vk_fail(vk, "CreateComputePipelines", r, e);
}

/* --- recording and sending --- */

/* For want of memory, too, it is over: no smaller batch may follow, where a fence or a command
 * buffer is not what the next call takes it for. */
static int stopped(const ks_vk *vk, const char *call, VkResult r, ks_error *e)
{
    ks_vk_fail(vk, call, r, e);
    if (e) e->code = KS_EIO;
    return KS_EIO;
}

static int wait_for(ks_vk_slot *slot, ks_vk *vk, ks_error *e)
{
    uint64_t patience = ks_vk_is_cpu(&vk->facts) ? 20 * PATIENCE_NS : PATIENCE_NS;
    if (!slot->sent) return 0;
    VkResult r = vk->call.WaitForFences(vk->device, 1, &slot->fence, VK_TRUE, patience);
    /* this process may have been stopped, or the machine asleep, while the device worked */
    if (r == VK_TIMEOUT) r = vk->call.WaitForFences(vk->device, 1, &slot->fence, VK_TRUE, LAST_NS);
    if (r != VK_TIMEOUT) is_back(slot, vk);
    if (r != VK_SUCCESS) return stopped(vk, "WaitForFences", r, e);
    r = vk->call.ResetFences(vk->device, 1, &slot->fence);
    return r == VK_SUCCESS ? 0 : stopped(vk, "ResetFences", r, e);
}

static int begin(ks_vk *vk, ks_error *e)
{
    ks_vk_slot *slot = &vk->slots[vk->at];
    if (vk->recording) return 0;
    int err = wait_for(slot, vk, e);
    if (err) return err;
    VkResult r = vk->call.ResetCommandPool(vk->device, slot->pool, 0);
    if (r != VK_SUCCESS) return stopped(vk, "ResetCommandPool", r, e);
    r = vk->call.ResetDescriptorPool(vk->device, slot->sets, 0);
    if (r != VK_SUCCESS) return stopped(vk, "ResetDescriptorPool", r, e);
    VkCommandBufferBeginInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                     .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT};
    r = vk->call.BeginCommandBuffer(slot->commands, &info);
    if (r != VK_SUCCESS) return stopped(vk, "BeginCommandBuffer", r, e);
    vk->recording = 1;
    vk->jobs = 0;
    vk->flop = 0;
    return 0;
}

/* What was recorded, off to the device: the other slot is recorded meanwhile. */
static int send(ks_vk *vk, ks_error *e)
{
    ks_vk_slot *slot = &vk->slots[vk->at];
    if (!vk->recording) return 0;
    vk->recording = 0;
    VkResult r = vk->call.EndCommandBuffer(slot->commands);
    if (r != VK_SUCCESS) return stopped(vk, "EndCommandBuffer", r, e);
    VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                         .commandBufferCount = 1,
                         .pCommandBuffers = &slot->commands};
    r = vk->call.QueueSubmit(vk->queue, 1, &info, slot->fence);
    if (r != VK_SUCCESS) return stopped(vk, "QueueSubmit", r, e);
    slot->sent = 1;
    vk->sent++;
    vk->at = (vk->at + 1) % KS_VK_SLOTS;
    return 0;
}

int ks_vk_finish(ks_vk *vk, ks_error *e)
{
    int err = send(vk, e);
    for (int i = 0; i < KS_VK_SLOTS && !err; i++) /* the older first */
        err = wait_for(&vk->slots[(vk->at + i) % KS_VK_SLOTS], vk, e);
    return err;
}

static VkCommandBuffer commands_of(const ks_vk *vk) { return vk->slots[vk->at].commands; }

/* All that was recorded is done and seen before what follows. */
static void barrier(ks_vk *vk)
{
    VkPipelineStageFlags stages = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT |
                                  VK_PIPELINE_STAGE_TRANSFER_BIT;
    VkAccessFlags writes = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT;
    VkMemoryBarrier memory = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                              .srcAccessMask = writes,
                              .dstAccessMask = writes | VK_ACCESS_SHADER_READ_BIT |
                                               VK_ACCESS_TRANSFER_READ_BIT};
    vk->call.CmdPipelineBarrier(commands_of(vk), stages, stages, 0, 1, &memory, 0, NULL, 0, NULL);
}

/* The last one's writes, for the host to read. */
static void barrier_to_host(ks_vk *vk)
{
    VkMemoryBarrier memory = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                              .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
                              .dstAccessMask = VK_ACCESS_HOST_READ_BIT};
    vk->call.CmdPipelineBarrier(commands_of(vk), VK_PIPELINE_STAGE_TRANSFER_BIT,
                                VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &memory, 0, NULL, 0, NULL);
}

static int bind_parts(ks_vk *vk, const ks_vk_job *job, ks_error *e)
{
    VkDescriptorSet set;
    VkDescriptorBufferInfo buffers[KS_VK_BINDINGS];
    VkWriteDescriptorSet writes[KS_VK_BINDINGS];
    uint32_t n = 0;
    VkDescriptorSetAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                        .descriptorPool = vk->slots[vk->at].sets,
                                        .descriptorSetCount = 1,
                                        .pSetLayouts = &vk->set_layout};
    VkResult r = vk->call.AllocateDescriptorSets(vk->device, &info, &set);
    if (r != VK_SUCCESS) return stopped(vk, "AllocateDescriptorSets", r, e);
    for (uint32_t i = 0; i < KS_VK_BINDINGS; i++) {
        /* a set has no empty places: what a shader does not read gets what it writes */
        const ks_vk_part *part = job->parts[i].buffer ? &job->parts[i] : &job->parts[3];
        buffers[n] = (VkDescriptorBufferInfo){part->buffer, part->at, part->bytes};
        writes[n] = (VkWriteDescriptorSet){.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                           .dstSet = set,
                                           .dstBinding = i,
                                           .descriptorCount = 1,
                                           .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                           .pBufferInfo = &buffers[n]};
        n++;
    }
    vk->call.UpdateDescriptorSets(vk->device, n, writes, 0, NULL);
    vk->call.CmdBindDescriptorSets(commands_of(vk), VK_PIPELINE_BIND_POINT_COMPUTE, vk->layout, 0,
                                   1, &set, 0, NULL);
    return 0;
}

int ks_vk_dispatch(ks_vk *vk, const ks_vk_job *job, ks_error *e)
{
    assert(job->push_bytes <= KS_VK_PUSH && job->parts[3].buffer);
    int err = 0;
    if (vk->recording && (vk->jobs == JOBS || vk->flop + job->flop > SEND_FLOP)) err = send(vk, e);
    if (!err) err = begin(vk, e);
    if (err) return err;
    if (!job->beside) barrier(vk);
    vk->call.CmdBindPipeline(commands_of(vk), VK_PIPELINE_BIND_POINT_COMPUTE, job->pipeline);
    err = bind_parts(vk, job, e);
    if (err) return err;
    vk->call.CmdPushConstants(commands_of(vk), vk->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
                              job->push_bytes, job->push);
    vk->call.CmdDispatch(commands_of(vk), job->groups[0], job->groups[1], job->groups[2]);
    vk->jobs++;
    vk->flop += job->flop;
    return 0;
}

/* --- to it and back --- */

int ks_vk_staging(void **at, ks_vk *vk, size_t bytes, ks_error *e)
{
    int err = ks_vk_finish(vk, e); /* it may be read by what is recorded */
    if (!err && vk->staging.bytes < bytes) {
        ks_vk_buffer_free(vk, &vk->staging);
        err = ks_vk_buffer_new(&vk->staging, vk, bytes, KS_VK_SHARED, e);
    }
    *at = err ? NULL : vk->staging.mapped;
    return err;
}

int ks_vk_put(ks_vk *vk, const ks_vk_buffer *b, const void *data, size_t bytes, ks_error *e)
{
    if (bytes > KS_VK_INLINE) return ks_vk_upload(vk, b, 0, data, bytes, e);
    int err = begin(vk, e);
    if (err) return err;
    barrier(vk);
    vk->call.CmdUpdateBuffer(commands_of(vk), b->buffer, 0, bytes, data);
    return 0;
}

int ks_vk_move(ks_vk *vk, const ks_vk_copy *c, ks_error *e)
{
    int err = begin(vk, e);
    if (err) return err;
    barrier(vk);
    vk->call.CmdCopyBuffer(commands_of(vk), c->from->buffer, c->to->buffer, 1,
                           &(VkBufferCopy){c->from_at, c->to_at, c->bytes});
    return 0;
}

int ks_vk_push(ks_vk *vk, const ks_vk_buffer *b, size_t at, size_t bytes, ks_error *e)
{
    int err = begin(vk, e);
    if (err) return err;
    barrier(vk);
    vk->call.CmdCopyBuffer(commands_of(vk), vk->staging.buffer, b->buffer, 1,
                           &(VkBufferCopy){.dstOffset = at, .size = bytes});
    return 0;
}

int ks_vk_pull(ks_vk *vk, const ks_vk_buffer *b, size_t at, size_t bytes, ks_error *e)
{
    int err = begin(vk, e);
    if (err) return err;
    barrier(vk);
    vk->call.CmdCopyBuffer(commands_of(vk), b->buffer, vk->staging.buffer, 1,
                           &(VkBufferCopy){.srcOffset = at, .size = bytes});
    barrier_to_host(vk);
    return ks_vk_finish(vk, e);
}

int ks_vk_upload(ks_vk *vk, const ks_vk_buffer *b, size_t at, const void *x, size_t bytes,
                 ks_error *e)
{
    void *to;
    int err = ks_vk_staging(&to, vk, bytes, e);
    if (err) return err;
    memcpy(to, x, bytes);
    return ks_vk_push(vk, b, at, bytes, e);
}
