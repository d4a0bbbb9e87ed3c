#include <errno.h>
#include <pthread.h>
#include <stddef.h>
/* Sends a signal to the thread that makes this step's call, if it has not returned. */
static int send_signal(int op, int number)
{
    errno = ESRCH;
    for (size_t i = 0; i < began; i++)
        if (callers[i].op == op && !callers[i].joined)
            errno = pthread_kill(callers[i].thread, number);
    return errno == 0 ? 0 : -1;
}
