#include <time.h>
/* ip addr add IP/LEN dev LINK, without duplicate address detection, and until it is in use */
static void address_add(const char *link, const char *text, unsigned char prefix_len)
{
    struct ifaddrmsg head = {.ifa_prefixlen = prefix_len, .ifa_index = if_nametoindex(link)};
    struct rtmsg route = {.rtm_family = AF_INET6, .rtm_dst_len = 128};
    unsigned char ip[16];
    size_t len = ip_bytes(text, ip, &head.ifa_family);

    head.ifa_flags = len == 16 ? IFA_F_NODAD : 0;
    struct request q = request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &head, sizeof head);
    attribute(&q, IFA_LOCAL, ip, len);
    attribute(&q, IFA_ADDRESS, ip, len);
    if (len == 4) {
        ip[3] = 255;
        attribute(&q, IFA_BROADCAST, ip, len);
    }
    if (ask(&q) == -1)
        lab_failed(text);
    if (len == 4)
        return;
    q = request(RTM_GETROUTE, 0, &route, sizeof route);
    attribute(&q, RTA_DST, ip, len);
    attribute(&q, RTA_OIF, &head.ifa_index, sizeof head.ifa_index);
    for (int tries = 0; ask(&q) != RTN_LOCAL; tries++) {
        if (tries == 5000)
            lab_failed("an address that can be used");
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}
