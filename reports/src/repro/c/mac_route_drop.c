/* route -n add -net PREFIX/LEN LOOPBACK -reject, or -blackhole */
static void route_drop(const char *prefix, int len, int how)
{
    struct route_message m = route_message(RTM_ADD, RTF_STATIC | RTF_GATEWAY | how, prefix, len, 0);

    append_ip(&m, RTA_GATEWAY, strchr(prefix, ':') ? "::1" : "127.0.0.1", 0);
    append_mask(&m, prefix, len);
    route_add(&m, prefix, len);
}
