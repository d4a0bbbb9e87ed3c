#include <time.h>
/* Whether to ask again what a call looks for that gave `ret`, the links' far ends answering meanwhile: until
   so many milliseconds have passed since `start`, for ever if they are negative. What came after a while
   is asked for once more: who sleeps in the kernel is woken when all is set, who asks in between can see
   half of it. */
static int goes_on(int ret, int *waited, const struct timespec *start, long long ms)
{
    struct timespec now;

    if (ret > 0 && *waited == 1) {
        *waited = 2;
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
        return 1;
    }
    if (ret != 0)
        return 0;
    *waited = 1;
@FarEnd     answer_all();
@Server     serve_all();
    clock_gettime(CLOCK_MONOTONIC, &now);
    return ms < 0 ||
           (now.tv_sec - start->tv_sec) * 1000 + (now.tv_nsec - start->tv_nsec) / 1000000 < ms;
}
