#include <poll.h>
#include <time.h>
/* poll in slices, so that the links' far ends can answer meanwhile. */
static int poll_answering(struct pollfd *fds, nfds_t n, int ms)
{
    struct timespec start;
    int ret, waited = 0;

    clock_gettime(CLOCK_MONOTONIC, &start);
    do
        ret = poll(fds, n, ms == 0 ? 0 : 1);
    while (goes_on(ret, &waited, &start, ms));
    return ret;
}
