#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
/* The lab cannot be made without this. */
static void lab_failed(const char *what)
{
    fprintf(stderr, "not tried: the lab cannot be made: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);

    if (fd == -1 || write(fd, text, strlen(text)) == -1)
        lab_failed(path);
    close(fd);
}

/* unshare -n, and -Ur when not root */
static void new_network(void)
{
    unsigned uid = geteuid(), gid = getegid();
    char map[32];

    if (uid == 0 && unshare(CLONE_NEWNET) == 0)
        return;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) == -1)
        lab_failed("a new user and network namespace, which root needs none of");
    snprintf(map, sizeof map, "0 %u 1", uid);
    write_file("/proc/self/uid_map", map);
    write_file("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "0 %u 1", gid);
    write_file("/proc/self/gid_map", map);
}

/* One request of netdevice(7). */
static void netdevice(const char *link, unsigned long what, struct ifreq *with)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    snprintf(with->ifr_name, sizeof with->ifr_name, "%s", link);
    if (ioctl(fd, what, with) == -1)
        lab_failed(link);
    close(fd);
}

/* ip link set LINK up, or down */
static void link_set(const char *link, int up)
{
    struct ifreq with = {0};

    netdevice(link, SIOCGIFFLAGS, &with);
    with.ifr_flags = up ? with.ifr_flags | IFF_UP : with.ifr_flags & ~IFF_UP;
    netdevice(link, SIOCSIFFLAGS, &with);
}
