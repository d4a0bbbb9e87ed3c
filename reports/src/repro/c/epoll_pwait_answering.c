#include <signal.h>
#include <sys/epoll.h>
#include <time.h>
/* epoll_pwait in slices, so that the links' far ends can answer meanwhile. */
static int epoll_pwait_answering(int fd, struct epoll_event *events, int max, int ms, const sigset_t *mask)
{
    struct timespec start;
    int ret, waited;

    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        waited = 0; /* what is told once is not asked for again */
        ret = epoll_pwait(fd, events, max, ms == 0 ? 0 : 1, mask);
    } while (goes_on(ret, &waited, &start, ms));
    return ret;
}
