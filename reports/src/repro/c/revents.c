#include <poll.h>
#include <string.h>
/* What poll saw of one socket. */
static void revents(const struct pollfd *fd)
{
    static const struct { int bit; const char *name; } names[] = {
        {POLLIN, "POLLIN"}, {POLLPRI, "POLLPRI"}, {POLLOUT, "POLLOUT"},
        {POLLERR, "POLLERR"}, {POLLHUP, "POLLHUP"}, {POLLNVAL, "POLLNVAL"},
#ifdef POLLRDHUP
        {POLLRDHUP, "POLLRDHUP"},
#endif
    };
    char text[96] = "";

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (fd->revents & names[i].bit)
            strcat(strcat(text, *text ? "|" : ""), names[i].name);
    value("%s", *text ? text : "0");
}
