#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
/* Waits until a socket can be bound to an address of a link's, or, with 0, until none can. */
static void wait_usable(const char *ip, unsigned index, int usable)
{
    struct sockaddr_in in = {.sin_len = sizeof in, .sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_len = sizeof in6, .sin6_family = AF_INET6};
    int v4 = inet_pton(AF_INET, ip, &in.sin_addr) == 1;

    if (!v4 && inet_pton(AF_INET6, ip, &in6.sin6_addr) == 1)
        in6.sin6_scope_id = IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr) ? index : 0;
    for (int tries = 0; tries < 2000; tries++) {
        int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0);
        int bound = v4 ? bind(fd, (struct sockaddr *)&in, sizeof in)
                       : bind(fd, (struct sockaddr *)&in6, sizeof in6);

        close(fd);
        if ((bound == 0) == usable)
            return;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    no_lab(ip, usable ? EADDRNOTAVAIL : EADDRINUSE);
}
