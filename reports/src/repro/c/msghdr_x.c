#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
/* Not in the SDK: xnu-11417.101.15 bsd/sys/socket_private.h, lines 403, 800 and 832. */
struct msghdr_x {
    void *msg_name;
    socklen_t msg_namelen;
    struct iovec *msg_iov;
    int msg_iovlen;
    void *msg_control;
    socklen_t msg_controllen;
    int msg_flags;
    size_t msg_datalen;
};
ssize_t recvmsg_x(int s, const struct msghdr_x *msgp, unsigned count, int flags);
ssize_t sendmsg_x(int s, const struct msghdr_x *msgp, unsigned count, int flags);
