/* route -n add -net PREFIX/LEN -interface LINK */
static void route_by_link(const char *prefix, int len, unsigned index)
{
    struct route_message m = route_message(RTM_ADD, RTF_STATIC, prefix, len, index);

    append_link(&m, index, NULL);
    append_mask(&m, prefix, len);
    route_add(&m, prefix, len);
}
