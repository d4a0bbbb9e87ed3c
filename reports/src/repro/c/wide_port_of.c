#include <sys/socket.h>
#include <string.h>
/* The port that a socket of AF_VSOCK has, or the process that one of AF_NETLINK has: at the same place. */
static unsigned wide_port_of(int fd)
{
    struct sockaddr_storage name = {.ss_family = 0};
    socklen_t len = sizeof name;
    unsigned port;

    getsockname(fd, (struct sockaddr *)&name, &len);
    memcpy(&port, (const char *)&name + 4, sizeof port);
    return port;
}
