#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
/* The addresses of the lab's links that SIOCGIFCONF has listed, which has no flags of them. */
static void if_conf(const struct ifreq *entry, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *link = link_called(entry[i].ifr_name);
        const struct sockaddr_in *in = (const void *)&entry[i].ifr_addr;
        char ip[INET_ADDRSTRLEN], text[64];

        if (link == NULL || in->sin_family != AF_INET)
            continue;
        inet_ntop(AF_INET, &in->sin_addr, ip, sizeof ip);
        snprintf(text, sizeof text, "%s 0 %s", link, ip);
        listed(text);
    }
@Observed     list_ends();
}
