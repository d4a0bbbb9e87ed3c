#include <stddef.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>
/* select in slices, so that the links' far ends can answer meanwhile. */
static int select_answering(int n, fd_set *in, fd_set *out, fd_set *except, const struct timeval *time)
{
    long long ms = time == NULL ? -1 : time->tv_sec * 1000LL + time->tv_usec / 1000;
    fd_set *sets[] = {in, out, except};
    static fd_set given[3];
    struct timespec start;
    int ret, waited = 0;

    for (int i = 0; i < 3; i++)
        if (sets[i] != NULL)
            given[i] = *sets[i];
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        struct timeval slice = {.tv_usec = ms == 0 ? 0 : 1000};

        for (int i = 0; i < 3; i++)
            if (sets[i] != NULL)
                *sets[i] = given[i];
        ret = select(n, sets[0], sets[1], sets[2], &slice);
    } while (goes_on(ret, &waited, &start, ms));
    return ret;
}
