#include <signal.h>
#include <stddef.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>
/* pselect in slices, so that the links' far ends can answer meanwhile. */
static int pselect_answering(int n, fd_set *in, fd_set *out, fd_set *except,
                             const struct timespec *time, const sigset_t *mask)
{
    long long ms = time == NULL ? -1 : time->tv_sec * 1000LL + time->tv_nsec / 1000000;
    fd_set *sets[] = {in, out, except};
    static fd_set given[3];
    struct timespec start;
    int ret, waited = 0;

    for (int i = 0; i < 3; i++)
        if (sets[i] != NULL)
            given[i] = *sets[i];
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        struct timespec slice = {.tv_nsec = ms == 0 ? 0 : 1000000};

        for (int i = 0; i < 3; i++)
            if (sets[i] != NULL)
                *sets[i] = given[i];
        ret = pselect(n, sets[0], sets[1], sets[2], &slice, mask);
    } while (goes_on(ret, &waited, &start, ms));
    return ret;
}
