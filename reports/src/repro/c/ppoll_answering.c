#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>
/* ppoll in slices, so that the links' far ends can answer meanwhile. */
static int ppoll_answering(struct pollfd *fds, nfds_t n, const struct timespec *time, const sigset_t *mask)
{
    long long ms = time == NULL ? -1 : time->tv_sec * 1000LL + time->tv_nsec / 1000000;
    struct timespec start, slice = {.tv_nsec = ms == 0 ? 0 : 1000000};
    int ret, waited = 0;

    clock_gettime(CLOCK_MONOTONIC, &start);
    do
        ret = ppoll(fds, n, &slice, mask);
    while (goes_on(ret, &waited, &start, ms));
    return ret;
}
