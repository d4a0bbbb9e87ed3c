#include <errno.h>
#include <time.h>
/* Time passes. */
static void wait_ms(int ms)
{
@!FarEnd,!Server     struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
@!FarEnd,!Server 
@!FarEnd,!Server     while (nanosleep(&left, &left) == -1 && errno == EINTR)
@!FarEnd,!Server         continue;
@FarEnd     struct timespec now, start;
@!FarEnd,Server     struct timespec now, start;
@FarEnd 
@!FarEnd,Server 
@FarEnd     clock_gettime(CLOCK_MONOTONIC, &start);
@!FarEnd,Server     clock_gettime(CLOCK_MONOTONIC, &start);
@FarEnd     do {
@!FarEnd,Server     do {
@FarEnd         answer_all();
@Server         serve_all();
@FarEnd         nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
@!FarEnd,Server         nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
@FarEnd         clock_gettime(CLOCK_MONOTONIC, &now);
@!FarEnd,Server         clock_gettime(CLOCK_MONOTONIC, &now);
@FarEnd     } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < ms);
@!FarEnd,Server     } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < ms);
}
