#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
/* From where to where a far end sends; the ports are in network order. */
struct between { const char *from; in_port_t from_port; const char *to; in_port_t to_port; };

/* Its addresses as bytes, and the Ethernet header: the neighbour sends. Whether it can be sent. */
static int lay(struct way *way, const struct between *ends, unsigned char *from, unsigned char *to,
               unsigned char *eth)
{
    unsigned char family, own[6] = {2, 0, 0, 0, (unsigned char)way->link, 1};

    ip_bytes(ends->from, from, &family);
    ip_bytes(ends->to, to, &family);
    way->is_v6 = family == AF_INET6;
    way->from = from;
    way->to = to;
    way->eth = eth;
    memcpy(eth, own, 6);
    memcpy(eth + 6, own, 6);
    eth[11] = 2;
    if (way->is_v6 && to[0] == 0xff) { /* RFC 2464 7 */
        memcpy(eth, "\x33\x33", 2);
        memcpy(eth + 2, to + 12, 4);
    } else if (!way->is_v6 && to[3] == 255) {
        memset(eth, 0xff, 6);
    } else if (!way->is_v6 && to[0] >> 4 == 14) { /* RFC 1112 6.4 */
        memcpy(eth, "\x01\x00\x5e", 3);
        memcpy(eth + 3, to + 1, 3);
        eth[3] &= 0x7f;
    }
    return ends->from_port != 0 && ends->to_port != 0;
}
