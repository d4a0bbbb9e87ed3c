#include <linux/if_tun.h>
/* ip tuntap add LINK mode tun, or tap; the link has a carrier while the descriptor is open. */
static int tun_open(const char *link, short mode)
{
    struct ifreq with = {.ifr_flags = (short)(mode | IFF_NO_PI)};
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);

    if (fd == -1)
        lab_failed("/dev/net/tun");
    snprintf(with.ifr_name, sizeof with.ifr_name, "%s", link);
    if (ioctl(fd, TUNSETIFF, &with) == -1)
        lab_failed(link);
    return fd;
}
