static struct route_message dropping[8]; /* that were added here: no link takes them along */
static int drops;

static void undo_drops(void)
{
    int fd = drops > 0 ? socket(PF_ROUTE, SOCK_RAW, 0) : -1;

    while (drops > 0) {
        dropping[--drops].head.rtm_type = RTM_DELETE;
        if (write(fd, &dropping[drops], dropping[drops].head.rtm_msglen) == -1)
            perror("a route that drops is left");
    }
}

/* route -n add -net PREFIX/LEN LOOPBACK -reject, or -blackhole */
static void route_drop(const char *prefix, int len, int how)
{
    struct route_message m = route_message(RTM_ADD, RTF_STATIC | RTF_GATEWAY | how, prefix, len, 0);

    append_ip(&m, RTA_GATEWAY, strchr(prefix, ':') ? "::1" : "127.0.0.1", 0);
    append_mask(&m, prefix, len);
    route_send(&m, prefix, len);
    dropping[drops++] = m;
}
