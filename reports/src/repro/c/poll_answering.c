#include <poll.h>
#include <time.h>
/* poll in slices, so that the links' far ends can answer meanwhile. */
static int poll_answering(struct pollfd *fds, nfds_t n, int ms)
{
    struct timespec now, start;
    int ret;

    clock_gettime(CLOCK_MONOTONIC, &start);
    for (;;) {
        ret = poll(fds, n, ms == 0 ? 0 : 1);
        if (ret != 0)
            return ret;
@FarEnd         answer_all();
@Server         serve_all();
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (ms >= 0 &&
            (now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 >= ms)
            return 0;
    }
}
