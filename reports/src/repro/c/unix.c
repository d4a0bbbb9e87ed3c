#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
/* The name of a Unix socket: behind a NUL it is abstract. What is longer than it has its length beside it. */
static void unix_address(const void *name, socklen_t len)
{
    const char *path = (const char *)name + offsetof(struct sockaddr_un, sun_path);
    size_t size = len - offsetof(struct sockaddr_un, sun_path), end = 0;
    char length[32] = "";

    if (path[0] != '\0') {
        value("{AF_UNIX \"%.*s\"}", (int)size, path);
        return;
    }
#ifndef __linux__
    value("{AF_UNIX}"); /* filled with zeros */
    return;
#endif
    while (1 + end < size && path[1 + end] != '\0')
        end++;
    if (1 + end < size)
        snprintf(length, sizeof length, " length %u", (unsigned)len);
    value("{AF_UNIX @\"%.*s\"%s}", (int)end, path + 1, length);
}
