#include <arpa/inet.h>
#include <sys/types.h>
/* Who answers ARP (RFC 826) and neighbour solicitations (RFC 4861), and only when asked; NULL:
   nobody, but what is sent on the link is read. */
static const struct { int link; const char *ip; } answering[] = {
@@ANSWERING@@
};

/* Turns an ARP request for `ip` into its answer; its length, or 0. */
static size_t arp_answer(unsigned char *f, ssize_t len, const unsigned char *ip,
                         const unsigned char *mac)
{
    if (len < 42 || memcmp(f + 12, "\x08\x06", 2) || f[21] != 1 || memcmp(f + 38, ip, 4))
        return 0;
    f[21] = 2;
    memcpy(f + 32, f + 22, 10);
    memcpy(f + 22, mac, 6);
    memcpy(f + 28, ip, 4);
    return 42;
}

/* Turns a neighbour solicitation for `ip` into an advertisement; its length, or 0. */
static size_t nd_answer(unsigned char *f, ssize_t len, const unsigned char *ip,
                        const unsigned char *mac)
{
    unsigned sum;

    if (len < 78 || memcmp(f + 12, "\x86\xdd", 2) || f[20] != 58 || f[54] != 135 ||
        memcmp(f + 62, ip, 16))
        return 0;
    memcpy(f + 18, "\0\x20\x3a\xff", 4);
    memcpy(f + 38, f + 22, 16);
    memcpy(f + 22, ip, 16);
    memcpy(f + 54, "\x88\0\0\0\x60\0\0\0", 8); /* solicited, override */
    memcpy(f + 78, "\x02\x01", 2);
    memcpy(f + 80, mac, 6);
    sum = ~sum_of(f + 22, 64, 32 + 58); /* of the pseudo-header: length and next header */
    f[56] = (unsigned char)(sum >> 8);
    f[57] = (unsigned char)sum;
    return 86;
}

/* Turns a frame of the host's on a link into the answer of whom it asks; its length, or 0. */
static size_t answer(int link, unsigned char *f, ssize_t len)
{
    unsigned char mac[6] = {2, 0, 0, 0, (unsigned char)link, 3}, ip[16], family;
    size_t size = 0;

    for (size_t j = 0; len > 0 && size == 0 && j < sizeof answering / sizeof *answering; j++)
        if (answering[j].link == link && answering[j].ip != NULL)
            size = ip_bytes(answering[j].ip, ip, &family) == 4 ? arp_answer(f, len, ip, mac)
                                                                : nd_answer(f, len, ip, mac);
    if (size > 0) {
        memcpy(f, f + 6, 6);
        memcpy(f + 6, mac, 6);
    }
    return size;
}
