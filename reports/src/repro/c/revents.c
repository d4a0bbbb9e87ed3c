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
#if POLLWRNORM != POLLOUT
        {POLLRDNORM, "POLLRDNORM"}, {POLLRDBAND, "POLLRDBAND"},
        {POLLWRNORM, "POLLWRNORM"}, {POLLWRBAND, "POLLWRBAND"},
#else
        {POLLRDNORM, "POLLRDNORM"}, {POLLRDBAND, "POLLRDBAND"}, {POLLWRBAND, "POLLWRBAND"},
#endif
#ifdef POLLMSG
        {POLLMSG, "POLLMSG"},
#endif
    };
    char text[160] = "";

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (fd->revents & names[i].bit)
            strcat(strcat(text, *text ? "|" : ""), names[i].name);
    value("%s", *text ? text : "0");
}
