// patches.comp - pictures to rows of patches: (row in patch, column in patch, channel), bytes to byte / 255.
#version 450
layout(local_size_x = 256) in;
layout(push_constant) uniform Push {
    uint G, P, K; // patches a side, pixels of a patch's side, 3 P P
    uint words; // of a picture
    uint floats; // 1: pixels are floats
    uint first; // row of this dispatch
} p;
layout(std430, binding = 0) readonly buffer X { uint x[]; }; // [n, words]
layout(std430, binding = 3) writeonly buffer Y { float y[]; }; // [n G G, K]

void main()
{
    uint k = gl_GlobalInvocationID.x, row = p.first + gl_WorkGroupID.y;
    if (k >= p.K) return;
    uint n = row % (p.G * p.G), line = 3 * p.P;
    uint at = ((n / p.G * p.P + k / line) * p.G + n % p.G) * line + k % line,
         picture = row / (p.G * p.G) * p.words;
    y[row * p.K + k] = p.floats == 1
                           ? uintBitsToFloat(x[picture + at])
                           : float(x[picture + at / 4] >> 8 * (at % 4) & 255) / 255.0;
}
