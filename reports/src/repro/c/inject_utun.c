#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
/* The far end puts a packet on a utun link: its family goes before it. */
static void inject_utun(int fd, const unsigned char *packet, size_t len)
{
    unsigned char bytes[4 + 65536];
    unsigned family = htonl(packet[0] >> 4 == 6 ? AF_INET6 : AF_INET);

    memcpy(bytes, &family, 4);
    memcpy(bytes + 4, packet, len);
    if (write(fd, bytes, 4 + len) == -1)
        perror("    (the frame did not arrive)");
}
