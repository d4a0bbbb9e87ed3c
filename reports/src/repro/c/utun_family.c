#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
/* What stands before a packet that a utun carries: its family, in network order; 0 if it is none of IP. */
static unsigned utun_family(const unsigned char *packet, size_t len)
{
    int version = len > 0 ? packet[0] >> 4 : 0;

    return version == 4 ? htonl(AF_INET) : version == 6 ? htonl(AF_INET6) : 0;
}
