// norm.comp - LayerNorm of one row a workgroup: y = x^ (1 + scale) + bias, or y += that.
#version 450
layout(local_size_x = 64) in;
layout(push_constant) uniform Push {
    uint D, ldx, ldy, first_x, first_y;
    uint add, masked;
} p;
layout(std430, binding = 0) readonly buffer X { float x[]; };
layout(std430, binding = 2) readonly buffer N { float scale_bias[]; }; // [2, D]
layout(std430, binding = 3) buffer Y { float y[]; };
layout(std430, binding = 4) readonly buffer M { uint mask[]; };
shared float part[64];

float total(float own)
{
    uint t = gl_LocalInvocationIndex;
    barrier();
    part[t] = own;
    for (uint n = 32; n > 0; n /= 2) {
        barrier();
        if (t < n) part[t] += part[t + n];
    }
    barrier();
    return part[0];
}

void main()
{
    uint row = gl_WorkGroupID.x, from = (p.first_x + row) * p.ldx, to = (p.first_y + row) * p.ldy;
    float own = 0;
    for (uint d = gl_LocalInvocationIndex; d < p.D; d += 64) own += x[from + d];
    float mean = total(own) / float(p.D);
    own = 0;
    for (uint d = gl_LocalInvocationIndex; d < p.D; d += 64) {
        float far = x[from + d] - mean;
        own += far * far;
    }
    float by = 1.0 / sqrt(total(own) / float(p.D) + 1e-6);
    bool leave = p.masked == 1 && mask[p.first_y + row] != 0;
    for (uint d = gl_LocalInvocationIndex; d < p.D; d += 64) {
        float v = (x[from + d] - mean) * by * (1.0 + scale_bias[d]) + scale_bias[p.D + d];
        if (p.add == 0) y[to + d] = v;
        else if (!leave) y[to + d] += v;
    }
}
