#include <sys/socket.h>
/* The control messages of one datagram; a header of zeros, which leads to itself, is the last. */
static void control_x(const struct msghdr_x *from)
{
    struct msghdr msg = {.msg_control = from->msg_control, .msg_controllen = from->msg_controllen};

    for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c != NULL; c = CMSG_NXTHDR(&msg, c)) {
        size_t len = c->cmsg_len < CMSG_LEN(0) ? 0 : c->cmsg_len - CMSG_LEN(0);

        value("control %d %d %s", c->cmsg_level, c->cmsg_type, hex(CMSG_DATA(c), len));
        if (c->cmsg_len < CMSG_LEN(0))
            return;
    }
}
