/* ip route add TYPE PREFIX/LEN dev LINK via ROUTER; a link or router of NULL is not said. */
static void route_add(unsigned char type, const char *prefix, unsigned char len, const char *link,
                      const char *router)
{
    struct rtmsg head = {.rtm_dst_len = len, .rtm_table = RT_TABLE_MAIN,
                         .rtm_protocol = RTPROT_STATIC, .rtm_type = type};
    unsigned char ip[16], family;
    size_t size = ip_bytes(prefix, ip, &head.rtm_family);
    unsigned index = link ? if_nametoindex(link) : 0;

    head.rtm_scope = type == RTN_UNICAST && !router ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    struct request q = request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof head);
    attribute(&q, RTA_DST, ip, size);
    if (link)
        attribute(&q, RTA_OIF, &index, sizeof index);
    if (router)
        attribute(&q, RTA_GATEWAY, ip, ip_bytes(router, ip, &family));
    if (ask(&q) == -1)
        lab_failed(prefix);
}
