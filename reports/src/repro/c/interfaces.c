#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
/* Where the bytes of an address of the Internet's families are, and how many; NULL of another. */
static const unsigned char *address_bytes(const struct sockaddr *of, size_t *len)
{
    int family = of == NULL ? AF_UNSPEC : of->sa_family;

    *len = family == AF_INET ? 4 : 16;
    return family == AF_INET    ? (const unsigned char *)&((const struct sockaddr_in *)of)->sin_addr
           : family == AF_INET6 ? (const unsigned char *)&((const struct sockaddr_in6 *)of)->sin6_addr
                                : NULL;
}

/* ` fe80::1%link0/64`, with the zone by its link; nothing of another family. */
static void address_text(const struct ifaddrs *entry, char *text, size_t room)
{
    char ip[INET6_ADDRSTRLEN] = "", zone[IF_NAMESIZE + 1] = "", bits[8] = "";
    size_t len, ones = 0;
    const unsigned char *bytes = address_bytes(entry->ifa_addr, &len), *mask;

    *text = '\0';
    if (bytes == NULL)
        return;
    inet_ntop(entry->ifa_addr->sa_family, bytes, ip, sizeof ip);
    if (len == 16) {
        unsigned index = ((const struct sockaddr_in6 *)entry->ifa_addr)->sin6_scope_id;
        char name[IF_NAMESIZE];
        const char *link = index != 0 && if_indextoname(index, name) ? link_called(name) : NULL;

        if (link != NULL)
            snprintf(zone, sizeof zone, "%%%s", link);
        else if (index != 0)
            snprintf(zone, sizeof zone, "%%%u", index);
    }
    mask = address_bytes(entry->ifa_netmask, &len);
    for (size_t i = 0; mask != NULL && i < 8 * len; i++)
        ones += mask[i / 8] >> i % 8 & 1;
    if (mask != NULL)
        snprintf(bits, sizeof bits, "/%u", (unsigned)ones);
    snprintf(text, room, " %s%s%s", ip, zone, bits);
}

/* What getifaddrs says of the lab's links: flags, and one address of each entry. */
static void interfaces(const struct ifaddrs *entry)
{
    static const struct { unsigned bit; const char *name; } names[] = {
        {IFF_UP, "IFF_UP"}, {IFF_BROADCAST, "IFF_BROADCAST"}, {IFF_LOOPBACK, "IFF_LOOPBACK"},
        {IFF_POINTOPOINT, "IFF_POINTOPOINT"}, {IFF_RUNNING, "IFF_RUNNING"},
        {IFF_NOARP, "IFF_NOARP"}, {IFF_MULTICAST, "IFF_MULTICAST"},
    };

    for (; entry != NULL; entry = entry->ifa_next) {
        const char *link = link_called(entry->ifa_name);
        char set[128] = "", ip[96], text[256];

        if (link == NULL)
            continue;
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (entry->ifa_flags & names[i].bit)
                strcat(strcat(set, *set ? "|" : ""), names[i].name);
        address_text(entry, ip, sizeof ip);
        snprintf(text, sizeof text, "%s %s%s", link, *set ? set : "0", ip);
        listed(text);
    }
@Observed     list_ends();
}
