#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
/* The name of a number of the list, or the number. */
static const char *kind_name(int kind, char *number, size_t size)
{
    snprintf(number, size, "%d", kind);
    return kind == SOCK_STREAM  ? "SOCK_STREAM"
           : kind == SOCK_DGRAM ? "SOCK_DGRAM"
           : kind == SOCK_RAW   ? "SOCK_RAW"
                                : number;
}

static const char *protocol_name(int protocol, char *number, size_t size)
{
    snprintf(number, size, "%d", protocol);
    return protocol == IPPROTO_IP    ? "IPPROTO_IP"
           : protocol == IPPROTO_TCP ? "IPPROTO_TCP"
           : protocol == IPPROTO_UDP ? "IPPROTO_UDP"
                                     : number;
}

/* One line for getaddrinfo, and beneath it the list: an address, and what it is for. */
static void resolved(int op, const char *call, int ret, const struct addrinfo *list)
{
    char kind[16], protocol[16];

    looked_up(op, call, ret);
    for (; list != NULL; list = list->ai_next) {
        address(list->ai_addr, list->ai_addrlen);
        value("%s %s%s%s", kind_name(list->ai_socktype, kind, sizeof kind),
              protocol_name(list->ai_protocol, protocol, sizeof protocol),
              list->ai_canonname == NULL ? "" : " ",
              list->ai_canonname == NULL ? "" : list->ai_canonname);
    }
}
