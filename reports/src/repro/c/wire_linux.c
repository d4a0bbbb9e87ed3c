#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
/* The last frame: by which link, and whether the host sent it. */
static struct {
    char link[IF_NAMESIZE];
    int out, protocol;
    size_t len;
    unsigned char bytes[65536 + 64];
} heard;
static int under_way; /* how many packets loopback has taken and not handed over */

/* Frames for which the socket had no room were not seen, so that nothing can be said. */
static void nothing_lost(void)
{
    struct tpacket_stats count = {0};
    socklen_t len = sizeof count;

    if (wire == -1 || getsockopt(wire, SOL_PACKET, PACKET_STATISTICS, &count, &len) == -1 ||
        count.tp_drops == 0)
        return;
    fprintf(stderr, "not tried: the wire could not be followed: its packet socket had no room for "
                    "%u frames\n", count.tp_drops);
    exit(2);
}

/* A packet socket (packet(7)): it sees what passes each link of this network, as tcpdump(8) does. */
static void watch_wire(void)
{
    struct sockaddr_ll all = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    int room = 4 << 20;

    (void)look, (void)nothing_lost; /* there may be no call */
    wire = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (setsockopt(wire, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) == -1)
        setsockopt(wire, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (wire != -1 && bind(wire, (struct sockaddr *)&all, sizeof all) == -1) {
        close(wire);
        wire = -1;
    }
@Observed     if (wire == -1) { /* calls alone are no evidence of what left */
@Observed         fputs("not tried: no packet socket is to be had, and no frame can be seen\n", stderr);
@Observed         exit(2);
@Observed     }
}

/* Reads the next frame; whether there was one. */
static int next_frame(void)
{
    struct sockaddr_ll from = {0};
    socklen_t from_len = sizeof from;
    ssize_t len;
    int is_lo;

    do {
        do
            len = recvfrom(wire, heard.bytes, sizeof heard.bytes, MSG_DONTWAIT,
                           (struct sockaddr *)&from, &from_len);
        while (len == -1 && errno == ENETDOWN); /* a link went down, which is said once */
        if (len == -1)
            return 0;
        if (if_indextoname((unsigned)from.sll_ifindex, heard.link) == NULL)
            snprintf(heard.link, sizeof heard.link, "if%d", from.sll_ifindex);
        heard.out = from.sll_pkttype == PACKET_OUTGOING;
        is_lo = strcmp(heard.link, "lo") == 0;
        if (is_lo)
            under_way += heard.out ? 1 : -1;
    } while (is_lo && !heard.out); /* loopback shows each packet twice */
    heard.protocol = ntohs(from.sll_protocol);
    heard.len = (size_t)len;
    return 1;
}

/* Waits for another frame; whether one came. */
static int wait_more(int ms)
{
    struct pollfd more = {.fd = wire, .events = POLLIN};

    return poll(&more, 1, ms) == 1;
}

/* Whether what a call has caused may not have passed yet. */
static int comes_more(void)
{
    int comes = under_way > 0 && wait_more(20);

    if (!comes)
        under_way = 0;
    return comes;
}
