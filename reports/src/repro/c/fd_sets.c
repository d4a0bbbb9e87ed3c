#include <fcntl.h>
#include <sys/select.h>
/* Puts a descriptor into a set, one that is closed as the least number that none has. Returns how many
   numbers select has to look at. */
static int into(fd_set *set, int fd, int n)
{
    for (int least = 0; (fd < 0 || fd >= FD_SETSIZE) && least < FD_SETSIZE; least++)
        if (fcntl(least, F_GETFD) == -1)
            fd = least;
    if (fd < 0 || fd >= FD_SETSIZE)
        return n;
    FD_SET(fd, set);
    return fd < n ? n : fd + 1;
}

struct asked { const fd_set *set; int fd; const char *text; };

/* Which descriptors select has left in their sets, if it has given any. */
static void selected(const struct asked *asked, int count, int ret)
{
    for (const struct asked *one = asked; ret > 0 && one < asked + count; one++)
        if (one->fd >= 0 && one->fd < FD_SETSIZE && FD_ISSET(one->fd, one->set))
            listed(one->text);
@Observed     list_ends();
}
