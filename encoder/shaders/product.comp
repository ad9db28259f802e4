// product.comp - y = x W + bias for a tile of rows, and what becomes of it.
//
// W lies in panels as the CPU's (panels.h): 32 columns of [groups] words, a word being one float
// or two halves consecutive along K. x and y are float: without matrix units a device multiplies at its
// fp32 rate whatever the operands, so rounding rows would buy nothing. K is added up in ascending
// order, whatever the tile: a row's bits depend on no other row.
#version 450
layout(local_size_x = 256) in;
layout(constant_id = 0) const uint TM = 1; // rows of a tile / 64
layout(constant_id = 1) const uint TN = 1; // columns of a tile / 64
layout(constant_id = 2) const uint MODE = 0;
layout(constant_id = 3) const uint HALF = 1; // 1: words of two halves
const uint GELU = 1, RELU = 2, ADD = 3, PLACE = 4; // MODE; 0: as it is

layout(push_constant) uniform Push {
    uint rows, N, K, groups; // rows: of this dispatch
    uint ldx, ldy, first_x, first_y;
    uint masked; // 1: rows with a mask stay as they are (ADD)
    uint period; // rows of `extra` (PLACE)
} p;
layout(std430, binding = 0) readonly buffer X { float x[]; };
layout(std430, binding = 1) readonly buffer W { uint w[]; };
layout(std430, binding = 2) readonly buffer B { float bias[]; };
layout(std430, binding = 3) buffer Y { float y[]; };
layout(std430, binding = 4) readonly buffer P { float place[]; };
layout(std430, binding = 4) readonly buffer M { uint mask[]; };

const uint STEP = 16; // K of a round
const uint BM = 64 * TM, BN = 64 * TN;
shared vec4 xs[STEP * BM / 4]; // [STEP][BM]
shared vec4 ws[STEP * BN / 4]; // [STEP][BN]

void load_x(uint k0, uint row0)
{
    for (uint i = gl_LocalInvocationIndex; i < BM * STEP; i += 256) {
        uint r = i / STEP, k = i % STEP;
        bool there = row0 + r < p.rows && k0 + k < p.K;
        uint at = k * BM + r;
        xs[at / 4][at % 4] = there ? x[(p.first_x + row0 + r) * p.ldx + k0 + k] : 0.0;
    }
}

void load_w(uint k0, uint column0)
{
    if (HALF == 1) {
        for (uint i = gl_LocalInvocationIndex; i < BN * STEP / 2; i += 256) {
            uint c = i % BN, g = i / BN, column = column0 + c;
            bool there = column < p.N && k0 / 2 + g < p.groups;
            uint word = there ? w[(column / 32 * p.groups + k0 / 2 + g) * 32 + column % 32] : 0;
            uint at = 2 * g * BN + c;
            vec2 two = unpackHalf2x16(word);
            ws[at / 4][at % 4] = two.x;
            ws[(at + BN) / 4][at % 4] = two.y;
        }
    } else {
        for (uint i = gl_LocalInvocationIndex; i < BN * STEP; i += 256) {
            uint c = i % BN, k = i / BN, column = column0 + c;
            bool there = column < p.N && k0 + k < p.groups;
            uint at = k * BN + c;
            ws[at / 4][at % 4] =
                there ? uintBitsToFloat(w[(column / 32 * p.groups + k0 + k) * 32 + column % 32])
                      : 0.0;
        }
    }
}

// Abramowitz and Stegun 7.1.26: within 1.5e-7.
float erf_of(float v)
{
    float a = abs(v), t = 1.0 / (1.0 + 0.3275911 * a);
    float s = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t +
               0.254829592) * t;
    return sign(v) * (1.0 - s * exp(-a * a));
}

void put(uint row, uint column, float sum)
{
    float v = sum + bias[column];
    uint at = (p.first_y + row) * p.ldy + column;
    if (MODE == GELU) v = 0.5 * v * (1.0 + erf_of(v * 0.70710678118654752));
    if (MODE == RELU) v = max(v, 0.0);
    if (MODE == PLACE) v += place[(p.first_y + row) % p.period * p.N + column];
    if (MODE == ADD) {
        if (p.masked == 1 && mask[p.first_y + row] != 0) return;
        v += y[at];
    }
    y[at] = v;
}

void main()
{
    uint row0 = gl_WorkGroupID.y * BM, column0 = gl_WorkGroupID.x * BN;
    uint tr = gl_LocalInvocationIndex / 16, tc = gl_LocalInvocationIndex % 16;
    vec4 sum[4 * TM * TN];
    for (uint i = 0; i < 4 * TM * TN; i++) sum[i] = vec4(0);
    for (uint k0 = 0; k0 < p.K; k0 += STEP) {
        load_x(k0, row0);
        load_w(k0, column0);
        barrier();
        for (uint k = 0; k < STEP; k++) {
            vec4 b[TN];
            for (uint j = 0; j < TN; j++) b[j] = ws[(k * BN + j * 64) / 4 + tc];
            for (uint i = 0; i < TM; i++) {
                vec4 a = xs[(k * BM + i * 64) / 4 + tr];
                for (uint j = 0; j < TN; j++) {
                    sum[(i * TN + j) * 4 + 0] += a.x * b[j];
                    sum[(i * TN + j) * 4 + 1] += a.y * b[j];
                    sum[(i * TN + j) * 4 + 2] += a.z * b[j];
                    sum[(i * TN + j) * 4 + 3] += a.w * b[j];
                }
            }
        }
        barrier();
    }
    for (uint i = 0; i < TM; i++)
        for (uint j = 0; j < TN; j++)
            for (uint r = 0; r < 4; r++)
                for (uint c = 0; c < 4; c++) {
                    uint row = row0 + i * 64 + tr * 4 + r, column = column0 + j * 64 + tc * 4 + c;
                    if (row < p.rows && column < p.N)
                        put(row, column, sum[(i * TN + j) * 4 + r][c]);
                }
}
