#include <stddef.h>
/* What a packet carries: which protocol, from where on; of a fragment which datagram's it is. */
struct carried { int protocol, is_fragment, is_later; size_t at; unsigned long long datagram; };

static struct carried carried(const unsigned char *p, size_t len)
{
    struct carried c = {.at = len};
    unsigned id = 0;
    size_t from = 12, to = 20; /* the addresses */

    if (len >= 20 && p[0] >> 4 == 4) {
        c.protocol = p[9];
        c.at = (p[0] & 15) * 4u;
        c.is_fragment = (be16(p + 6) & 0x3fff) != 0;
        c.is_later = (be16(p + 6) & 0x1fff) != 0;
        id = be16(p + 4);
    } else if (len >= 40 && p[0] >> 4 == 6) {
        c.protocol = p[6];
        from = 8;
        to = c.at = 40;
        while (c.at + 8 <= len && !c.is_later &&
               (c.protocol == 0 || c.protocol == 43 || c.protocol == 44 || c.protocol == 60)) {
            const unsigned char *header = p + c.at;

            if (c.protocol == 44) {
                c.is_fragment = 1;
                c.is_later = (be16(header + 2) & 0xfff8) != 0;
                id = be16(header + 4) << 16 | be16(header + 6);
            }
            c.at += c.protocol == 44 ? 8 : (header[1] + 1) * 8u;
            c.protocol = header[0];
        }
    } else {
        return c;
    }
    c.datagram = id;
    for (size_t i = from; i < to; i++)
        c.datagram = (c.datagram ^ p[i]) * 1099511628211u;
    return c;
}
