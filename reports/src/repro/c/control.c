#include <sys/socket.h>
/* The control messages of recvmsg: level, type, bytes. */
static void control(struct msghdr *msg)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c))
        value("control %d %d %s", c->cmsg_level, c->cmsg_type,
              hex(CMSG_DATA(c), (size_t)c->cmsg_len - CMSG_LEN(0)));
}
