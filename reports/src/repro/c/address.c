#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
/* An address that a call wrote. */
static void address(const void *name, socklen_t len)
{
    const struct sockaddr *any = name;
    const struct sockaddr_in *in = name;
    const struct sockaddr_in6 *in6 = name;
    char ip[INET6_ADDRSTRLEN] = "", scope[16] = "";

    if (len == 0)
        return;
    if (any->sa_family == AF_INET && len >= sizeof *in) {
        inet_ntop(AF_INET, &in->sin_addr, ip, sizeof ip);
        value("{AF_INET %s:%d}", ip, ntohs(in->sin_port));
    } else if (any->sa_family == AF_INET6 && len >= sizeof *in6) {
        inet_ntop(AF_INET6, &in6->sin6_addr, ip, sizeof ip);
        if (in6->sin6_scope_id != 0)
            snprintf(scope, sizeof scope, "%%%u", in6->sin6_scope_id);
        value("{AF_INET6 [%s%s]:%d}", ip, scope, ntohs(in6->sin6_port));
@Unix     } else if (any->sa_family == AF_UNIX && len > offsetof(struct sockaddr_un, sun_path)) {
@Unix         unix_address(name, len);
@Packet     } else if (any->sa_family == AF_PACKET && len >= 12) {
@Packet         packet_address(name, len);
@VsockName     } else if (any->sa_family == AF_VSOCK && len >= 12) {
@VsockName         vsock_address(name);
@NetlinkName     } else if (any->sa_family == AF_NETLINK && len >= 12) {
@NetlinkName         netlink_address(name);
    } else if (any->sa_family == AF_UNIX || any->sa_family == AF_UNSPEC) {
        value("%s", any->sa_family == AF_UNIX ? "{AF_UNIX}" : "{AF_UNSPEC}");
    } else {
        value("{family %d}", any->sa_family);
    }
}
