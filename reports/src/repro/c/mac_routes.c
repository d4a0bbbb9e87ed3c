#include <arpa/inet.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
/* A message of route(4): a header, then addresses in the order of their bits. */
struct route_message {
    struct rt_msghdr head;
    char rest[1024];
};

static void append(struct route_message *m, int bit, const void *address)
{
    size_t len = *(const unsigned char *)address; /* sa_len */

    memcpy((char *)m + m->head.rtm_msglen, address, len);
    m->head.rtm_msglen += (len + 3) & ~(size_t)3;
    m->head.rtm_addrs |= bit;
}

/* An address as the table has it: in a link-local one stands the index of its interface. */
static void append_ip(struct route_message *m, int bit, const char *ip, unsigned index)
{
    struct sockaddr_in in = {.sin_len = sizeof in, .sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_len = sizeof in6, .sin6_family = AF_INET6};

    if (inet_pton(AF_INET, ip, &in.sin_addr) == 1) {
        append(m, bit, &in);
        return;
    }
    inet_pton(AF_INET6, ip, &in6.sin6_addr);
    if (IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr)) {
        in6.sin6_addr.s6_addr[2] = (unsigned char)(index >> 8);
        in6.sin6_addr.s6_addr[3] = (unsigned char)index;
    }
    append(m, bit, &in6);
}

static void append_mask(struct route_message *m, const char *prefix, int len)
{
    struct sockaddr_in in = {.sin_len = sizeof in, .sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_len = sizeof in6, .sin6_family = AF_INET6};
    int v6 = strchr(prefix, ':') != NULL;
    unsigned char *bytes = v6 ? in6.sin6_addr.s6_addr : (unsigned char *)&in.sin_addr;

    for (int i = 0; i < len; i++)
        bytes[i / 8] |= (unsigned char)(0x80 >> i % 8);
    append(m, RTA_NETMASK, v6 ? (const void *)&in6 : (const void *)&in);
}

/* A question or a change about a prefix; with a length of -1 it is about a host. */
static struct route_message route_message(int type, int flags, const char *prefix, int len,
                                          unsigned index)
{
    static int seq;
    struct route_message m;

    memset(&m, 0, sizeof m);
    m.head.rtm_msglen = sizeof m.head;
    m.head.rtm_version = RTM_VERSION;
    m.head.rtm_type = (unsigned char)type;
    m.head.rtm_flags = flags | RTF_UP | (len < 0 ? RTF_HOST : 0);
    m.head.rtm_index = (unsigned short)index;
    m.head.rtm_seq = ++seq;
    append_ip(&m, RTA_DST, prefix, index);
    return m;
}

/*
 * route -n get: the index of the interface that the table leads to; 0 if it leads to none. `index` is
 * that of the interface that a link-local address is on.
 */
static unsigned route_get(const char *prefix, int len, unsigned index)
{
    struct route_message m = route_message(RTM_GET, 0, prefix, len, index);
    int fd = socket(PF_ROUTE, SOCK_RAW, 0), seq = m.head.rtm_seq;
    ssize_t got;

    if (len >= 0)
        append_mask(&m, prefix, len);
    if (write(fd, &m, m.head.rtm_msglen) == -1) {
        if (errno != ESRCH)
            no_lab("the table of routes", errno);
        close(fd);
        return 0;
    }
    do
        got = read(fd, &m, sizeof m);
    while (got > 0 && (m.head.rtm_type != RTM_GET || m.head.rtm_seq != seq ||
                       m.head.rtm_pid != getpid()));
    close(fd);
    if (got <= 0)
        no_lab("the table of routes", errno);
    if (m.head.rtm_errno != 0 || m.head.rtm_flags & (RTF_REJECT | RTF_BLACKHOLE))
        return 0;
    return m.head.rtm_index;
}
