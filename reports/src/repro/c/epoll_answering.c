#include <sys/epoll.h>
#include <time.h>
/* epoll_wait in slices, so that the links' far ends can answer meanwhile. */
static int epoll_answering(int fd, struct epoll_event *events, int max, int ms)
{
    struct timespec start;
    int ret;

    clock_gettime(CLOCK_MONOTONIC, &start);
    do
        ret = epoll_wait(fd, events, max, ms == 0 ? 0 : 1);
    while (ret == 0 && goes_on(&start, ms));
    return ret;
}
