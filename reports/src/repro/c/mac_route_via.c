/* route -n add -net PREFIX/LEN ROUTER */
static void route_by_router(const char *prefix, int len, const char *router)
{
    struct route_message m = route_message(RTM_ADD, RTF_STATIC | RTF_GATEWAY, prefix, len, 0);

    append_ip(&m, RTA_GATEWAY, router, 0);
    append_mask(&m, prefix, len);
    route_add(&m, prefix, len);
}
