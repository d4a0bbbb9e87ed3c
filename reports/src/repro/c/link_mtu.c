/* ip link set LINK mtu MTU */
static void link_mtu(const char *link, int mtu)
{
    struct ifreq with = {.ifr_mtu = mtu};

    netdevice(link, SIOCSIFMTU, &with);
}
