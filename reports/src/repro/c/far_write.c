#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
/* The far end puts a frame on a link; on one that is down it is lost. */
static void far_write(int link, const void *frame, size_t len)
{
@UtunOpen     unsigned family = utun_family(frame, len);
@UtunOpen     struct iovec packet[] = {{&family, sizeof family}, {(void *)(size_t)frame, len}};
    ssize_t put = -1;

@Feth     if (links[link].peer[0] != '\0')
@Feth         put = write(links[link].fd, frame, len);
@UtunOpen     if (links[link].peer[0] == '\0')
@UtunOpen         put = writev(links[link].fd, packet, 2);
    if (put == -1)
        printf("    (the frame did not arrive: %s)\n", strerror(errno));
@MacWire     keep(link, 0, frame, len);
}
