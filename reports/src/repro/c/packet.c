#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
/* A link, as packet(7) has it. */
static void packet_address(const void *name, socklen_t len)
{
    static const char *const kinds[] = {
        "host", "broadcast", "multicast", "otherhost", "outgoing", "loopback", "user", "kernel",
    };
    const struct sockaddr_ll *ll = name;
    char dev[16] = "", addr[32] = "", kind[8] = "";
    size_t at = 0;

    if (ll->sll_ifindex != 0)
        snprintf(dev, sizeof dev, " dev %u", (unsigned)ll->sll_ifindex);
    if (ll->sll_halen > 0)
        at = (size_t)snprintf(addr, sizeof addr, " addr 0x");
    for (size_t i = 0; i < ll->sll_halen && i < 8; i++)
        if (offsetof(struct sockaddr_ll, sll_addr) + i < len)
            at += (size_t)snprintf(addr + at, sizeof addr - at, "%02x", ll->sll_addr[i]);
    snprintf(kind, sizeof kind, "%d", ll->sll_pkttype);
    value("{AF_PACKET 0x%04x%s type %d %s%s}", ntohs(ll->sll_protocol), dev, ll->sll_hatype,
          ll->sll_pkttype < 8 ? kinds[ll->sll_pkttype] : kind, addr);
}
