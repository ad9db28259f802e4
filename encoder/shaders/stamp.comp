// stamp.comp - x += the time position of the row's frame. One row a workgroup.
#version 450
layout(local_size_x = 64) in;
layout(push_constant) uniform Push {
    uint D, N, first; // N: rows of a frame
} p;
layout(std430, binding = 0) readonly buffer T { float time[]; }; // [frames, D]
layout(std430, binding = 3) buffer X { float x[]; };

void main()
{
    uint row = p.first + gl_WorkGroupID.x;
    for (uint d = gl_LocalInvocationIndex; d < p.D; d += 64)
        x[row * p.D + d] += time[row / p.N * p.D + d];
}
