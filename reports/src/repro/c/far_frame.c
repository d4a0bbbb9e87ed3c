#include <stddef.h>
#include <stdio.h>
#include <string.h>
enum { BODY = 64, MOST = 8 + 65536 };   /* what goes before a message, and an error with a packet */
static unsigned char made[BODY + MOST]; /* what a far end sends, its message from BODY on */

static void put16(unsigned char *p, unsigned n)
{
    p[0] = (unsigned char)(n >> 8);
    p[1] = (unsigned char)n;
}

/* Makes right the checksum of what a packet carries from `at` on, or wrong; but not the zero which
   says that there is none (RFC 768). */
static void seal(unsigned char *ip, size_t at, int protocol, size_t len, int is_wrong)
{
    size_t field = at + (protocol == 6 ? 16 : protocol == 17 ? 6 : 2);
    unsigned sum = 0;

    put16(ip + field, 0);
    if (protocol != 1) /* the pseudo-header */
        sum = sum_of(ip[0] >> 4 == 6 ? ip + 8 : ip + 12, ip[0] >> 4 == 6 ? 32 : 8,
                     (unsigned)len + (unsigned)protocol);
    sum = ~sum_of(ip + at, len, sum) & 0xffff;
    if (sum == 0 && protocol == 17)
        sum = 0xffff;
    if (is_wrong)
        sum = (sum ^ 0x5555) == 0 || (sum ^ 0x5555) == 0xffff ? 0x1111 : sum ^ 0x5555;
    put16(ip + field, sum);
}

static void seal_header(unsigned char *ip)
{
    put16(ip + 10, 0);
    put16(ip + 10, ~sum_of(ip, (ip[0] & 15) * 4u, 0));
}

/* What goes around a far end's message. */
struct way {
    int link, is_v6, protocol, ttl, tos, may_be_cut, checksum_wrong;
    const unsigned char *from, *to, *eth; /* eth: to whom it goes, and who sends it */
};

/* Sends the message of `len` bytes at `made + BODY`. */
static void send_made(const struct way *way, size_t len)
{
    size_t size = way->is_v6 ? 40 : 20, address = way->is_v6 ? 16 : 4;
    unsigned char *ip = made + BODY - size, *first = is_tap[way->link] ? ip - 14 : ip;

    memset(ip, 0, size);
    if (way->is_v6) {
        put16(ip, 0x6000 | (unsigned)way->tos << 4);
        put16(ip + 4, (unsigned)len);
        ip[6] = (unsigned char)way->protocol;
        ip[7] = (unsigned char)way->ttl;
    } else {
        ip[0] = 0x45;
        ip[1] = (unsigned char)way->tos;
        put16(ip + 2, (unsigned)(size + len));
        ip[6] = way->may_be_cut ? 0 : 0x40;
        ip[8] = (unsigned char)way->ttl;
        ip[9] = (unsigned char)way->protocol;
    }
    memcpy(ip + size - 2 * address, way->from, address);
    memcpy(ip + size - address, way->to, address);
    if (!way->is_v6)
        seal_header(ip);
    seal(ip, size, way->protocol, len, way->checksum_wrong);
    if (is_tap[way->link]) {
        memcpy(first, way->eth, 12);
        put16(first + 12, way->is_v6 ? 0x86dd : 0x0800);
    }
@Inject     inject(far_end[way->link], first, (size_t)(made + BODY - first) + len);
@FarWrite     far_write(way->link, first, (size_t)(made + BODY - first) + len);
}

/* There is nothing to quote, to answer, or to send it to, as there was when this was observed. */
static void sends_nothing(int op, const char *why)
{
@Observed     fprintf(stderr, "#%d differs: the far end cannot send this: %s\n", op, why);
@Observed     differs = 1;
@!Observed     fprintf(stderr, "#%d: the far end cannot send this: %s\n", op, why);
}
