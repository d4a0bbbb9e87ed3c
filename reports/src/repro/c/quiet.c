/* No link speaks of its own accord, and ICMP errors are not limited in rate. */
static void quiet_network(void)
{
    write_file("/proc/sys/net/ipv6/conf/default/accept_dad", "0");
    write_file("/proc/sys/net/ipv6/conf/default/router_solicitations", "0");
    write_file("/proc/sys/net/ipv6/conf/default/addr_gen_mode", "1");
    write_file("/proc/sys/net/ipv4/icmp_ratemask", "0");
    write_file("/proc/sys/net/ipv6/icmp/ratelimit", "0");
    write_file("/proc/sys/net/ipv4/ping_group_range", "0 0");
}
