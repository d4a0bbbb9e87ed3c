#include <stddef.h>
#include <string.h>
/* A UDP datagram of a far end's. */
struct datagram { int ttl, tos, may_be_cut, checksum_wrong; const void *data; size_t len; };

static void send_datagram(int op, int link, const struct between *ends, const struct datagram *what)
{
    unsigned char from[16], to[16], eth[12], *udp = made + BODY;
    struct way way = {.link = link, .protocol = 17, .ttl = what->ttl, .tos = what->tos,
                      .may_be_cut = what->may_be_cut, .checksum_wrong = what->checksum_wrong};

    if (!lay(&way, ends, from, to, eth)) {
        sends_nothing(op, "a socket has no port yet");
        return;
    }
    memcpy(udp, &ends->from_port, 2);
    memcpy(udp + 2, &ends->to_port, 2);
    put16(udp + 4, (unsigned)(8 + what->len));
    memcpy(udp + 8, what->data, what->len);
    send_made(&way, 8 + what->len);
}
