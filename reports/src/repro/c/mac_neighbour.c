/* arp -s IP MAC ifscope LINK, or ndp -s IP%LINK MAC: it goes with the link */
static void neighbour(int link, const char *ip, const char *mac)
{
    unsigned index = links[link].index;
    int scoped = strchr(ip, ':') ? 0 : RTF_IFSCOPE;
    struct route_message m = route_message(RTM_ADD, RTF_STATIC | scoped, ip, -1, index);

    m.head.rtm_inits = RTV_EXPIRE; /* never: rmx_expire is 0 */
    append_link(&m, index, mac);
    route_send(&m, ip, -1);
}
