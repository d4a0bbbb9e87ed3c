#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#ifndef SIOCSECNMODE /* which the SDK keeps to itself, as IFRTYPE_ECN_DISABLE */
#define SIOCSECNMODE _IOW('i', 177, struct ifreq)
#endif

/* No connection by the link asks for ECN: that would depend on what became of earlier ones. Where it
   cannot be said, connections may. */
static void no_ecn(int link)
{
    struct ifreq with = {.ifr_name = ""};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    snprintf(with.ifr_name, sizeof with.ifr_name, "%s", links[link].name);
    with.ifr_intval = 2;
    (void)ioctl(fd, SIOCSECNMODE, &with);
    close(fd);
}
