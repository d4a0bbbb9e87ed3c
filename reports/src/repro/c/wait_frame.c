#include <time.h>
/* Time passes, until a frame is seen on the link. */
static void wait_frame(int op, const char *link, int ms)
{
    struct timespec now, start;

    awaited = link;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
@Server         serve_all();
        look(op);
        if (awaited == NULL)
            return;
        nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < ms);
    awaited = NULL;
}
