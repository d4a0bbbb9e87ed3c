#include <linux/netlink.h>
#include <sys/socket.h>
/* A process and groups, as netlink(7) has them. */
static void netlink_address(const void *name)
{
    const struct sockaddr_nl *nl = name;

    value("{AF_NETLINK pid %u groups %u}", nl->nl_pid, nl->nl_groups);
}
