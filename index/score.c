/* score.c - the score in plain C (the definition), and which form this CPU gets. */
#include "index/score.h"

#include "index/half.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include <math.h>

static float score(const float *q, const uint16_t *h, int dim)
{
    float acc[16] = {0};
    for (int i = 0; i < dim; i += 16)
        for (int j = 0; j < 16; j++) {
            float a = i + j < dim ? q[i + j] : 0.0f,
                  b = i + j < dim ? ks_float_from_half(h[i + j]) : 0.0f;
            acc[j] = fmaf(a, b, acc[j]);
        }
    for (int step = 8; step > 0; step /= 2)
        for (int j = 0; j < step; j++) acc[j] += acc[j + step];
    return acc[0];
}

void ks_score_rows(float *out, const float *q, const uint16_t *h, size_t stride, int dim, int m,
                   ks_cpu cpu)
{
#if defined(__x86_64__)
    if (cpu >= KS_CPU_AVX512) {
        ks_score_rows_avx512(out, q, h, stride, dim, m);
        return;
    }
    if (cpu == KS_CPU_AVX2) {
        ks_score_rows_avx2(out, q, h, stride, dim, m);
        return;
    }
#endif
    (void)cpu;
    for (int i = 0; i < m; i++) out[i] = score(q, h + (size_t)i * stride, dim);
}

void ks_score_many(float *out, const float *q, int n, const uint16_t *h, int dim, int m, ks_cpu cpu)
{
#if defined(__x86_64__)
    if (cpu == KS_CPU_AVX2) {
        ks_score_many_avx2(out, q, n, h, dim, m);
        return;
    }
#endif
    for (int i = 0; i < n; i++)
        ks_score_rows(out + (size_t)i * (size_t)m, q + (size_t)i * (size_t)dim, h, (size_t)dim, dim,
                      m, cpu);
}

/* 4 * high + low over one row. */
static int32_t dot(const int8_t *q, const uint8_t *code, size_t dims)
{
    int32_t sum = 0;
    for (; dims > 0; dims -= 256, q += 256, code += 192)
        for (int j = 0; j < 64; j++) {
            int high = q[j] * (code[j] & 15) + q[64 + j] * (code[j] >> 4) +
                       q[128 + j] * (code[64 + j] & 15) + q[192 + j] * (code[64 + j] >> 4);
            int low = q[j] * (code[128 + j] & 3) + q[64 + j] * (code[128 + j] >> 2 & 3) +
                      q[128 + j] * (code[128 + j] >> 4 & 3) + q[192 + j] * (code[128 + j] >> 6);
            sum += 4 * high + low;
        }
    return sum;
}

void ks_dot_rows(int32_t *out, const int8_t *q, const uint8_t *codes, size_t dims, int m,
                 ks_cpu cpu)
{
#if defined(__x86_64__)
    if (cpu == KS_CPU_VNNI) {
        ks_dot_rows_vnni(out, q, codes, dims, m);
        return;
    }
    if (cpu != KS_CPU_PLAIN) {
        ks_dot_rows_avx2(out, q, codes, dims, m);
        return;
    }
#endif
    (void)cpu;
    for (int i = 0; i < m; i++) out[i] = dot(q, codes + (size_t)i * (dims / 4 * 3), dims);
}

ks_cpu ks_cpu_best(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl"))
        return __builtin_cpu_supports("avx512vnni") ? KS_CPU_VNNI : KS_CPU_AVX512;
    unsigned a, b, c = 0, d; /* clang 14 has no name for F16C in __builtin_cpu_supports */
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C))
        return KS_CPU_AVX2;
#endif
    return KS_CPU_PLAIN;
}

const char *ks_cpu_name(ks_cpu cpu)
{
    static const char *const names[] = {"plain C", "AVX2", "AVX-512", "AVX-512 VNNI"};
    return names[cpu];
}
