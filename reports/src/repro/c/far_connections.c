#include <stddef.h>
#include <string.h>
/* The connections of the far ends', by the addresses and ports of both ends, the far one's first. */
struct connection {
    int link;
    unsigned char is_v6, ends[36]; /* address and port; one of IPv4 with zeros behind it */
    unsigned next, most;           /* our next byte, and that behind the last that was ever sent */
    int is_heard;
    unsigned first, end; /* the host's first sequence number, and that of the byte behind its last */
    unsigned time;       /* the last that its clock told (RFC 7323 3) */
};
static struct connection met[64];
static size_t met_count;
/* The connection that the host's last segment on a link was of, and its Ethernet addresses. */
static struct { struct connection *of; unsigned char eth[12]; } answered[@@LINKS@@];

static struct connection *connection_of(const struct connection *wanted)
{
    struct connection *c = met;

    while (c < met + met_count && (c->link != wanted->link || c->is_v6 != wanted->is_v6 ||
                                   memcmp(c->ends, wanted->ends, sizeof c->ends) != 0))
        c++;
    if (c == met + met_count) {
        met_count += met_count < sizeof met / sizeof *met - 1;
        *c = *wanted;
        c->next = c->most = 1000000;
    }
    return c;
}

static int is_behind(unsigned a, unsigned b)
{
    return (int)(a - b) > 0;
}

static unsigned be32(const unsigned char *p)
{
    return be16(p) << 16 | be16(p + 2);
}

/* The time among the options of a segment, or else this one. */
static unsigned time_of(const unsigned char *tcp, size_t header, unsigned otherwise)
{
    size_t at = 20;

    while (at < header && tcp[at] != 0) {
        size_t len = tcp[at] == 1 ? 1 : at + 1 < header ? tcp[at + 1] : 0;

        if (len == 0 || (len == 1 && tcp[at] != 1) || at + len > header)
            break;
        if (tcp[at] == 8 && len == 10)
            return be32(tcp + at + 2);
        at += len;
    }
    return otherwise;
}

/* The host has sent a segment; `at`: where in the packet. */
static void hears_segment(int link, const unsigned char *eth, const unsigned char *p, size_t len,
                          size_t at)
{
    struct connection wanted = {.link = link, .is_v6 = p[0] >> 4 == 6}, *c;
    size_t size = wanted.is_v6 ? 16 : 4, from = wanted.is_v6 ? 8 : 12, whole, header;
    const unsigned char *tcp = p + at;
    unsigned seq, ack, end;

    whole = wanted.is_v6 ? 40 + be16(p + 4) : be16(p + 2);
    if (whole > len || at + 20 > whole || at + (tcp[12] >> 4) * 4u > whole)
        return;
    header = (tcp[12] >> 4) * 4u;
    memcpy(wanted.ends, p + from + size, size);
    memcpy(wanted.ends + 16, tcp + 2, 2);
    memcpy(wanted.ends + 18, p + from, size);
    memcpy(wanted.ends + 34, tcp, 2);
    c = connection_of(&wanted);
    answered[link].of = c;
    if (eth != NULL)
        memcpy(answered[link].eth, eth, 12);
    seq = be32(tcp + 4);
    ack = be32(tcp + 8);
    if (c->is_heard && tcp[13] & 2 && c->first != seq) {
        if (!(tcp[13] & 16)) /* else it answers a SYN of ours */
            c->next = c->most = 1000000;
        c->is_heard = 0;
    }
    c->time = time_of(tcp, header, tcp[13] & 2 ? 0 : c->time);
    if (!c->is_heard && tcp[13] & 4) /* a reset of nothing says no number of the host's */
        return;
    end = seq + (tcp[13] & 1) + (tcp[13] >> 1 & 1) + (unsigned)(whole - at - header);
    if (!c->is_heard)
        c->first = seq;
    if (!c->is_heard || is_behind(end, c->end))
        c->end = end;
    c->is_heard = 1;
    if (tcp[13] & 16 && is_behind(ack, c->next) && !is_behind(ack, c->most))
        c->next = ack; /* what was sent out of order has arrived, too */
}
