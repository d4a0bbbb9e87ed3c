/* ip addr del IP/LEN dev LINK */
static void address_delete(const char *link, const char *text, unsigned char prefix_len)
{
    struct ifaddrmsg head = {.ifa_prefixlen = prefix_len, .ifa_index = if_nametoindex(link)};
    unsigned char ip[16];
    size_t len = ip_bytes(text, ip, &head.ifa_family);
    struct request q = request(RTM_DELADDR, 0, &head, sizeof head);

    attribute(&q, IFA_LOCAL, ip, len);
    attribute(&q, IFA_ADDRESS, ip, len);
    if (ask(&q) == -1)
        lab_failed(text);
}
