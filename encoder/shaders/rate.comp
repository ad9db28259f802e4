// rate.comp - as many multiplications and additions as the device can do in registers.
#version 450
layout(local_size_x = 256) in;
layout(push_constant) uniform Push {
    uint rounds;
    float a, b;
} p;
layout(std430, binding = 3) writeonly buffer Y { float y[]; };

void main()
{
    vec4 s[8];
    for (uint i = 0; i < 8; i++) s[i] = vec4(gl_LocalInvocationIndex + i);
    for (uint n = 0; n < p.rounds; n++)
        for (uint i = 0; i < 8; i++) s[i] = s[i] * p.a + p.b;
    vec4 all = s[0] + s[1] + s[2] + s[3] + s[4] + s[5] + s[6] + s[7];
    y[gl_GlobalInvocationID.x] = all.x + all.y + all.z + all.w;
}
