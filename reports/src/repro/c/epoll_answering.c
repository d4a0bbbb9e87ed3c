#include <sys/epoll.h>
#include <time.h>
/* epoll_wait in slices, so that the links' far ends can answer meanwhile. */
static int epoll_answering(int fd, struct epoll_event *events, int max, int ms)
{
    struct timespec start;
    int ret, waited;

    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        waited = 0; /* what is told once is not asked for again */
        ret = epoll_wait(fd, events, max, ms == 0 ? 0 : 1);
    } while (goes_on(ret, &waited, &start, ms));
    return ret;
}
