#include <netinet/in.h>
#include <sys/socket.h>
/* lo0 is everybody's. What has the port of a socket of this program's is its own. */
static unsigned char ports[2][65536]; /* of TCP, and of UDP */
static int has_raw;                   /* whether a socket has none */

static void remember_sockets(void)
{
    for (int fd = 3; fd < 64; fd++) {
        struct sockaddr_storage name;
        socklen_t name_len = sizeof name, type_len = sizeof(int);
        int type, port;

        if (getsockname(fd, (struct sockaddr *)&name, &name_len) == -1 ||
            getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) == -1 ||
            (name.ss_family != AF_INET && name.ss_family != AF_INET6))
            continue;
        port = ntohs(((struct sockaddr_in *)&name)->sin_port); /* where IPv6 has it, too */
        if (type == SOCK_RAW)
            has_raw = 1;
        else if (port != 0)
            ports[type != SOCK_STREAM][port] = 1;
    }
}

static int has_our_port(const unsigned char *p, size_t len)
{
    struct carried c = carried(p, len);

    return (c.protocol == 6 || c.protocol == 17) && !c.is_later && c.at + 4 <= len &&
           (ports[c.protocol == 17][be16(p + c.at)] || ports[c.protocol == 17][be16(p + c.at + 2)]);
}

/* Whether a packet of loopback's is this program's: an error by the packet that it quotes, a later
   fragment by its first one. */
static int is_of_a_socket(const unsigned char *p, size_t len)
{
    static unsigned long long datagrams[64];
    static size_t count;
    struct carried c = carried(p, len);
    int type = c.at + 8 <= len ? p[c.at] : -1;

    if (c.is_later) {
        for (size_t i = 0; i < count && i < 64; i++)
            if (datagrams[i] == c.datagram)
                return 1;
        return 0;
    }
    if (c.is_fragment) {
        if (has_our_port(p, len))
            datagrams[count++ % 64] = c.datagram;
        return has_our_port(p, len);
    }
    if ((c.protocol == 1 && (type == 3 || type == 5 || type == 11 || type == 12)) ||
        (c.protocol == 58 && type >= 1 && type <= 4))
        return has_raw || has_our_port(p + c.at + 8, len - c.at - 8);
    return c.protocol == 6 || c.protocol == 17 ? has_our_port(p, len) : has_raw;
}
