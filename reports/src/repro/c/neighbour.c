#include <linux/neighbour.h>
/* ip neigh replace IP lladdr MAC dev LINK nud permanent */
static void neighbour(const char *link, const char *text, const char *mac_text)
{
    struct ndmsg head = {.ndm_ifindex = (int)if_nametoindex(link), .ndm_state = NUD_PERMANENT};
    unsigned char ip[16], mac[6];
    size_t len = ip_bytes(text, ip, &head.ndm_family);
    struct request q = request(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &head, sizeof head);

    parse_mac(mac_text, mac);
    attribute(&q, NDA_DST, ip, len);
    attribute(&q, NDA_LLADDR, mac, sizeof mac);
    if (ask(&q) == -1)
        lab_failed(text);
}
