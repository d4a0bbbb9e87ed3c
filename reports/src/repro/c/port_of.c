#include <netinet/in.h>
#include <sys/socket.h>
/* The port that a socket has, in network order. */
static in_port_t port_of(int fd)
{
    struct sockaddr_in6 name = {.sin6_port = 0};
    socklen_t len = sizeof name;

    /* sin_port and sin6_port are at the same place. */
    getsockname(fd, (struct sockaddr *)&name, &len);
    return name.sin6_port;
}
