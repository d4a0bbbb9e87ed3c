#include <net/if_arp.h>
/* ip link set LINK address MAC */
static void link_mac(const char *link, const char *mac)
{
    struct ifreq with = {.ifr_hwaddr = {.sa_family = ARPHRD_ETHER}};

    parse_mac(mac, (unsigned char *)with.ifr_hwaddr.sa_data);
    netdevice(link, SIOCSIFHWADDR, &with);
}
