/* As of a network that follows neither the host's memory nor what the host is set to. */
static void tcp_settings(void)
{
    char allowed[256] = "";
    int fd = open("/proc/sys/net/ipv4/tcp_allowed_congestion_control", O_RDONLY);

    if (fd == -1 || read(fd, allowed, sizeof allowed - 1) == -1)
        allowed[0] = '\0';
    close(fd);
    write_file("/proc/sys/net/ipv4/tcp_congestion_control", strstr(allowed, "cubic") ? "cubic" : "reno");
    write_file("/proc/sys/net/ipv4/tcp_rmem", "4096 131072 6291456");
    write_file("/proc/sys/net/ipv4/tcp_wmem", "4096 16384 4194304");
}
