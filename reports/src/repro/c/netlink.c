#include <linux/netlink.h>
#include <linux/rtnetlink.h>
/* A request of rtnetlink(7): a header, the message's own header, attributes. */
struct request {
    struct nlmsghdr header;
    char rest[256];
};

static struct request request(int type, int flags, const void *head, size_t len)
{
    struct request q = {.header = {.nlmsg_type = (unsigned short)type}};

    q.header.nlmsg_len = (unsigned)NLMSG_LENGTH(len);
    q.header.nlmsg_flags = (unsigned short)(NLM_F_REQUEST | NLM_F_ACK | flags);
    memcpy(q.rest, head, len);
    return q;
}

/* Returns 0, or the type of the route that was asked for, or -1. */
static int ask(struct request *q)
{
    struct {
        struct nlmsghdr header;
        union { struct nlmsgerr error; struct rtmsg route; } is;
    } answer;
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

    memset(&answer, 0, sizeof answer);
    if (send(fd, q, q->header.nlmsg_len, 0) == -1 || recv(fd, &answer, sizeof answer, 0) == -1)
        lab_failed("netlink");
    close(fd);
    if (answer.header.nlmsg_type != NLMSG_ERROR)
        return answer.is.route.rtm_type;
    errno = -answer.is.error.error;
    return errno == 0 ? 0 : -1;
}
