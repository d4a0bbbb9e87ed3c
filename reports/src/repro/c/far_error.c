#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
/* An ICMP error about the last packet that the host sent on a link. */
enum {
    WRONG_SOURCE = 1, WRONG_DESTINATION = 2, WRONG_SOURCE_PORT = 4, WRONG_DESTINATION_PORT = 8,
    WRONG_SEQUENCE_NUMBER = 16, WRONG_CHECKSUM = 32
};
struct icmp_error {
    struct { int type, code; unsigned rest; } of[2]; /* about IPv4, IPv6; type -1: there is none */
    const char *from;                                /* NULL: whom the packet was for */
    int lies;                                        /* what is wrong with what it quotes */
    int is_cut;
    size_t cut; /* how much of it is quoted, if it is cut */
};

/* Gives one field of a packet another value, and makes its checksums right; whether there is one. */
static int forge(unsigned char *p, size_t len, int lie)
{
    struct carried c = carried(p, len);
    int is_v6 = p[0] >> 4 == 6;
    int is_whole = is_v6 ? c.at == 40 && 40 + be16(p + 4) <= len
                         : !c.is_fragment && c.at < be16(p + 2) && be16(p + 2) <= len;
    size_t at = is_v6 ? 23 : 15, size = is_v6 ? be16(p + 4) : be16(p + 2) - c.at;
    size_t field = c.at + (c.protocol == 6 ? 16 : c.protocol == 17 ? 6 : 2);

    if (lie == WRONG_DESTINATION)
        at += is_v6 ? 16 : 4;
    if (lie >= WRONG_SOURCE_PORT) {
        at = c.at + (lie == WRONG_SOURCE_PORT ? 0 : lie == WRONG_DESTINATION_PORT ? 2 : 4);
        if (c.is_later || at + 2 > len || (c.protocol != 6 && lie == WRONG_SEQUENCE_NUMBER) ||
            (c.protocol != 6 && c.protocol != 17 && c.protocol != 33 && c.protocol != 132 &&
             c.protocol != 136))
            return 0;
    }
    p[at] ^= lie == WRONG_SOURCE_PORT || lie == WRONG_DESTINATION_PORT ? 0x40 : 0x80;
    if (!is_v6)
        seal_header(p);
    if (is_whole && field + 2 <= c.at + size &&
        (c.protocol == 6 || c.protocol == 58 || c.protocol == 1 ||
         (c.protocol == 17 && be16(p + field) != 0)))
        seal(p, c.at, c.protocol, size, 0);
    return 1;
}

static void send_error(int op, int link, const struct icmp_error *error)
{
    size_t head = is_tap[link] ? 14 : 0, len, most;
    unsigned char *quote = made + BODY + 8, eth[12], from[16], to[16], family;
    struct way way = {.link = link, .ttl = 64, .from = from, .to = to, .eth = eth};
    int type, code, lies = error->lies & ~WRONG_CHECKSUM, is_of_many;

@AnswerAll     answer_all();
@MacWire     answer_all();
    if (last[link].len == 0) {
        sends_nothing(op, "the host has sent no packet there that it could quote");
        return;
    }
    len = last[link].len - head; /* of at most 65536 bytes: see hears() */
    memcpy(quote, last[link].bytes + head, len);
    memcpy(eth, last[link].bytes + 6, 6);
    memcpy(eth + 6, last[link].bytes, 6);
    way.is_v6 = quote[0] >> 4 == 6;
    way.protocol = way.is_v6 ? 58 : 1;
    way.checksum_wrong = (error->lies & WRONG_CHECKSUM) != 0;
    memcpy(to, way.is_v6 ? quote + 8 : quote + 12, way.is_v6 ? 16 : 4);
    memcpy(from, way.is_v6 ? quote + 24 : quote + 16, way.is_v6 ? 16 : 4);
    type = error->of[way.is_v6].type;
    code = error->of[way.is_v6].code;
    is_of_many = way.is_v6 ? from[0] == 0xff : from[0] >> 4 == 14 || from[3] == 255;
    if (error->from != NULL) {
        ip_bytes(error->from, from, &family);
        /* RFC 4443 2.4 (e.3) excepts the MTU and an option. */
        is_of_many = is_of_many && !(way.is_v6 && (type == 2 || (type == 4 && code == 2)));
        if ((family == AF_INET6) != way.is_v6)
            type = -1;
    }
    for (int lie = 1; lie <= lies; lie *= 2)
        if (lies & lie && !forge(quote, len, lie))
            type = -1;
    if (type == -1 || is_of_many || (error->is_cut && error->cut >= len)) {
        sends_nothing(op, "there is no such error about the host's last packet");
        return;
    }
    if (error->is_cut)
        len = error->cut;
    most = way.is_v6 ? 1280 - 48 : 576 - 28; /* RFC 4443 2.4 (c), RFC 1812 4.3.2 */
    quote[-8] = (unsigned char)type;
    quote[-7] = (unsigned char)code;
    put16(quote - 4, error->of[way.is_v6].rest >> 16);
    put16(quote - 2, error->of[way.is_v6].rest & 0xffff);
    send_made(&way, 8 + (len < most ? len : most));
}
