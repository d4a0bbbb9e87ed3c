#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
/* Ends the program if somebody has an address in the network of this one, which is a /24 or a /64. */
static void network_is_free(const char *ip)
{
    int family = strchr(ip, ':') ? AF_INET6 : AF_INET;
    size_t at = family == AF_INET6 ? offsetof(struct sockaddr_in6, sin6_addr)
                                   : offsetof(struct sockaddr_in, sin_addr);
    struct ifaddrs *all, *one;
    struct in6_addr wanted;

    if (getifaddrs(&all) == -1)
        no_lab("the addresses of this host", errno);
    inet_pton(family, ip, &wanted);
    for (one = all; one != NULL; one = one->ifa_next)
        if (one->ifa_addr != NULL && one->ifa_addr->sa_family == family &&
            memcmp((char *)one->ifa_addr + at, &wanted, family == AF_INET6 ? 8 : 3) == 0) {
            fprintf(stderr, "not tried: %s has an address in the network of %s, which the lab would "
                            "take\n", one->ifa_name, ip);
            exit(2);
        }
    freeifaddrs(all);
}
