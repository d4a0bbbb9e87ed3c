#include <time.h>
/* Lets the links' far ends answer. Whether so many milliseconds have not passed since `start`; if they
   are negative they never have. */
static int goes_on(const struct timespec *start, long long ms)
{
    struct timespec now;

@FarEnd     answer_all();
@Server     serve_all();
    clock_gettime(CLOCK_MONOTONIC, &now);
    return ms < 0 ||
           (now.tv_sec - start->tv_sec) * 1000 + (now.tv_nsec - start->tv_nsec) / 1000000 < ms;
}
