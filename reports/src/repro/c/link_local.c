#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
/* Takes each link-local address but `own` from a link: they are of the kernel's own making. */
static void link_local(int link, const char *own)
{
    const char *name = links[link].name;
    struct ifaddrs *all, *one;
    char text[INET6_ADDRSTRLEN];

    if (getifaddrs(&all) == -1)
        no_lab("the addresses of a link", errno);
    for (one = all; one != NULL; one = one->ifa_next) {
        struct sockaddr_in6 at;

        if (one->ifa_addr == NULL || one->ifa_addr->sa_family != AF_INET6 ||
            strcmp(one->ifa_name, name) != 0)
            continue;
        memcpy(&at, one->ifa_addr, sizeof at);
        if (!IN6_IS_ADDR_LINKLOCAL(&at.sin6_addr))
            continue;
        at.sin6_addr.s6_addr[2] = at.sin6_addr.s6_addr[3] = 0; /* where the kernel has the index */
        inet_ntop(AF_INET6, &at.sin6_addr, text, sizeof text);
        if (strcmp(text, own) != 0)
            lab("ifconfig %s inet6 %s -alias", name, text);
    }
    freeifaddrs(all);
}
