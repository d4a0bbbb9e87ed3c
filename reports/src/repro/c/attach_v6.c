#include <netinet/in.h>
#include <netinet6/in6_var.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#ifndef SIOCPROTOATTACH_IN6 /* which the SDK keeps to itself */
#define SIOCPROTOATTACH_IN6 _IOWR('i', 110, struct in6_aliasreq)
#endif

/*
 * Attaches IPv6, and has nobody asked whether an address is free. Without it the first address brings
 * a link-local one of the kernel's own making along, and none can be used for a second.
 */
static void attach_v6(int link)
{
    struct in6_aliasreq with;
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);

    memset(&with, 0, sizeof with);
    strncpy(with.ifra_name, links[link].name, sizeof with.ifra_name - 1);
    if (ioctl(fd, SIOCPROTOATTACH_IN6, &with) == -1 && errno != EEXIST)
        no_lab("IPv6 on a link", errno);
    close(fd);
    lab("ifconfig %s inet6 -dad", links[link].name);
}
