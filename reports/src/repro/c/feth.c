#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
/* ifconfig NAME create, or destroy */
static int clone_interface(unsigned long what, const char *name)
{
    static int fd = -1;
    struct ifreq with = {.ifr_name = ""};

    if (fd == -1)
        fd = socket(AF_INET, SOCK_DGRAM, 0);
    strncpy(with.ifr_name, name, sizeof with.ifr_name - 1);
    return ioctl(fd, what, &with);
}

/* Takes a pair away that this program made. */
static void feth_destroy(int link)
{
    if (!links[link].made)
        return;
    links[link].made = 0;
    clone_interface(SIOCIFDESTROY, links[link].name);
    clone_interface(SIOCIFDESTROY, links[link].peer);
}

/* The first two feth from 21000 on that nobody has, each the far end of the other. */
static void feth_create(int link)
{
    char *name = links[link].name, *peer = links[link].peer;
    int error = 0;

    for (int unit = 21000; unit < 22000; unit += 2) {
        snprintf(name, IF_NAMESIZE, "feth%d", unit);
        snprintf(peer, IF_NAMESIZE, "feth%d", unit + 1);
        if (clone_interface(SIOCIFCREATE, name) == -1) {
            error = errno;
            if (error == EPERM)
                break;
            continue;
        }
        if (clone_interface(SIOCIFCREATE, peer) == 0) {
            links[link].made = 1;
            links[link].index = if_nametoindex(name);
            lab("ifconfig %s peer %s", name, peer);
            return;
        }
        error = errno;
        clone_interface(SIOCIFDESTROY, name);
    }
    no_lab("a pair of feth", error);
}

/* What the host sends there is read at the peer, and the other way round. */
static void feth_far_end(int link)
{
    links[link].fd = bpf_open(links[link].peer, 1);
    if (links[link].fd == -1)
        no_lab("BPF on the far end of a feth", errno);
}
