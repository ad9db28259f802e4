/* What a decoder that was taken over may send: any bytes as messages, in any order. Invariants: no
 * accepted frame goes back in time or number, no accepted picture is larger than the shared
 * memory. */
#include <stdlib.h>
#include <string.h>

#include "decoder/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ks_wire_state s;
    ks_error e;
    ks_message m;
    int64_t ticks = -1, number = -1;
    char text[200];

    ks_wire_start(&s);
    while (size >= 2) {
        int type = data[0] % (KS_MSG_END + 1);
        size_t n = data[1];
        data += 2, size -= 2;
        ks_wire_begin(&m, (ks_msg_type)type);
        if (n > size) n = size;
        if (n > m.bytes) n = m.bytes;
        memcpy(&m.u, data, n); /* the rest of the body stays zero */
        data += n, size -= n;
        if (n > 0 && (data[-1] & 1)) s.asked = m.u.picture.number;
        if (ks_wire_accept(&s, &m, &e)) continue;
        if (type == KS_MSG_FRAME) {
            if (m.u.frame.ticks <= ticks || m.u.frame.number != number + 1) abort();
            ticks = m.u.frame.ticks;
            number = m.u.frame.number;
        }
        if (type == KS_MSG_PICTURE &&
            (size_t)m.u.picture.stride * (size_t)m.u.picture.height > KS_WIRE_MEMORY)
            abort();
        if (type == KS_MSG_PICTURE && m.u.picture.stride < 3 * (int64_t)m.u.picture.width) abort();
        if (type == KS_MSG_JPEG && (size_t)m.u.picture.bytes > KS_WIRE_MEMORY) abort();
        if (type == KS_MSG_END)
            ks_wire_text(text, sizeof text, m.u.end.reason, sizeof m.u.end.reason);
    }
    return 0;
}
