// pool.comp - attention pooling by one learned query, in four steps; see pooling.h.
//
// GATHER   a head of a frame a workgroup: l = x u, top, sum e^(l - top), z = sum e^(l - top) x
// MERGE    a head a workgroup: z and sum of all frames together (row 0), then every row / its sum
// VALUES   128 columns of a row a workgroup: z Wv + bv
// OUTPUTS  a column of a row a workgroup: heads Wo + bo
#version 450
layout(local_size_x = 128) in;
layout(constant_id = 0) const uint MODE = 0;
const uint GATHER = 0, MERGE = 1, VALUES = 2, OUTPUTS = 3;
layout(push_constant) uniform Push {
    uint D, H, I, N; // I: values of all heads; N: tokens of a frame
    uint frames, first; // first: frame or row of this dispatch
} p;
layout(std430, binding = 0) readonly buffer A { float a[]; };  // x; z; heads
layout(std430, binding = 1) readonly buffer W { float w[]; };  // u [H, D]; Wv [D, I]; Wo [D, I]
layout(std430, binding = 2) coherent buffer B { float b[]; };  // logits [frames, H, N]; bv; bo
layout(std430, binding = 3) buffer Y { float y[]; };           // z [1 + frames, H, D]; heads; out
layout(std430, binding = 4) buffer T { float top_sum[]; };     // [1 + frames, H, 2]
shared float part[128];

float total(float own)
{
    uint t = gl_LocalInvocationIndex;
    barrier();
    part[t] = own;
    for (uint n = 64; n > 0; n /= 2) {
        barrier();
        if (t < n) part[t] += part[t + n];
    }
    barrier();
    return part[0];
}

float most(float own)
{
    uint t = gl_LocalInvocationIndex;
    barrier();
    part[t] = own;
    for (uint n = 64; n > 0; n /= 2) {
        barrier();
        if (t < n) part[t] = max(part[t], part[t + n]);
    }
    barrier();
    return part[0];
}

void gather(uint h, uint f)
{
    uint t = gl_LocalInvocationIndex, rows = f * p.N * p.D, l = (f * p.H + h) * p.N,
         to = (f + 1) * p.H + h;
    float top = -3.0e38, sum = 0;
    for (uint n = t; n < p.N; n += 128) {
        float s = 0;
        for (uint d = 0; d < p.D; d++) s += a[rows + n * p.D + d] * w[h * p.D + d];
        b[l + n] = s;
        top = max(top, s);
    }
    top = most(top);
    for (uint n = t; n < p.N; n += 128) {
        float e = exp(b[l + n] - top);
        b[l + n] = e;
        sum += e;
    }
    sum = total(sum);
    memoryBarrierBuffer();
    barrier();
    for (uint d = t; d < p.D; d += 128) {
        float z = 0;
        for (uint n = 0; n < p.N; n++) z += b[l + n] * a[rows + n * p.D + d];
        y[to * p.D + d] = z;
    }
    if (t == 0) {
        top_sum[2 * to] = top;
        top_sum[2 * to + 1] = sum;
    }
}

void merge(uint h)
{
    float top = -3.0e38, sum = 0;
    for (uint f = 1; f <= p.frames; f++) top = max(top, top_sum[2 * (f * p.H + h)]);
    for (uint f = 1; f <= p.frames; f++)
        sum += exp(top_sum[2 * (f * p.H + h)] - top) * top_sum[2 * (f * p.H + h) + 1];
    for (uint d = gl_LocalInvocationIndex; d < p.D; d += 128) {
        float z = 0;
        for (uint f = 1; f <= p.frames; f++) {
            uint from = f * p.H + h;
            z += exp(top_sum[2 * from] - top) * y[from * p.D + d];
            y[from * p.D + d] /= top_sum[2 * from + 1];
        }
        y[h * p.D + d] = z / sum;
    }
}

void values(uint column, uint row)
{
    if (column >= p.I) return;
    uint z = (row * p.H + column / (p.I / p.H)) * p.D;
    float s = b[column];
    for (uint d = 0; d < p.D; d++) s += a[z + d] * w[d * p.I + column];
    y[row * p.I + column] = s;
}

void outputs(uint column, uint row)
{
    float s = 0;
    for (uint i = gl_LocalInvocationIndex; i < p.I; i += 128)
        s += a[row * p.I + i] * w[column * p.I + i];
    s = total(s);
    if (gl_LocalInvocationIndex == 0) y[row * p.D + column] = s + b[column];
}

void main()
{
    if (MODE == GATHER) gather(gl_WorkGroupID.x, p.first + gl_WorkGroupID.y);
    if (MODE == MERGE) merge(gl_WorkGroupID.x);
    if (MODE == VALUES) values(gl_GlobalInvocationID.x, p.first + gl_WorkGroupID.y);
    if (MODE == OUTPUTS) outputs(gl_WorkGroupID.x, p.first + gl_WorkGroupID.y);
}
