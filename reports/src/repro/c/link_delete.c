/* ip link delete LINK */
static void link_delete(const char *link)
{
    struct ifinfomsg head = {.ifi_index = (int)if_nametoindex(link)};
    struct request q = request(RTM_DELLINK, 0, &head, sizeof head);

    if (ask(&q) == -1)
        lab_failed(link);
}
