#include <arpa/inet.h>
/* The bytes of an address, its length, and its family. */
static size_t ip_bytes(const char *text, unsigned char *bytes, unsigned char *family)
{
    *family = strchr(text, ':') ? AF_INET6 : AF_INET;
    inet_pton(*family, text, bytes);
    return *family == AF_INET6 ? 16 : 4;
}
